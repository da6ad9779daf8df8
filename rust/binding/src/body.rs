//! Bodies: borrowed where nobody can change them, copied where somebody could.

use pyo3::{
    intern,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyByteArray, PyBytes, PyMemoryView, PyString},
};

use crate::arguments::{mistake, wrong_type};

/// The body of a message, or None for text that cannot be encoded.
pub fn read(body: &Bound<'_, PyAny>, place: &str) -> PyResult<Option<PyBackedBytes>> {
    if let Ok(bytes) = body.cast::<PyBytes>() {
        return Ok(Some(bytes.clone().into()));
    }
    if let Ok(text) = body.cast::<PyString>() {
        return match text.to_str() {
            Ok(text) => Ok(Some(PyBytes::new(body.py(), text.as_bytes()).into())),
            Err(_) => Ok(None),
        };
    }
    let view = if body.is_instance_of::<PyByteArray>() {
        PyMemoryView::from(body)?
    } else if let Ok(view) = body.cast::<PyMemoryView>() {
        view.clone()
    } else {
        return Err(wrong_type("body", body, Some(place)));
    };
    snapshot(&view, place).map(Some)
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
    if let Ok(bytes) = body.cast_exact::<PyBytes>() {
        return Ok(bytes.clone());
    }
    Ok(PyBytes::new(body.py(), body.cast::<PyBytes>()?.as_bytes()))
}
