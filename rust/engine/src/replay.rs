//! Replays: what a message is known by, and how long after its arrival it may be judged.

use hookseal_lanes::{Interrupted, Mac, SharedStart, Watch};

use crate::{
    endpoint::Endpoint,
    outcome::{Outcome, Place, Verdict},
    scheme::Algorithm,
    timestamp::Tolerance,
    verify::{Rules, write_parts},
};

/// What a message is known by: the first bytes of a SHA-256 digest.
pub type Key = [u8; 16];

/// How a verifier with a guard sees messages that waited before they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// What the clock says, in Unix seconds.
    pub now: i64,
    /// How long a claim is remembered, in seconds; None for as long as a window asks for.
    pub ttl: Option<i64>,
}

impl Backlog {
    /// When a message arrived: not later than now, whatever clock says so. The claim of a message of
    /// tomorrow would have ended before a copy of it is too old.
    #[must_use]
    pub fn arrival(self, at: i64) -> i64 {
        at.min(self.now)
    }

    /// The refusal of a message that waited so long that the claim of a copy could have ended.
    ///
    /// Two copies that are fresh on arrival arrive at most `past + future` apart. The claim of the first
    /// is made when it has arrived, or later; it must outlast the wait of the second.
    #[inline]
    pub(crate) fn late(self, tolerance: Tolerance, at: i64) -> Option<Outcome> {
        let (ttl, needed) = (self.ttl?, needed_seconds(tolerance)?);
        let earliest = self.now - (ttl - needed).max(0);
        (at < earliest).then(|| Outcome::refused(Verdict::TooOld, Place::Arrival, earliest - at))
    }
}

impl Rules {
    /// The refusal of a good message that is too old now that the guard has answered: `backlog` says what
    /// time it is by then, and `arrival` when the message arrived, if that was stated.
    ///
    /// Between judgement and claim a call may have waited for a lock, a disk or a server, and the claim of a
    /// copy may have ended meanwhile. What is fresh after its claim was fresh when that was made.
    #[must_use]
    pub fn overtaken(
        &self,
        endpoint: &Endpoint,
        good: &Outcome,
        arrival: Option<i64>,
    ) -> Option<Outcome> {
        let (backlog, tolerance) = (self.backlog?, endpoint.tolerance(self.tolerance)?);
        let Tolerance::Window { past, .. } = tolerance else {
            return None;
        };
        if let Some(at) = arrival {
            return backlog.late(tolerance, at);
        }
        let from = backlog.now.saturating_sub(past);
        let late = || Outcome::refused(Verdict::TooOld, Place::Answer, from - good.number);
        (good.number < from).then(late)
    }
}

/// For how many seconds the claim of a message that was judged as it arrived must be remembered:
/// as long as a copy can be fresh. None where no window says so.
fn needed_seconds(tolerance: Tolerance) -> Option<i64> {
    match tolerance {
        Tolerance::Window { past, future } => Some(past + future + 1),
        Tolerance::Off => None,
    }
}

/// Why a guard cannot protect an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unprotected {
    /// Its messages are not signed: whoever has the token can make a new one.
    NothingSigned,
    /// Nothing says for how long a copy would be accepted.
    NoWindow,
    /// Claims would end before copies are too old; this many seconds are needed.
    TooShort(i64),
}

impl Unprotected {
    /// The name by which Python knows it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NothingSigned => "replay-token",
            Self::NoWindow => "replay-no-window",
            Self::TooShort(_) => "replay-short",
        }
    }
}

/// For how many seconds a guard must remember the messages of an endpoint.
///
/// # Errors
/// Why it cannot protect them.
pub fn seconds(endpoint: &Endpoint, rules: &Rules, ttl: Option<i64>) -> Result<i64, Unprotected> {
    if endpoint.scheme().algorithm == Algorithm::Token {
        return Err(Unprotected::NothingSigned);
    }
    let needed = endpoint.tolerance(rules.tolerance).and_then(needed_seconds);
    match (needed, ttl) {
        (Some(needed), Some(ttl)) if ttl < needed => Err(Unprotected::TooShort(needed)),
        (_, Some(ttl)) => Ok(ttl),
        (Some(needed), None) => Ok(needed),
        (None, None) => Err(Unprotected::NoWindow),
    }
}

/// Makes the keys of one endpoint's messages.
///
/// A key is the beginning of the SHA-256 of the scheme's name and the endpoint's, zeros up to a whole
/// block, and what tells messages apart; each of the three with its length before it.
#[derive(Debug)]
pub struct Keys<'a> {
    endpoint: &'a Endpoint,
    start: SharedStart,
}

impl<'a> Keys<'a> {
    /// For the messages of an endpoint.
    #[must_use]
    pub fn of(endpoint: &'a Endpoint) -> Self {
        let mut start = Vec::new();
        for name in [&*endpoint.scheme().name, endpoint.name()] {
            start.extend_from_slice(&length(name.len()));
            start.extend_from_slice(name.as_bytes());
        }
        Self {
            endpoint,
            start: SharedStart::new(&start),
        }
    }

    /// Whether the id alone tells messages apart.
    #[must_use]
    pub fn is_of_ids(&self) -> bool {
        self.endpoint.scheme().signs_id()
    }

    /// The key of a message that was found good, by its signed id.
    #[must_use]
    #[inline]
    pub fn of_id(&self, id: &[u8]) -> Key {
        key(&self.start.digest_short(&[&length(id.len()), id]))
    }

    /// The key of a message that was found good, by the whole of its signed bytes: for schemes that sign
    /// no id. `timestamp` is the text of the time, where one is signed.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so.
    pub fn of_signed(
        &self,
        timestamp: Option<&[u8]>,
        body: &[u8],
        watch: &mut Watch<'_>,
    ) -> Result<Key, Interrupted> {
        let scheme = self.endpoint.scheme();
        let [head, tail] = [&scheme.head, &scheme.tail].map(|parts| {
            let mut bytes = Vec::new();
            write_parts(parts, None, timestamp, |part| bytes.extend_from_slice(part));
            bytes
        });
        let signed = length(head.len() + body.len() + tail.len());
        let digest = self.start.digest(&[&signed, &head, body, &tail], watch)?;
        Ok(key(&digest))
    }
}

fn key(digest: &Mac) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(&digest[..size_of::<Key>()]);
    key
}

fn length(bytes: usize) -> [u8; 8] {
    (bytes as u64).to_be_bytes()
}
