//! Reading ahead: the objects of some messages are touched together, before any is read.
//!
//! Ten thousand messages fit no near cache. Read one by one, each waits for its tuple, its
//! body and its dict in turn; touched a group at a time, they come in together. What it gains
//! is in docs/decisions/batches.md.

use std::ops::Range;

use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};

/// How many messages are touched together.
pub const GROUP: usize = 16;

/// A group of messages, of those that can be read without running code of the user's: exact
/// pairs of a body and an exact dict.
#[derive(Default)]
pub struct Ahead<'py>(Vec<Option<Parts<'py>>>);

/// The parts of a message.
pub struct Parts<'py> {
    pub body: Bound<'py, PyAny>,
    pub headers: Bound<'py, PyDict>,
}

impl<'py> Ahead<'py> {
    /// Touches the messages of a group.
    pub fn look(&mut self, messages: &Bound<'py, PyTuple>, group: Range<usize>) -> PyResult<()> {
        self.0.clear();
        for index in group {
            let item = messages.get_borrowed_item(index)?;
            self.0.push(parts(&item)?);
        }
        Ok(())
    }

    /// Takes the messages that were touched; None for each that has to be read otherwise.
    pub fn take(&mut self) -> impl Iterator<Item = Option<Parts<'py>>> {
        self.0.drain(..)
    }
}

/// The parts of an exact pair of a body and an exact dict; None for every other item.
#[inline]
pub fn parts<'py>(item: &Bound<'py, PyAny>) -> PyResult<Option<Parts<'py>>> {
    let Ok(pair) = item.cast_exact::<PyTuple>() else {
        return Ok(None);
    };
    if pair.len() != 2 {
        return Ok(None);
    }
    let Ok(headers) = pair.get_item(1)?.cast_into_exact::<PyDict>() else {
        return Ok(None);
    };
    let body = pair.get_item(0)?;
    Ok(Some(Parts { body, headers }))
}
