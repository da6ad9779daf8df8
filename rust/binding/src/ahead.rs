//! Reading ahead: the objects of some messages are touched together, before any is read.
//!
//! Ten thousand messages fit no near cache. Read one by one, each waits for its tuple, its
//! dict, its keys and its values in turn; touched a group at a time, they come in together.
//! What it gains is in docs/decisions.md.

use std::ops::Range;

use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};

/// How many messages are touched together.
pub const GROUP: usize = 8;

/// One header as it stands in a dict.
pub type Pair<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// A group of messages, of those that can be read without running code of the user's: exact
/// pairs of a body and an exact dict.
#[derive(Default)]
pub struct Ahead<'py> {
    parts: Vec<Option<Parts<'py>>>,
    pairs: Vec<Pair<'py>>,
}

struct Parts<'py> {
    body: Bound<'py, PyAny>,
    headers: Bound<'py, PyDict>,
    pairs: Range<usize>,
}

impl<'py> Ahead<'py> {
    /// Touches the messages of a group.
    pub fn look(&mut self, messages: &Bound<'py, PyTuple>, group: Range<usize>) -> PyResult<()> {
        self.parts.clear();
        self.pairs.clear();
        for index in group {
            let item = messages.get_borrowed_item(index)?;
            self.parts.push(parts(&item)?);
        }
        for parts in self.parts.iter_mut().flatten() {
            let start = self.pairs.len();
            self.pairs.extend(parts.headers.iter());
            parts.pairs = start..self.pairs.len();
        }
        Ok(())
    }

    /// The body and the headers of the group's message `at`, if it was touched.
    pub fn get(&self, at: usize) -> Option<(&Bound<'py, PyAny>, &[Pair<'py>])> {
        let parts = self.parts.get(at)?.as_ref()?;
        Some((&parts.body, &self.pairs[parts.pairs.clone()]))
    }
}

fn parts<'py>(item: &Bound<'py, PyAny>) -> PyResult<Option<Parts<'py>>> {
    let Ok(pair) = item.cast_exact::<PyTuple>() else {
        return Ok(None);
    };
    if pair.len() != 2 {
        return Ok(None);
    }
    let Ok(headers) = pair.get_item(1)?.cast_into_exact::<PyDict>() else {
        return Ok(None);
    };
    Ok(Some(Parts {
        body: pair.get_item(0)?,
        headers,
        pairs: 0..0,
    }))
}
