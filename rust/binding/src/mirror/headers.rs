//! The headers of a drop-in: a mapping of texts, as its original reads one.

use hookseal_engine::{header::Slot, mirror::Seen, scheme::Scheme};
use pyo3::{
    PyTypeInfo, intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};

use crate::{
    arguments::wrong_type,
    encoded::utf8,
    headers::{Keep as _, take_value},
    kept::Kept,
};

/// Reads the headers that the scheme names; says what it has seen beside their values.
///
/// # Errors
/// `TypeError` for what is no mapping, or a name that is no text; what the mapping raises.
pub fn read(headers: &Bound<'_, PyAny>, scheme: &Scheme, kept: &mut Kept) -> PyResult<Seen> {
    let mut seen = Seen::default();
    if let Ok(dict) = headers.cast_exact::<PyDict>() {
        if take_plain(dict, scheme, kept, &mut seen)? {
            return Ok(seen);
        }
        seen = Seen::default();
        kept.forget();
    }
    let py = headers.py();
    let items = headers
        .getattr_opt(intern!(py, "items"))?
        .ok_or_else(|| wrong_type("mapping", headers, Some("headers")))?
        .call0()?;
    // All of them before the first is looked at: what is iterated may change meanwhile.
    let items = PyTuple::type_object(py).call1((items,))?;
    for item in items.cast_exact::<PyTuple>()?.iter() {
        let pair = if let Ok(list) = item.cast::<PyList>() {
            list.to_tuple()
        } else {
            item.cast::<PyTuple>()
                .map_err(|_| wrong_type("headers item", &item, None))?
                .clone()
        };
        let (Ok(name), Ok(value), 2) = (pair.get_item(0), pair.get_item(1), pair.len()) else {
            return Err(wrong_type("headers item", &item, None));
        };
        take(&name, &value, scheme, kept, &mut seen)?;
    }
    Ok(seen)
}

/// Keeps the values of a dict as long as nothing in it is asked anything, which could change the
/// dict, as a text that is not UTF-8 may do too; whether that was so to its end.
fn take_plain(
    dict: &Bound<'_, PyDict>,
    scheme: &Scheme,
    kept: &mut Kept,
    seen: &mut Seen,
) -> PyResult<bool> {
    for (name, value) in dict.iter() {
        let Ok(Ok(name)) = name.cast_exact::<PyString>().map(Bound::to_str) else {
            return Ok(false);
        };
        match scheme.slot(name.as_bytes()) {
            None if name.is_ascii() => {}
            Some(slot) if value.is_exact_instance_of::<PyString>() => {
                seen.note(slot, false);
                if !take_value(slot, &value, Some(scheme), kept)? {
                    return Ok(false);
                }
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Keeps one header's value if the scheme names it.
fn take(
    name: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    scheme: &Scheme,
    kept: &mut Kept,
    seen: &mut Seen,
) -> PyResult<()> {
    let Ok(Ok(text)) = name.cast_exact::<PyString>().map(Bound::to_str) else {
        return take_any_name(name, value, scheme, kept, seen);
    };
    match scheme.slot(text.as_bytes()) {
        Some(slot) => take_text(slot, value, scheme, kept, seen),
        None if text.is_ascii() => Ok(()),
        None => take_any_name(name, value, scheme, kept, seen),
    }
}

/// A name that is not plain: the originals find it by its `lower()`.
#[cold]
fn take_any_name(
    name: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    scheme: &Scheme,
    kept: &mut Kept,
    seen: &mut Seen,
) -> PyResult<()> {
    let Ok(name) = name.cast::<PyString>() else {
        // The lower() of bytes is no text either.
        return if name.is_instance_of::<PyBytes>() {
            Ok(())
        } else {
            Err(wrong_type("str", name, Some("header name")))
        };
    };
    if let Some(slot) = utf8(name)?.and_then(|name| scheme.slot(name.as_bytes())) {
        return take_text(slot, value, scheme, kept, seen);
    }
    let lower = name.call_method0(intern!(name.py(), "lower"))?;
    if let Ok(lower) = lower.cast::<PyString>()
        && let Some(slot) = utf8(lower)?.and_then(|name| scheme.slot(name.as_bytes()))
    {
        seen.note(slot, true);
    }
    Ok(())
}

/// Keeps a value. One that is false is as good as empty to the originals; another that is no
/// text is rendered by them, and odd here.
#[inline]
fn take_text(
    slot: Slot,
    value: &Bound<'_, PyAny>,
    scheme: &Scheme,
    kept: &mut Kept,
    seen: &mut Seen,
) -> PyResult<()> {
    if value.is_instance_of::<PyString>() {
        seen.note(slot, false);
        return take_value(slot, value, Some(scheme), kept).map(drop);
    }
    let is_odd = value.is_truthy()?;
    seen.note(slot, is_odd);
    let nothing = PyString::new(value.py(), "");
    take_value(slot, nothing.as_any(), Some(scheme), kept).map(drop)
}
