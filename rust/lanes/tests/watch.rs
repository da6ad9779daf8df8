//! The watch hears of the work in time, of every byte, and can stop it.

mod common;

use common::{Draw, at, reference};
use hookseal_lanes::{BLOCK_BYTES, Interrupted, Job, Kernel, KeyState, Mac, Watch};

/// How often the watch is to be called, in hashed bytes.
const STEP_BYTES: usize = 256 * 1024;

const LONG_BYTES: usize = 10 * 1024 * 1024;

#[test]
fn a_long_body_is_reported_step_by_step_and_whole() {
    let body = Draw::new(1).bytes(LONG_BYTES);
    let key = KeyState::new(b"key");
    for kernel in Kernel::ALL {
        let (result, reports) = watched(|watch| kernel.mac(&job(&key, &body), watch));
        assert_eq!(result, Ok(reference(b"key", &[&body])), "{kernel:?}");
        assert_eq!(reports.iter().sum::<usize>(), LONG_BYTES, "{kernel:?}");
        assert!(
            reports.iter().all(|bytes| *bytes <= STEP_BYTES),
            "{kernel:?}"
        );
    }
}

#[test]
fn every_piece_is_reported() {
    let bytes = Draw::new(2).bytes(STEP_BYTES + 100);
    let key = KeyState::new(b"key");
    for lengths in [
        [3, 0, 0],
        [0, 0, STEP_BYTES + 7],
        [STEP_BYTES, 1, STEP_BYTES + 100],
    ] {
        let [head, body, tail] = lengths.map(|length| &bytes[..length]);
        let key = &key;
        let job = Job {
            key,
            head,
            body,
            tail,
        };
        for kernel in Kernel::ALL {
            let mut macs = [Mac::default()];
            let (result, reports) = watched(|watch| kernel.macs(&[job], &mut macs, watch));
            assert_eq!(result, Ok(()));
            assert_whole(kernel, &reports, &lengths);
            assert_eq!(macs, [reference(b"key", &[head, body, tail])]);
        }
    }
}

/// Short jobs add up. A step is not cut where 256 KiB are reached in the midst of it, so a
/// report may be for almost twice as many, and for no more.
#[test]
fn many_jobs_are_reported_as_they_add_up() {
    let mut draw = Draw::new(3);
    let bytes = draw.bytes(STEP_BYTES);
    let key = KeyState::new(b"key");
    let edges = [STEP_BYTES - 1, STEP_BYTES - 1, STEP_BYTES, 0, 1];
    let limits = [4096; 60].into_iter().chain([STEP_BYTES / 4; 60]);
    let drawn = limits.map(|limit| draw.below(limit));
    let lengths: Vec<_> = edges.into_iter().chain(drawn).collect();
    let jobs: Vec<_> = lengths
        .iter()
        .map(|length| job(&key, &bytes[..*length]))
        .collect();
    for kernel in Kernel::ALL {
        let mut macs = vec![Mac::default(); jobs.len()];
        let (result, reports) = watched(|watch| kernel.macs(&jobs, &mut macs, watch));
        assert_eq!(result, Ok(()));
        assert_whole(kernel, &reports, &lengths);
        assert!(
            reports.iter().all(|bytes| *bytes < 2 * STEP_BYTES),
            "{kernel:?}"
        );
    }
}

/// A long body with nobody beside it, and one of which the neighbours end before it.
#[test]
fn a_long_job_among_short_ones_is_reported_step_by_step() {
    let bytes = Draw::new(7).bytes(LONG_BYTES);
    let key = KeyState::new(b"key");
    for count in 1..=4 {
        let mut lengths = [1000; 4];
        lengths[count - 1] = LONG_BYTES;
        let lengths = &lengths[..count];
        let jobs: Vec<_> = lengths
            .iter()
            .map(|length| job(&key, &bytes[..*length]))
            .collect();
        for kernel in Kernel::ALL {
            let mut macs = vec![Mac::default(); count];
            let (result, reports) = watched(|watch| kernel.macs(&jobs, &mut macs, watch));
            assert_eq!(result, Ok(()));
            assert_whole(kernel, &reports, lengths);
            let is_step = |bytes: &usize| *bytes < 2 * STEP_BYTES;
            assert!(reports.iter().all(is_step), "{kernel:?}: {reports:?}");
        }
    }
}

/// A single MAC leaves what is less than a step unsaid, padding and all: a short message costs
/// no call.
#[test]
fn a_short_mac_calls_nobody() {
    let body = Draw::new(4).bytes(STEP_BYTES - 256);
    let key = KeyState::new(b"key");
    for kernel in Kernel::ALL {
        let (result, reports) = watched(|watch| kernel.mac(&job(&key, &body), watch));
        assert!(result.is_ok());
        assert_eq!(reports, [], "{kernel:?}");
    }
}

#[test]
fn the_watch_stops_a_mac_at_any_call() {
    let body = Draw::new(5).bytes(4 * STEP_BYTES);
    let key = KeyState::new(b"key");
    for kernel in Kernel::ALL {
        for last in 1..=4 {
            let (result, calls) = stopped(last, |watch| kernel.mac(&job(&key, &body), watch));
            assert_eq!(result, Err(Interrupted), "{}", at(kernel, "call", last));
            assert_eq!(calls, last, "{}", at(kernel, "call", last));
        }
    }
}

/// With the last call too, which reports what is left.
#[test]
fn the_watch_stops_many_jobs_at_any_call() {
    let body = Draw::new(6).bytes(STEP_BYTES / 2);
    let key = KeyState::new(b"key");
    let jobs = [job(&key, &body); 9];
    let right = reference(b"key", &[&body]);
    for kernel in Kernel::ALL {
        for last in 1..=5 {
            let mut macs = [Mac::default(); 9];
            let (result, calls) = stopped(last, |watch| kernel.macs(&jobs, &mut macs, watch));
            assert_eq!(result, Err(Interrupted), "{}", at(kernel, "call", last));
            assert_eq!(calls, last, "{}", at(kernel, "call", last));
            // A slot holds its MAC or what was there before.
            let known = |mac: &Mac| *mac == right || *mac == Mac::default();
            assert!(macs.iter().all(known), "{}", at(kernel, "call", last));
        }
    }
}

/// Every byte is reported once. Kernels that count in blocks report the padding too.
fn assert_whole(kernel: Kernel, reports: &[usize], lengths: &[usize]) {
    let (reported, bytes) = (reports.iter().sum(), lengths.iter().sum::<usize>());
    let padded = bytes + lengths.len() * 2 * BLOCK_BYTES;
    assert!(
        (bytes..=padded).contains(&reported),
        "{kernel:?}: {reported} of {bytes} bytes"
    );
}

fn job<'a>(key: &'a KeyState, body: &'a [u8]) -> Job<'a> {
    Job {
        key,
        head: b"",
        body,
        tail: b"",
    }
}

/// What came of some work, and all that its watch was told.
fn watched<T>(work: impl FnOnce(&mut Watch<'_>) -> T) -> (T, Vec<usize>) {
    let mut reports = Vec::new();
    let result = work(&mut |bytes| {
        reports.push(bytes);
        Ok(())
    });
    (result, reports)
}

/// What came of some work that was stopped at call `last`, and how many calls there were.
fn stopped<T>(last: usize, work: impl FnOnce(&mut Watch<'_>) -> T) -> (T, usize) {
    let mut calls = 0;
    let result = work(&mut |_| {
        calls += 1;
        if calls >= last {
            Err(Interrupted)
        } else {
            Ok(())
        }
    });
    (result, calls)
}
