//! What the tests of the engine share: the vectors, an oracle that signs, and messages.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod scene;
pub mod time;

use std::{collections::HashMap, fmt::Write as _, fs, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookseal_engine::{
    Interrupted, Kernel, Outcome, Stop, Watch,
    batch::{Chunk, Crew, Scratch, with_crew},
    endpoint::Endpoint,
    header::{Role, Single, Slot, Values},
    scheme::{Algorithm, Encoding, Family, KeyText, Names, Part, Scheme, Unit},
    secret::{Kind, Secret},
    timestamp::Tolerance,
    verify::{self, Rules},
};
use hookseal_lanes::{Mac, sha256};
use serde_json::Value;

/// The moment at which the vectors are judged.
pub const NOW: i64 = 1_700_000_000;

/// A file of tests/vectors.
pub fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).expect(&path);
    serde_json::from_str(&text).expect(&path)
}

/// What a TEXT of tests/vectors/texts.py stands for.
pub struct Text {
    pub bytes: Vec<u8>,
    /// Whether it is `str`, as Python would hand it over.
    pub is_str: bool,
}

impl Text {
    pub fn of(value: &Value) -> Self {
        if let Some(text) = value.as_str() {
            return Self {
                bytes: text.into(),
                is_str: true,
            };
        }
        let (form, value) = value
            .as_object()
            .and_then(|it| it.iter().next())
            .expect("a TEXT");
        let parts: Vec<Self> = match form.as_str() {
            "b64" => {
                let bytes = STANDARD.decode(string(value)).expect("base64");
                return Self {
                    bytes,
                    is_str: false,
                };
            }
            "repeat" => {
                let times = value[1].as_u64().expect("a number");
                (0..times).map(|_| Self::of(&value[0])).collect()
            }
            "concat" => list(value).iter().map(Self::of).collect(),
            _ => panic!("unknown form of TEXT: {form}"),
        };
        Self {
            is_str: parts.iter().all(|part| part.is_str),
            bytes: parts.into_iter().flat_map(|part| part.bytes).collect(),
        }
    }
}

pub fn string(value: &Value) -> String {
    value.as_str().expect("a string").into()
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

/// The schemes of tests/vectors/schemes.json, compiled.
pub fn schemes() -> HashMap<String, Arc<Scheme>> {
    let file = vectors("schemes.json");
    let compiled = file.as_object().expect("an object").iter();
    compiled
        .map(|(name, row)| (name.clone(), Arc::new(compile(name, row))))
        .collect()
}

fn compile(name: &str, row: &Value) -> Scheme {
    let some = |value: &Value| value.as_str().map(str::to_owned);
    let parts = |value| {
        list(value)
            .iter()
            .map(|part| Part::named(&string(part)))
            .collect()
    };
    let families: Vec<_> = list(&row["families"])
        .iter()
        .map(|family| Family {
            signature: string(&family[0]),
            id: some(&family[1]),
            timestamp: some(&family[2]),
        })
        .collect();
    let lengths = row["key_length"].as_array().map(|both| {
        let length = |at: usize| usize::try_from(both[at].as_u64().expect("a length"));
        (length(0).expect("a length"), length(1).expect("a length"))
    });
    Scheme {
        name: name.into(),
        names: Names::of(&families),
        families,
        prefix: string(&row["prefix"]).into_bytes(),
        encoding: Encoding::named(&string(&row["encoding"])).expect("an encoding"),
        separator: some(&row["separator"]).map(|text| text.as_bytes()[0]),
        head: parts(&row["head"]),
        tail: parts(&row["tail"]),
        id_forbidden: string(&row["id_forbidden"]).into_bytes(),
        algorithm: Algorithm::named(&string(&row["algorithm"])).expect("an algorithm"),
        key: KeyText::named(&string(&row["key"])).expect("a form of keys"),
        key_prefix: some(&row["key_prefix"]).unwrap_or_default(),
        unit: Unit::named(&string(&row["unit"])).expect("a unit"),
        tolerance: pair(&row["tolerance"]),
        key_length: lengths,
    }
}

fn pair(value: &Value) -> Option<(i64, i64)> {
    let both = value.as_array()?;
    Some((both[0].as_i64()?, both[1].as_i64()?))
}

/// A tolerance as the rows write it: null, "off", seconds, or (past, future).
pub fn tolerance(value: &Value) -> Option<Tolerance> {
    if value == "off" {
        return Some(Tolerance::Off);
    }
    let (past, future) = pair(value).or_else(|| value.as_i64().map(|both| (both, both)))?;
    Some(Tolerance::Window { past, future })
}

/// One scheme of the vectors.
pub fn scheme(name: &str) -> Arc<Scheme> {
    Arc::clone(&schemes()[name])
}

/// A secret of text.
pub fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec().into(), Kind::Text).expect(text)
}

/// A secret of bytes.
pub fn secret_of_bytes(bytes: &[u8]) -> Secret {
    Secret::new(bytes.to_vec().into(), Kind::Bytes).expect("a key")
}

/// A secret of text with a label.
pub fn labelled(text: &str, label: &str) -> Secret {
    let mut secret = secret(text);
    secret.set_label(label).expect(label);
    secret
}

/// A secret of text with a window.
pub fn windowed(text: &str, not_before: Option<i64>, not_after: Option<i64>) -> Secret {
    let mut secret = secret(text);
    (secret.not_before, secret.not_after) = (not_before, not_after);
    secret
}

/// An endpoint of secrets that are text.
pub fn endpoint(scheme_name: &str, secrets: &[&str]) -> Arc<Endpoint> {
    let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
    endpoint_of(scheme_name, &secrets)
}

pub fn endpoint_of(scheme_name: &str, secrets: &[Secret]) -> Arc<Endpoint> {
    let endpoint = Endpoint::new("", scheme(scheme_name), None, secrets);
    endpoint.expect(scheme_name)
}

/// HMAC-SHA-256 as RFC 2104 writes it; the lanes' own tests hold `sha256` to another one.
pub fn hmac(key: &[u8], pieces: &[&[u8]]) -> Mac {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&sha256(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = [&block.map(|byte| byte ^ 0x36)[..], &pieces.concat()].concat();
    sha256(&[block.map(|byte| byte ^ 0x5c).as_slice(), &sha256(&inner)].concat())
}

pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes all");
    }
    text
}

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The signature of Standard Webhooks, from a key's bytes.
pub fn v1(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    let mac = hmac(
        key,
        &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body],
    );
    format!("v1,{}", base64(&mac))
}

/// A message and all it is judged by.
#[derive(Clone)]
pub struct Message {
    pub endpoint: Arc<Endpoint>,
    pub rules: Rules,
    pub body: Vec<u8>,
    pub headers: Vec<(Slot, Vec<u8>)>,
    pub at: i64,
}

impl Message {
    /// A message at [`NOW`]; headers that the scheme does not name are not kept.
    pub fn new<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        endpoint: &Arc<Endpoint>,
        body: &[u8],
        headers: &[(N, V)],
    ) -> Self {
        let kept = headers.iter().filter_map(|(name, value)| {
            let slot = endpoint.scheme().slot(name.as_ref())?;
            Some((slot, value.as_ref().to_vec()))
        });
        Self {
            headers: kept.collect(),
            endpoint: Arc::clone(endpoint),
            rules: Rules::default(),
            body: body.into(),
            at: NOW,
        }
    }

    /// A message that Uplift's key `key` signed.
    pub fn good(body: &[u8]) -> Self {
        let signature = format!("sha256={}", hex(&hmac(b"key", &[body])));
        let headers = [("x-uplift-signature-256", signature)];
        Self::new(&endpoint("uplift", &["key"]), body, &headers)
    }

    pub fn values(&self) -> Vec<(Slot, &[u8])> {
        let headers = self.headers.iter();
        headers.map(|(slot, value)| (*slot, &value[..])).collect()
    }

    /// What `verify::judge` says, the header family with it.
    pub fn judged(&self, kernel: Kernel) -> (Outcome, u8) {
        if let Some(single) = self.single() {
            let listed = self.prepared(self.values().as_slice());
            assert_eq!(
                self.prepared(&single),
                listed,
                "with a value of each header"
            );
        }
        self.judge(kernel, &mut go_on).expect("nobody stopped it")
    }

    /// What comes before the MACs, and the candidates.
    fn prepared(&self, values: &(impl Values + ?Sized)) -> (String, Vec<Mac>) {
        let mut candidates = Vec::new();
        let found = |candidate| candidates.push(candidate);
        let Self {
            endpoint, rules, ..
        } = self;
        let prepared = verify::prepare(endpoint, rules, &self.body, values, self.at, found);
        (format!("{prepared:?}"), candidates)
    }

    pub fn judge(
        &self,
        kernel: Kernel,
        watch: &mut Watch<'_>,
    ) -> Result<(Outcome, u8), Interrupted> {
        verify::judge(
            kernel,
            &self.endpoint,
            &self.rules,
            &self.body,
            self.values().as_slice(),
            self.at,
            watch,
        )
    }

    /// The values, where no header has two, and all are of one family.
    pub fn single(&self) -> Option<Single<'_>> {
        let (first, _) = self.headers.first()?;
        let mut single = Single {
            family: first.family,
            values: [None; Role::ALL.len()],
        };
        for (slot, value) in &self.headers {
            let place = &mut single.values[slot.role as usize];
            if slot.family != first.family || place.replace(value).is_some() {
                return None;
            }
        }
        Some(single)
    }

    /// Gives the message to a chunk under a number: in either way that it can be given, by whether
    /// the number is even.
    pub fn push<B: AsRef<[u8]>>(&self, chunk: &mut Chunk<B>, number: usize, body: B) {
        if let Some(single) = self.single()
            && number.is_multiple_of(2)
        {
            let pushed = chunk.push_single(number, body, &self.endpoint, self.at, &single);
            return pushed.expect("there is memory");
        }
        for (slot, value) in &self.headers {
            chunk.value(*slot, value).expect("there is memory");
        }
        let pushed = chunk.push(number, body, &self.endpoint, self.at);
        pushed.expect("there is memory");
    }
}

/// Hashes all of a chunk on this thread.
pub fn hash<B: AsRef<[u8]>>(
    chunk: &mut Chunk<B>,
    kernel: Kernel,
    watch: &mut Watch<'_>,
) -> Result<(), Stop> {
    let mut scratch = Scratch::default();
    chunk.close(2, kernel).expect("there is memory");
    (0..chunk.grains()).try_for_each(|grain| chunk.hash(grain, &mut scratch, kernel, watch))
}

/// What a crew says of messages.
pub fn batch(
    messages: &[Message],
    kernel: Kernel,
    threads: usize,
    watch: &mut Watch<'_>,
) -> Result<Vec<Outcome>, Stop> {
    let bodies = messages.iter().map(|message| &message.body[..]);
    batch_of(messages, bodies, kernel, threads, watch)
}

/// The same with bodies of another type, which count in place of the messages' own.
pub fn batch_of<B: AsRef<[u8]> + Send + Sync>(
    messages: &[Message],
    bodies: impl IntoIterator<Item = B>,
    kernel: Kernel,
    threads: usize,
    watch: &mut Watch<'_>,
) -> Result<Vec<Outcome>, Stop> {
    let mut outcomes = vec![Outcome::UNVERIFIED; messages.len()];
    let rules = messages.first().map(|message| message.rules);
    with_crew(kernel, threads, rules.unwrap_or_default(), |crew| {
        crew.expect(messages.len());
        for (number, (message, body)) in messages.iter().zip(bodies).enumerate() {
            message.push(&mut crew.chunk(), number, body);
            if crew.chunk().is_full() {
                crew.close(2).expect("there is memory");
                crew.start();
                while crew.is_full() {
                    finish(crew, &mut outcomes, watch)?;
                }
            }
        }
        crew.close(1).expect("there is memory");
        crew.start();
        crew.dismiss();
        while crew.is_busy() {
            finish(crew, &mut outcomes, watch)?;
        }
        Ok::<_, Stop>(())
    })?;
    Ok(outcomes)
}

fn finish<B: AsRef<[u8]> + Send + Sync>(
    crew: &mut Crew<'_, '_, B>,
    outcomes: &mut [Outcome],
    watch: &mut Watch<'_>,
) -> Result<(), Stop> {
    crew.finish(watch)?;
    crew.finished().settle(|number, judged, _| {
        assert_eq!(
            outcomes[number],
            Outcome::UNVERIFIED,
            "message {number} twice"
        );
        outcomes[number] = judged.outcome;
    });
    Ok(())
}

/// A watch that never stops the work.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a watch")]
pub fn go_on(_: usize) -> Result<(), Interrupted> {
    Ok(())
}

/// What came of some work, and how many bytes its watch was told of.
pub fn counted<T>(work: impl FnOnce(&mut Watch<'_>) -> T) -> (T, usize) {
    let mut sum = 0;
    let result = work(&mut |bytes| {
        sum += bytes;
        Ok(())
    });
    (result, sum)
}

/// Marsaglia's xorshift64: the same numbers on every run.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        // The upper half: the lowest bits of xorshift are its weakest.
        usize::try_from(self.next() >> 33).expect("31 bits fit") % limit
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}
