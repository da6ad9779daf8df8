//! A ring: many endpoints by name, as one immutable snapshot.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    endpoint::Endpoint,
    key::Key,
    label::Label,
    scheme::Scheme,
    secret::{Fault, Secret},
    stack::{apart, wipe_below},
    table::{Hash, Table},
    timestamp::Tolerance,
};

/// The endpoints at one moment. A call takes a snapshot and keeps it to its end.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    table: Table,
}

/// The hashes of names that are looked up together; None where there is no name.
pub type Hashes<const COUNT: usize> = [Option<Hash>; COUNT];

impl Snapshot {
    /// The endpoint of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Endpoint> {
        self.find(name).map(|(_, endpoint)| endpoint)
    }

    /// The endpoint of that name, and its position among them all.
    #[must_use]
    #[inline]
    pub fn find(&self, name: &str) -> Option<(usize, &Endpoint)> {
        self.table.find(name)
    }

    /// Begins to look up some names together. Each look is a chain of waits for memory: so none
    /// goes on before all have asked for what comes next, and there is time for other work
    /// before [`Snapshot::find_each`].
    #[must_use]
    pub fn seek_each<const COUNT: usize>(&self, names: &[Option<&str>; COUNT]) -> Hashes<COUNT> {
        names.map(|name| name.map(|name| self.table.prefetch_slot(name)))
    }

    /// Looks the names up, as [`Snapshot::find`] does one.
    pub fn find_each<'s, const COUNT: usize>(
        &'s self,
        names: &[Option<&str>; COUNT],
        hashes: &Hashes<COUNT>,
        mut found: impl FnMut(usize, usize, &'s Endpoint),
    ) {
        for hash in hashes.iter().flatten() {
            self.table.prefetch_endpoint(*hash);
        }
        for (which, (name, hash)) in names.iter().zip(hashes).enumerate() {
            if let (Some(name), Some(hash)) = (name, hash)
                && let Some((position, endpoint)) = self.table.find_hashed(name, *hash)
            {
                found(which, position, endpoint);
            }
        }
    }

    /// The endpoints in the order in which they came.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.table.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The secrets whose key an earlier endpoint also has, with their endpoints.
    #[must_use]
    pub fn shared_keys(&self) -> Vec<(&Endpoint, &str)> {
        // With room for all from the start: a set that grows leaves its members behind.
        let keys = self.endpoints().map(|endpoint| endpoint.held().len());
        let mut seen = HashSet::with_capacity(keys.sum());
        let mut shared = Vec::new();
        for endpoint in self.endpoints() {
            for (held, key) in endpoint.held().iter().zip(endpoint.keys()) {
                if seen.contains(&key.fingerprint()) {
                    shared.push((endpoint, &*held.label));
                }
            }
            seen.extend(endpoint.keys().map(Key::fingerprint));
        }
        shared
    }

    /// Adds an endpoint, or gives the one of that name new secrets; its counter of labels
    /// goes on.
    ///
    /// # Errors
    /// What is refused.
    pub fn enter(
        &mut self,
        name: &str,
        terms: Terms<'_>,
        secrets: &[Secret],
    ) -> Result<(), Refused> {
        let refused = |(at, fault)| Refused::Secret(at, fault);
        let endpoint = match (self.get(name), terms) {
            (Some(old), Terms::Kept { .. }) => {
                let scheme = Arc::clone(old.scheme());
                old.changed(scheme, old.own_tolerance(), secrets)
            }
            (Some(old), Terms::Own { scheme, tolerance }) => {
                old.changed(Arc::clone(scheme), tolerance, secrets)
            }
            (None, Terms::Kept { default }) => {
                Endpoint::new(name, Arc::clone(default), None, secrets)
            }
            (None, Terms::Own { scheme, tolerance }) => {
                Endpoint::new(name, Arc::clone(scheme), tolerance, secrets)
            }
        };
        self.adopt([&*endpoint.map_err(refused)?]);
        Ok(())
    }

    fn copy_of(&self, name: &str) -> Result<Endpoint, Refused> {
        self.get(name).cloned().ok_or(Refused::Endpoint)
    }

    /// Adds copies of endpoints, each in the place of the one of its name if there is one. What is
    /// counted of the one is counted of the other.
    pub fn adopt<'e>(&mut self, endpoints: impl IntoIterator<Item = &'e Endpoint>) {
        apart(|| {
            for endpoint in endpoints {
                self.table.adopt(endpoint);
            }
        });
        wipe_below();
    }
}

/// A ring that changes by swapping its snapshot.
#[derive(Debug, Default)]
pub struct Ring {
    current: RwLock<Arc<Snapshot>>,
}

impl Ring {
    /// A ring that begins with a snapshot.
    #[must_use]
    pub fn new(mut snapshot: Snapshot) -> Self {
        apart(|| snapshot.table.shrink());
        wipe_below();
        Self {
            current: RwLock::new(Arc::new(snapshot)),
        }
    }

    /// The endpoints as they are now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a new secret first in an endpoint; the others end at `until`.
    ///
    /// # Errors
    /// What is refused; then nothing has changed.
    pub fn rotate(&self, name: &str, new: &Secret, until: Option<i64>) -> Result<Label, Refused> {
        self.change(|snapshot| {
            let mut endpoint = snapshot.copy_of(name)?;
            let label = endpoint
                .rotate(new, until)
                .map_err(|fault| Refused::Secret(0, fault))?;
            snapshot.adopt([&endpoint]);
            Ok(label)
        })
    }

    /// Gives an endpoint new secrets, or adds it; see [`Snapshot::enter`].
    ///
    /// # Errors
    /// What is refused; then nothing has changed.
    pub fn replace(&self, name: &str, terms: Terms<'_>, secrets: &[Secret]) -> Result<(), Refused> {
        self.change(|snapshot| snapshot.enter(name, terms, secrets))
    }

    /// Removes one secret of an endpoint.
    ///
    /// # Errors
    /// What is refused; then nothing has changed.
    pub fn remove(&self, name: &str, label: &str) -> Result<(), Refused> {
        self.change(|snapshot| {
            let mut endpoint = snapshot.copy_of(name)?;
            if !endpoint
                .remove(label)
                .map_err(|fault| Refused::Secret(0, fault))?
            {
                return Err(Refused::Label);
            }
            snapshot.adopt([&endpoint]);
            Ok(())
        })
    }

    /// Removes an endpoint.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn remove_endpoint(&self, name: &str) -> Result<(), Refused> {
        self.change(|snapshot| {
            if snapshot.table.remove(name) {
                Ok(())
            } else {
                Err(Refused::Endpoint)
            }
        })
    }

    /// Changes the snapshot that the next call takes. Changes come one after the other. Nothing but the
    /// engine runs under the lock, so it is never held for long, nor by one who waits.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Snapshot) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // A copy where a call in progress holds the snapshot; each change judges before it
        // changes, so one that is refused leaves all as it was.
        let changed = apart(|| change(Arc::make_mut(&mut current)));
        wipe_below();
        changed
    }
}

/// Why a ring did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no endpoint of that name.
    Endpoint,
    /// The endpoint has no secret of that label.
    Label,
    /// The secret at that position has that fault.
    Secret(usize, Fault),
}

/// The scheme and tolerance of an endpoint that enters a ring.
#[derive(Clone, Copy, Debug)]
pub enum Terms<'a> {
    /// Those it has; for a new endpoint the ring's scheme.
    Kept {
        /// The ring's scheme.
        default: &'a Arc<Scheme>,
    },
    /// Its own.
    Own {
        /// Its scheme.
        scheme: &'a Arc<Scheme>,
        /// Its tolerance; None for the verifier's.
        tolerance: Option<Tolerance>,
    },
}
