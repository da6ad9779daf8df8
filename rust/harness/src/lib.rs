//! Memory that ends where it says: a page that nobody may touch lies on either side of it, so
//! that reading or writing one byte too many ends the process.

#![cfg(unix)]
#![expect(
    unsafe_code,
    reason = "asks the system for pages, and puts values there"
)]

use std::{
    io,
    ops::{Deref, DerefMut},
    ptr::{self, NonNull},
    slice,
};

/// The side without a gap.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    /// The guard page ends where the first value begins.
    Start,
    /// The guard page begins where the last value ends.
    End,
}

/// Values between guard pages, without a gap on one side; on both, where they fill whole pages.
#[derive(Debug)]
pub struct Walled<T> {
    map: NonNull<u8>,
    map_bytes: usize,
    first: NonNull<T>,
    count: usize,
}

impl<T> Walled<T> {
    /// Puts values where one side touches a guard page.
    ///
    /// # Panics
    /// If the system has no memory.
    #[must_use]
    pub fn new(side: Side, values: Vec<T>) -> Self {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096) };
        let (page, count) = (page_bytes(), values.len());
        let bytes = count * size_of::<T>();
        let usable = bytes.next_multiple_of(page).max(page);
        let map_bytes = page + usable + page;
        let map = reserve(map_bytes);
        // SAFETY: the page behind the first is in the mapping.
        let start = unsafe { map.add(page) };
        // SAFETY: these whole pages are in the mapping, which is nobody else's.
        let opened = unsafe {
            libc::mprotect(
                start.as_ptr().cast(),
                usable,
                libc::PROT_READ | libc::PROT_WRITE,
            )
        };
        assert_eq!(opened, 0, "mprotect: {}", io::Error::last_os_error());
        let gap = match side {
            Side::Start => 0,
            Side::End => usable - bytes,
        };
        // SAFETY: `gap` is at most the bytes that were opened. They end at a page and `bytes` is
        // a multiple of the alignment, so the place is aligned either way.
        let first: NonNull<T> = unsafe { start.add(gap) }.cast();
        for (at, value) in values.into_iter().enumerate() {
            // SAFETY: `count` values fit behind `first`, into pages that may be written.
            unsafe { first.add(at).write(value) };
        }
        Self {
            map,
            map_bytes,
            first,
            count,
        }
    }
}

impl<T> Deref for Walled<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `new` wrote so many values there, and they live as long as `self`.
        unsafe { slice::from_raw_parts(self.first.as_ptr(), self.count) }
    }
}

impl<T> DerefMut for Walled<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: `new` wrote so many values there, and they are borrowed through `self` alone.
        unsafe { slice::from_raw_parts_mut(self.first.as_ptr(), self.count) }
    }
}

impl<T> Drop for Walled<T> {
    fn drop(&mut self) {
        let values = ptr::slice_from_raw_parts_mut(self.first.as_ptr(), self.count);
        // SAFETY: the values are dropped once, here.
        unsafe { ptr::drop_in_place(values) };
        // SAFETY: the mapping is this value's own, and nothing points into it any more.
        unsafe { libc::munmap(self.map.as_ptr().cast(), self.map_bytes) };
    }
}

/// Addresses that nothing may touch yet.
fn reserve(bytes: usize) -> NonNull<u8> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, wherever there is room.
    let map = unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
    assert_ne!(
        map,
        libc::MAP_FAILED,
        "mmap: {}",
        io::Error::last_os_error()
    );
    NonNull::new(map.cast()).expect("no mapping is at address zero")
}

/// Bytes of a page of memory.
///
/// # Panics
/// If the system does not say.
#[must_use]
pub fn page_bytes() -> usize {
    // SAFETY: asks for a number.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).expect("a size")
}
