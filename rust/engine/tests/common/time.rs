//! Tests that would hang where they fail.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// Longer than any test takes: who waits for so long waits for ever.
const FOR_EVER: Duration = Duration::from_secs(60);

/// Waits until something comes true, but not for ever.
pub fn wait_for(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < FOR_EVER, "it never came");
        thread::sleep(Duration::from_micros(50));
    }
}

/// Runs a test on a thread of its own, so that one that hangs fails.
pub fn in_time(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(test));
        _ = done.send(result.is_ok());
        result.unwrap_or_else(|panic| resume_unwind(panic));
    });
    let end = is_done.recv_timeout(2 * FOR_EVER);
    assert!(end.is_ok(), "it hangs");
    thread.join().unwrap_or_else(|panic| resume_unwind(panic));
}
