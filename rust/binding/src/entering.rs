//! What enters a ring: secrets, and the schemes that read them.

use std::sync::{Arc, Mutex, PoisonError};

use hookseal_engine::{
    ring::{Refused, Terms},
    scheme::Scheme,
    timestamp::Tolerance,
};
use pyo3::prelude::*;

use crate::{
    arguments::{mistake, text},
    errors::scheme_error,
    scheme::{compile, resolve},
    secret::{Secrets, python_repr},
};

/// How many compiled schemes a ring remembers: there are seven presets.
const MOST_COMPILED: usize = 64;

/// Schemes that were compiled, by the identity of the Python object, so that ten thousand
/// endpoints of one scheme share it.
#[derive(Default)]
pub struct Compiled(Mutex<Vec<(Py<PyAny>, Arc<Scheme>)>>);

impl Compiled {
    /// The compiled scheme of a Python object.
    pub fn get(&self, scheme: &Bound<'_, PyAny>) -> PyResult<Arc<Scheme>> {
        let known = |all: &[(Py<PyAny>, Arc<Scheme>)]| {
            all.iter()
                .find(|(it, _)| it.is(scheme))
                .map(|(_, compiled)| Arc::clone(compiled))
        };
        if let Some(compiled) = known(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(compiled);
        }
        let compiled = compile(scheme)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = if all.len() == MOST_COMPILED {
            std::mem::take(&mut *all)
        } else {
            Vec::new()
        };
        all.push((scheme.clone().unbind(), Arc::clone(&compiled)));
        // A scheme may have a finalizer, which may change this ring: not under the lock.
        drop(all);
        drop(forgotten);
        Ok(compiled)
    }
}

/// What a mapping's value or `replace` gives for an endpoint.
pub struct Given {
    pub secrets: Secrets,
    /// The scheme and the tolerance, where an `Endpoint` was given.
    own: Option<(Arc<Scheme>, Option<Tolerance>)>,
}

impl Given {
    /// Reads the secrets, and the terms of an `Endpoint`.
    pub fn read(
        given: &Bound<'_, PyAny>,
        place: &str,
        alone: &str,
        default: &Arc<Scheme>,
        compiled: &Compiled,
    ) -> PyResult<Self> {
        let py = given.py();
        let class = py.import("hookseal._endpoint")?.getattr("Endpoint")?;
        if !given.is_instance(&class)? {
            return Ok(Self {
                secrets: Secrets::read(given, place, alone)?,
                own: None,
            });
        }
        let (scheme, tolerance) = (given.getattr("scheme")?, given.getattr("tolerance")?);
        let scheme = if scheme.is_none() {
            Arc::clone(default)
        } else {
            compiled.get(&resolve(&scheme)?)?
        };
        let tolerance = crate::scheme::tolerance((!tolerance.is_none()).then_some(&tolerance))?;
        if matches!(tolerance, Some(Tolerance::Window { .. })) && !scheme.signs_timestamp() {
            return Err(scheme_error(py, "no-timestamp", &scheme.name));
        }
        Ok(Self {
            secrets: Secrets::read(&given.getattr("_secrets")?, place, alone)?,
            own: Some((scheme, tolerance)),
        })
    }

    /// The exception for what was refused of this.
    pub fn refusal(&self, refused: Refused, endpoint: &Bound<'_, PyAny>) -> PyErr {
        match refused {
            Refused::Secret(at, fault) => self.secrets.error(endpoint.py(), (at, fault)),
            Refused::Endpoint | Refused::Label => unknown(endpoint),
        }
    }

    /// The scheme and the tolerance under which they enter.
    pub fn terms<'a>(&'a self, default: &'a Arc<Scheme>) -> Terms<'a> {
        match &self.own {
            None => Terms::Kept { default },
            Some((scheme, tolerance)) => Terms::Own {
                scheme,
                tolerance: *tolerance,
            },
        }
    }
}

/// The error for an endpoint that the ring does not hold.
pub fn unknown(endpoint: &Bound<'_, PyAny>) -> PyErr {
    mistake(endpoint.py(), ("unknown-endpoint", endpoint))
}

/// What an error calls an endpoint of a ring.
pub fn place(py: Python<'_>, name: &str) -> PyResult<String> {
    Ok(format!("endpoints[{}]", python_repr(py, name)?))
}

/// The name of an endpoint that should be there. No endpoint has the name that stands for
/// those that no endpoint can have.
pub fn known_name(name: &Bound<'_, PyAny>) -> PyResult<String> {
    let name = text(name, A_NAME)?;
    Ok(name.to_str().unwrap_or_default().to_owned())
}

/// The name of an endpoint that may enter.
pub fn new_name(name: &Bound<'_, PyAny>) -> PyResult<String> {
    match text(name, A_NAME)?.to_str() {
        Ok("") => Err(mistake(name.py(), ("blank-name",))),
        Ok(name) => Ok(name.to_owned()),
        Err(_) => Err(mistake(name.py(), ("name-not-utf8",))),
    }
}

/// What an error calls it.
pub const A_NAME: &str = "an endpoint's name";
