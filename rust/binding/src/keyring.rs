//! `hookseal.Keyring`.

use std::sync::Arc;

use hookseal_engine::{
    endpoint::Endpoint,
    finding::Finding,
    ring::{Refused, Ring, Snapshot},
    scheme::Scheme,
};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyList, PyString},
};

use crate::{
    arguments::{Stated, called, mistake, no_copy, text, wrong_type},
    clock::{now, seconds_or_none},
    entering::{Compiled, Given, unknown},
    errors::secret_error,
    guard::guarded,
    items::is_mapping,
    secret::{Secret, THE_SECRET, one, python_finding, python_repr, scheme_or_standard},
    usage,
};

/// Endpoints by name, each with its secrets: what a service with many tenants verifies with.
///
/// Args:
///     endpoints: A mapping of names to a secret, a sequence of 1 to 8 secrets, or an
///         ``Endpoint``, which can have its own scheme and tolerance.
///     scheme: The scheme of endpoints that have none of their own: a ``Scheme`` or its name.
///
/// Raises:
///     SecretError: A secret that cannot be a key of its scheme, the same key twice in one
///         endpoint, a label taken, none or more than 8 secrets.
///     SchemeError: An unknown scheme, or a tolerance for a scheme that signs no time.
///     TypeError: A wrong type.
///     ValueError: An empty name, or a value out of range.
///
/// A ring can change while verifiers use it. Each change is one swap of a snapshot: a call
/// in progress finishes on the snapshot it began with. Of each secret only keyed hash states
/// are kept, and wiped when they go.
#[pyclass(frozen, module = "hookseal", mapping)]
pub struct Keyring {
    ring: Ring,
    scheme: Arc<Scheme>,
    compiled: Compiled,
    /// What was counted when usage was saved last, by file: Python's.
    saved: Py<PyDict>,
}

impl Keyring {
    /// The endpoints as they are now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.ring.snapshot()
    }
}

#[pymethods]
impl Keyring {
    #[new]
    #[pyo3(signature = (endpoints=Stated(None), *, scheme=Stated(None)), text_signature = "(endpoints={}, *, scheme='standard-webhooks')")]
    fn new<'py>(py: Python<'py>, endpoints: Stated<'py>, scheme: Stated<'py>) -> PyResult<Self> {
        guarded(|| {
            let compiled = Compiled::default();
            let scheme = compiled.get(&scheme_or_standard(py, scheme.0.as_ref())?)?;
            let mut snapshot = Snapshot::default();
            if let Some(endpoints) = &endpoints.0 {
                if !is_mapping(endpoints)? {
                    return Err(wrong_type("endpoints", endpoints, None));
                }
                for item in endpoints.call_method0(intern!(py, "items"))?.try_iter()? {
                    let (key, secrets): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
                    let name = new_name(&key)?;
                    if snapshot.get(&name).is_some() {
                        return Err(mistake(py, ("name-twice", key)));
                    }
                    let place = place(py, &name)?;
                    let given = Given::read(&secrets, &place, &place, &scheme, &compiled)?;
                    snapshot
                        .enter(&name, given.terms(&scheme), &given.secrets.all)
                        .map_err(|refused| given.refusal(refused, &key))?;
                }
            }
            Ok(Self {
                ring: Ring::new(snapshot),
                scheme,
                compiled,
                saved: PyDict::new(py).unbind(),
            })
        })
    }

    /// The endpoints that a keyring file names.
    ///
    /// Args:
    ///     path: A TOML file; docs/keyring-file.md describes it. Secret files that it names
    ///         are relative to its folder.
    ///
    /// Raises:
    ///     OSError: The file, or a secret file that it names, cannot be read.
    ///     SecretError: A secret that is not there or cannot be a key, or as the constructor.
    ///     SchemeError: As the constructor.
    ///     ValueError: Whatever else is wrong in the file, wrong types too.
    ///     TypeError: ``path`` is no path.
    ///
    /// Errors name the file and the place in it, and never a secret. A file that holds a
    /// ``value`` and that others can read is a ``UserWarning``.
    #[staticmethod]
    fn from_file<'py>(path: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let py = path.py();
            let (ring, secret) = (py.get_type::<Self>(), py.get_type::<Secret>());
            called(
                py,
                "hookseal._keyring_file",
                "keyring_of",
                (path, ring, secret),
            )
        })
    }

    /// Puts a new secret first, and lets the others end.
    ///
    /// Args:
    ///     endpoint: The endpoint's name.
    ///     new: The new secret.
    ///     overlap: How long the others are still tried (a ``timedelta``, whole seconds);
    ///         None leaves them as they are.
    ///     now: When the overlap begins; None for the clock.
    ///
    /// Returns:
    ///     The new secret's label.
    ///
    /// Raises:
    ///     KeyError: There is no such endpoint.
    ///     SecretError: As the constructor; a ninth secret.
    ///     TypeError, ValueError: A wrong type, or a value out of range.
    #[pyo3(signature = (endpoint, new, *, overlap=None, now=None))]
    fn rotate(
        &self,
        py: Python<'_>,
        endpoint: &Bound<'_, PyAny>,
        new: &Bound<'_, PyAny>,
        overlap: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        guarded(|| {
            let name = known_name(endpoint)?;
            let secret = one(new, NEW_SECRET)?;
            let stated = seconds_or_none(now, "now")?;
            let until = match overlap {
                None => None,
                Some(overlap) => {
                    let from = stated.map_or_else(|| self::now(py), Ok)?;
                    let after = py.import("hookseal._instant")?.getattr("after")?;
                    Some(after.call1((from, overlap))?.extract()?)
                }
            };
            let label = self.ring.rotate(&name, &secret, until);
            label.map(Into::into).map_err(|refused| match refused {
                Refused::Secret(_, fault) => secret_error(py, fault, NEW_SECRET),
                Refused::Endpoint | Refused::Label => unknown(endpoint),
            })
        })
    }

    /// Gives an endpoint new secrets, or adds the endpoint.
    ///
    /// Args:
    ///     endpoint: The endpoint's name.
    ///     secrets: As in the constructor. Bare secrets leave the scheme and tolerance of an
    ///         endpoint that is there as they are; an ``Endpoint`` replaces them.
    ///
    /// Raises:
    ///     SecretError, SchemeError, TypeError, ValueError: As the constructor; then nothing
    ///         has changed.
    fn replace(&self, endpoint: &Bound<'_, PyAny>, secrets: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let name = new_name(endpoint)?;
            // The user's objects are read before the ring is changed: reading runs their code.
            let (scheme, compiled) = (&self.scheme, &self.compiled);
            let given = Given::read(secrets, "secrets", THE_SECRET, scheme, compiled)?;
            self.ring
                .replace(&name, given.terms(scheme), &given.secrets.all)
                .map_err(|refused| given.refusal(refused, endpoint))
        })
    }

    /// Removes one secret of an endpoint.
    ///
    /// Raises:
    ///     KeyError: There is no such endpoint, or no such label.
    ///     SecretError: It is the last one.
    ///     TypeError: A wrong type.
    fn remove(
        &self,
        py: Python<'_>,
        endpoint: &Bound<'_, PyAny>,
        label: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        guarded(|| {
            let name = known_name(endpoint)?;
            let text = text(label, "label")?;
            let removed = self.ring.remove(&name, text.to_str().unwrap_or_default());
            removed.map_err(|refused| match refused {
                Refused::Secret(_, fault) => {
                    place(py, &name).map_or_else(|error| error, |it| secret_error(py, fault, &it))
                }
                Refused::Label => mistake(py, ("unknown-label", endpoint, label)),
                Refused::Endpoint => unknown(endpoint),
            })
        })
    }

    /// Removes an endpoint with all its secrets.
    ///
    /// Raises:
    ///     KeyError: There is no such endpoint.
    ///     TypeError: A wrong type.
    fn remove_endpoint(&self, endpoint: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let removed = self.ring.remove_endpoint(&known_name(endpoint)?);
            removed.map_err(|_| unknown(endpoint))
        })
    }

    /// The names of the endpoints, in the order in which they came.
    fn endpoints(&self) -> Vec<String> {
        self.snapshot()
            .endpoints()
            .iter()
            .map(|endpoint| endpoint.name().into())
            .collect()
    }

    /// The labels of an endpoint's secrets, in the order in which they are tried.
    ///
    /// Raises:
    ///     KeyError: There is no such endpoint.
    ///     TypeError: A wrong type.
    fn labels(&self, endpoint: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
        guarded(|| {
            let snapshot = self.snapshot();
            let found = snapshot.get(&known_name(endpoint)?);
            Ok(found
                .ok_or_else(|| unknown(endpoint))?
                .held()
                .iter()
                .map(|held| held.label.to_string())
                .collect())
        })
    }

    /// What is weak in the ring: the findings of every secret, then the keys that two
    /// endpoints share.
    fn check<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guarded(|| {
            let snapshot = self.snapshot();
            let list = PyList::empty(py);
            let add = |found, endpoint: &Endpoint, label| {
                list.append(python_finding(
                    py,
                    found,
                    Some(endpoint.name()),
                    Some(label),
                )?)
            };
            for endpoint in snapshot.endpoints() {
                for held in endpoint.held() {
                    for found in &held.findings {
                        add(*found, endpoint, &held.label)?;
                    }
                }
            }
            for (endpoint, label) in snapshot.shared_keys() {
                let found = Finding {
                    code: "shared-key",
                    number: 0,
                    limit: 0,
                };
                add(found, endpoint, label)?;
            }
            Ok(list)
        })
    }

    /// How often each secret matched, and when last, by endpoint and label: for all verifiers
    /// that share the ring, since the secret entered it.
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| usage::by_label(py, &self.snapshot()))
    }

    /// Adds the usage to a file, since it was last saved there. Other processes may do so too.
    ///
    /// Args:
    ///     path: A usage file; docs/usage-file.md describes it. It is made if it is not there.
    ///
    /// Raises:
    ///     OSError: It cannot be read or written, or is locked; then nothing has changed.
    ///     ValueError: It is there, and no usage file.
    ///     TypeError: ``path`` is no path.
    fn save_usage(&self, py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| usage::save(py, &self.snapshot(), path, self.saved.bind(py)))
    }

    fn __contains__(&self, endpoint: &Bound<'_, PyAny>) -> bool {
        let text = endpoint.cast::<PyString>().ok();
        let name = text.and_then(|text| text.to_str().ok());
        name.is_some_and(|name| self.snapshot().get(name).is_some())
    }

    fn __len__(&self) -> usize {
        self.snapshot().endpoints().len()
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(no_copy(slf))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let count = self.snapshot().endpoints().len();
        let scheme = python_repr(py, self.scheme.name.as_str())?;
        Ok(format!("Keyring(endpoints={count}, scheme={scheme})"))
    }
}

/// What an error calls a secret that enters by `rotate`.
const NEW_SECRET: &str = "the new secret";

/// What an error calls an endpoint of a ring.
fn place(py: Python<'_>, name: &str) -> PyResult<String> {
    Ok(format!("endpoints[{}]", python_repr(py, name)?))
}

/// The name of an endpoint that should be there. No endpoint has the name that stands for
/// those that no endpoint can have.
fn known_name(name: &Bound<'_, PyAny>) -> PyResult<String> {
    let name = text(name, A_NAME)?;
    Ok(name.to_str().unwrap_or_default().to_owned())
}

/// The name of an endpoint that may enter.
fn new_name(name: &Bound<'_, PyAny>) -> PyResult<String> {
    match text(name, A_NAME)?.to_str() {
        Ok("") => Err(mistake(name.py(), ("blank-name",))),
        Ok(name) => Ok(name.to_owned()),
        Err(_) => Err(mistake(name.py(), ("name-not-utf8",))),
    }
}

const A_NAME: &str = "an endpoint's name";
