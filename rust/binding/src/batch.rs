//! One call of `verify_batch`: from Python's messages to slots of verdicts.

use std::{collections::HashMap, ops::Range, sync::Arc};

use hookseal_engine::{
    Interrupted, Outcome, Verdict,
    batch::{Chunk, Crew, Pushed, with_crew},
    endpoint::{Endpoint, MAX_SECRETS, Positions},
    scheme::Scheme,
    verify::Rules,
};
use pyo3::{
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyDict, PyTuple, PyType},
};

use crate::{
    ahead::{Ahead, GROUP, Parts},
    arguments::no_memory,
    body::{self, unencodable},
    clock::{Instants, now},
    detach::{detached, interrupted},
    errors::is_items_own,
    headers::{self, Kept},
    items::{self, Names, drain, message_class},
    kernel,
    result::BatchResult,
    trust::{Endpoints, no_ring},
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
        // What can be judged without the messages comes first: a queue that was drained for a
        // wrong argument is lost.
        if endpoint.is_some() && !matches!(endpoints, Endpoints::Ring(_)) {
            return Err(no_ring(messages.py()));
        }
        let messages = drain(messages, "messages")?;
        let names = Names::read(endpoint, messages.len())?;
        let received_at = Instants::read("received_at", received_at, messages.len())?;
        Ok(Self {
            endpoints,
            messages,
            names,
            received_at,
            now,
        })
    }

    /// Judges every message, chunk by chunk: each is read, then hashed without the interpreter
    /// while the next is read, then written down.
    pub fn judge(
        self,
        py: Python<'py>,
        rules: &'a Rules,
        threads: usize,
        keep: bool,
    ) -> PyResult<BatchResult> {
        let count = self.messages.len();
        let mut reader = Reader {
            slots: Slots::new(count, keep, self.endpoints)?,
            errors: PyDict::new(py),
            used: Used::default(),
            kept: Kept::default(),
            now: self.now,
            held_bytes: 0,
            message_class: message_class(py)?,
            call: self,
            rules,
            keep,
        };
        if let Endpoints::One(endpoint) = reader.call.endpoints {
            reader.used.place(endpoint);
        }
        with_crew(kernel::chosen().kernel, threads, |crew| {
            reader.read_all(py, crew, threads, count)
        })?;
        let Reader {
            slots,
            used,
            call,
            errors,
            ..
        } = reader;
        BatchResult::new(py, slots, used, call.endpoints, *rules, errors.unbind())
    }
}

/// The most messages that are read between two looks for signals: those that need no MAC fill
/// no chunk.
const READ_MESSAGES: usize = 16 * 1024;

/// The work after which the interpreter is let go, in hashed bytes: 5 ms with the reading, after
/// which CPython makes a thread give way (`sys.getswitchinterval`).
const RELEASE_BYTES: usize = 4 * 1024 * 1024;

/// What reads the messages of a call into a chunk.
struct Reader<'a, 'py> {
    call: Call<'a, 'py>,
    rules: &'a Rules,
    keep: bool,
    message_class: &'a Bound<'py, PyType>,
    slots: Slots,
    errors: Bound<'py, PyDict>,
    used: Used,
    kept: Kept,
    /// The instant of judgement, once the clock was read.
    now: Option<i64>,
    /// The work that was done since the interpreter was let go.
    held_bytes: usize,
}

impl<'py> Reader<'_, 'py> {
    fn read_all(
        &mut self,
        py: Python<'py>,
        crew: &mut Crew<'_, '_, Carried>,
        threads: usize,
        count: usize,
    ) -> PyResult<()> {
        let mut ahead = Ahead::default();
        let mut is_started = false;
        let mut read = 0;
        while read < count {
            let from = read;
            {
                let mut chunk = crew.chunk();
                while read < count && read - from < READ_MESSAGES && !chunk.is_full() {
                    let group = read..count.min(read + GROUP);
                    read = group.end;
                    self.read_group(py, group, &mut ahead, &mut chunk)?;
                }
            }
            if is_started {
                self.finish(py, crew, threads)?;
            }
            crew.start((count - from).div_ceil(read - from));
            // Without help there is nothing to wait for, and the chunk is still in the cache.
            is_started = crew.has_help();
            if !is_started {
                self.finish(py, crew, threads)?;
            }
        }
        if is_started {
            self.finish(py, crew, threads)
        } else {
            Ok(())
        }
    }

    fn read_group(
        &mut self,
        py: Python<'py>,
        group: Range<usize>,
        ahead: &mut Ahead<'py>,
        chunk: &mut Chunk<Carried>,
    ) -> PyResult<()> {
        ahead.look(&self.call.messages, group.clone())?;
        for (at, index) in group.enumerate() {
            match self.take(py, index, ahead.take(at), chunk) {
                Ok(Taken::Waits) => {}
                Ok(Taken::Judged(outcome, endpoint, body)) => {
                    self.slots.put(py, index, outcome, endpoint, body)?;
                }
                Err(error) if is_items_own(py, &error) => {
                    self.errors.set_item(index, error.into_value(py))?;
                    self.slots
                        .put(py, index, Outcome::NOT_A_MESSAGE, None, None)?;
                }
                Ok(Taken::NoClock(error)) | Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads one message as far as it goes without a MAC.
    fn take(
        &mut self,
        py: Python<'py>,
        index: usize,
        ahead: Option<Parts<'py>>,
        chunk: &mut Chunk<Carried>,
    ) -> PyResult<Taken> {
        self.kept.clear();
        let (name, received_at, body);
        let endpoints = self.call.endpoints;
        let endpoint;
        if let Some(parts) = ahead {
            name = self.call.names.get(index)?;
            received_at = None;
            endpoint = endpoints.find(name.as_ref())?;
            body = body::read(&parts.body, "body")?;
            headers::read_dict(&parts.headers, scheme_of(endpoint), &mut self.kept)?;
        } else {
            let item = self.call.messages.get_borrowed_item(index)?;
            let item = items::read(&item, self.message_class)?;
            name = item.endpoint.or(self.call.names.get(index)?);
            received_at = item.received_at;
            endpoint = endpoints.find(name.as_ref())?;
            body = body::read(&item.body, "body")?;
            headers::read(&item.headers, scheme_of(endpoint), &mut self.kept)?;
        }
        let body = body.ok_or_else(|| unencodable(py, "body"))?;
        let Some(endpoint) = endpoint else {
            let outcome = match endpoints {
                Endpoints::Unsigned => self.rules.unsigned(&body),
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
        let at = match received_at
            .or(self.call.received_at.get(index))
            .or(self.now)
        {
            Some(at) => at,
            None if endpoint.needs_instant(self.rules.tolerance) => match now(py) {
                Ok(now) => *self.now.insert(now),
                Err(error) => return Ok(Taken::NoClock(error)),
            },
            None => 0,
        };
        let place = self.used.place(endpoint);
        self.used.live[place] |= endpoint.live(at);
        let carried = Carried {
            body,
            id: None,
            endpoint: small(place),
        };
        let pushed = chunk.push(index, carried, &self.kept, endpoint, self.rules, at);
        match pushed.map_err(no_memory)? {
            Pushed::Judged(outcome) => Ok(Taken::Judged(outcome, Some(place), None)),
            Pushed::Waits { family, body } => {
                if self.keep {
                    body.id = self.kept.take_id(family);
                }
                Ok(Taken::Waits)
            }
        }
    }

    /// Sees a chunk to its end, and writes down what came of it.
    fn finish(
        &mut self,
        py: Python<'_>,
        crew: &Crew<'_, '_, Carried>,
        threads: usize,
    ) -> PyResult<()> {
        // Each return to a busy interpreter waits for its turn, 5 ms: so it is let go about as
        // often as a loop in Python would be made to, not for every chunk.
        self.held_bytes = self.held_bytes.saturating_add(crew.started_bytes());
        if crew.has_help() || self.held_bytes >= RELEASE_BYTES {
            self.held_bytes = 0;
            detached(py, threads, |watch| crew.finish(watch))?;
        } else {
            crew.finish(&mut |_| Ok(()))
                .map_err(|Interrupted| interrupted())?;
        }
        // Most chunks are hashed between two looks of `detached` for signals.
        py.check_signals()?;
        let Self { used, slots, .. } = self;
        let mut failed = None;
        crew.finished().settle(|index, outcome, carried| {
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
}

fn scheme_of(endpoint: Option<&Arc<Endpoint>>) -> Option<&Scheme> {
    endpoint.map(|endpoint| &**endpoint.scheme())
}

/// What became of an item when it was read.
enum Taken {
    /// It waits in the chunk.
    Waits,
    /// The clock could not be read: that is the end of the call, not of the item.
    NoClock(PyErr),
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
