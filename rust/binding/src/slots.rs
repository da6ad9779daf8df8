//! What becomes of a batch's messages: one slot for each.

#![expect(
    clippy::inline_always,
    reason = "every message of a batch is written down here, and its parts need not be moved for a call"
)]

use hookseal_engine::{Outcome, Verdict};
use pyo3::{prelude::*, pybacked::PyBackedBytes};
use smallvec::SmallVec;

use crate::{arguments::no_memory, codes::Codes, trust::Endpoints};

/// A list that needs no memory of its own for a handful of messages.
pub type Few<T> = SmallVec<[T; 4]>;

/// One slot for each message. A slot that nobody writes to stays `UNVERIFIED`.
#[derive(Default)]
pub struct Slots {
    pub codes: Codes,
    pub secrets: Codes,
    pub particulars: Option<Particulars>,
    /// With a guard, when each message arrived, if that was stated; empty if none says so.
    arrivals: Vec<Option<i64>>,
}

/// What `verified` needs of each message, and is not kept on demand.
#[derive(Default)]
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
    /// Makes a slot for each message, where there were none.
    pub fn fill(&mut self, count: usize, keep: bool, endpoints: &Endpoints) -> PyResult<()> {
        fill(&mut self.codes.all, count, || Verdict::Unverified as u8)?;
        fill(&mut self.secrets.all, count, || u8::MAX)?;
        if keep {
            let kept = self.particulars.insert(Particulars::default());
            fill(&mut kept.outcomes, count, || Outcome::UNVERIFIED)?;
            fill(&mut kept.bodies, count, || None)?;
            fill(&mut kept.ids, count, || None)?;
            if matches!(endpoints, Endpoints::Ring(_)) {
                fill(&mut kept.endpoints, count, || NOWHERE)?;
            }
        }
        Ok(())
    }

    /// Notes when messages arrived, by what a call says of all of them.
    pub fn note_arrivals(
        &mut self,
        count: usize,
        arrival: impl Fn(usize) -> Option<i64>,
    ) -> PyResult<()> {
        if (0..count).any(|index| arrival(index).is_some()) {
            self.arrivals.try_reserve_exact(count).map_err(no_memory)?;
            self.arrivals.extend((0..count).map(arrival));
        }
        Ok(())
    }

    /// Notes when one arrived, by what it says itself.
    pub fn note_arrival(&mut self, index: usize, at: i64) -> PyResult<()> {
        let count = self.codes.all.len();
        if self.arrivals.is_empty() {
            self.arrivals.try_reserve_exact(count).map_err(no_memory)?;
            self.arrivals.resize(count, None);
        }
        self.arrivals[index] = Some(at);
        Ok(())
    }

    /// When a message arrived, if that was stated.
    pub fn arrival(&self, index: usize) -> Option<i64> {
        self.arrivals.get(index).copied().flatten()
    }

    /// Holds what holds a message's id, until it is refused.
    #[inline(always)]
    pub fn hold(&mut self, index: usize, id: Option<Py<PyAny>>) {
        if let Some(kept) = &mut self.particulars {
            kept.ids[index] = id;
        }
    }

    /// Writes to one slot.
    pub fn put(
        &mut self,
        py: Python<'_>,
        index: usize,
        outcome: Outcome,
        endpoint: Option<usize>,
        body: Option<PyBackedBytes>,
    ) -> PyResult<()> {
        let endpoint = endpoint.map_or(NOWHERE, small);
        self.open().put(py, index, outcome, endpoint, body)
    }

    /// The same lists as slices: where they lie is looked up once for many messages.
    pub fn open(&mut self) -> OpenSlots<'_> {
        let Self {
            codes,
            secrets,
            particulars,
            arrivals: _,
        } = self;
        OpenSlots {
            codes: &mut codes.all,
            secrets: &mut secrets.all,
            particulars: particulars.as_mut().map(|kept| OpenParticulars {
                outcomes: &mut kept.outcomes,
                bodies: &mut kept.bodies,
                ids: &mut kept.ids,
                endpoints: &mut kept.endpoints,
            }),
        }
    }
}

/// The slots of a call while many are written to.
pub struct OpenSlots<'a> {
    codes: &'a mut [u8],
    secrets: &'a mut [u8],
    particulars: Option<OpenParticulars<'a>>,
}

struct OpenParticulars<'a> {
    outcomes: &'a mut [Outcome],
    bodies: &'a mut [Option<Py<PyAny>>],
    ids: &'a mut [Option<Py<PyAny>>],
    endpoints: &'a mut [u32],
}

impl OpenSlots<'_> {
    /// As [`Slots::hold`].
    pub fn hold(&mut self, index: usize, id: Option<Py<PyAny>>) {
        if let Some(kept) = &mut self.particulars {
            kept.ids[index] = id;
        }
    }

    /// Writes to one slot; `endpoint` is a position or [`NOWHERE`]. What is not good lets go of its
    /// body and its id.
    #[inline(always)]
    pub fn put(
        &mut self,
        py: Python<'_>,
        index: usize,
        outcome: Outcome,
        endpoint: u32,
        body: Option<PyBackedBytes>,
    ) -> PyResult<()> {
        self.codes[index] = outcome.verdict as u8;
        self.secrets[index] = outcome.secret.cast_unsigned();
        let Some(kept) = &mut self.particulars else {
            return Ok(());
        };
        kept.outcomes[index] = outcome;
        if let Some(slot) = kept.endpoints.get_mut(index) {
            *slot = endpoint;
        }
        if !outcome.is_valid() {
            kept.ids[index] = None;
        } else if let Some(body) = body {
            kept.bodies[index] = Some(body.into_pyobject(py)?.into_any().unbind());
        }
        Ok(())
    }
}

impl Slots {
    /// Refuses a message that was good so far.
    pub fn refuse(&mut self, index: usize, outcome: Outcome) {
        self.codes.all[index] = outcome.verdict as u8;
        self.secrets.all[index] = outcome.secret.cast_unsigned();
        if let Some(kept) = &mut self.particulars {
            kept.outcomes[index] = outcome;
            kept.bodies[index] = None;
            kept.ids[index] = None;
        }
    }
}

/// Makes an empty list one of that length, or `MemoryError`.
fn fill<T>(few: &mut Few<T>, count: usize, value: impl FnMut() -> T) -> PyResult<()> {
    if count > few.inline_size() {
        let mut list = Vec::new();
        list.try_reserve_exact(count).map_err(no_memory)?;
        // Here, for `SmallVec` asks of each whether there is room.
        list.resize_with(count, value);
        *few = Few::from_vec(list);
    } else {
        few.resize_with(count, value);
    }
    Ok(())
}
