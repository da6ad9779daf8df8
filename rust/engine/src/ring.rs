//! A ring: many endpoints by name, as one immutable snapshot.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    endpoint::Endpoint,
    scheme::Scheme,
    secret::{Fault, Secret},
    timestamp::Tolerance,
};

/// The endpoints at one moment. A call takes a snapshot and keeps it to its end.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    endpoints: Vec<Arc<Endpoint>>,
    by_name: HashMap<Box<str>, usize>,
}

impl Snapshot {
    /// The endpoint of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Endpoint>> {
        self.by_name.get(name).map(|at| &self.endpoints[*at])
    }

    /// The endpoints in the order in which they came.
    #[must_use]
    pub fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.endpoints
    }

    /// The secrets whose key an earlier endpoint also has, with their endpoints.
    #[must_use]
    pub fn shared_keys(&self) -> Vec<(&Endpoint, &str)> {
        let mut seen = HashSet::new();
        let mut shared = Vec::new();
        for endpoint in &self.endpoints {
            for held in endpoint.held() {
                if seen.contains(&held.key.fingerprint()) {
                    shared.push((&**endpoint, &*held.label));
                }
            }
            seen.extend(endpoint.held().iter().map(|held| held.key.fingerprint()));
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
        let old = self.get(name);
        let endpoint = match (old, terms) {
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
        self.put(endpoint.map_err(refused)?);
        Ok(())
    }

    fn copy_of(&self, name: &str) -> Result<Endpoint, Refused> {
        self.get(name)
            .map(|endpoint| Endpoint::clone(endpoint))
            .ok_or(Refused::Endpoint)
    }

    fn put(&mut self, endpoint: Endpoint) {
        let endpoint = Arc::new(endpoint);
        if let Some(at) = self.by_name.get(endpoint.name()) {
            self.endpoints[*at] = endpoint;
        } else {
            self.by_name
                .insert(endpoint.name().into(), self.endpoints.len());
            self.endpoints.push(endpoint);
        }
    }

    fn remove(&mut self, name: &str) -> bool {
        let Some(at) = self.by_name.remove(name) else {
            return false;
        };
        self.endpoints.remove(at);
        for (at, endpoint) in self.endpoints.iter().enumerate().skip(at) {
            if let Some(place) = self.by_name.get_mut(endpoint.name()) {
                *place = at;
            }
        }
        true
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
    pub fn new(snapshot: Snapshot) -> Self {
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
    pub fn rotate(
        &self,
        name: &str,
        new: &Secret,
        until: Option<i64>,
    ) -> Result<Box<str>, Refused> {
        self.change(|snapshot| {
            let mut endpoint = snapshot.copy_of(name)?;
            let label = endpoint
                .rotate(new, until)
                .map_err(|fault| Refused::Secret(0, fault))?;
            snapshot.put(endpoint);
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
            snapshot.put(endpoint);
            Ok(())
        })
    }

    /// Removes an endpoint.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn remove_endpoint(&self, name: &str) -> Result<(), Refused> {
        self.change(|snapshot| {
            if snapshot.remove(name) {
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
        change(Arc::make_mut(&mut current))
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
