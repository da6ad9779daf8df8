//! From the good messages of a batch to their keys, and from what the guard said to verdicts.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use hookseal_engine::{
    Interrupted, Outcome, Place, Verdict, Watch,
    header::trim,
    replay::{Key, Keys, Together, Told},
    verify::Rules,
};
use hookseal_replay::Claim;
use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyBytes, PyDict, PyString},
};

use crate::{
    arguments::no_memory,
    batch::RELEASE_BYTES,
    claimed::BatchClaims,
    clock::now,
    detach::{detached, interrupted},
    kernel,
    one::DETACH_BYTES,
    replay::{Guard, Replay, Ruling},
    result::BatchResult,
    slots::Slots,
    trust::Kind,
    used::Used,
};

/// A batch whose messages were judged, and not claimed yet.
pub struct Judged {
    pub slots: Slots,
    pub used: Used,
    pub kind: Kind,
    pub rules: Rules,
    pub errors: Option<Py<PyDict>>,
    /// Whether messages were refused that had been counted.
    pub has_refused: bool,
}

impl Judged {
    /// A batch of which nothing is known yet. It stays where it is until its result is dropped: it is
    /// large, and what small batches cost would be moving it.
    pub fn begin(kind: Kind, rules: Rules) -> Box<Self> {
        Box::new(Self {
            slots: Slots::default(),
            used: Used::default(),
            kind,
            rules,
            errors: None,
            has_refused: false,
        })
    }

    /// The result, where nobody is to be asked.
    pub fn result(self: Box<Self>, claims: Option<BatchClaims>) -> PyResult<BatchResult> {
        self.used.tell();
        BatchResult::new(self, claims)
    }

    /// The messages that are to be claimed.
    pub fn gather(
        &self,
        py: Python<'_>,
        replay: &Replay,
        since: Option<i64>,
    ) -> PyResult<Gathered> {
        let mut gathered = Gathered {
            since,
            keys: Vec::new(),
            messages: Vec::new(),
            copies: Vec::new(),
            ttl: 1,
        };
        let Some(kept) = &self.slots.particulars else {
            return Ok(gathered);
        };
        let valid = |code: &&u8| **code == Verdict::Valid as u8;
        let count = self.slots.codes.all.iter().filter(valid).count();
        gathered.keys.try_reserve_exact(count).map_err(no_memory)?;
        gathered
            .messages
            .try_reserve_exact(count)
            .map_err(no_memory)?;
        // The makers of keys, by endpoint.
        let mut makers: Vec<Option<Keys<'_>>> = Vec::new();
        makers.resize_with(self.used.all.len(), || None);
        let mut together = Together::default();
        let mut held_bytes = 0;
        for (index, code) in self.slots.codes.all.iter().enumerate() {
            if !valid(&code) {
                continue;
            }
            let place = self.place(index);
            if makers[place].is_none() {
                let endpoint = &self.used.all[place].endpoint;
                let seconds = replay.seconds(py, endpoint, &self.rules)?;
                gathered.ttl = gathered.ttl.max(seconds);
                makers[place] = Some(Keys::of(endpoint));
            }
            let told = kept.ids[index].as_ref().map(|told| told.bind(py));
            if let (Some(maker), Some(body)) = (&makers[place], &kept.bodies[index]) {
                let body = body.bind(py).cast::<PyBytes>()?.as_bytes();
                together.push(place, maker, told_of(maker, told, body)?);
                gathered.messages.push(index);
                if together.len() == MADE_TOGETHER {
                    let keys = &mut gathered.keys;
                    make(py, &mut together, &makers, keys, &mut held_bytes)?;
                }
            }
        }
        let keys = &mut gathered.keys;
        make(py, &mut together, &makers, keys, &mut held_bytes)?;
        if !matches!(replay.guard, Guard::Near(_)) {
            gathered.set_copies_aside();
        }
        Ok(gathered)
    }

    /// Writes down what the guard said.
    pub fn settle(
        mut self: Box<Self>,
        py: Python<'_>,
        replay: &Arc<Replay>,
        mut gathered: Gathered,
        ruling: Ruling,
        keep: bool,
    ) -> PyResult<BatchResult> {
        let (mut won, mut failed) = (None, None);
        match ruling {
            Ruling::Claims(claims, token) => {
                // A message beyond the last answer would stay valid, and nobody would have claimed it.
                if claims.len() != gathered.keys.len() {
                    return Err(PyRuntimeError::new_err(
                        "bug in hookseal: not as many claims as keys",
                    ));
                }
                for (index, place) in &gathered.copies {
                    let claim = match claims[*place] {
                        Claim::Won => after_another(replay),
                        claim => claim,
                    };
                    self.refuse(*index, refused(claim as i64));
                }
                let mut kept = 0;
                for (place, claim) in claims.iter().enumerate() {
                    let index = gathered.messages[place];
                    if *claim == Claim::Won {
                        gathered.messages[kept] = index;
                        gathered.keys[kept] = gathered.keys[place];
                        kept += 1;
                    } else {
                        self.refuse(index, refused(*claim as i64));
                    }
                }
                gathered.messages.truncate(kept);
                gathered.keys.truncate(kept);
                won = Some(token);
            }
            Ruling::Reject(error) => {
                let copies = gathered.copies.iter().map(|(index, _)| index);
                for index in gathered.messages.iter().chain(copies) {
                    self.refuse(*index, refused(UNASKED));
                }
                failed = Some(error);
            }
            Ruling::Accept => {
                // To know copies of one batch takes no guard.
                gathered.set_copies_aside();
                for (index, _) in &gathered.copies {
                    self.refuse(*index, refused(after_another(replay) as i64));
                }
            }
        }
        self.refuse_overtaken(py, replay, &mut gathered)?;
        self.count_again()?;
        if !keep {
            self.slots.particulars = None;
        }
        let Gathered { messages, keys, .. } = gathered;
        let claims = BatchClaims::new(py, replay, won, messages, keys, failed)?;
        self.result(Some(claims))
    }

    /// Refuses what is too old now that the guard has answered. The claims stay: they are of no use to
    /// copies, which are no fresher.
    fn refuse_overtaken(
        &mut self,
        py: Python<'_>,
        replay: &Replay,
        gathered: &mut Gathered,
    ) -> PyResult<()> {
        let (Some(since), false) = (gathered.since, gathered.messages.is_empty()) else {
            return Ok(());
        };
        let answered = now(py)?;
        if answered <= since {
            return Ok(());
        }
        let rules = replay.rules(&self.rules, answered);
        let mut kept = 0;
        for at in 0..gathered.messages.len() {
            let index = gathered.messages[at];
            if let Some(late) = self.overtaken(&rules, index) {
                self.refuse(index, late);
                continue;
            }
            gathered.messages[kept] = index;
            gathered.keys[kept] = gathered.keys[at];
            kept += 1;
        }
        gathered.messages.truncate(kept);
        gathered.keys.truncate(kept);
        Ok(())
    }

    fn overtaken(&self, rules: &Rules, index: usize) -> Option<Outcome> {
        let outcome = &self.slots.particulars.as_ref()?.outcomes[index];
        let endpoint = &self.used.all[self.place(index)].endpoint;
        let late = rules.overtaken(endpoint, outcome, self.slots.arrival(index));
        late.filter(|_| outcome.is_valid())
    }

    /// Counts what the secrets matched once more, if not all of it was let in.
    fn count_again(&mut self) -> PyResult<()> {
        let Some(backlog) = self.rules.backlog.filter(|_| self.has_refused) else {
            return Ok(());
        };
        let Self { used, slots, .. } = self;
        let endpoints = slots.particulars.as_ref().map(|kept| &kept.endpoints);
        let left = slots
            .secrets
            .all
            .iter()
            .enumerate()
            .filter_map(|(index, secret)| {
                let secret = usize::try_from(secret.cast_signed()).ok()?;
                let place = endpoints.and_then(|places| places.get(index));
                let at = slots.arrival(index).unwrap_or(backlog.now);
                Some((place.map_or(0, |place| *place as usize), secret, at))
            });
        used.count_again(left)
    }

    fn place(&self, index: usize) -> usize {
        let kept = self.slots.particulars.as_ref();
        let place = kept.and_then(|kept| kept.endpoints.get(index));
        place.map_or(0, |place| *place as usize)
    }

    fn refuse(&mut self, index: usize, outcome: Outcome) {
        self.has_refused = true;
        self.slots.refuse(index, outcome);
    }
}

/// The number of a refusal where the guard could not be asked; else it is that of the claim.
pub const UNASKED: i64 = 0;

/// The refusal of a message that was claimed before.
pub fn refused(number: i64) -> Outcome {
    Outcome::refused(Verdict::Replayed, Place::Message, number)
}

/// What a copy finds that comes right after the one that won.
fn after_another(replay: &Replay) -> Claim {
    match replay.lease {
        Some(_) => Claim::Pending,
        None => Claim::Done,
    }
}

/// The messages of a batch that are to be claimed.
pub struct Gathered {
    /// The keys.
    pub keys: Vec<Key>,
    /// Whose they are.
    messages: Vec<usize>,
    /// Messages that are copies of one before them, and the place of its key.
    copies: Vec<(usize, usize)>,
    /// For how long the claims are to be remembered, in seconds.
    pub ttl: u32,
    /// What the clock said when they were judged; None where the caller says what time it is.
    since: Option<i64>,
}

impl Gathered {
    /// Leaves each key once, with the first message that has it.
    fn set_copies_aside(&mut self) {
        let mut first = HashMap::with_capacity_and_hasher(self.keys.len(), Digests::default());
        let mut kept = 0;
        for place in 0..self.keys.len() {
            let (key, index) = (self.keys[place], self.messages[place]);
            let own = *first.entry(key).or_insert(kept);
            if own == kept {
                self.keys[kept] = key;
                self.messages[kept] = index;
                kept += 1;
            } else {
                self.copies.push((index, own));
            }
        }
        self.keys.truncate(kept);
        self.messages.truncate(kept);
    }
}

/// Keys are digests: they need no hash of their own.
type Digests = BuildHasherDefault<FirstBytes>;

#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// How many keys are made together: enough that what is hashed next can be asked for in time.
const MADE_TOGETHER: usize = 256;

/// Makes the keys of what came together. `held_bytes` counts what was hashed since the interpreter was
/// let go.
fn make(
    py: Python<'_>,
    together: &mut Together<'_>,
    makers: &[Option<Keys<'_>>],
    keys: &mut Vec<Key>,
    held_bytes: &mut usize,
) -> PyResult<()> {
    *held_bytes = held_bytes.saturating_add(together.bytes());
    let is_long = *held_bytes >= RELEASE_BYTES;
    if is_long {
        *held_bytes = 0;
    }
    let make = |watch: &mut Watch<'_>| together.make(kernel::chosen().kernel, makers, keys, watch);
    unless_long(py, is_long, make)
}

/// The key of one message; `told` is the object that holds its id, or its time, if it has one.
pub fn key(
    py: Python<'_>,
    maker: &Keys<'_>,
    told: Option<&Bound<'_, PyAny>>,
    body: &Bound<'_, PyAny>,
) -> PyResult<Key> {
    let body = body.cast::<PyBytes>()?.as_bytes();
    let told = told_of(maker, told, body)?;
    let is_long = !maker.is_of_ids() && body.len() >= DETACH_BYTES;
    let make = |watch: &mut Watch<'_>| maker.key(kernel::chosen().kernel, told, watch);
    unless_long(py, is_long, make)
}

/// Hashes; lets the interpreter go meanwhile if it takes long.
fn unless_long<T: Send>(
    py: Python<'_>,
    is_long: bool,
    work: impl FnOnce(&mut Watch<'_>) -> Result<T, Interrupted> + Send,
) -> PyResult<T> {
    if is_long {
        detached(py, 1, work)
    } else {
        work(&mut |_| Ok(())).map_err(|Interrupted| interrupted())
    }
}

/// What tells a message apart.
fn told_of<'a>(
    maker: &Keys<'_>,
    told: Option<&'a Bound<'_, PyAny>>,
    body: &'a [u8],
) -> PyResult<Told<'a>> {
    let told = told.map(text_of).transpose()?;
    match told {
        Some(id) if maker.is_of_ids() => Ok(Told::Id(id)),
        // By its signed bytes it would be another message than its copies.
        None if maker.is_of_ids() => Err(PyRuntimeError::new_err(
            "bug in hookseal: an id was not held",
        )),
        timestamp => Ok(Told::Signed { timestamp, body }),
    }
}

/// The text of a header's value that was judged, without the white space around it.
fn text_of<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<&'a [u8]> {
    let text = match value.cast::<PyBytes>() {
        Ok(bytes) => bytes.as_bytes(),
        Err(_) => value.cast::<PyString>()?.to_str()?.as_bytes(),
    };
    Ok(trim(text))
}
