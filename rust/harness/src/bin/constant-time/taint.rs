//! Taint: secrets are marked as memory without a value, which a memory checker follows through
//! every computation, and reports where a branch or an address depends on it.
//!
//! The values stay what they are. Under the memory sanitizer the marks are its own; under
//! valgrind they are requests that its memcheck understands, and nothing without valgrind.

#![expect(unsafe_code, reason = "the checkers are asked through pointers")]

/// Marks bytes as secret.
pub fn mark(secret: &mut [u8]) {
    checker::mark(secret.as_mut_ptr(), secret.len());
}

/// Marks what lies behind a reference as secret, padding and all.
pub fn mark_value<T>(secret: &T) {
    checker::mark(std::ptr::from_ref(secret).cast_mut().cast(), size_of::<T>());
}

/// How many of the bytes are secret still: wholly or in part computed from what was marked.
pub fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| checker::is_marked(byte)).count()
}

/// Makes bytes public.
pub fn reveal(bytes: &mut [u8]) {
    checker::reveal(bytes.as_mut_ptr(), bytes.len());
}

#[cfg(hookseal_msan)]
mod checker {
    use std::ffi::c_void;

    // The runtime that rustc links: compiler-rt's sanitizer/msan_interface.h.
    unsafe extern "C" {
        fn __msan_poison(from: *const c_void, bytes: usize);
        fn __msan_unpoison(from: *const c_void, bytes: usize);
        fn __msan_test_shadow(from: *const c_void, bytes: usize) -> isize;
    }

    pub fn mark(from: *mut u8, bytes: usize) {
        // SAFETY: shadow alone is written, of memory that the caller has.
        unsafe { __msan_poison(from.cast(), bytes) }
    }

    pub fn reveal(from: *mut u8, bytes: usize) {
        // SAFETY: as above.
        unsafe { __msan_unpoison(from.cast(), bytes) }
    }

    pub fn is_marked(byte: &u8) -> bool {
        // SAFETY: shadow alone is read. -1 says that there is a value.
        unsafe { __msan_test_shadow(std::ptr::from_ref(byte).cast(), 1) != -1 }
    }
}

#[cfg(not(hookseal_msan))]
mod checker {
    // valgrind/memcheck.h numbers its requests from the letters MC.
    const MEMCHECK: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16;
    const MAKE_UNDEFINED: usize = MEMCHECK + 1;
    const MAKE_DEFINED: usize = MEMCHECK + 2;
    const BITS_WITHOUT_VALUE: usize = MEMCHECK + 8;

    pub fn mark(from: *mut u8, bytes: usize) {
        request([MAKE_UNDEFINED, from.addr(), bytes, 0, 0, 0]);
    }

    pub fn reveal(from: *mut u8, bytes: usize) {
        request([MAKE_DEFINED, from.addr(), bytes, 0, 0, 0]);
    }

    pub fn is_marked(byte: &u8) -> bool {
        let mut bits = 0_u8;
        let (byte, into) = (std::ptr::from_ref(byte), std::ptr::from_mut(&mut bits));
        request([BITS_WITHOUT_VALUE, byte.addr(), into.addr(), 1, 0, 0]);
        // Written behind the compiler's back.
        // SAFETY: a local of ours.
        unsafe { into.read_volatile() != 0 }
    }

    /// valgrind/valgrind.h: rotations that come to nothing, which valgrind knows by their numbers.
    fn request(request: [usize; 6]) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: registers are as they were; memory is touched by valgrind alone, where the
        // request says so.
        unsafe {
            std::arch::asm!(
                "rol rdi, 3",
                "rol rdi, 13",
                "rol rdi, 61",
                "rol rdi, 51",
                "xchg rbx, rbx",
                in("rax") request.as_ptr(),
                inout("rdx") 0_usize => _,
            );
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = request;
    }
}
