//! What a program put in the place of a method, or of a name, of the originals.

use pyo3::{
    PyTypeInfo, intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyString},
};

use super::{MirroredWebhook, StandardWebhook, Svix1Webhook, SvixWebhook};
use crate::arguments::mistake;

/// What a subclass, a class or an object was given in the place of the original's private
/// method; None where nothing was.
pub fn own_judge<'py>(webhook: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    static ORIGINAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = webhook.py();
    let name = intern!(py, "_Webhook__verify_timestamp");
    let judge = match webhook.getattr(name) {
        Ok(judge) => judge,
        // A class of this module alone has none; else it is an override that raised.
        Err(_) if !webhook.get_type().hasattr(name)? => return Ok(None),
        Err(error) => return Err(error),
    };
    let original = ORIGINAL.get_or_try_init(py, || -> PyResult<_> {
        let module = py.import("hookseal.compat._timestamp")?;
        Ok(module.getattr("verify_timestamp")?.unbind())
    })?;
    Ok((!judge.is(original)).then_some(judge))
}

/// Refuses an object whose original would ask something else for the signature: another `sign`,
/// or another `hmac_data` in its module.
pub fn refuse_own_sign(webhook: &Bound<'_, PyAny>) -> PyResult<()> {
    static ORIGINALS: PyOnceLock<(Py<PyAny>, Py<PyAny>, Py<PyDict>)> = PyOnceLock::new();
    let py = webhook.py();
    let (sign, hmac_data, names) = ORIGINALS.get_or_try_init(py, || -> PyResult<_> {
        let sign = MirroredWebhook::type_object(py).getattr(intern!(py, "sign"))?;
        let hmac_data = py
            .import("hookseal.compat._signing")?
            .getattr("hmac_data")?;
        let module = py.import("hookseal.compat.standardwebhooks.webhooks")?;
        Ok((sign.unbind(), hmac_data.unbind(), module.dict().unbind()))
    })?;
    let name = intern!(py, "sign");
    if !webhook.get_type().getattr(name)?.is(sign) || has_attribute(webhook, name)? {
        return Err(mistake(py, ("own-sign", "sign")));
    }
    match names.bind(py).get_item(intern!(py, "hmac_data"))? {
        Some(found) if !found.is(hmac_data) => Err(mistake(py, ("own-sign", "hmac_data"))),
        _ => Ok(()),
    }
}

/// Refuses an object with a `verify` of its own, which a batch would pass over.
pub fn refuse_own_verify(webhook: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = webhook.py();
    let name = intern!(py, "verify");
    let of_class = webhook.get_type().getattr(name)?;
    let originals = [
        StandardWebhook::type_object(py),
        SvixWebhook::type_object(py),
        Svix1Webhook::type_object(py),
    ];
    for original in originals {
        if of_class.is(original.getattr(name)?) && !has_attribute(webhook, name)? {
            return Ok(());
        }
    }
    Err(mistake(py, ("own-verify",)))
}

/// Whether an object, and not its class, has an attribute.
fn has_attribute(webhook: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<bool> {
    match webhook.getattr_opt(intern!(webhook.py(), "__dict__"))? {
        Some(attributes) => attributes.contains(name),
        None => Ok(false),
    }
}
