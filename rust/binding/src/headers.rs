//! Headers: every shape they come in, down to the values that the scheme names.

#![expect(
    clippy::inline_always,
    reason = "every header of every message goes through here, and a call for each is half of its cost"
)]

use hookseal_engine::{
    header::{MAX_HEADER_BYTES, Role, Slot, Values},
    scheme::Scheme,
};
use pyo3::{
    PyTypeInfo, intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};
use smallvec::SmallVec;

use crate::{
    arguments::{no_memory, wrong_type},
    encoded::utf8,
    items::is_iterable,
};

/// The values of the headers that a scheme names: copies of their few bytes, one behind the
/// other, so that nothing has to be kept alive.
pub struct Kept {
    /// The first bytes, where nothing has to be allocated for them.
    near: [u8; NEAR_BYTES],
    /// All of them, once they are more.
    far: Vec<u8>,
    all: SmallVec<[One; 4]>,
    bytes: usize,
    /// The object that holds the id, by family. It cannot change.
    ids: SmallVec<[(u8, Py<PyAny>); 1]>,
}

/// An id, a time and two signatures.
const NEAR_BYTES: usize = 256;

/// What is kept of a larger buffer from message to message.
const MOST_FAR_BYTES: usize = 4 * MAX_HEADER_BYTES;

/// Where one value lies.
struct One {
    slot: Slot,
    start: usize,
    end: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            near: [0; NEAR_BYTES],
            far: Vec::new(),
            all: SmallVec::new(),
            bytes: 0,
            ids: SmallVec::new(),
        }
    }
}

impl Values for Kept {
    fn each(&self) -> impl Iterator<Item = (Slot, &[u8])> {
        let bytes = if self.far.is_empty() {
            &self.near[..]
        } else {
            &self.far
        };
        self.all
            .iter()
            .map(move |one| (one.slot, &bytes[one.start..one.end]))
    }
}

impl Kept {
    /// Takes out what holds the first id of a family.
    pub fn take_id(&mut self, family: u8) -> Option<Py<PyAny>> {
        let at = self.ids.iter().position(|(of, _)| *of == family)?;
        Some(self.ids.swap_remove(at).1)
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.far.clear();
        // One long header is not kept for the rest of a batch.
        self.far.shrink_to(MOST_FAR_BYTES);
        self.all.clear();
        self.bytes = 0;
        self.ids.clear();
    }

    /// Keeps a text; false if it is neither `str` nor `bytes`.
    fn keep(&mut self, slot: Slot, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let copy;
        let bytes = if let Ok(text) = value.cast::<PyString>() {
            if let Some(text) = utf8(text)? {
                text.as_bytes()
            } else {
                copy = surrogates_and_all(text)?;
                copy.as_bytes()
            }
        } else if let Ok(bytes) = value.cast::<PyBytes>() {
            bytes.as_bytes()
        } else {
            return Ok(false);
        };
        if !self.push(slot, bytes, value) {
            self.make_room(enough(slot, bytes).len())?;
            self.push(slot, bytes, value);
        }
        Ok(true)
    }

    /// Keeps a value that an object holds; false if there is no room.
    #[inline(always)]
    fn push(&mut self, slot: Slot, value: &[u8], object: &Bound<'_, PyAny>) -> bool {
        let value = enough(slot, value);
        let (start, end) = (self.bytes, self.bytes + value.len());
        let Some(free) = self.room().get_mut(start..end) else {
            return false;
        };
        free.copy_from_slice(value);
        self.bytes = end;
        self.all.push(One { slot, start, end });
        if slot.role == Role::Id {
            self.ids.push((slot.family, object.clone().unbind()));
        }
        true
    }

    #[inline]
    fn room(&mut self) -> &mut [u8] {
        if self.far.is_empty() {
            &mut self.near
        } else {
            &mut self.far
        }
    }

    #[cold]
    fn make_room(&mut self, more: usize) -> PyResult<()> {
        let is_first = self.far.is_empty();
        let wanted = self.bytes + more;
        self.far
            .try_reserve(wanted.saturating_sub(self.far.len()))
            .map_err(no_memory)?;
        self.far.resize(wanted.max(NEAR_BYTES), 0);
        if is_first {
            self.far[..self.bytes].copy_from_slice(&self.near[..self.bytes]);
        }
        Ok(())
    }
}

/// What has to be kept of a value: of a signature, no more than refuses it for its length.
#[inline]
fn enough(slot: Slot, value: &[u8]) -> &[u8] {
    match slot.role {
        Role::Signature => &value[..value.len().min(MAX_HEADER_BYTES + 1)],
        _ => value,
    }
}

/// Reads headers of any shape. Without a scheme nothing is kept, but shapes are judged.
pub fn read(headers: &Bound<'_, PyAny>, scheme: Option<&Scheme>, kept: &mut Kept) -> PyResult<()> {
    if let Ok(dict) = headers.cast_exact::<PyDict>() {
        return read_dict(dict, scheme, kept);
    }
    // An exact list or tuple has no `items`, and asking for them would cost an exception.
    if let Ok(list) = headers.cast_exact::<PyList>() {
        return read_items(&list.to_tuple(), scheme, kept);
    }
    if let Ok(tuple) = headers.cast_exact::<PyTuple>() {
        return read_items(tuple, scheme, kept);
    }
    let py = headers.py();
    let is_text = headers.is_instance_of::<PyString>() || headers.is_instance_of::<PyBytes>();
    if is_text || headers.is_none() {
        return Err(wrong_type("headers", headers, None));
    }
    let items = headers.getattr_opt(intern!(py, "items"))?;
    let items = match items.filter(|items| !items.is_none()) {
        Some(items) => items.call0()?,
        None => headers.clone(),
    };
    if !is_iterable(&items)? {
        return Err(wrong_type("headers", headers, None));
    }
    // All of them before the first is looked at: what is iterated may change meanwhile.
    let items = PyTuple::type_object(py).call1((items,))?;
    read_items(items.cast_exact()?, scheme, kept)
}

/// Reads pairs that nobody can change any more.
fn read_items(
    items: &Bound<'_, PyTuple>,
    scheme: Option<&Scheme>,
    kept: &mut Kept,
) -> PyResult<()> {
    for (index, item) in items.iter_borrowed().enumerate() {
        if let Ok(pair) = item.cast_exact::<PyTuple>()
            && pair.len() == 2
        {
            let (name, value) = (pair.get_borrowed_item(0)?, pair.get_borrowed_item(1)?);
            take(&name, &value, scheme, kept)?;
            continue;
        }
        let members = members(&item);
        let Some([name, value]) = members.as_deref() else {
            let place = format!("headers[{index}]");
            return Err(wrong_type("headers item", &item, Some(&place)));
        };
        take(name, value, scheme, kept)?;
    }
    Ok(())
}

/// Reads an exact dict. No code of the user's runs while its parts are exact.
pub fn read_dict(
    headers: &Bound<'_, PyDict>,
    scheme: Option<&Scheme>,
    kept: &mut Kept,
) -> PyResult<()> {
    for (name, value) in headers.iter() {
        take(&name, &value, scheme, kept)?;
    }
    Ok(())
}

/// What a tuple or a list holds, by their own means: a subclass may have others.
fn members<'py>(value: &Bound<'py, PyAny>) -> Option<SmallVec<[Bound<'py, PyAny>; 2]>> {
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return Some(tuple.iter().collect());
    }
    Some(value.cast::<PyList>().ok()?.iter().collect())
}

/// Keeps one header's values if the scheme names it.
#[inline(always)]
fn take(
    name: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    scheme: Option<&Scheme>,
    kept: &mut Kept,
) -> PyResult<()> {
    let Some(slot) = slot_of(name, scheme)? else {
        return Ok(());
    };
    take_value(slot, value, scheme, kept)
}

/// Keeps a header's values.
#[inline(always)]
pub fn take_value(
    slot: Slot,
    value: &Bound<'_, PyAny>,
    scheme: Option<&Scheme>,
    kept: &mut Kept,
) -> PyResult<()> {
    let is_kept = if let Ok(Ok(text)) = value.cast_exact::<PyString>().map(Bound::to_str) {
        kept.push(slot, text.as_bytes(), value)
    } else if let Ok(bytes) = value.cast_exact::<PyBytes>() {
        kept.push(slot, bytes.as_bytes(), value)
    } else {
        false
    };
    if is_kept {
        Ok(())
    } else {
        take_any(slot, value, scheme, kept)
    }
}

/// The header that a name is of, if the scheme names it. Most are exact texts that it does not.
#[inline(always)]
fn slot_of(name: &Bound<'_, PyAny>, scheme: Option<&Scheme>) -> PyResult<Option<Slot>> {
    if let (Ok(Ok(name)), Some(scheme)) = (name.cast_exact::<PyString>().map(Bound::to_str), scheme)
    {
        return Ok(scheme.slot(name.as_bytes()));
    }
    if let (Ok(name), Some(scheme)) = (name.cast_exact::<PyBytes>(), scheme) {
        return Ok(scheme.slot(name.as_bytes()));
    }
    slot_of_any(name, scheme)
}

#[cold]
fn slot_of_any(name: &Bound<'_, PyAny>, scheme: Option<&Scheme>) -> PyResult<Option<Slot>> {
    if let Ok(name) = name.cast::<PyString>() {
        Ok(match scheme {
            Some(scheme) => utf8(name)?.and_then(|name| scheme.slot(name.as_bytes())),
            None => None,
        })
    } else if let Ok(name) = name.cast::<PyBytes>() {
        Ok(scheme.and_then(|scheme| scheme.slot(name.as_bytes())))
    } else {
        Err(wrong_type("header name", name, None))
    }
}

/// Keeps a header's values, of any form.
#[cold]
fn take_any(
    slot: Slot,
    value: &Bound<'_, PyAny>,
    scheme: Option<&Scheme>,
    kept: &mut Kept,
) -> PyResult<()> {
    if kept.keep(slot, value)? {
        return Ok(());
    }
    let wrong = |value: &Bound<'_, PyAny>| wrong_value(value, scheme, slot);
    if let Some(all) = members(value) {
        for one in &all {
            if !kept.keep(slot, one)? {
                return Err(wrong(one));
            }
        }
    } else if !value.is_none() {
        return Err(wrong(value));
    }
    Ok(())
}

#[cold]
fn wrong_value(value: &Bound<'_, PyAny>, scheme: Option<&Scheme>, slot: Slot) -> PyErr {
    let name = scheme.and_then(|scheme| scheme.header(slot));
    let place = name.map(|name| format!("header '{name}'"));
    wrong_type("header value", value, place.as_deref())
}

/// A lone surrogate as its three bytes: not ASCII and not UTF-8, so no rule accepts it.
fn surrogates_and_all<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
    let py = text.py();
    // `str`'s own method, not one that a subclass may have.
    let encode = py.get_type::<PyString>().getattr(intern!(py, "encode"))?;
    let bytes = encode.call1((text, intern!(py, "utf-8"), intern!(py, "surrogatepass")))?;
    Ok(bytes.cast_into::<PyBytes>()?)
}
