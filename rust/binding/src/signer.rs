//! `hookseal.Signer`.

use std::sync::Arc;

use hookseal_engine::{
    Interrupted, Watch,
    endpoint::Endpoint,
    header::{is_id, trim},
    scheme::{Algorithm, Family, Scheme, Unit},
    secret::Fault,
    sign::{is_sendable, signature, signature_of_token},
    timestamp::Tolerance,
};
use pyo3::{
    PyTypeInfo,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyList, PyString},
};
use zeroize::Zeroizing;

use crate::{
    arguments::{Stated, asked, mistake, no_copy, small_room, text_or_none},
    body::{self, unencodable},
    clock::{Instants, now, seconds_or_none},
    detach::interrupted,
    encoded::utf8,
    errors::{scheme_error, secret_error},
    guard::{guarded, object},
    items::{drain, each},
    kernel,
    scheme::compile,
    secret::{Secrets, THE_SECRET, python_repr, scheme_or_standard},
};

/// Signs webhooks as a provider does: for tests, examples and senders.
///
/// Args:
///     secrets: A secret or a sequence of them. Several make several signatures, where the
///         scheme's header has room.
///     scheme: A ``Scheme`` or its name.
///
/// Raises:
///     SecretError: A secret that cannot be a key of the scheme, or a token that no header
///         can carry.
///     SchemeError: An unknown scheme; several secrets where there is room for one signature.
///     TypeError: A wrong type.
///
/// What a signer makes, a verifier with the same secret and scheme accepts.
#[pyclass(frozen, module = "hookseal")]
pub struct Signer {
    endpoint: Arc<Endpoint>,
    family: Family,
    /// The token itself, where the scheme sends it.
    token: Option<Zeroizing<String>>,
}

#[pymethods]
impl Signer {
    #[new]
    #[pyo3(signature = (secrets, *, scheme=Stated(None)), text_signature = "(secrets, *, scheme='standard-webhooks')")]
    fn new<'py>(
        py: Python<'py>,
        secrets: &Bound<'py, PyAny>,
        scheme: Stated<'py>,
    ) -> PyResult<Self> {
        guarded(|| {
            let scheme = compile(&scheme_or_standard(py, scheme.0.as_ref())?)?;
            let secrets = Secrets::read(secrets, "secrets", THE_SECRET)?;
            let endpoint = Endpoint::new("", Arc::clone(&scheme), None, &secrets.all)
                .map_err(|faulty| secrets.error(py, faulty))?;
            if secrets.all.len() > 1 && scheme.separator.is_none() {
                return Err(scheme_error(py, "one-signature", &scheme.name));
            }
            let mut token = None;
            if scheme.algorithm == Algorithm::Token {
                let fault = |fault| secrets.error(py, (0, fault));
                let bytes = secrets.all[0].key_bytes(&scheme).map_err(fault)?;
                if !is_sendable(&bytes) {
                    return Err(fault(Fault::TokenNotSendable));
                }
                token = Some(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()));
            }
            let family = scheme.families[0].clone();
            Ok(Self {
                endpoint,
                family,
                token,
            })
        })
    }

    /// The headers for one body.
    ///
    /// Args:
    ///     body: The bytes to send, as ``Verifier.verify`` takes them.
    ///     id: The message's id, where the scheme signs one; None makes ``msg_`` and 24 random
    ///         letters and digits.
    ///     timestamp: When it is sent (Unix seconds or an aware datetime); None for the clock.
    ///
    /// Returns:
    ///     Header names, in lower case, and their values.
    ///
    /// Raises:
    ///     SecretError: No secret is live at that time.
    ///     TypeError: A wrong type; an id or a time that the scheme does not sign.
    ///     ValueError: An id that no verifier would take, an instant out of range, or text that
    ///         cannot be encoded.
    #[pyo3(signature = (body, *, id=None, timestamp=None))]
    fn sign<'py>(
        &self,
        py: Python<'py>,
        body: &Bound<'py, PyAny>,
        id: Option<&Bound<'py, PyAny>>,
        timestamp: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| {
            let id = text_or_none(id, "id")?;
            self.refuse_unsigned(py, id.is_some(), timestamp.is_some())?;
            let stated = seconds_or_none(timestamp, "timestamp")?;
            let at = self.instant(py, stated, &mut None)?;
            self.headers(body, "body", id, "id", at)
        })
    }

    /// The headers for many bodies.
    ///
    /// Args:
    ///     bodies: An iterable of bodies; it is drained first.
    ///     ids: A sequence with an id or None for each, or None.
    ///     timestamps: One instant for all, a sequence or buffer with one for each, or None.
    ///
    /// Returns:
    ///     As ``sign``, for each body.
    ///
    /// Raises:
    ///     SecretError, TypeError, ValueError: As ``sign``.
    #[pyo3(signature = (bodies, *, ids=None, timestamps=None))]
    fn sign_batch<'py>(
        &self,
        py: Python<'py>,
        bodies: &Bound<'py, PyAny>,
        ids: Option<&Bound<'py, PyAny>>,
        timestamps: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        guarded(|| {
            let bodies = drain(bodies, "bodies")?;
            self.refuse_unsigned(py, ids.is_some(), timestamps.is_some())?;
            let ids = ids.map(|ids| each("ids", ids, bodies.len())).transpose()?;
            let stated = Instants::read("timestamps", timestamps, bodies.len())?;
            let mut clock = None;
            let signed = PyList::empty(py);
            for (index, body) in bodies.iter().enumerate() {
                // Each body is hashed here and now: a look for signals costs little beside it.
                py.check_signals()?;
                small_room()?;
                let id = ids.as_ref().map(|ids| ids.get_item(index)).transpose()?;
                let id = id.filter(|id| !id.is_none());
                let (body_place, id_place) = (format!("bodies[{index}]"), format!("ids[{index}]"));
                let id = text_or_none(id.as_ref(), &id_place)?;
                let at = self.instant(py, stated.get(index), &mut clock)?;
                signed.append(self.headers(&body, &body_place, id, &id_place, at)?)?;
            }
            Ok(signed)
        })
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        no_copy(slf)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
            let scheme = python_repr(py, self.scheme().name.as_str())?;
            Ok(format!(
                "Signer(scheme={scheme}, secrets={})",
                self.endpoint.held().len()
            ))
        })
    }
}

impl Signer {
    fn scheme(&self) -> &Scheme {
        self.endpoint.scheme()
    }

    fn refuse_unsigned(&self, py: Python<'_>, has_id: bool, has_time: bool) -> PyResult<()> {
        let scheme = self.scheme();
        if has_id && !scheme.signs_id() {
            return Err(mistake(py, ("no-id", &scheme.name)));
        }
        if has_time && !scheme.signs_timestamp() {
            return Err(mistake(py, ("no-timestamp", &scheme.name)));
        }
        Ok(())
    }

    /// The second to sign at; the clock is read at most once, and only where it counts.
    fn instant(
        &self,
        py: Python<'_>,
        stated: Option<i64>,
        clock: &mut Option<i64>,
    ) -> PyResult<i64> {
        if let Some(at) = stated.or(*clock) {
            return Ok(at);
        }
        let counts =
            self.scheme().signs_timestamp() || self.endpoint.needs_instant(Some(Tolerance::Off));
        let at = if counts { now(py)? } else { 0 };
        *clock = Some(at);
        Ok(at)
    }

    fn headers<'py>(
        &self,
        body: &Bound<'py, PyAny>,
        body_place: &str,
        id: Option<&Bound<'py, PyString>>,
        id_place: &str,
        at: i64,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = body.py();
        let body = body::read(body, body_place)?.ok_or_else(|| unencodable(py, body_place))?;
        let scheme = self.scheme();
        let id = match (id, scheme.signs_id()) {
            (Some(id), _) => Some(id.clone()),
            (None, true) => Some(message_id(py)?),
            (None, false) => None,
        };
        // A text that is no UTF-8 is no id either.
        let id_bytes = match &id {
            Some(id) => Some(utf8(id)?.unwrap_or_default().as_bytes()),
            None => None,
        };
        if let Some(id) = id_bytes
            && (!is_id(id, &scheme.id_forbidden) || trim(id) != id)
        {
            return Err(wrong_id(py, id_place, scheme));
        }
        let timestamp = scheme.signs_timestamp().then(|| match scheme.unit {
            Unit::Seconds => at.to_string(),
            Unit::Milliseconds => (at * 1000).to_string(),
        });
        let value = match &self.token {
            Some(_) if self.endpoint.live(at) == 0 => Err(Fault::NoneLive),
            Some(token) => Ok(signature_of_token(scheme, token)),
            None => {
                let timestamp = timestamp.as_deref().map(str::as_bytes);
                let kernel = kernel::chosen().kernel;
                let watch: &mut Watch<'_> = &mut |_| Ok(());
                signature(
                    kernel,
                    &self.endpoint,
                    &body,
                    id_bytes,
                    timestamp,
                    at,
                    watch,
                )
                .map_err(|Interrupted| interrupted())?
            }
        };
        let value = value.map_err(|fault| secret_error(py, fault, "the signer"))?;
        // As everything whose number a caller chooses: where memory is short, PyO3's own way to
        // make a dict or a text panics.
        let headers = PyDict::type_object(py).call0()?.cast_into::<PyDict>()?;
        let text = |text: &str| PyString::from_bytes(py, text.as_bytes());
        let family = &self.family;
        if let (Some(name), Some(id)) = (&family.id, id_bytes) {
            // Exact `str`, whatever was given.
            headers.set_item(text(name)?, PyString::from_bytes(py, id)?)?;
        }
        if let (Some(name), Some(timestamp)) = (&family.timestamp, timestamp) {
            headers.set_item(text(name)?, text(&timestamp)?)?;
        }
        headers.set_item(text(&family.signature)?, text(&value)?)?;
        Ok(headers)
    }
}

/// A new message's id.
fn message_id(py: Python<'_>) -> PyResult<Bound<'_, PyString>> {
    static MESSAGE_ID: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = MESSAGE_ID.import(py, "hookseal._random", "message_id")?;
    Ok(made.call0()?.cast_into()?)
}

/// The error for an id that no verifier of the scheme takes.
pub fn wrong_id(py: Python<'_>, place: &str, scheme: &Scheme) -> PyErr {
    let forbidden = String::from_utf8_lossy(&scheme.id_forbidden);
    asked(py, "wrong_id", (place, forbidden)).map_or_else(|error| error, PyErr::from_value)
}
