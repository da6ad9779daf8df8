//! One call of `verify_batch`: from Python's messages to slots of verdicts.

use std::{collections::HashMap, sync::Arc};

use hookseal_engine::{
    Kernel, Outcome, Verdict,
    batch::{Chunk, Pushed},
    endpoint::{Endpoint, MAX_SECRETS, Positions},
    header::{Role, Slot},
    verify::Rules,
};
use pyo3::{
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyDict, PyTuple},
};

use crate::{
    arguments::no_memory,
    body,
    clock::{Instants, now},
    errors::is_items_own,
    headers::{self, Kept},
    items::{self, Item, Names, drain, message_class, no_ring, unencodable},
    result::BatchResult,
    verifier::{Endpoints, detached},
};

/// The arguments of a call, judged.
pub struct Call<'a, 'py> {
    endpoints: &'a Endpoints,
    messages: Bound<'py, PyTuple>,
    names: Names<'py>,
    received_at: Instants,
    now: Option<i64>,
}

impl<'a, 'py> Call<'a, 'py> {
    /// Drains the messages and judges the arguments, before anything is hashed.
    pub fn read(
        endpoints: &'a Endpoints,
        messages: &Bound<'py, PyAny>,
        endpoint: Option<&Bound<'py, PyAny>>,
        received_at: Option<&Bound<'py, PyAny>>,
        now: Option<i64>,
    ) -> PyResult<Self> {
        let messages = drain(messages, "messages")?;
        let names = Names::read(endpoint, messages.len())?;
        if !matches!(
            (&names, endpoints),
            (Names::None, _) | (_, Endpoints::Ring(_))
        ) {
            return Err(no_ring());
        }
        let received_at = Instants::read("received_at", received_at, messages.len())?;
        Ok(Self {
            endpoints,
            messages,
            names,
            received_at,
            now,
        })
    }

    /// Judges every message, chunk by chunk: a chunk is read, then hashed without the
    /// interpreter, then written down.
    pub fn judge(
        mut self,
        py: Python<'py>,
        rules: &Rules,
        threads: usize,
        keep: bool,
    ) -> PyResult<BatchResult> {
        let mut slots = Slots::new(self.messages.len(), keep, self.endpoints)?;
        let mut used = Used::default();
        if let Endpoints::One(endpoint) = self.endpoints {
            used.place(endpoint);
        }
        let errors = PyDict::new(py);
        let mut chunk = Chunk::new();
        let mut kept = Kept::default();
        for index in 0..self.messages.len() {
            kept.clear();
            let taken = self.take(py, index, rules, keep, &mut used, &mut kept, &mut chunk);
            match taken {
                Ok(Taken::Waits) => {}
                Ok(Taken::Judged(outcome, endpoint, body)) => {
                    slots.put(py, index, outcome, endpoint, body)?;
                }
                Err(error) if is_items_own(py, &error) => {
                    errors.set_item(index, error.into_value(py))?;
                    slots.put(py, index, Outcome::NOT_A_MESSAGE, None, None)?;
                }
                Err(error) => return Err(error),
            }
            if chunk.is_full(threads) {
                run(py, &mut chunk, &mut used, threads, &mut slots)?;
            }
        }
        run(py, &mut chunk, &mut used, threads, &mut slots)?;
        drop(chunk);
        BatchResult::new(py, slots, used, self.endpoints, *rules, errors.unbind())
    }

    /// Reads one message as far as it goes without a MAC.
    #[expect(clippy::too_many_arguments, reason = "the state of one loop")]
    fn take(
        &mut self,
        py: Python<'py>,
        index: usize,
        rules: &Rules,
        keep: bool,
        used: &mut Used,
        kept: &mut Kept,
        chunk: &mut Chunk<Carried>,
    ) -> PyResult<Taken> {
        let item = self.messages.get_borrowed_item(index)?;
        let item = items::read(&item, message_class(py)?)?;
        let name = item.endpoint.clone().or(self.names.get(index)?);
        let endpoint = self.endpoints.find(name.as_ref())?;
        let Some(body) = read_parts(&item, endpoint, kept)? else {
            return Err(unencodable());
        };
        let Some(endpoint) = endpoint else {
            let outcome = match self.endpoints {
                Endpoints::Unsigned => rules.unsigned(&body),
                _ => Outcome::UNKNOWN_ENDPOINT,
            };
            return Ok(Taken::Judged(
                outcome,
                None,
                Some(Carried {
                    body,
                    id: None,
                    endpoint: 0,
                }),
            ));
        };
        let at = match item
            .received_at
            .or(self.received_at.get(index))
            .or(self.now)
        {
            Some(at) => at,
            None if endpoint.needs_instant(rules.tolerance) => {
                let now = now(py)?;
                self.now = Some(now);
                now
            }
            None => 0,
        };
        let place = used.place(endpoint);
        used.live[place] |= endpoint.live(at);
        let carried = Carried {
            body,
            id: None,
            endpoint: small(place),
        };
        let terms = (place, &**endpoint);
        match chunk
            .push(index, carried, kept.values(), terms, rules, at)
            .map_err(no_memory)?
        {
            Pushed::Judged(outcome) => Ok(Taken::Judged(outcome, Some(place), None)),
            Pushed::Waits { family, body } => {
                if keep {
                    let id = kept.take(Slot {
                        family,
                        role: Role::Id,
                    });
                    body.id = id.map(|id| id.into_object(py)).transpose()?;
                }
                Ok(Taken::Waits)
            }
        }
    }
}

/// What became of an item when it was read.
enum Taken {
    /// It waits in the chunk.
    Waits,
    /// It needs no MAC.
    Judged(Outcome, Option<usize>, Option<Carried>),
}

/// What is carried beside a message while it waits.
pub struct Carried {
    body: PyBackedBytes,
    /// What holds the id, where it is kept.
    id: Option<Py<PyAny>>,
    endpoint: u32,
}

impl AsRef<[u8]> for Carried {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

fn read_parts(
    item: &Item<'_>,
    endpoint: Option<&Arc<Endpoint>>,
    kept: &mut Kept,
) -> PyResult<Option<PyBackedBytes>> {
    let body = body::read(&item.body)?;
    headers::read(
        &item.headers,
        endpoint.map(|endpoint| &**endpoint.scheme()),
        kept,
    )?;
    Ok(body)
}

/// Hashes a chunk and writes down what came of it.
fn run(
    py: Python<'_>,
    chunk: &mut Chunk<Carried>,
    used: &mut Used,
    threads: usize,
    slots: &mut Slots,
) -> PyResult<()> {
    let endpoints = &used.endpoints;
    let kernel = Kernel::detect();
    detached(py, threads, |watch| {
        chunk.run(endpoints, kernel, threads, watch)
    })?;
    let mut failed = None;
    chunk.settle(|index, outcome, carried| {
        let endpoint = carried.endpoint as usize;
        if let Ok(secret) = usize::try_from(outcome.secret) {
            used.matched[endpoint][secret] += 1;
        }
        if let Err(error) = slots.put(py, index, outcome, Some(endpoint), Some(carried)) {
            failed = Some(error);
        }
    });
    failed.map_or(Ok(()), Err)
}

/// The endpoints that a batch's messages arrived at.
#[derive(Default)]
pub struct Used {
    pub endpoints: Vec<Arc<Endpoint>>,
    /// The secrets of each that were tried, or would have been.
    pub live: Vec<Positions>,
    /// How often each secret of each matched.
    pub matched: Vec<[usize; MAX_SECRETS]>,
    /// By address: an endpoint that is used stays where it is.
    places: HashMap<usize, usize>,
}

impl Used {
    /// The position of an endpoint in the lists.
    fn place(&mut self, endpoint: &Arc<Endpoint>) -> usize {
        // Most batches have few endpoints, and neighbours are often of the same one.
        match self.endpoints.as_slice() {
            [.., last] if Arc::ptr_eq(last, endpoint) => return self.endpoints.len() - 1,
            _ => {}
        }
        let Self {
            endpoints,
            live,
            matched,
            places,
        } = self;
        *places
            .entry(Arc::as_ptr(endpoint).addr())
            .or_insert_with(|| {
                endpoints.push(Arc::clone(endpoint));
                live.push(endpoint.always_live());
                matched.push([0; MAX_SECRETS]);
                endpoints.len() - 1
            })
    }
}

/// One slot for each message. A slot that nobody writes to stays `UNVERIFIED`.
pub struct Slots {
    pub codes: Vec<u8>,
    pub secrets: Vec<u8>,
    pub particulars: Option<Particulars>,
}

/// What `verified` needs of each message, and is not kept on demand.
pub struct Particulars {
    pub outcomes: Vec<Outcome>,
    pub bodies: Vec<Option<Py<PyAny>>>,
    pub ids: Vec<Option<Py<PyAny>>>,
    /// Empty without a ring; else the position of the endpoint, or [`NOWHERE`].
    pub endpoints: Vec<u32>,
}

/// A position among a batch's endpoints; [`NOWHERE`] if there were too many to count.
fn small(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(NOWHERE)
}

/// No endpoint.
pub const NOWHERE: u32 = u32::MAX;

impl Slots {
    fn new(count: usize, keep: bool, endpoints: &Endpoints) -> PyResult<Self> {
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

    fn put(
        &mut self,
        py: Python<'_>,
        index: usize,
        outcome: Outcome,
        endpoint: Option<usize>,
        carried: Option<Carried>,
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
        if let (true, Some(Carried { body, id, .. })) = (outcome.is_valid(), carried) {
            kept.bodies[index] = Some(body.into_pyobject(py)?.into_any().unbind());
            kept.ids[index] = id;
        }
        Ok(())
    }
}

/// A list of that length, or `MemoryError`.
fn filled<T>(count: usize, value: impl FnMut() -> T) -> PyResult<Vec<T>> {
    let mut list = Vec::new();
    list.try_reserve_exact(count).map_err(no_memory)?;
    list.resize_with(count, value);
    Ok(list)
}
