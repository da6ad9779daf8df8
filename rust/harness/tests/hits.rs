//! Which kernel's own code runs: the one that was named, and no other as long as there is enough
//! for its lanes.

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use common::{Message, batch, endpoint, go_on, hex, hmac};
use hookseal_engine::Outcome;
use hookseal_lanes::{
    Job, Kernel, KeyState, Mac,
    hits::{self, Hit},
};

/// 16 blocks behind the key's, and one outside.
const BODY: [u8; 1000] = [7; 1000];
const BLOCKS: usize = 17;

#[test]
fn full_lanes_are_hashed_by_the_kernel_that_was_named() {
    for kernel in Kernel::ALL {
        for rounds in 1..=3 {
            let hits = of_macs(kernel, rounds * lanes(kernel));
            assert_hit(kernel, &hits, rounds * BLOCKS);
        }
    }
}

/// What is too little for the lanes goes to kernels with fewer, and a message of its own to one
/// that has none.
#[test]
fn what_is_too_little_is_handed_on() {
    let narrow = [Kernel::Shani2, Kernel::Single];
    for kernel in Kernel::ALL {
        let alone = if kernel == Kernel::Portable {
            Kernel::Portable
        } else {
            Kernel::Single
        };
        assert_eq!(of_macs(kernel, 1), [(alone, BLOCKS)], "{kernel:?}");
        let key = KeyState::new(b"key");
        let (_, hits) = hits::during(|| kernel.mac(&job(&key), &mut go_on));
        assert_eq!(hits, [(alone, BLOCKS)], "{kernel:?}");
        // One message more than there are lanes.
        let hits = of_macs(kernel, lanes(kernel) + 1);
        let is_own = |ran: Kernel| ran == kernel || narrow.contains(&ran);
        assert!(
            hits.iter().all(|(ran, _)| is_own(*ran)),
            "{kernel:?}: {hits:?}"
        );
    }
}

/// A check that another kernel answered would say nothing.
#[test]
fn the_check_of_a_kernel_runs_it() {
    for kernel in Kernel::ALL {
        let (is_right, hits) = hits::during(|| kernel.check());
        assert!(is_right, "{kernel:?}");
        let has_run = hits.iter().any(|(ran, _)| *ran == kernel);
        assert_eq!(has_run, kernel.is_available(), "{kernel:?}: {hits:?}");
    }
}

/// What the engine is told reaches the lanes: in a batch, and for a message alone.
#[test]
fn the_engine_hashes_with_the_kernel_it_is_given() {
    let endpoint = endpoint("uplift", &["key"]);
    let signature = format!("sha256={}", hex(&hmac(b"key", &[&BODY])));
    let message = Message::new(&endpoint, &BODY, &[("x-uplift-signature-256", signature)]);
    for kernel in Kernel::ALL {
        let messages = vec![message.clone(); lanes(kernel)];
        let (outcomes, hits) = hits::during(|| batch(&messages, kernel, 1, &mut go_on));
        assert!(outcomes.unwrap().iter().all(Outcome::is_valid));
        assert_hit(kernel, &hits, BLOCKS);
    }
    let (_, hits) = hits::during(|| message.judged(Kernel::Portable));
    assert_eq!(hits, [(Kernel::Portable, BLOCKS)]);
}

/// Exactly that kernel ran, where the processor has it; else some that it has.
fn assert_hit(kernel: Kernel, hits: &[Hit], blocks: usize) {
    if kernel.is_available() {
        assert_eq!(hits, [(kernel, blocks)]);
    } else {
        assert!(!hits.is_empty());
        assert!(hits.iter().all(|(ran, _)| ran.is_available()), "{hits:?}");
    }
}

/// What ran for that many equal jobs.
fn of_macs(kernel: Kernel, count: usize) -> Vec<Hit> {
    let key = KeyState::new(b"key");
    let jobs = vec![job(&key); count];
    let mut macs = vec![Mac::default(); count];
    let (result, hits) = hits::during(|| kernel.macs(&jobs, &mut macs, &mut go_on));
    result.expect("nobody stopped it");
    assert_eq!(macs, vec![hmac(b"key", &[&BODY]); count]);
    hits
}

fn job(key: &KeyState) -> Job<'_> {
    Job {
        key,
        head: b"",
        body: &BODY,
        tail: b"",
    }
}

/// How many messages each kernel hashes side by side.
fn lanes(kernel: Kernel) -> usize {
    match kernel {
        Kernel::Single => 1,
        Kernel::Shani2 => 2,
        Kernel::Portable | Kernel::Avx2 => 8,
        Kernel::Avx512 => 16,
    }
}
