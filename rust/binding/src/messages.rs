//! The messages of a batch, as items or as columns.

use pyo3::{
    prelude::*,
    types::{PyBytes, PyString, PyTuple},
};

use crate::{columns::Columns, message::Message};

/// The messages of a call.
pub enum Messages<'py> {
    Items(Bound<'py, PyTuple>),
    Columns(Columns<'py>),
}

impl<'py> Messages<'py> {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Items(items) => items.len(),
            Self::Columns(columns) => columns.bodies.len(),
        }
    }

    /// About how many bytes the bodies have, of those that can be seen without running code of
    /// the user's.
    pub fn bytes(&self) -> usize {
        let of_item = |item: &Bound<'py, PyAny>| {
            if let Ok(pair) = item.cast_exact::<PyTuple>() {
                pair.get_item(0).map_or(0, |body| plain_length(&body))
            } else if let Ok(message) = item.cast_exact::<Message>() {
                plain_length(message.get().body.bind(item.py()))
            } else {
                0
            }
        };
        match self {
            Self::Items(items) => items.iter_borrowed().map(|item| of_item(&item)).sum(),
            Self::Columns(columns) => columns
                .bodies
                .iter_borrowed()
                .map(|body| plain_length(&body))
                .sum(),
        }
    }
}

/// The length of a body that is `bytes` or text; 0 of any other.
fn plain_length(body: &Bound<'_, PyAny>) -> usize {
    if let Ok(bytes) = body.cast_exact::<PyBytes>() {
        return bytes.as_bytes().len();
    }
    let text = body.cast_exact::<PyString>();
    text.map_or(0, |text| text.len().unwrap_or(0))
}
