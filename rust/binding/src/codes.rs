//! Numbers of a batch, one a message, as Python sees them.

use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyMemoryView},
};

use crate::{encoded::bytes, slots::Few};

/// One int8 a message.
pub struct Codes {
    pub all: Few<u8>,
    /// The same as an object, once it was asked for.
    object: PyOnceLock<Py<PyBytes>>,
}

impl Codes {
    pub fn new(all: Few<u8>) -> Self {
        Self {
            all,
            object: PyOnceLock::new(),
        }
    }

    pub fn view<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let make = || bytes(py, &self.all).map(Bound::unbind);
        let object = self.object.get_or_try_init(py, make)?.bind(py);
        PyMemoryView::from(object)?.call_method1(intern!(py, "cast"), (intern!(py, "b"),))
    }
}
