//! `hookseal.MemoryReplayGuard`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hookseal_replay::{Claim, Claims, Failure, KEY_BYTES, Key, Now, Seed, Token};
use pyo3::{
    exceptions::{PyMemoryError, PyRuntimeError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyFloat, PyInt, PyTuple},
};

use crate::{
    arguments::{Stated, asked, called, mistake, no_copy, no_memory, wrong_type},
    guard::{guarded, object},
    items::drain,
};

/// Remembers claims in this process's memory: for one process, or for tests.
///
/// Args:
///     max_claims: The most that are held at a time, 36 bytes each. A claim beyond it raises;
///         what lives is never forgotten to make room.
///
/// Raises:
///     TypeError: Not a whole number.
///     ValueError: Less than 1.
///
/// Time is told by ``time.monotonic``; a final claim is remembered until ``time.time`` has passed its
/// end as well, so that a clock which is set back frees nothing. Threads may share it. A process that forks
/// has two of them afterwards: where several processes verify, use ``SQLiteReplayGuard`` or ``RedisReplayGuard``.
#[pyclass(frozen, module = "hookseal")]
pub struct MemoryReplayGuard {
    /// None once it was closed. It is locked while the interpreter is held, and no Python runs
    /// under the lock: so a fork never finds it locked.
    claims: Mutex<Option<Claims>>,
    max_claims: usize,
}

#[pymethods]
impl MemoryReplayGuard {
    #[new]
    #[pyo3(
        signature = (*, max_claims=Stated(None)),
        text_signature = "(*, max_claims=1000000)"
    )]
    fn new(py: Python<'_>, max_claims: Stated<'_>) -> PyResult<Self> {
        guarded(|| {
            let max_claims = match max_claims.0 {
                None => MAX_CLAIMS,
                Some(limit) => {
                    let limit = asked(py, "claim_limit", (limit,))?;
                    limit.extract().unwrap_or(usize::MAX)
                }
            };
            let claims = Claims::new(max_claims, seed(py)?, clocks(py)?);
            Ok(Self {
                claims: Mutex::new(Some(claims)),
                max_claims,
            })
        })
    }

    /// Claims each key that nobody holds, or none: see ``ReplayGuard.claim``.
    ///
    /// Raises:
    ///     ReplayStoreFullError: There would be more than ``max_claims``; no key was claimed.
    ///     MemoryError: There is no memory; no key was claimed.
    ///     TypeError, ValueError: A wrong argument, or a guard that was closed.
    #[pyo3(signature = (keys, *, lease, ttl))]
    fn claim<'py>(
        &self,
        keys: &Bound<'py, PyAny>,
        lease: Option<&Bound<'py, PyAny>>,
        ttl: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let py = keys.py();
            let keys = read_keys(keys)?;
            let lease = lease.map(|lease| span(lease, "lease")).transpose()?;
            let ttl = span(ttl, "ttl")?;
            let mut found = Vec::new();
            let token = self.claim_keys(py, &keys, lease, ttl, &mut found)?;
            let members = members(py)?;
            let member = |claim: &Claim| members.get_borrowed_item(*claim as usize - 1);
            let all = found.iter().map(member).collect::<PyResult<Vec<_>>>()?;
            let token = lease.map(|_| token.to_number());
            called(
                py,
                "hookseal._claim",
                "Claims",
                (PyTuple::new(py, all)?, token),
            )
        })
    }

    /// Makes claims final.
    ///
    /// Args:
    ///     keys: What was won.
    ///     token: That of the ``Claims``; None for whoever won the keys.
    ///
    /// Raises:
    ///     ClaimLostError: A lease had lapsed, and somebody else has won the key since; the others are final.
    ///     ReplayStoreFullError: A lease had lapsed, and there is no room any more; the keys before it are final.
    ///     TypeError, ValueError: A wrong argument, or a guard that was closed.
    #[pyo3(signature = (keys, *, token=None))]
    fn commit(&self, keys: &Bound<'_, PyAny>, token: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        guarded(|| {
            let py = keys.py();
            let keys = read_keys(keys)?;
            self.commit_keys(py, &keys, read_token(token)?)
        })
    }

    /// Gives back claims that are not final, so that another copy may be taken.
    ///
    /// Args:
    ///     keys: What was won.
    ///     token: That of the ``Claims``; None for whoever won the keys.
    ///
    /// Raises:
    ///     TypeError, ValueError: A wrong argument, or a guard that was closed.
    #[pyo3(signature = (keys, *, token=None))]
    fn release(&self, keys: &Bound<'_, PyAny>, token: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        guarded(|| {
            let py = keys.py();
            let keys = read_keys(keys)?;
            self.release_keys(py, &keys, read_token(token)?)
        })
    }

    /// Forgets everything and gives its memory back; from now on every call raises ``ValueError``.
    fn close(&self) -> PyResult<()> {
        guarded(|| {
            *self.locked()? = None;
            Ok(())
        })
    }

    /// How many claims are held: final ones that are remembered, and leases that run.
    ///
    /// Raises:
    ///     ValueError: The guard was closed.
    fn count<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
            let now = clocks(py)?;
            self.with(py, |claims| Ok(claims.held(now)))
        })
    }

    fn __sizeof__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
            let bytes = self.locked()?.as_ref().map_or(0, Claims::bytes);
            Ok(size_of::<Self>() + bytes)
        })
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        no_copy(slf)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
            Ok(format!("MemoryReplayGuard(max_claims={})", self.max_claims))
        })
    }
}

/// A million claims are 36 MB.
const MAX_CLAIMS: usize = 1_000_000;

impl MemoryReplayGuard {
    /// `claim`, of keys that are known to be keys.
    pub fn claim_keys(
        &self,
        py: Python<'_>,
        keys: &[Key],
        lease: Option<u32>,
        ttl: u32,
        found: &mut Vec<Claim>,
    ) -> PyResult<Token> {
        let now = clocks(py)?;
        self.with(py, |claims| claims.claim(keys, lease, ttl, now, found))
    }

    /// `commit`, of keys that are known to be keys.
    pub fn commit_keys(&self, py: Python<'_>, keys: &[Key], token: Option<Token>) -> PyResult<()> {
        let now = clocks(py)?;
        match self.with(py, |claims| claims.commit(keys, token, now))? {
            0 => Ok(()),
            lost => Err(store_error(py, "claim_lost", (lost, keys.len()))),
        }
    }

    /// `release`, of keys that are known to be keys.
    pub fn release_keys(&self, py: Python<'_>, keys: &[Key], token: Option<Token>) -> PyResult<()> {
        self.with(py, |claims| {
            claims.release(keys, token);
            Ok(())
        })
    }

    fn with<T>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Claims) -> Result<T, Failure>,
    ) -> PyResult<T> {
        let mut claims = self.locked()?;
        let Some(claims) = claims.as_mut() else {
            return Err(mistake(py, ("closed",)));
        };
        work(claims).map_err(|failure| match failure {
            Failure::Full => store_error(py, "store_full", (self.max_claims,)),
            Failure::NoMemory => PyMemoryError::new_err(()),
        })
    }

    /// A panic under the lock leaves nothing that can be trusted.
    fn locked(&self) -> PyResult<MutexGuard<'_, Option<Claims>>> {
        let in_doubt = |_: PoisonError<_>| {
            PyRuntimeError::new_err("bug in hookseal: the claims of a guard are in doubt")
        };
        self.claims.lock().map_err(in_doubt)
    }
}

/// The members of `hookseal.Claim`, by number from 1 on.
fn members(py: Python<'_>) -> PyResult<&Bound<'_, PyTuple>> {
    static MEMBERS: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();
    let members = MEMBERS.get_or_try_init(py, || -> PyResult<_> {
        let class = py.import("hookseal._claim")?.getattr("Claim")?;
        let member = |claim: Claim| class.call1((claim as u8,));
        let all = [Claim::Won, Claim::Pending, Claim::Done].map(member);
        let all = all.into_iter().collect::<PyResult<Vec<_>>>()?;
        Ok(PyTuple::new(py, all)?.unbind())
    })?;
    Ok(members.bind(py))
}

/// Keys as they come from Python.
fn read_keys(keys: &Bound<'_, PyAny>) -> PyResult<Vec<Key>> {
    let py = keys.py();
    let all = drain(keys, "keys")?;
    let mut read = Vec::new();
    read.try_reserve_exact(all.len()).map_err(no_memory)?;
    for (index, key) in all.iter_borrowed().enumerate() {
        let Ok(bytes) = key.cast::<PyBytes>() else {
            return Err(wrong_type("key", &key, Some(&format!("keys[{index}]"))));
        };
        let Ok(key) = <Key>::try_from(bytes.as_bytes()) else {
            let length = bytes.as_bytes().len().to_string();
            let place = format!("keys[{index}]");
            return Err(mistake(py, ("key-length", place, length)));
        };
        read.push(key);
    }
    Ok(read)
}

/// A span in whole seconds, of those that `hookseal._arguments` allows.
pub fn span(value: &Bound<'_, PyAny>, name: &str) -> PyResult<u32> {
    asked(value.py(), "span", (value, name))?.extract()
}

fn read_token(token: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Token>> {
    let read = |token: &Bound<'_, PyAny>| {
        let number = token
            .cast_exact::<PyInt>()
            .ok()
            .and_then(|token| token.extract().ok());
        number
            .map(Token::from_number)
            .ok_or_else(|| mistake(token.py(), ("token",)))
    };
    token.map(read).transpose()
}

/// What the clocks say: looked up now, so that clocks frozen by a user's tests are frozen here too.
fn clocks(py: Python<'_>) -> PyResult<Now> {
    let time = py.import(intern!(py, "time"))?;
    let read = |name| milliseconds(&time.call_method0(name)?);
    Ok(Now {
        steady: read(intern!(py, "monotonic"))?,
        wall: read(intern!(py, "time"))?,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates: a clock before 1970 stands still there"
)]
fn milliseconds(seconds: &Bound<'_, PyAny>) -> PyResult<u64> {
    let seconds: f64 = match seconds.cast_exact::<PyFloat>() {
        Ok(seconds) => seconds.value(),
        Err(_) => seconds.extract()?,
    };
    Ok((seconds * 1000.0) as u64)
}

/// Where the hashes of this guard begin.
fn seed(py: Python<'_>) -> PyResult<Seed> {
    let random = py.import("os")?.call_method1("urandom", (KEY_BYTES,))?;
    let random = <Key>::try_from(random.cast::<PyBytes>()?.as_bytes()).unwrap_or_default();
    let number = u128::from_le_bytes(random);
    Ok(Seed::from_number(number))
}

/// Makes one of the exceptions of `hookseal._store_errors`.
fn store_error<'py>(
    py: Python<'py>,
    maker: &str,
    arguments: impl pyo3::call::PyCallArgs<'py>,
) -> PyErr {
    called(py, "hookseal._store_errors", maker, arguments)
        .map_or_else(|error| error, PyErr::from_value)
}
