//! The words for wrong arguments, and the judges of those that cost nothing to ask.

use std::convert::Infallible;

use pyo3::{
    call::PyCallArgs,
    exceptions::PyMemoryError,
    prelude::*,
    types::{PyBool, PyString},
};

use crate::guard::guarded;

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

/// The error for a mistake that is none of type or length: its name, then what its text names.
pub fn mistake<'py>(py: Python<'py>, arguments: impl PyCallArgs<'py>) -> PyErr {
    asked(py, "mistake", arguments).map_or_else(|error| error, PyErr::from_value)
}

/// What `__reduce_ex__` does of what stays where it is: it raises, so there is no copy and no pickle.
pub fn no_copy(it: &Bound<'_, PyAny>) -> PyResult<()> {
    guarded(|| Err(mistake(it.py(), ("copy", it.get_type().name()?))))
}

/// What a function of `hookseal._arguments` says.
pub fn asked<'py>(
    py: Python<'py>,
    function: &str,
    arguments: impl PyCallArgs<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    called(py, "hookseal._arguments", function, arguments)
}

/// What a function of one of the modules in Python says.
pub fn called<'py>(
    py: Python<'py>,
    module: &str,
    function: &str,
    arguments: impl PyCallArgs<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    py.import(module)?.getattr(function)?.call1(arguments)
}

/// A `str`.
pub fn text<'a, 'py>(
    value: &'a Bound<'py, PyAny>,
    place: &str,
) -> PyResult<&'a Bound<'py, PyString>> {
    value
        .cast()
        .map_err(|_| wrong_type("str", value, Some(place)))
}

/// A `str` or None.
pub fn text_or_none<'a, 'py>(
    value: Option<&'a Bound<'py, PyAny>>,
    place: &str,
) -> PyResult<Option<&'a Bound<'py, PyString>>> {
    value
        .map(|value| {
            value
                .cast()
                .map_err(|_| wrong_type("str or None", value, Some(place)))
        })
        .transpose()
}

/// A `bool`, and nothing that has a truth value.
pub fn flag(value: &Bound<'_, PyAny>, place: &str) -> PyResult<bool> {
    let Ok(flag) = value.cast::<PyBool>() else {
        return Err(wrong_type("bool", value, Some(place)));
    };
    Ok(flag.is_true())
}

/// An argument that may be left out, but for which None is a value like any other: most
/// often a wrong one.
pub struct Stated<'py>(pub Option<Bound<'py, PyAny>>);

impl<'py> FromPyObject<'_, 'py> for Stated<'py> {
    type Error = Infallible;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> Result<Self, Infallible> {
        Ok(Self(Some(value.to_owned())))
    }
}

/// `MemoryError`, for allocations whose size the caller chose.
pub fn no_memory<E>(_: E) -> PyErr {
    PyMemoryError::new_err(())
}

/// Room for what the work on one more message allocates in Rust, a few hundred bytes here and there,
/// or `MemoryError` before it begins: where a small allocation fails, Rust ends the process.
pub fn small_room() -> PyResult<()> {
    const SMALL: usize = 16 << 10;
    let mut room = Vec::<u8>::new();
    room.try_reserve_exact(SMALL).map_err(no_memory)?;
    // Seen by somebody, or the compiler takes the allocation out.
    std::hint::black_box(&room);
    Ok(())
}

impl Stated<'_> {
    /// Whether it is anything but the default "raise".
    pub fn is_not_raise(&self) -> bool {
        let is_raise = |value: &Bound<'_, PyAny>| {
            let text = value.cast::<PyString>();
            text.is_ok_and(|text| text.to_str().is_ok_and(|text| text == "raise"))
        };
        self.0.as_ref().is_some_and(|value| !is_raise(value))
    }
}
