//! `Webhook` of standardwebhooks and svix.

use std::sync::{Arc, Mutex, PoisonError};

use hookseal_engine::{
    Interrupted, Outcome, Watch,
    endpoint::Endpoint,
    header::{is_id, trim},
    mirror::{self, Instant, Seen},
    scheme::Scheme,
    sign::signature,
    timestamp::Tolerance,
    verify::Rules,
};
use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyDict, PyFloat, PyString, PyTuple},
};

use super::{
    Preset, headers,
    own::{own_judge, refuse_own_sign, refuse_own_verify},
};
use crate::{
    arguments::{Stated, called, mistake, no_copy, text, wrong_type},
    body::{self, unencodable},
    clock::{clock, seconds},
    detach::{detached, interrupted},
    encoded::utf8,
    errors,
    guard::{guarded, object},
    json,
    kept::Kept,
    kernel,
    one::DETACH_BYTES,
    scheme,
    secret::{Secrets, THE_SECRET},
    signer::wrong_id,
    verifier::Verifier,
};

/// Where the words and the exceptions of the originals are.
const WORDS: &str = "hookseal.compat._errors";

static STANDARD: Preset = Preset::new("standard-webhooks");
static SVIX: Preset = Preset::new("svix");

/// What a drop-in was made with.
#[derive(Clone)]
struct State {
    endpoint: Arc<Endpoint>,
    rules: Rules,
}

/// What the drop-ins of standardwebhooks and svix share.
///
/// Args:
///     whsecret: The secret: ``str`` is base64 behind ``whsec_``, ``bytes`` are the key; or a
///         sequence of up to 8, tried in order.
///     tolerance: As of a ``Verifier``.
///
/// Raises:
///     EmptyWebhookSecretError: There is no key in it.
///     RuntimeError: It cannot be a key.
///     TypeError, ValueError: A tolerance that is none.
#[pyclass(frozen, subclass, module = "hookseal.compat")]
pub struct MirroredWebhook {
    scheme: &'static Preset,
    /// None until `__init__` was called. It is never held while Python runs.
    state: Mutex<Option<State>>,
}

#[pymethods]
impl MirroredWebhook {
    /// Takes the secrets: here and not in `__new__`, so that a subclass may take something else.
    #[pyo3(signature = (whsecret, *, tolerance=None))]
    fn __init__(
        &self,
        py: Python<'_>,
        whsecret: &Bound<'_, PyAny>,
        tolerance: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        guarded(|| {
            let rules = Rules {
                tolerance: scheme::tolerance(tolerance)?,
                max_body_bytes: None,
                backlog: None,
            };
            let scheme = Arc::clone(self.scheme.scheme(py)?);
            let given = if is_plain(whsecret) {
                whsecret.clone()
            } else {
                called(py, "hookseal.compat._wrapped", "unwrapped", (whsecret,))?
            };
            let made = Secrets::read(&given, "secrets", THE_SECRET).and_then(|secrets| {
                Endpoint::new("", scheme, None, &secrets.all)
                    .map_err(|faulty| secrets.error(py, faulty))
            });
            let endpoint = match made {
                Ok(endpoint) => endpoint,
                Err(error) => return Err(words(py, "webhook_secret", (whsecret, error.value(py)))),
            };
            let state = State { endpoint, rules };
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
            Ok(())
        })
    }

    /// Signs a message, with each secret.
    ///
    /// Args:
    ///     msg_id: The message's id.
    ///     timestamp: When it is sent: a ``datetime`` in UTC, or a naive one, which is UTC too.
    ///     data: The body.
    ///
    /// Returns:
    ///     The value of the signature header.
    ///
    /// Raises:
    ///     TypeError: A wrong type.
    ///     ValueError: An id or a time that no verifier takes, or another time zone.
    fn sign<'py>(
        &self,
        py: Python<'py>,
        msg_id: &Bound<'_, PyAny>,
        timestamp: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
            let State { endpoint, .. } = self.state()?;
            let scheme = endpoint.scheme();
            let id = utf8(text(msg_id, "msg_id")?)?
                .unwrap_or_default()
                .as_bytes();
            if !is_id(id, &scheme.id_forbidden) || trim(id).len() != id.len() {
                return Err(wrong_id(py, "msg_id", scheme));
            }
            let at: i64 = called(py, WORDS, "signing_second", (timestamp,))?.extract()?;
            let body = body::read(text(data, "data")?.as_any(), "data")?;
            let body = body.ok_or_else(|| unencodable(py, "data"))?;
            let (kernel, stated) = (kernel::chosen().kernel, at.to_string());
            let stated = Some(stated.as_bytes());
            let made = signature(kernel, &endpoint, &body, Some(id), stated, at, &mut |_| {
                Ok(())
            });
            made.map_err(|Interrupted| interrupted())?
                .map_err(|fault| errors::secret_error(py, fault, "the signer"))
        })
    }

    /// Judges a whole queue, as ``Verifier.verify_batch`` does with these secrets.
    ///
    /// Args:
    ///     messages, received_at, now, threads, keep: As there.
    ///
    /// Returns:
    ///     The ``BatchResult``.
    ///
    /// Raises:
    ///     TypeError, ValueError: An argument is wrong.
    ///     TypeError: A method of a subclass that a batch would pass over.
    #[pyo3(
        signature = (messages, **named),
        text_signature = "($self, messages, *, received_at=None, now=None, threads=None, keep=True)"
    )]
    fn verify_batch<'py>(
        slf: &Bound<'py, Self>,
        messages: &Bound<'py, PyAny>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let py = slf.py();
            refuse_own_verify(slf.as_any())?;
            if slf.is_instance_of::<StandardWebhook>() {
                if own_judge(slf.as_any())?.is_some() {
                    return Err(mistake(py, ("own-judge",)));
                }
                refuse_own_sign(slf.as_any())?;
            }
            let State { endpoint, rules } = slf.get().state()?;
            let verifier = Bound::new(py, Verifier::of(endpoint, rules))?;
            verifier.call_method("verify_batch", (messages,), named)
        })
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        no_copy(slf)
    }
}

impl MirroredWebhook {
    const fn new(scheme: &'static Preset) -> Self {
        Self {
            scheme,
            state: Mutex::new(None),
        }
    }

    fn state(&self) -> PyResult<State> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .clone()
            .ok_or_else(|| PyRuntimeError::new_err("Webhook.__init__ was not called"))
    }

    /// Judges a message; gives its body if it is good, and raises as the original if not.
    fn verified(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        mapping: &Bound<'_, PyAny>,
        own_judge: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyBackedBytes> {
        let py = slf.py();
        let State {
            endpoint,
            mut rules,
        } = slf.get().state()?;
        if let Some(judge) = own_judge {
            if rules.tolerance.is_some() {
                return Err(mistake(py, ("two-judges",)));
            }
            if !judge.is_callable() {
                return Err(wrong_type("callable", judge, Some("__verify_timestamp")));
            }
        }
        let scheme = endpoint.scheme();
        let body = body::read(data, "data")?;
        let mut kept = Kept::default();
        let seen = headers::read(mapping, scheme, &mut kept)?;
        if let Some(judge) = own_judge {
            let (text, stated) = mirror::stated(&endpoint, &kept, seen)
                .map_err(|refused| refusal(py, &refused, scheme))?;
            let said = judge.call1((PyString::from_bytes(py, text)?,))?;
            // The original signs what this returns; here it has to be what the header states.
            if !called(py, WORDS, "stated_second", (said,))?.eq(stated)? {
                return Err(refusal(py, &Outcome::SIGNATURE_MISMATCH, scheme));
            }
            rules.tolerance = Some(Tolerance::Off);
        }
        let at = instant(py, &endpoint, &rules)?;
        // Of text that cannot be encoded the headers are judged all the same: they come first.
        let bytes = body.as_deref().unwrap_or_default();
        let outcome = judged(py, &endpoint, &rules, bytes, &kept, seen, at)?;
        match body {
            Some(body) if outcome.is_valid() => Ok(body),
            None if outcome.is_valid() => Err(refusal(py, &Outcome::NOT_A_MESSAGE, scheme)),
            _ => Err(refusal(py, &outcome, scheme)),
        }
    }
}

fn judged(
    py: Python<'_>,
    endpoint: &Endpoint,
    rules: &Rules,
    body: &[u8],
    kept: &Kept,
    seen: Seen,
    at: Instant,
) -> PyResult<Outcome> {
    let kernel = kernel::chosen().kernel;
    let judge =
        |watch: &mut Watch<'_>| mirror::judge(kernel, endpoint, rules, body, kept, seen, at, watch);
    if body.len() < DETACH_BYTES {
        judge(&mut |_| Ok(())).map_err(|Interrupted| interrupted())
    } else {
        detached(py, 1, judge)
    }
}

/// What the clock says, if anything depends on it.
fn instant(py: Python<'_>, endpoint: &Endpoint, rules: &Rules) -> PyResult<Instant> {
    if !endpoint.needs_instant(rules.tolerance) {
        return Ok(Instant {
            seconds: 0,
            has_fraction: false,
        });
    }
    let now = clock(py)?;
    let whole = seconds(&now, "time.time()")?;
    Ok(Instant {
        seconds: whole,
        has_fraction: match now.cast_exact::<PyFloat>() {
            Ok(float) => float.value().fract() != 0.0,
            Err(_) => now.gt(whole)?,
        },
    })
}

/// The exception of a refusal, with the reason in our words as its cause.
#[cold]
fn refusal(py: Python<'_>, outcome: &Outcome, scheme: &Scheme) -> PyErr {
    let cause = errors::refusal(py, outcome, Some(scheme), None);
    words(
        py,
        "webhook_refusal",
        (outcome.verdict as u8, cause.value(py)),
    )
}

/// What a maker of exceptions makes.
fn words<'py>(py: Python<'py>, maker: &str, told: impl pyo3::call::PyCallArgs<'py>) -> PyErr {
    called(py, WORDS, maker, told).map_or_else(|error| error, PyErr::from_value)
}

/// Whether a secret is text or bytes, whose reading asks no one.
fn is_plain(secret: &Bound<'_, PyAny>) -> bool {
    secret.is_exact_instance_of::<PyString>() || secret.is_exact_instance_of::<PyBytes>()
}

/// The body as the JSON it is.
fn parsed(py: Python<'_>, body: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    let body = body.into_pyobject(py)?.into_any();
    match body.cast::<PyBytes>() {
        Ok(exact) => json::loads(exact),
        Err(error) => Err(error.into()),
    }
}

/// ``Webhook`` of standardwebhooks.
#[pyclass(frozen, subclass, extends = MirroredWebhook, module = "hookseal.compat")]
pub struct StandardWebhook;

#[pymethods]
impl StandardWebhook {
    #[new]
    #[pyo3(signature = (*arguments, **named))]
    fn new(
        arguments: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<Self> {
        // A subclass may have an `__init__` of its own, with other arguments.
        let _ = (arguments, named);
        PyClassInitializer::from(MirroredWebhook::new(&STANDARD)).add_subclass(Self)
    }

    /// Verifies a message, or raises.
    ///
    /// Args:
    ///     data: The body as it came.
    ///     headers: A mapping of names to values.
    ///     json_parse: Whether to parse the body.
    ///
    /// Returns:
    ///     What ``json.loads`` gives of the body, or None without ``json_parse``.
    ///
    /// Raises:
    ///     WebhookVerificationError: The message is refused; its cause says why in our words.
    ///     TypeError: A wrong type.
    ///     ValueError: The message is good, and its body is not JSON.
    #[pyo3(signature = (data, headers, *, json_parse=Stated(None)), text_signature = "($self, data, headers, *, json_parse=True)")]
    fn verify<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        json_parse: Stated<'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        guarded(|| {
            let py = slf.py();
            let judge = own_judge(slf.as_any())?;
            refuse_own_sign(slf.as_any())?;
            let body = MirroredWebhook::verified(slf.as_super(), data, headers, judge.as_ref())?;
            if json_parse.0.map_or(Ok(true), |wanted| wanted.is_truthy())? {
                return parsed(py, body).map(Some);
            }
            Ok(None)
        })
    }
}

/// ``Webhook`` of svix 2.
#[pyclass(frozen, subclass, extends = MirroredWebhook, module = "hookseal.compat")]
pub struct SvixWebhook;

#[pymethods]
impl SvixWebhook {
    #[new]
    #[pyo3(signature = (*arguments, **named))]
    fn new(
        arguments: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<Self> {
        // A subclass may have an `__init__` of its own, with other arguments.
        let _ = (arguments, named);
        PyClassInitializer::from(MirroredWebhook::new(&SVIX)).add_subclass(Self)
    }

    /// Verifies a message, or raises.
    ///
    /// Args:
    ///     data: The body as it came.
    ///     headers: A mapping of names to values.
    ///
    /// Raises:
    ///     WebhookVerificationError: The message is refused; its cause says why in our words.
    ///     TypeError: A wrong type.
    fn verify(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        guarded(|| MirroredWebhook::verified(slf.as_super(), data, headers, None).map(drop))
    }
}

/// ``Webhook`` of svix 1.
#[pyclass(frozen, subclass, extends = MirroredWebhook, module = "hookseal.compat")]
pub struct Svix1Webhook;

#[pymethods]
impl Svix1Webhook {
    #[new]
    #[pyo3(signature = (*arguments, **named))]
    fn new(
        arguments: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<Self> {
        // A subclass may have an `__init__` of its own, with other arguments.
        let _ = (arguments, named);
        PyClassInitializer::from(MirroredWebhook::new(&SVIX)).add_subclass(Self)
    }

    /// Verifies a message, or raises.
    ///
    /// Args:
    ///     data: The body as it came.
    ///     headers: A mapping of names to values.
    ///
    /// Returns:
    ///     What ``json.loads`` gives of the body.
    ///
    /// Raises:
    ///     WebhookVerificationError: The message is refused; its cause says why in our words.
    ///     TypeError: A wrong type.
    ///     ValueError: The message is good, and its body is not JSON.
    fn verify<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let body = MirroredWebhook::verified(slf.as_super(), data, headers, None)?;
            parsed(slf.py(), body)
        })
    }
}
