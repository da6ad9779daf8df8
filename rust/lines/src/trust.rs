//! Whose signatures a judge trusts.

use std::sync::Arc;

use hookseal_engine::{endpoint::Endpoint, ring::Snapshot};

/// Whose signatures a judge trusts.
#[derive(Debug)]
pub enum Trust {
    /// Those of one endpoint, without a name.
    One(Arc<Endpoint>),
    /// Those of a ring as it was at one moment.
    Ring(Arc<Snapshot>),
    /// Every message, signed or not.
    Unsigned,
}

impl Trust {
    /// Where a message that names this endpoint arrives; None if nowhere.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<&Endpoint> {
        match self {
            Self::One(endpoint) => Some(endpoint),
            Self::Ring(snapshot) => snapshot.get(name?),
            Self::Unsigned => None,
        }
    }

    /// Whether a message can name an endpoint.
    pub(crate) fn has_ring(&self) -> bool {
        matches!(self, Self::Ring(_))
    }
}
