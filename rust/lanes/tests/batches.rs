//! Batches drawn at random: every MAC is what it is alone.

mod common;

use common::{Draw, go_on, is_full, reference};
use hookseal_lanes::{Job, Kernel, KeyState, Mac};

/// The bytes that pieces are cut from.
const POOL_BYTES: usize = 8 * 1024;

#[test]
fn a_random_batch_is_what_its_messages_are_alone() {
    const MOST: usize = 2 * Kernel::MOST_LANES + 1;
    let batches = if is_full() { 100_000 } else { 2_000 };
    let mut draw = Draw::new(1);
    let pool = draw.bytes(POOL_BYTES);
    let keys: Vec<_> = (0..24).map(|size| pool[size..6 * size].to_vec()).collect();
    let states: Vec<_> = keys.iter().map(|key| KeyState::new(key)).collect();
    for batch in 0..batches {
        let drawn: Vec<_> = (0..=draw.below(MOST))
            .map(|_| drawn(&mut draw, &pool, &states))
            .collect();
        let jobs: Vec<_> = drawn.iter().map(|(_, job)| *job).collect();
        // One of the batch is held to another implementation, too.
        let chosen = draw.below(drawn.len());
        let (key, job) = &drawn[chosen];
        let expected = reference(&keys[*key], &[job.head, job.body, job.tail]);
        for kernel in Kernel::ALL {
            let mut macs = vec![Mac::default(); jobs.len()];
            kernel.macs(&jobs, &mut macs, &mut go_on).unwrap();
            for (place, (mac, job)) in macs.iter().zip(&jobs).enumerate() {
                let alone = kernel.mac(job, &mut go_on).unwrap();
                assert_eq!(*mac, alone, "{kernel:?}: batch {batch}, job {place}");
            }
            assert_eq!(
                macs[chosen], expected,
                "{kernel:?}: batch {batch}, job {chosen}"
            );
        }
    }
}

/// A job of any of the keys, and that key's number. Most bodies are short, some are long.
fn drawn<'a>(draw: &mut Draw, pool: &'a [u8], keys: &'a [KeyState]) -> (usize, Job<'a>) {
    let limit = [70, 70, 300, 1500][draw.below(4)];
    let mut piece = |limit| {
        let length = draw.below(limit);
        let start = draw.below(pool.len() - length);
        &pool[start..start + length]
    };
    let (head, body, tail) = (piece(90), piece(limit), piece(20));
    let key = draw.below(keys.len());
    let job = Job {
        key: &keys[key],
        head,
        body,
        tail,
    };
    (key, job)
}
