//! The items of tuples.

#![expect(
    clippy::inline_always,
    reason = "as in headers.rs: a call for each item is more than to look at it"
)]

use pyo3::{Borrowed, prelude::*, types::PyTuple};

/// The item at an index, or `IndexError`. Through the stable ABI it is a call into Python, elsewhere the
/// tuple is looked at where it lies.
#[inline(always)]
pub fn item<'a, 'py>(
    tuple: &'a Bound<'py, PyTuple>,
    index: usize,
) -> PyResult<Borrowed<'a, 'py, PyAny>> {
    #[cfg(not(any(feature = "abi3", feature = "abi3t")))]
    if let Some(item) = tuple.as_slice().get(index) {
        return Ok(item.as_borrowed());
    }
    tuple.get_borrowed_item(index)
}
