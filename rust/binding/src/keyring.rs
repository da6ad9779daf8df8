//! `hookseal.Keyring`.

use std::sync::Arc;

use hookseal_engine::{
    finding::Finding,
    profile::Profile,
    ring::{Refused, Ring, Snapshot},
    scheme::Scheme,
};
use pyo3::{
    PyTraverseError, PyVisit, intern,
    prelude::*,
    types::{PyDict, PyList, PyString},
};

use crate::{
    arguments::{Stated, called, mistake, no_copy, text, text_or_none, wrong_type},
    clock::{now, seconds_or_none},
    entering::{A_NAME, Compiled, Given, known_name, new_name, place, unknown},
    errors::secret_error,
    guard::{guarded, object},
    items::is_mapping,
    resolved::{self, Resolved},
    secret::{Secret, THE_SECRET, one, python_finding, python_repr, scheme_or_standard},
    usage,
};

/// Endpoints by name, each with its secrets: what a service with many tenants verifies with.
///
/// Args:
///     endpoints: A mapping of names to a secret, a sequence of 1 to 8 secrets, or an
///         ``Endpoint``, which can have its own scheme and tolerance.
///     scheme: The scheme of endpoints that have none of their own: a ``Scheme`` or its name.
///     resolver: Asked for the endpoints that are not here: called once a batch with a list of
///         their names, it returns a mapping of names to what ``endpoints`` may have, or None
///         where there is no such endpoint. It may be async; then the methods that are awaited
///         are the only ones. docs/rings.md has the rules.
///     resolver_ttl: How long an endpoint that it told is remembered, in seconds.
///     resolver_negative_ttl: How long it is remembered that there is none, in seconds.
///     resolver_size: The most endpoints that are remembered, and the most names without one.
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
    resolver: Option<Py<PyAny>>,
}

impl Keyring {
    /// What is asked for the endpoints that are not here, a `hookseal._resolver.Resolver`.
    pub fn resolver(&self) -> Option<&Py<PyAny>> {
        self.resolver.as_ref()
    }

    /// The endpoints as they are now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.ring.snapshot()
    }
}

#[pymethods]
impl Keyring {
    #[new]
    #[pyo3(
        signature = (endpoints=Stated(None), *, scheme=Stated(None), resolver=None, resolver_ttl=Stated(None), resolver_negative_ttl=Stated(None), resolver_size=Stated(None)),
        text_signature = "(endpoints={}, *, scheme='standard-webhooks', resolver=None, resolver_ttl=300, resolver_negative_ttl=30, resolver_size=10000)"
    )]
    fn new<'py>(
        py: Python<'py>,
        endpoints: Stated<'py>,
        scheme: Stated<'py>,
        resolver: Option<Bound<'py, PyAny>>,
        resolver_ttl: Stated<'py>,
        resolver_negative_ttl: Stated<'py>,
        resolver_size: Stated<'py>,
    ) -> PyResult<Self> {
        guarded(|| {
            let resolver = resolved::resolver(
                py,
                resolver,
                [resolver_ttl, resolver_negative_ttl, resolver_size],
            )?;
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
                resolver,
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

    /// The endpoints that environment variables name.
    ///
    /// Args:
    ///     prefix: What their names begin with. Under ``HOOK_`` the variable ``HOOK_ACME__old``
    ///         holds a secret of ``ACME``, with the label ``old``; docs/rings.md has the rules.
    ///     scheme: As in the constructor.
    ///     endpoints: A sequence of names, and no other endpoint is read. None reads all.
    ///
    /// Raises:
    ///     SecretError: A variable that holds no secret, or, of all, one that can be guessed; a
    ///         named endpoint without a variable; or as the constructor.
    ///     SchemeError, TypeError: As the constructor.
    ///     ValueError: A wrong name or none, a prefix that is empty or of no variable.
    #[staticmethod]
    #[pyo3(signature = (prefix, *, scheme=Stated(None), endpoints=None), text_signature = "(prefix, *, scheme='standard-webhooks', endpoints=None)")]
    fn from_env<'py>(
        prefix: &Bound<'py, PyAny>,
        scheme: Stated<'py>,
        endpoints: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        guarded(|| {
            let py = prefix.py();
            let judge = scheme_or_standard(py, scheme.0.as_ref())?;
            let arguments = (prefix, py.get_type::<Secret>(), judge, endpoints);
            let found = called(py, "hookseal._keyring_env", "endpoints_of", arguments)?;
            let (given, unset) = (Stated(Some(found)), || Stated(None));
            Self::new(py, given, scheme, None, unset(), unset(), unset())
        })
    }

    /// Forgets what the resolver said of an endpoint, or of all: the next message asks again.
    ///
    /// Args:
    ///     endpoint: The endpoint's name; None for all.
    ///
    /// Raises:
    ///     TypeError: A wrong type, or the ring has no resolver.
    #[pyo3(signature = (endpoint=None))]
    fn forget(&self, py: Python<'_>, endpoint: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        guarded(|| {
            let name = text_or_none(endpoint, A_NAME)?;
            let Some(resolver) = &self.resolver else {
                return Err(mistake(py, ("no-resolver", "forget")));
            };
            resolver.call_method1(py, intern!(py, "forget"), (name,))?;
            Ok(())
        })
    }

    /// The endpoint that a resolver told, as `hookseal._resolver` remembers it.
    fn _entered(
        &self,
        endpoint: &Bound<'_, PyString>,
        secrets: &Bound<'_, PyAny>,
        place: &str,
    ) -> PyResult<Resolved> {
        guarded(|| {
            let given = Given::read(secrets, place, place, &self.scheme, &self.compiled)?;
            let mut alone = Snapshot::default();
            let terms = given.terms(&self.scheme);
            let name = endpoint.to_str()?;
            alone
                .enter(name, terms, &given.secrets.all)
                .map_err(|refused| given.refusal(refused, endpoint))?;
            Resolved::of(&alone, name).ok_or_else(|| unknown(endpoint))
        })
    }

    /// The resolver, for the methods that await it.
    #[getter]
    fn _resolver(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.resolver
            .as_ref()
            .map(|resolver| resolver.clone_ref(py))
    }

    /// Lets Python's garbage collector see what the resolver holds, maybe this ring.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.resolver.as_ref().map_or(Ok(()), |it| visit.call(it))
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
    fn rotate<'py>(
        &self,
        py: Python<'py>,
        endpoint: &Bound<'_, PyAny>,
        new: &Bound<'_, PyAny>,
        overlap: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
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
            label
                .map(|label| label.to_string())
                .map_err(|refused| match refused {
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
    fn endpoints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let snapshot = self.snapshot();
        let names = || snapshot.endpoints().map(|endpoint| endpoint.name());
        object(py, || Ok(names().collect::<Vec<_>>()))
    }

    /// The labels of an endpoint's secrets, in the order in which they are tried.
    ///
    /// Raises:
    ///     KeyError: There is no such endpoint.
    ///     TypeError: A wrong type.
    fn labels<'py>(&self, endpoint: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        object(endpoint.py(), || {
            let snapshot = self.snapshot();
            let found = snapshot.get(&known_name(endpoint)?);
            Ok(found
                .ok_or_else(|| unknown(endpoint))?
                .held()
                .iter()
                .map(|held| held.label.to_string())
                .collect::<Vec<_>>())
        })
    }

    /// What is weak in the ring: the findings of every secret, then the keys that two
    /// endpoints share.
    fn check<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guarded(|| {
            let snapshot = self.snapshot();
            let list = PyList::empty(py);
            let add = |found, endpoint: &Profile, label| {
                list.append(python_finding(
                    py,
                    found,
                    Some(endpoint.name()),
                    Some(label),
                )?)
            };
            for endpoint in snapshot.endpoints() {
                for held in endpoint.held() {
                    for found in held.findings() {
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
        self.snapshot().len()
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        no_copy(slf)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
            let count = self.snapshot().len();
            let scheme = python_repr(py, self.scheme.name.as_str())?;
            Ok(format!("Keyring(endpoints={count}, scheme={scheme})"))
        })
    }
}

/// What an error calls a secret that enters by `rotate`.
const NEW_SECRET: &str = "the new secret";
