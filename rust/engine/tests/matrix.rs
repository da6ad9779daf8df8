//! A message passes under the secret it was signed with, and under no other: not its neighbours'
//! in a batch.

mod common;

use std::{array::from_fn, mem, sync::Arc};

use common::{Message, batch, endpoint, go_on, hex, hmac};
use hookseal_engine::{
    Kernel, NO_SECRET,
    endpoint::{Endpoint, MAX_SECRETS},
};

/// More than any kernel has lanes, twice, and one.
const N: usize = 2 * Kernel::MOST_LANES + 1;

/// For each two of n secrets, a batch in which one message alone is signed with another's.
#[test]
fn every_secret_in_the_place_of_every_other() {
    let endpoints: [_; N] = from_fn(|at| endpoint("uplift", &[&key(at)]));
    let mut messages: [_; N] = from_fn(|at| signed(&endpoints[at], at, at));
    for place in 0..N {
        for other in 0..N {
            let right = mem::replace(
                &mut messages[place],
                signed(&endpoints[place], place, other),
            );
            for kernel in Kernel::ALL {
                let outcomes = batch(&messages, kernel, 1, &mut go_on).unwrap();
                for (at, outcome) in outcomes.iter().enumerate() {
                    let is_right = at != place || place == other;
                    let name = format!("{kernel:?}: {other} in the place of {place}");
                    assert_eq!(outcome.is_valid(), is_right, "{name}, message {at}");
                }
            }
            messages[place] = right;
        }
    }
}

/// Each message is signed with a secret of its own, all under one endpoint and tried one after
/// the other.
#[test]
fn every_secret_of_one_endpoint() {
    let keys: Vec<_> = (0..MAX_SECRETS).map(key).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let endpoint = endpoint("uplift", &keys);
    let messages: [_; N] = from_fn(|at| signed(&endpoint, at, at));
    let expected: [_; N] = from_fn(|at| {
        if at < MAX_SECRETS {
            at.to_le_bytes()[0].cast_signed()
        } else {
            NO_SECRET
        }
    });
    for kernel in Kernel::ALL {
        let outcomes = batch(&messages, kernel, 1, &mut go_on).unwrap();
        let secrets: Vec<_> = outcomes.iter().map(|outcome| outcome.secret).collect();
        assert_eq!(secrets, expected, "{kernel:?}");
    }
}

/// Message number `at`, signed with the key number `signer`.
fn signed(endpoint: &Arc<Endpoint>, at: usize, signer: usize) -> Message {
    let body = format!("body {at}").repeat(at + 1);
    let mac = hmac(key(signer).as_bytes(), &[body.as_bytes()]);
    let headers = [("x-uplift-signature-256", format!("sha256={}", hex(&mac)))];
    Message::new(endpoint, body.as_bytes(), &headers)
}

fn key(at: usize) -> String {
    format!("key number {at}")
}
