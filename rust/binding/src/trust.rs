//! Whose signatures a verifier trusts.

use std::sync::Arc;

use hookseal_engine::{endpoint::Endpoint, ring::Snapshot, verify::Rules};
use pyo3::{prelude::*, types::PyString};

use crate::{arguments::mistake, encoded::utf8, keyring::Keyring};

/// Whose signatures a verifier trusts.
pub enum Trust {
    One(Arc<Endpoint>),
    Ring(Py<Keyring>),
    Unsigned { reason: String },
}

/// The endpoints of one call: what `Trust` was when it began.
pub enum Endpoints {
    One(Arc<Endpoint>),
    Ring(Arc<Snapshot>),
    Unsigned,
}

impl Endpoints {
    /// Where a message that names this endpoint arrives; None if nowhere.
    ///
    /// # Errors
    /// `TypeError` if there is no ring to name an endpoint of.
    pub fn find(&self, name: Option<&Bound<'_, PyString>>) -> PyResult<Option<&Arc<Endpoint>>> {
        match (self, name) {
            (Self::Ring(snapshot), Some(name)) => {
                Ok(utf8(name)?.and_then(|name| snapshot.get(name)))
            }
            (Self::One(endpoint), None) => Ok(Some(endpoint)),
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
