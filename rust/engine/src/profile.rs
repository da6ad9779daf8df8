//! What is known of an endpoint beside its keys.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use crate::{
    finding::Finding,
    label::{Counter, Label},
    name::Name,
    scheme::Scheme,
    timestamp::Tolerance,
    usage::Usage,
};

/// An endpoint without its keys: what a result of it needs, however long it is held. Changes make
/// another one.
#[derive(Debug)]
pub struct Profile {
    pub(crate) name: Name,
    pub(crate) scheme: Arc<Scheme>,
    /// In a box, for few have one.
    pub(crate) tolerance: Option<Box<Tolerance>>,
    pub(crate) held: Helds,
    pub(crate) counter: Counter,
}

/// As many in place as an endpoint has in a rotation.
pub(crate) type Helds = SmallVec<[Held; 2]>;

impl Profile {
    /// The endpoint's name in its ring.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
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
        self.scheme.window(self.own_tolerance().or(verifier))
    }
}

/// One secret as an endpoint holds it, without its key.
#[derive(Debug)]
pub struct Held {
    /// What it is called.
    pub label: Label,
    /// Made when there is something to say.
    pub(crate) about: OnceLock<Box<About>>,
}

/// What most secrets of a large ring do not have, or not yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub(crate) not_before: Option<i64>,
    pub(crate) not_after: Option<i64>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) usage: Arc<Usage>,
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

    pub(crate) fn has_window(&self) -> bool {
        self.not_before().is_some() || self.not_after().is_some()
    }
}

impl Clone for Held {
    /// What is counted of the one is counted of the other.
    fn clone(&self) -> Self {
        // Made now, so that both hold the same.
        let _ = self.usage();
        Self {
            label: self.label.clone(),
            about: self.about.clone(),
        }
    }
}
