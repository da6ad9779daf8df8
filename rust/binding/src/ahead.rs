//! Reading ahead: the objects of messages are asked for before they are read.
//!
//! Ten thousand messages fit no near cache. Read one by one, each waits for its body, for its
//! dict and for the texts in it in turn. What it gains to ask for them is in
//! docs/decisions/batches.md.

#![expect(
    clippy::inline_always,
    reason = "as in headers.rs: a call for each header is half of its cost"
)]

use std::{ops::Range, ptr, slice};

use hookseal_engine::prefetch_address;
use pyo3::{prelude::*, types::PyTuple};

use crate::{message::Message, tuples};

/// How many messages are asked for together.
pub const GROUP: usize = 16;

/// What lies ahead of pairs and `Message`s: bodies and headers are asked for a group before they are read,
/// and a `Message`, which says where they lie, one more: who looks where the step before has not come
/// waits.
#[derive(Default)]
pub struct Ahead {
    /// Whether the last group had any: then the next ones are asked for.
    are_messages: bool,
}

impl Ahead {
    /// Takes the steps for the groups behind this one.
    pub fn step(&mut self, messages: &Bound<'_, PyTuple>, group: &Range<usize>) -> PyResult<()> {
        let end = messages.len();
        let behind = |groups: usize| {
            let start = group.end + groups * GROUP;
            start.min(end)..(start + GROUP).min(end)
        };
        if self.are_messages {
            for index in behind(1) {
                prefetch_address(tuples::item(messages, index)?.as_ptr(), MESSAGE_BYTES);
            }
        }
        self.are_messages = false;
        for index in behind(0) {
            let item = tuples::item(messages, index)?;
            if let Ok(message) = item.cast_exact::<Message>() {
                self.are_messages = true;
                let message = message.get();
                prefetch_address(message.body.as_ptr(), OBJECT_BYTES);
                prefetch_address(message.headers.as_ptr(), OBJECT_BYTES);
                if let Some(name) = &message.endpoint {
                    prefetch_address(name.as_ptr(), OBJECT_BYTES);
                }
            } else if let Ok(pair) = item.cast_exact::<PyTuple>()
                && pair.len() == 2
            {
                for at in 0..2 {
                    prefetch_address(tuples::item(&pair, at)?.as_ptr(), OBJECT_BYTES);
                }
            }
        }
        Ok(())
    }
}

/// What of an object is read of each: its type, and where it has the rest.
const OBJECT_BYTES: usize = 48;

/// The same of a `Message`.
const MESSAGE_BYTES: usize = 80;

/// Where the headers lie of the message that was read last, by their order.
///
/// What is made one after the other often lies one behind the other: where the last three are as
/// far from each other, that tells where the one of a few messages ahead lies. A guess that is wrong
/// costs a line of the cache. Where hardly any can be made, for messages are of many shapes, none is
/// tried for a while.
#[derive(Default)]
pub struct Seen {
    places: [[Place; 2]; SEEN_HEADERS],
    /// How many objects were where they were thought to be, of the message before.
    guessed: u32,
    /// How many messages in a row there were of which hardly any was.
    odd: u32,
    /// How many messages are not looked at from here on.
    rest: u32,
}

/// Where an object lies, and how far behind the one of the message before.
#[derive(Clone, Copy, Default)]
struct Place {
    address: usize,
    step: usize,
}

impl Seen {
    /// Those of the next message, by their order.
    #[inline(always)]
    pub fn message(&mut self) -> SeenHeaders<'_> {
        if self.rest > 0 {
            self.rest -= 1;
            return SeenHeaders::none();
        }
        if self.guessed >= FEW_GUESSED {
            self.odd = 0;
        } else {
            self.odd += 1;
            if self.odd == MOST_ODD {
                // Three tell whether it has become better.
                (self.odd, self.rest) = (MOST_ODD - 4, REST);
            }
        }
        self.guessed = 0;
        SeenHeaders {
            places: self.places.iter_mut(),
            guessed: Some(&mut self.guessed),
        }
    }
}

/// Where headers lay of the message before, from the next one on.
pub struct SeenHeaders<'a> {
    places: slice::IterMut<'a, [Place; 2]>,
    guessed: Option<&'a mut u32>,
}

impl SeenHeaders<'_> {
    /// For a message that none comes after.
    pub fn none() -> Self {
        Self {
            places: slice::IterMut::default(),
            guessed: None,
        }
    }

    /// Notes the next header, and asks for the one of its order a few messages ahead.
    #[inline(always)]
    pub fn next(&mut self, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) {
        let Some(last) = self.places.next() else {
            return;
        };
        for (last, object) in last.iter_mut().zip([name, value]) {
            let address = object.as_ptr().addr();
            let step = address.wrapping_sub(last.address);
            if step == last.step {
                let there = address.wrapping_add(step.wrapping_mul(MESSAGES_AHEAD));
                prefetch_address(ptr::without_provenance::<u8>(there), TEXT_BYTES);
                if let Some(guessed) = &mut self.guessed {
                    **guessed += 1;
                }
            }
            *last = Place { address, step };
        }
    }
}

/// Of a message so few guesses are hardly any.
const FEW_GUESSED: u32 = 4;

/// After so many messages in a row of which hardly any guess was made, the next are not looked at.
const MOST_ODD: u32 = 16;

/// How many those are.
const REST: u32 = 64;

/// How many headers are noted of a message.
const SEEN_HEADERS: usize = 16;

/// How many messages ahead.
const MESSAGES_AHEAD: usize = 3;

/// What of a text is read, if it is short.
const TEXT_BYTES: usize = 64;
