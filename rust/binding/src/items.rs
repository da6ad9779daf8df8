//! The messages of a batch: what is one, and where its parts are.

use pyo3::{
    Borrowed, PyTypeInfo, intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyByteArray, PyBytes, PyDict, PyList, PyMemoryView, PyString, PyTuple, PyType},
};

use crate::{
    arguments::{text_or_none, wrong_length, wrong_type},
    clock::seconds_or_none,
    message::{self, Message},
};

/// The parts of one message. Only a `Message` states its endpoint and its arrival: a field of
/// a broker's record could have been written by the sender.
pub struct Item<'py> {
    pub body: Bound<'py, PyAny>,
    pub headers: Bound<'py, PyAny>,
    pub endpoint: Option<Bound<'py, PyString>>,
    pub received_at: Option<i64>,
}

/// Reads an item of any of the four forms.
pub fn read<'py>(item: &Bound<'py, PyAny>) -> PyResult<Item<'py>> {
    let py = item.py();
    let plain = |body, headers| Item {
        body,
        headers,
        endpoint: None,
        received_at: None,
    };
    if let Ok(pair) = item.cast_exact::<PyTuple>() {
        if pair.len() == 2 {
            return Ok(plain(pair.get_item(0)?, pair.get_item(1)?));
        }
        return Err(wrong_type("item", item, None));
    }
    if let Ok(message) = item.cast_exact::<Message>() {
        let message = message.get();
        return Ok(Item {
            body: message.body.bind(py).clone(),
            headers: message.headers.bind(py).clone(),
            endpoint: message.endpoint.as_ref().map(|name| name.bind(py).clone()),
            received_at: message.at,
        });
    }
    // Of a subclass, which may have attributes of its own.
    if message::is_one(item)? {
        let stated = |name| -> PyResult<Option<_>> {
            let value = item.getattr(name)?;
            Ok((!value.is_none()).then_some(value))
        };
        let endpoint = stated(intern!(py, "endpoint"))?;
        let received_at = stated(intern!(py, "received_at"))?;
        return Ok(Item {
            body: item.getattr(intern!(py, "body"))?,
            headers: item.getattr(intern!(py, "headers"))?,
            endpoint: text_or_none(endpoint.as_ref(), "endpoint")?.cloned(),
            received_at: seconds_or_none(received_at.as_ref(), "received_at")?,
        });
    }
    let (body, headers) = (intern!(py, "body"), intern!(py, "headers"));
    if let Ok(dict) = item.cast_exact::<PyDict>() {
        if let (Some(body), Some(headers)) = (dict.get_item(body)?, dict.get_item(headers)?) {
            return Ok(plain(body, headers));
        }
    } else if is_mapping(item)? && item.contains(body)? && item.contains(headers)? {
        return Ok(plain(item.get_item(body)?, item.get_item(headers)?));
    }
    if let (Some(body), Some(headers)) = (item.getattr_opt(body)?, item.getattr_opt(headers)?) {
        return Ok(plain(body, headers));
    }
    Err(wrong_type("item", item, None))
}

/// All items of an iterable, as a tuple of their own: while they are judged, the iterable may
/// change. An exact tuple cannot, and is taken as it is.
pub fn drain<'py>(values: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyTuple>> {
    if let Ok(tuple) = values.cast_exact::<PyTuple>() {
        return Ok(tuple.clone());
    }
    if let Ok(list) = values.cast_exact::<PyList>() {
        // Half the cost of a call, but where there is no memory for it PyO3 writes to stderr, too.
        if list.len() <= SHORT_LIST {
            return Ok(list.to_tuple());
        }
    } else {
        let is_wrong = values.is_instance_of::<PyString>()
            || values.is_instance_of::<PyBytes>()
            || is_mapping(values)?
            || !is_iterable(values)?;
        if is_wrong {
            return Err(wrong_type(name, values, None));
        }
    }
    let tuple = PyTuple::type_object(values.py());
    Ok(tuple.call1((values,))?.cast_into()?)
}

/// So short a list takes memory that there nearly always is.
const SHORT_LIST: usize = 64;

/// Whether it can be iterated, in one of the two ways.
pub fn is_iterable(values: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = values.py();
    Ok(values.hasattr(intern!(py, "__iter__"))? || values.hasattr(intern!(py, "__getitem__"))?)
}

/// One endpoint name for all messages, or one for each.
pub enum Names<'py> {
    None,
    One(Bound<'py, PyString>),
    Each(Bound<'py, PyTuple>),
}

impl<'py> Names<'py> {
    /// Reads the argument `endpoint` of a batch.
    pub fn read(value: Option<&Bound<'py, PyAny>>, count: usize) -> PyResult<Self> {
        let Some(value) = value else {
            return Ok(Self::None);
        };
        if let Ok(name) = value.cast::<PyString>() {
            return Ok(Self::One(name.clone()));
        }
        let all = each("endpoint", value, count)?;
        for (index, name) in all.iter().enumerate() {
            if !name.is_none() && !name.is_instance_of::<PyString>() {
                let place = format!("endpoint[{index}]");
                return Err(wrong_type("str or None", &name, Some(&place)));
            }
        }
        Ok(Self::Each(all))
    }

    /// Whether each message has its own.
    pub fn is_each(&self) -> bool {
        matches!(self, Self::Each(_))
    }

    /// The own name of message `index`, as long as there are all of them.
    pub fn own<'n>(&'n self, index: usize) -> PyResult<Option<Borrowed<'n, 'py, PyString>>> {
        match self {
            Self::None | Self::One(_) => Ok(None),
            Self::Each(all) => Ok(all.get_borrowed_item(index)?.cast::<PyString>().ok()),
        }
    }

    /// The name for message `index`.
    pub fn get(&self, index: usize) -> PyResult<Option<Bound<'py, PyString>>> {
        Ok(match self {
            Self::None => None,
            Self::One(name) => Some(name.clone()),
            Self::Each(all) => all.get_item(index)?.cast_into::<PyString>().ok(),
        })
    }
}

/// Whether it is a sequence of things, not of characters or bytes.
pub fn is_sequence(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let is_flat = value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyMemoryView>();
    Ok(!is_flat && is_abc_sequence(value)?)
}

/// A sequence with one element for each message, as a tuple of its own.
pub fn each<'py>(
    name: &str,
    value: &Bound<'py, PyAny>,
    count: usize,
) -> PyResult<Bound<'py, PyTuple>> {
    if !is_sequence(value)? {
        return Err(wrong_type(name, value, None));
    }
    let all = drain(value, name)?;
    if all.len() != count {
        return Err(wrong_length(value.py(), name, all.len(), count));
    }
    Ok(all)
}

/// Whether it is a `collections.abc.Mapping`. PyO3's own check swallows what is raised while the
/// class is asked, a Ctrl-C among it.
pub fn is_mapping(it: &Bound<'_, PyAny>) -> PyResult<bool> {
    static MAPPING: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let is_dict = it.is_instance_of::<PyDict>();
    Ok(is_dict || it.is_instance(MAPPING.import(it.py(), "collections.abc", "Mapping")?)?)
}

/// Whether it is a `collections.abc.Sequence`.
fn is_abc_sequence(it: &Bound<'_, PyAny>) -> PyResult<bool> {
    static SEQUENCE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let is_plain = it.is_instance_of::<PyList>() || it.is_instance_of::<PyTuple>();
    Ok(is_plain || it.is_instance(SEQUENCE.import(it.py(), "collections.abc", "Sequence")?)?)
}
