//! Endpoints that a ring does not hold, and that its resolver is asked for.

use std::sync::Arc;

use hookseal_engine::{endpoint::Endpoint, ring::Snapshot};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyString},
};

use crate::{
    arguments::{Stated, text_or_none},
    batch::Call,
    encoded::utf8,
    items::{Names, drain},
    keyring::Keyring,
    message,
    messages::Messages,
    replay::Replay,
    trust::{Endpoints, Rings, Trust},
    verifier::Verifier,
};

/// An endpoint as the resolver's answers are remembered.
#[pyclass(frozen, module = "hookseal")]
pub struct Resolved(Arc<Endpoint>);

impl Resolved {
    /// The endpoint of that name.
    pub fn of(snapshot: &Snapshot, name: &str) -> Option<Self> {
        let endpoint = snapshot.get(name)?;
        Some(Self(Arc::new(endpoint.clone())))
    }
}

/// The resolver that a ring's arguments ask for; `limits` are how long and how much it remembers.
pub fn resolver(
    py: Python<'_>,
    function: Option<Bound<'_, PyAny>>,
    limits: [Stated<'_>; 3],
) -> PyResult<Option<Py<PyAny>>> {
    let [ttl, negative_ttl, size] = limits.map(|Stated(limit)| limit);
    let limits = PyDict::new(py);
    for (name, limit) in [("ttl", ttl), ("negative_ttl", negative_ttl), ("size", size)] {
        if let Some(limit) = limit {
            limits.set_item(name, limit)?;
        }
    }
    if function.is_none() && limits.is_empty() {
        return Ok(None);
    }
    let made = py
        .import("hookseal._resolver")?
        .getattr("resolver_of")?
        .call((function,), Some(&limits))?;
    Ok((!made.is_none()).then(|| made.unbind()))
}

/// The names of a call that the ring does not hold, each once.
pub struct Sought<'e, 'py> {
    held: Option<&'e Snapshot>,
    /// In order of first appearance, as keys.
    pub names: Bound<'py, PyDict>,
}

impl<'e, 'py> Sought<'e, 'py> {
    pub fn new(py: Python<'py>, endpoints: &'e Endpoints) -> Self {
        let held = match endpoints {
            Endpoints::Ring(Rings { held, .. }) => Some(&**held),
            Endpoints::One(_) | Endpoints::Unsigned => None,
        };
        let names = PyDict::new(py);
        Self { held, names }
    }

    /// Adds the name that a message gives, unless no endpoint can be called so.
    pub fn add(&mut self, name: Option<&Bound<'py, PyString>>) -> PyResult<()> {
        let (Some(held), Some(name)) = (self.held, name) else {
            return Ok(());
        };
        match utf8(name)? {
            Some(text) if !text.is_empty() && held.find(text).is_none() => {
                // Of a subclass, which may compare and hash as it likes, the text alone.
                self.names
                    .set_item(PyString::new(name.py(), text), name.py().None())
            }
            _ => Ok(()),
        }
    }

    /// Adds the names of a batch: that of a `Message` before that of the call.
    pub fn add_each(&mut self, names: &Names<'py>, messages: &Messages<'py>) -> PyResult<()> {
        for index in 0..messages.len() {
            let own = match messages {
                Messages::Items(items) => {
                    let item = items.get_borrowed_item(index)?;
                    message::endpoint(&item)?.and_then(|own| own.cast_into::<PyString>().ok())
                }
                Messages::Columns(_) => None,
            };
            self.add(own.or(names.get(index)?).as_ref())?;
        }
        Ok(())
    }
}

impl Verifier {
    /// What a ring's resolver said of some names, as a snapshot, without the endpoints that the guard
    /// cannot protect.
    fn known(
        &self,
        py: Python<'_>,
        ring: &Keyring,
        found: &Bound<'_, PyDict>,
    ) -> PyResult<Arc<Snapshot>> {
        let mut known = Vec::new();
        for endpoint in found.values() {
            if endpoint.is_none() {
                continue;
            }
            let told = endpoint.cast_into::<Resolved>()?;
            let endpoint = &told.get().0;
            let seconds = |replay: &Arc<Replay>| replay.seconds(py, endpoint, &self.rules);
            if let (Some(Err(error)), Some(resolver)) =
                (self.replay.as_ref().map(seconds), ring.resolver())
            {
                let resolver = resolver.bind(py);
                resolver.call_method1(intern!(py, "refuse"), (endpoint.name(), error))?;
                continue;
            }
            known.push(Arc::clone(endpoint));
        }
        let mut snapshot = Snapshot::default();
        snapshot.adopt(known.iter().map(|endpoint| &**endpoint));
        Ok(Arc::new(snapshot))
    }

    /// The names of a call that the ring does not hold; `messages` is None for one message.
    pub fn unheld<'py>(
        &self,
        py: Python<'py>,
        endpoint: Option<&Bound<'py, PyAny>>,
        messages: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let endpoints = self.endpoints();
        let mut sought = Sought::new(py, &endpoints);
        if let Some(messages) = messages {
            let items = Messages::Items(drain(messages, "messages")?);
            let names = Names::read(endpoint, items.len())?;
            sought.add_each(&names, &items)?;
        } else {
            sought.add(text_or_none(endpoint, "endpoint")?)?;
        }
        Ok(sought.names)
    }

    /// The same verifier for one call, which knows what the resolver said and never asks.
    pub fn settled(&self, py: Python<'_>, found: &Bound<'_, PyDict>) -> PyResult<Self> {
        let trust = match &self.trust {
            Trust::One(endpoint) => Trust::One(Arc::clone(endpoint)),
            Trust::Ring { ring, .. } => Trust::Ring {
                ring: ring.clone_ref(py),
                settled: Some(self.known(py, ring.get(), found)?),
            },
            Trust::Unsigned { reason } => Trust::Unsigned {
                reason: reason.clone(),
            },
        };
        Ok(Self {
            trust,
            rules: self.rules,
            shown: self.shown.clone(),
            replay: self.replay.clone(),
        })
    }

    /// Asks for the names of a batch, as `resolve` does.
    pub fn resolve_each<'py>(
        &self,
        py: Python<'py>,
        endpoints: &mut Endpoints,
        call: &Call<'py>,
    ) -> PyResult<()> {
        self.resolve(py, endpoints, |sought| {
            sought.add_each(&call.names, &call.messages)
        })
    }

    /// Asks the ring's resolver, if there is one that was not asked before the call, for the names
    /// that the ring does not hold.
    ///
    /// # Errors
    /// What the resolver raises, or its answer is refused with; `TypeError` if it is async.
    pub fn resolve<'py>(
        &self,
        py: Python<'py>,
        endpoints: &mut Endpoints,
        seek: impl FnOnce(&mut Sought<'_, 'py>) -> PyResult<()>,
    ) -> PyResult<()> {
        let Some(ring) = self.trust.asks() else {
            return Ok(());
        };
        let Some(resolver) = ring.get().resolver() else {
            return Ok(());
        };
        let mut sought = Sought::new(py, endpoints);
        seek(&mut sought)?;
        let names = sought.names;
        let found = resolver
            .bind(py)
            .call_method1(intern!(py, "resolve"), (ring, names))?;
        if let Endpoints::Ring(rings) = endpoints {
            rings.resolved = Some(self.known(py, ring.get(), found.cast()?)?);
        }
        Ok(())
    }
}
