//! One call of `verify_batch` or `verify_columns`: from Python's messages to slots of verdicts.

use std::{ops::Range, sync::Arc};

use hookseal_engine::{
    Interrupted, Outcome,
    batch::{Chunk, Crew, Pushed, with_crew},
    endpoint::Endpoint,
    scheme::Scheme,
    verify::Rules,
};
use pyo3::{
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyDict, PyString, PyType},
};

use crate::{
    ahead::{Ahead, GROUP, Parts, parts},
    arguments::no_memory,
    body::{self, unencodable},
    clock::{Instants, now},
    detach::{detached, interrupted},
    errors::is_items_own,
    headers::{self, Kept},
    items::{self, Names, message_class},
    kernel,
    messages::Messages,
    one::{DETACH_BYTES, judge_one},
    result::BatchResult,
    slots::{Carried, Slots, Used, small},
    trust::{Endpoints, no_ring},
};

/// The arguments of a call, judged.
pub struct Call<'a, 'py> {
    endpoints: &'a Endpoints,
    messages: Messages<'py>,
    names: Names<'py>,
    received_at: Instants,
    now: Option<i64>,
}

impl<'a, 'py> Call<'a, 'py> {
    /// Drains the messages and judges the arguments, before anything is hashed.
    pub fn read(
        py: Python<'py>,
        endpoints: &'a Endpoints,
        messages: impl FnOnce() -> PyResult<Messages<'py>>,
        endpoint: Option<&Bound<'py, PyAny>>,
        received_at: Option<&Bound<'py, PyAny>>,
        now: Option<i64>,
    ) -> PyResult<Self> {
        // What can be judged without the messages comes first: a queue that was drained for a
        // wrong argument is lost.
        if endpoint.is_some() && !matches!(endpoints, Endpoints::Ring(_)) {
            return Err(no_ring(py));
        }
        let messages = messages()?;
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
            errors: None,
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
        if count <= FEW_MESSAGES && reader.call.messages.bytes(reader.message_class) <= FEW_BYTES {
            reader.judge_each(py, count)?;
        } else {
            with_crew(kernel::chosen().kernel, threads, |crew| {
                reader.read_all(py, crew, threads, count)
            })?;
        }
        let Reader {
            slots,
            used,
            call,
            errors,
            ..
        } = reader;
        let errors = errors.map(Bound::unbind);
        BatchResult::new(slots, used, call.endpoints, *rules, errors)
    }
}

/// So many messages are judged one by one: they are too few for what hashes side by side.
const FEW_MESSAGES: usize = 10;

/// Where they have more bytes together, side by side is faster even so.
const FEW_BYTES: usize = 64 * 1024;

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
    /// Made for the first item that is no message.
    errors: Option<Bound<'py, PyDict>>,
    used: Used,
    kept: Kept,
    /// The instant of judgement, once the clock was read.
    now: Option<i64>,
    /// The work that was done since the interpreter was let go.
    held_bytes: usize,
}

impl<'a, 'py> Reader<'a, 'py> {
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

    /// Judges messages one by one.
    fn judge_each(&mut self, py: Python<'py>, count: usize) -> PyResult<()> {
        for index in 0..count {
            let parts = match &self.call.messages {
                Messages::Items(items) => {
                    let item = items.get_borrowed_item(index)?;
                    parts(&item)?
                }
                Messages::Columns(_) => None,
            };
            let read = self.read(py, index, parts);
            let Some(Ready {
                endpoint,
                place,
                body,
                at,
            }) = self.unless_done(py, index, read)?
            else {
                continue;
            };
            let (outcome, family) = judge_one(py, endpoint, self.rules, &body, &self.kept, at)?;
            if body.len() >= DETACH_BYTES {
                py.check_signals()?;
            }
            self.used.count(place, &outcome);
            let id = self.kept.take_id(family).filter(|_| self.keep);
            let carried = Carried {
                body,
                id,
                endpoint: small(place),
            };
            self.slots
                .put(py, index, outcome, Some(place), Some(carried))?;
        }
        Ok(())
    }

    fn read_group(
        &mut self,
        py: Python<'py>,
        group: Range<usize>,
        ahead: &mut Ahead<'py>,
        chunk: &mut Chunk<Carried>,
    ) -> PyResult<()> {
        self.call.messages.look(group.clone(), ahead)?;
        for (at, index) in group.enumerate() {
            let read = self.read(py, index, ahead.take(at));
            if let Some(ready) = self.unless_done(py, index, read)? {
                self.push(py, index, ready, chunk)?;
            }
        }
        Ok(())
    }

    /// Writes down what became of an item that is not ready to be judged.
    #[inline]
    fn unless_done<'e>(
        &mut self,
        py: Python<'py>,
        index: usize,
        read: PyResult<Read<'e>>,
    ) -> PyResult<Option<Ready<'e>>> {
        match read {
            Ok(Read::Ready(ready)) => return Ok(Some(ready)),
            Ok(Read::Nowhere(outcome, body)) => {
                let carried = Carried {
                    body,
                    id: None,
                    endpoint: 0,
                };
                self.slots.put(py, index, outcome, None, Some(carried))?;
            }
            Err(error) if is_items_own(py, &error) => {
                let errors = self.errors.get_or_insert_with(|| PyDict::new(py));
                errors.set_item(index, error.into_value(py))?;
                self.slots
                    .put(py, index, Outcome::NOT_A_MESSAGE, None, None)?;
            }
            Ok(Read::NoClock(error)) | Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// Reads one message; what its headers say is in `kept`.
    #[inline]
    fn read(
        &mut self,
        py: Python<'py>,
        index: usize,
        parts: Option<Parts<'py>>,
    ) -> PyResult<Read<'a>> {
        self.kept.clear();
        let endpoints = self.call.endpoints;
        let find = |name: Option<&Bound<'py, PyString>>| endpoints.find(name);
        let (endpoint, received_at, body);
        match (parts, &self.call.messages) {
            (Some(parts), _) => {
                received_at = None;
                endpoint = find(self.call.names.get(index)?.as_ref())?;
                body = body::read(&parts.body, "body")?;
                headers::read_dict(&parts.headers, scheme_of(endpoint), &mut self.kept)?;
            }
            (None, Messages::Items(items)) => {
                let item = items.get_borrowed_item(index)?;
                let item = items::read(&item, self.message_class)?;
                let name = item.endpoint.or(self.call.names.get(index)?);
                received_at = item.received_at;
                endpoint = find(name.as_ref())?;
                body = body::read(&item.body, "body")?;
                headers::read(&item.headers, scheme_of(endpoint), &mut self.kept)?;
            }
            (None, Messages::Columns(columns)) => {
                received_at = None;
                endpoint = find(self.call.names.get(index)?.as_ref())?;
                let found = columns.bodies.get_borrowed_item(index)?;
                body = body::read(&found, "body")?;
                if let Some(scheme) = scheme_of(endpoint) {
                    columns.keep(index, scheme, &mut self.kept)?;
                }
            }
        }
        let body = body.ok_or_else(|| unencodable(py, "body"))?;
        let Some(endpoint) = endpoint else {
            let outcome = match endpoints {
                Endpoints::Unsigned => self.rules.unsigned(&body),
                _ => Outcome::UNKNOWN_ENDPOINT,
            };
            return Ok(Read::Nowhere(outcome, body));
        };
        let at = match received_at
            .or(self.call.received_at.get(index))
            .or(self.now)
        {
            Some(at) => at,
            None if endpoint.needs_instant(self.rules.tolerance) => match now(py) {
                Ok(now) => *self.now.insert(now),
                Err(error) => return Ok(Read::NoClock(error)),
            },
            None => 0,
        };
        let place = self.used.place(endpoint);
        self.used.all[place].live |= endpoint.live(at);
        Ok(Read::Ready(Ready {
            endpoint,
            place,
            body,
            at,
        }))
    }

    /// Judges a message as far as that needs no MAC; the rest waits in the chunk.
    #[inline]
    fn push(
        &mut self,
        py: Python<'py>,
        index: usize,
        ready: Ready<'_>,
        chunk: &mut Chunk<Carried>,
    ) -> PyResult<()> {
        let Ready {
            endpoint,
            place,
            body,
            at,
        } = ready;
        let carried = Carried {
            body,
            id: None,
            endpoint: small(place),
        };
        let pushed = chunk.push(index, carried, &self.kept, endpoint, self.rules, at);
        match pushed.map_err(no_memory)? {
            Pushed::Judged(outcome) => self.slots.put(py, index, outcome, Some(place), None),
            Pushed::Waits { family, body } => {
                if self.keep {
                    body.id = self.kept.take_id(family);
                }
                Ok(())
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
            used.count(endpoint, &outcome);
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
enum Read<'e> {
    /// It can be judged.
    Ready(Ready<'e>),
    /// It arrived at no endpoint that has secrets.
    Nowhere(Outcome, PyBackedBytes),
    /// The clock could not be read: that is the end of the call, not of the item.
    NoClock(PyErr),
}

/// A message that can be judged.
struct Ready<'e> {
    endpoint: &'e Arc<Endpoint>,
    /// The endpoint's position among those that are used.
    place: usize,
    body: PyBackedBytes,
    at: i64,
}
