//! Whose signatures a verifier trusts.

use std::sync::Arc;

use hookseal_engine::{
    endpoint::Endpoint,
    ring::{Hashes, Snapshot},
    verify::Rules,
};
use pyo3::{prelude::*, types::PyString};

use crate::{arguments::mistake, encoded::utf8, keyring::Keyring, secret::python_repr};

/// Whose signatures a verifier trusts.
pub enum Trust {
    One(Arc<Endpoint>),
    Ring {
        ring: Py<Keyring>,
        /// What a resolver said of the names that the ring does not hold, where it was asked
        /// before the call.
        settled: Option<Arc<Snapshot>>,
    },
    Unsigned {
        reason: String,
    },
}

impl Trust {
    /// A ring, and whom its resolver knows.
    pub fn of(ring: &Bound<'_, Keyring>) -> Self {
        Self::Ring {
            ring: ring.clone().unbind(),
            settled: None,
        }
    }

    /// Whose signatures are trusted at this moment.
    pub fn endpoints(&self) -> Endpoints {
        match self {
            Self::One(endpoint) => Endpoints::One(Arc::clone(endpoint)),
            Self::Ring { ring, settled } => {
                let resolved = settled.clone();
                let held = ring.get().snapshot();
                Endpoints::Ring(Rings { held, resolved })
            }
            Self::Unsigned { .. } => Endpoints::Unsigned,
        }
    }

    /// What `repr` of a verifier says of it.
    pub fn shown(&self, py: Python<'_>) -> PyResult<String> {
        Ok(match self {
            Self::One(endpoint) => {
                let scheme = python_repr(py, endpoint.scheme().name.as_str())?;
                format!("scheme={scheme}, secrets={}", endpoint.held().len())
            }
            Self::Ring { ring, .. } => format!("endpoints={}", ring.get().snapshot().len()),
            Self::Unsigned { reason } => {
                format!("UNSIGNED, reason={}", python_repr(py, reason)?)
            }
        })
    }

    /// The ring whose resolver is to be asked for what the ring does not hold.
    pub fn asks(&self) -> Option<&Py<Keyring>> {
        match self {
            Self::Ring {
                ring,
                settled: None,
            } => Some(ring).filter(|ring| ring.get().resolver().is_some()),
            _ => None,
        }
    }

    /// The ring, if there is one.
    pub fn ring(&self) -> Option<&Py<Keyring>> {
        match self {
            Self::Ring { ring, .. } => Some(ring),
            Self::One(_) | Self::Unsigned { .. } => None,
        }
    }
}

/// The endpoints of one call: what `Trust` was when it began.
pub enum Endpoints {
    One(Arc<Endpoint>),
    Ring(Rings),
    Unsigned,
}

impl Endpoints {
    /// Where a message that names this endpoint arrives; None if nowhere.
    ///
    /// # Errors
    /// `TypeError` if there is no ring to name an endpoint of.
    pub fn find(&self, name: Option<&Bound<'_, PyString>>) -> PyResult<Option<Arrival<'_>>> {
        match (self, name) {
            (Self::Ring(rings), Some(name)) => Ok(utf8(name)?.and_then(|name| rings.find(name))),
            (Self::One(endpoint), None) => Ok(Some(Arrival::at(endpoint))),
            (Self::Ring(_) | Self::Unsigned, None) => Ok(None),
            (Self::One(_) | Self::Unsigned, Some(name)) => Err(no_ring(name.py())),
        }
    }
}

impl Endpoints {
    /// Whether the instant of a message's arrival is asked for: by its endpoint, or by a ring,
    /// which notes when its secrets matched.
    pub fn need_instant(&self, endpoint: &Endpoint, rules: &Rules) -> bool {
        matches!(self, Self::Ring(_)) || endpoint.needs_instant(rules.tolerance)
    }
}

/// The endpoints of a ring, and those that its resolver knows.
pub struct Rings {
    pub held: Arc<Snapshot>,
    /// None where no resolver was asked.
    pub resolved: Option<Arc<Snapshot>>,
}

impl Rings {
    /// All of them.
    pub fn each(&self) -> impl Iterator<Item = &Endpoint> {
        let resolved = self.resolved.iter().flat_map(|it| it.endpoints());
        self.held.endpoints().chain(resolved)
    }

    fn find(&self, name: &str) -> Option<Arrival<'_>> {
        if let Some((position, endpoint)) = self.held.find(name) {
            return Some(Arrival { endpoint, position });
        }
        let (position, endpoint) = self.resolved.as_ref()?.find(name)?;
        let position = self.held.len() + position;
        Some(Arrival { endpoint, position })
    }

    /// Begins to look up where messages arrived that name these endpoints.
    pub fn seek_each<const COUNT: usize>(&self, names: &[Option<&str>; COUNT]) -> Sought<COUNT> {
        let held = self.held.seek_each(names);
        let resolved = self.resolved.as_ref().map(|it| it.seek_each(names));
        Sought { held, resolved }
    }

    /// Where they arrived, in the same order.
    pub fn find_each<const COUNT: usize>(
        &self,
        names: &[Option<&str>; COUNT],
        sought: &Sought<COUNT>,
    ) -> [Option<Arrival<'_>>; COUNT] {
        let mut all = [None; COUNT];
        let held = &sought.held;
        self.held
            .find_each(names, held, |which, position, endpoint| {
                all[which] = Some(Arrival { endpoint, position });
            });
        if let (Some(resolved), Some(hashes)) = (&self.resolved, &sought.resolved) {
            let first = self.held.len();
            resolved.find_each(names, hashes, |which, position, endpoint| {
                let position = first + position;
                all[which].get_or_insert(Arrival { endpoint, position });
            });
        }
        all
    }
}

/// Endpoints that are being looked up.
pub struct Sought<const COUNT: usize> {
    held: Hashes<COUNT>,
    resolved: Option<Hashes<COUNT>>,
}

/// Where a message arrived.
#[derive(Clone, Copy)]
pub struct Arrival<'e> {
    pub endpoint: &'e Endpoint,
    /// The endpoint's position among those of the call.
    pub position: usize,
}

impl<'e> Arrival<'e> {
    /// At the one endpoint there is.
    pub fn at(endpoint: &'e Endpoint) -> Self {
        let position = 0;
        Self { endpoint, position }
    }
}

/// The error for an endpoint where there is no ring.
pub fn no_ring(py: Python<'_>) -> PyErr {
    mistake(py, ("no-ring",))
}

/// What kind of verifier made a result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    One,
    Ring,
    Unsigned,
}

impl Kind {
    pub fn of(endpoints: &Endpoints) -> Self {
        match endpoints {
            Endpoints::One(_) => Self::One,
            Endpoints::Ring(_) => Self::Ring,
            Endpoints::Unsigned => Self::Unsigned,
        }
    }
}
