//! One endpoint: a scheme, a tolerance, and the secrets that are held for it.

use std::{
    iter,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use hookseal_lanes::prefetch_address;

use crate::{
    finding,
    key::Key,
    label::{Counter, Label},
    name::Name,
    profile::{About, Held, Helds, Profile},
    scheme::Scheme,
    secret::{Fault, Secret},
    stack::{apart, wipe_below},
    timestamp::Tolerance,
};

/// The most secrets of one endpoint: a message costs one MAC for each.
pub const MAX_SECRETS: usize = 8;

/// The secrets of an endpoint, as bits by position.
pub type Positions = u8;

/// An endpoint: its profile, and its keys.
///
/// All that judging a message takes lies here, side by side and in two lines of the cache: what
/// of the profile it takes as well, and the key that is tried first. The rest is for results.
///
/// To move one leaves a key behind: so it is made where it stays, or behind a pointer.
#[derive(Clone, Debug)]
pub struct Endpoint {
    name: Name,
    scheme: Arc<Scheme>,
    profile: Arc<Profile>,
    first: Key,
    others: Box<[Key]>,
    has_tolerance: bool,
    has_windows: bool,
    always_live: Positions,
}

const _: () = assert!(size_of::<Endpoint>() <= 128, "two lines");

/// What is known of an endpoint, without what it repeats.
impl Deref for Endpoint {
    type Target = Profile;

    fn deref(&self) -> &Profile {
        &self.profile
    }
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
    ) -> Result<Arc<Self>, (usize, Fault)> {
        let made = apart(|| {
            let profile = Profile {
                name: name.into(),
                scheme,
                tolerance: tolerance.map(Box::new),
                held: Helds::new(),
                counter: Counter::default(),
            };
            Self::filled(profile, None, secrets)
        });
        wipe_below();
        made
    }

    /// What is known of it, to be held on to.
    #[must_use]
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// Asks the processor to bring in what is counted up when somebody holds on to the profile.
    #[inline]
    pub fn prefetch_profile(&self) {
        // The counts of an `Arc` lie before what it holds.
        let counts = Arc::as_ptr(&self.profile).wrapping_byte_sub(size_of::<[usize; 2]>());
        prefetch_address(counts, 1);
    }

    /// Whether it has that name.
    #[must_use]
    #[inline]
    pub fn is_named(&self, name: &str) -> bool {
        self.name.as_bytes() == name.as_bytes()
    }

    /// The scheme its messages are signed by.
    #[must_use]
    #[inline]
    pub fn scheme(&self) -> &Arc<Scheme> {
        &self.scheme
    }

    /// The key of the secret at a position.
    #[must_use]
    #[inline]
    pub fn key(&self, secret: usize) -> &Key {
        match secret.checked_sub(1) {
            None => &self.first,
            Some(other) => &self.others[other],
        }
    }

    /// The keys of its secrets, in the same order.
    #[must_use]
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Key> {
        let count = 1 + self.others.len();
        (0..count).map(|at| self.key(at))
    }

    /// How its messages' freshness is judged; see [`Profile::tolerance`].
    #[must_use]
    #[inline]
    pub fn tolerance(&self, verifier: Option<Tolerance>) -> Option<Tolerance> {
        if self.has_tolerance {
            self.profile.tolerance(verifier)
        } else {
            self.scheme.window(verifier)
        }
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
            positions(self.held(), |held| held.is_live(at))
        } else {
            self.always_live
        }
    }

    /// The secrets that are always live.
    #[must_use]
    pub fn always_live(&self) -> Positions {
        self.always_live
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
    ) -> Result<Arc<Self>, (usize, Fault)> {
        let changed = apart(|| {
            let profile = Profile {
                name: self.name.clone(),
                scheme,
                tolerance: tolerance.map(Box::new),
                held: Helds::new(),
                counter: self.counter,
            };
            Self::filled(profile, Some(self), secrets)
        });
        wipe_below();
        changed
    }

    /// An endpoint with new secrets. The counter of labels goes on, so none is used again; what
    /// was counted of a secret before goes on where its label and its key are the same.
    fn filled(
        mut profile: Profile,
        before: Option<&Self>,
        secrets: &[Secret],
    ) -> Result<Arc<Self>, (usize, Fault)> {
        if secrets.is_empty() {
            return Err((0, Fault::NoSecret));
        }
        if secrets.len() > MAX_SECRETS {
            return Err((MAX_SECRETS, Fault::TooMany));
        }
        let mut keys: Vec<Key> = Vec::with_capacity(secrets.len());
        let mut all = Helds::with_capacity(secrets.len());
        for (at, secret) in secrets.iter().enumerate() {
            // A number that somebody asks for further on is not counted before.
            let asked_for = |label: &str| secrets.iter().any(|it| it.label() == Some(label));
            let given = |label: &str| all.iter().any(|it| *it.label == *label);
            let label = match secret.label() {
                Some(label) => profile.counter.assign(Some(label), given),
                None => profile.counter.assign(None, asked_for),
            };
            let refused = |fault| (at, fault);
            let mut held = hold(secret, &profile.scheme, label.map_err(refused)?);
            let key = secret.key(&profile.scheme).map_err(refused)?;
            let is_same =
                |(it, old): &(&Held, &Key)| *it.label == *held.label && old.same_as_vartime(&key);
            let same = before.and_then(|it| it.held().iter().zip(it.keys()).find(is_same));
            if let Some((old, _)) = same {
                let mut about = held.about.take().unwrap_or_default();
                about.usage = Arc::clone(old.usage());
                held.about = OnceLock::from(about);
            }
            if keys.iter().any(|old| old.same_as_vartime(&key)) {
                return Err((at, Fault::SameKey));
            }
            keys.push(key);
            all.push(held);
        }
        profile.held = all;
        let [first, others @ ..] = &*keys else {
            return Err((0, Fault::NoSecret));
        };
        Ok(Arc::new(Self::of(profile, first.clone(), others.into())))
    }

    /// Puts a new secret first; the others end at `until` unless they end before.
    ///
    /// # Errors
    /// The fault of the new secret; then nothing has changed.
    pub fn rotate(&mut self, new: &Secret, until: Option<i64>) -> Result<Label, Fault> {
        if self.held().len() == MAX_SECRETS {
            return Err(Fault::TooMany);
        }
        let mut counter = self.counter;
        let taken = |label: &str| self.held().iter().any(|held| *held.label == *label);
        let label = counter.assign(new.label(), taken)?;
        let held = hold(new, &self.scheme, label.clone());
        let key = new.key(&self.scheme)?;
        if self.keys().any(|old| old.same_as_vartime(&key)) {
            return Err(Fault::SameKey);
        }
        let others = self.held().iter().cloned().map(|mut held| {
            if let Some(until) = until {
                let mut about = held.about.take().unwrap_or_default();
                about.not_after = Some(about.not_after.map_or(until, |end| end.min(until)));
                held.about = OnceLock::from(about);
            }
            held
        });
        let profile = Profile {
            held: iter::once(held).chain(others).collect(),
            counter,
            ..self.bare()
        };
        let others = collected(self.held().len(), self.keys());
        *self = Self::of(profile, key, others);
        Ok(label)
    }

    /// Removes a secret; false if no secret has that label.
    ///
    /// # Errors
    /// [`Fault::LastSecret`]: an endpoint is never left without one.
    pub fn remove(&mut self, label: &str) -> Result<bool, Fault> {
        let Some(at) = self.held().iter().position(|held| *held.label == *label) else {
            return Ok(false);
        };
        if self.held().len() == 1 {
            return Err(Fault::LastSecret);
        }
        let is_left = |place: &usize| *place != at;
        let mut left = (0..self.held().len()).filter(is_left);
        let profile = Profile {
            held: left.clone().map(|at| self.held()[at].clone()).collect(),
            ..self.bare()
        };
        let first = left.next().unwrap_or_default();
        // Not `Vec::remove`: what it shifts leaves a keyed state behind at the end.
        let others = collected(profile.held.len() - 1, left.map(|at| self.key(at)));
        *self = Self::of(profile, self.key(first).clone(), others);
        Ok(true)
    }

    /// Its profile, but for the secrets.
    fn bare(&self) -> Profile {
        Profile {
            name: self.name.clone(),
            scheme: Arc::clone(&self.scheme),
            tolerance: self.own_tolerance().map(Box::new),
            held: Helds::new(),
            counter: self.counter,
        }
    }

    fn of(profile: Profile, first: Key, others: Box<[Key]>) -> Self {
        Self {
            name: profile.name.clone(),
            scheme: Arc::clone(&profile.scheme),
            has_tolerance: profile.tolerance.is_some(),
            has_windows: profile.held.iter().any(Held::has_window),
            always_live: positions(&profile.held, |held| !held.has_window()),
            profile: Arc::new(profile),
            first,
            others,
        }
    }
}

fn hold(secret: &Secret, scheme: &Scheme, label: Label) -> Held {
    let about = About {
        not_before: secret.not_before,
        not_after: secret.not_after,
        findings: finding::check(secret, scheme),
        usage: Arc::default(),
    };
    let is_plain = secret.not_before.or(secret.not_after).is_none() && about.findings.is_empty();
    Held {
        label,
        about: if is_plain {
            OnceLock::new()
        } else {
            OnceLock::from(Box::new(about))
        },
    }
}

/// So many keys, in memory that never moved.
fn collected<'k>(count: usize, keys: impl Iterator<Item = &'k Key>) -> Box<[Key]> {
    let mut collected = Vec::with_capacity(count);
    collected.extend(keys.cloned());
    collected.into()
}

fn positions(all: &[Held], which: impl Fn(&Held) -> bool) -> Positions {
    all.iter()
        .zip(0_u32..)
        .filter(|(held, _)| which(held))
        .fold(0, |bits, (_, at)| bits | 1 << at)
}

/// The single positions of a set, lowest first.
pub fn each(mut positions: Positions) -> impl Iterator<Item = usize> {
    iter::from_fn(move || {
        let lowest = positions.trailing_zeros() as usize;
        positions &= positions.wrapping_sub(1);
        (lowest < MAX_SECRETS).then_some(lowest)
    })
}
