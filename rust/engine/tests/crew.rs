//! Threads that are stopped, or that panic: nothing hangs, nothing is held for longer than
//! the batch, and a panic is heard of.

mod common;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use common::{Message, batch, batch_of, endpoint, go_on, hex, hmac};
use hookseal_engine::{
    Interrupted, Kernel, Outcome, Stop, Watch,
    batch::{Crew, with_crew},
    verify::Rules,
};

/// Longer than anything here takes: who waits for so long waits for ever.
const FOR_EVER: Duration = Duration::from_secs(60);

/// A body is one grain of a chunk.
const BODY_BYTES: usize = 128 * 1024;

#[test]
fn the_watch_stops_one_thread_at_any_call() {
    let scene = Scene::new(|| {});
    let messages = scene.messages(40);
    for kernel in Kernel::ALL {
        for last in 1..=20 {
            let mut calls = 0;
            let result = scene.batch(&messages, kernel, 1, &mut |_| {
                calls += 1;
                if calls >= last {
                    Err(Interrupted)
                } else {
                    Ok(())
                }
            });
            assert_eq!(result, Err(Stop::Interrupted), "{kernel:?}: call {last}");
            assert_eq!(calls, last, "{kernel:?}");
            scene.assert_let_go();
        }
    }
}

/// Thousands of grains in one chunk; each takes a thread of the crew a millisecond.
#[test]
fn an_interruption_stops_all_threads() {
    const GRAINS: usize = 4000;
    for threads in [2, 3] {
        in_time(move || {
            let begun = Arc::new(AtomicUsize::new(0));
            let scene = Scene::new({
                let begun = Arc::clone(&begun);
                move || {
                    begun.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(1));
                }
            });
            let messages = scene.messages(1);
            let mut calls = 0;
            let result = scene.one_chunk(&messages[0], GRAINS, threads, &mut |_| {
                wait_for(|| begun.load(Ordering::Relaxed) > 0);
                calls += 1;
                Err(Interrupted)
            });
            assert_eq!(result, Err(Stop::Interrupted));
            assert_eq!(calls, 1, "the watch was called again");
            let begun = begun.load(Ordering::Relaxed);
            assert!(begun < GRAINS / 2, "{begun} grains were begun");
            scene.assert_let_go();
        });
    }
}

/// Of the eight MACs that its message takes, each begun long after the one before.
#[test]
fn an_interruption_stops_a_thread_in_the_midst_of_a_grain() {
    in_time(|| {
        let begun = Arc::new(AtomicUsize::new(0));
        let scene = Scene::new({
            let begun = Arc::clone(&begun);
            move || {
                begun.fetch_add(1, Ordering::Release);
                thread::sleep(Duration::from_millis(50));
            }
        });
        let mut message = scene.messages(1).remove(0);
        message.endpoint = endpoint("uplift", &["a", "b", "c", "d", "e", "f", "g", "h"]);
        let result = scene.one_chunk(&message, 2, 2, &mut |_| {
            wait_for(|| begun.load(Ordering::Acquire) > 0);
            Err(Interrupted)
        });
        assert_eq!(result, Err(Stop::Interrupted));
        let begun = begun.load(Ordering::Acquire);
        assert!(begun < 8, "{begun} MACs were begun");
        scene.assert_let_go();
    });
}

/// The caller has nothing left to hash, and asks the watch while it waits.
#[test]
fn an_interruption_is_heard_while_the_caller_waits() {
    in_time(|| {
        let (is_begun, is_stopped) = (flag(), flag());
        let scene = Scene::new({
            let (is_begun, is_stopped) = (Arc::clone(&is_begun), Arc::clone(&is_stopped));
            move || {
                is_begun.store(true, Ordering::Release);
                wait_for(|| is_stopped.load(Ordering::Acquire));
            }
        });
        let messages = scene.messages(1);
        let result = scene.one_chunk(&messages[0], 20, 2, &mut |bytes| {
            wait_for(|| is_begun.load(Ordering::Acquire));
            if bytes > 0 {
                return Ok(());
            }
            is_stopped.store(true, Ordering::Release);
            Err(Interrupted)
        });
        assert_eq!(result, Err(Stop::Interrupted));
        scene.assert_let_go();
    });
}

#[test]
fn a_batch_after_an_interrupted_one_is_whole() {
    let scene = Scene::new(|| {});
    let messages = scene.messages(100);
    for _ in 0..5 {
        // The crew may be done before the watch is asked.
        _ = scene.batch(&messages, Kernel::detect(), 3, &mut |_| Err(Interrupted));
        assert_eq!(
            scene.batch(&messages, Kernel::detect(), 3, &mut go_on),
            Ok(100)
        );
        scene.assert_let_go();
    }
}

#[test]
fn a_panic_of_the_watch_is_the_callers() {
    for threads in 1..=3 {
        in_time(move || {
            let is_begun = flag();
            let scene = Scene::new({
                let is_begun = Arc::clone(&is_begun);
                move || is_begun.store(true, Ordering::Release)
            });
            let messages = scene.messages(1);
            let panic = panic_of(|| {
                scene.one_chunk(&messages[0], 200, threads, &mut |_| {
                    wait_for(|| threads == 1 || is_begun.load(Ordering::Acquire));
                    resume_unwind(Box::new("the watch"));
                })
            });
            assert_eq!(panic.downcast_ref(), Some(&"the watch"));
            scene.assert_let_go();
        });
    }
}

/// One grain of many, in the midst, on a thread of the crew.
#[test]
fn a_panic_of_another_thread_is_heard_of() {
    for threads in [2, 3] {
        in_time(move || {
            let is_begun = flag();
            let scene = Scene::new({
                let is_begun = Arc::clone(&is_begun);
                move || {
                    is_begun.store(true, Ordering::Release);
                    resume_unwind(Box::new("a thread of the crew"));
                }
            });
            let messages = scene.messages(1);
            panic_of(|| {
                scene.one_chunk(&messages[0], 100, threads, &mut |_| {
                    wait_for(|| is_begun.load(Ordering::Acquire));
                    Ok(())
                })
            });
            scene.assert_let_go();
        });
    }
}

/// The caller is about to wait for a grain that never ends.
#[test]
fn a_panic_of_another_thread_ends_the_wait_for_it() {
    in_time(|| {
        let (is_begun, is_waiting) = (flag(), flag());
        let scene = Scene::new({
            let (is_begun, is_waiting) = (Arc::clone(&is_begun), Arc::clone(&is_waiting));
            move || {
                is_begun.store(true, Ordering::Release);
                wait_for(|| is_waiting.load(Ordering::Acquire));
                resume_unwind(Box::new("a thread of the crew"));
            }
        });
        let messages = scene.messages(1);
        panic_of(|| {
            scene.one_chunk(&messages[0], 20, 2, &mut |bytes| {
                wait_for(|| is_begun.load(Ordering::Acquire));
                if bytes == 0 {
                    is_waiting.store(true, Ordering::Release);
                }
                Ok(())
            })
        });
        scene.assert_let_go();
    });
}

/// Where the batch goes on after the chunk that had the panic, too.
#[test]
fn a_panic_in_a_batch_of_many_chunks_is_heard_of() {
    in_time(|| {
        let scene = Scene::new(|| resume_unwind(Box::new("a thread of the crew")));
        let messages = scene.messages(300);
        let is_over = AtomicBool::new(false);
        // If no other thread got a grain, this time or the next, there was no panic.
        wait_for(|| {
            let batch = || scene.batch(&messages, Kernel::detect(), 3, &mut go_on);
            is_over.store(
                catch_unwind(AssertUnwindSafe(batch)).is_err(),
                Ordering::Relaxed,
            );
            scene.assert_let_go();
            is_over.load(Ordering::Relaxed)
        });
    });
}

#[test]
fn work_that_leaves_a_chunk_behind_does_not_hang() {
    for threads in [1, 3] {
        in_time(move || {
            let scene = Scene::new(|| {});
            let messages = scene.messages(1);
            let left = with_crew(Kernel::detect(), threads, Rules::default(), |crew| {
                scene.fill(crew, &messages[0], 100);
                crew.close(1).unwrap();
                crew.start();
                "left"
            });
            assert_eq!(left, "left");
            scene.assert_let_go();
            let panic = panic_of(|| {
                with_crew(Kernel::detect(), threads, Rules::default(), |crew| {
                    scene.fill(crew, &messages[0], 100);
                    crew.close(1).unwrap();
                    crew.start();
                    resume_unwind(Box::new("the work"))
                })
            });
            assert_eq!(panic.downcast_ref(), Some(&"the work"));
            scene.assert_let_go();
        });
    }
}

#[test]
fn many_batches_at_once() {
    in_time(|| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let scene = Scene::new(|| {});
                    let messages = scene.messages(70);
                    for _ in 0..5 {
                        let outcomes = batch(&messages, Kernel::detect(), 3, &mut go_on).unwrap();
                        assert!(outcomes.iter().all(Outcome::is_valid));
                    }
                });
            }
        });
    });
}

/// Messages whose bodies notice who reads them.
struct Scene {
    bytes: Arc<[u8]>,
    on_another_thread: Arc<dyn Fn() + Send + Sync>,
}

/// A body that calls a function where a thread other than the one that made it reads it.
struct Body {
    bytes: Arc<[u8]>,
    on_another_thread: Arc<dyn Fn() + Send + Sync>,
    made_on: thread::ThreadId,
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        if thread::current().id() != self.made_on {
            (self.on_another_thread)();
        }
        &self.bytes
    }
}

impl Scene {
    fn new(on_another_thread: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            bytes: vec![b'x'; BODY_BYTES].into(),
            on_another_thread: Arc::new(on_another_thread),
        }
    }

    fn body(&self) -> Body {
        Body {
            bytes: Arc::clone(&self.bytes),
            on_another_thread: Arc::clone(&self.on_another_thread),
            made_on: thread::current().id(),
        }
    }

    fn messages(&self, count: usize) -> Vec<Message> {
        let endpoint = endpoint("uplift", &["key"]);
        let signature = format!("sha256={}", hex(&hmac(b"key", &[&self.bytes])));
        let headers = [("x-uplift-signature-256", signature)];
        vec![Message::new(&endpoint, &self.bytes, &headers); count]
    }

    /// How many messages were valid.
    fn batch(
        &self,
        messages: &[Message],
        kernel: Kernel,
        threads: usize,
        watch: &mut Watch<'_>,
    ) -> Result<usize, Stop> {
        let bodies = messages.iter().map(|_| self.body());
        let outcomes = batch_of(messages, bodies, kernel, threads, watch)?;
        Ok(outcomes.iter().filter(|outcome| outcome.is_valid()).count())
    }

    /// The same message many times, all in one chunk however full it is.
    fn one_chunk(
        &self,
        message: &Message,
        count: usize,
        threads: usize,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stop> {
        with_crew(Kernel::detect(), threads, Rules::default(), |crew| {
            self.fill(crew, message, count);
            crew.close(1).expect("there is memory");
            crew.start();
            crew.finish(watch)
        })
    }

    fn fill(&self, crew: &Crew<'_, '_, Body>, message: &Message, count: usize) {
        for number in 0..count {
            message.push(&mut crew.chunk(), number, self.body());
        }
    }

    /// Whoever held a body has let go of it.
    fn assert_let_go(&self) {
        assert_eq!(Arc::strong_count(&self.bytes), 1);
    }
}

fn flag() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

fn wait_for(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < FOR_EVER, "it never came");
        thread::sleep(Duration::from_micros(50));
    }
}

/// What some work panics with.
fn panic_of<T>(work: impl FnOnce() -> T) -> Box<dyn std::any::Any + Send> {
    let result = catch_unwind(AssertUnwindSafe(work));
    result.err().expect("no panic")
}

/// Runs a test on a thread of its own, so that one that hangs fails.
fn in_time(test: impl FnOnce() + Send + 'static) {
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
