//! Whole messages. What is said of each input of the corpus is recorded by the twin in
//! `tests/vectors/fuzzed.json`; tests/fuzzed.py reads the same ones.
//!
//! ```text
//! input  = scheme(1) tolerance(1) secrets(1) at(2) count(1) header* body
//! header = kind(1) length(1) value
//! ```

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use hookseal_engine::{
    Kernel, NO_SECRET, Outcome, Verdict,
    endpoint::Endpoint,
    header::Role,
    scheme::{Algorithm, KeyText, Part, Scheme},
    timestamp::Tolerance,
    verify::Rules,
};

use crate::{
    common::{Message, NOW, base64, hex, hmac, windowed},
    input::Input,
    plain,
};

/// Of an input, what the detected kernel says.
#[must_use]
pub fn said(data: &[u8]) -> Outcome {
    Draft::read(&mut Input::new(data))
        .message()
        .judged(Kernel::detect())
        .0
}

/// Whole messages, as they are described by any bytes.
///
/// # Panics
/// On a finding.
pub fn fuzz(data: &[u8]) {
    let draft = Draft::read(&mut Input::new(data));
    let message = draft.message();
    let (outcome, family) = message.judged(Kernel::detect());
    assert_eq!(message.judged(Kernel::Portable), (outcome, family));
    assert_ne!(outcome.verdict, Verdict::Unverified);
    if outcome.verdict == Verdict::Valid {
        let secret = usize::try_from(outcome.secret).expect("a secret matched");
        assert!(draft.carries_signature(family, secret), "forged: {data:?}");
    } else {
        assert_eq!(outcome.secret, NO_SECRET);
    }
}

/// An input's message, before it is one of the engine's.
pub struct Draft<'a> {
    pub scheme: &'static Arc<Scheme>,
    pub rules: Rules,
    secrets: Secrets,
    at: i64,
    /// Family, role, value; signatures are filled in.
    headers: Vec<(usize, Role, Vec<u8>)>,
    body: &'a [u8],
}

impl<'a> Draft<'a> {
    pub fn read(input: &mut Input<'a>) -> Self {
        let scheme = input.scheme();
        let tolerance = input.byte();
        let seconds = i64::from(tolerance >> 2);
        let window = |future| Tolerance::Window {
            past: seconds,
            future,
        };
        let tolerance = match tolerance & 3 {
            1 => Some(Tolerance::Off),
            // A window where no time is signed is refused at construction.
            2 if scheme.signs_timestamp() => Some(window(seconds)),
            3 if scheme.signs_timestamp() => Some(window(0)),
            _ => None,
        };
        let secrets = Secrets(input.byte());
        let at = NOW + i64::from(i16::from_le_bytes(input.array()));
        let mut headers = Vec::new();
        let mut signed = Vec::new();
        for _ in 0..input.byte() {
            let kind = input.byte();
            let value = input.text();
            let family = usize::from(kind & 7) % scheme.families.len();
            let asked = [Role::Signature, Role::Id, Role::Timestamp, Role::Signature];
            let asked = asked[usize::from(kind >> 3 & 3)];
            let has = scheme.families[family].header(asked).is_some();
            let role = if has { asked } else { Role::Signature };
            headers.push((family, role, value.to_vec()));
            signed.push(kind >> 5 & 3);
            if headers.len() == MAX_HEADERS {
                break;
            }
        }
        let mut draft = Self {
            scheme,
            rules: Rules {
                tolerance,
                max_body_bytes: secrets.max_body_bytes(),
                ..Rules::default()
            },
            secrets,
            at,
            headers,
            body: input.take(usize::MAX),
        };
        for (number, how) in signed.into_iter().enumerate() {
            let more = match how {
                0 => continue,
                1 => draft.signature(0),
                2 => draft.signature(secrets.count() - 1),
                _ => at.to_string().into_bytes(),
            };
            draft.headers[number].2.extend_from_slice(&more);
        }
        draft
    }

    pub fn message(&self) -> Message {
        let names = self.headers.iter().map(|(family, role, value)| {
            let name = self.scheme.families[*family].header(*role);
            (name.expect("the scheme has it"), value)
        });
        let names: Vec<_> = names.collect();
        Message {
            rules: self.rules,
            at: self.at,
            ..Message::new(&self.secrets.endpoint(self.scheme), self.body, &names)
        }
    }

    /// What is signed, from the first values of id and timestamp, whatever they are.
    fn signature(&self, secret: usize) -> Vec<u8> {
        let key = key(secret);
        if self.scheme.algorithm == Algorithm::Token {
            return [&self.scheme.prefix[..], key.as_bytes()].concat();
        }
        self.written(secret, self.first(Role::Id), self.first(Role::Timestamp))
    }

    fn written(&self, secret: usize, id: &[u8], timestamp: &[u8]) -> Vec<u8> {
        let part = |part: &'static Part| match part {
            Part::Id => id,
            Part::Timestamp => timestamp,
            Part::Literal(bytes) => bytes,
        };
        let head = self.scheme.head.iter().map(part);
        let tail = self.scheme.tail.iter().map(part);
        let pieces: Vec<_> = head.chain([self.body]).chain(tail).collect();
        plain::written(self.scheme, &hmac(key(secret).as_bytes(), &pieces))
    }

    fn first(&self, role: Role) -> &[u8] {
        let found = self.headers.iter().find(|(_, its, _)| *its == role);
        found.map_or(&[], |(_, _, value)| plain::trimmed(value))
    }

    /// Whether a signature header of the family holds what the secret makes of the message, as
    /// it is read: the one way to be valid.
    fn carries_signature(&self, family: u8, secret: usize) -> bool {
        let of = |role: Role| {
            let own = move |(its, other, _): &&(usize, Role, Vec<u8>)| {
                *its == usize::from(family) && *other == role
            };
            let values = self.headers.iter().filter(own);
            values.map(|(_, _, value)| plain::trimmed(value))
        };
        let one = |role| of(role).next().unwrap_or_default();
        if self.scheme.algorithm == Algorithm::Token {
            let token = [&self.scheme.prefix[..], key(secret).as_bytes()].concat();
            return of(Role::Signature).all(|value| value == token);
        }
        let expected = self.written(secret, one(Role::Id), one(Role::Timestamp));
        of(Role::Signature).any(|value| {
            let mut places = value.windows(expected.len());
            places.any(|text| text.eq_ignore_ascii_case(&expected))
        })
    }
}

/// More headers would be the same again.
const MAX_HEADERS: usize = 16;

/// Which secrets there are, and the limit of a body: bits of an input.
#[derive(Clone, Copy)]
struct Secrets(u8);

impl Secrets {
    fn count(self) -> usize {
        1 + usize::from(self.0 & 3)
    }

    fn max_body_bytes(self) -> Option<usize> {
        (self.0 & 8 != 0).then_some(32)
    }

    /// The same endpoint for the same bits: it takes longer to make than to use.
    fn endpoint(self, scheme: &'static Arc<Scheme>) -> Arc<Endpoint> {
        type Made = HashMap<(&'static str, u8), Arc<Endpoint>>;
        static MADE: OnceLock<Mutex<Made>> = OnceLock::new();
        let mut made = MADE
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = made.entry((&scheme.name, self.0)).or_insert_with(|| {
            let last = self.count() - 1;
            let secrets = (0..self.count()).map(|number| {
                let not_after = (number == 0 && self.0 & 16 != 0).then_some(NOW);
                let begins = number == last && self.0 & 32 != 0 && not_after.is_none();
                let not_before = begins.then_some(NOW);
                windowed(&text(scheme, number), not_before, not_after)
            });
            let secrets: Vec<_> = secrets.collect();
            Endpoint::new("", Arc::clone(scheme), None, &secrets).expect("good secrets")
        });
        Arc::clone(known)
    }
}

/// The key of that number, which is text as well.
fn key(number: usize) -> String {
    format!("fuzz-secret-{number}-0123456789abcdef")
}

/// The key as the scheme's secrets are written.
fn text(scheme: &Scheme, number: usize) -> String {
    let key = key(number);
    match scheme.key {
        KeyText::Utf8 => key,
        KeyText::Hex => hex(key.as_bytes()),
        KeyText::Base64 => format!("{}{}", scheme.key_prefix, base64(key.as_bytes())),
    }
}
