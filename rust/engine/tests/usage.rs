//! What is counted of secrets: from many threads, and through changes of their endpoint.

mod common;

use std::{sync::Arc, thread};

use common::{labelled, scheme, secret};
use hookseal_engine::{
    endpoint::Endpoint,
    usage::{Matched, Usage},
};

fn matched(count: u64, first: i64, last: i64) -> Matched {
    let seen = (count > 0).then_some((first, last));
    Matched { count, seen }
}

#[test]
fn counts_add_and_the_ends_move_outwards() {
    let usage = Usage::default();
    assert_eq!(usage.matched(), matched(0, 0, 0));
    // Nothing that matched says nothing of when.
    usage.add(0, i64::MIN, i64::MAX);
    assert_eq!(usage.matched(), matched(0, 0, 0));
    usage.add(3, 10, 20);
    assert_eq!(usage.matched(), matched(3, 10, 20));
    usage.add(1, 12, 12);
    usage.add(2, -5, 7);
    assert_eq!(usage.matched(), matched(6, -5, 20));
    usage.add(1, 0, i64::MAX);
    assert_eq!(usage.matched(), matched(7, -5, i64::MAX));
}

#[test]
fn no_count_is_lost_between_threads() {
    let usage = Usage::default();
    thread::scope(|scope| {
        for thread in 0..4 {
            let usage = &usage;
            scope.spawn(move || {
                for number in 0..10_000 {
                    usage.add(2, -number, thread * 10_000 + number);
                    let seen = usage.matched();
                    assert!(seen.count >= 2 && seen.seen.is_some_and(|(a, b)| a <= b));
                }
            });
        }
    });
    assert_eq!(usage.matched(), matched(80_000, -9999, 39_999));
}

#[test]
fn every_count_has_a_number_of_its_own() {
    let numbers: Vec<_> = (0..100).map(|_| Usage::default().number()).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

fn numbers(endpoint: &Endpoint) -> Vec<u64> {
    let held = endpoint.held().iter();
    held.map(|held| held.usage().number()).collect()
}

#[test]
fn counts_stay_with_label_and_key() {
    let github = scheme("github");
    let given = [secret("one"), secret("two")];
    let made = Endpoint::new("a", Arc::clone(&github), None, &given);
    let mut endpoint = Endpoint::clone(&made.unwrap());
    let [one, two] = numbers(&endpoint)[..] else {
        panic!("two secrets");
    };
    assert_ne!(one, two);
    endpoint.rotate(&secret("three"), Some(5)).unwrap();
    assert_eq!(numbers(&endpoint)[1..], [one, two]);
    let three = numbers(&endpoint)[0];
    assert_eq!(numbers(&endpoint.clone()), [three, one, two]);
    endpoint.remove("0").unwrap();
    assert_eq!(numbers(&endpoint), [three, two]);
    // Replaced: the same; another key under the label; another label for the key; new ones.
    let given = [
        labelled("two", "1"),
        labelled("other", "2"),
        labelled("three", "x"),
        labelled("one", "0"),
    ];
    let changed = endpoint.changed(github, None, &given).unwrap();
    assert_eq!(numbers(&changed)[0], two);
    assert!(numbers(&changed)[1..].iter().all(|it| *it > three));
}
