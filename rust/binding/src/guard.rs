//! No panic leaves as pyo3's `PanicException`, which `except Exception` does not catch.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use pyo3::{exceptions::PyRuntimeError, prelude::*};

/// Runs the work of a call; a panic in it becomes `RuntimeError`.
///
/// Unwinding leaves nothing half changed that is used again: what a call builds is dropped,
/// and what it shares is swapped whole.
pub fn guarded<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(PyRuntimeError::new_err(format!(
            "bug in hookseal: {}",
            what(&*panic)
        )))
    })
}

fn what(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

/// Panics as a bug would, so that a test can see what becomes of it.
#[pyfunction]
#[pyo3(name = "_panic_for_test")]
#[expect(clippy::panic, reason = "that is what it is for")]
pub fn panic_for_test() -> PyResult<()> {
    guarded(|| panic!("a test asked for it"))
}
