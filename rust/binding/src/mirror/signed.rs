//! One body, one signature, one secret, all given with the call.

use hookseal_engine::{Interrupted, mirror, secret::Secret};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyString};

use super::Preset;
use crate::{
    arguments::text,
    body,
    detach::{detached, interrupted},
    encoded::utf8,
    errors::secret_error,
    guard::guarded,
    kernel,
    one::DETACH_BYTES,
    secret::{THE_SECRET, one},
};

/// The schemes that sign the body alone, with one signature.
static PRESETS: [Preset; 3] = [
    Preset::new("github"),
    Preset::new("uplift"),
    Preset::new("zoho-projects"),
];

/// Whether a secret signed a body.
///
/// Args:
///     scheme: "github", "uplift" or "zoho-projects".
///     body: The bytes that came; text is encoded as UTF-8, and what cannot be is not signed.
///     signature: The whole text of the header. Nothing is trimmed.
///     secret: The secret's text.
///
/// Raises:
///     SecretError: The secret is empty or white space.
///     TypeError: A wrong type.
#[pyfunction]
pub fn is_signed(
    py: Python<'_>,
    scheme: &str,
    body: &Bound<'_, PyAny>,
    signature: &Bound<'_, PyString>,
    secret: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    guarded(|| {
        let preset = PRESETS.iter().find(|preset| preset.name == scheme);
        let scheme = preset
            .ok_or_else(|| PyValueError::new_err("no drop-in has this scheme"))?
            .scheme(py)?;
        let body = body::read(body, "body")?;
        let secret: Secret = one(text(secret, "secret")?.as_any(), THE_SECRET)?;
        let Some(body) = body else {
            return Ok(false);
        };
        let signature = utf8(signature)?.unwrap_or_default().as_bytes();
        let kernel = kernel::chosen().kernel;
        let judge = |watch: &mut hookseal_engine::Watch<'_>| {
            mirror::signed(kernel, scheme, &secret, &body, signature, watch)
        };
        let signed = if body.len() < DETACH_BYTES {
            judge(&mut |_| Ok(())).map_err(|Interrupted| interrupted())?
        } else {
            detached(py, 1, judge)?
        };
        signed.map_err(|fault| secret_error(py, fault, THE_SECRET))
    })
}
