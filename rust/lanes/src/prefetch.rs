//! Asking for bytes before they are needed.

/// Asks the processor to bring in the first bytes of a body that is about to be hashed. Within a
/// call, [`crate::Kernel::macs`] does so itself for all but the first of each lane.
#[inline]
pub fn prefetch(body: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in body.chunks(LINE_BYTES).take(MOST_LINES) {
        fetch(line.as_ptr());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = body;
}

/// Asks the processor to bring in a value that is about to be read.
#[inline]
pub fn prefetch_value<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    fetch_all(std::ptr::from_ref(value).cast(), size_of::<T>());
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Asks the processor to bring in bytes at an address, which may be any: at most two lines.
#[inline]
pub fn prefetch_address<T>(start: *const T, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        fetch(start.cast());
        fetch(start.cast::<u8>().wrapping_add(bytes.saturating_sub(1)));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (start, bytes);
}

/// Every line that a range of bytes lies in.
#[cfg(target_arch = "x86_64")]
#[inline]
fn fetch_all(start: *const u8, bytes: usize) {
    for offset in (0..bytes).step_by(LINE_BYTES) {
        fetch(start.wrapping_add(offset));
    }
    fetch(start.wrapping_add(bytes.saturating_sub(1)));
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instruction takes an address")]
#[inline]
fn fetch(line: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    // SAFETY: a prefetch has no effect but on the cache, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) }
}

#[cfg(target_arch = "x86_64")]
const LINE_BYTES: usize = 64;

/// Of more, the processor sees the pattern by itself.
#[cfg(target_arch = "x86_64")]
const MOST_LINES: usize = 16;
