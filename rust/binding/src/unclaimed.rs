//! A call whose messages were judged, and not claimed yet.

use std::sync::{Arc, Mutex, PoisonError};

use hookseal_engine::{Outcome, profile::Profile, replay::Key, verify::Rules};
use hookseal_replay::Claim;
use pyo3::{IntoPyObjectExt, exceptions::PyRuntimeError, prelude::*, pybacked::PyBackedBytes};

use crate::{
    claimed::Claimed,
    claiming::{self, Gathered, UNASKED, refused},
    clock::now,
    errors,
    guard::guarded,
    one::{self, Wait},
    replay::{Answer, Guard, Replay, Ruling, objects},
    result::BatchResult,
    verified::Verified,
};

/// One message that was judged.
pub struct One {
    /// The instant of judgement.
    pub at: i64,
    /// None where the caller says what time it is.
    pub wait: Option<Wait>,
    pub outcome: Outcome,
    pub endpoint: Option<Arc<Profile>>,
    pub body: Option<PyBackedBytes>,
    /// The object that holds the id.
    pub id: Option<Py<PyAny>>,
    pub has_ring: bool,
    pub rules: Rules,
    /// What is to be claimed, and for how long it is to be remembered.
    pub key: Option<(Key, u32)>,
}

impl One {
    /// Asks the guard, and writes down what it said.
    pub fn claim(
        self,
        py: Python<'_>,
        replay: &Arc<Replay>,
        lease: Option<u32>,
    ) -> PyResult<Settled> {
        match self.key {
            None => Ok(self.unclaimed()),
            Some((key, ttl)) => {
                let answer = replay.ask(py, &[key], lease, ttl)?;
                self.settle(py, replay, key, answer)
            }
        }
    }

    fn settle(
        mut self,
        py: Python<'_>,
        replay: &Arc<Replay>,
        key: Key,
        answer: Answer,
    ) -> PyResult<Settled> {
        let mut cause = None;
        let claimed = match replay.rule(answer)? {
            Ruling::Claims(claims, won) => {
                match claims.first() {
                    Some(Claim::Won) => {}
                    Some(claim) => self.outcome = refused(*claim as i64),
                    None => self.outcome = refused(UNASKED),
                }
                let closed = None;
                Claimed::Won {
                    replay: Arc::clone(replay),
                    key,
                    won,
                    closed,
                }
            }
            Ruling::Reject(error) => {
                self.outcome = refused(UNASKED);
                cause = Some(error);
                Claimed::Unasked(Arc::clone(replay))
            }
            Ruling::Accept => Claimed::Unasked(Arc::clone(replay)),
        };
        if let Some(late) = self.overtaken(py, replay)? {
            // Its claim stays: it is of no use to a copy, which is no fresher.
            self.outcome = late;
        }
        if let (true, Some(endpoint)) = (self.has_ring, &self.endpoint) {
            one::count(endpoint, &self.outcome, self.at);
        }
        Ok(self.settled(claimed, cause))
    }

    /// The refusal of a message that was good, and is too old now.
    fn overtaken(&self, py: Python<'_>, replay: &Replay) -> PyResult<Option<Outcome>> {
        let (Some(wait), Some(endpoint), true) =
            (self.wait, &self.endpoint, self.outcome.is_valid())
        else {
            return Ok(None);
        };
        let rules = replay.rules(&self.rules, now(py)?.max(wait.since));
        Ok(rules.overtaken(endpoint, &self.outcome, wait.arrival))
    }

    /// What is known of it where there was nothing to claim.
    pub fn unclaimed(self) -> Settled {
        self.settled(Claimed::NoGuard, None)
    }

    fn settled(self, claimed: Claimed, cause: Option<PyErr>) -> Settled {
        Settled {
            one: self,
            claimed,
            cause,
        }
    }
}

/// One message of which everything is known.
pub struct Settled {
    one: One,
    claimed: Claimed,
    cause: Option<PyErr>,
}

impl Settled {
    /// The proof, or the error.
    pub fn verified(self, py: Python<'_>) -> PyResult<Verified> {
        let One {
            outcome,
            endpoint,
            body,
            id,
            has_ring,
            rules,
            ..
        } = self.one;
        match body {
            Some(body) if outcome.is_valid() => {
                let body = body.into_pyobject(py)?.into_any().unbind();
                let claimed = self.claimed;
                Ok(Verified::new(
                    &outcome, endpoint, has_ring, &rules, id, body, claimed,
                ))
            }
            _ => {
                let scheme = endpoint.as_ref().map(|endpoint| &**endpoint.scheme());
                let cause = self.cause.map(|error| error.into_value(py).into_bound(py));
                let cause = cause.map(Bound::into_any);
                Err(errors::refusal(py, &outcome, scheme, cause))
            }
        }
    }

    /// The verdict.
    pub fn verdict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        errors::verdict(py, usize::from(self.one.outcome.verdict as u8))
    }
}

/// A call whose messages were judged, and not claimed yet: for `hookseal._awaiting`.
#[pyclass(frozen, module = "hookseal._core")]
pub struct Unclaimed {
    replay: Option<Arc<Replay>>,
    /// What is asked of the guard.
    keys: Vec<Key>,
    #[pyo3(get)]
    lease: Option<u32>,
    #[pyo3(get)]
    ttl: u32,
    /// None once it was settled.
    judged: Mutex<Option<What>>,
}

/// What was judged.
pub enum What {
    Verify(Box<One>),
    Check(Box<One>),
    Batch {
        judged: Box<claiming::Judged>,
        gathered: Option<Gathered>,
        keep: bool,
    },
}

impl Unclaimed {
    pub fn new(replay: Option<Arc<Replay>>, what: What) -> Self {
        let lease = replay.as_ref().and_then(|replay| replay.lease);
        let (keys, ttl, lease) = match &what {
            What::Verify(one) => (
                one.key.map(|(key, _)| key).into_iter().collect(),
                one.ttl(),
                lease,
            ),
            // Nobody could commit what a verdict has claimed.
            What::Check(one) => (
                one.key.map(|(key, _)| key).into_iter().collect(),
                one.ttl(),
                None,
            ),
            What::Batch { gathered, .. } => match gathered {
                Some(gathered) => (gathered.keys.clone(), gathered.ttl, lease),
                None => (Vec::new(), 1, lease),
            },
        };
        Self {
            replay,
            keys,
            lease,
            ttl,
            judged: Mutex::new(Some(what)),
        }
    }
}

impl Unclaimed {
    fn settled(
        &self,
        py: Python<'_>,
        one: One,
        answer: Option<(&Arc<Replay>, Answer)>,
    ) -> PyResult<Settled> {
        match (answer, self.keys.first()) {
            (Some((replay, answer)), Some(key)) => one.settle(py, replay, *key, answer),
            _ => Ok(one.unclaimed()),
        }
    }
}

impl One {
    fn ttl(&self) -> u32 {
        self.key.map_or(1, |(_, ttl)| ttl)
    }
}

#[pymethods]
impl Unclaimed {
    #[getter]
    fn guard<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let replay = self.replay.as_ref();
        replay.map(|replay| replay.object(py).clone())
    }

    #[getter]
    fn is_async(&self) -> bool {
        self.replay.as_ref().is_some_and(|replay| replay.is_async())
    }

    /// Whether it is asked in no time.
    #[getter]
    fn is_near(&self) -> bool {
        let replay = self.replay.as_ref();
        replay.is_some_and(|replay| matches!(replay.guard, Guard::Near(_)))
    }

    #[getter]
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| objects(py, &self.keys).map(Bound::into_any))
    }

    /// Makes the result of the guard's answer; None where it was not asked.
    fn settle<'py>(
        &self,
        py: Python<'py>,
        answer: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(what) = judged.take() else {
                return Err(PyRuntimeError::new_err("bug in hookseal: settled twice"));
            };
            drop(judged);
            let answer = match &self.replay {
                Some(replay) if !answer.is_none() => Some((replay, Replay::answer(answer)?)),
                _ => None,
            };
            match what {
                What::Verify(one) => self
                    .settled(py, *one, answer)?
                    .verified(py)?
                    .into_bound_py_any(py),
                What::Check(one) => self.settled(py, *one, answer)?.verdict(py),
                What::Batch {
                    judged,
                    gathered,
                    keep,
                } => batch(
                    py,
                    judged,
                    gathered,
                    self.replay.as_ref(),
                    answer.map(|it| it.1),
                    keep,
                )?
                .into_bound_py_any(py),
            }
        })
    }
}

/// The result of a batch; without an answer there was nothing to ask.
pub fn batch(
    py: Python<'_>,
    judged: Box<claiming::Judged>,
    gathered: Option<Gathered>,
    replay: Option<&Arc<Replay>>,
    answer: Option<Answer>,
    keep: bool,
) -> PyResult<BatchResult> {
    let (Some(replay), Some(gathered)) = (replay, gathered) else {
        return judged.result(None);
    };
    let ruling = match answer {
        Some(answer) => replay.rule(answer)?,
        None => Ruling::Accept,
    };
    judged.settle(py, replay, gathered, ruling, keep)
}
