//! What a program put in the place of a method, or of a name, of the originals.

use pyo3::{PyTypeInfo, intern, prelude::*, sync::PyOnceLock, types::PyDict};

use super::MirroredWebhook;
use crate::arguments::mistake;

/// What a subclass, a class or an object was given in the place of the original's private
/// method; None where nothing was.
pub fn own_judge<'py>(webhook: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    static ORIGINAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = webhook.py();
    let Some(judge) = webhook.getattr_opt(intern!(py, "_Webhook__verify_timestamp"))? else {
        return Ok(None);
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
    static ORIGINALS: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();
    let py = webhook.py();
    let (sign, hmac_data) = ORIGINALS.get_or_try_init(py, || -> PyResult<_> {
        let sign = MirroredWebhook::type_object(py).getattr(intern!(py, "sign"))?;
        let signing = py.import("hookseal.compat._signing")?;
        Ok((sign.unbind(), signing.getattr("hmac_data")?.unbind()))
    })?;
    let mut is_own = !webhook.get_type().getattr(intern!(py, "sign"))?.is(sign);
    if let Some(attributes) = webhook.getattr_opt(intern!(py, "__dict__"))? {
        is_own |= attributes.contains(intern!(py, "sign"))?;
    }
    if is_own {
        return Err(mistake(py, ("own-sign", "sign")));
    }
    if let Some(names) = webhook.getattr_opt(intern!(py, "_names"))?
        && let Ok(names) = names.cast::<PyDict>()
        && let Some(found) = names.get_item(intern!(py, "hmac_data"))?
        && !found.is(hmac_data)
    {
        return Err(mistake(py, ("own-sign", "hmac_data")));
    }
    Ok(())
}
