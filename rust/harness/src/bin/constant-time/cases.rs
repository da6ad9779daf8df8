//! The cases: what is done with secrets, each a closure that a tool watches.

use std::sync::Arc;

use hookseal_engine::{
    Key, Verdict,
    batch::{Chunk, Scratch},
    endpoint::Endpoint,
    scheme::{Algorithm, KeyText},
    secret::{Kind, Secret},
    verify::{self, Rules},
};
use hookseal_lanes::{Job, Kernel, KeyState, Keyed, Mac, Sha1KeyState, Sha512KeyState, sha256};

use crate::{
    compare::matches_any,
    controls,
    draw::{Draw, encoded_base64, encoded_hex},
    message::{self, Message, NOW},
    taint,
};

/// Draws the secrets, and hands back the work. Only the work is watched step by step.
type Prepare = Box<dyn Fn(&mut Draw) -> Work>;

/// Does the work; hands back what came out of the secrets, all of it marked.
type Work = Box<dyn FnOnce() -> Vec<u8>>;

type Alone = fn(&mut Draw) -> Work;
type WithKernel = fn(Kernel, &mut Draw) -> Work;

/// One thing that is done with secrets.
pub struct Case {
    what: &'static str,
    /// Whose kernel's, where there are several ways to do it.
    kernel: Option<Kernel>,
    pub prepare: Prepare,
}

impl Case {
    /// The pieces of the case's name. They are not joined: the memory sanitizer has not seen
    /// the code of `format!` compiled, and takes what it writes for memory without a value.
    pub fn name(&self) -> [&'static str; 3] {
        match self.kernel {
            Some(kernel) => [self.what, "-", kernel.name()],
            None => [self.what, "", ""],
        }
    }

    pub fn is_named(&self, name: &[u8]) -> bool {
        self.name()
            .iter()
            .flat_map(|piece| piece.bytes())
            .eq(name.iter().copied())
    }
}

/// Every case that this processor can run.
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    let plain: [(_, Alone); 10] = [
        ("compare", compare),
        ("macs-sha1", |draw| other_macs(draw, Sha1KeyState::new)),
        ("macs-sha512", |draw| other_macs(draw, Sha512KeyState::new)),
        ("token", token),
        ("verify-token", verify_token),
        ("base64", base64),
        ("hex", hex),
        ("endpoint", endpoint),
        ("control-early-exit", |draw| {
            let (mac, other) = (array(&draw.secret(32)), array(&draw.public(32)));
            Box::new(move || early_exit(&[mac], &other))
        }),
        ("control-lookup", |draw| {
            let mac = array(&draw.secret(32));
            Box::new(move || controls::lookup(&mac).into())
        }),
    ];
    for (what, prepare) in plain {
        cases.push(Case {
            what,
            kernel: None,
            prepare: Box::new(prepare),
        });
    }
    let with_kernel: [(_, WithKernel); 6] = [
        ("mac", mac),
        ("macs", macs),
        ("verify", verify),
        ("batch", batch),
        ("control-early-exit", |kernel, draw| {
            let (macs, other) = (macs(kernel, draw), array(&draw.public(32)));
            Box::new(move || early_exit(macs().as_chunks().0, &other))
        }),
        ("control-lookup", |kernel, draw| {
            let macs = macs(kernel, draw);
            Box::new(move || {
                macs()
                    .as_chunks()
                    .0
                    .iter()
                    .flat_map(controls::lookup)
                    .collect()
            })
        }),
    ];
    for kernel in Kernel::ALL
        .into_iter()
        .filter(|kernel| kernel.is_available())
    {
        for (what, prepare) in with_kernel {
            cases.push(Case {
                what,
                kernel: Some(kernel),
                prepare: Box::new(move |draw| prepare(kernel, draw)),
            });
        }
    }
    cases
}

/// One at a time: keys shorter than a block, as long, and longer; messages whose padding takes
/// a block more or not (see `job`). The shortest key fills one register of the SHA extensions: the memory
/// sanitizer follows marks through their instructions word by word.
fn mac(kernel: Kernel, draw: &mut Draw) -> Work {
    let keys: Vec<_> = [16, 64, 65].map(|length| draw.secret(length)).into();
    let bodies: Vec<_> = LENGTHS.map(|length| draw.public(length)).into();
    Box::new(move || {
        let mut macs = Vec::new();
        for key in &keys {
            let key = KeyState::new(key);
            for body in &bodies {
                let mac = kernel.mac(&job(&key, body), &mut |_| Ok(()));
                macs.extend_from_slice(&mac.unwrap_or_default());
            }
        }
        macs
    })
}

/// More messages than the kernel has lanes, of several lengths, under several keys: lanes are
/// refilled, and a rest is handed on to another kernel.
fn macs(kernel: Kernel, draw: &mut Draw) -> Work {
    let keys: Vec<_> = [24, 64, 100].map(|length| draw.secret(length)).into();
    let bodies: Vec<_> = (0..MESSAGES)
        .map(|at| draw.public(LENGTHS[at % LENGTHS.len()]))
        .collect();
    Box::new(move || {
        let keys: Vec<_> = keys.iter().map(|key| KeyState::new(key)).collect();
        let jobs = bodies.iter().enumerate();
        let jobs: Vec<_> = jobs
            .map(|(at, body)| job(&keys[at % keys.len()], body))
            .collect();
        let mut macs = vec![Mac::default(); jobs.len()];
        // Nobody stops it.
        let _ = kernel.macs(&jobs, &mut macs, &mut |_| Ok(()));
        macs.into_flattened()
    })
}

/// The same over a hash function that has no lanes: keys up to its block, which is of 128 bytes at most,
/// and longer.
fn other_macs<K>(draw: &mut Draw, absorb: fn(&[u8]) -> K) -> Work
where
    K: Keyed + 'static,
    K::Mac: AsRef<[u8]> + Default,
{
    let keys: Vec<_> = [16, 64, 65, 128, 129]
        .map(|length| draw.secret(length))
        .into();
    let bodies: Vec<_> = LENGTHS.map(|length| draw.public(length)).into();
    Box::new(move || {
        let mut all = Vec::new();
        for key in &keys {
            let key = absorb(key);
            let jobs: Vec<_> = bodies.iter().map(|body| job(&key, body)).collect();
            let mut macs: Vec<K::Mac> = jobs.iter().map(|_| K::Mac::default()).collect();
            // Nobody stops it.
            let _ = K::macs(Kernel::Single, &jobs, &mut macs, &mut |_| Ok(()));
            all.extend(macs.iter().flat_map(|mac| mac.as_ref().iter().copied()));
        }
        all
    })
}

const LENGTHS: [usize; 4] = [0, 34, 35, 119];

const MESSAGES: usize = Kernel::MOST_LANES + 3;

fn job<'a, K>(key: &'a K, body: &'a [u8]) -> Job<'a, K> {
    Job {
        key,
        head: b"msg_1.1700000000.",
        body,
        tail: b".end",
    }
}

/// One message through the engine, with the second of two secrets: from its headers to the
/// verdict, which is public.
fn verify(kernel: Kernel, draw: &mut Draw) -> Work {
    let (endpoint, keys) = endpoint_of(Algorithm::HmacSha256, draw);
    let forged: [Mac; 2] = [array(&draw.public(32)), array(&draw.public(32))];
    let message = Message::signed(draw.public(200), &keys[1], &forged);
    mark_keys(&endpoint);
    judged(kernel, endpoint, message)
}

fn judged(kernel: Kernel, endpoint: Arc<Endpoint>, message: Message) -> Work {
    Box::new(move || {
        let (rules, values) = (Rules::default(), message.values());
        let judged = verify::judge(
            kernel,
            &endpoint,
            &rules,
            &message.body,
            values.as_slice(),
            NOW,
            &mut |_| Ok(()),
        );
        let is_valid = judged.is_ok_and(|(outcome, _)| outcome.verdict == Verdict::Valid);
        assert!(is_valid, "a valid message");
        Vec::new()
    })
}

/// The same with many messages.
fn batch(kernel: Kernel, draw: &mut Draw) -> Work {
    let (endpoint, keys) = endpoint_of(Algorithm::HmacSha256, draw);
    let messages: Vec<_> = (0..MESSAGES)
        .map(|at| {
            let body = draw.public(LENGTHS[at % LENGTHS.len()]);
            Message::signed(body, &keys[at % 2], &[])
        })
        .collect();
    mark_keys(&endpoint);
    Box::new(move || {
        let mut chunk = Chunk::new(Rules::default());
        for (at, message) in messages.iter().enumerate() {
            for (slot, value) in message.values() {
                assert!(chunk.value(slot, value).is_ok(), "message {at}");
            }
            let pushed = chunk.push(at, &message.body[..], &endpoint, NOW);
            assert!(pushed.is_ok(), "message {at}");
        }
        assert!(chunk.close(1, kernel).is_ok());
        let _ = chunk.hash(0, &mut Scratch::default(), kernel, &mut |_| Ok(()));
        chunk.settle(|at, judged, _| {
            assert!(judged.outcome.verdict == Verdict::Valid, "message {at}");
        });
        Vec::new()
    })
}

fn endpoint_of(algorithm: Algorithm, draw: &mut Draw) -> (Arc<Endpoint>, [Vec<u8>; 2]) {
    // Tokens are UTF-8, and keys may be anything.
    let keys = [32, 24].map(|length| encoded_hex(&draw.public(length)));
    (message::endpoint(algorithm, &keys), keys)
}

fn mark_keys(endpoint: &Endpoint) {
    for key in endpoint.keys() {
        match key {
            Key::Mac(state) => taint::mark_value(state),
            Key::Token(digest) => taint::mark_value(digest),
        }
    }
}

/// A token through the engine.
fn verify_token(draw: &mut Draw) -> Work {
    let (endpoint, keys) = endpoint_of(Algorithm::Token, draw);
    let message = Message::with_token(draw.public(200), keys[1].clone());
    mark_keys(&endpoint);
    judged(Kernel::Single, endpoint, message)
}

/// A secret MAC against several candidates, the second of which is it.
fn compare(draw: &mut Draw) -> Work {
    let mac = array(&draw.public(32));
    let candidates = [array(&draw.public(32)), mac, array(&draw.public(32))];
    let mut secret = mac;
    Box::new(move || {
        taint::mark(&mut secret);
        let other = [candidates[0], candidates[2]];
        [
            matches_any(&secret, &candidates),
            matches_any(&secret, &other),
        ]
        .map(u8::from)
        .into()
    })
}

/// A secret token against what a header had: both are hashed.
fn token(draw: &mut Draw) -> Work {
    let secrets = [8, 32, 55, 56, 64, 200].map(|length| draw.secret(length));
    let sent = draw.public(32);
    Box::new(move || {
        let mut found = Vec::new();
        for secret in &secrets {
            if let Key::Token(digest) = Key::new(secret, Algorithm::Token) {
                found.extend_from_slice(&digest);
                found.push(u8::from(matches_any(&digest, &[sha256(&sent)])));
            }
        }
        found
    })
}

/// Base64 text, of every length modulo three, to a key.
fn base64(draw: &mut Draw) -> Work {
    let texts = [24, 31, 32].map(|length| draw.text(length, encoded_base64));
    Box::new(move || {
        let secrets = texts.iter().map(|text| Secret::from_base64(text));
        secrets.flat_map(|secret| revealed(&secret)).collect()
    })
}

/// Hexadecimal text to a key.
fn hex(draw: &mut Draw) -> Work {
    let texts = [24, 32].map(|length| draw.text(length, encoded_hex));
    Box::new(move || {
        let secrets = texts.iter().map(|text| Secret::from_hex(text));
        secrets.flat_map(|secret| revealed(&secret)).collect()
    })
}

fn revealed<E>(secret: &Result<Secret, E>) -> Vec<u8> {
    secret.as_ref().map_or(&[][..], Secret::reveal).into()
}

/// Text of Standard Webhooks to an endpoint, which looks for weak secrets.
fn endpoint(draw: &mut Draw) -> Work {
    let text = draw.text(32, |bytes| [b"whsec_", &*encoded_base64(bytes)].concat());
    Box::new(move || {
        let scheme = message::scheme(Algorithm::HmacSha256, KeyText::Base64);
        let secret = Secret::new(text.into_bytes().into(), Kind::Text);
        let endpoint = secret.map(|secret| Endpoint::new("", scheme, None, &[secret]));
        assert!(matches!(endpoint, Ok(Ok(_))), "a good secret");
        Vec::new()
    })
}

fn early_exit(macs: &[Mac], other: &Mac) -> Vec<u8> {
    let found = macs.iter().map(|mac| controls::early_exit(mac, other));
    found.flat_map(usize::to_le_bytes).collect()
}

fn array(bytes: &[u8]) -> Mac {
    bytes.first_chunk().copied().unwrap_or_default()
}
