//! `hookseal.Secret`.

use hookseal_engine::{
    finding,
    secret::{self as engine, Fault, KeyBytes, Kind},
};
use pyo3::{
    IntoPyObjectExt, intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString},
};
use zeroize::Zeroizing;

use crate::{
    arguments::{self, Stated, asked, mistake, no_copy, text_or_none, wrong_type},
    clock::seconds_or_none,
    encoded,
    errors::{secret_error, secret_not_utf8},
    guard::{guarded, object},
    items::is_sequence,
    scheme::{compile, preset, resolve},
};

/// A secret, with its label and the window in which it is tried.
///
/// Args:
///     value: The secret as the provider shows it. ``str`` is read as the scheme reads it
///         (for Standard Webhooks, base64 behind ``whsec_``); ``bytes`` are the key itself;
///         an object with ``get_secret_value()``, such as pydantic's ``SecretStr``, is asked.
///         Another ``Secret`` gives its value, and what is not given here.
///     label: What ``Verified.secret`` calls it: 1 to 64 characters of printable ASCII. Without
///         one, the verifier counts: "0", "1", …
///     not_before: Tried from this instant on (Unix seconds or an aware datetime).
///     not_after: Tried until before this instant.
///
/// The window is judged at the instant freshness is judged at, never at a time the message
/// states: else a leaked, retired secret could sign itself back in.
///
/// Raises:
///     SecretError: It is empty or white space, or the label is none.
///     TypeError: A wrong type.
///     ValueError: An instant out of range, or a window that ends before it begins.
///
/// A secret shows its value nowhere but in ``reveal()``, compares by identity, and refuses to
/// be pickled or copied.
#[pyclass(frozen, module = "hookseal")]
pub struct Secret(engine::Secret);

#[pymethods]
impl Secret {
    #[new]
    #[pyo3(signature = (value, *, label=None, not_before=None, not_after=None))]
    fn new(
        value: &Bound<'_, PyAny>,
        label: Option<&Bound<'_, PyAny>>,
        not_before: Option<&Bound<'_, PyAny>>,
        not_after: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guarded(|| {
            dress(
                value.py(),
                one(value, THE_SECRET)?,
                label,
                not_before,
                not_after,
            )
        })
    }

    /// A secret whose UTF-8 bytes are the key, whatever the scheme.
    ///
    /// Raises:
    ///     SecretError, TypeError, ValueError: As the constructor.
    #[staticmethod]
    #[pyo3(signature = (text, *, label=None, not_before=None, not_after=None))]
    fn from_text(
        text: &Bound<'_, PyAny>,
        label: Option<&Bound<'_, PyAny>>,
        not_before: Option<&Bound<'_, PyAny>>,
        not_after: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guarded(|| {
            let secret = engine::Secret::new(
                text_bytes(arguments::text(text, "text")?, THE_SECRET)?,
                Kind::FixedText,
            );
            dress(
                text.py(),
                secret.map_err(faulty(text.py()))?,
                label,
                not_before,
                not_after,
            )
        })
    }

    /// A secret given as base64 (RFC 4648 §4) without a prefix; its bytes are the key.
    ///
    /// Raises:
    ///     SecretError: It is not canonical base64, or as the constructor.
    ///     TypeError, ValueError: As the constructor.
    #[staticmethod]
    #[pyo3(signature = (text, *, label=None, not_before=None, not_after=None))]
    fn from_base64(
        text: &Bound<'_, PyAny>,
        label: Option<&Bound<'_, PyAny>>,
        not_before: Option<&Bound<'_, PyAny>>,
        not_after: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guarded(|| {
            let secret =
                engine::Secret::from_base64(&utf8(arguments::text(text, "text")?, THE_SECRET)?);
            dress(
                text.py(),
                secret.map_err(faulty(text.py()))?,
                label,
                not_before,
                not_after,
            )
        })
    }

    /// A secret given as hexadecimal digits of either case; its bytes are the key.
    ///
    /// Raises:
    ///     SecretError: It is not hexadecimal, or as the constructor.
    ///     TypeError, ValueError: As the constructor.
    #[staticmethod]
    #[pyo3(signature = (text, *, label=None, not_before=None, not_after=None))]
    fn from_hex(
        text: &Bound<'_, PyAny>,
        label: Option<&Bound<'_, PyAny>>,
        not_before: Option<&Bound<'_, PyAny>>,
        not_after: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guarded(|| {
            let secret =
                engine::Secret::from_hex(&utf8(arguments::text(text, "text")?, THE_SECRET)?);
            dress(
                text.py(),
                secret.map_err(faulty(text.py()))?,
                label,
                not_before,
                not_after,
            )
        })
    }

    /// A secret whose text an environment variable holds, read now.
    ///
    /// Raises:
    ///     SecretError: The variable is not set, or as the constructor.
    ///     TypeError, ValueError: As the constructor.
    #[staticmethod]
    #[pyo3(signature = (name, *, label=None, not_before=None, not_after=None))]
    fn from_env(
        name: &Bound<'_, PyAny>,
        label: Option<&Bound<'_, PyAny>>,
        not_before: Option<&Bound<'_, PyAny>>,
        not_after: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guarded(|| {
            let found = asked(name.py(), "environment", (name,))?;
            let (text, place): (Bound<'_, PyAny>, String) = found.extract()?;
            dress(name.py(), one(&text, &place)?, label, not_before, not_after)
        })
    }

    /// A new random secret in the form that the scheme's provider asks for.
    ///
    /// Args:
    ///     scheme: A scheme or its name. ``whsec_`` and base64 of 32 random bytes for Standard
    ///         Webhooks, 40 hexadecimal digits or a mixed string for others.
    ///     label: As in the constructor.
    ///
    /// Raises:
    ///     SchemeError: There is no such scheme.
    ///     TypeError: A wrong type.
    #[staticmethod]
    #[pyo3(signature = (scheme=Stated(None), *, label=None), text_signature = "(scheme='standard-webhooks', *, label=None)")]
    fn generate<'py>(
        py: Python<'py>,
        scheme: Stated<'py>,
        label: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        guarded(|| {
            let scheme = scheme_or_standard(py, scheme.0.as_ref())?;
            let text = py
                .import("hookseal._random")?
                .getattr("secret_text")?
                .call1((scheme,))?;
            dress(py, one(&text, THE_SECRET)?, label, None, None)
        })
    }

    /// The label given, or None.
    #[getter]
    fn label<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.0.label()))
    }

    /// The Unix second from which it is tried, or None.
    #[getter]
    fn not_before<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.0.not_before))
    }

    /// The Unix second until before which it is tried, or None.
    #[getter]
    fn not_after<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.0.not_after))
    }

    /// What is weak about the secret as a key of a scheme; empty if nothing is.
    ///
    /// Raises:
    ///     SchemeError: There is no such scheme.
    ///     TypeError: A wrong type.
    #[pyo3(signature = (scheme=Stated(None)), text_signature = "($self, scheme='standard-webhooks')")]
    fn check<'py>(&self, py: Python<'py>, scheme: Stated<'py>) -> PyResult<Bound<'py, PyList>> {
        guarded(|| {
            let scheme = compile(&scheme_or_standard(py, scheme.0.as_ref())?)?;
            let list = PyList::empty(py);
            for found in finding::check(&self.0, &scheme) {
                list.append(python_finding(py, found, None, self.0.label())?)?;
            }
            Ok(list)
        })
    }

    /// The secret as it was given: ``str``, or ``bytes`` for ``bytes``, ``from_base64`` and
    /// ``from_hex``. The one way to read it.
    fn reveal<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let value = self.0.reveal();
            if self.0.is_text() {
                return Ok(PyString::from_bytes(py, value)?.into_any());
            }
            Ok(encoded::bytes(py, value)?.into_any())
        })
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        no_copy(slf)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
            let window = |name: &str, value: Option<i64>| {
                value.map_or_else(String::new, |value| format!(", {name}={value}"))
            };
            let label = python_repr(py, self.0.label())?;
            let from = window("not_before", self.0.not_before);
            let to = window("not_after", self.0.not_after);
            Ok(format!("Secret(label={label}{from}{to})"))
        })
    }
}

/// What an error calls a secret that is no member of anything.
pub const THE_SECRET: &str = "the secret";

/// What was given as the secrets of an endpoint, and what an error calls each of them.
pub struct Secrets {
    /// The secrets, in order.
    pub all: Vec<engine::Secret>,
    /// What they are called together.
    place: String,
    /// What the one secret is called that is no member of a sequence.
    alone: Option<String>,
}

impl Secrets {
    /// One secret or a sequence of them.
    pub fn read(given: &Bound<'_, PyAny>, place: &str, alone: &str) -> PyResult<Self> {
        let place = place.to_owned();
        if !is_sequence(given)? || given.hasattr(intern!(given.py(), "get_secret_value"))? {
            return Ok(Self {
                all: vec![one(given, alone)?],
                place,
                alone: Some(alone.to_owned()),
            });
        }
        let secrets = given.try_iter()?.enumerate();
        let all = secrets
            .map(|(index, secret)| one(&secret?, &format!("{place}[{index}]")))
            .collect::<PyResult<_>>()?;
        Ok(Self {
            all,
            place,
            alone: None,
        })
    }

    /// The exception for the fault of the secret at that position.
    pub fn error(&self, py: Python<'_>, (at, fault): (usize, Fault)) -> PyErr {
        match (&self.alone, fault) {
            (_, Fault::NoSecret) => secret_error(py, fault, &self.place),
            (Some(alone), _) => secret_error(py, fault, alone),
            (None, _) => secret_error(py, fault, &format!("{}[{at}]", self.place)),
        }
    }
}

/// One secret: a `Secret`, or what one is made of.
pub fn one(value: &Bound<'_, PyAny>, place: &str) -> PyResult<engine::Secret> {
    let py = value.py();
    if let Ok(secret) = value.cast::<Secret>() {
        return Ok(secret.get().0.clone());
    }
    let made = |(bytes, kind), place: &str| {
        engine::Secret::new(bytes, kind).map_err(|fault| secret_error(py, fault, place))
    };
    if let Some(given) = given(value, place)? {
        return made(given, place);
    }
    let get = value.getattr_opt(intern!(py, "get_secret_value"))?;
    let get = get.ok_or_else(|| wrong_type("secret", value, Some(place)))?;
    let (wrapped, place) = (get.call0()?, format!("get_secret_value() of {place}"));
    let given = given(&wrapped, &place)?;
    made(
        given.ok_or_else(|| wrong_type("secret value", &wrapped, Some(&place)))?,
        &place,
    )
}

/// `hookseal.Finding` of what the engine found.
pub fn python_finding<'py>(
    py: Python<'py>,
    found: finding::Finding,
    endpoint: Option<&str>,
    label: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let named = PyDict::new(py);
    named.set_item("number", found.number)?;
    named.set_item("limit", found.limit)?;
    named.set_item("endpoint", endpoint)?;
    named.set_item("label", label)?;
    py.import("hookseal._finding")?
        .getattr("Finding")?
        .call((found.code,), Some(&named))
}

/// What Python's `repr` makes of it.
pub fn python_repr<'py>(py: Python<'py>, value: impl IntoPyObject<'py>) -> PyResult<String> {
    let value = value.into_bound_py_any(py)?;
    Ok(value.repr()?.to_string_lossy().into_owned())
}

/// The scheme of an argument whose default is Standard Webhooks.
pub fn scheme_or_standard<'py>(
    py: Python<'py>,
    scheme: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    scheme.map_or_else(|| preset(py, "standard-webhooks"), resolve)
}

fn given(value: &Bound<'_, PyAny>, place: &str) -> PyResult<Option<(KeyBytes, Kind)>> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Some((text_bytes(text, place)?, Kind::Text)));
    }
    let bytes = value.cast::<PyBytes>();
    Ok(bytes
        .ok()
        .map(|bytes| (Zeroizing::new(bytes.as_bytes().to_vec()), Kind::Bytes)))
}

fn text_bytes(text: &Bound<'_, PyString>, place: &str) -> PyResult<KeyBytes> {
    Ok(Zeroizing::new(utf8(text, place)?.as_bytes().to_vec()))
}

/// The text of a `str`, in memory that is wiped.
fn utf8(text: &Bound<'_, PyString>, place: &str) -> PyResult<Zeroizing<String>> {
    let text = encoded::utf8(text)?.ok_or_else(|| secret_not_utf8(text.py(), place))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Gives a secret what stands beside its value.
fn dress(
    py: Python<'_>,
    mut secret: engine::Secret,
    label: Option<&Bound<'_, PyAny>>,
    not_before: Option<&Bound<'_, PyAny>>,
    not_after: Option<&Bound<'_, PyAny>>,
) -> PyResult<Secret> {
    if let Some(label) = text_or_none(label, "label")? {
        let text = label.to_str().unwrap_or_default();
        secret.set_label(text).map_err(faulty(label.py()))?;
    }
    secret.not_before = seconds_or_none(not_before, "not_before")?.or(secret.not_before);
    secret.not_after = seconds_or_none(not_after, "not_after")?.or(secret.not_after);
    if let (Some(from), Some(to)) = (secret.not_before, secret.not_after)
        && to <= from
    {
        return Err(mistake(py, ("window",)));
    }
    Ok(Secret(secret))
}

fn faulty(py: Python<'_>) -> impl FnOnce(Fault) -> PyErr {
    move |fault| secret_error(py, fault, THE_SECRET)
}
