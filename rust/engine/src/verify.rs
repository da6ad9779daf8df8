//! One message: the order of judgement, and the MACs it takes.

use hookseal_lanes::{Interrupted, Job, Kernel, Mac, Watch, sha256};

use crate::{
    compare::matches_any,
    endpoint::{Endpoint, Positions, each},
    header::{self, MAX_ID_BYTES, Role, Slot, Values},
    key::Key,
    outcome::{NO_SECRET, Outcome, Place, Verdict},
    replay::Backlog,
    scheme::{MAX_TEMPLATE_BYTES, Part},
    signature::{self, Candidates},
    timestamp::{self, MAX_TIMESTAMP_DIGITS, Tolerance},
};

/// What a verifier asks of every message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The window, where an endpoint has none of its own.
    pub tolerance: Option<Tolerance>,
    /// The most bytes of a body.
    pub max_body_bytes: Option<usize>,
    /// How long a message may have waited, where a guard has to know it again.
    pub backlog: Option<Backlog>,
}

impl Rules {
    /// The refusal of a body over the limit.
    ///
    /// # Errors
    /// `TooLarge`.
    pub fn admit(&self, body: &[u8]) -> Result<(), Outcome> {
        match self.max_body_bytes {
            Some(limit) if body.len() > limit => Err(Outcome::too_large(Place::Body, limit)),
            _ => Ok(()),
        }
    }

    /// When a message counts as having arrived.
    #[must_use]
    #[inline]
    pub fn arrival(&self, at: i64) -> i64 {
        self.backlog.map_or(at, |backlog| backlog.arrival(at))
    }

    /// The outcome of a message that nobody signed: valid unless it is too large.
    #[must_use]
    pub fn unsigned(&self, body: &[u8]) -> Outcome {
        self.admit(body)
            .map_or_else(|refused| refused, |()| Outcome::valid(NO_SECRET, None))
    }
}

/// A message that passed everything but its MACs.
#[derive(Clone, Copy, Debug)]
pub struct Prepared<'a> {
    /// The header family that was used.
    pub family: u8,
    /// The signed id, trimmed.
    pub id: Option<&'a [u8]>,
    /// The signed timestamp's text, trimmed.
    pub timestamp_text: Option<&'a [u8]>,
    /// The signed timestamp in Unix seconds.
    pub timestamp: Option<i64>,
    /// The secrets to try.
    pub live: Positions,
}

impl Prepared<'_> {
    /// The outcome, once it is known which secret matched.
    #[must_use]
    pub fn outcome(&self, matched: Option<usize>) -> Outcome {
        outcome(matched, self.timestamp, self.live, self.family)
    }
}

/// Rows 4 to 11 of the order of judgement: everything that needs no MAC. Candidates go to
/// `found`; of a token, its digest.
///
/// # Errors
/// The refusal.
#[inline]
pub fn prepare<'a>(
    endpoint: &Endpoint,
    rules: &Rules,
    body: &[u8],
    values: &'a (impl Values + ?Sized),
    at: i64,
    mut found: impl FnMut(Mac),
) -> Result<Prepared<'a>, Outcome> {
    rules.admit(body)?;
    let scheme = endpoint.scheme();
    let fields = header::read(scheme, values)?;
    let family = fields.family;
    let timestamp = match (fields.timestamp, endpoint.tolerance(rules.tolerance)) {
        (Some(text), Some(tolerance)) => {
            let judged = timestamp::judge(text, scheme.unit, tolerance, at, family);
            if let Some(late) = rules
                .backlog
                .and_then(|backlog| backlog.late(tolerance, at))
            {
                // Of all that applies the first row counts.
                return Err(match judged {
                    Err(refused) if refused.verdict <= late.verdict => refused,
                    _ => late,
                });
            }
            Some(judged?)
        }
        _ => None,
    };
    let mut is_empty = true;
    let mut found = |candidate| {
        is_empty = false;
        found(candidate);
    };
    match (fields.token, fields.signature) {
        (Some(value), _) => {
            if let Some(token) = signature::token(scheme, value) {
                found(sha256(token));
            }
        }
        // Nearly every message; otherwise its values are gone through once more.
        (None, Some(value)) => signature::candidates_of(scheme, value, found),
        (None, None) => signature::candidates(scheme, family, values, found),
    }
    if is_empty {
        return Err(Outcome::at_header(
            Verdict::MalformedSignature,
            family,
            Role::Signature,
        ));
    }
    Ok(Prepared {
        family,
        id: fields.id,
        timestamp_text: fields.timestamp,
        timestamp,
        live: endpoint.live(at),
    })
}

/// The outcome of a prepared message.
pub(crate) fn outcome(
    matched: Option<usize>,
    timestamp: Option<i64>,
    live: Positions,
    family: u8,
) -> Outcome {
    if let Some(secret) = matched.and_then(|at| i8::try_from(at).ok()) {
        return Outcome::valid(secret, timestamp);
    }
    let role = Role::Signature;
    let place = Place::Header(Slot { family, role });
    Outcome::refused(
        Verdict::SignatureMismatch,
        place,
        i64::from(live.count_ones()),
    )
}

/// Writes the signed bytes on one side of the body.
#[inline]
pub fn write_parts(
    parts: &[Part],
    id: Option<&[u8]>,
    timestamp: Option<&[u8]>,
    mut write: impl FnMut(&[u8]),
) {
    for part in parts {
        match part {
            Part::Id => write(id.unwrap_or_default()),
            Part::Timestamp => write(timestamp.unwrap_or_default()),
            Part::Literal(bytes) => match &**bytes {
                // A full stop, nearly always: a store, where others are copied by a call.
                [byte] => write(&[*byte]),
                bytes => write(bytes),
            },
        }
    }
}

/// Judges one message, and says from which header family it read. Nothing is allocated.
///
/// # Errors
/// [`Interrupted`] if `watch` says so.
pub fn judge(
    kernel: Kernel,
    endpoint: &Endpoint,
    rules: &Rules,
    body: &[u8],
    values: &(impl Values + ?Sized),
    at: i64,
    watch: &mut Watch<'_>,
) -> Result<(Outcome, u8), Interrupted> {
    let mut candidates = Candidates::new();
    let found = |candidate| candidates.push(candidate);
    let prepared = match prepare(endpoint, rules, body, values, at, found) {
        Ok(prepared) => prepared,
        Err(refused) => return Ok((refused, 0)),
    };
    let scheme = endpoint.scheme();
    let mut around = Around::default();
    let mut write = |parts| {
        write_parts(parts, prepared.id, prepared.timestamp_text, |part| {
            around.push(part);
        });
        around.length
    };
    let (head_end, tail_end) = (write(&scheme.head), write(&scheme.tail));
    let around = around.bytes();
    for at in each(prepared.live) {
        let mac = match endpoint.key(at) {
            Key::Mac(key) => kernel.mac(
                &Job {
                    key,
                    head: &around[..head_end],
                    body,
                    tail: &around[head_end..tail_end],
                },
                watch,
            )?,
            Key::Token(digest) => *digest,
        };
        if matches_any(&mac, &candidates) {
            return Ok((prepared.outcome(Some(at)), prepared.family));
        }
    }
    Ok((prepared.outcome(None), prepared.family))
}

/// The most signed bytes around a body: a template has each placeholder at most once.
pub const MAX_AROUND_BYTES: usize = MAX_TEMPLATE_BYTES + MAX_ID_BYTES + MAX_TIMESTAMP_DIGITS;

/// The signed bytes around a body, one part behind the other. A list of `smallvec` takes two calls for
/// each part, which are a fiftieth of a message of 1 KiB.
struct Around {
    near: [u8; MAX_AROUND_BYTES],
    /// All of them, where they are more: no scheme of Python's.
    far: Vec<u8>,
    length: usize,
}

impl Default for Around {
    fn default() -> Self {
        Self {
            near: [0; MAX_AROUND_BYTES],
            far: Vec::new(),
            length: 0,
        }
    }
}

impl Around {
    #[inline]
    fn push(&mut self, part: &[u8]) {
        let end = self.length + part.len();
        match self.near.get_mut(self.length..end) {
            Some(room) if self.far.is_empty() => room.copy_from_slice(part),
            _ => self.push_far(part),
        }
        self.length = end;
    }

    #[cold]
    fn push_far(&mut self, part: &[u8]) {
        if self.far.is_empty() {
            self.far.extend_from_slice(&self.near[..self.length]);
        }
        self.far.extend_from_slice(part);
    }

    fn bytes(&self) -> &[u8] {
        if self.far.is_empty() {
            &self.near[..self.length]
        } else {
            &self.far
        }
    }
}
