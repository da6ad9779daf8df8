//! Chunks that take turns: several are under way at once, and none is mistaken for another.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use common::{Message, endpoint, go_on, hex, hmac, time::in_time};
use hookseal_engine::{
    Kernel, Stop,
    batch::{Crew, with_crew},
    verify::Rules,
};

/// What a thread hashes for longer than it takes to push it.
const BODY_BYTES: usize = 32 * 1024;

type Hands<'scope, 'env, 'a> = Crew<'scope, 'env, &'a [u8]>;

#[test]
fn chunks_are_finished_in_the_order_they_were_started() {
    const CHUNKS: usize = 100;
    for threads in [1, 2, 3, 5] {
        in_time(move || {
            let messages = [good(), bad()];
            let mut most = 0;
            let found = with_crew(Kernel::detect(), threads, Rules::default(), |crew| {
                crew.expect(usize::MAX);
                assert_eq!(crew.has_help(), threads > 1);
                let mut found = Vec::new();
                for number in 0..CHUNKS {
                    start(crew, &messages[number % 3 / 2], number);
                    most = most.max(number + 1 - found.len());
                    while crew.is_full() {
                        found.push(finish(crew)?);
                    }
                }
                while crew.is_busy() {
                    found.push(finish(crew)?);
                }
                Ok::<_, Stop>(found)
            });
            let wanted: Vec<_> = (0..CHUNKS)
                .map(|number| vec![(number, number % 3 < 2)])
                .collect();
            assert_eq!(found, Ok(wanted), "{threads} threads");
            assert_eq!(most > 2, threads > 1, "{threads} threads: {most} chunks");
        });
    }
}

/// What is under way counts until it is finished, and whoever finishes nothing changes nothing.
#[test]
fn the_work_of_started_chunks_is_known() {
    in_time(|| {
        let message = good();
        with_crew(Kernel::detect(), 2, Rules::default(), |crew| {
            crew.expect(usize::MAX);
            message.push(&mut crew.chunk(), 7, &message.body[..]);
            assert_eq!(crew.finish(&mut go_on), Ok(()));
            assert_eq!((crew.started_bytes(), crew.is_busy()), (0, false));
            let mut before = 0;
            while !crew.is_full() {
                start(crew, &message, 8);
                assert!(crew.started_bytes() >= before + BODY_BYTES);
                before = crew.started_bytes();
            }
            assert_eq!(finish(crew).unwrap(), [(7, true), (8, true)]);
            while crew.is_busy() {
                assert!(crew.started_bytes() <= before - BODY_BYTES);
                before = crew.started_bytes();
                assert_eq!(finish(crew).unwrap(), [(8, true)]);
            }
            assert_eq!(crew.started_bytes(), 0);
        });
    });
}

#[test]
fn threads_are_started_for_what_is_worth_them() {
    for (threads, messages, is_helped) in [(1, usize::MAX, false), (2, 100, false), (2, 9999, true)]
    {
        with_crew(Kernel::detect(), threads, Rules::default(), |crew| {
            let crew: &mut Hands<'_, '_, '_> = crew;
            crew.expect(messages);
            assert_eq!(crew.has_help(), is_helped, "{threads}, {messages}");
        });
    }
}

/// A chunk that was not finished would be lost.
#[test]
fn nothing_is_started_where_the_crew_is_full() {
    for (hired, chunks) in [(0, 1), (1, 7)] {
        let message = good();
        let mut started = 0;
        let panic = catch_unwind(AssertUnwindSafe(|| {
            with_crew(Kernel::detect(), 2, Rules::default(), |crew| {
                crew.expect(hired * 9999);
                while !crew.is_full() {
                    start(crew, &message, 0);
                    started += 1;
                }
                // Help that comes meanwhile changes nothing for the one that is under way.
                crew.expect(9999);
                if hired == 0 {
                    assert!(crew.is_full());
                }
                crew.start();
            });
        }));
        let panic = panic.expect_err("it was started");
        assert_eq!(
            panic.downcast_ref(),
            Some(&"a chunk must be finished first")
        );
        assert_eq!(started, chunks);
    }
}

/// The first chunks are the caller's alone.
#[test]
fn help_may_come_in_the_midst_of_a_batch() {
    in_time(|| {
        let messages = [good(), bad()];
        with_crew(Kernel::detect(), 2, Rules::default(), |crew| {
            let mut found = Vec::new();
            for number in 0..60 {
                if number == 30 {
                    assert!(!crew.has_help());
                    crew.expect(usize::MAX);
                }
                start(crew, &messages[number % 2], number);
                while crew.is_full() {
                    found.extend(finish(crew).unwrap());
                }
            }
            assert!(crew.has_help());
            while crew.is_busy() {
                found.extend(finish(crew).unwrap());
            }
            let wanted: Vec<_> = (0..60).map(|number| (number, number % 2 == 0)).collect();
            assert_eq!(found, wanted);
        });
    });
}

/// The caller does alone what it starts after it has sent the others home.
#[test]
fn a_crew_that_was_dismissed_does_what_is_left() {
    for threads in 1..=3 {
        in_time(move || {
            let message = good();
            with_crew(Kernel::detect(), threads, Rules::default(), |crew| {
                crew.expect(usize::MAX);
                for number in 0..20 {
                    start(crew, &message, number);
                    crew.dismiss();
                    assert_eq!(finish(crew).unwrap(), [(number, true)]);
                }
            });
        });
    }
}

/// Starts a chunk with one more message.
fn start<'a>(crew: &mut Hands<'_, '_, 'a>, message: &'a Message, number: usize) {
    message.push(&mut crew.chunk(), number, &message.body[..]);
    crew.close(1).expect("there is memory");
    crew.start();
}

/// The numbers of the messages of the chunk that is finished next, and whether they are valid.
fn finish(crew: &mut Hands<'_, '_, '_>) -> Result<Vec<(usize, bool)>, Stop> {
    crew.finish(&mut go_on)?;
    let mut found = Vec::new();
    crew.finished()
        .settle(|number, judged, _| found.push((number, judged.outcome.is_valid())));
    Ok(found)
}

fn good() -> Message {
    signed(b"key")
}

fn bad() -> Message {
    signed(b"another key")
}

fn signed(key: &[u8]) -> Message {
    let body = vec![b'x'; BODY_BYTES];
    let signature = format!("sha256={}", hex(&hmac(key, &[&body])));
    let headers = [("x-uplift-signature-256", signature)];
    Message::new(&endpoint("uplift", &["key"]), &body, &headers)
}
