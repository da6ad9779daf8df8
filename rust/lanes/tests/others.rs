//! SHA-1 and SHA-512 behind the interface of the lanes.

mod common;

use common::{Draw, go_on, rsp::unhex};
use hookseal_lanes::{HashState, Interrupted, Job, Kernel, Keyed, Sha1KeyState, Sha512KeyState};
use sha1::Sha1;
use sha2::{
    Digest, Sha512,
    digest::{Output, common::BlockSizeUser},
};
use zeroize::ZeroizeOnDrop;

const VECTORS: &str = include_str!("../../../tests/vectors/other_hashes.json");

#[test]
fn published_vectors() {
    let vectors: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
    let rows = |name: &str| vectors[name].as_array().unwrap().clone();
    let (sha1, sha512) = (rows("hmac-sha1"), rows("hmac-sha512"));
    assert_eq!([sha1.len(), sha512.len()], [7, 7]);
    for (rows, is_sha1) in [(sha1, true), (sha512, false)] {
        for row in rows {
            let [key, data, tag] =
                ["key", "data", "tag"].map(|name| unhex(row[name].as_str().unwrap()));
            let mac = if is_sha1 {
                mac(&Sha1KeyState::new(&key), [&data, &[], &[]]).to_vec()
            } else {
                mac(&Sha512KeyState::new(&key), [&data, &[], &[]]).to_vec()
            };
            assert_eq!(mac[..tag.len()], tag, "case {}", row["case"]);
        }
    }
}

#[test]
fn keys_and_messages_of_many_lengths() {
    many_lengths::<Sha1>();
    many_lengths::<Sha512>();
}

fn many_lengths<H: Digest + BlockSizeUser + ZeroizeOnDrop + Clone>() {
    let mut draw = Draw::new(21);
    let (keys, bytes) = (draw.bytes(292), draw.bytes(700));
    for length in 0..=keys.len() {
        let key = &keys[..length];
        let state = HashState::<H>::new(key);
        let first = draw.below(bytes.len());
        let second = first + draw.below(bytes.len() - first);
        let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
        assert_eq!(
            mac(&state, pieces),
            reference::<H>(key, &bytes),
            "key of {length}"
        );
    }
}

#[test]
fn many_jobs_do_not_mix() {
    let mut draw = Draw::new(22);
    let keys: Vec<_> = (0..20).map(|_| draw.bytes(32)).collect();
    let states: Vec<_> = keys.iter().map(|key| Sha512KeyState::new(key)).collect();
    let bodies: Vec<_> = (0..20)
        .map(|_| {
            let length = draw.below(300);
            draw.bytes(length)
        })
        .collect();
    let jobs: Vec<_> = states
        .iter()
        .zip(&bodies)
        .map(|(key, body)| Job {
            key,
            head: b"head.",
            body,
            tail: b".tail",
        })
        .collect();
    let mut macs = vec![Output::<Sha512>::default(); jobs.len()];
    Keyed::macs(Kernel::detect(), &jobs, &mut macs, &mut go_on).unwrap();
    for ((key, body), mac) in keys.iter().zip(&bodies).zip(&macs) {
        let message = [b"head.", &body[..], b".tail"].concat();
        assert_eq!(*mac, reference::<Sha512>(key, &message));
    }
}

#[test]
fn the_watch_is_heard() {
    let body = vec![0; 3 << 20];
    let key = Sha1KeyState::new(b"key");
    let job = Job {
        key: &key,
        head: &[],
        body: &body,
        tail: &[],
    };
    let mut macs = [Output::<Sha1>::default()];
    let mut heard = 0;
    let done = Keyed::macs(Kernel::Single, &[job], &mut macs, &mut |bytes| {
        heard += bytes;
        Ok(())
    });
    assert_eq!((done, heard), (Ok(()), body.len()));
    let stopped = Keyed::macs(Kernel::Single, &[job], &mut macs, &mut |_| Err(Interrupted));
    assert_eq!(stopped, Err(Interrupted));
}

#[test]
fn a_key_does_not_show() {
    assert_eq!(
        format!("{:?}", Sha1KeyState::new(b"secret")),
        "HashState(..)"
    );
}

fn mac<K: Keyed>(key: &K, [head, body, tail]: [&[u8]; 3]) -> K::Mac
where
    K::Mac: Default,
{
    let mut macs = [K::Mac::default()];
    let job = Job {
        key,
        head,
        body,
        tail,
    };
    K::macs(Kernel::detect(), &[job], &mut macs, &mut go_on).expect("nobody stops it");
    let [mac] = macs;
    mac
}

/// HMAC as RFC 2104 writes it.
fn reference<H: Digest + BlockSizeUser>(key: &[u8], message: &[u8]) -> Output<H> {
    let mut block = vec![0; H::block_size()];
    if key.len() > block.len() {
        let digest = H::digest(key);
        block[..digest.len()].copy_from_slice(&digest);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<_>>();
    let inner = H::new()
        .chain_update(padded(0x36))
        .chain_update(message)
        .finalize();
    H::new()
        .chain_update(padded(0x5c))
        .chain_update(inner)
        .finalize()
}
