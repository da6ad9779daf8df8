//! The endpoints that a batch's messages arrived at, and what their secrets matched.

use std::sync::Arc;

use hookseal_engine::{
    Outcome,
    endpoint::{Endpoint, MAX_SECRETS, Positions},
    prefetch_value,
    profile::Profile,
    usage::Usage,
};
use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::{arguments::no_memory, slots::small, trust::Arrival};

/// The endpoints that a batch's messages arrived at.
///
/// A batch over many of them counts somewhere else for each message: so what is counted lies close
/// together, apart from what is only looked at in the end.
#[derive(Default)]
pub struct Used {
    pub all: SmallVec<[UsedEndpoint; 1]>,
    /// Where in the list an endpoint is, by its position among those of the call; and one, so
    /// that 0 is nowhere. Empty until there is a second.
    places: Vec<u32>,
    /// How many messages the first secrets of each matched, by its place in the list.
    counts: SmallVec<[[u32; FEW_SECRETS]; 1]>,
    instants: Instants,
}

/// One of them.
pub struct UsedEndpoint {
    pub endpoint: Arc<Profile>,
    /// What the secrets after the first ones matched, where there are any.
    more: Option<Box<More>>,
    /// Its position among the endpoints of the call.
    position: u32,
    /// The secrets that were tried, or would have been.
    pub live: Positions,
}

type More = [Matched; MAX_SECRETS - FEW_SECRETS];

/// The secrets that an endpoint has in a rotation.
const FEW_SECRETS: usize = 2;

impl UsedEndpoint {
    fn new(endpoint: &Endpoint, position: u32) -> Self {
        let has_more = endpoint.keys().len() > FEW_SECRETS;
        Self {
            endpoint: Arc::clone(endpoint.profile()),
            more: has_more.then(|| Box::new([Matched::NONE; MAX_SECRETS - FEW_SECRETS])),
            position,
            live: endpoint.always_live(),
        }
    }
}

/// When the messages of a batch were judged that arrived so far.
#[derive(Default)]
enum Instants {
    /// There were none.
    #[default]
    Unseen,
    /// All at once, as most.
    Same(i64),
    /// From when to when the first secrets of each endpoint matched, by its place in the list.
    Each(Vec<[Span; FEW_SECRETS]>),
}

/// The first and the last instant; without one as far from any other as can be.
#[derive(Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
}

impl Span {
    const NONE: Self = Self {
        first: i64::MAX,
        last: i64::MIN,
    };

    fn at(at: i64) -> Self {
        let (first, last) = (at, at);
        Self { first, last }
    }

    #[inline]
    fn note(&mut self, at: i64) {
        self.first = at.min(self.first);
        self.last = at.max(self.last);
    }
}

/// What a secret matched in a batch.
#[derive(Clone, Copy)]
pub struct Matched {
    pub count: u64,
    /// When it did.
    seen: Span,
}

impl Matched {
    const NONE: Self = Self {
        count: 0,
        seen: Span::NONE,
    };
}

impl Used {
    /// Asks for what is held on to of an endpoint that a message arrived at, if it is the first.
    #[inline]
    pub fn prefetch(&self, arrival: Arrival<'_>) {
        if self
            .places
            .get(arrival.position)
            .is_none_or(|place| *place == 0)
        {
            arrival.endpoint.prefetch_profile();
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

    /// Notes that a message arrived, and when; returns the position of the endpoint in the list.
    #[inline]
    pub fn arrived(&mut self, arrival: Arrival<'_>, at: i64) -> PyResult<usize> {
        let place = self.place(arrival)?;
        self.note(at)?;
        // What is always live was noted with the endpoint: most have nothing else.
        if arrival.endpoint.has_windows() {
            self.all[place].live |= arrival.endpoint.live(at);
        }
        Ok(place)
    }

    fn find(&mut self, Arrival { endpoint, position }: Arrival<'_>) -> PyResult<usize> {
        let Self {
            all,
            places,
            counts,
            instants,
        } = self;
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
        counts.try_reserve(1).map_err(no_memory)?;
        if let Instants::Each(spans) = instants {
            spans.try_reserve(1).map_err(no_memory)?;
            spans.push([Span::NONE; FEW_SECRETS]);
        }
        all.try_reserve(1).map_err(no_memory)?;
        all.push(UsedEndpoint::new(endpoint, small(position)));
        counts.push([0; FEW_SECRETS]);
        Ok(next)
    }

    /// Notes an instant at which messages are judged.
    #[inline]
    fn note(&mut self, at: i64) -> PyResult<()> {
        match self.instants {
            Instants::Same(same) if same == at => Ok(()),
            Instants::Each(_) => Ok(()),
            Instants::Unseen => {
                self.instants = Instants::Same(at);
                Ok(())
            }
            Instants::Same(same) => self.spread(same),
        }
    }

    /// Goes on to count instants apart, after they were all the same.
    #[cold]
    fn spread(&mut self, same: i64) -> PyResult<()> {
        let mut spans = Vec::new();
        spans.try_reserve(self.counts.len()).map_err(no_memory)?;
        let span = |count| {
            if count > 0 {
                Span::at(same)
            } else {
                Span::NONE
            }
        };
        spans.extend(self.counts.iter().map(|counts| counts.map(span)));
        self.instants = Instants::Each(spans);
        Ok(())
    }

    /// Leaves the list alone: no message arrives any more.
    pub fn close(&mut self) {
        self.places = Vec::new();
    }

    /// Counts the secret of a valid outcome, of a message that arrived at that instant.
    #[inline]
    pub fn count(&mut self, place: usize, outcome: &Outcome, at: i64) {
        if let Ok(secret) = usize::try_from(outcome.secret) {
            self.add(place, secret, at);
        }
    }

    #[inline]
    fn add(&mut self, place: usize, secret: usize, at: i64) {
        if let Some(more) = secret.checked_sub(FEW_SECRETS) {
            if let Some(matched) = &mut self.all[place].more {
                matched[more].count += 1;
                matched[more].seen.note(at);
            }
            return;
        }
        // A batch of more messages than this counts has no room in memory.
        let count = &mut self.counts[place][secret];
        *count = count.saturating_add(1);
        if let Instants::Each(spans) = &mut self.instants {
            spans[place][secret].note(at);
        }
    }

    /// Counts anew, after messages were refused that had been counted: the place, the secret and the
    /// instant of each that is left. Whoever sends old messages again must not keep a secret in use.
    pub fn count_again(&mut self, left: impl Iterator<Item = (usize, usize, i64)>) -> PyResult<()> {
        self.counts.fill([0; FEW_SECRETS]);
        for used in &mut self.all {
            if let Some(more) = &mut used.more {
                more.fill(Matched::NONE);
            }
        }
        self.instants = Instants::Unseen;
        for (place, secret, at) in left {
            self.note(at)?;
            self.add(place, secret, at);
        }
        Ok(())
    }

    /// What the secret at a position of an endpoint matched.
    pub fn matched(&self, place: usize, secret: usize) -> Matched {
        if let Some(more) = secret.checked_sub(FEW_SECRETS) {
            let matched = self.all[place].more.as_ref();
            return matched.map_or(Matched::NONE, |matched| matched[more]);
        }
        let count = self.counts[place][secret];
        let seen = match &self.instants {
            Instants::Each(spans) => spans[place][secret],
            Instants::Same(at) if count > 0 => Span::at(*at),
            Instants::Same(_) | Instants::Unseen => Span::NONE,
        };
        Matched {
            count: count.into(),
            seen,
        }
    }

    /// Adds what was counted to what the endpoints know of their secrets.
    pub fn tell(&self) {
        // A change that others must see waits for all loads before it, and each of these is a
        // wait for memory: so first they are found, some together, and then changed.
        for (some, first) in self
            .all
            .chunks(TOLD_TOGETHER)
            .zip((0..).step_by(TOLD_TOGETHER))
        {
            for used in some {
                prefetch_value(&*used.endpoint);
            }
            let mut found: SmallVec<[(&Usage, Matched); 2 * TOLD_TOGETHER]> = SmallVec::new();
            for (used, place) in some.iter().zip(first..) {
                for (at, held) in used.endpoint.held().iter().enumerate() {
                    let matched = self.matched(place, at);
                    if matched.count > 0 {
                        let usage = &**held.usage();
                        prefetch_value(usage);
                        found.push((usage, matched));
                    }
                }
            }
            for (usage, Matched { count, seen }) in found {
                usage.add(count, seen.first, seen.last);
            }
        }
    }
}

/// How many endpoints are told together.
const TOLD_TOGETHER: usize = 16;
