//! Rings: endpoints by name, one snapshot after the other, and readers while they change.

mod common;

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, ScopedJoinHandle},
};

use common::{Message, NOW, hex, hmac, labelled, scheme, secret, windowed};
use hookseal_engine::{
    Kernel, Verdict,
    endpoint::Endpoint,
    ring::{Refused, Ring, Snapshot, Terms},
    scheme::Scheme,
    secret::Fault,
    timestamp::Tolerance,
};

#[test]
fn endpoints_enter_and_keep_their_order() {
    let (uplift, github) = (scheme("uplift"), scheme("github"));
    let kept = Terms::Kept { default: &uplift };
    let own = Terms::Own {
        scheme: &github,
        tolerance: Some(Tolerance::Off),
    };
    let mut snapshot = Snapshot::default();
    assert!(snapshot.get("a").is_none());
    snapshot.enter("b", kept, &[secret("1")]).unwrap();
    snapshot.enter("a", own, &[secret("2")]).unwrap();
    snapshot.enter("", kept, &[secret("3")]).unwrap();
    assert_eq!(names(&snapshot), ["b", "a", ""]);
    assert_eq!(snapshot.get("a").unwrap().scheme().name, "github");
    assert_eq!(
        snapshot.get("a").unwrap().own_tolerance(),
        Some(Tolerance::Off)
    );
    assert_eq!(snapshot.get("").unwrap().scheme().name, "uplift");
    assert!(snapshot.get("A").is_none() && snapshot.get("b ").is_none());
    // Bare secrets leave scheme and tolerance as they are; the counter of labels goes on.
    snapshot
        .enter("a", kept, &[secret("4"), secret("5")])
        .unwrap();
    assert_eq!(names(&snapshot), ["b", "a", ""]);
    let a = snapshot.get("a").unwrap();
    assert_eq!(
        (&*a.scheme().name, a.own_tolerance()),
        ("github", Some(Tolerance::Off))
    );
    assert_eq!(labels(a), ["1", "2"]);
    // Its own terms replace them.
    let own = Terms::Own {
        scheme: &uplift,
        tolerance: None,
    };
    snapshot.enter("a", own, &[secret("6")]).unwrap();
    let a = snapshot.get("a").unwrap();
    assert_eq!((&*a.scheme().name, a.own_tolerance()), ("uplift", None));
    assert_eq!(labels(a), ["3"]);
}

#[test]
fn what_is_refused_changes_nothing() {
    let uplift = scheme("uplift");
    let ring = ring(&[("a", &["1", "2"]), ("b", &["3"])]);
    let before = ring.snapshot();
    let kept = Terms::Kept { default: &uplift };
    let at = |position, fault| Err(Refused::Secret(position, fault));
    let nine: Vec<_> = (0..9)
        .map(|number| secret(&format!("key {number}")))
        .collect();
    assert_eq!(ring.rotate("c", &secret("4"), None), Err(Refused::Endpoint));
    assert_eq!(
        ring.rotate("a", &secret("2"), None),
        Err(Refused::Secret(0, Fault::SameKey))
    );
    assert_eq!(ring.replace("a", kept, &[]), at(0, Fault::NoSecret));
    assert_eq!(ring.replace("c", kept, &[]), at(0, Fault::NoSecret));
    assert_eq!(ring.replace("a", kept, &nine), at(8, Fault::TooMany));
    assert_eq!(
        ring.replace("a", kept, &[secret("4"), secret("4")]),
        at(1, Fault::SameKey)
    );
    assert_eq!(ring.remove("c", "0"), Err(Refused::Endpoint));
    assert_eq!(ring.remove("a", "9"), Err(Refused::Label));
    assert_eq!(ring.remove("b", "0"), at(0, Fault::LastSecret));
    assert_eq!(ring.remove_endpoint("c"), Err(Refused::Endpoint));
    let after = ring.snapshot();
    let pairs = before.endpoints().zip(after.endpoints());
    assert_eq!(before.len(), after.len());
    assert!(pairs.into_iter().all(|(old, new)| same(old, new)));
    // Numbers that were not given are given now.
    assert_eq!(ring.rotate("a", &secret("4"), None).as_deref(), Ok("2"));
}

#[test]
fn a_snapshot_does_not_change() {
    let ring = ring(&[("a", &["1"]), ("b", &["2"])]);
    let before = ring.snapshot();
    let untouched = before.get("b").unwrap();
    assert_eq!(
        ring.rotate("a", &labelled("3", "new"), Some(NOW))
            .as_deref(),
        Ok("new")
    );
    ring.remove("a", "0").unwrap();
    assert_eq!(labels(before.get("a").unwrap()), ["0"]);
    assert_eq!(before.get("a").unwrap().held()[0].not_after(), None);
    assert_eq!(labels(ring.snapshot().get("a").unwrap()), ["new"]);
    assert!(same(untouched, ring.snapshot().get("b").unwrap()));
    ring.remove_endpoint("a").unwrap();
    assert!(before.get("a").is_some() && ring.snapshot().get("a").is_none());
}

#[test]
fn endpoints_are_found_after_others_were_removed() {
    let secrets = ["1"];
    let ring = ring(&[
        ("a", &secrets),
        ("b", &secrets),
        ("c", &secrets),
        ("d", &secrets),
    ]);
    let uplift = scheme("uplift");
    for (gone, left) in [
        ("b", &["a", "c", "d"][..]),
        ("a", &["c", "d"]),
        ("d", &["c"]),
    ] {
        ring.remove_endpoint(gone).unwrap();
        let snapshot = ring.snapshot();
        assert_eq!(names(&snapshot), left);
        for name in ["a", "b", "c", "d"] {
            let found = snapshot.get(name).map(|endpoint| endpoint.name());
            assert_eq!(found, left.contains(&name).then_some(name));
        }
        assert_eq!(ring.remove_endpoint(gone), Err(Refused::Endpoint));
    }
    ring.replace("a", Terms::Kept { default: &uplift }, &[secret("2")])
        .unwrap();
    assert_eq!(names(&ring.snapshot()), ["c", "a"]);
    ring.remove_endpoint("c").unwrap();
    ring.remove_endpoint("a").unwrap();
    assert_eq!(names(&ring.snapshot()), [""; 0]);
    assert!(ring.snapshot().is_empty());
}

#[test]
fn names_that_are_sought_together_are_found_as_each_alone() {
    const COUNT: usize = 16;
    let uplift = scheme("uplift");
    let kept = Terms::Kept { default: &uplift };
    let mut snapshot = Snapshot::default();
    let name = |number: usize| format!("e{number}");
    for number in 0..300 {
        snapshot.enter(&name(number), kept, &[secret("1")]).unwrap();
    }
    assert!(!snapshot.is_empty());
    for first in (0..320).step_by(COUNT) {
        let texts: [_; COUNT] = std::array::from_fn(|at| name(first + at));
        // Of some messages there is no name.
        let names: [_; COUNT] =
            std::array::from_fn(|at| (at % 5 != 3).then_some(texts[at].as_str()));
        let hashes = snapshot.seek_each(&names);
        let mut found = [None; COUNT];
        snapshot.find_each(&names, &hashes, |at, position, endpoint| {
            assert!(found[at].is_none(), "{at} twice");
            found[at] = Some((position, endpoint.name()));
        });
        let alone = names.map(|name| {
            let (position, endpoint) = snapshot.find(name?)?;
            Some((position, endpoint.name()))
        });
        assert_eq!(found, alone);
        assert_eq!(found[0].is_some(), first < 300);
    }
}

#[test]
fn keys_that_an_earlier_endpoint_has() {
    let (uplift, standard) = (scheme("uplift"), scheme("standard-webhooks"));
    let token = scheme("shared-token");
    let mut snapshot = Snapshot::default();
    let mut enter = |name, scheme: &Arc<Scheme>, secrets: &[&str]| {
        let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
        let own = Terms::Own {
            scheme,
            tolerance: None,
        };
        snapshot.enter(name, own, &secrets).unwrap();
    };
    enter("a", &uplift, &["ABC", "x", "only"]);
    enter("b", &uplift, &["y", "x\0", "ABC"]);
    enter("c", &standard, &["whsec_QUJD", "QUJE"]);
    enter("d", &token, &["x", "ABC"]);
    enter("e", &token, &["z", "x"]);
    let shared = snapshot.shared_keys();
    let shared: Vec<_> = shared
        .iter()
        .map(|(endpoint, label)| (endpoint.name(), *label))
        .collect();
    // A token is another kind of key, whatever its text.
    assert_eq!(shared, [("b", "1"), ("b", "2"), ("c", "0"), ("e", "1")]);
}

/// Readers judge with whatever snapshot they find; what it holds is right, all the time.
#[test]
fn readers_never_see_a_wrong_verdict_while_secrets_rotate() {
    const ROTATIONS: usize = 1000;
    const READERS: usize = 3;
    let ring = ring(&[("changing", &["key 0"]), ("other", &["constant"])]);
    let is_over = AtomicBool::new(false);
    let reads = AtomicUsize::new(0);
    let read = |newest_seen: &mut usize| {
        let snapshot = ring.snapshot();
        let endpoint = snapshot.get("changing").unwrap();
        // The key of label n is "key n".
        let numbers: Vec<usize> = labels(endpoint)
            .iter()
            .map(|label| label.parse().unwrap())
            .collect();
        assert!(
            numbers.is_sorted_by(|newer, older| *newer == older + 1),
            "{numbers:?}"
        );
        assert!(
            numbers[0] >= *newest_seen,
            "{numbers:?} after {newest_seen}"
        );
        *newest_seen = numbers[0];
        for number in numbers[0].saturating_sub(9)..numbers[0] + 2 {
            let (outcome, _) = message(endpoint, number).judged(Kernel::detect());
            let position = numbers.iter().position(|held| *held == number);
            let verdict = match position {
                Some(_) => Verdict::Valid,
                None => Verdict::SignatureMismatch,
            };
            assert_eq!(outcome.verdict, verdict, "key {number} of {numbers:?}");
            assert_eq!(usize::try_from(outcome.secret).ok(), position);
        }
        let other = snapshot.get("other").unwrap();
        let signed = signed(other, "constant");
        assert_eq!(signed.judged(Kernel::detect()).0.secret, 0);
        reads.fetch_add(1, Ordering::Relaxed);
    };
    thread::scope(|scope| {
        let over = Over(&is_over);
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut newest_seen = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        read(&mut newest_seen);
                    }
                    read(&mut newest_seen);
                    newest_seen
                })
            })
            .collect();
        for number in 1..=ROTATIONS {
            if number > 7 {
                ring.remove("changing", &(number - 7).to_string()).unwrap();
            } else if number == 7 {
                ring.remove("changing", "0").unwrap();
            }
            let label = ring
                .rotate("changing", &secret(&format!("key {number}")), None)
                .unwrap();
            assert_eq!(label.parse(), Ok(number));
            // Now and then somebody must have looked before it goes on.
            let seen = reads.load(Ordering::Relaxed);
            while number.is_multiple_of(20)
                && reads.load(Ordering::Relaxed) == seen
                && !readers.iter().any(ScopedJoinHandle::is_finished)
            {
                thread::yield_now();
            }
        }
        drop(over);
        for reader in readers {
            assert_eq!(reader.join().expect("a reader saw what is not"), ROTATIONS);
        }
    });
}

#[test]
fn no_change_is_lost_where_many_write() {
    const CHANGES: usize = 1000;
    let endpoints = ["a", "b", "c"];
    let start = Barrier::new(2 * endpoints.len());
    let ring = ring(&endpoints.map(|name| (name, &["first"][..])));
    thread::scope(|scope| {
        let (ring, start) = (&ring, &start);
        for name in endpoints {
            // Two threads change each endpoint.
            for writer in 0..2 {
                scope.spawn(move || {
                    start.wait();
                    for number in 0..CHANGES {
                        let text = format!("{name} {writer} {number}");
                        let label = ring.rotate(name, &secret(&text), Some(NOW)).unwrap();
                        ring.remove(name, &label).unwrap();
                    }
                });
            }
        }
    });
    // The first label was 0.
    let last = (2 * CHANGES + 1).to_string();
    for name in endpoints {
        let label = ring.rotate(name, &windowed("last", None, None), None);
        assert_eq!(label.as_deref(), Ok(&*last));
        let snapshot = ring.snapshot();
        assert_eq!(labels(snapshot.get(name).unwrap()), [&*last, "0"]);
    }
}

/// Tells the readers, when dropped, that nothing changes any more: they wait for it.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn ring(endpoints: &[(&str, &[&str])]) -> Ring {
    let uplift = scheme("uplift");
    let mut snapshot = Snapshot::default();
    for (name, texts) in endpoints {
        let secrets: Vec<_> = texts.iter().map(|text| secret(text)).collect();
        let kept = Terms::Kept { default: &uplift };
        assert_eq!(snapshot.enter(name, kept, &secrets), Ok(()));
    }
    Ring::new(snapshot)
}

#[test]
fn many_endpoints_are_found_and_go_away() {
    let uplift = scheme("uplift");
    let kept = Terms::Kept { default: &uplift };
    let mut snapshot = Snapshot::default();
    let name = |number: usize| format!("e{number}");
    for number in 0..40 {
        snapshot.enter(&name(number), kept, &[secret("1")]).unwrap();
    }
    let ring = Ring::new(snapshot);
    for gone in 0..40 {
        let snapshot = ring.snapshot();
        for number in 0..41 {
            let found = snapshot.get(&name(number)).map(|it| it.name().to_owned());
            let is_there = (gone..40).contains(&number);
            assert_eq!(found, is_there.then(|| name(number)), "{gone} are gone");
        }
        ring.remove_endpoint(&name(gone)).unwrap();
    }
    assert_eq!(names(&ring.snapshot()), [""; 0]);
    assert!(ring.snapshot().is_empty());
}

/// Endpoints lie in blocks of 256: what happens at their edges is what happens elsewhere.
#[test]
fn a_large_ring_is_like_a_small_one() {
    const COUNT: usize = 600;
    let uplift = scheme("uplift");
    let kept = Terms::Kept { default: &uplift };
    let name = |number: usize| format!("e{number}");
    let key = |number: usize| secret(&format!("key {number}"));
    let mut snapshot = Snapshot::default();
    for number in 0..COUNT {
        snapshot.enter(&name(number), kept, &[key(number)]).unwrap();
    }
    let ring = Ring::new(snapshot);
    let mut left: Vec<_> = (0..COUNT).collect();
    for changed in [0, 255, 256, 511, 512, 599] {
        let before = ring.snapshot();
        ring.rotate(&name(changed), &secret("new"), None).unwrap();
        let after = ring.snapshot();
        for number in &left {
            let (old, new) = (before.get(&name(*number)), after.get(&name(*number)));
            let is_same = same(old.unwrap(), new.unwrap());
            assert_eq!(is_same, *number != changed, "{number}, of {changed}");
        }
        assert_eq!(labels(before.get(&name(changed)).unwrap()), ["0"]);
        assert_eq!(labels(after.get(&name(changed)).unwrap()), ["1", "0"]);
        ring.remove_endpoint(&name(changed)).unwrap();
        left.retain(|number| *number != changed);
        let snapshot = ring.snapshot();
        assert_eq!((before.len(), snapshot.len()), (left.len() + 1, left.len()));
        let expected: Vec<_> = left.iter().copied().map(name).collect();
        assert_eq!(names(&snapshot), expected);
        for (position, name) in expected.iter().enumerate() {
            let found = snapshot.find(name).map(|(at, it)| (at, it.name()));
            assert_eq!(found, Some((position, &**name)));
        }
        assert!(snapshot.find(&name(changed)).is_none());
    }
    ring.replace("last", kept, &[key(COUNT)]).unwrap();
    let snapshot = ring.snapshot();
    assert_eq!(snapshot.find("last").map(|(at, _)| at), Some(left.len()));
    for number in left {
        let endpoint = snapshot.get(&name(number)).unwrap();
        let signed = message(endpoint, number).judged(Kernel::detect());
        assert!(signed.0.is_valid(), "{number}");
    }
}

fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot
        .endpoints()
        .map(|endpoint| endpoint.name())
        .collect()
}

/// Whether nothing was done to an endpoint.
fn same(old: &Endpoint, new: &Endpoint) -> bool {
    Arc::ptr_eq(old.profile(), new.profile())
}

fn labels(endpoint: &Endpoint) -> Vec<&str> {
    endpoint.held().iter().map(|held| &*held.label).collect()
}

fn message(endpoint: &Endpoint, number: usize) -> Message {
    signed(endpoint, &format!("key {number}"))
}

fn signed(endpoint: &Endpoint, key: &str) -> Message {
    let signature = format!("sha256={}", hex(&hmac(key.as_bytes(), &[b"body"])));
    let endpoint = Arc::new(endpoint.clone());
    Message::new(&endpoint, b"body", &[("x-uplift-signature-256", signature)])
}
