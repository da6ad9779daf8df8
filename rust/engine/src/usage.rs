//! How often a secret matched, counted by every verifier that shares it.

use std::sync::atomic::{
    AtomicI64, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// The counts of one secret. A secret keeps them while it keeps its label and its key.
#[derive(Debug)]
pub struct Usage {
    number: u64,
    matched: AtomicU64,
    /// The earliest and the latest instant; without one as far from any other as can be.
    first: AtomicI64,
    last: AtomicI64,
}

/// What was counted of one secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The messages that it matched.
    pub count: u64,
    /// The earliest and the latest instant at which one of them was judged, in Unix seconds;
    /// None where there is none.
    pub seen: Option<(i64, i64)>,
}

/// Numbers are given once.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

impl Default for Usage {
    fn default() -> Self {
        Self {
            number: NEXT_NUMBER.fetch_add(1, Relaxed),
            matched: AtomicU64::new(0),
            first: AtomicI64::new(i64::MAX),
            last: AtomicI64::new(i64::MIN),
        }
    }
}

impl Usage {
    /// What tells these counts from all others of the process, earlier ones of the same
    /// label too.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Counts messages that were judged at instants from `first` to `last`.
    pub fn add(&self, count: u64, first: i64, last: i64) {
        if count == 0 {
            return;
        }
        // A look is cheaper than a change, and most messages move neither end.
        if first < self.first.load(Relaxed) {
            self.first.fetch_min(first, Relaxed);
        }
        if last > self.last.load(Relaxed) {
            self.last.fetch_max(last, Relaxed);
        }
        // Behind the instants: who sees the count sees them too.
        self.matched.fetch_add(count, Release);
    }

    /// What was counted so far.
    #[must_use]
    pub fn matched(&self) -> Matched {
        let count = self.matched.load(Acquire);
        let seen = (self.first.load(Relaxed), self.last.load(Relaxed));
        Matched {
            count,
            seen: (count > 0).then_some(seen),
        }
    }
}
