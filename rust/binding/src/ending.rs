//! The end of the process, while other threads are in calls of this module.
//!
//! Before 3.14, CPython ends a daemon thread by `pthread_exit` where it next wants the interpreter, once
//! the process ends. Where that is in Python that a call of ours has called (a guard, headers of a class
//! written in Python, a resolver), glibc unwinds the thread through Rust's functions, which do not let
//! themselves be unwound: the process dies of SIGABRT. PyO3 has an answer where it waits for the
//! interpreter itself, and can have none here. So the process waits, at its end, until no thread
//! is inside such a call, and for a while lets none begin one.
//!
//! What is counted is calls, from where Python enters this module; objects that are let go of later, with
//! what they hold, are not.

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

/// How long the end waits for calls. One that takes longer meets the end as it does without all this.
const LONGEST: Duration = Duration::from_secs(1);

/// For how long no call begins, from the end's beginning on. A program may still need other threads:
/// they go on then.
const HOLD: Duration = Duration::from_secs(2);

/// How long each call waits after that, before it begins. Handlers that were registered before this
/// module's may take any time; for as long as they do, threads are seldom in a call, and get on.
const MOMENT: Duration = Duration::from_millis(10);

/// How many threads are in a call and may hold the interpreter. Whoever reads or writes it has the
/// interpreter, so no two do at once; it is atomic because the compiler does not know that.
static CALLING: AtomicUsize = AtomicUsize::new(0);

/// Until when no call begins, but on the thread that ends the process; set when the end begins.
static HELD_UNTIL: OnceLock<(Instant, ThreadId)> = OnceLock::new();

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

/// Does what needs no interpreter. Nothing waits for a thread there: the end may come meanwhile. If
/// it does call Python, say a signal's handler, that is a call of its own.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    struct Away(usize);

    impl Drop for Away {
        fn drop(&mut self) {
            if self.0 > 0 {
                join();
            }
            DEPTH.set(self.0);
        }
    }

    let away = Away(DEPTH.replace(0));
    if away.0 > 0 {
        leave();
    }
    py.detach(work)
}

fn join() {
    if let Some((until, ender)) = HELD_UNTIL.get()
        && current().id() != *ender
    {
        let rest = until.saturating_duration_since(Instant::now());
        Python::attach(|py| py.detach(|| sleep(rest.max(MOMENT))));
    }
    CALLING.store(calling() + 1, Ordering::Relaxed);
}

fn leave() {
    // Saturating: this is where no panic would be caught.
    CALLING.store(calling().saturating_sub(1), Ordering::Relaxed);
}

fn calling() -> usize {
    CALLING.load(Ordering::Relaxed)
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
    HELD_UNTIL.get_or_init(|| (begun + HOLD, current().id()));
    let mut heard = Ok(());
    while calling() > own_calls() && begun.elapsed() < LONGEST {
        // Whoever presses Ctrl-C once more is told, but would not be served by a crash.
        heard = heard.and(py.check_signals());
        py.detach(|| sleep(Duration::from_millis(1)));
    }
    heard
}

/// A child process has one thread, whatever the others were doing.
#[pyfunction]
fn forked() {
    CALLING.store(own_calls(), Ordering::Relaxed);
}

fn own_calls() -> usize {
    usize::from(DEPTH.get() > 0)
}
