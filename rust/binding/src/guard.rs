//! No panic leaves as pyo3's `PanicException`, which `except Exception` does not catch.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
};

use pyo3::{
    IntoPyObjectExt as _, PyTypeInfo as _, exceptions::PyRuntimeError, panic::PanicException,
    prelude::*,
};

use crate::{arguments::no_memory, ending::Calling};

/// Runs the work of a call; a panic in it becomes `RuntimeError`, or `MemoryError` where it says that
/// there was no memory for an object of Python's.
///
/// Unwinding leaves nothing half changed that is used again: what a call builds is dropped,
/// and what it shares is swapped whole.
pub fn guarded<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let _calling = Calling::begin();
    caught(|| work().map_err(made)).unwrap_or_else(|panic| {
        let panic = &*panic;
        Err(if what(panic) == POINTER_IS_NULL {
            no_memory(())
        } else {
            let bug = || {
                let text = format!("bug in hookseal: {}", what(panic));
                made(PyRuntimeError::new_err(text))
            };
            caught(bug).unwrap_or_else(no_memory)
        })
    })
}

/// The same for a call that gives back what is no object yet: pyo3 makes the object behind a call's
/// own work, where a panic of its own would end the process.
pub fn object<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    work: impl FnOnce() -> PyResult<T>,
) -> PyResult<Bound<'py, PyAny>> {
    guarded(|| work()?.into_bound_py_any(py))
}

fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(work))
}

/// The error with its exception made. Most of pyo3's make theirs when they are raised, behind the
/// call, where there may be no memory for it and nobody who catches the panic.
fn made(error: PyErr) -> PyErr {
    Python::attach(|py| {
        let _ = error.value(py);
    });
    error
}

/// What pyo3's own makers of objects panic with where Python gives them none: there was no memory.
const POINTER_IS_NULL: &str = "PyObject pointer is null";

fn what(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

/// Prepares for what must not need memory when it comes.
///
/// Of a panic for want of memory nothing is written: it becomes `MemoryError`, and the backtrace that
/// `RUST_BACKTRACE` asks for takes memory and would wait for itself. The standard library is linked
/// into this module, so the hook is of this module's panics and nobody else's.
pub fn prepare(py: Python<'_>) {
    // Made at its first use, which is where errors are taken from Python.
    let _ = PanicException::type_object(py);
    let write = take_hook();
    set_hook(Box::new(move |panic| {
        if what(panic.payload()) != POINTER_IS_NULL {
            write(panic);
        }
    }));
}

/// Panics as a bug would, so that a test can see what becomes of it.
#[pyfunction]
#[pyo3(name = "_panic_for_test")]
#[expect(clippy::panic, reason = "that is what it is for")]
pub fn panic_for_test() -> PyResult<()> {
    guarded(|| panic!("a test asked for it"))
}
