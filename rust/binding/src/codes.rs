//! Numbers of a batch, one a message, as Python sees them.

use pyo3::{
    PyTypeInfo, intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyList, PyMemoryView, PyRange},
};

use crate::{encoded::bytes, slots::Few};

/// One int8 a message.
pub struct Codes {
    pub all: Few<u8>,
    /// The same as an object, once it was asked for.
    object: PyOnceLock<Py<PyBytes>>,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            all: Few::new(),
            object: PyOnceLock::new(),
        }
    }
}

impl Codes {
    pub fn view<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let make = || bytes(py, &self.all).map(Bound::unbind);
        let object = self.object.get_or_try_init(py, make)?.bind(py);
        PyMemoryView::from(object)?.call_method1(intern!(py, "cast"), (intern!(py, "b"),))
    }

    /// Where the wanted numbers are. Python picks the places out: it can say that memory is
    /// short, where PyO3's own lists and numbers panic.
    pub fn positions<'py>(
        &self,
        py: Python<'py>,
        is_wanted: impl Fn(u8) -> bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let marks = PyBytes::new_with(py, self.all.len(), |marks| {
            for (mark, code) in marks.iter_mut().zip(&self.all) {
                *mark = u8::from(is_wanted(*code));
            }
            Ok(())
        })?;
        let places = PyRange::new(py, 0, self.all.len().try_into()?)?;
        let compress = py.import("itertools")?.getattr(intern!(py, "compress"))?;
        let picked = compress.call1((places, marks))?;
        Ok(PyList::type_object(py).call1((picked,))?.cast_into()?)
    }
}
