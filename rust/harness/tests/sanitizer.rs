//! What address sanitizer must find: `tools/sanitize.py` runs it to see that it does.

use std::hint::black_box;

#[test]
#[ignore = "reads past what it has: for the sanitizer alone"]
#[expect(unsafe_code, reason = "to see that it is found")]
fn reads_behind_a_vector() {
    let bytes = black_box(vec![1_u8; 32]);
    // SAFETY: none. One byte is read behind the vector's own.
    let byte = unsafe { bytes.as_ptr().wrapping_add(bytes.len()).read_volatile() };
    black_box(byte);
}
