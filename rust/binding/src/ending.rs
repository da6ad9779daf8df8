//! The end of the process, while other threads are in calls of this module.
//!
//! Before 3.14, CPython ends a daemon thread by `pthread_exit` where it next wants the interpreter, once
//! the process ends. Where that is in Python that a call of ours has called (a guard, headers of a class
//! written in Python, a resolver), glibc unwinds the thread through Rust's functions, which do not let
//! themselves be unwound: the process dies of SIGABRT. PyO3 has an answer where it waits for the
//! interpreter itself, and can have none here. So the process waits, at its end, until no thread
//! is inside such a call, and for a while lets none begin one.

use std::{
    cell::Cell,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{ThreadId, current, sleep},
    time::{Duration, Instant},
};

use pyo3::{prelude::*, types::IntoPyDict as _};

/// How long the end waits for calls, and calls for the end. A call that takes longer meets the
/// end as it does without all this; a program that still needs other threads at its end goes on.
const LONGEST: Duration = Duration::from_secs(1);

/// How many threads are in a call and may hold the interpreter. Whoever reads or writes it has the
/// interpreter, so no two do at once; it is atomic because the compiler does not know that.
static CALLING: AtomicUsize = AtomicUsize::new(0);

/// Until when no call begins, but on the thread that ends the process; set when the end begins.
static HELD: OnceLock<(Instant, ThreadId)> = OnceLock::new();

thread_local! {
    /// How many calls this thread is in: a guard's method may verify something itself.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// One call, from its beginning to its end.
pub struct Calling(());

impl Calling {
    /// Begins a call.
    pub fn begin() -> Self {
        if DEPTH.get() == 0 {
            join();
        }
        DEPTH.set(DEPTH.get() + 1);
        Self(())
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if DEPTH.get() == 0 {
            leave();
        }
    }
}

/// Does what needs no interpreter. Nothing waits for a thread there: the end may come meanwhile.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    struct Away;

    impl Drop for Away {
        fn drop(&mut self) {
            join();
        }
    }

    leave();
    let _away = Away;
    py.detach(work)
}

fn join() {
    if let Some((until, ender)) = HELD.get() {
        let rest = until.saturating_duration_since(Instant::now());
        if !rest.is_zero() && current().id() != *ender {
            Python::attach(|py| py.detach(|| sleep(rest)));
        }
    }
    CALLING.store(CALLING.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

fn leave() {
    CALLING.store(CALLING.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
}

/// Has Python call what is to be done at the end, where that is needed.
pub fn prepare(py: Python<'_>) -> PyResult<()> {
    if cfg!(target_env = "gnu") && py.version_info() < (3, 14) {
        let end = wrap_pyfunction!(end, py)?;
        py.import("atexit")?.call_method1("register", (end,))?;
        let forked = [("after_in_child", wrap_pyfunction!(forked, py)?)].into_py_dict(py)?;
        py.import("os")?
            .call_method("register_at_fork", (), Some(&forked))?;
    }
    Ok(())
}

/// Waits until no other thread is in a call.
#[pyfunction]
fn end(py: Python<'_>) -> PyResult<()> {
    let begun = Instant::now();
    HELD.get_or_init(|| (begun + LONGEST, current().id()));
    while CALLING.load(Ordering::Relaxed) > own_calls() && begun.elapsed() < LONGEST {
        py.check_signals()?;
        py.detach(|| sleep(Duration::from_millis(1)));
    }
    Ok(())
}

/// A child process has one thread, whatever the others were doing.
#[pyfunction]
fn forked() {
    CALLING.store(own_calls(), Ordering::Relaxed);
}

fn own_calls() -> usize {
    usize::from(DEPTH.get() > 0)
}
