//! Replays: what a message is known by, and how long after its arrival it may be judged.

use hookseal_lanes::{Interrupted, Job, Kernel, Keyed, Mac, SharedStart, Watch};

use crate::{
    outcome::{Outcome, Place, Verdict},
    profile::Profile,
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
        endpoint: &Profile,
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
pub fn seconds(endpoint: &Profile, rules: &Rules, ttl: Option<i64>) -> Result<i64, Unprotected> {
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
    endpoint: &'a Profile,
    start: SharedStart,
}

impl<'a> Keys<'a> {
    /// For the messages of an endpoint.
    #[must_use]
    pub fn of(endpoint: &'a Profile) -> Self {
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

    /// The key of a message that was found good.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so.
    pub fn key(
        &self,
        kernel: Kernel,
        told: Told<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Key, Interrupted> {
        let mut around = Vec::new();
        let hashed = self.hashed(told, &mut around);
        let job = hashed.job(&self.start, 0, &around);
        Ok(key(&SharedStart::digest(kernel, &job, watch)?))
    }

    /// What is hashed of a message; what is not its body is written behind `around`.
    fn hashed<'b>(&self, told: Told<'b>, around: &mut Vec<u8>) -> Hashed<'b> {
        match told {
            Told::Id(id) => {
                around.extend_from_slice(&length(id.len()));
                let head = around.len();
                Hashed {
                    head,
                    body: id,
                    tail: head,
                }
            }
            Told::Signed { timestamp, body } => {
                let scheme = self.endpoint.scheme();
                let start = around.len();
                around.extend_from_slice(&length(0));
                let mut write = |parts| {
                    write_parts(parts, None, timestamp, |part| {
                        around.extend_from_slice(part);
                    });
                    around.len()
                };
                let (head, tail) = (write(&scheme.head), write(&scheme.tail));
                let (bytes, _) = around[start..].split_at_mut(size_of::<u64>());
                bytes.copy_from_slice(&length(tail - start - bytes.len() + body.len()));
                Hashed { head, body, tail }
            }
        }
    }
}

/// What tells a message apart from others of its endpoint.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// Its signed id.
    Id(&'a [u8]),
    /// The whole of its signed bytes: for schemes that sign no id.
    Signed {
        /// The text of the time, where one is signed.
        timestamp: Option<&'a [u8]>,
        /// The body.
        body: &'a [u8],
    },
}

/// What is hashed of a message: its body, or its id, and where that ends which comes before and behind.
#[derive(Debug)]
struct Hashed<'a> {
    head: usize,
    body: &'a [u8],
    tail: usize,
}

impl<'a> Hashed<'a> {
    fn job(&self, key: &'a SharedStart, start: usize, around: &'a [u8]) -> Job<'a, SharedStart> {
        Job {
            key,
            head: &around[start..self.head],
            body: self.body,
            tail: &around[self.head..self.tail],
        }
    }
}

/// Messages that were found good, and whose keys are made side by side: to hash them one by one takes
/// longer than to verify them did, and what is hashed of each lies somewhere else in memory.
#[derive(Debug, Default)]
pub struct Together<'a> {
    /// Each with the place of the maker of its key.
    hashed: Vec<(usize, Hashed<'a>)>,
    around: Vec<u8>,
    bytes: usize,
}

impl<'a> Together<'a> {
    /// Adds one, whose key `keys` makes; `place` says later where that is.
    #[inline]
    pub fn push(&mut self, place: usize, keys: &Keys<'_>, told: Told<'a>) {
        let hashed = keys.hashed(told, &mut self.around);
        self.bytes += hashed.body.len();
        self.hashed.push((place, hashed));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashed.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashed.is_empty()
    }

    /// How many bytes their bodies and ids have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes the keys, behind those that are there, and begins anew.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so.
    ///
    /// # Panics
    /// If there is no maker at a place that was told.
    pub fn make(
        &mut self,
        kernel: Kernel,
        makers: &[Option<Keys<'_>>],
        keys: &mut Vec<Key>,
        watch: &mut Watch<'_>,
    ) -> Result<(), Interrupted> {
        let mut start = 0;
        let mut jobs = Vec::with_capacity(self.hashed.len());
        for (place, hashed) in &self.hashed {
            let maker = makers[*place].as_ref().expect("who made what is hashed");
            jobs.push(hashed.job(&maker.start, start, &self.around));
            start = hashed.tail;
        }
        let mut digests = vec![Mac::default(); jobs.len()];
        Keyed::macs(kernel, &jobs, &mut digests, watch)?;
        keys.extend(digests.iter().map(key));
        self.bytes = 0;
        self.around.clear();
        self.hashed.clear();
        Ok(())
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
