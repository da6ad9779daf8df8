//! `hookseal.Verified`: proof that a message was verified.

use std::sync::Arc;

use hookseal_engine::{
    Outcome, header::trim, profile::Profile, timestamp::Tolerance, verify::Rules,
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyFrozenSet, PyString},
};

use crate::{
    arguments::{asked, no_copy},
    body::exact,
    claimed::Claimed,
    guard::{guarded, object},
    secret::python_repr,
};

/// A message whose signature was verified. Only a verification makes one, so a function that
/// takes a ``Verified`` cannot be called with a message that nobody checked.
///
/// What it shows is what the signature protects, and ``covers`` says what that is.
#[pyclass(frozen, module = "hookseal")]
pub struct Verified {
    /// The object that holds the id, white space and all.
    id: Option<Py<PyAny>>,
    timestamp: Option<i64>,
    /// None for an unsigned message.
    matched: Option<Matched>,
    has_endpoint: bool,
    is_fresh: bool,
    /// The object that was hashed: `bytes`, or a subclass.
    body: Py<PyAny>,
    claimed: Claimed,
}

struct Matched {
    endpoint: Arc<Profile>,
    position: usize,
}

impl Verified {
    /// Makes the proof of a valid outcome.
    ///
    /// `id` is the object that holds the id, `endpoint` where the message arrived, or None for
    /// an unsigned message.
    pub fn new(
        outcome: &Outcome,
        endpoint: Option<Arc<Profile>>,
        has_endpoint: bool,
        rules: &Rules,
        id: Option<Py<PyAny>>,
        body: Py<PyAny>,
        claimed: Claimed,
    ) -> Self {
        let Some(endpoint) = endpoint else {
            return Self {
                id: None,
                timestamp: None,
                matched: None,
                has_endpoint: false,
                is_fresh: false,
                body,
                claimed,
            };
        };
        let tolerance = endpoint.tolerance(rules.tolerance);
        Self {
            // Of what signs none, a time may have been held in its place.
            id: id.filter(|_| endpoint.scheme().signs_id()),
            timestamp: tolerance.map(|_| outcome.number),
            matched: usize::try_from(outcome.secret)
                .ok()
                .map(|position| Matched { endpoint, position }),
            has_endpoint,
            is_fresh: matches!(tolerance, Some(Tolerance::Window { .. })),
            body,
            claimed,
        }
    }

    /// The label of the secret that matched.
    fn label(&self) -> Option<&str> {
        let matched = self.matched.as_ref()?;
        Some(&matched.endpoint.held().get(matched.position)?.label)
    }

    /// The endpoint's name in its ring.
    fn name(&self) -> Option<&str> {
        let matched = self.matched.as_ref().filter(|_| self.has_endpoint)?;
        Some(matched.endpoint.name())
    }

    fn scheme_name(&self) -> &str {
        let matched = self.matched.as_ref();
        matched.map_or("unsigned", |matched| &matched.endpoint.scheme().name)
    }
}

#[pymethods]
impl Verified {
    /// The signed id, or None where the scheme signs none.
    #[getter]
    fn id<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        guarded(|| self.id.as_ref().map(|id| trimmed(id.bind(py))).transpose())
    }

    /// The signed time in whole Unix seconds, or None where the scheme signs none.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.timestamp))
    }

    /// The label of the secret that matched, or None for an unsigned message.
    #[getter]
    fn secret<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.label()))
    }

    /// The keyring endpoint, or None for a verifier without a ring.
    #[getter]
    fn endpoint<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.name()))
    }

    /// The scheme's name; "unsigned" for an unsigned message.
    #[getter]
    fn scheme<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.scheme_name()))
    }

    /// The very bytes that were hashed.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        guarded(|| exact(self.body.bind(py)))
    }

    /// What the signature protects, of "body", "id" and "timestamp"; empty for tokens and for
    /// unsigned messages.
    #[getter]
    fn covers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyFrozenSet>> {
        guarded(|| {
            let matched = self.matched.as_ref();
            let scheme = matched.map(|matched| matched.endpoint.scheme());
            PyFrozenSet::new(py, scheme.map(|scheme| scheme.covers()).unwrap_or_default())
        })
    }

    /// Whether the signed time was held against a window: false where the scheme signs no
    /// time, and with ``tolerance="off"``.
    #[getter]
    fn fresh(&self) -> bool {
        self.is_fresh
    }

    /// Whether a replay guard gave this message to you: false without one, and where it could not be
    /// asked and ``on_store_error`` is ``"accept"``.
    #[getter]
    fn claimed(&self) -> bool {
        self.claimed.is_won()
    }

    /// A context manager for the work on the message, for ``with`` or ``async with``: at its end the claim
    /// becomes final; if the block raises, it is given back, and another copy may be taken. A claim without a
    /// lease is final already, and stays so.
    ///
    /// Raises:
    ///     TypeError: The verifier has no replay guard.
    fn processing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| self.claimed.processing(py))
    }

    /// The body as JSON, read as ``json.loads`` reads it.
    ///
    /// Raises:
    ///     ValueError: It is not JSON, or not Unicode. The signature is good all the same: do
    ///         not answer as to a forgery.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| asked(py, "json_value", (self.body(py)?,)))
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        no_copy(slf)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
            let unsigned = if self.matched.is_none() {
                "UNSIGNED, "
            } else {
                ""
            };
            Ok(format!(
                "Verified({unsigned}scheme={}, id={}, timestamp={}, secret={}, endpoint={}, fresh={})",
                python_repr(py, self.scheme_name())?,
                python_repr(py, self.id(py)?)?,
                python_repr(py, self.timestamp)?,
                python_repr(py, self.label())?,
                python_repr(py, self.name())?,
                python_repr(py, self.is_fresh)?,
            ))
        })
    }
}

/// The id as text, without the white space around it. It was judged: it is ASCII.
fn trimmed<'py>(id: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    let text = match id.cast::<PyBytes>() {
        Ok(bytes) => bytes.as_bytes(),
        Err(_) => id.cast::<PyString>()?.to_str()?.as_bytes(),
    };
    PyString::from_bytes(id.py(), trim(text))
}
