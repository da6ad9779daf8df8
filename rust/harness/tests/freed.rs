//! What is left of keys in memory that was given back, through the life of a secret: the bytes that
//! were given, the key's, its pads, its keyed states, and the MACs that forged messages lack.

#[path = "../../engine/tests/common/mod.rs"]
mod common;
mod looking;

use std::{iter, slice::from_ref, sync::Arc};

use common::{Message, base64, batch, endpoint_of, go_on, hex, hmac, scheme, secret, v1};
use hookseal_engine::{
    Interrupted, Kernel,
    endpoint::Endpoint,
    finding,
    ring::{Ring, Snapshot, Terms},
    scheme::Scheme,
    secret::{Kind, Secret},
    sign::signature,
};
use hookseal_lanes::{Sha1KeyState, Sha512KeyState, sha256};
use looking::{Search, alone};
use sha2::block_api::compress256;

/// A short key, one that fills a block, and one that is hashed first.
fn keys() -> [Vec<u8>; 3] {
    let stream: Vec<u8> = (0..4_u8)
        .flat_map(|at| hmac(b"tests", &[b"freed", &[at]]))
        .collect();
    [&stream[..32], &stream[..64], &stream[..100]].map(<[u8]>::to_vec)
}

/// All that a key must not leave behind. States lie word beside word in the lanes.
struct Forms(Vec<(&'static str, Vec<u8>)>);

impl Forms {
    fn of(key: &[u8]) -> Self {
        let mut block = [0; 64];
        let short = if key.len() > 64 {
            sha256(key).to_vec()
        } else {
            key.to_vec()
        };
        block[..short.len()].copy_from_slice(&short);
        let mut forms = vec![
            ("the key", key.to_vec()),
            ("the key in base64", base64(key).into_bytes()),
            ("the key in hex", hex(key).into_bytes()),
            ("the hashed key", short.clone()),
        ];
        for (pads, states, lanes, pad) in [
            ("the inner pad", "the inner state", "the inner lanes", 0x36),
            ("the outer pad", "the outer state", "the outer lanes", 0x5c),
        ] {
            let padded = block.map(|byte| byte ^ pad);
            let state = absorbed(&padded);
            forms.push((pads, padded[..short.len()].to_vec()));
            forms.push((states, state.map(u32::to_ne_bytes).as_flattened().to_vec()));
            let side_by_side = state.map(|word| [word.to_ne_bytes(); 2]);
            forms.push((lanes, side_by_side.as_flattened().as_flattened().to_vec()));
        }
        Self(forms)
    }

    /// And what a forger would like to know.
    fn with(mut self, name: &'static str, bytes: &[u8]) -> Self {
        self.0.push((name, bytes.to_vec()));
        self
    }

    fn search(&self) -> Search {
        let secrets: Vec<_> = self
            .0
            .iter()
            .map(|(name, bytes)| (*name, &bytes[..]))
            .collect();
        Search::of(&secrets)
    }
}

/// The state of SHA-256 after one block, from FIPS 180-4 §5.3.3 on.
fn absorbed(block: &[u8; 64]) -> [u32; 8] {
    let mut state = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    compress256(&mut state, from_ref(block));
    state
}

/// The secrets of a key, in every form in which one can be given; made outside of the search, for
/// the texts themselves are the caller's.
fn texts(key: &[u8]) -> [String; 3] {
    [format!("whsec_{}", base64(key)), base64(key), hex(key)]
}

/// The control: every form of a key is found where it is left.
#[test]
fn what_is_left_is_found() {
    let _alone = alone();
    for key in keys() {
        let forms = Forms::of(&key);
        let search = forms.search();
        for (name, bytes) in &forms.0 {
            let found = search.found(|| drop(bytes.clone()));
            assert!(found.contains(name), "{name}: {found:?}");
            let piece = &bytes[3..23.min(bytes.len())];
            let found = search.found(|| drop([&[7; 3][..], piece, &[7; 9]].concat()));
            assert!(found.contains(name), "{name}, a piece: {found:?}");
        }
        assert_eq!(search.blocks(|| drop(vec![0x36_u8; 999])), 0);
    }
}

/// And the same for what is left on the stack.
#[test]
fn what_is_left_on_the_stack_is_found() {
    let _alone = alone();
    for key in keys() {
        let forms = Forms::of(&key);
        let search = forms.search();
        for (name, bytes) in &forms.0 {
            let found = search.found_on_stack(|| {
                let mut copy = [0_u8; 200];
                copy[..bytes.len()].copy_from_slice(bytes);
                std::hint::black_box(&copy);
            });
            assert!(found.contains(name), "{name}: {found:?}");
        }
    }
}

#[test]
fn test_threat_20_secrets() {
    let _alone = alone();
    for key in keys() {
        let [whsec, base64, hex] = texts(&key);
        let slips: Vec<String> = [&whsec, &base64, &hex]
            .into_iter()
            .flat_map(|text| {
                let half = text.len() / 2;
                [
                    format!("{text}!"),
                    format!("{}!{}", &text[..half], &text[half..]),
                    format!("{}\n{}", &text[..half], &text[half..]),
                    format!("v1,{text}"),
                    format!("whsec_{text}"),
                ]
            })
            .collect();
        let schemes = ["standard-webhooks", "github", "shared-token"].map(scheme);
        let search = Forms::of(&key).search();
        let used = |secret: Secret| {
            let again = secret.clone();
            for scheme in &schemes {
                let _ = again.key_bytes(scheme);
                let _ = again.key(scheme);
                let _ = finding::check(&again, scheme);
                let _ = Endpoint::new("a", Arc::clone(scheme), None, from_ref(&secret));
            }
        };
        let found = search.found(|| {
            for text in [&whsec, &base64, &hex].into_iter().chain(&slips) {
                for kind in [Kind::Text, Kind::FixedText] {
                    let _ = Secret::new(text.as_bytes().to_vec().into(), kind).map(used);
                }
                let _ = Secret::from_base64(text).map(used);
                let _ = Secret::from_hex(text).map(used);
            }
            let _ = Secret::new(key.clone().into(), Kind::Bytes).map(used);
        });
        assert!(found.is_empty(), "{} bytes: {found:?}", key.len());
    }
}

/// A key that enters endpoints, moves among others, and leaves them, whatever goes wrong.
#[test]
fn test_threat_20_rings() {
    let _alone = alone();
    for key in keys() {
        let own = || Secret::new(key.clone().into(), Kind::Bytes).unwrap();
        let scheme = scheme("standard-webhooks");
        let terms = || Terms::Kept { default: &scheme };
        let others: Vec<Secret> = (0..8).map(|at| secret(&base64(&[at + 1; 40]))).collect();
        let search = Forms::of(&key).search();
        let found = search.found(|| {
            for place in 0..8 {
                let mut secrets = others[..7].to_vec();
                secrets.insert(place, own());
                drop(Endpoint::new("a", Arc::clone(&scheme), None, &secrets));
                let mut snapshot = Snapshot::default();
                snapshot.enter("a", terms(), &secrets).unwrap();
                // So many that their list grows, some times.
                for name in ["b", "c", "d", "e", "f"] {
                    snapshot.enter(name, terms(), &[own()]).unwrap();
                }
                assert_eq!(snapshot.shared_keys().len(), 5);
                let ring = Ring::new(snapshot);
                let held = ring.snapshot();
                // One too many, and the same again: nothing changes.
                ring.rotate("a", &own(), None).unwrap_err();
                ring.replace("a", terms(), &[own(), own()]).unwrap_err();
                ring.replace("b", terms(), &[others[0].clone(), own()])
                    .unwrap();
                ring.rotate("b", &others[2], Some(9)).unwrap();
                for label in 0..7 {
                    ring.remove("a", &label.to_string()).unwrap();
                }
                ring.remove("a", "7").unwrap_err();
                drop(held);
                ring.replace("a", terms(), &others[3..5]).unwrap();
                ring.remove_endpoint("b").unwrap();
                ring.replace("g", terms(), &[own()]).unwrap();
            }
        });
        assert!(found.is_empty(), "{} bytes: {found:?}", key.len());
    }
}

/// What the making of keys leaves on the stack, whence it could get into a value that has room
/// without a use.
#[test]
fn test_threat_20_the_stack() {
    let _alone = alone();
    for key in keys() {
        let own = || Secret::new(key.clone().into(), Kind::Bytes).unwrap();
        let scheme = scheme("standard-webhooks");
        let search = Forms::of(&key).search();
        let fresh = || Endpoint::new("a", Arc::clone(&scheme), None, &[own()]).unwrap();
        let (made, other) = (fresh(), secret(&base64(&[9; 40])));
        let terms = || Terms::Kept { default: &scheme };
        let ring = Ring::default();
        let enter = || {
            let mut snapshot = Snapshot::default();
            for name in ["a", "b", "c"] {
                snapshot.enter(name, terms(), &[own()]).unwrap();
            }
            snapshot.adopt([&*made]);
            drop(Ring::new(snapshot));
        };
        let (new, check) = (|| drop(fresh()), || drop(finding::check(&own(), &scheme)));
        let changed = || drop(made.changed(Arc::clone(&scheme), None, &[own()]).unwrap());
        let replace = || ring.replace("a", terms(), &[own()]).unwrap();
        let rotate = || drop(ring.rotate("a", &other, None).unwrap());
        let remove = || ring.remove("a", "1").unwrap();
        let refused = || _ = ring.remove("a", "0").unwrap_err();
        let works: [(_, &dyn Fn()); 8] = [
            ("check", &check),
            ("new", &new),
            ("changed", &changed),
            ("enter", &enter),
            ("replace", &replace),
            ("rotate", &rotate),
            ("remove", &remove),
            ("a refusal", &refused),
        ];
        for (what, work) in works {
            let found = search.found_on_stack(work);
            assert!(found.is_empty(), "{what}, {} bytes: {found:?}", key.len());
        }
    }
}

/// Messages, good and forged, alone and in batches, whether they come to an end or not.
#[test]
fn test_threat_20_messages() {
    let _alone = alone();
    for key in keys() {
        let own = Secret::new(key.clone().into(), Kind::Bytes).unwrap();
        let endpoint = endpoint_of("standard-webhooks", &[secret(&base64(&[9; 40])), own]);
        let bodies = (0..60)
            .map(|at| vec![7; 3 * at * at])
            .chain([vec![7; 300_000]]);
        let stamp = common::NOW.to_string();
        let forged: Vec<_> = bodies
            .map(|body| {
                let signature = v1(&[1; 40], "msg_1", &stamp, &body);
                let headers = [
                    ("webhook-id", "msg_1"),
                    ("webhook-timestamp", &stamp),
                    ("webhook-signature", &signature),
                ];
                Message::new(&endpoint, &body, &headers)
            })
            .collect();
        let mac = |body: &[u8]| hmac(&key, &[b"msg_1.", stamp.as_bytes(), b".", body]);
        let mut forms = Forms::of(&key);
        for message in forged.iter().step_by(10) {
            forms = forms.with("what a forged message lacks", &mac(&message.body));
        }
        let search = forms.search();
        for kernel in Kernel::ALL {
            let found = search.found(|| {
                for message in forged.iter().step_by(7) {
                    assert!(!message.judged(kernel).0.is_valid());
                }
                for count in [1, 12, 40, forged.len()] {
                    for threads in [1, 3] {
                        let outcomes = batch(&forged[..count], kernel, threads, &mut go_on);
                        assert!(outcomes.unwrap().iter().all(|outcome| !outcome.is_valid()));
                        for stop in [0, 3] {
                            let mut looks = 0;
                            let mut watch = |_| {
                                looks += 1;
                                if looks > stop {
                                    Err(Interrupted)
                                } else {
                                    Ok(())
                                }
                            };
                            let _ = batch(&forged[..count], kernel, threads, &mut watch);
                        }
                    }
                }
            });
            assert!(
                found.is_empty(),
                "{kernel:?}, {} bytes: {found:?}",
                key.len()
            );
        }
        // Signing hands out the MAC: it may be left, and nothing else.
        let search = Forms::of(&key).search();
        let found = search.found(|| {
            let (id, stamp) = (Some(&b"msg_1"[..]), Some(stamp.as_bytes()));
            let signed =
                |body| signature(Kernel::Single, &endpoint, body, id, stamp, 5, &mut go_on);
            signed(b"body").unwrap().unwrap();
        });
        assert!(found.is_empty(), "signing: {found:?}");
    }
}

/// Tokens are kept as their digests, which are as secret as a short token is.
#[test]
fn test_threat_20_tokens() {
    let _alone = alone();
    let token = "a token that nobody has seen before";
    let digest = sha256(token.as_bytes());
    let github = scheme("github");
    let make = || {
        let tokens: Arc<Scheme> = scheme("shared-token");
        let endpoint = Endpoint::new("a", Arc::clone(&tokens), None, &[secret(token)]);
        (tokens, endpoint.unwrap())
    };
    let search = Search::of(&[("the token", token.as_bytes()), ("its digest", &digest)]);
    let found = search.found(|| {
        let (tokens, endpoint) = make();
        for wrong in ["x", "quite other text of a similar length"] {
            let message = Message::new(&endpoint, b"", &[("x-webhook-secret", wrong)]);
            assert!(!message.judged(Kernel::Single).0.is_valid());
            let many: Vec<_> = iter::repeat_n(message, 40).collect();
            batch(&many, Kernel::detect(), 2, &mut go_on).unwrap();
        }
        let mut snapshot = Snapshot::default();
        for (name, scheme) in [("a", &tokens), ("b", &tokens), ("c", &github)] {
            let terms = Terms::Kept { default: scheme };
            snapshot.enter(name, terms, &[secret(token)]).unwrap();
        }
        assert_eq!(snapshot.shared_keys().len(), 1);
    });
    assert!(found.is_empty(), "{found:?}");
}

/// The keys of the other hash functions.
#[test]
fn test_threat_20_other_hashes() {
    let _alone = alone();
    let key: Vec<u8> = keys()[2].repeat(2);
    for length in [32, 64, 128, 200] {
        let key = &key[..length];
        let pads = [0x36, 0x5c].map(|pad| key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>());
        let search = Search::of(&[
            ("the key", key),
            ("the inner pad", &pads[0]),
            ("the outer pad", &pads[1]),
        ]);
        let found = search.found(|| {
            drop(Box::new(Sha1KeyState::new(key)));
            drop(Box::new(Sha512KeyState::new(key)));
        });
        assert!(found.is_empty(), "{length} bytes: {found:?}");
    }
}
