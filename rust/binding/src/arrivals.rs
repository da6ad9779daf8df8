//! Looking ahead for the endpoints of a group of messages.
//!
//! Ten thousand endpoints fit no near cache either. Found one by one, each message waits for
//! its place in the table, for its endpoint and for its key in turn; found a group at a time,
//! they wait together, and while the messages themselves are looked ahead for.

use std::ops::Range;

use pyo3::{Borrowed, prelude::*, types::PyString};

use crate::{
    ahead::GROUP,
    encoded::utf8,
    items::Names,
    trust::{Arrival, Endpoints, Rings, Sought},
    used::Used,
};

/// Where the messages of a group arrived.
#[derive(Default)]
pub struct Arrivals<'e> {
    first: usize,
    found: [Option<Arrival<'e>>; GROUP],
}

/// The endpoints of a group that are being looked up.
pub struct Seeking<'e, 'py> {
    rings: &'e Rings,
    first: usize,
    names: Given<'e, 'py>,
    sought: Sought<GROUP>,
}

impl<'e, 'py> Seeking<'e, 'py> {
    /// Begins with a group that has a name for each message; None where there is no ring.
    pub fn begin(
        endpoints: &'e Endpoints,
        names: &'e Names<'py>,
        group: Range<usize>,
    ) -> PyResult<Option<Self>> {
        let Endpoints::Ring(rings) = endpoints else {
            return Ok(None);
        };
        let first = group.start;
        let mut given = [None; GROUP];
        for (name, index) in given.iter_mut().zip(group) {
            *name = names.own(index)?;
        }
        let sought = rings.seek_each(&texts(&given)?);
        Ok(Some(Self {
            rings,
            first,
            names: given,
            sought,
        }))
    }

    /// Where the messages arrived.
    pub fn end(self, used: &Used) -> PyResult<Arrivals<'e>> {
        let found = self.rings.find_each(&texts(&self.names)?, &self.sought);
        for arrival in found.iter().flatten() {
            used.prefetch(*arrival);
        }
        let first = self.first;
        Ok(Arrivals { first, found })
    }
}

impl<'e> Arrivals<'e> {
    /// Where a message of the group arrived, if it was found.
    pub fn get(&self, index: usize) -> Option<Arrival<'e>> {
        *self.found.get(index.checked_sub(self.first)?)?
    }
}

/// The names of a group.
type Given<'e, 'py> = [Option<Borrowed<'e, 'py, PyString>>; GROUP];

/// The names as text; None where there is none, or none that an endpoint can have.
fn texts<'n>(names: &'n Given<'_, '_>) -> PyResult<[Option<&'n str>; GROUP]> {
    let mut texts = [None; GROUP];
    for (text, name) in texts.iter_mut().zip(names) {
        *text = name.as_ref().map_or(Ok(None), |name| utf8(name))?;
    }
    Ok(texts)
}
