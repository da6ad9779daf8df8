//! Pairs and `Message`s as most queues hold them: read from Python into a chunk without a detour.

#![expect(
    clippy::inline_always,
    reason = "as in headers.rs: what is in hand of a message need not be moved for a call"
)]

use hookseal_engine::{batch::Chunk, endpoint::Endpoint};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyString, PyTuple},
};

use crate::{
    arguments::no_memory,
    batch::Call,
    clock::now,
    filling::Carried,
    message::Message,
    reader::Reader,
    recent::Mark,
    single::{self, Holders, telling},
    slots::small,
    trust::Arrival,
    tuples,
};

impl<'a, 'py> Reader<'a, 'py> {
    /// Reads a pair or a `Message` into the chunk that holds exact `bytes` and plain headers: what
    /// most queues are made of. False if it is anything else, or not as nearly all of those are; then
    /// nothing was read.
    #[inline]
    pub fn read_plain(
        &mut self,
        py: Python<'py>,
        index: usize,
        item: &Bound<'py, PyAny>,
        chunk: &mut Chunk<Carried, &'a Endpoint>,
    ) -> PyResult<bool> {
        if let Ok(message) = item.cast_exact::<Message>() {
            let message = message.get();
            let mut stated = Stated {
                arrival: None,
                at: message.at,
            };
            if let Some(name) = &message.endpoint {
                stated.arrival = self.arrival_at(name.bind(py));
                if stated.arrival.is_none() {
                    return Ok(false);
                }
            }
            let (body, headers) = (message.body.bind(py), message.headers.bind(py));
            return self.read_parts(py, index, body, headers, stated, chunk);
        }
        match item.cast_exact::<PyTuple>() {
            Ok(pair) if pair.len() == 2 => {
                let (body, headers) = (tuples::item(pair, 0)?, tuples::item(pair, 1)?);
                self.read_parts(py, index, &body, &headers, Stated::default(), chunk)
            }
            _ => Ok(false),
        }
    }

    /// The same of a body, of headers, and of what was stated beside them.
    #[inline(always)]
    fn read_parts(
        &mut self,
        py: Python<'py>,
        index: usize,
        body: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        stated: Stated<'a>,
        chunk: &mut Chunk<Carried, &'a Endpoint>,
    ) -> PyResult<bool> {
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
        let holders = Holders::default();
        let scheme = arrival.endpoint.scheme();
        let seen = self.seen.message();
        let Some(single) = single::read_single(headers, scheme, &holders, seen) else {
            return Ok(false);
        };
        let (at, place) = match same {
            Some(Same {
                at,
                place: Some(place),
                ..
            }) => (at, place),
            Some(same) => (same.at, self.first_of_pairs(same)?),
            None => {
                let call = self.call;
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
        let told = telling(self.held, &holders);
        self.slots.hold(index, told.map(|(_, object)| object));
        let carried = Carried {
            body: body.clone().into(),
            ids: None,
            endpoint: place,
            at,
        };
        let pushed = chunk.push_single(index, carried, &arrival.endpoint, at, &single);
        pushed.map_err(no_memory)?;
        Ok(true)
    }

    /// Where a message arrived that names its endpoint; None where that has to be asked once more.
    #[inline]
    fn arrival_at(&mut self, name: &Bound<'py, PyString>) -> Option<Arrival<'a>> {
        let find = || self.endpoints.find(Some(name)).ok().flatten();
        let text = name.to_str().ok()?;
        let Some(mark) = Mark::of(text) else {
            return find();
        };
        if let Some(found) = self.recent.find(mark, text) {
            return Some(found);
        }
        let found = find()?;
        self.recent.remember(mark, found);
        Some(found)
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
