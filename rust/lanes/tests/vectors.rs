//! Every kernel makes the MACs that others published, and those of the standard library of
//! Python: tests/vectors/PROVENANCE.md tells of each.

mod common;

use common::{
    go_on, is_full,
    rsp::{self, unhex},
};
use hookseal_lanes::{BLOCK_BYTES, Job, Kernel, KeyState, Mac, sha256};
use serde_json::Value;
use sha2::{Digest, Sha256};

const RFC_4231: &str = include_str!("../../../tests/vectors/rfc4231.json");
const WYCHEPROOF: &str = include_str!("../../../tests/vectors/wycheproof.json");
const NIST_HMAC: &str = include_str!("../../../tests/vectors/nist/hmac.json");
const NIST_SHORT: &str = include_str!("../../../tests/vectors/nist/SHA256ShortMsg.rsp");
const NIST_LONG: &str = include_str!("../../../tests/vectors/nist/SHA256LongMsg.rsp");
const FOLDED: &str = include_str!("../../../tests/vectors/folded.json");

#[test]
fn rfc_4231() {
    // Case 5 publishes the first 128 bits alone.
    assert_eq!(published(RFC_4231), Counts { all: 7, whole: 6 });
}

#[test]
fn nist_examples_of_hmac() {
    // Case 4 publishes the first 128 bits alone.
    assert_eq!(published(NIST_HMAC), Counts { all: 4, whole: 3 });
}

#[test]
fn wycheproof() {
    assert_eq!(
        published(WYCHEPROOF),
        Counts {
            all: 174,
            whole: 87
        }
    );
}

/// The inner hash of HMAC is that of a published message if the block of the key is the
/// message's first: then the published digest says what the MAC must be.
#[test]
fn nist_messages_as_inner_hashes() {
    let rows: Vec<_> = [NIST_SHORT, NIST_LONG]
        .into_iter()
        .flat_map(rsp::messages)
        .filter(|(message, _)| message.len() >= BLOCK_BYTES)
        .collect();
    assert_eq!(rows.len(), 1 + 64);
    let keys: Vec<_> = rows
        .iter()
        .map(|(message, _)| flipped(&message[..BLOCK_BYTES], 0x36))
        .collect();
    let states: Vec<_> = keys.iter().map(|key| KeyState::new(key)).collect();
    let jobs: Vec<_> = rows
        .iter()
        .zip(&states)
        .map(|((message, _), key)| job(key, &message[BLOCK_BYTES..]))
        .collect();
    for kernel in Kernel::ALL {
        for ((mac, key), (message, digest)) in together(kernel, &jobs).iter().zip(&keys).zip(&rows)
        {
            let outer = [flipped(key, 0x5c), digest.clone()].concat();
            let expected = Sha256::digest(outer);
            assert_eq!(mac[..], expected[..], "{kernel:?}: {}", message.len());
        }
    }
}

#[test]
fn all_lengths_to_4096_folded() {
    let stream = stream();
    let key = KeyState::new(&stream[..32]);
    let jobs: Vec<_> = (0..=4096)
        .map(|length| job(&key, &stream[..length]))
        .collect();
    for kernel in Kernel::ALL {
        assert_folded(kernel, &jobs, &folded()["lengths 0 to 4096"], "");
    }
}

#[test]
fn all_keys_to_292_folded() {
    let stream = stream();
    let states: Vec<_> = (0..=292)
        .map(|size| KeyState::new(&stream[..size]))
        .collect();
    for length in [0, 1, 55, 56, 64, 1000] {
        let name = length.to_string();
        let jobs: Vec<_> = states
            .iter()
            .map(|key| job(key, &stream[..length]))
            .collect();
        for kernel in Kernel::ALL {
            assert_folded(kernel, &jobs, &folded()["keys 0 to 292"][&name], &name);
        }
    }
}

/// From 2^29 bytes on, the key's block among them, the length in bits has more than 32 bits. The
/// length is written in one place for all kernels: short of the full profile, one is enough.
#[test]
fn the_length_in_bits_has_64_bits() {
    let folded = folded();
    let rows: Vec<(usize, &Value)> = folded["zeros"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(length, mac)| (length.parse().unwrap(), mac))
        .collect();
    assert_eq!(rows.len(), 3);
    let zeros = vec![0; rows.iter().map(|(length, _)| *length).max().unwrap()];
    let key = KeyState::new(&stream()[..32]);
    let jobs: Vec<_> = rows
        .iter()
        .map(|(length, _)| job(&key, &zeros[..*length]))
        .collect();
    let one = Kernel::by_name("shani2").unwrap_or(Kernel::Single);
    for kernel in Kernel::ALL {
        if !is_full() && kernel != one {
            continue;
        }
        // In the full profile so many that the lanes of every kernel are used.
        let times = if is_full() { 4 } else { 1 };
        let mut macs = vec![Mac::default(); jobs.len() * times];
        kernel
            .macs(&jobs.repeat(times), &mut macs, &mut go_on)
            .unwrap();
        for (mac, (length, expected)) in macs.iter().zip(rows.iter().cycle()) {
            let expected = unhex(expected.as_str().unwrap());
            assert_eq!(mac[..], expected, "{kernel:?}: {length} bytes");
        }
    }
}

/// How many rows there were.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    all: usize,
    /// Those that publish all of a MAC.
    whole: usize,
}

/// Holds every kernel to published MACs: with the messages one by one, and all in one batch.
/// Rows that are marked as not valid show what the MAC is not.
fn published(file: &str) -> Counts {
    let rows: Vec<Value> = serde_json::from_str(file).expect("rows");
    let bytes = |name: &str| -> Vec<_> {
        let texts = rows.iter().map(|row| row[name].as_str().expect("text"));
        texts.map(unhex).collect()
    };
    let (keys, messages, tags) = (bytes("key"), bytes("data"), bytes("tag"));
    let states: Vec<_> = keys.iter().map(|key| KeyState::new(key)).collect();
    let jobs: Vec<_> = states
        .iter()
        .zip(&messages)
        .map(|(key, message)| job(key, message))
        .collect();
    for kernel in Kernel::ALL {
        for ((mac, tag), row) in together(kernel, &jobs).iter().zip(&tags).zip(&rows) {
            assert!(tag.len() >= 16);
            let is_right = row["valid"].as_bool().unwrap_or(true);
            assert_eq!(mac[..tag.len()] == *tag, is_right, "{kernel:?}: {row}");
        }
    }
    Counts {
        all: rows.len(),
        whole: tags.iter().filter(|tag| tag.len() == 32).count(),
    }
}

fn assert_folded(kernel: Kernel, jobs: &[Job<'_>], expected: &Value, name: &str) {
    let digest = sha256(together(kernel, jobs).as_flattened());
    let expected = unhex(expected.as_str().expect("text"));
    assert_eq!(digest[..], expected, "{kernel:?} {name}");
}

/// The MACs of jobs, in one batch and one by one: they are the same.
fn together(kernel: Kernel, jobs: &[Job<'_>]) -> Vec<Mac> {
    let mut macs = vec![Mac::default(); jobs.len()];
    kernel
        .macs(jobs, &mut macs, &mut go_on)
        .expect("nobody stopped it");
    for (at, (job, mac)) in jobs.iter().zip(&macs).enumerate() {
        let alone = kernel.mac(job, &mut go_on).expect("nobody stopped it");
        assert_eq!(*mac, alone, "{kernel:?}: job {at}");
    }
    macs
}

fn job<'a>(key: &'a KeyState, body: &'a [u8]) -> Job<'a> {
    Job {
        key,
        head: b"",
        body,
        tail: b"",
    }
}

fn flipped(bytes: &[u8], pad: u8) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ pad).collect()
}

fn folded() -> Value {
    serde_json::from_str(FOLDED).expect("an object")
}

/// The bytes that `make_folded.py` takes keys and messages from.
fn stream() -> Vec<u8> {
    (0_u32..256)
        .flat_map(|at| Sha256::digest(at.to_be_bytes()))
        .collect()
}
