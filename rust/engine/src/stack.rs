//! What calls that have returned leave behind on the stack.

use std::hint::black_box;

/// Overwrites the stack below the caller's frame, where the frames of what it has called were.
///
/// Keyed states are returned and moved, and a move leaves its bytes behind. They could get into
/// any value that has room without a use. Nothing guarantees how a compiler lays out its frames:
/// `rust/harness` looks at what is left.
#[inline(never)]
pub fn wipe_below() {
    black_box([0_u64; WIPED_WORDS]);
}

/// Does what leaves keys behind in a frame of its own: below the caller's, whoever is inlined into
/// whom.
#[inline(never)]
pub fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// 16 KiB: what makes a key of a secret takes less than a quarter.
const WIPED_WORDS: usize = 2048;
