//! Instants: what the caller states, and what the clock says.

use pyo3::{
    buffer::PyBuffer,
    exceptions::PyAttributeError,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyString},
};

use crate::arguments::{no_memory, wrong_length, wrong_type};

/// 10^11 seconds: the year 5138, and what milliseconds have passed since 1973.
const LATEST_INSTANT: i64 = 100_000_000_000;

/// An instant in whole Unix seconds.
pub fn seconds(value: &Bound<'_, PyAny>, name: &str) -> PyResult<i64> {
    let plain = if value.is_exact_instance_of::<PyInt>() {
        value.extract::<i64>().ok()
    } else if value.is_exact_instance_of::<PyFloat>() {
        whole(value.extract::<f64>()?)
    } else {
        None
    };
    match plain {
        Some(seconds) if (0..=LATEST_INSTANT).contains(&seconds) => Ok(seconds),
        // Every other form, and every error.
        _ => value
            .py()
            .import("hookseal._instant")?
            .getattr("seconds")?
            .call1((value, name))?
            .extract(),
    }
}

/// An optional instant.
pub fn seconds_or_none(value: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<Option<i64>> {
    value.map(|value| seconds(value, name)).transpose()
}

/// What the clock says: `time.time` looked up now, so that a frozen clock is frozen here too.
pub fn now(py: Python<'_>) -> PyResult<i64> {
    static TIME: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    // The module's own names: what `time.time` finds, without the search for it.
    let names = TIME.get_or_try_init(py, || py.import("time").map(|time| time.dict().unbind()))?;
    let time = names.bind(py).get_item(intern!(py, "time"))?;
    let time = time.ok_or_else(|| PyAttributeError::new_err("module 'time' has no 'time'"))?;
    seconds(&time.call0()?, "time.time()")
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
            return Err(wrong_type(name, value, None));
        }
        let all = if let Some(all) = read_buffer(name, value)? {
            all
        } else if value.hasattr(intern!(value.py(), "__len__"))? {
            read_sequence(name, value)?
        } else {
            return seconds(value, name).map(Self::One);
        };
        if all.len() != count {
            return Err(wrong_length(value.py(), name, all.len(), count));
        }
        Ok(Self::Each(all))
    }
}

fn read_sequence(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
    let mut all = Vec::new();
    all.try_reserve_exact(value.len()?).map_err(no_memory)?;
    for (index, element) in value.try_iter()?.enumerate() {
        let element = element?;
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
    if !element.is_exact_instance_of::<PyInt>() {
        return None;
    }
    let seconds = element.extract().ok()?;
    (0..=LATEST_INSTANT).contains(&seconds).then_some(seconds)
}

fn read_buffer(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<i64>>> {
    let py = value.py();
    let check = |index: usize, seconds: Option<i64>, element: Bound<'_, PyAny>| match seconds {
        Some(seconds) if (0..=LATEST_INSTANT).contains(&seconds) => Ok(seconds),
        _ => self::seconds(&element, &format!("{name}[{index}]")),
    };
    if let Ok(buffer) = PyBuffer::<i64>::get(value) {
        let all = buffer.to_vec(py)?.into_iter().enumerate();
        let all = all.map(|(i, x)| check(i, Some(x), PyInt::new(py, x).into_any()));
        return all.collect::<PyResult<_>>().map(Some);
    }
    if let Ok(buffer) = PyBuffer::<f64>::get(value) {
        let all = buffer.to_vec(py)?.into_iter().enumerate();
        let all = all.map(|(i, x)| check(i, whole(x), PyFloat::new(py, x).into_any()));
        return all.collect::<PyResult<_>>().map(Some);
    }
    Ok(None)
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
