//! A chunk that is being filled with Python's messages.

#![expect(
    clippy::inline_always,
    reason = "as in headers.rs: a call for each value is a third of its cost"
)]

use hookseal_engine::{
    batch::Chunk,
    endpoint::Endpoint,
    header::{Roles, Slot},
};
use pyo3::{prelude::*, pybacked::PyBackedBytes};

use crate::{
    arguments::no_memory,
    headers::{Ids, Keep},
};

/// What is carried beside a message while it waits.
pub struct Carried {
    pub body: PyBackedBytes,
    /// What holds the ids, where they are wanted and it is not known yet which of them counts.
    pub ids: Option<Box<Ids>>,
    /// The position of the endpoint among those that are used.
    pub endpoint: u32,
    /// The instant of judgement.
    pub at: i64,
}

impl AsRef<[u8]> for Carried {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// Where the header values of the message go that is read next.
pub struct Filling<'a, 'e> {
    pub chunk: &'a mut Chunk<Carried, &'e Endpoint>,
    pub ids: Ids,
    /// The headers whose objects are held.
    pub held: Roles,
}

impl Keep for Filling<'_, '_> {
    #[inline(always)]
    fn keep(&mut self, slot: Slot, value: &[u8], object: &Bound<'_, PyAny>) -> PyResult<()> {
        self.chunk.value(slot, value).map_err(no_memory)?;
        self.ids.hold(self.held, slot, object);
        Ok(())
    }

    fn forget(&mut self) {
        self.chunk.forget_values();
        self.ids.clear();
    }
}
