//! Work without the interpreter.

use std::{num::NonZero, sync::OnceLock};

use hookseal_engine::{Interrupted, Stop, Watch};
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyInt};

use crate::{
    arguments::{asked, no_memory},
    ending::{self, Calling},
};

/// Hashes without the interpreter, and looks for signals on the way. `threads` is how many
/// hash beside this one, itself included.
pub fn detached<T: Send, E: Into<Stop> + Send>(
    py: Python<'_>,
    threads: usize,
    work: impl FnOnce(&mut Watch<'_>) -> Result<T, E> + Send,
) -> PyResult<T> {
    ending::detached(py, || {
        watched(threads, work, || {
            // None where the interpreter is ending: nobody waits for an answer any more.
            let checked = Python::try_attach(|py| {
                let _calling = Calling::begin();
                py.check_signals()
            });
            checked.unwrap_or(Ok(()))
        })
    })
}

/// The same with the interpreter.
pub fn attached<T, E: Into<Stop>>(
    py: Python<'_>,
    threads: usize,
    work: impl FnOnce(&mut Watch<'_>) -> Result<T, E>,
) -> PyResult<T> {
    watched(threads, work, || py.check_signals())
}

/// Looks for signals by `check` every now and then.
fn watched<T, E: Into<Stop>>(
    threads: usize,
    work: impl FnOnce(&mut Watch<'_>) -> Result<T, E>,
    mut check: impl FnMut() -> PyResult<()>,
) -> PyResult<T> {
    let step = POLL_BYTES / threads.max(1);
    let mut raised = None;
    let mut hashed = 0;
    let result = work(&mut |bytes| {
        hashed += bytes;
        // Nothing hashed means that this thread waits for others.
        if hashed < step && bytes > 0 {
            return Ok(());
        }
        hashed = 0;
        check().map_err(|error| {
            raised = Some(error);
            Interrupted
        })
    });
    result.map_err(|error| match error.into() {
        Stop::Interrupted => raised.unwrap_or_else(interrupted),
        Stop::NoMemory => no_memory(()),
    })
}

/// Bytes that all threads together may hash between two looks for signals: 10 ms on one
/// SHA-NI stream, 100 ms in plain Rust.
const POLL_BYTES: usize = 16 * 1024 * 1024;

/// For an interruption that nobody asked for.
pub fn interrupted() -> PyErr {
    PyRuntimeError::new_err("bug in hookseal: interrupted without a reason")
}

/// The argument `threads`; None for as many as help.
pub fn thread_count(py: Python<'_>, threads: Option<&Bound<'_, PyAny>>) -> PyResult<usize> {
    let Some(threads) = threads else {
        return Ok(available_threads());
    };
    // Most often it is a plain number: then no Python is run, of which the end of the process could
    // cut a thread off.
    if let Ok(count) = threads.cast_exact::<PyInt>()
        && let Ok(count @ 1..) = count.extract::<usize>()
    {
        return Ok(count);
    }
    let count = asked(py, "thread_count", (threads,))?;
    Ok(count.extract::<usize>().unwrap_or(usize::MAX))
}

/// How many threads help at most. Asked once: the answer is read from files.
fn available_threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZero::get))
}
