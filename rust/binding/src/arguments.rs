//! The words for wrong arguments, and the judges of those that cost nothing to ask.

use pyo3::{call::PyCallArgs, exceptions::PyMemoryError, prelude::*, types::PyString};

/// `TypeError` for an argument of a wrong type; `place` is what to call it.
pub fn wrong_type(what: &str, value: &Bound<'_, PyAny>, place: Option<&str>) -> PyErr {
    asked(value.py(), "wrong_type", (what, value, place))
        .map_or_else(|error| error, PyErr::from_value)
}

/// `ValueError` for a sequence that has not one element for each message.
pub fn wrong_length(py: Python<'_>, what: &str, length: usize, messages: usize) -> PyErr {
    asked(py, "wrong_length", (what, length, messages))
        .map_or_else(|error| error, PyErr::from_value)
}

/// What a function of `hookseal._arguments` says.
pub fn asked<'py>(
    py: Python<'py>,
    function: &str,
    arguments: impl PyCallArgs<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    py.import("hookseal._arguments")?
        .getattr(function)?
        .call1(arguments)
}

/// A `str` or None.
pub fn text_or_none<'a, 'py>(
    what: &str,
    value: Option<&'a Bound<'py, PyAny>>,
) -> PyResult<Option<&'a Bound<'py, PyString>>> {
    value
        .map(|value| {
            value
                .cast::<PyString>()
                .map_err(|_| wrong_type(what, value, None))
        })
        .transpose()
}

/// `MemoryError`, for allocations whose size the caller chose.
pub fn no_memory<E>(_: E) -> PyErr {
    PyMemoryError::new_err(())
}
