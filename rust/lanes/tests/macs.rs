//! Every kernel makes the MACs that RFC 2104 asks for: of every length, from any pieces, and
//! of many jobs without mixing them.

mod common;

use common::{Draw, at, go_on, reference, rsp::unhex};
use hookseal_lanes::{BLOCK_BYTES, Features, Job, Kernel, KeyState, Mac, sha256};
use sha2::{Digest, Sha256};

#[test]
fn fips_180_4_examples() {
    let million = vec![b'a'; 1_000_000];
    let rows: [(&[u8], &str); 5] = [
        (
            b"",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            b"abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
        ),
        (
            &million,
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
    ];
    for (message, digest) in rows {
        assert_eq!(
            sha256(message)[..],
            unhex(digest),
            "{} bytes",
            message.len()
        );
    }
}

#[test]
fn sha256_of_every_length() {
    let bytes = Draw::new(1).bytes(1030);
    for length in 0..=bytes.len() {
        let message = &bytes[..length];
        assert_eq!(sha256(message)[..], Sha256::digest(message)[..], "{length}");
    }
}

/// 55, 56, 63, 64, 65, 119 and 120 bytes are where the padding takes another block; the
/// standard vectors have none of them. Here they are the message's, whole.
#[test]
fn messages_of_every_length() {
    let mut draw = Draw::new(2);
    let key = draw.bytes(32);
    let state = KeyState::new(&key);
    let bytes = draw.bytes(65537);
    let powers = (10..=16).flat_map(|power| {
        let edge = 1_usize << power;
        [edge - 1, edge, edge + 1]
    });
    for length in (0..=2100).chain(powers) {
        let message = &bytes[..length];
        let expected = reference(&key, &[message]);
        for kernel in Kernel::ALL {
            let mac = mac_of_body(kernel, &state, message);
            assert_eq!(mac, expected, "{}", at(kernel, "length", length));
        }
    }
}

/// 64 is the longest key that is not hashed first.
#[test]
fn keys_of_every_length() {
    let mut draw = Draw::new(3);
    let (keys, message) = (draw.bytes(292), draw.bytes(100));
    for length in 0..=keys.len() {
        let key = &keys[..length];
        let state = KeyState::new(key);
        for message in [&message[..0], &message[..55], &message[..64], &message] {
            let expected = reference(key, &[message]);
            for kernel in Kernel::ALL {
                let mac = mac_of_body(kernel, &state, message);
                assert_eq!(mac, expected, "{}", at(kernel, "key of", length));
            }
        }
    }
}

#[test]
fn a_message_in_pieces_has_the_mac_of_the_whole() {
    let mut draw = Draw::new(4);
    for _ in 0..1000 {
        let length = draw.below(700);
        let (key, message) = (draw.bytes(20), draw.bytes(length));
        let state = KeyState::new(&key);
        let expected = reference(&key, &[&message]);
        let first = draw.below(length + 1);
        let second = first + draw.below(length - first + 1);
        let job = Job {
            key: &state,
            head: &message[..first],
            body: &message[first..second],
            tail: &message[second..],
        };
        for kernel in Kernel::ALL {
            let mac = kernel.mac(&job, &mut go_on).unwrap();
            assert_eq!(mac, expected, "{kernel:?}: {first}, {second} of {length}");
        }
    }
}

/// Heads and tails around the border of a block, with bodies around it too.
#[test]
fn every_way_to_fill_the_first_blocks() {
    let mut draw = Draw::new(5);
    let key = draw.bytes(32);
    let state = KeyState::new(&key);
    let bytes = draw.bytes(3 * 130);
    let lengths = [0, 1, 8, 55, 56, 63, 64, 65, 119, 120, 127, 128, 129];
    for head in lengths {
        for body in lengths {
            for tail in lengths {
                let (head, rest) = bytes.split_at(head);
                let (body, rest) = rest.split_at(body);
                let tail = &rest[..tail];
                let job = Job {
                    key: &state,
                    head,
                    body,
                    tail,
                };
                let expected = reference(&key, &[head, body, tail]);
                for kernel in Kernel::ALL {
                    let mac = kernel.mac(&job, &mut go_on).unwrap();
                    let lengths = (head.len(), body.len(), tail.len());
                    assert_eq!(mac, expected, "{kernel:?}: {lengths:?}");
                }
            }
        }
    }
}

#[test]
fn bodies_lie_anywhere() {
    let mut draw = Draw::new(6);
    let key = draw.bytes(32);
    let state = KeyState::new(&key);
    let bytes = draw.bytes(64 + 4200);
    for offset in 0..BLOCK_BYTES {
        for length in [0, 1, 55, 56, 63, 64, 65, 127, 128, 129, 200, 4096, 4200] {
            let body = &bytes[offset..offset + length];
            let job = Job {
                key: &state,
                head: b"head.",
                body,
                tail: b".tail",
            };
            let expected = reference(&key, &[b"head.", body, b".tail"]);
            for kernel in Kernel::ALL {
                let mac = kernel.mac(&job, &mut go_on).unwrap();
                assert_eq!(mac, expected, "{kernel:?}: {length} bytes at {offset}");
            }
        }
    }
}

/// A slot before and behind the jobs' own shows that nothing else is written.
#[test]
fn many_jobs_do_not_mix() {
    const GUARD: Mac = [0xa5; 32];
    // The widest kernel twice full, and some.
    const MOST: usize = 2 * Kernel::MOST_LANES + 8;
    let mut draw = Draw::new(7);
    for count in (0..=MOST).cycle().take((MOST + 1) * 12) {
        let texts: Vec<_> = (0..count).map(|_| Texts::draw(&mut draw)).collect();
        let jobs: Vec<_> = texts.iter().map(Texts::job).collect();
        for kernel in Kernel::ALL {
            let mut macs = vec![GUARD; count + 2];
            kernel
                .macs(&jobs, &mut macs[1..=count], &mut go_on)
                .unwrap();
            assert_eq!([macs[0], macs[count + 1]], [GUARD; 2]);
            for (position, (text, mac)) in texts.iter().zip(&macs[1..]).enumerate() {
                let name = at(kernel, "job", position);
                assert_eq!(*mac, text.expected(), "{name} of {count}");
                let alone = kernel.mac(&text.job(), &mut go_on).unwrap();
                assert_eq!(*mac, alone, "{name} of {count}, alone");
            }
        }
    }
}

/// Neighbours end in the same block or in others, whichever is first.
#[test]
fn every_pair_of_lengths() {
    let mut draw = Draw::new(10);
    let keys = [draw.bytes(32), draw.bytes(32)];
    let states = keys.each_ref().map(|key| KeyState::new(key));
    let bytes = draw.bytes(200);
    let expected = keys.each_ref().map(|key| {
        let of_length = |length| reference(key, &[b"head", &bytes[..length], b"tail"]);
        (0..=bytes.len()).map(of_length).collect::<Vec<_>>()
    });
    for first in 0..=bytes.len() {
        for second in (0..=bytes.len()).step_by(3) {
            let job = |at: usize, length: usize| Job {
                key: &states[at],
                head: b"head",
                body: &bytes[..length],
                tail: b"tail",
            };
            let jobs = [job(0, first), job(1, second)];
            for kernel in Kernel::ALL {
                let mut macs = [Mac::default(); 2];
                kernel.macs(&jobs, &mut macs, &mut go_on).unwrap();
                let both = [expected[0][first], expected[1][second]];
                assert_eq!(macs, both, "{kernel:?}: {first} and {second} bytes");
            }
        }
    }
}

/// One long message among short ones, at every place.
#[test]
fn ragged_jobs_do_not_mix() {
    let mut draw = Draw::new(8);
    for place in 0..18 {
        let mut texts: Vec<_> = (0..18).map(|_| Texts::draw(&mut draw)).collect();
        texts[place].body = draw.bytes(20_000);
        let jobs: Vec<_> = texts.iter().map(Texts::job).collect();
        for kernel in Kernel::ALL {
            let mut macs = [Mac::default(); 18];
            kernel.macs(&jobs, &mut macs, &mut go_on).unwrap();
            for (text, mac) in texts.iter().zip(&macs) {
                assert_eq!(*mac, text.expected(), "{}", at(kernel, "place", place));
            }
        }
    }
}

#[test]
fn one_key_and_one_body_in_many_jobs() {
    let state = KeyState::new(b"key");
    let job = Job {
        key: &state,
        head: b"",
        body: b"body",
        tail: b"",
    };
    for kernel in Kernel::ALL {
        let mut macs = [Mac::default(); 33];
        kernel.macs(&[job; 33], &mut macs, &mut go_on).unwrap();
        assert_eq!(macs, [reference(b"key", &[b"body"]); 33]);
    }
}

#[test]
fn every_bit_of_key_and_message_counts() {
    let mut draw = Draw::new(9);
    for (key_length, length) in [(1, 1), (32, 70), (64, 64), (65, 10), (131, 130)] {
        let (mut key, mut message) = (draw.bytes(key_length), draw.bytes(length));
        for kernel in Kernel::ALL {
            let state = KeyState::new(&key);
            let right = mac_of_body(kernel, &state, &message);
            for bit in 0..8 * length {
                message[bit / 8] ^= 1 << (bit % 8);
                let mac = mac_of_body(kernel, &state, &message);
                assert_ne!(mac, right, "{}", at(kernel, "message bit", bit));
                message[bit / 8] ^= 1 << (bit % 8);
            }
            for bit in 0..8 * key_length {
                key[bit / 8] ^= 1 << (bit % 8);
                let mac = mac_of_body(kernel, &KeyState::new(&key), &message);
                assert_ne!(mac, right, "{}", at(kernel, "key bit", bit));
                key[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}

#[test]
fn keys_that_are_the_same_to_hmac() {
    let same = |a: &[u8], b: &[u8]| KeyState::new(a).same_as_vartime(&KeyState::new(b));
    let long = [7; 65];
    assert!(same(b"key", b"key"));
    assert!(same(b"key", b"key\0"));
    assert!(same(b"key", &[&b"key"[..], &[0; 61]].concat()));
    assert!(same(&long, &sha256(&long)));
    assert!(!same(b"key", b"kez"));
    assert!(!same(b"key", b"\0key"));
    assert!(!same(b"key", &[&b"key"[..], &[0; 62]].concat()));
    assert!(!same(&long, &long[1..]));
}

#[test]
fn a_key_is_not_printed() {
    let key = KeyState::new(b"correct horse");
    assert_eq!(format!("{key:?}"), "KeyState(..)");
    assert_eq!(format!("{key:#?}"), "KeyState(..)");
    let job = Job {
        key: &key,
        head: b"",
        body: b"",
        tail: b"",
    };
    let shown = "Job { key: KeyState(..), head: [], body: [], tail: [] }";
    assert_eq!(format!("{job:?}"), shown);
}

/// Detection is a pure function of what the processor has.
#[test]
fn the_fastest_of_every_set_of_features() {
    for bits in 0..8 {
        let has = |bit: u32| bits & (1 << bit) != 0;
        let features = Features {
            avx2: has(0),
            shani: has(1),
            avx512: has(2),
        };
        let expected = match features {
            Features { avx512: true, .. } => Kernel::Avx512,
            Features { shani: true, .. } => Kernel::Shani2,
            Features { avx2: true, .. } => Kernel::Avx2,
            _ => Kernel::Single,
        };
        assert_eq!(Kernel::fastest(features), expected, "{features:?}");
    }
    assert_eq!(Kernel::detect(), Kernel::fastest(Features::detected()));
}

#[test]
fn kernels_by_name() {
    for kernel in Kernel::ALL {
        let named = Kernel::by_name(kernel.name());
        assert_eq!(named.ok(), kernel.is_available().then_some(kernel));
    }
    assert!(Kernel::Portable.is_available());
    assert!(Kernel::detect().is_available());
    assert!(Kernel::ALL.contains(&Kernel::detect()));
    for name in ["", "Portable", "portable ", "single\0", "avx-512", "auto"] {
        let error = Kernel::by_name(name).expect_err(name).to_string();
        assert!(error.contains("unknown kernel"), "{error}");
        for kernel in Kernel::ALL {
            assert!(error.contains(kernel.name()), "{error}");
        }
    }
}

fn mac_of_body(kernel: Kernel, key: &KeyState, body: &[u8]) -> Mac {
    let job = Job {
        key,
        head: b"",
        body,
        tail: b"",
    };
    kernel.mac(&job, &mut go_on).expect("nobody stopped it")
}

/// What a job refers to.
struct Texts {
    key: Vec<u8>,
    state: KeyState,
    head: Vec<u8>,
    body: Vec<u8>,
    tail: Vec<u8>,
}

impl Texts {
    fn draw(draw: &mut Draw) -> Self {
        let mut up_to = |limit| {
            let length = draw.below(limit);
            draw.bytes(length)
        };
        let key = up_to(80);
        Self {
            state: KeyState::new(&key),
            key,
            head: up_to(90),
            body: up_to(300),
            tail: up_to(20),
        }
    }

    fn job(&self) -> Job<'_> {
        Job {
            key: &self.state,
            head: &self.head,
            body: &self.body,
            tail: &self.tail,
        }
    }

    fn expected(&self) -> Mac {
        reference(&self.key, &[&self.head, &self.body, &self.tail])
    }
}
