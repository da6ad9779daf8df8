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

/// Some jobs are hashed under one key after the other, as those are that no secret matched yet: all that
/// is found is what each key makes alone, and nothing is found twice.
#[test]
fn a_job_under_one_key_after_the_other() {
    const MOST: usize = 4 * Kernel::MOST_LANES;
    let batches = if is_full() { 10_000 } else { 400 };
    let mut draw = Draw::new(2);
    let pool = draw.bytes(POOL_BYTES);
    let keys: Vec<_> = (0..6)
        .map(|size| KeyState::new(&pool[..9 * size]))
        .collect();
    for batch in 0..batches {
        // All of one length go to the outer hash together, others wait for it.
        let alike = draw.below(2) == 0;
        let drawn: Vec<_> = (0..=draw.below(MOST))
            .map(|_| drawn(&mut draw, &pool, &keys))
            .collect();
        let jobs: Vec<_> = drawn
            .iter()
            .map(|(_, job)| Job {
                body: if alike { &pool[..200] } else { job.body },
                head: if alike { &pool[..40] } else { job.head },
                ..*job
            })
            .collect();
        let more: Vec<_> = jobs.iter().map(|_| draw.below(2) * draw.below(6)).collect();
        for kernel in Kernel::ALL {
            let mut found: Vec<Vec<Mac>> = vec![Vec::new(); jobs.len()];
            let mut take = |slot: usize, mac: &Mac| {
                found[slot].push(*mac);
                let tried = found[slot].len() - 1;
                let (first, _) = drawn[slot];
                (tried < more[slot]).then(|| &keys[(first + tried + 1) % keys.len()])
            };
            kernel.macs_found(&jobs, &mut go_on, &mut take).unwrap();
            for (slot, (found, job)) in found.iter().zip(&jobs).enumerate() {
                let (first, _) = drawn[slot];
                let expected: Vec<_> = (0..=more[slot])
                    .map(|tried| {
                        let key = &keys[(first + tried) % keys.len()];
                        Kernel::Single
                            .mac(&Job { key, ..*job }, &mut go_on)
                            .unwrap()
                    })
                    .collect();
                assert_eq!(*found, expected, "{kernel:?}: batch {batch}, slot {slot}");
            }
        }
    }
}

/// So little that an interpreter of Rust, which finds undefined behaviour, is done with it in a minute.
#[test]
fn few_and_short() {
    let keys = [b"one", b"two"].map(|key| KeyState::new(key));
    let body = [7; 200];
    let lengths = [0, 20, 64, 100, 200];
    for count in [9, 17] {
        let jobs: Vec<_> = (0..count)
            .map(|at| Job {
                key: &keys[0],
                head: b"head.",
                body: &body[..lengths[at % lengths.len()]],
                tail: b"",
            })
            .collect();
        let mut found = vec![Vec::new(); count];
        let mut take = |slot: usize, mac: &Mac| {
            found[slot].push(*mac);
            (slot.is_multiple_of(3) && found[slot].len() == 1).then_some(&keys[1])
        };
        let done = Kernel::Portable.macs_found(&jobs, &mut go_on, &mut take);
        assert_eq!(done, Ok(()));
        for (slot, (job, found)) in jobs.iter().zip(&found).enumerate() {
            let tried = &keys[..if slot.is_multiple_of(3) { 2 } else { 1 }];
            let alone = |key| {
                Kernel::Single
                    .mac(&Job { key, ..*job }, &mut go_on)
                    .unwrap()
            };
            assert_eq!(*found, tried.iter().map(alone).collect::<Vec<_>>());
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
