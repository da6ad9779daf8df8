//! Headers: every shape they come in, down to the values that the scheme names.

use hookseal_engine::{
    header::{Slot, Value},
    scheme::Scheme,
};
use pyo3::{
    exceptions::PyUnicodeEncodeError,
    intern,
    prelude::*,
    pybacked::{PyBackedBytes, PyBackedStr},
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};
use smallvec::SmallVec;

use crate::{ahead::Pair, arguments::wrong_type, encoded::utf8, items::is_iterable};

/// The values of the headers that a scheme names, kept alive.
#[derive(Default)]
pub struct Kept(SmallVec<[One; 4]>);

impl Kept {
    /// The values, as the engine reads them.
    pub fn values(&self) -> &[One] {
        &self.0
    }

    /// Takes out what holds the first value of a header.
    pub fn take(&mut self, slot: Slot) -> Option<Text> {
        let at = self.0.iter().position(|one| one.slot == slot)?;
        Some(self.0.swap_remove(at).text)
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// One value of one header.
pub struct One {
    slot: Slot,
    text: Text,
}

impl Value for One {
    fn slot(&self) -> Slot {
        self.slot
    }

    fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// A text, kept alive.
pub enum Text {
    Str(PyBackedStr),
    Bytes(PyBackedBytes),
}

impl Text {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Str(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// The object that holds the value; it cannot change.
    pub fn into_object(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(match self {
            Self::Str(text) => text.into_pyobject(py)?.into_any().unbind(),
            Self::Bytes(bytes) => bytes.into_pyobject(py)?.into_any().unbind(),
        })
    }
}

/// Reads headers of any shape. Without a scheme nothing is kept, but shapes are judged.
pub fn read(headers: &Bound<'_, PyAny>, scheme: Option<&Scheme>, kept: &mut Kept) -> PyResult<()> {
    if let Ok(dict) = headers.cast_exact::<PyDict>() {
        // No code of the user's runs while an exact dict of exact parts is read.
        for (name, value) in dict.iter() {
            take(&name, &value, scheme, kept)?;
        }
        return Ok(());
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
    let items = items.try_iter()?.collect::<PyResult<SmallVec<[_; 16]>>>()?;
    for (index, item) in items.iter().enumerate() {
        let members = members(item);
        let Some([name, value]) = members.as_deref() else {
            let place = format!("headers[{index}]");
            return Err(wrong_type("headers item", item, Some(&place)));
        };
        take(name, value, scheme, kept)?;
    }
    Ok(())
}

/// Reads headers that stood in an exact dict.
pub fn read_pairs(pairs: &[Pair<'_>], scheme: Option<&Scheme>, kept: &mut Kept) -> PyResult<()> {
    pairs
        .iter()
        .try_for_each(|(name, value)| take(name, value, scheme, kept))
}

/// What a tuple or a list holds, by their own means: a subclass may have others.
fn members<'py>(value: &Bound<'py, PyAny>) -> Option<SmallVec<[Bound<'py, PyAny>; 2]>> {
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return Some(tuple.iter().collect());
    }
    Some(value.cast::<PyList>().ok()?.iter().collect())
}

/// Keeps one header's values if the scheme names it.
fn take(
    name: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    scheme: Option<&Scheme>,
    kept: &mut Kept,
) -> PyResult<()> {
    // Exact types first: they cost a comparison, subclasses a call.
    let slot = if let Ok(name) = name.cast_exact::<PyString>().or_else(|_| name.cast()) {
        match scheme {
            Some(scheme) => utf8(name)?.and_then(|name| scheme.slot(name.as_bytes())),
            None => None,
        }
    } else if let Ok(name) = name.cast::<PyBytes>() {
        scheme.and_then(|scheme| scheme.slot(name.as_bytes()))
    } else {
        return Err(wrong_type("header name", name, None));
    };
    let Some(slot) = slot else {
        return Ok(());
    };
    let wrong = |value: &Bound<'_, PyAny>| wrong_value(value, scheme, slot);
    if let Some(text) = text(value)? {
        kept.0.push(One { slot, text });
    } else if let Some(all) = members(value) {
        for one in &all {
            let text = text(one)?.ok_or_else(|| wrong(one))?;
            kept.0.push(One { slot, text });
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

/// A value's text, or None if it is neither `str` nor `bytes`.
fn text(value: &Bound<'_, PyAny>) -> PyResult<Option<Text>> {
    if let Ok(text) = value.cast_exact::<PyString>().or_else(|_| value.cast()) {
        return match PyBackedStr::try_from(text.clone()) {
            Ok(text) => Ok(Some(Text::Str(text))),
            Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(value.py()) => {
                surrogates_and_all(text).map(|bytes| Some(Text::Bytes(bytes)))
            }
            Err(error) => Err(error),
        };
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(Text::Bytes(bytes.clone().into())));
    }
    Ok(None)
}

/// A lone surrogate as its three bytes: not ASCII and not UTF-8, so no rule accepts it.
fn surrogates_and_all(text: &Bound<'_, PyString>) -> PyResult<PyBackedBytes> {
    let py = text.py();
    // `str`'s own method, not one that a subclass may have.
    let encode = py.get_type::<PyString>().getattr(intern!(py, "encode"))?;
    let bytes = encode.call1((text, intern!(py, "utf-8"), intern!(py, "surrogatepass")))?;
    Ok(bytes.cast_into::<PyBytes>()?.into())
}
