//! Instants: what the caller states, and what the clock says.

use pyo3::{
    exceptions::{PyBufferError, PyTypeError, PyValueError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyMemoryView, PyString},
};

use crate::{
    arguments::{mistake, no_memory, wrong_length, wrong_type},
    items::{each, is_sequence},
};

/// 10^11 seconds: the year 5138, and what milliseconds have passed since 1973.
const LATEST_INSTANT: i64 = 100_000_000_000;

/// An instant in whole Unix seconds.
pub fn seconds(value: &Bound<'_, PyAny>, name: &str) -> PyResult<i64> {
    match plain_seconds(value) {
        Some(seconds) => Ok(seconds),
        // Every other form, and every error.
        None => value
            .py()
            .import("hookseal._instant")?
            .getattr("seconds")?
            .call1((value, name))?
            .extract(),
    }
}

/// The same of an exact number in range; None of anything else.
pub fn plain_seconds(value: &Bound<'_, PyAny>) -> Option<i64> {
    let seconds = if value.is_exact_instance_of::<PyInt>() {
        value.extract().ok()?
    } else if value.is_exact_instance_of::<PyFloat>() {
        whole(value.extract().ok()?)?
    } else {
        return None;
    };
    (0..=LATEST_INSTANT).contains(&seconds).then_some(seconds)
}

/// An optional instant.
pub fn seconds_or_none(value: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<Option<i64>> {
    value.map(|value| seconds(value, name)).transpose()
}

/// What the clock says, in whole seconds.
pub fn now(py: Python<'_>) -> PyResult<i64> {
    seconds(&clock(py)?, "time.time()")
}

/// What the clock says: `time.time` looked up now, so that a frozen clock is frozen here too.
pub fn clock(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static TIME: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    // The module's own names: what `time.time` finds, without the search for it.
    let names = TIME.get_or_try_init(py, || py.import("time").map(|time| time.dict().unbind()))?;
    let time = match names.bind(py).get_item(intern!(py, "time"))? {
        Some(time) => time,
        // It was taken away, which Python says best.
        None => py.import("time")?.getattr("time")?,
    };
    time.call0()
}

/// One instant for each message of a batch.
pub enum Instants {
    /// None was given.
    None,
    /// One for all.
    One(i64),
    /// One for each, or [`UNSTATED`].
    Each(Vec<i64>),
}

/// An element of [`Instants::Each`] that was None.
const UNSTATED: i64 = i64::MIN;

impl Instants {
    /// The instant of message `index`.
    pub fn get(&self, index: usize) -> Option<i64> {
        match self {
            Self::None => None,
            Self::One(seconds) => Some(*seconds),
            Self::Each(all) => all
                .get(index)
                .copied()
                .filter(|seconds| *seconds != UNSTATED),
        }
    }

    /// Whether each message has its own.
    pub fn is_each(&self) -> bool {
        matches!(self, Self::Each(_))
    }

    /// Reads an argument: None, an instant, a buffer of int64 or float64, or a sequence.
    pub fn read(name: &str, value: Option<&Bound<'_, PyAny>>, count: usize) -> PyResult<Self> {
        let Some(value) = value else {
            return Ok(Self::None);
        };
        if value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>() {
            return seconds(value, name).map(Self::One);
        }
        let is_text = value.is_instance_of::<PyString>()
            || value.is_instance_of::<PyBytes>()
            || value.is_instance_of::<PyByteArray>();
        if is_text {
            return Err(wrong_type("instants", value, Some(name)));
        }
        if let Some(all) = read_buffer(name, value, count)? {
            return Ok(Self::Each(all));
        }
        if is_sequence(value)? {
            return read_sequence(name, value, count).map(Self::Each);
        }
        // What is left is one instant, in any of its forms, or an error.
        seconds(value, name).map(Self::One)
    }
}

fn read_sequence(name: &str, value: &Bound<'_, PyAny>, count: usize) -> PyResult<Vec<i64>> {
    let elements = each(name, value, count)?;
    let mut all = Vec::new();
    all.try_reserve_exact(count).map_err(no_memory)?;
    for (index, element) in elements.iter().enumerate() {
        all.push(match seconds_or_unstated(&element) {
            Some(seconds) => seconds,
            None => seconds(&element, &format!("{name}[{index}]"))?,
        });
    }
    Ok(all)
}

/// The common cases, without the text that an error would need.
fn seconds_or_unstated(element: &Bound<'_, PyAny>) -> Option<i64> {
    if element.is_none() {
        return Some(UNSTATED);
    }
    plain_seconds(element)
}

/// Reads a buffer: one row of int64 or float64, in native order. None for what is no buffer,
/// or holds a number alone.
fn read_buffer(name: &str, value: &Bound<'_, PyAny>, count: usize) -> PyResult<Option<Vec<i64>>> {
    let py = value.py();
    let view = match PyMemoryView::from(value) {
        Ok(view) => view,
        Err(error) if is_no_buffer(py, &error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let dimensions: usize = view.getattr(intern!(py, "ndim"))?.extract()?;
    if dimensions == 0 {
        return Ok(None);
    }
    let item_bytes: usize = view.getattr(intern!(py, "itemsize"))?.extract()?;
    let format: String = view.getattr(intern!(py, "format"))?.extract()?;
    let code = format.strip_prefix(NATIVE_ORDER).unwrap_or(&format);
    let is_float = code == "d";
    let is_whole = matches!(code, "q" | "l" | "n");
    if dimensions != 1 || item_bytes != NUMBER_BYTES || !(is_whole || is_float) {
        return Err(mistake(py, ("buffer", name)));
    }
    let copy = view.call_method0(intern!(py, "tobytes"))?;
    let copy = copy.cast_into::<PyBytes>()?;
    let (numbers, _) = copy.as_bytes().as_chunks::<NUMBER_BYTES>();
    if numbers.len() != count {
        return Err(wrong_length(py, name, numbers.len(), count));
    }
    let judged = |(index, number): (usize, &[u8; NUMBER_BYTES])| {
        let plain = if is_float {
            whole(f64::from_ne_bytes(*number))
        } else {
            Some(i64::from_ne_bytes(*number))
        };
        match plain {
            Some(seconds) if (0..=LATEST_INSTANT).contains(&seconds) => Ok(seconds),
            _ => {
                let number = if is_float {
                    PyFloat::new(py, f64::from_ne_bytes(*number)).into_any()
                } else {
                    PyInt::new(py, i64::from_ne_bytes(*number)).into_any()
                };
                seconds(&number, &format!("{name}[{index}]"))
            }
        }
    };
    let mut all = Vec::new();
    all.try_reserve_exact(count).map_err(no_memory)?;
    for number in numbers.iter().enumerate().map(judged) {
        all.push(number?);
    }
    Ok(Some(all))
}

/// The bytes of one number in a buffer.
const NUMBER_BYTES: usize = size_of::<i64>();

/// How a format of Python's `struct` says that its numbers are in this machine's order. PyO3's
/// typed buffers ask for no order: on x86 they take big-endian numbers, and refuse `<`.
const NATIVE_ORDER: &[char] = if cfg!(target_endian = "little") {
    &['@', '=', '<']
} else {
    &['@', '=', '>', '!']
};

fn is_no_buffer(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyTypeError>(py)
        || error.is_instance_of::<PyValueError>(py)
        || error.is_instance_of::<PyBufferError>(py)
}

/// The floor of a float in range; None for what is an error.
fn whole(value: f64) -> Option<i64> {
    #[expect(clippy::cast_precision_loss, reason = "10^11 is exact in a double")]
    let latest = LATEST_INSTANT as f64;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "in range, and the fraction is to go"
    )]
    let seconds = (0.0..=latest).contains(&value).then_some(value as i64);
    seconds
}
