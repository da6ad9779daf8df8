//! Schemes: from `hookseal.Scheme`, which has judged them, to the engine's form.

use std::sync::Arc;

use hookseal_engine::{
    scheme::{Algorithm, Encoding, Family, KeyText, Names, Part, Scheme, Unit},
    timestamp::Tolerance,
};
use pyo3::{
    exceptions::{PyMemoryError, PyRuntimeError},
    prelude::*,
    types::PyString,
};

use crate::arguments::wrong_type;

/// The `hookseal.Scheme` that an argument means: itself, or the one of that name.
pub fn resolve<'py>(scheme: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = scheme.py();
    if scheme.is_instance_of::<PyString>() {
        return py
            .import("hookseal.schemes")?
            .getattr("get")?
            .call1((scheme,));
    }
    if scheme.is_instance(&py.import("hookseal._scheme")?.getattr("Scheme")?)? {
        return Ok(scheme.clone());
    }
    Err(wrong_type("scheme", scheme, None))
}

/// The preset of that name.
pub fn preset<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    resolve(&PyString::new(py, name))
}

/// Compiles what [`resolve`] gave.
pub fn compile(scheme: &Bound<'_, PyAny>) -> PyResult<Arc<Scheme>> {
    // PyO3 says of whatever is raised on the way that the attribute is of a wrong type.
    let parts: Parts = scheme.extract().map_err(|error: PyErr| {
        let cause = error.cause(scheme.py());
        let is_short = |cause: &PyErr| cause.is_instance_of::<PyMemoryError>(scheme.py());
        cause.filter(is_short).unwrap_or(error)
    })?;
    parts.compile().map(Arc::new).ok_or_else(|| {
        PyRuntimeError::new_err("bug in hookseal: a Scheme holds what the engine does not know")
    })
}

/// A tolerance, as `hookseal._tolerance.window` gives it.
pub fn tolerance(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Tolerance>> {
    let Some(value) = value else {
        return Ok(None);
    };
    let window = value
        .py()
        .import("hookseal._tolerance")?
        .getattr("window")?
        .call1((value,))?;
    if window.is_instance_of::<PyString>() {
        return Ok(Some(Tolerance::Off));
    }
    let (past, future) = window.extract()?;
    Ok(Some(Tolerance::Window { past, future }))
}

/// The attributes of a `hookseal.Scheme` that the engine computes with.
#[derive(FromPyObject)]
struct Parts {
    name: String,
    families: Vec<(String, Option<String>, Option<String>)>,
    prefix: String,
    encoding: String,
    separator: Option<String>,
    head: Vec<String>,
    tail: Vec<String>,
    id_forbidden: String,
    algorithm: String,
    key: String,
    key_prefix: Option<String>,
    unit: String,
    tolerance: Option<(i64, i64)>,
    key_length: Option<(usize, usize)>,
}

impl Parts {
    fn compile(self) -> Option<Scheme> {
        let family = |(signature, id, timestamp)| Family {
            signature,
            id,
            timestamp,
        };
        let parts = |texts: Vec<String>| texts.iter().map(|text| Part::named(text)).collect();
        let families: Vec<_> = self.families.into_iter().map(family).collect();
        Some(Scheme {
            name: self.name,
            names: Names::of(&families),
            families,
            prefix: self.prefix.into_bytes(),
            encoding: Encoding::named(&self.encoding)?,
            separator: self.separator.and_then(|text| text.bytes().next()),
            head: parts(self.head),
            tail: parts(self.tail),
            id_forbidden: self.id_forbidden.into_bytes(),
            algorithm: Algorithm::named(&self.algorithm)?,
            key: KeyText::named(&self.key)?,
            key_prefix: self.key_prefix.unwrap_or_default(),
            unit: Unit::named(&self.unit)?,
            tolerance: self.tolerance,
            key_length: self.key_length,
        })
    }
}
