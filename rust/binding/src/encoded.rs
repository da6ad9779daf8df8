//! Text as bytes, and bytes as objects, without losing an error on the way.

use pyo3::{
    exceptions::PyUnicodeEncodeError,
    prelude::*,
    types::{PyBytes, PyString},
};

/// The UTF-8 of a text, or None for one that has none: a lone surrogate. Any other error, that
/// memory is short, passes.
pub fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Option<&'a str>> {
    match text.to_str() {
        Ok(utf8) => Ok(Some(utf8)),
        Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(text.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `bytes` of these bytes, or `MemoryError`: `PyBytes::new` would panic.
pub fn bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, bytes.len(), |copy| {
        copy.copy_from_slice(bytes);
        Ok(())
    })
}
