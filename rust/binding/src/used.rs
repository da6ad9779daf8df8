//! The endpoints that a batch's messages arrived at, and what their secrets matched.

use std::sync::Arc;

use hookseal_engine::{
    Outcome,
    endpoint::{Endpoint, MAX_SECRETS, Positions},
    prefetch_value,
    usage::Usage,
};
use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::{arguments::no_memory, slots::small, trust::Arrival};

/// The endpoints that a batch's messages arrived at.
#[derive(Default)]
pub struct Used {
    /// Not in place: a result is an object of Python's, whose memory is not aligned to a line.
    pub all: Vec<UsedEndpoint>,
    /// Where in the list an endpoint is, by its position among those of the call; and one, so
    /// that 0 is nowhere. Empty until there is a second.
    places: Vec<u32>,
}

/// One of them. A batch over many counts somewhere else for each message: in one line of the
/// cache, as long as there are two secrets.
#[repr(align(64))]
pub struct UsedEndpoint {
    pub endpoint: Arc<Endpoint>,
    pub matches: Matches,
    /// Its position among the endpoints of the call.
    position: u32,
    /// The secrets that were tried, or would have been.
    pub live: Positions,
}

const _: () = assert!(size_of::<UsedEndpoint>() == 64, "one line");

/// What each secret of an endpoint matched, by its position.
pub struct Matches {
    counts: [u32; FEW_SECRETS],
    first: [i64; FEW_SECRETS],
    last: [i64; FEW_SECRETS],
    /// Those of the secrets after the first ones, where there are any.
    more: Option<Box<More>>,
}

type More = [Matched; MAX_SECRETS - FEW_SECRETS];

/// The secrets that an endpoint has in a rotation.
const FEW_SECRETS: usize = 2;

impl Matches {
    fn none_of(endpoint: &Endpoint) -> Self {
        let has_more = endpoint.held().len() > FEW_SECRETS;
        Self {
            counts: [0; FEW_SECRETS],
            first: [Matched::NONE.first; FEW_SECRETS],
            last: [Matched::NONE.last; FEW_SECRETS],
            more: has_more.then(|| Box::new([Matched::NONE; MAX_SECRETS - FEW_SECRETS])),
        }
    }

    /// What the secret at a position matched.
    pub fn of(&self, secret: usize) -> Matched {
        match (&self.more, secret.checked_sub(FEW_SECRETS)) {
            (Some(more), Some(at)) => more[at],
            _ => Matched {
                count: self.counts[secret].into(),
                first: self.first[secret],
                last: self.last[secret],
            },
        }
    }

    /// Counts a message.
    #[inline]
    fn add(&mut self, secret: usize, at: i64) {
        let more = self.more.as_mut().zip(secret.checked_sub(FEW_SECRETS));
        let (first, last) = if let Some((more, secret)) = more {
            more[secret].count += 1;
            (&mut more[secret].first, &mut more[secret].last)
        } else {
            // A batch of more messages than this counts has no room in memory.
            self.counts[secret] = self.counts[secret].saturating_add(1);
            (&mut self.first[secret], &mut self.last[secret])
        };
        *first = at.min(*first);
        *last = at.max(*last);
    }
}

/// What a secret matched in a batch.
#[derive(Clone, Copy)]
pub struct Matched {
    pub count: u64,
    /// The first and the last instant at which it did.
    first: i64,
    last: i64,
}

impl Matched {
    const NONE: Self = Self {
        count: 0,
        first: i64::MAX,
        last: i64::MIN,
    };
}

impl Used {
    /// Asks for the place in the list of an endpoint that a message arrived at.
    #[inline]
    pub fn prefetch(&self, arrival: Arrival<'_>) {
        if let Some(place) = self.places.get(arrival.position) {
            prefetch_value(place);
        }
    }

    /// The position of an endpoint in the list.
    #[inline]
    pub fn place(&mut self, arrival: Arrival<'_>) -> PyResult<usize> {
        // Most batches have few endpoints, and neighbours are often of the same one.
        match self.all.last() {
            Some(last) if last.position as usize == arrival.position => Ok(self.all.len() - 1),
            _ => self.find(arrival),
        }
    }

    /// Notes that a message arrived; returns the position of the endpoint in the list.
    #[inline]
    pub fn arrived(&mut self, arrival: Arrival<'_>, at: i64) -> PyResult<usize> {
        let place = self.place(arrival)?;
        // It is counted there when the message has been hashed.
        prefetch_value(&self.all[place]);
        // What is always live was noted with the endpoint: most have nothing else, and the list
        // is long where there are many.
        if arrival.endpoint.has_windows() {
            self.all[place].live |= arrival.endpoint.live(at);
        }
        Ok(place)
    }

    fn find(&mut self, Arrival { endpoint, position }: Arrival<'_>) -> PyResult<usize> {
        let Self { all, places } = self;
        let next = all.len();
        if next > 0 {
            let last = position.max(all[0].position as usize);
            if places.len() <= last {
                places
                    .try_reserve(last + 1 - places.len())
                    .map_err(no_memory)?;
                places.resize(last + 1, 0);
            }
            // The first needs no list: it is looked for in vain as soon as there is a second.
            places[all[0].position as usize] = 1;
            if let Some(place) = (places[position] as usize).checked_sub(1) {
                return Ok(place);
            }
            places[position] = small(next + 1);
        }
        all.try_reserve(1).map_err(no_memory)?;
        all.push(UsedEndpoint {
            endpoint: Arc::clone(endpoint),
            position: small(position),
            matches: Matches::none_of(endpoint),
            live: endpoint.always_live(),
        });
        Ok(next)
    }

    /// The list alone: no message arrives any more.
    pub fn closed(mut self) -> Self {
        self.places = Vec::new();
        self
    }

    /// Counts the secret of a valid outcome.
    #[inline]
    pub fn count(&mut self, place: usize, outcome: &Outcome, at: i64) {
        if let Ok(secret) = usize::try_from(outcome.secret) {
            self.all[place].matches.add(secret, at);
        }
    }

    /// Counts anew, after messages were refused that had been counted: the place, the secret and the
    /// instant of each that is left. Whoever sends old messages again must not keep a secret in use.
    pub fn count_again(&mut self, left: impl Iterator<Item = (usize, usize, i64)>) {
        for used in &mut self.all {
            used.matches = Matches::none_of(&used.endpoint);
        }
        for (place, secret, at) in left {
            self.all[place].matches.add(secret, at);
        }
    }

    /// Adds what was counted to what the endpoints know of their secrets.
    pub fn tell(&self) {
        // A change that others must see waits for all loads before it, and each of these is a
        // wait for memory: so first they are found, some together, and then changed.
        for some in self.all.chunks(TOLD_TOGETHER) {
            for used in some {
                used.endpoint.prefetch();
            }
            let mut found: SmallVec<[(&Usage, Matched); 2 * TOLD_TOGETHER]> = SmallVec::new();
            for used in some {
                for (at, held) in used.endpoint.held().iter().enumerate() {
                    let matched = used.matches.of(at);
                    if matched.count > 0 {
                        let usage = &**held.usage();
                        prefetch_value(usage);
                        found.push((usage, matched));
                    }
                }
            }
            for (usage, Matched { count, first, last }) in found {
                usage.add(count, first, last);
            }
        }
    }
}

/// How many endpoints are told together.
const TOLD_TOGETHER: usize = 16;
