//! One endpoint: a scheme, a tolerance, and the secrets that are held for it.

use std::sync::{Arc, OnceLock};

use hookseal_lanes::prefetch_value;

use crate::{
    finding::{self, Finding},
    key::Key,
    label::{Counter, Label},
    name::Name,
    scheme::Scheme,
    secret::{Fault, Secret},
    stack::wipe_below,
    timestamp::Tolerance,
    usage::Usage,
};

/// The most secrets of one endpoint: a message costs one MAC for each.
pub const MAX_SECRETS: usize = 8;

/// One secret as an endpoint holds it: its key, not its text.
#[derive(Debug)]
pub struct Held {
    /// The key.
    pub key: Key,
    /// What it is called.
    pub label: Label,
    /// Made when there is something to say.
    about: OnceLock<Box<About>>,
}

/// What most secrets of a large ring do not have, or not yet.
#[derive(Clone, Debug, Default)]
struct About {
    not_before: Option<i64>,
    not_after: Option<i64>,
    findings: Vec<Finding>,
    usage: Arc<Usage>,
}

impl Held {
    /// Live from this second.
    #[must_use]
    pub fn not_before(&self) -> Option<i64> {
        self.about.get()?.not_before
    }

    /// Live until before this second.
    #[must_use]
    pub fn not_after(&self) -> Option<i64> {
        self.about.get()?.not_after
    }

    /// Its weaknesses, found while the text was at hand.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.about.get().map_or(&[], |about| &about.findings)
    }

    /// How often it matched, for all endpoints that hold it: those before and after a change.
    #[must_use]
    pub fn usage(&self) -> &Arc<Usage> {
        &self.about.get_or_init(Box::default).usage
    }

    /// Whether the secret is tried at that second.
    #[must_use]
    pub fn is_live(&self, at: i64) -> bool {
        self.not_before().is_none_or(|from| from <= at) && self.not_after().is_none_or(|to| at < to)
    }

    fn has_window(&self) -> bool {
        self.not_before().is_some() || self.not_after().is_some()
    }
}

impl Clone for Held {
    /// What is counted of the one is counted of the other.
    fn clone(&self) -> Self {
        // Made now, so that both hold the same.
        let _ = self.usage();
        Self {
            key: self.key.clone(),
            label: self.label.clone(),
            about: self.about.clone(),
        }
    }
}

/// The secrets of an endpoint, as bits by position.
pub type Positions = u8;

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    name: Name,
    scheme: Arc<Scheme>,
    /// In a box, for few have one.
    tolerance: Option<Box<Tolerance>>,
    held: Box<[Held]>,
    counter: Counter,
    has_windows: bool,
    always_live: Positions,
}

impl Endpoint {
    /// An endpoint with its secrets, in the order in which they are tried. A verifier without
    /// a ring has one, without a name.
    ///
    /// # Errors
    /// The fault, and the position of the secret that has it.
    pub fn new(
        name: &str,
        scheme: Arc<Scheme>,
        tolerance: Option<Tolerance>,
        secrets: &[Secret],
    ) -> Result<Self, (usize, Fault)> {
        let mut endpoint = Self {
            name: name.into(),
            scheme,
            tolerance: tolerance.map(Box::new),
            held: Box::default(),
            counter: Counter::default(),
            has_windows: false,
            always_live: 0,
        };
        let filled = endpoint.fill(secrets);
        wipe_below();
        filled.map(|()| endpoint)
    }

    /// The endpoint's name in its ring.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    #[inline]
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.as_bytes() == name.as_bytes()
    }

    /// The scheme its messages are signed by.
    #[must_use]
    pub fn scheme(&self) -> &Arc<Scheme> {
        &self.scheme
    }

    /// Its secrets, in the order in which they are tried.
    #[must_use]
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// Its own tolerance, if it has one.
    #[must_use]
    pub fn own_tolerance(&self) -> Option<Tolerance> {
        self.tolerance.as_deref().copied()
    }

    /// How its messages' freshness is judged: by its own tolerance, else the verifier's, else
    /// the scheme's; None where no time is signed.
    #[must_use]
    pub fn tolerance(&self, verifier: Option<Tolerance>) -> Option<Tolerance> {
        let (past, future) = self.scheme.tolerance?;
        Some(
            self.own_tolerance()
                .or(verifier)
                .unwrap_or(Tolerance::Window { past, future }),
        )
    }

    /// Whether a verdict depends on the instant of judgement.
    #[must_use]
    pub fn needs_instant(&self, verifier: Option<Tolerance>) -> bool {
        self.has_windows || matches!(self.tolerance(verifier), Some(Tolerance::Window { .. }))
    }

    /// Whether which secrets are live depends on the second.
    #[must_use]
    #[inline]
    pub fn has_windows(&self) -> bool {
        self.has_windows
    }

    /// The secrets that are live at that second.
    #[must_use]
    #[inline]
    pub fn live(&self, at: i64) -> Positions {
        if self.has_windows {
            self.positions(|held| held.is_live(at))
        } else {
            self.always_live
        }
    }

    /// The secrets that are always live.
    #[must_use]
    pub fn always_live(&self) -> Positions {
        self.always_live
    }

    /// Asks the processor to bring in the endpoint.
    #[inline]
    pub fn prefetch(&self) {
        prefetch_value(self);
    }

    /// Asks the processor to bring in the secret that is tried first.
    #[inline]
    pub fn prefetch_secret(&self) {
        if let Some(held) = self.held.first() {
            prefetch_value(&held.key);
        }
    }

    /// The same endpoint under another scheme, tolerance and secrets.
    ///
    /// # Errors
    /// The fault, and the position of the secret that has it.
    pub fn changed(
        &self,
        scheme: Arc<Scheme>,
        tolerance: Option<Tolerance>,
        secrets: &[Secret],
    ) -> Result<Self, (usize, Fault)> {
        let mut changed = Self {
            scheme,
            tolerance: tolerance.map(Box::new),
            ..self.clone()
        };
        let filled = changed.fill(secrets);
        wipe_below();
        filled.map(|()| changed)
    }

    /// Replaces the secrets. The counter of labels goes on, so none is used again; what was
    /// counted of a secret goes on where its label and its key are the same.
    fn fill(&mut self, secrets: &[Secret]) -> Result<(), (usize, Fault)> {
        if secrets.is_empty() {
            return Err((0, Fault::NoSecret));
        }
        if secrets.len() > MAX_SECRETS {
            return Err((MAX_SECRETS, Fault::TooMany));
        }
        let mut counter = self.counter;
        let mut held: Vec<Held> = Vec::with_capacity(secrets.len());
        for (at, secret) in secrets.iter().enumerate() {
            // A number that somebody asks for further on is not counted before.
            let asked_for = |label: &str| secrets.iter().any(|it| it.label() == Some(label));
            let given = |label: &str| held.iter().any(|it| *it.label == *label);
            let label = match secret.label() {
                Some(label) => counter.assign(Some(label), given),
                None => counter.assign(None, asked_for),
            };
            let mut new = label
                .and_then(|label| self.hold(secret, label))
                .map_err(|fault| (at, fault))?;
            let mut before = self.held.iter();
            let is_same = |it: &&Held| *it.label == *new.label && it.key.same_as_vartime(&new.key);
            if let Some(old) = before.find(is_same) {
                let mut about = new.about.take().unwrap_or_default();
                about.usage = Arc::clone(old.usage());
                new.about = OnceLock::from(about);
            }
            if held.iter().any(|old| old.key.same_as_vartime(&new.key)) {
                return Err((at, Fault::SameKey));
            }
            held.push(new);
        }
        self.counter = counter;
        self.put(held);
        Ok(())
    }

    /// Puts a new secret first; the others end at `until` unless they end before.
    ///
    /// # Errors
    /// The fault of the new secret; then nothing has changed.
    pub fn rotate(&mut self, new: &Secret, until: Option<i64>) -> Result<Label, Fault> {
        if self.held.len() == MAX_SECRETS {
            return Err(Fault::TooMany);
        }
        let mut counter = self.counter;
        let taken = |label: &str| self.held.iter().any(|held| *held.label == *label);
        let label = counter.assign(new.label(), taken)?;
        let new = self.hold(new, label.clone())?;
        if self
            .held
            .iter()
            .any(|old| old.key.same_as_vartime(&new.key))
        {
            return Err(Fault::SameKey);
        }
        let others = self.held.iter().cloned().map(|mut held| {
            if let Some(until) = until {
                let mut about = held.about.take().unwrap_or_default();
                about.not_after = Some(about.not_after.map_or(until, |end| end.min(until)));
                held.about = OnceLock::from(about);
            }
            held
        });
        let held = std::iter::once(new).chain(others).collect();
        self.counter = counter;
        self.put(held);
        Ok(label)
    }

    /// Removes a secret; false if no secret has that label.
    ///
    /// # Errors
    /// [`Fault::LastSecret`]: an endpoint is never left without one.
    pub fn remove(&mut self, label: &str) -> Result<bool, Fault> {
        let Some(at) = self.held.iter().position(|held| *held.label == *label) else {
            return Ok(false);
        };
        if self.held.len() == 1 {
            return Err(Fault::LastSecret);
        }
        // Not `Vec::remove`: what it shifts leaves a keyed state behind at the end.
        let (before, behind) = (&self.held[..at], &self.held[at + 1..]);
        self.put([before, behind].concat());
        Ok(true)
    }

    fn hold(&self, secret: &Secret, label: Label) -> Result<Held, Fault> {
        let about = About {
            not_before: secret.not_before,
            not_after: secret.not_after,
            findings: finding::check(secret, &self.scheme),
            usage: Arc::default(),
        };
        let is_plain =
            secret.not_before.or(secret.not_after).is_none() && about.findings.is_empty();
        Ok(Held {
            key: secret.key(&self.scheme)?,
            label,
            about: if is_plain {
                OnceLock::new()
            } else {
                OnceLock::from(Box::new(about))
            },
        })
    }

    fn put(&mut self, held: Vec<Held>) {
        self.has_windows = held.iter().any(Held::has_window);
        self.held = held.into();
        self.always_live = self.positions(|held| !held.has_window());
    }

    fn positions(&self, which: impl Fn(&Held) -> bool) -> Positions {
        self.held
            .iter()
            .zip(0_u32..)
            .filter(|(held, _)| which(held))
            .fold(0, |bits, (_, at)| bits | 1 << at)
    }
}

/// The single positions of a set, lowest first.
pub fn each(mut positions: Positions) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = positions.trailing_zeros() as usize;
        positions &= positions.wrapping_sub(1);
        (lowest < MAX_SECRETS).then_some(lowest)
    })
}
