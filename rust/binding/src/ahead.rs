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

/// How many messages are asked for together.
pub const GROUP: usize = 16;

/// Asks for the bodies and the headers of exact tuples.
pub fn ask_for(messages: &Bound<'_, PyTuple>, group: Range<usize>) -> PyResult<()> {
    for index in group {
        let item = messages.get_borrowed_item(index)?;
        if let Ok(pair) = item.cast_exact::<PyTuple>()
            && pair.len() == 2
        {
            for at in 0..2 {
                prefetch_address(pair.get_borrowed_item(at)?.as_ptr(), OBJECT_BYTES);
            }
        }
    }
    Ok(())
}

/// What of an object is read of each: its type, and where it has the rest.
const OBJECT_BYTES: usize = 48;

/// Where the headers lie of the message that was read last, by their order.
///
/// What is made one after the other often lies one behind the other: where the last three are as
/// far from each other, that tells where the one of a few messages ahead lies. A guess that is wrong
/// costs a line of the cache.
#[derive(Default)]
pub struct Seen([[Place; 2]; SEEN_HEADERS]);

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
        SeenHeaders(self.0.iter_mut())
    }
}

/// Where headers lay of the message before, from the next one on.
pub struct SeenHeaders<'a>(slice::IterMut<'a, [Place; 2]>);

impl SeenHeaders<'_> {
    /// For a message that none comes after.
    pub fn none() -> Self {
        Self(slice::IterMut::default())
    }

    /// Notes the next header, and asks for the one of its order a few messages ahead.
    #[inline(always)]
    pub fn next(&mut self, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) {
        let Some(last) = self.0.next() else {
            return;
        };
        for (last, object) in last.iter_mut().zip([name, value]) {
            let address = object.as_ptr().addr();
            let step = address.wrapping_sub(last.address);
            if step == last.step {
                let there = address.wrapping_add(step.wrapping_mul(MESSAGES_AHEAD));
                prefetch_address(ptr::without_provenance::<u8>(there), TEXT_BYTES);
            }
            *last = Place { address, step };
        }
    }
}

/// How many headers are noted of a message.
const SEEN_HEADERS: usize = 16;

/// How many messages ahead.
const MESSAGES_AHEAD: usize = 3;

/// What of a text is read, if it is short.
const TEXT_BYTES: usize = 64;
