//! The replay guard of a verifier: what it was told, and how it is asked.

use std::sync::Arc;

use hookseal_engine::{
    profile::Profile,
    replay::{self, Backlog, Key, Unprotected},
    verify::Rules,
};
use hookseal_replay::{Claim, Token};
use pyo3::{
    PyTraverseError, PyVisit,
    prelude::*,
    types::{PyBytes, PyList},
};

use crate::{
    arguments::{Stated, called, mistake},
    errors::{is_items_own, scheme_error},
    memory_guard::{MemoryReplayGuard, span},
};

/// A replay guard, and what a verifier was told of it.
pub struct Replay {
    pub guard: Guard,
    pub lease: Option<u32>,
    ttl: Option<u32>,
    mode: Mode,
}

/// A guard, by how it is asked.
pub enum Guard {
    /// One of ours in memory: without a call into Python.
    Near(Py<MemoryReplayGuard>),
    Sync(Py<PyAny>),
    Async(Py<PyAny>),
}

/// What to do where a guard cannot be asked.
enum Mode {
    Raise,
    Reject,
    Accept,
}

/// The keyword arguments of a verifier that are about replays.
pub struct Arguments<'a, 'py> {
    pub replay: Option<&'a Bound<'py, PyAny>>,
    pub replay_ttl: Option<&'a Bound<'py, PyAny>>,
    pub lease: Option<&'a Bound<'py, PyAny>>,
    pub on_store_error: Stated<'py>,
}

/// The token of a call that won its keys for a lease.
pub enum Won {
    Near(Token),
    Far(Option<Py<PyAny>>),
}

impl Won {
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Near(token) => Self::Near(*token),
            Self::Far(token) => Self::Far(token.as_ref().map(|token| token.clone_ref(py))),
        }
    }
}

/// What a guard answered.
pub enum Answer {
    Claims(Vec<Claim>, Won),
    /// It could not be asked.
    Failed(PyErr),
}

/// What follows from an answer.
pub enum Ruling {
    Claims(Vec<Claim>, Won),
    /// Nobody is let in, and why.
    Reject(PyErr),
    /// Everybody is let in, and nobody has a claim.
    Accept,
}

impl Replay {
    /// Judges the arguments; None without a guard.
    pub fn read(py: Python<'_>, arguments: Arguments<'_, '_>) -> PyResult<Option<Arc<Self>>> {
        let Arguments {
            replay,
            replay_ttl,
            lease,
            on_store_error,
        } = arguments;
        let Some(guard) = replay else {
            let options = [
                ("replay_ttl", replay_ttl.is_some()),
                ("lease", lease.is_some()),
                ("on_store_error", on_store_error.is_not_raise()),
            ];
            return match options.iter().find(|(_, is_stated)| *is_stated) {
                Some((name, _)) => Err(mistake(py, ("guard-options", *name))),
                None => Ok(None),
            };
        };
        let guard = if let Ok(near) = guard.cast::<MemoryReplayGuard>() {
            Guard::Near(near.clone().unbind())
        } else {
            let is_async = called(py, "hookseal._replay", "is_async_guard", (guard,))?;
            if is_async.is_truthy()? {
                Guard::Async(guard.clone().unbind())
            } else {
                Guard::Sync(guard.clone().unbind())
            }
        };
        let mode = match on_store_error.0 {
            None => Mode::Raise,
            Some(mode) => {
                let mode = called(py, "hookseal._replay", "store_mode", (mode,))?;
                match mode.extract::<&str>()? {
                    "accept" => Mode::Accept,
                    "reject" => Mode::Reject,
                    _ => Mode::Raise,
                }
            }
        };
        Ok(Some(Arc::new(Self {
            guard,
            lease: lease.map(|lease| span(lease, "lease")).transpose()?,
            ttl: replay_ttl.map(|ttl| span(ttl, "replay_ttl")).transpose()?,
            mode,
        })))
    }

    /// The guard as it was given.
    pub fn object<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        match &self.guard {
            Guard::Near(near) => near.bind(py).as_any(),
            Guard::Sync(guard) | Guard::Async(guard) => guard.bind(py),
        }
    }

    /// What `repr` of a verifier says of it.
    pub fn shown(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(", replay={}", self.object(py).get_type().name()?))
    }

    pub fn is_async(&self) -> bool {
        matches!(self.guard, Guard::Async(_))
    }

    /// The error for a call that does not await an asynchronous guard.
    pub fn refuse_async(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_async() {
            return Err(mistake(py, ("async-guard",)));
        }
        Ok(())
    }

    /// Without `replay_ttl` a claim lasts as long as a copy is fresh, which says nothing of one that waits.
    pub fn admit_arrival(&self, py: Python<'_>, place: &str) -> PyResult<()> {
        if !self.admits_arrivals() {
            return Err(arrival_needs_ttl(py, place));
        }
        Ok(())
    }

    /// Whether messages may state when they arrived.
    pub fn admits_arrivals(&self) -> bool {
        self.ttl.is_some()
    }

    /// The rules of a call at that instant.
    pub fn rules(&self, rules: &Rules, now: i64) -> Rules {
        Rules {
            backlog: Some(Backlog {
                now,
                ttl: self.ttl.map(i64::from),
            }),
            ..*rules
        }
    }

    /// For how many seconds an endpoint's messages must be remembered.
    ///
    /// # Errors
    /// `SchemeError`: the guard cannot protect them.
    pub fn seconds(&self, py: Python<'_>, endpoint: &Profile, rules: &Rules) -> PyResult<u32> {
        let ttl = self.ttl.map(i64::from);
        let refused = |why: Unprotected| scheme_error(py, why.code(), &endpoint.scheme().name);
        let seconds = replay::seconds(endpoint, rules, ttl).map_err(refused)?;
        Ok(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// Asks the guard for keys.
    pub fn ask(
        &self,
        py: Python<'_>,
        keys: &[Key],
        lease: Option<u32>,
        ttl: u32,
    ) -> PyResult<Answer> {
        let guard = match &self.guard {
            Guard::Near(near) => {
                let mut claims = Vec::new();
                let claimed = near.get().claim_keys(py, keys, lease, ttl, &mut claims);
                return match claimed {
                    Ok(token) => Ok(Answer::Claims(claims, Won::Near(token))),
                    Err(error) if is_items_own(py, &error) => Ok(Answer::Failed(error)),
                    Err(error) => Err(error),
                };
            }
            Guard::Sync(guard) | Guard::Async(guard) => guard,
        };
        let keys = objects(py, keys)?;
        let answer = called(py, "hookseal._replay", "claim", (guard, keys, lease, ttl))?;
        Self::answer(&answer)
    }

    /// An answer as `hookseal._replay` gives it.
    pub fn answer(answer: &Bound<'_, PyAny>) -> PyResult<Answer> {
        let (claims, rest) = answer.extract::<(Option<Vec<u8>>, Bound<'_, PyAny>)>()?;
        Ok(match claims {
            Some(claims) => {
                let claim = |number| match number {
                    1 => Claim::Won,
                    3 => Claim::Done,
                    _ => Claim::Pending,
                };
                let token = (!rest.is_none()).then(|| rest.unbind());
                Answer::Claims(claims.into_iter().map(claim).collect(), Won::Far(token))
            }
            None => Answer::Failed(PyErr::from_value(rest)),
        })
    }

    /// What follows from an answer.
    pub fn rule(&self, answer: Answer) -> PyResult<Ruling> {
        match answer {
            Answer::Claims(claims, won) => Ok(Ruling::Claims(claims, won)),
            Answer::Failed(error) => match self.mode {
                Mode::Raise => Err(error),
                Mode::Reject => Ok(Ruling::Reject(error)),
                Mode::Accept => Ok(Ruling::Accept),
            },
        }
    }

    /// For the garbage collector.
    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.guard {
            // It leads nowhere.
            Guard::Near(_) => Ok(()),
            Guard::Sync(guard) | Guard::Async(guard) => visit.call(guard),
        }
    }

    /// Commits keys, or releases them, in the place of who called.
    pub fn close(&self, py: Python<'_>, what: Close, keys: &[Key], won: &Won) -> PyResult<()> {
        if let (Guard::Near(near), Won::Near(token)) = (&self.guard, won) {
            return match what {
                Close::Commit => near.get().commit_keys(py, keys, Some(*token)),
                Close::Release => near.get().release_keys(py, keys, Some(*token)),
            };
        }
        let arguments = (self.object(py), objects(py, keys)?, token(py, won)?);
        called(py, "hookseal._replay", what.name(), arguments).map(|_| ())
    }
}

/// What becomes of a claim.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Close {
    Commit,
    Release,
}

impl Close {
    pub fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Release => "release",
        }
    }
}

/// Keys as Python has them.
pub fn objects<'py>(py: Python<'py>, keys: &[Key]) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, keys.iter().map(|key| PyBytes::new(py, key)))
}

/// A token as Python has it.
pub fn token<'py>(py: Python<'py>, won: &Won) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(match won {
        Won::Near(token) => Some(token.to_number().into_pyobject(py)?.into_any()),
        Won::Far(token) => token.as_ref().map(|token| token.bind(py).clone()),
    })
}

/// `TypeError` for an arrival that is stated where claims last no longer than a copy is fresh.
pub fn arrival_needs_ttl(py: Python<'_>, place: &str) -> PyErr {
    mistake(py, ("arrival-needs-ttl", place))
}
