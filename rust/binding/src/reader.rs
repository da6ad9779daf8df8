//! From Python's messages to a chunk.

#![expect(
    clippy::inline_always,
    reason = "as in headers.rs: what is in hand of a message need not be moved for a call"
)]

use std::ops::Range;

use hookseal_engine::{
    Outcome,
    batch::Chunk,
    endpoint::Endpoint,
    header::{Roles, Single},
    scheme::Scheme,
    verify::Rules,
};
use pyo3::{
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyDict, PyString, PyTuple, PyType},
};

use crate::{
    ahead::{GROUP, Seen, ask_for},
    arguments::no_memory,
    arrivals::{Arrivals, Seeking},
    batch::Call,
    body::{self, unencodable},
    clock::{now, plain_seconds},
    errors::is_items_own,
    filling::{Carried, Filling},
    headers::{self, Ids, Keep},
    items::{self, Part},
    messages::Messages,
    slots::{Good, Slots, small},
    trust::{Arrival, Endpoints},
    used::Used,
};

/// What reads the messages of a call into a chunk.
pub struct Reader<'a, 'py> {
    pub call: &'a Call<'py>,
    pub endpoints: &'a Endpoints,
    pub rules: &'a Rules,
    /// The headers whose objects are held.
    pub held: Roles,
    pub message_class: &'a Bound<'py, PyType>,
    pub slots: Slots,
    /// Made for the first item that is no message.
    pub errors: Option<Bound<'py, PyDict>>,
    pub used: Used,
    /// The instant of judgement, once the clock was read.
    pub now: Option<i64>,
    pub pairs: Pairs<'a>,
    /// The work that was done since the interpreter was let go.
    pub held_bytes: usize,
    /// Where the messages of a group arrived, from the first on.
    pub arrivals: Arrivals<'a>,
    pub seen: Seen,
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
        let end = items.len();
        ask_for(&items, group.end.min(end)..(group.end + GROUP).min(end))?;
        if let Some(seeking) = seeking {
            self.arrivals = seeking.end(&self.used)?;
        }
        for index in group {
            let item = items.get_borrowed_item(index)?;
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
            self.arrivals = seeking.end(&self.used)?;
        }
        group
            .into_iter()
            .try_for_each(|index| self.read_any(py, index, chunk))
    }

    /// Reads a pair or a `Message` into the chunk that holds exact `bytes` and plain headers: what
    /// most queues are made of. False if it is anything else, or not as nearly all of those are; then
    /// nothing was read.
    #[inline]
    fn read_plain(
        &mut self,
        py: Python<'py>,
        index: usize,
        item: &Bound<'py, PyAny>,
        chunk: &mut Chunk<Carried, &'a Endpoint>,
    ) -> PyResult<bool> {
        if let Ok(pair) = item.cast_exact::<PyTuple>() {
            return if pair.len() == 2 {
                self.read_parts(py, index, pair, Stated::default(), chunk)
            } else {
                Ok(false)
            };
        }
        // Or an error, which is found once more, as all others here.
        let Ok(Some(parts)) = items::parts(item, self.message_class) else {
            return Ok(false);
        };
        let part = |part: Part| parts.get_borrowed_item(part as usize);
        let (name, arrival) = (part(Part::Endpoint)?, part(Part::ReceivedAt)?);
        let mut stated = Stated::default();
        if !name.is_none() {
            let Ok(name) = name.cast_exact::<PyString>() else {
                return Ok(false);
            };
            stated.arrival = self.endpoints.find(Some(&name)).ok().flatten();
            if stated.arrival.is_none() {
                return Ok(false);
            }
        }
        if !arrival.is_none() {
            stated.at = plain_seconds(&arrival);
            if stated.at.is_none() {
                return Ok(false);
            }
        }
        self.read_parts(py, index, &parts, stated, chunk)
    }

    /// The same of a body, of headers, and of what was stated beside them.
    #[inline(always)]
    fn read_parts(
        &mut self,
        py: Python<'py>,
        index: usize,
        parts: &Bound<'py, PyTuple>,
        stated: Stated<'a>,
        chunk: &mut Chunk<Carried, &'a Endpoint>,
    ) -> PyResult<bool> {
        let body = parts.get_borrowed_item(Part::Body as usize)?;
        let headers = parts.get_borrowed_item(Part::Headers as usize)?;
        let Ok(body) = body.cast_exact::<PyBytes>() else {
            return Ok(false);
        };
        let mut same = None;
        if stated.is_nothing() {
            if matches!(self.pairs, Pairs::Unseen) {
                self.pairs = self.see_pairs(py)?;
            }
            if let Pairs::Alike(of_all) = self.pairs {
                same = Some(of_all);
            }
        }
        let arrival = match (same, stated.arrival) {
            (Some(same), _) => same.arrival,
            (None, Some(arrival)) => arrival,
            (None, None) => match self.own_arrival(index) {
                Ok(Some(arrival)) => arrival,
                _ => return Ok(false),
            },
        };
        let holders = headers::Holders::default();
        let scheme = arrival.endpoint.scheme();
        let seen = self.seen.message();
        let Some(single) = headers::read_single(&headers, scheme, &holders, seen) else {
            return Ok(false);
        };
        let mut ids = Ids::default();
        ids.hold_each(self.held, single.family, &holders);
        let (at, place) = match same {
            Some(Same {
                at,
                place: Some(place),
                ..
            }) => (at, place),
            Some(same) => (same.at, self.first_of_pairs(same)?),
            None => {
                let call = &self.call;
                let at = match stated.at.or(call.received_at.get(index)).or(self.now) {
                    Some(at) => self.rules.arrival(at),
                    // The clock is for the general path to read.
                    None if self.endpoints.need_instant(arrival.endpoint, self.rules) => {
                        return Ok(false);
                    }
                    None => 0,
                };
                if let (Some(_), Some(stated)) = (self.rules.backlog, stated.at) {
                    self.slots.note_arrival(index, self.rules.arrival(stated))?;
                }
                (at, small(self.used.arrived(arrival, at)?))
            }
        };
        let carried = Carried {
            ids,
            body: body.to_owned().into(),
            endpoint: place,
            at,
        };
        let pushed = chunk.push_single(index, carried, &arrival.endpoint, at, &single);
        pushed.map_err(no_memory)?;
        Ok(true)
    }

    /// Notes that the first pair arrived where all of them do; returns the endpoint's position.
    #[cold]
    fn first_of_pairs(&mut self, same: Same<'a>) -> PyResult<u32> {
        let place = small(self.used.arrived(same.arrival, same.at)?);
        self.pairs = Pairs::Alike(Same {
            place: Some(place),
            ..same
        });
        Ok(place)
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
        let holders = headers::Holders::default();
        let read = self.read(py, index, &mut filling, Some(&holders));
        let mut ids = filling.ids;
        let Some(ready) = self.unless_done(py, index, read)? else {
            chunk.forget_values();
            return Ok(());
        };
        if let Some(single) = &ready.single {
            ids.hold_each(self.held, single.family, &holders);
        }
        let carried = Carried {
            body: ready.body,
            ids,
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

    /// What the call says of its pairs.
    fn see_pairs(&mut self, py: Python<'py>) -> PyResult<Pairs<'a>> {
        let endpoints = self.endpoints;
        let Call {
            names, received_at, ..
        } = self.call;
        if names.is_each() || received_at.is_each() {
            return Ok(Pairs::Each);
        }
        let Some(arrival) = endpoints.find(names.get(0)?.as_ref())? else {
            return Ok(Pairs::Each);
        };
        let at = match received_at.get(0).or(self.now) {
            Some(at) => self.rules.arrival(at),
            None if endpoints.need_instant(arrival.endpoint, self.rules) => {
                *self.now.insert(now(py)?)
            }
            None => 0,
        };
        Ok(Pairs::Alike(Same {
            arrival,
            at,
            place: None,
        }))
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
                let good = Good { body, id: None };
                self.slots.put(py, index, outcome, None, Some(good))?;
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

    /// Reads one message; the values of its headers go to `kept`, unless there are `holders` and
    /// it has each once.
    #[inline]
    pub fn read<'h>(
        &mut self,
        py: Python<'py>,
        index: usize,
        kept: &mut impl Keep,
        holders: Option<&'h headers::Holders<'py>>,
    ) -> PyResult<Read<'a, 'h>> {
        let endpoints = self.endpoints;
        let mut single = None;
        let (arrival, received_at, body);
        match &self.call.messages {
            Messages::Items(items) => {
                let item = items.get_borrowed_item(index)?;
                let item = items::read(&item, self.message_class)?;
                received_at = item.received_at;
                arrival = match &item.endpoint {
                    Some(name) => endpoints.find(Some(name))?,
                    None => self.own_arrival(index)?,
                };
                body = body::read(&item.body, "body")?;
                let scheme = scheme_of(arrival);
                if let (Some(scheme), Some(holders)) = (scheme, holders) {
                    let seen = self.seen.message();
                    single = headers::read_single(&item.headers, scheme, holders, seen);
                }
                if single.is_none() {
                    headers::read(&item.headers, scheme, kept)?;
                }
            }
            Messages::Columns(columns) => {
                received_at = None;
                arrival = self.own_arrival(index)?;
                let found = columns.bodies.get_borrowed_item(index)?;
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
    fn own_arrival(&self, index: usize) -> PyResult<Option<Arrival<'a>>> {
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

/// What a call says of the pairs among its messages.
#[derive(Clone, Copy)]
pub enum Pairs<'e> {
    /// There was none yet.
    Unseen,
    /// Something else of each, or of all that they arrived nowhere.
    Each,
    /// The same of all.
    Alike(Same<'e>),
}

/// What a message says itself of its arrival.
#[derive(Clone, Copy, Default)]
struct Stated<'e> {
    arrival: Option<Arrival<'e>>,
    at: Option<i64>,
}

impl Stated<'_> {
    fn is_nothing(self) -> bool {
        self.arrival.is_none() && self.at.is_none()
    }
}

/// Where messages arrived, and when.
#[derive(Clone, Copy)]
pub struct Same<'e> {
    arrival: Arrival<'e>,
    at: i64,
    /// The endpoint's position among those that are used, once a message has arrived there.
    place: Option<u32>,
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
