//! From Python's messages to a chunk.

use std::ops::Range;

use hookseal_engine::{
    Outcome,
    batch::Chunk,
    endpoint::Endpoint,
    header::{Roles, Single},
    replay::Backlog,
    scheme::Scheme,
    verify::Rules,
};
use pyo3::{prelude::*, pybacked::PyBackedBytes, types::PyDict};

use crate::{
    ahead::{Ahead, Seen},
    arguments::no_memory,
    arrivals::{Arrivals, Seeking},
    batch::Call,
    body::{self, unencodable},
    clock::now,
    errors::is_items_own,
    filling::{Carried, Filling},
    headers::{self, Ids, Keep},
    items,
    messages::Messages,
    plain::Pairs,
    recent::Recent,
    replay::arrival_needs_ttl,
    single::{self, Holders, telling},
    slots::{Slots, small},
    trust::{Arrival, Endpoints},
    tuples::item,
    used::Used,
};

/// What reads the messages of a call into a chunk.
pub struct Reader<'a, 'py> {
    pub call: &'a Call<'py>,
    pub endpoints: &'a Endpoints,
    pub rules: &'a Rules,
    /// The headers whose objects are held.
    pub held: Roles,
    pub slots: &'a mut Slots,
    /// Made for the first item that is no message.
    pub errors: &'a mut Option<Py<PyDict>>,
    pub used: &'a mut Used,
    /// The instant of judgement, once the clock was read.
    pub now: Option<i64>,
    pub pairs: Pairs<'a>,
    /// The work that was done since the interpreter was let go.
    pub held_bytes: usize,
    /// Where the messages of a group arrived, from the first on.
    pub arrivals: Arrivals<'a>,
    pub seen: Seen,
    pub ahead: Ahead,
    pub recent: Recent<'a>,
}

impl<'a, 'py> Reader<'a, 'py> {
    /// Reads neighbouring messages into the chunk.
    pub fn read_group(
        &mut self,
        py: Python<'py>,
        group: Range<usize>,
        chunk: &mut Chunk<Carried, &'a Endpoint>,
    ) -> PyResult<()> {
        let seeking = if self.call.names.is_each() {
            Seeking::begin(self.endpoints, &self.call.names, group.clone())?
        } else {
            None
        };
        let Messages::Items(items) = &self.call.messages else {
            return self.read_columns(py, group, seeking, chunk);
        };
        let items = items.clone();
        // They come in while the ones of this group are read.
        self.ahead.step(&items, &group)?;
        if let Some(seeking) = seeking {
            self.arrivals = seeking.end(self.used)?;
        }
        for index in group {
            let item = item(&items, index)?;
            if !self.read_plain(py, index, &item, chunk)? {
                self.read_any(py, index, chunk)?;
            }
        }
        Ok(())
    }

    fn read_columns(
        &mut self,
        py: Python<'py>,
        group: Range<usize>,
        seeking: Option<Seeking<'a, 'py>>,
        chunk: &mut Chunk<Carried, &'a Endpoint>,
    ) -> PyResult<()> {
        if let Some(seeking) = seeking {
            self.arrivals = seeking.end(self.used)?;
        }
        group
            .into_iter()
            .try_for_each(|index| self.read_any(py, index, chunk))
    }

    /// Reads a message of any kind into the chunk.
    #[cold]
    fn read_any(
        &mut self,
        py: Python<'py>,
        index: usize,
        chunk: &mut Chunk<Carried, &'a Endpoint>,
    ) -> PyResult<()> {
        let mut filling = Filling {
            chunk,
            ids: Ids::default(),
            held: self.held,
        };
        let holders = Holders::default();
        let read = self.read(py, index, &mut filling, Some(&holders));
        let ids = filling.ids;
        let Some(ready) = self.unless_done(py, index, read)? else {
            chunk.forget_values();
            return Ok(());
        };
        if ready.single.is_some() {
            let told = telling(self.held, &holders);
            self.slots.hold(index, told.map(|(_, object)| object));
        }
        let carried = Carried {
            body: ready.body,
            ids: ids.boxed(),
            endpoint: small(ready.place),
            at: ready.at,
        };
        let (endpoint, at) = (ready.endpoint, ready.at);
        let pushed = match &ready.single {
            Some(single) => chunk.push_single(index, carried, &endpoint, at, single),
            None => chunk.push(index, carried, &endpoint, at),
        };
        pushed.map_err(no_memory)
    }

    /// Writes down what became of an item that is not ready to be judged.
    #[inline]
    pub fn unless_done<'e, 'h>(
        &mut self,
        py: Python<'py>,
        index: usize,
        read: PyResult<Read<'e, 'h>>,
    ) -> PyResult<Option<Ready<'e, 'h>>> {
        match read {
            Ok(Read::Ready(ready)) => return Ok(Some(ready)),
            Ok(Read::Nowhere(outcome, body)) => {
                self.slots.put(py, index, outcome, None, Some(body))?;
            }
            Err(error) if is_items_own(py, &error) => {
                let errors = self
                    .errors
                    .get_or_insert_with(|| PyDict::new(py).unbind())
                    .bind(py);
                errors.set_item(index, error.into_value(py))?;
                self.slots
                    .put(py, index, Outcome::NOT_A_MESSAGE, None, None)?;
            }
            Ok(Read::NoClock(error)) | Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// Reads one message; the values of its headers go to `kept`, unless there are `holders` and
    /// it has each once.
    #[inline]
    pub fn read<'h>(
        &mut self,
        py: Python<'py>,
        index: usize,
        kept: &mut impl Keep,
        holders: Option<&'h Holders<'py>>,
    ) -> PyResult<Read<'a, 'h>> {
        let endpoints = self.endpoints;
        let mut single = None;
        let (arrival, received_at, body);
        match &self.call.messages {
            Messages::Items(items) => {
                let item = item(items, index)?;
                let item = items::read(&item)?;
                received_at = item.received_at;
                // Of a class that did not say so when all were asked.
                if let (Some(Backlog { ttl: None, .. }), Some(_)) =
                    (self.rules.backlog, received_at)
                {
                    return Err(arrival_needs_ttl(py, "received_at"));
                }
                arrival = match &item.endpoint {
                    Some(name) => endpoints.find(Some(name))?,
                    None => self.own_arrival(index)?,
                };
                body = body::read(&item.body, "body")?;
                let scheme = scheme_of(arrival);
                if let (Some(scheme), Some(holders)) = (scheme, holders) {
                    let seen = self.seen.message();
                    single = single::read_single(&item.headers, scheme, holders, seen);
                }
                if single.is_none() {
                    headers::read(&item.headers, scheme, kept)?;
                }
            }
            Messages::Columns(columns) => {
                received_at = None;
                arrival = self.own_arrival(index)?;
                let found = item(&columns.bodies, index)?;
                body = body::read(&found, "body")?;
                if let Some(scheme) = scheme_of(arrival) {
                    single = holders.and_then(|it| columns.single(index, scheme, it));
                    if single.is_none() {
                        columns.keep(index, scheme, kept)?;
                    }
                }
            }
        }
        let body = body.ok_or_else(|| unencodable(py, "body"))?;
        let Some(arrival) = arrival else {
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
            Some(at) => self.rules.arrival(at),
            None if endpoints.need_instant(arrival.endpoint, self.rules) => match now(py) {
                Ok(now) => *self.now.insert(now),
                Err(error) => return Ok(Read::NoClock(error)),
            },
            None => 0,
        };
        if let (Some(_), Some(stated)) = (self.rules.backlog, received_at) {
            self.slots.note_arrival(index, self.rules.arrival(stated))?;
        }
        Ok(Read::Ready(Ready {
            endpoint: arrival.endpoint,
            place: self.used.arrived(arrival, at)?,
            body,
            at,
            single,
        }))
    }
}

impl<'a> Reader<'a, '_> {
    /// Where a message arrived that does not say so itself.
    #[inline]
    pub fn own_arrival(&self, index: usize) -> PyResult<Option<Arrival<'a>>> {
        match self.arrivals.get(index) {
            Some(arrival) => Ok(Some(arrival)),
            None => self.endpoints.find(self.call.names.get(index)?.as_ref()),
        }
    }
}

fn scheme_of(arrival: Option<Arrival<'_>>) -> Option<&Scheme> {
    arrival.map(|arrival| &**arrival.endpoint.scheme())
}

/// What became of an item when it was read.
pub enum Read<'e, 'h> {
    /// It can be judged.
    Ready(Ready<'e, 'h>),
    /// It arrived at no endpoint that has secrets.
    Nowhere(Outcome, PyBackedBytes),
    /// The clock could not be read: that is the end of the call, not of the item.
    NoClock(PyErr),
}

/// A message that can be judged.
pub struct Ready<'e, 'h> {
    pub endpoint: &'e Endpoint,
    /// The endpoint's position among those that are used.
    pub place: usize,
    pub body: PyBackedBytes,
    pub at: i64,
    /// The values of its headers, if they are held and not kept.
    pub single: Option<Single<'h>>,
}
