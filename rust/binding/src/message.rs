//! `hookseal.Message`: a received message, and what its receiver knows of it.

use pyo3::{
    PyTypeInfo as _,
    gc::{PyTraverseError, PyVisit},
    intern,
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};

use crate::{
    arguments::text_or_none,
    clock::seconds_or_none,
    errors::is_items_own,
    guard::{guarded, object},
    secret::python_repr,
};

/// One received message: the only form that states its own endpoint and arrival time.
///
/// Args:
///     body: The request's bytes as they came; ``str`` is encoded as UTF-8.
///     headers: The request's headers.
///     endpoint: The keyring endpoint that the message arrived at.
///     received_at: When it arrived: Unix seconds or an aware datetime, from the
///         broker's own metadata, never from the message.
///     url: The full URL of the request, for schemes that sign it.
///     method: The HTTP method of the request, for schemes that sign it.
///
/// Raises:
///     TypeError: ``endpoint``, ``url`` or ``method`` is not a str, or
///         ``received_at`` is not an instant.
///     ValueError: ``received_at`` is out of range.
///
/// A message is frozen. Body and headers are checked when it is verified, so that one
/// bad message does not keep a batch from being built.
#[pyclass(frozen, subclass, module = "hookseal")]
pub struct Message {
    pub body: Py<PyAny>,
    pub headers: Py<PyAny>,
    pub endpoint: Option<Py<PyString>>,
    /// When it arrived, in whole Unix seconds.
    pub at: Option<i64>,
    /// The same as it was given.
    received_at: Option<Py<PyAny>>,
    url: Option<Py<PyString>>,
    method: Option<Py<PyString>>,
}

#[pymethods]
impl Message {
    #[new]
    #[pyo3(signature = (body, headers, *, endpoint=None, received_at=None, url=None, method=None))]
    fn new(
        body: Bound<'_, PyAny>,
        headers: Bound<'_, PyAny>,
        endpoint: Option<Bound<'_, PyAny>>,
        received_at: Option<Bound<'_, PyAny>>,
        url: Option<Bound<'_, PyAny>>,
        method: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guarded(|| {
            let text = |value: Option<&Bound<'_, PyAny>>, name| {
                text_or_none(value, name).map(|text| text.cloned().map(Bound::unbind))
            };
            Ok(Self {
                endpoint: text(endpoint.as_ref(), "endpoint")?,
                url: text(url.as_ref(), "url")?,
                method: text(method.as_ref(), "method")?,
                at: seconds_or_none(received_at.as_ref(), "received_at")?,
                received_at: received_at.map(Bound::unbind),
                body: body.unbind(),
                headers: headers.unbind(),
            })
        })
    }

    /// The request's bytes, as they were given.
    #[getter]
    fn body(&self, py: Python<'_>) -> Py<PyAny> {
        self.body.clone_ref(py)
    }

    /// The request's headers, as they were given.
    #[getter]
    fn headers(&self, py: Python<'_>) -> Py<PyAny> {
        self.headers.clone_ref(py)
    }

    /// The keyring endpoint that the message arrived at, if it was stated.
    #[getter]
    fn endpoint(&self, py: Python<'_>) -> Option<Py<PyString>> {
        Some(self.endpoint.as_ref()?.clone_ref(py))
    }

    /// When it arrived, if it was stated.
    #[getter]
    fn received_at(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        Some(self.received_at.as_ref()?.clone_ref(py))
    }

    /// The full URL of the request, if it was stated.
    #[getter]
    fn url(&self, py: Python<'_>) -> Option<Py<PyString>> {
        Some(self.url.as_ref()?.clone_ref(py))
    }

    /// The HTTP method of the request, if it was stated.
    #[getter]
    fn method(&self, py: Python<'_>) -> Option<Py<PyString>> {
        Some(self.method.as_ref()?.clone_ref(py))
    }

    /// Neither body nor headers: a message in a log must not carry what it carries.
    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        object(py, || {
            let endpoint = python_repr(py, slf.getattr(intern!(py, "endpoint"))?)?;
            let received_at = python_repr(py, slf.getattr(intern!(py, "received_at"))?)?;
            Ok(format!(
                "Message(endpoint={endpoint}, received_at={received_at})"
            ))
        })
    }

    /// A copy is no subclass, but states what one says of itself.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        guarded(|| {
            let named = PyDict::new(py);
            for name in ["endpoint", "received_at", "url", "method"] {
                named.set_item(name, slf.getattr(name)?)?;
            }
            let part = |name: &Bound<'py, PyString>| slf.getattr(name);
            let given = (
                part(intern!(py, "body"))?,
                part(intern!(py, "headers"))?,
                named,
            );
            let make = py.import("hookseal._message")?.getattr("_message")?;
            (make, given.into_pyobject(py)?).into_pyobject(py)
        })
    }

    /// Lets Python's garbage collector see what the message holds, maybe itself.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.body)?;
        visit.call(&self.headers)?;
        visit.call(&self.received_at)?;
        for text in [&self.endpoint, &self.url, &self.method] {
            visit.call(text)?;
        }
        Ok(())
    }
}

/// Whether an item is a `Message`, or says so.
pub fn is_one(item: &Bound<'_, PyAny>) -> PyResult<bool> {
    item.is_instance(&Message::type_object(item.py()))
}

/// The endpoint that an item states, before it is read. None of what is no `Message`, and where its
/// own code raises: that is said when it is read.
pub fn endpoint<'py>(item: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = item.py();
    if let Ok(message) = item.cast_exact::<Message>() {
        let endpoint = message.get().endpoint(py);
        return Ok(endpoint.map(|it| it.into_bound(py).into_any()));
    }
    asked(item, intern!(py, "endpoint"))
}

/// The same of when it arrived.
pub fn received_at<'py>(item: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = item.py();
    if let Ok(message) = item.cast_exact::<Message>() {
        return Ok(message.get().received_at(py).map(|it| it.into_bound(py)));
    }
    asked(item, intern!(py, "received_at"))
}

fn asked<'py>(
    item: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let value = is_one(item).and_then(|is_one| is_one.then(|| item.getattr(name)).transpose());
    match value {
        Err(error) if is_items_own(item.py(), &error) => Ok(None),
        value => Ok(value?.filter(|value| !value.is_none())),
    }
}
