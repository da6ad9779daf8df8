//! An allocator that looks at what is given back.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![expect(
    unsafe_code,
    reason = "an allocator that looks at what is given back is no other way to be had"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
    ptr::{copy_nonoverlapping, with_exposed_provenance},
    slice,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

/// What is looked for: any of these pieces, wherever it begins.
static NEEDLES: [[AtomicU64; 2]; MOST_NEEDLES] =
    [const { [const { AtomicU64::new(0) }; 2] }; MOST_NEEDLES];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Which two bytes a needle begins with, as bits: few places of a block have them.
static BEGINNINGS: [AtomicU64; 1 << 10] = [const { AtomicU64::new(0) }; 1 << 10];
static IS_LOOKING: AtomicBool = AtomicBool::new(false);
/// Which needles were found, as bits, and in how many blocks one was.
static FOUND: [AtomicU64; MOST_NEEDLES / 64] = [const { AtomicU64::new(0) }; MOST_NEEDLES / 64];
static BLOCKS: AtomicUsize = AtomicUsize::new(0);
/// Threads of other tests give memory back too.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

const MOST_NEEDLES: usize = 1024;

/// The least that is found. Less may come from a stack, as padding or as a field that has no value
/// yet, and is no key.
const PIECE_BYTES: usize = 16;

/// How far apart the pieces of a secret begin: of 20 bytes of it, 16 are one.
const STEP_BYTES: usize = 4;

/// Hands everything on to the system's allocator.
struct Looking;

// SAFETY: everything is handed on to the system's allocator, as it came.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are this call's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are this call's.
        unsafe { System.alloc_zeroed(layout) }
    }

    // A block that grows is given back too: `realloc` is left to be an alloc and a dealloc.
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if IS_LOOKING.load(Relaxed) {
            // SAFETY: the block is the caller's until it is handed on below. What of it was
            // never written may hold anything, and any bytes are good to be compared.
            look_at(unsafe { slice::from_raw_parts(block, layout.size()) });
        }
        // Wiped behind the look: else it would be found again in a block that is not written to.
        // SAFETY: the block is the caller's until it is handed on; the rest as above.
        unsafe {
            block.write_bytes(0, layout.size());
            System.dealloc(black_box(block), layout);
        }
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

fn look_at(block: &[u8]) {
    let mut is_found = false;
    for window in block.windows(PIECE_BYTES) {
        let (at, bit) = beginning(window);
        if BEGINNINGS[at].load(Relaxed) & bit == 0 {
            continue;
        }
        let words = words_of(window);
        for (number, needle) in NEEDLES[..COUNT.load(Relaxed)].iter().enumerate() {
            if needle.each_ref().map(|word| word.load(Relaxed)) == words {
                FOUND[number / 64].fetch_or(1 << (number % 64), Relaxed);
                is_found = true;
            }
        }
    }
    BLOCKS.fetch_add(usize::from(is_found), Relaxed);
}

/// Where the bit of a piece's first two bytes is.
fn beginning(piece: &[u8]) -> (usize, u64) {
    let both = usize::from(piece[0]) << 8 | usize::from(piece[1]);
    (both / 64, 1 << (both % 64))
}

fn words_of(piece: &[u8]) -> [u64; 2] {
    let half = |at| {
        piece[at..]
            .first_chunk()
            .map_or(0, |half| u64::from_ne_bytes(*half))
    };
    [half(0), half(PIECE_BYTES / 2)]
}

/// Keeps other tests of the binary from giving back what this one looks for. To be taken before
/// anything is made that holds it.
pub fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is looked for, by name: no 20 bytes of it in one piece may be left.
pub struct Search {
    names: Vec<&'static str>,
}

impl Search {
    /// Looks for pieces of these secrets.
    pub fn of(secrets: &[(&'static str, &[u8])]) -> Self {
        for bits in &BEGINNINGS {
            bits.store(0, Relaxed);
        }
        let mut names = Vec::new();
        for (name, secret) in secrets {
            assert!(secret.len() >= PIECE_BYTES, "{name} is too short");
            for piece in secret.windows(PIECE_BYTES).step_by(STEP_BYTES) {
                let (at, bit) = beginning(piece);
                BEGINNINGS[at].fetch_or(bit, Relaxed);
                for (needle, word) in NEEDLES[names.len()].iter().zip(words_of(piece)) {
                    needle.store(word, Relaxed);
                }
                names.push(*name);
            }
        }
        COUNT.store(names.len(), Relaxed);
        Self { names }
    }

    /// The names of what was in a block when it was given back, each once.
    pub fn found(&self, work: impl FnOnce()) -> Vec<&'static str> {
        look(work);
        self.names_found()
    }

    /// The names of what is left on this thread's stack behind the work.
    pub fn found_on_stack(&self, work: impl FnOnce()) -> Vec<&'static str> {
        forget();
        let mut left = vec![0_u8; STACK_BYTES];
        clean();
        below(work);
        // As a number: the compiler knows where a local of ours ends.
        let here = black_box((&raw const left).addr());
        let lowest = with_exposed_provenance::<u8>(here - STACK_BYTES);
        // SAFETY: the stack of a test's thread is that much larger than what stands on it, and its
        // pages are mapped. What lies below is nobody's, and is read as bytes, once.
        unsafe { copy_nonoverlapping(lowest, left.as_mut_ptr(), STACK_BYTES) };
        look_at(&left);
        self.names_found()
    }

    fn names_found(&self) -> Vec<&'static str> {
        let is_found = |number: &usize| FOUND[number / 64].load(Relaxed) >> (number % 64) & 1 == 1;
        let numbers = (0..self.names.len()).filter(is_found);
        let mut names: Vec<_> = numbers.map(|number| self.names[number]).collect();
        names.dedup();
        names
    }

    /// In how many blocks something was when they were given back.
    #[expect(
        clippy::unused_self,
        reason = "there is something to look for while it lives"
    )]
    pub fn blocks(&self, work: impl FnOnce()) -> usize {
        look(work);
        BLOCKS.load(Relaxed)
    }
}

/// Looks at every block that is given back meanwhile.
fn look(work: impl FnOnce()) {
    forget();
    clean();
    IS_LOOKING.store(true, Relaxed);
    work();
    IS_LOOKING.store(false, Relaxed);
}

/// Forgets what was found.
fn forget() {
    for bits in &FOUND {
        bits.store(0, Relaxed);
    }
    BLOCKS.store(0, Relaxed);
}

/// Wipes what the test itself has left on the stack, of which it could get anywhere.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "it is the stack that is wiped")]
fn clean() {
    black_box([0_u64; STACK_BYTES / size_of::<u64>()]);
}

/// Works further down the stack than what looks at it reaches.
#[inline(never)]
fn below(work: impl FnOnce()) {
    let between = black_box([0_u8; 16 * 1024]);
    work();
    black_box(&between);
}

/// How much of the stack is looked at: what works on it is not that deep.
const STACK_BYTES: usize = 256 * 1024;
