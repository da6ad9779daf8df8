//! Threads that are stopped, or that panic: nothing hangs, nothing is held for longer than
//! the batch, and a panic is heard of.

mod common;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use common::{
    batch, endpoint, go_on,
    scene::{Scene, flag},
    time::{in_time, wait_for},
};
use hookseal_engine::{Interrupted, Kernel, Outcome, Stop, batch::with_crew, verify::Rules};

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

/// Thousands of messages in one chunk; each takes a thread of the crew a millisecond.
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
        let result = scene.one_chunk(&message, 4, 2, &mut |_| {
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
        let is_stopped = flag();
        let (scene, is_begun) = Scene::begun({
            let is_stopped = Arc::clone(&is_stopped);
            move || {
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
            let (scene, is_begun) = Scene::begun(|| {});
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
            let (scene, is_begun) =
                Scene::begun(|| resume_unwind(Box::new("a thread of the crew")));
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
        let is_waiting = flag();
        let (scene, is_begun) = Scene::begun({
            let is_waiting = Arc::clone(&is_waiting);
            move || {
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
                scene.start(crew, &messages[0], 100);
                "left"
            });
            assert_eq!(left, "left");
            scene.assert_let_go();
            let panic = panic_of(|| {
                with_crew(Kernel::detect(), threads, Rules::default(), |crew| {
                    scene.start(crew, &messages[0], 100);
                    resume_unwind(Box::new("the work"))
                })
            });
            assert_eq!(panic.downcast_ref(), Some(&"the work"));
            scene.assert_let_go();
        });
    }
}

/// The other thread has the only grain of a chunk, and is not done before the caller has hashed
/// something.
#[test]
fn whoever_would_wait_takes_a_grain_of_the_next_chunk() {
    in_time(|| {
        let is_helped = flag();
        let (scene, is_begun) = Scene::begun({
            let is_helped = Arc::clone(&is_helped);
            move || {
                wait_for(|| is_helped.load(Ordering::Acquire));
            }
        });
        let messages = scene.messages(1);
        let result = with_crew(Kernel::detect(), 2, Rules::default(), |crew| {
            crew.expect(usize::MAX);
            for _ in 0..2 {
                scene.start(crew, &messages[0], 1);
                wait_for(|| is_begun.load(Ordering::Acquire));
            }
            crew.finish(&mut |bytes| {
                is_helped.fetch_or(bytes > 0, Ordering::Release);
                Ok(())
            })
        });
        assert_eq!(result, Ok(()));
        scene.assert_let_go();
    });
}

/// Longer than a thread looks for work before it sleeps.
const A_WHILE: Duration = Duration::from_millis(30);

#[test]
fn whoever_sleeps_is_woken_for_a_chunk() {
    in_time(|| {
        let (scene, is_begun) = Scene::begun(|| {});
        let messages = scene.messages(1);
        with_crew(Kernel::detect(), 2, Rules::default(), |crew| {
            crew.expect(usize::MAX);
            thread::sleep(A_WHILE);
            scene.start(crew, &messages[0], 1);
            wait_for(|| is_begun.load(Ordering::Acquire));
            crew.finish(&mut go_on).unwrap();
        });
        scene.assert_let_go();
    });
}

#[test]
fn whoever_is_dismissed_goes_home() {
    in_time(|| {
        let (scene, is_begun) = Scene::begun(|| {});
        let messages = scene.messages(1);
        with_crew(Kernel::detect(), 3, Rules::default(), |crew| {
            crew.expect(usize::MAX);
            crew.dismiss();
            thread::sleep(A_WHILE);
            scene.start(crew, &messages[0], 1);
            thread::sleep(A_WHILE);
            assert!(!is_begun.load(Ordering::Acquire));
            crew.finish(&mut go_on).unwrap();
        });
        scene.assert_let_go();
    });
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

/// What some work panics with.
fn panic_of<T>(work: impl FnOnce() -> T) -> Box<dyn std::any::Any + Send> {
    let result = catch_unwind(AssertUnwindSafe(work));
    result.err().expect("no panic")
}
