//! What was counted: verdicts, endpoints, and which secrets matched when.

use std::{collections::HashMap, sync::Arc};

use hookseal_engine::{
    Outcome, Verdict,
    endpoint::{Endpoint, MAX_SECRETS, Positions},
    profile::Profile,
};

use crate::trust::Trust;

/// Counts of lines. It has one entry for each endpoint of a ring at most, whatever the lines say.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Messages with each verdict, by its number.
    pub counts: [u64; Verdict::ALL.len()],
    /// Lines that are no message.
    pub broken: u64,
    /// The bytes of all lines, blank ones and line ends too.
    pub bytes: u64,
    /// The endpoints in order of first appearance.
    pub endpoints: Vec<EndpointTally>,
    /// By address: a profile that is held stays where it is. 0 is no endpoint.
    places: HashMap<usize, usize>,
}

/// The counts of one endpoint.
#[derive(Clone, Debug)]
pub struct EndpointTally {
    /// The endpoint; None for messages that no endpoint is there for.
    pub endpoint: Option<Arc<Profile>>,
    /// Valid messages.
    pub valid: u64,
    /// Refused messages.
    pub refused: u64,
    /// The secrets that were tried, or would have been.
    pub live: Positions,
    /// What each secret matched, by its position.
    pub secrets: [SecretTally; MAX_SECRETS],
}

/// The counts of one secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecretTally {
    /// The messages that it matched.
    pub matched: u64,
    /// The earliest and the latest instant at which one of them was judged, in Unix seconds.
    pub seen: Option<(i64, i64)>,
}

impl SecretTally {
    fn add(&mut self, other: &Self) {
        self.matched += other.matched;
        self.seen = match (self.seen, other.seen) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (seen, None) | (None, seen) => seen,
        };
    }
}

impl Tally {
    /// Nothing counted. Without a ring there is one endpoint, and it is there from the start.
    #[must_use]
    pub fn new(trust: &Trust) -> Self {
        let mut tally = Self::default();
        match trust {
            Trust::One(endpoint) => _ = tally.arrived(Some(endpoint)),
            Trust::Unsigned => _ = tally.arrived(None),
            Trust::Ring(_) => {}
        }
        tally
    }

    /// Messages and broken lines.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.broken
    }

    /// The position in the list of an endpoint that a message arrived at.
    pub(crate) fn arrived(&mut self, endpoint: Option<&Endpoint>) -> usize {
        let live = endpoint.map_or(0, Endpoint::always_live);
        self.place(endpoint.map(Endpoint::profile), live)
    }

    /// The position of an endpoint in the list.
    fn place(&mut self, endpoint: Option<&Arc<Profile>>, live: Positions) -> usize {
        let address = endpoint.map_or(0, |endpoint| Arc::as_ptr(endpoint).addr());
        let Self {
            places, endpoints, ..
        } = self;
        *places.entry(address).or_insert_with(|| {
            endpoints.push(EndpointTally {
                endpoint: endpoint.cloned(),
                valid: 0,
                refused: 0,
                live,
                secrets: [SecretTally::default(); MAX_SECRETS],
            });
            endpoints.len() - 1
        })
    }

    /// Counts a message that was judged at that instant.
    pub(crate) fn note(&mut self, place: usize, outcome: &Outcome, at: i64) {
        self.counts[usize::from(outcome.verdict as u8)] += 1;
        let entry = &mut self.endpoints[place];
        if !outcome.is_valid() {
            entry.refused += 1;
            return;
        }
        entry.valid += 1;
        if let Ok(secret) = usize::try_from(outcome.secret) {
            entry.secrets[secret].add(&SecretTally {
                matched: 1,
                seen: Some((at, at)),
            });
        }
    }

    /// Adds what was counted after this.
    pub fn add(&mut self, later: &Self) {
        for (count, more) in self.counts.iter_mut().zip(later.counts) {
            *count += more;
        }
        self.broken += later.broken;
        self.bytes += later.bytes;
        for more in &later.endpoints {
            let place = self.place(more.endpoint.as_ref(), more.live);
            let entry = &mut self.endpoints[place];
            entry.valid += more.valid;
            entry.refused += more.refused;
            entry.live |= more.live;
            for (secret, more) in entry.secrets.iter_mut().zip(&more.secrets) {
                secret.add(more);
            }
        }
    }
}
