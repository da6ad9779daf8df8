//! Bodies: borrowed where nobody can change them, copied where somebody could.

use pyo3::{
    PyTypeInfo, intern,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyByteArray, PyBytes, PyMemoryView, PyString},
};

use crate::{
    arguments::{mistake, wrong_type},
    encoded::{bytes, utf8},
};

/// The body of a message, or None for text that cannot be encoded.
pub fn read(body: &Bound<'_, PyAny>, place: &str) -> PyResult<Option<PyBackedBytes>> {
    if let Ok(borrowed) = body.cast::<PyBytes>() {
        return Ok(Some(borrowed.clone().into()));
    }
    if let Ok(text) = body.cast::<PyString>() {
        let Some(text) = utf8(text)? else {
            return Ok(None);
        };
        return Ok(Some(bytes(body.py(), text.as_bytes())?.into()));
    }
    if let Ok(array) = body.cast::<PyByteArray>() {
        return copy_of(array).map(Some);
    }
    match body.cast::<PyMemoryView>() {
        Ok(view) => snapshot(view, place).map(Some),
        Err(_) => Err(wrong_type("body", body, Some(place))),
    }
}

/// A copy of an array's own memory, whatever `__buffer__` a subclass may have. Python makes it:
/// what Rust cannot allocate ends the process.
fn copy_of(array: &Bound<'_, PyByteArray>) -> PyResult<PyBackedBytes> {
    let py = array.py();
    let view = if array.is_exact_instance_of::<PyByteArray>() {
        PyMemoryView::from(array)?
    } else {
        let copy = PyByteArray::type_object(py).getattr(intern!(py, "copy"))?;
        PyMemoryView::from(&copy.call1((array,))?)?
    };
    let copy = view.call_method0(intern!(py, "tobytes"))?;
    Ok(copy.cast_into::<PyBytes>()?.into())
}

/// Another thread may change or resize the memory at any time, so it is copied before
/// anything is read from it.
fn snapshot(view: &Bound<'_, PyMemoryView>, place: &str) -> PyResult<PyBackedBytes> {
    let py = view.py();
    let is_plain = view.getattr(intern!(py, "c_contiguous"))?.is_truthy()?
        && view.getattr(intern!(py, "itemsize"))?.eq(1)?;
    if !is_plain {
        return Err(wrong_type("body", view, Some(place)));
    }
    let copy = view.call_method0(intern!(py, "tobytes"))?;
    Ok(copy.cast_into::<PyBytes>()?.into())
}

/// The error for a body whose text cannot be encoded; it does not hold the text.
pub fn unencodable(py: Python<'_>, place: &str) -> PyErr {
    mistake(py, ("body-not-utf8", place))
}

/// The body as Python sees it: the very object that was hashed, or exact `bytes` of it.
pub fn exact<'py>(body: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(exact) = body.cast_exact::<PyBytes>() {
        return Ok(exact.clone());
    }
    bytes(body.py(), body.cast::<PyBytes>()?.as_bytes())
}
