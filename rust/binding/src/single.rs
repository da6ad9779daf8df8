//! Headers as nearly every message has them: each at most once, looked at where they lie.

#![expect(
    clippy::inline_always,
    reason = "as in headers.rs: a call for each header is half of its cost"
)]

use std::cell::OnceCell;

use hookseal_engine::{
    header::{Role, Roles, Single, Slot},
    scheme::Scheme,
};
use pyo3::{
    Borrowed,
    prelude::*,
    types::{PyDict, PyList, PyString, PyTuple},
};

use crate::{ahead::SeenHeaders, tuples::item};

/// What holds the values of a message while it is judged, by role.
pub type Holders<'py> = [OnceCell<Bound<'py, PyAny>>; Role::ALL.len()];

/// What tells messages apart that hold each header once: the id, or where there is none and times are
/// held, the time.
#[inline(always)]
pub fn telling(held: Roles, holders: &Holders<'_>) -> Option<(Role, Py<PyAny>)> {
    let one = |role: Role| {
        let holder = holders[role as usize].get();
        let holder = holder.filter(|_| held & role.bit() != 0)?;
        Some((role, holder.clone().unbind()))
    };
    one(Role::Id).or_else(|| one(Role::Timestamp))
}

/// Reads headers that are an exact dict, or an exact list of exact pairs, and name each header at
/// most once, all of one family, with exact texts in UTF-8: as nearly every message has them. None
/// for any other, of which nothing is kept.
///
/// No code of the user's runs before the end: a text that is not UTF-8 is the end.
#[inline(always)]
pub fn read_single<'h, 'py>(
    headers: &Bound<'py, PyAny>,
    scheme: &Scheme,
    holders: &'h Holders<'py>,
    seen: SeenHeaders<'_>,
) -> Option<Single<'h>> {
    let mut reading = ReadingSingle {
        single: Single {
            family: 0,
            values: [None; Role::ALL.len()],
        },
        is_first: true,
        scheme,
        holders,
        seen,
    };
    if let Ok(dict) = headers.cast_exact::<PyDict>() {
        for (name, value) in dict.iter() {
            reading.take(&name, value)?;
        }
    } else {
        for pair in headers.cast_exact::<PyList>().ok()?.iter() {
            let (name, value) = exact_pair(&pair)?;
            reading.take(&name, value)?;
        }
    }
    Some(reading.single)
}

/// A name and a value: a tuple, or the list that JSON makes of it.
#[inline(always)]
fn exact_pair<'py>(pair: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    if let Ok(pair) = pair.cast_exact::<PyList>() {
        // Each by itself is a call.
        let mut items = pair.iter();
        let both = (items.next()?, items.next()?);
        return items.next().is_none().then_some(both);
    }
    let pair = pair.cast_exact::<PyTuple>().ok()?;
    let item = |at| item(pair, at).ok().map(Borrowed::to_owned);
    (pair.len() == 2).then_some((item(0)?, item(1)?))
}

/// Headers of which each was there once, so far.
struct ReadingSingle<'h, 'py, 's> {
    single: Single<'h>,
    is_first: bool,
    scheme: &'s Scheme,
    holders: &'h Holders<'py>,
    seen: SeenHeaders<'s>,
}

impl<'py> ReadingSingle<'_, 'py, '_> {
    /// Takes the next; None if it was there before, or is not as above.
    #[inline(always)]
    fn take(&mut self, name: &Bound<'py, PyAny>, value: Bound<'py, PyAny>) -> Option<()> {
        self.seen.next(name, &value);
        let text = name.cast_exact::<PyString>().ok()?.to_str().ok()?;
        let Some(Slot { family, role }) = self.scheme.slot(text.as_bytes()) else {
            return Some(());
        };
        if self.is_first {
            (self.single.family, self.is_first) = (family, false);
        }
        let holder = &self.holders[role as usize];
        holder
            .set(value)
            .ok()
            .filter(|()| family == self.single.family)?;
        let value = holder.get()?.cast_exact::<PyString>().ok()?;
        let value = value.to_str().ok()?.as_bytes();
        // Copied as it lies, which is by one load of what was just written in two halves: the
        // processor waits until both are in the cache, 5 ns for each value. The question keeps
        // address and length in registers.
        let value = if value.is_empty() { &[] } else { value };
        self.single.values[role as usize] = Some(value);
        Some(())
    }
}
