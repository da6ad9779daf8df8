//! No keyed state is left in memory that was given back: who has both states of a key can forge.

#![expect(
    unsafe_code,
    reason = "an allocator that looks at what is given back is no other way to be had"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    slice::from_ref,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use hookseal_lanes::{Interrupted, Job, Kernel, KeyState, Mac};
use sha2::block_api::compress256;

/// The first two words of the inner state and of the outer one, as they lie in memory.
static NEEDLES: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
static IS_LOOKING: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);

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

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if IS_LOOKING.load(Relaxed) {
            // SAFETY: the block is the caller's until it is handed on below. What of it was
            // never written may hold anything, and any bytes are good to be compared.
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            for needle in &NEEDLES {
                let needle = needle.load(Relaxed).to_ne_bytes();
                if bytes.windows(needle.len()).any(|window| window == needle) {
                    FOUND.fetch_add(1, Relaxed);
                }
            }
        }
        // Wiped behind the look: else it would be found again in a block that is not written to.
        // SAFETY: the block is the caller's until it is handed on; the rest as above.
        unsafe {
            block.write_bytes(0, layout.size());
            System.dealloc(block, layout);
        }
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

#[test]
fn what_is_given_back_holds_no_keyed_state() {
    let keyed = [0x36, 0x5c].map(|pad| keyed_state(b"a key", pad));
    for (needle, state) in NEEDLES.iter().zip(&keyed) {
        needle.store(first_words(state), Relaxed);
    }

    // The control: what is looked for is found.
    assert_eq!(found(|| drop(vec![keyed[0], keyed[1]])), 2);
    assert_eq!(found(|| drop(vec![keyed[1]])), 1);
    assert_eq!(found(|| drop(vec![[0_u32; 8]])), 0);

    let key = KeyState::new(b"a key");
    assert_eq!(found(|| drop(Box::new(key.clone()))), 0);
    for kernel in Kernel::ALL {
        for count in (0..=40).chain([64, 100]) {
            for ragged in [0, 1, 64, 100] {
                let bodies: Vec<_> = (0..count).map(|at| vec![7; 100 + ragged * at]).collect();
                let job = |body| Job {
                    key: &key,
                    head: &b"head"[..],
                    body,
                    tail: &[],
                };
                let jobs: Vec<_> = bodies.iter().map(|body| job(body)).collect();
                let mut macs = vec![Mac::default(); count];
                for goes_on in [true, false] {
                    let mut watch = |_| if goes_on { Ok(()) } else { Err(Interrupted) };
                    let left = found(|| _ = kernel.macs(&jobs, &mut macs, &mut watch));
                    assert_eq!(left, 0, "{kernel:?}: {count} jobs, {ragged} bytes apart");
                }
            }
        }
    }
}

/// In how many blocks a needle was when they were given back.
fn found(work: impl FnOnce()) -> usize {
    FOUND.store(0, Relaxed);
    IS_LOOKING.store(true, Relaxed);
    work();
    IS_LOOKING.store(false, Relaxed);
    FOUND.load(Relaxed)
}

/// RFC 2104's intermediate result for a short key.
fn keyed_state(key: &[u8], pad: u8) -> [u32; 8] {
    // FIPS 180-4 §5.3.3.
    let mut state = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    let mut block = [pad; 64];
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    compress256(&mut state, from_ref(&block));
    state
}

fn first_words(state: &[u32; 8]) -> u64 {
    let [a, b] = [state[0], state[1]].map(u32::to_ne_bytes);
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&a);
    bytes[4..].copy_from_slice(&b);
    u64::from_ne_bytes(bytes)
}
