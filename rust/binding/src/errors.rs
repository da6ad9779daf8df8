//! From what the engine says to Python's exceptions.

use hookseal_engine::{Outcome, Place, Verdict, scheme::Scheme, secret};
use hookseal_lines::Fault;
use pyo3::{
    PyTypeInfo,
    exceptions::{PyException, PyMemoryError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{IntoPyDict as _, PyDict, PyTuple},
};

use crate::arguments::called;

/// The error to raise for a refusal; `cause` is what reading the item raised.
pub fn refusal<'py>(
    py: Python<'py>,
    outcome: &Outcome,
    scheme: Option<&Scheme>,
    cause: Option<Bound<'py, PyAny>>,
) -> PyErr {
    refused(py, outcome, scheme, cause).map_or_else(|error| error, PyErr::from_value)
}

/// The exception for a refusal, as an object.
pub fn refused<'py>(
    py: Python<'py>,
    outcome: &Outcome,
    scheme: Option<&Scheme>,
    cause: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let header = match outcome.place {
        Place::Message => None,
        Place::Body => Some("the body".to_owned()),
        Place::SignatureHeaders => Some("the signature headers".to_owned()),
        Place::Arrival => Some("the time of arrival".to_owned()),
        Place::Answer => Some("when the guard answered, the signed time".to_owned()),
        Place::Header(slot) => scheme
            .and_then(|scheme| scheme.header(slot))
            .map(|name| format!("header '{name}'")),
    };
    // What senders cause every day is told without a call of Python's, in two thirds of the time.
    if let (Some(header), None) = (&header, &cause)
        && let Some((class, text)) = plain_form(py, outcome.verdict)?
    {
        let told = [
            (intern!(py, "header"), header.into_pyobject(py)?.into_any()),
            (
                intern!(py, "number"),
                outcome.number.into_pyobject(py)?.into_any(),
            ),
        ]
        .into_py_dict(py)?;
        let text = text.call_method(intern!(py, "format"), (), Some(&told))?;
        return class.call1((text,));
    }
    let told = (outcome.verdict as u8, header, outcome.number, cause);
    called(py, "hookseal._errors", "refusal", told)
}

/// The class of the exception for a verdict and the form of its text, where a header and a number are
/// all that the text depends on.
fn plain_form(
    py: Python<'_>,
    verdict: Verdict,
) -> PyResult<Option<(Bound<'_, PyAny>, Bound<'_, PyAny>)>> {
    static FORMS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let forms = FORMS.get_or_try_init(py, || -> PyResult<_> {
        let forms = py.import("hookseal._errors")?.getattr("PLAIN_FORMS")?;
        Ok(forms.cast_into::<PyDict>()?.unbind())
    })?;
    let form = forms.bind(py).get_item(verdict as u8)?;
    form.map(|form| form.extract()).transpose()
}

/// What is wrong with a line, in words.
pub fn line_fault<'py>(py: Python<'py>, fault: &Fault) -> PyResult<Bound<'py, PyAny>> {
    let code = fault.code();
    let told = |arguments| called(py, "hookseal._errors", "line_fault", arguments);
    match fault {
        Fault::TooLong { limit } => told((code, limit).into_pyobject(py)?),
        Fault::UnknownKey(name) | Fault::HeaderValue(name) => {
            told((code, &**name).into_pyobject(py)?)
        }
        Fault::KeyTwice(key) | Fault::BodyType(key) => told((code, key.name()).into_pyobject(py)?),
        Fault::HeaderPair(index) | Fault::HeaderName(index) => {
            told((code, index).into_pyobject(py)?)
        }
        Fault::NotUtf8
        | Fault::TooDeep
        | Fault::NotJson
        | Fault::HalfPair
        | Fault::NotObject
        | Fault::HeadersType
        | Fault::ReceivedAtType
        | Fault::ReceivedAt { .. }
        | Fault::EndpointType
        | Fault::NoHeaders
        | Fault::NoBody
        | Fault::TwoBodies
        | Fault::NoRing
        | Fault::NotBase64 => told((code,).into_pyobject(py)?),
    }
}

/// The exception for a refusal of which only the verdict was kept.
pub fn bare_refusal(py: Python<'_>, verdict: u8, cause: Option<Bound<'_, PyAny>>) -> PyErr {
    let no = None::<u8>;
    made(py, "refusal", (verdict, no, no, cause))
}

/// The exception for a secret, or a set of them, that is refused.
pub fn secret_error(py: Python<'_>, fault: secret::Fault, place: &str) -> PyErr {
    made(py, "secret_error", (fault.code(), place))
}

/// The exception for text that is no UTF-8 where a secret is meant.
pub fn secret_not_utf8(py: Python<'_>, place: &str) -> PyErr {
    made(py, "secret_error", ("not-utf8", place))
}

/// The exception for something a scheme cannot do.
pub fn scheme_error(py: Python<'_>, kind: &str, scheme: &str) -> PyErr {
    made(py, "scheme_error", (kind, scheme))
}

/// The members of `hookseal.Verdict`, by number.
pub fn verdicts(py: Python<'_>) -> PyResult<&Bound<'_, PyTuple>> {
    static MEMBERS: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();
    let members = MEMBERS.get_or_try_init(py, || -> PyResult<_> {
        let class = py.import("hookseal._verdict")?.getattr("Verdict")?;
        let member = |verdict: &Verdict| class.call1((*verdict as u8,));
        let members = Verdict::ALL
            .iter()
            .map(member)
            .collect::<PyResult<Vec<_>>>()?;
        Ok(PyTuple::new(py, members)?.unbind())
    })?;
    Ok(members.bind(py))
}

/// The member of `hookseal.Verdict` with that number.
pub fn verdict(py: Python<'_>, number: usize) -> PyResult<Bound<'_, PyAny>> {
    verdicts(py)?.get_item(number)
}

/// The same exception with a note that says where in a batch it belongs.
pub fn with_count(
    py: Python<'_>,
    error: &PyErr,
    index: usize,
    refused: usize,
    messages: usize,
) -> PyErr {
    made(
        py,
        "with_count",
        (error.value(py), index, refused, messages),
    )
}

/// Whether an exception is one item's own, so that the batch goes on.
pub fn is_items_own(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance(py, &PyException::type_object(py))
        && !error.is_instance_of::<PyMemoryError>(py)
}

/// Calls one of the makers of exceptions in `hookseal._errors`.
fn made<'py>(py: Python<'py>, maker: &str, arguments: impl pyo3::call::PyCallArgs<'py>) -> PyErr {
    called(py, "hookseal._errors", maker, arguments).map_or_else(|error| error, PyErr::from_value)
}

/// The verdicts that the binary knows, by number: for the test that compares lists.
#[pyfunction]
#[pyo3(name = "_verdict_names")]
pub fn verdict_names() -> Vec<&'static str> {
    Verdict::ALL.iter().map(|verdict| verdict.name()).collect()
}
