//! Headers: every shape they come in, down to the values that the scheme names.

#![expect(
    clippy::inline_always,
    reason = "every header of every message goes through here, and a call for each is half of its cost"
)]

use hookseal_engine::{
    header::{MAX_HEADER_BYTES, Role, Roles, Slot},
    scheme::Scheme,
};
use pyo3::{
    PyTypeInfo, intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};
use smallvec::SmallVec;

use crate::{arguments::wrong_type, encoded::utf8, items::is_iterable, tuples};

/// Where the values of the headers that a scheme names are kept.
pub trait Keep {
    /// Keeps a value that an object holds.
    ///
    /// # Errors
    /// `MemoryError`.
    fn keep(&mut self, slot: Slot, value: &[u8], object: &Bound<'_, PyAny>) -> PyResult<()>;

    /// Forgets what was kept of the message under way.
    fn forget(&mut self);
}

/// The objects that hold what tells messages apart, by their headers. They cannot change.
#[derive(Default)]
pub struct Ids {
    /// The only one, nearly always: nothing is allocated for it.
    first: Option<(Slot, Py<PyAny>)>,
    more: Vec<(Slot, Py<PyAny>)>,
}

impl Ids {
    /// Holds on to the object if its header is one of these.
    #[inline(always)]
    pub fn hold(&mut self, held: Roles, slot: Slot, object: &Bound<'_, PyAny>) {
        if slot.role.bit() & held == 0 {
            return;
        }
        let object = object.clone().unbind();
        if self.first.is_none() {
            self.first = Some((slot, object));
        } else {
            self.more.push((slot, object));
        }
    }

    /// Holds on to this object, of a message of which none is held.
    pub fn hold_one(&mut self, slot: Slot, object: Py<PyAny>) {
        self.first = Some((slot, object));
    }

    /// Those there are, out of the way.
    pub fn boxed(self) -> Option<Box<Self>> {
        self.first.is_some().then(|| Box::new(self))
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.first = None;
        self.more.clear();
    }

    /// The first id of a family; where it has none, and times are held, its time.
    #[inline]
    pub fn of(self, family: u8) -> Option<Py<PyAny>> {
        if self.more.is_empty() {
            let (slot, object) = self.first?;
            return (slot.family == family).then_some(object);
        }
        self.of_several(family)
    }

    #[cold]
    fn of_several(self, family: u8) -> Option<Py<PyAny>> {
        let mut time = None;
        for (slot, object) in self.first.into_iter().chain(self.more) {
            if slot.family == family {
                if slot.role == Role::Id {
                    return Some(object);
                }
                time = time.or(Some(object));
            }
        }
        time
    }
}

/// The headers whose objects are held: ids, where somebody may ask for them.
pub const IDS: Roles = Role::Id.bit();

/// The same where a guard has to know messages again that have no id, but a time.
pub const IDS_AND_TIMES: Roles = Role::Id.bit() | Role::Timestamp.bit();

/// Reads headers of any shape. Without a scheme nothing is kept, but shapes are judged.
pub fn read(
    headers: &Bound<'_, PyAny>,
    scheme: Option<&Scheme>,
    kept: &mut impl Keep,
) -> PyResult<()> {
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
    kept: &mut impl Keep,
) -> PyResult<()> {
    for (index, item) in items.iter_borrowed().enumerate() {
        if let Ok(pair) = item.cast_exact::<PyTuple>()
            && pair.len() == 2
        {
            let (name, value) = (tuples::item(&pair, 0)?, tuples::item(&pair, 1)?);
            take(&name, &value, scheme, kept)?;
            continue;
        }
        // What JSON makes of a pair.
        if let Ok(pair) = item.cast_exact::<PyList>()
            && pair.len() == 2
        {
            let (name, value) = (pair.get_item(0)?, pair.get_item(1)?);
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

/// Reads an exact dict.
///
/// No code of the user's runs while texts are UTF-8. One that is not is an exception before it is
/// anything else, and an exception is an occasion to collect garbage, which runs finalizers: they
/// could change the dict. Then it is a copy that is read.
pub fn read_dict(
    headers: &Bound<'_, PyDict>,
    scheme: Option<&Scheme>,
    kept: &mut impl Keep,
) -> PyResult<()> {
    for (name, value) in headers.iter() {
        if !take(&name, &value, scheme, kept)? {
            kept.forget();
            return read_copy(&headers.copy()?, scheme, kept);
        }
    }
    Ok(())
}

#[cold]
fn read_copy(
    headers: &Bound<'_, PyDict>,
    scheme: Option<&Scheme>,
    kept: &mut impl Keep,
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

/// Keeps one header's values if the scheme names it; false if it held a text that is not UTF-8.
#[inline(always)]
fn take(
    name: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    scheme: Option<&Scheme>,
    kept: &mut impl Keep,
) -> PyResult<bool> {
    match name_of(name, scheme)? {
        Name::Of(slot) => take_value(slot, value, scheme, kept),
        Name::Other => Ok(true),
        Name::NotUtf8 => Ok(false),
    }
}

/// Keeps a header's values; false if one of them is text that is not UTF-8.
#[inline(always)]
pub fn take_value(
    slot: Slot,
    value: &Bound<'_, PyAny>,
    scheme: Option<&Scheme>,
    kept: &mut impl Keep,
) -> PyResult<bool> {
    if let Ok(text) = value.cast_exact::<PyString>()
        && let Ok(text) = text.to_str()
    {
        kept.keep(slot, enough(slot, text.as_bytes()), value)?;
        return Ok(true);
    }
    take_other(slot, value, scheme, kept)
}

/// Keeps a header's values that are no exact text in UTF-8; false as above.
#[inline(never)]
fn take_other(
    slot: Slot,
    value: &Bound<'_, PyAny>,
    scheme: Option<&Scheme>,
    kept: &mut impl Keep,
) -> PyResult<bool> {
    if let Ok(bytes) = value.cast_exact::<PyBytes>() {
        kept.keep(slot, enough(slot, bytes.as_bytes()), value)?;
        Ok(true)
    } else {
        take_any(slot, value, scheme, kept)
    }
}

/// What a name is to a scheme.
enum Name {
    /// It is that header's.
    Of(Slot),
    /// The scheme does not name it.
    Other,
    /// Nor can it, since it is not UTF-8.
    NotUtf8,
}

impl From<Option<Slot>> for Name {
    #[inline(always)]
    fn from(slot: Option<Slot>) -> Self {
        slot.map_or(Self::Other, Self::Of)
    }
}

/// Which header a name is of. Most are exact texts that the scheme does not name.
#[inline(always)]
fn name_of(name: &Bound<'_, PyAny>, scheme: Option<&Scheme>) -> PyResult<Name> {
    if let Some(scheme) = scheme
        && let Ok(name) = name.cast_exact::<PyString>()
        && let Ok(name) = name.to_str()
    {
        return Ok(scheme.slot(name.as_bytes()).into());
    }
    name_of_other(name, scheme)
}

/// The same of a name that is no exact text in UTF-8.
#[inline(never)]
fn name_of_other(name: &Bound<'_, PyAny>, scheme: Option<&Scheme>) -> PyResult<Name> {
    match (name.cast_exact::<PyBytes>(), scheme) {
        (Ok(name), Some(scheme)) => Ok(scheme.slot(name.as_bytes()).into()),
        _ => name_of_any(name, scheme),
    }
}

#[cold]
fn name_of_any(name: &Bound<'_, PyAny>, scheme: Option<&Scheme>) -> PyResult<Name> {
    if let Ok(name) = name.cast::<PyString>() {
        let Some(scheme) = scheme else {
            return Ok(Name::Other);
        };
        let name = utf8(name)?;
        Ok(name.map_or(Name::NotUtf8, |name| scheme.slot(name.as_bytes()).into()))
    } else if let Ok(name) = name.cast::<PyBytes>() {
        Ok(scheme
            .and_then(|scheme| scheme.slot(name.as_bytes()))
            .into())
    } else {
        Err(wrong_type("header name", name, None))
    }
}

/// Keeps a header's values, of any form; false if one of them is text that is not UTF-8.
#[cold]
fn take_any(
    slot: Slot,
    value: &Bound<'_, PyAny>,
    scheme: Option<&Scheme>,
    kept: &mut impl Keep,
) -> PyResult<bool> {
    if let Some(is_utf8) = keep_text(slot, value, kept)? {
        return Ok(is_utf8);
    }
    let wrong = |value: &Bound<'_, PyAny>| wrong_value(value, scheme, slot);
    let mut are_utf8 = true;
    if let Some(all) = members(value) {
        for one in &all {
            are_utf8 &= keep_text(slot, one, kept)?.ok_or_else(|| wrong(one))?;
        }
    } else if !value.is_none() {
        return Err(wrong(value));
    }
    Ok(are_utf8)
}

/// Keeps a text, and says whether it is UTF-8; None if it is neither `str` nor `bytes`.
fn keep_text(slot: Slot, value: &Bound<'_, PyAny>, kept: &mut impl Keep) -> PyResult<Option<bool>> {
    let (copy, bytes, is_utf8);
    if let Ok(text) = value.cast::<PyString>() {
        if let Some(text) = utf8(text)? {
            (bytes, is_utf8) = (text.as_bytes(), true);
        } else {
            copy = surrogates_and_all(text)?;
            (bytes, is_utf8) = (copy.as_bytes(), false);
        }
    } else if let Ok(value) = value.cast::<PyBytes>() {
        // Never an exception: as good as UTF-8.
        (bytes, is_utf8) = (value.as_bytes(), true);
    } else {
        return Ok(None);
    }
    kept.keep(slot, enough(slot, bytes), value)?;
    Ok(Some(is_utf8))
}

/// What has to be kept of a value: of a signature, no more than refuses it for its length.
#[inline]
fn enough(slot: Slot, value: &[u8]) -> &[u8] {
    match slot.role {
        Role::Signature => &value[..value.len().min(MAX_HEADER_BYTES + 1)],
        _ => value,
    }
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
