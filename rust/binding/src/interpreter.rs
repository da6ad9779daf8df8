//! One interpreter a process: the first that imports the module.

use pyo3::{prelude::*, sync::PyOnceLock};

use crate::arguments::mistake;

/// Claims the module for this interpreter.
///
/// What PyO3 keeps in statics (classes, and our `Verdict`s with them) belongs to the interpreter
/// that made it. CPython refuses to load the module into interpreters with a lock of their own;
/// into others, as mod_wsgi makes them, it would.
///
/// # Errors
/// `ImportError` if another one has claimed it.
pub fn claim(py: Python<'_>) -> PyResult<()> {
    // Each interpreter has a module `sys` of its own. It is held, so no other can take its place.
    static SYS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let sys = py.import("sys")?;
    if SYS.get_or_init(py, || sys.clone().unbind()).is(&sys) {
        Ok(())
    } else {
        Err(mistake(py, ("interpreter",)))
    }
}
