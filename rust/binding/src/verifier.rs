//! `hookseal.Verifier`.

use std::sync::Arc;

use hookseal_engine::{endpoint::Endpoint, timestamp::Tolerance, verify::Rules};
use pyo3::{
    IntoPyObjectExt, PyTraverseError, PyVisit,
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};

use crate::{
    arguments::{Stated, asked, mistake, no_copy},
    calls::{self, Batch, later},
    columns::Columns,
    errors::scheme_error,
    guard::{guarded, object},
    items::drain,
    kernel,
    keyring::Keyring,
    messages::Messages,
    one::Asked,
    replay::{Arguments, Replay},
    result::BatchResult,
    scheme::compile,
    secret::{Secrets, THE_SECRET, scheme_or_standard},
    trust::Trust,
    unclaimed::Unclaimed,
    verified::Verified,
};

/// Verifies the signatures of webhooks, strictly.
///
/// Args:
///     secrets: A secret, a sequence of 1 to 8 of them (a rotation; they are tried in order),
///         or a ``Keyring``.
///     scheme: A ``Scheme`` or its name; None for Standard Webhooks. A ring has its own.
///     tolerance: How far from now a signed time may lie: seconds both ways, ``(past,
///         future)``, both ends inclusive; None for the scheme's own window; ``"off"`` to judge no freshness.
///     max_body_bytes: Larger bodies are refused before anything is hashed; None for no limit.
///     replay: A ``ReplayGuard`` or ``AsyncReplayGuard``, which is asked for every good message; None to let the same
///         message in again.
///     replay_ttl: Seconds for which claims are remembered; None for as long as the window asks for. Schemes without
///         a timestamp need it, and so do messages with ``received_at``. All verifiers that share a guard need the
///         same one (docs/replay.md).
///     lease: Seconds after which a claim lapses that was not committed; None for claims that are final.
///     on_store_error: What to do where the guard cannot be asked: ``"raise"``, ``"reject"`` or ``"accept"``.
///
/// Raises:
///     SecretError: A secret that cannot be a key of the scheme.
///     SchemeError: An unknown scheme, or a window for a scheme that signs no time.
///     TypeError: A wrong type; ``scheme`` together with a ring.
///     ValueError: A value out of range.
///
/// A verifier is immutable and can be shared by any number of threads. It keeps keyed hash states, not the secrets.
///
/// The rules are in docs/strict-reading.md; for Standard Webhooks they follow
/// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
#[pyclass(frozen, module = "hookseal")]
pub struct Verifier {
    pub trust: Trust,
    pub rules: Rules,
    /// The tolerance as `repr` shows it.
    pub shown: Option<String>,
    /// None without a replay guard.
    pub replay: Option<Arc<Replay>>,
}

#[pymethods]
impl Verifier {
    #[new]
    #[pyo3(
        signature = (secrets, *, scheme=None, tolerance=None, max_body_bytes=None, replay=None, replay_ttl=None, lease=None, on_store_error=Stated(None)),
        text_signature = "(secrets, *, scheme=None, tolerance=None, max_body_bytes=None, replay=None, replay_ttl=None, lease=None, on_store_error='raise')"
    )]
    #[expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]
    fn new<'py>(
        py: Python<'py>,
        secrets: &Bound<'py, PyAny>,
        scheme: Option<&Bound<'py, PyAny>>,
        tolerance: Option<&Bound<'py, PyAny>>,
        max_body_bytes: Option<&Bound<'py, PyAny>>,
        replay: Option<&Bound<'py, PyAny>>,
        replay_ttl: Option<&Bound<'py, PyAny>>,
        lease: Option<&Bound<'py, PyAny>>,
        on_store_error: Stated<'py>,
    ) -> PyResult<Self> {
        guarded(|| {
            let replay = Replay::read(
                py,
                Arguments {
                    replay,
                    replay_ttl,
                    lease,
                    on_store_error,
                },
            )?;
            let rules = calls::rules(py, tolerance, max_body_bytes)?;
            let shown = tolerance.map(|_| calls::shown_tolerance(&rules));
            if let Ok(ring) = secrets.cast::<Keyring>() {
                if scheme.is_some() {
                    return Err(mistake(py, ("scheme-of-ring",)));
                }
                return Self::made(py, Trust::of(ring), rules, shown, replay);
            }
            let scheme = compile(&scheme_or_standard(py, scheme)?)?;
            let is_window = matches!(rules.tolerance, Some(Tolerance::Window { .. }));
            if is_window && !scheme.signs_timestamp() {
                return Err(scheme_error(py, "no-timestamp", &scheme.name));
            }
            let secrets = Secrets::read(secrets, "secrets", THE_SECRET)?;
            let endpoint = Endpoint::new("", scheme, None, &secrets.all)
                .map_err(|faulty| secrets.error(py, faulty))?;
            Self::made(py, Trust::One(endpoint), rules, shown, replay)
        })
    }

    /// A verifier that accepts every message: for what arrives without a signature, and is
    /// protected in another way.
    ///
    /// Args:
    ///     reason: Why nothing is verified; it stands in ``repr`` and in the warning.
    ///     max_body_bytes: As in the constructor.
    ///
    /// Warns:
    ///     UserWarning: Once, here.
    ///
    /// Raises:
    ///     TypeError: A wrong type.
    ///     ValueError: A blank reason, or a negative limit.
    #[staticmethod]
    #[pyo3(signature = (*, reason, max_body_bytes=None))]
    fn unsigned(
        py: Python<'_>,
        reason: &Bound<'_, PyAny>,
        max_body_bytes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guarded(|| {
            let rules = calls::rules(py, None, max_body_bytes)?;
            let reason = asked(py, "unsigned_reason", (reason,))?;
            let reason = reason.cast::<PyString>()?.to_string_lossy().into_owned();
            Self::made(py, Trust::Unsigned { reason }, rules, None, None)
        })
    }

    /// Verifies one message, or raises.
    ///
    /// Args:
    ///     body: The request's bytes as they came. ``bytes`` are not copied; ``bytearray`` and
    ///         ``memoryview`` are; ``str`` is encoded as UTF-8.
    ///     headers: A mapping of names to values, or pairs of them; ``str`` or ``bytes``.
    ///     endpoint: With a ring, the name of the endpoint that the message arrived at.
    ///     received_at: When it arrived (Unix seconds or an aware datetime): for messages that
    ///         waited in a queue. From the broker's metadata, never from the message.
    ///     now: The instant of judgement, where ``received_at`` is not given; None for the clock.
    ///
    /// Returns:
    ///     The verified message.
    ///
    /// Raises:
    ///     VerificationError: The message is refused; the subclass says why.
    ///     TypeError: A wrong type, or an endpoint for a verifier without a ring.
    ///     ValueError: An instant out of range.
    #[pyo3(signature = (body, headers, *, endpoint=None, received_at=None, now=None))]
    fn verify(
        &self,
        py: Python<'_>,
        body: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        endpoint: Option<&Bound<'_, PyAny>>,
        received_at: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Verified> {
        guarded(|| {
            let asked = Asked {
                body,
                headers,
                endpoint,
                received_at,
                now,
            };
            self.verify_one(py, &asked)
        })
    }

    /// Judges one message. It never raises for a bad one.
    ///
    /// Args:
    ///     body, headers, endpoint, received_at, now: As in ``verify``.
    ///
    /// Returns:
    ///     The verdict, which is true for ``VALID`` alone.
    ///
    /// Raises:
    ///     TypeError: A wrong type, or an endpoint for a verifier without a ring.
    ///     ValueError: An instant out of range.
    #[pyo3(signature = (body, headers, *, endpoint=None, received_at=None, now=None))]
    fn check<'py>(
        &self,
        py: Python<'py>,
        body: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        endpoint: Option<&Bound<'py, PyAny>>,
        received_at: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let asked = Asked {
                body,
                headers,
                endpoint,
                received_at,
                now,
            };
            self.check_one(py, &asked)
        })
    }

    /// Judges a whole queue.
    ///
    /// Args:
    ///     messages: An iterable of messages; it is drained first. A message is a ``Message``, a
    ///         ``(body, headers)`` tuple, a mapping with ``body`` and ``headers``, or an object
    ///         with those attributes.
    ///     endpoint: With a ring, one name for all messages, or a sequence with one for each.
    ///     received_at: One instant for all, a sequence or buffer with one for each, or None.
    ///     now: The instant of judgement, where no ``received_at`` is given; None for the clock.
    ///     threads: At most so many threads; None for as many as help.
    ///     keep: Whether ``result.verified`` and ``result.accepted`` are wanted; False saves memory.
    ///
    /// Returns:
    ///     The verdicts. Item i is exactly what ``check`` of item i says; an item that is not a
    ///     message is ``NOT_A_MESSAGE``, with the reason in ``result.errors``.
    ///
    /// Raises:
    ///     TypeError, ValueError: An argument is wrong; the text names it and the index.
    ///     MemoryError: The batch does not fit.
    ///     KeyboardInterrupt: Ctrl-C, within 200 ms.
    #[pyo3(
        signature = (messages, *, endpoint=None, received_at=None, now=None, threads=None, keep=Stated(None)),
        text_signature = "($self, messages, *, endpoint=None, received_at=None, now=None, threads=None, keep=True)"
    )]
    #[expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]
    fn verify_batch<'py>(
        &self,
        py: Python<'py>,
        messages: &Bound<'py, PyAny>,
        endpoint: Option<&Bound<'py, PyAny>>,
        received_at: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
        threads: Option<&Bound<'py, PyAny>>,
        keep: Stated<'py>,
    ) -> PyResult<BatchResult> {
        guarded(|| {
            let messages = || drain(messages, "messages").map(Messages::Items);
            self.judge_all(
                py,
                messages,
                &Batch {
                    endpoint,
                    received_at,
                    now,
                    threads,
                    keep: keep.0.as_ref(),
                },
            )
        })
    }

    /// Judges a whole queue that is held as columns, for who has the headers' values already.
    ///
    /// Args:
    ///     ids: A sequence with the id header's value of each message; None for no ids.
    ///     timestamps: As ``ids``, of the timestamp's header. It is text: what was signed.
    ///     signatures: As ``ids``, of the signature's header, or of the token's.
    ///     bodies: The bodies, an iterable.
    ///     endpoint, received_at, now, threads, keep: As in ``verify_batch``.
    ///
    /// Values are what a header may be in ``verify``: ``str``, ``bytes``, a list of those, or
    /// None. What the scheme of a message's endpoint does not sign is not looked at.
    ///
    /// Returns:
    ///     What ``verify_batch`` says of the same messages under the scheme's header names.
    ///
    /// Raises:
    ///     TypeError, ValueError: An argument is wrong; the text names it and the index.
    ///     MemoryError: The batch does not fit.
    ///     KeyboardInterrupt: Ctrl-C, within 200 ms.
    #[pyo3(
        signature = (ids, timestamps, signatures, bodies, *, endpoint=None, received_at=None, now=None, threads=None, keep=Stated(None)),
        text_signature = "($self, ids, timestamps, signatures, bodies, *, endpoint=None, received_at=None, now=None, threads=None, keep=True)"
    )]
    #[expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]
    fn verify_columns<'py>(
        &self,
        py: Python<'py>,
        ids: Option<&Bound<'py, PyAny>>,
        timestamps: Option<&Bound<'py, PyAny>>,
        signatures: Option<&Bound<'py, PyAny>>,
        bodies: &Bound<'py, PyAny>,
        endpoint: Option<&Bound<'py, PyAny>>,
        received_at: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
        threads: Option<&Bound<'py, PyAny>>,
        keep: Stated<'py>,
    ) -> PyResult<BatchResult> {
        guarded(|| {
            let columns = || Columns::read(ids, timestamps, signatures, bodies);
            let messages = || columns().map(Messages::Columns);
            self.judge_all(
                py,
                messages,
                &Batch {
                    endpoint,
                    received_at,
                    now,
                    threads,
                    keep: keep.0.as_ref(),
                },
            )
        })
    }

    /// ``verify`` as a coroutine: for guards that are to be awaited, and all others. Large bodies are hashed in a
    /// thread.
    ///
    /// Args, Returns, Raises: As in ``verify``.
    #[pyo3(signature = (body, headers, *, endpoint=None, received_at=None, now=None))]
    fn averify<'py>(
        slf: &Bound<'py, Self>,
        body: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        endpoint: Option<&Bound<'py, PyAny>>,
        received_at: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let rest = (body, headers, endpoint, received_at, now, true).into_pyobject(slf.py())?;
            later(slf, "averify", &rest)
        })
    }

    /// ``check`` as a coroutine, as ``averify`` is ``verify``.
    ///
    /// Args, Returns, Raises: As in ``check``.
    #[pyo3(signature = (body, headers, *, endpoint=None, received_at=None, now=None))]
    fn acheck<'py>(
        slf: &Bound<'py, Self>,
        body: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        endpoint: Option<&Bound<'py, PyAny>>,
        received_at: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let rest =
                (body, headers, endpoint, received_at, now, false).into_pyobject(slf.py())?;
            later(slf, "averify", &rest)
        })
    }

    /// ``verify_batch`` as a coroutine. Batches that are not small are hashed in a thread; iterables are drained
    /// before.
    ///
    /// Args, Returns, Raises: As in ``verify_batch``.
    #[pyo3(
        signature = (messages, *, endpoint=None, received_at=None, now=None, threads=None, keep=Stated(None)),
        text_signature = "($self, messages, *, endpoint=None, received_at=None, now=None, threads=None, keep=True)"
    )]
    fn averify_batch<'py>(
        slf: &Bound<'py, Self>,
        messages: &Bound<'py, PyAny>,
        endpoint: Option<&Bound<'py, PyAny>>,
        received_at: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
        threads: Option<&Bound<'py, PyAny>>,
        keep: Stated<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let keep = keep
            .0
            .map_or_else(|| true.into_bound_py_any(slf.py()), Ok)?;
        guarded(|| {
            let rest =
                (messages, endpoint, received_at, now, threads, keep).into_pyobject(slf.py())?;
            later(slf, "averify_batch", &rest)
        })
    }

    /// The first half of an asynchronous call.
    #[pyo3(signature = (body, *rest))]
    fn _begin(&self, body: &Bound<'_, PyAny>, rest: &Bound<'_, PyTuple>) -> PyResult<Unclaimed> {
        guarded(|| self.begin(body, rest))
    }

    /// The first half of an asynchronous call with many messages.
    #[pyo3(signature = (messages, *rest))]
    fn _begin_batch(
        &self,
        messages: &Bound<'_, PyAny>,
        rest: &Bound<'_, PyTuple>,
    ) -> PyResult<Unclaimed> {
        guarded(|| self.begin_all(messages, rest))
    }

    /// The ring whose resolver is to be asked before a call, if there is one.
    #[getter]
    fn _asks(&self) -> Option<&Py<Keyring>> {
        self.trust.asks()
    }

    /// The names that the ring does not hold; ``messages`` is None for a call with one message.
    #[pyo3(signature = (endpoint, messages=None))]
    fn _unheld<'py>(
        &self,
        py: Python<'py>,
        endpoint: Option<&Bound<'py, PyAny>>,
        messages: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| self.unheld(py, endpoint, messages))
    }

    /// The same verifier for one call, which knows what the resolver said and never asks.
    fn _settled(&self, py: Python<'_>, found: &Bound<'_, PyDict>) -> PyResult<Self> {
        guarded(|| self.settled(py, found))
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        no_copy(slf)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
            let what = self.trust.shown(py)?;
            if matches!(self.trust, Trust::Unsigned { .. }) {
                return Ok(format!("Verifier({what})"));
            }
            let tolerance = self.shown.as_deref().unwrap_or_default();
            let guard = self.replay.as_ref().map(|replay| replay.shown(py));
            let (guard, warning) = (guard.transpose()?.unwrap_or_default(), kernel::warning());
            Ok(format!("Verifier({what}{tolerance}{guard}{warning})"))
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.replay
            .as_ref()
            .map_or(Ok(()), |replay| replay.visit(&visit))?;
        self.trust.ring().map_or(Ok(()), |ring| visit.call(ring))
    }
}
