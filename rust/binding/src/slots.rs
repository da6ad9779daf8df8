//! What becomes of a batch's messages: one slot for each, and the endpoints they arrived at.

use std::{collections::HashMap, sync::Arc};

use hookseal_engine::{
    Outcome, Verdict,
    endpoint::{Endpoint, MAX_SECRETS, Positions},
};
use pyo3::{prelude::*, pybacked::PyBackedBytes};
use smallvec::SmallVec;

use crate::{arguments::no_memory, trust::Endpoints};

/// What is kept of a message if it is good.
pub struct Good {
    pub body: PyBackedBytes,
    /// What holds the id.
    pub id: Option<Py<PyAny>>,
}

/// The endpoints that a batch's messages arrived at.
#[derive(Default)]
pub struct Used {
    pub all: SmallVec<[UsedEndpoint; 1]>,
    /// By address: an endpoint that is used stays where it is.
    places: HashMap<usize, usize>,
}

/// One of them.
pub struct UsedEndpoint {
    pub endpoint: Arc<Endpoint>,
    /// The secrets that were tried, or would have been.
    pub live: Positions,
    /// How often each secret matched.
    pub matched: [usize; MAX_SECRETS],
    /// The first and the last instant at which each did.
    seen: [(i64, i64); MAX_SECRETS],
}

impl Used {
    /// The position of an endpoint in the list.
    #[inline]
    pub fn place(&mut self, endpoint: &Arc<Endpoint>) -> usize {
        // Most batches have few endpoints, and neighbours are often of the same one.
        match self.all.last() {
            Some(last) if Arc::ptr_eq(&last.endpoint, endpoint) => self.all.len() - 1,
            _ => self.find(endpoint),
        }
    }

    /// Notes that a message arrived; returns the position of the endpoint.
    #[inline]
    pub fn arrived(&mut self, endpoint: &Arc<Endpoint>, at: i64) -> usize {
        let place = self.place(endpoint);
        self.all[place].live |= endpoint.live(at);
        place
    }

    fn find(&mut self, endpoint: &Arc<Endpoint>) -> usize {
        let Self { all, places } = self;
        // The first needs no map: it is looked for in vain as soon as there is a second.
        if let [first] = all.as_slice() {
            places.insert(Arc::as_ptr(&first.endpoint).addr(), 0);
        }
        let next = all.len();
        let place = if next == 0 {
            0
        } else {
            *places.entry(Arc::as_ptr(endpoint).addr()).or_insert(next)
        };
        if place == next {
            all.push(UsedEndpoint {
                endpoint: Arc::clone(endpoint),
                live: endpoint.always_live(),
                matched: [0; MAX_SECRETS],
                seen: [(i64::MAX, i64::MIN); MAX_SECRETS],
            });
        }
        place
    }

    /// Counts the secret of a valid outcome.
    pub fn count(&mut self, place: usize, outcome: &Outcome, at: i64) {
        if let Ok(secret) = usize::try_from(outcome.secret) {
            let used = &mut self.all[place];
            used.matched[secret] += 1;
            let (first, last) = &mut used.seen[secret];
            *first = at.min(*first);
            *last = at.max(*last);
        }
    }

    /// Adds what was counted to what the endpoints know of their secrets.
    pub fn tell(&self) {
        for used in &self.all {
            let counts = used.matched.iter().zip(used.seen);
            for (held, (count, (first, last))) in used.endpoint.held().iter().zip(counts) {
                held.usage.add(*count as u64, first, last);
            }
        }
    }
}

/// A list that needs no memory of its own for a handful of messages.
pub type Few<T> = SmallVec<[T; 4]>;

/// One slot for each message. A slot that nobody writes to stays `UNVERIFIED`.
pub struct Slots {
    pub codes: Few<u8>,
    pub secrets: Few<u8>,
    pub particulars: Option<Particulars>,
}

/// What `verified` needs of each message, and is not kept on demand.
pub struct Particulars {
    pub outcomes: Few<Outcome>,
    pub bodies: Few<Option<Py<PyAny>>>,
    pub ids: Few<Option<Py<PyAny>>>,
    /// Empty without a ring; else the position of the endpoint, or [`NOWHERE`].
    pub endpoints: Few<u32>,
}

/// A position among a batch's endpoints; [`NOWHERE`] if there were too many to count.
pub fn small(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(NOWHERE)
}

/// No endpoint.
pub const NOWHERE: u32 = u32::MAX;

impl Slots {
    pub fn new(count: usize, keep: bool, endpoints: &Endpoints) -> PyResult<Self> {
        let has_ring = matches!(endpoints, Endpoints::Ring(_));
        let particulars = keep.then(|| -> PyResult<_> {
            Ok(Particulars {
                outcomes: filled(count, || Outcome::UNVERIFIED)?,
                bodies: filled(count, || None)?,
                ids: filled(count, || None)?,
                endpoints: filled(if has_ring { count } else { 0 }, || NOWHERE)?,
            })
        });
        Ok(Self {
            codes: filled(count, || Verdict::Unverified as u8)?,
            secrets: filled(count, || u8::MAX)?,
            particulars: particulars.transpose()?,
        })
    }

    pub fn put(
        &mut self,
        py: Python<'_>,
        index: usize,
        outcome: Outcome,
        endpoint: Option<usize>,
        good: Option<Good>,
    ) -> PyResult<()> {
        self.codes[index] = outcome.verdict as u8;
        self.secrets[index] = outcome.secret.cast_unsigned();
        let Some(kept) = &mut self.particulars else {
            return Ok(());
        };
        kept.outcomes[index] = outcome;
        if let (Some(slot), Some(endpoint)) = (kept.endpoints.get_mut(index), endpoint) {
            *slot = small(endpoint);
        }
        if let (true, Some(Good { body, id })) = (outcome.is_valid(), good) {
            kept.bodies[index] = Some(body.into_pyobject(py)?.into_any().unbind());
            kept.ids[index] = id;
        }
        Ok(())
    }
}

impl Slots {
    /// Refuses a message that was good so far.
    pub fn refuse(&mut self, index: usize, outcome: Outcome) {
        self.codes[index] = outcome.verdict as u8;
        self.secrets[index] = outcome.secret.cast_unsigned();
        if let Some(kept) = &mut self.particulars {
            kept.outcomes[index] = outcome;
            kept.bodies[index] = None;
            kept.ids[index] = None;
        }
    }
}

/// A list of that length, or `MemoryError`.
fn filled<T>(count: usize, value: impl FnMut() -> T) -> PyResult<Few<T>> {
    let mut list = Few::new();
    list.try_reserve_exact(count).map_err(no_memory)?;
    list.resize_with(count, value);
    Ok(list)
}
