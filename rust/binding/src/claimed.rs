//! The claims of a result: of one message, and of a batch.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use hookseal_engine::replay::Key;
use pyo3::{prelude::*, types::PyList};

use crate::{
    arguments::{called, mistake},
    items::drain,
    replay::{Close, Replay, Won, objects, token},
    result::BatchResult,
};

/// What a guard said of a message that was let in.
pub enum Claimed {
    /// Nobody was asked.
    NoGuard,
    /// The guard could not be asked, and the message was let in all the same.
    Unasked(Arc<Replay>),
    Won {
        replay: Arc<Replay>,
        key: Key,
        won: Won,
    },
}

impl Claimed {
    pub fn is_won(&self) -> bool {
        matches!(self, Self::Won { .. })
    }

    /// `hookseal._processing.Processing` of the message.
    pub fn processing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (replay, keys, token) = match self {
            Self::NoGuard => return Err(mistake(py, ("no-guard",))),
            Self::Won { replay, key, won } if replay.lease.is_some() => {
                (replay, objects(py, &[*key])?, token(py, won)?)
            }
            // What is final, or nobody's, is closed already.
            Self::Unasked(replay) | Self::Won { replay, .. } => (replay, PyList::empty(py), None),
        };
        let arguments = (replay.object(py), replay.is_async(), keys, token);
        called(py, "hookseal._processing", "Processing", arguments)
    }
}

/// The claims of a batch.
pub struct BatchClaims {
    pub replay: Arc<Replay>,
    /// None where the guard could not be asked.
    won: Option<Won>,
    /// The messages that were won for a lease, in order. What is final needs no list.
    messages: Vec<usize>,
    /// Their keys.
    keys: Vec<Key>,
    /// Why nobody was let in.
    pub failed: Option<PyErr>,
    /// The places of those that were committed or released.
    closed: Mutex<HashSet<usize>>,
}

impl BatchClaims {
    pub fn new(
        replay: &Arc<Replay>,
        won: Option<Won>,
        messages: Vec<usize>,
        keys: Vec<Key>,
        failed: Option<PyErr>,
    ) -> Self {
        let is_open = won.is_some() && replay.lease.is_some();
        Self {
            replay: Arc::clone(replay),
            won,
            messages: if is_open { messages } else { Vec::new() },
            keys: if is_open { keys } else { Vec::new() },
            failed,
            closed: Mutex::default(),
        }
    }

    /// What is known of the claim of a message that was let in.
    pub fn of(&self, py: Python<'_>, index: usize) -> Claimed {
        let replay = Arc::clone(&self.replay);
        let found = self.messages.binary_search(&index);
        match &self.won {
            Some(won) => Claimed::Won {
                replay,
                key: found.map(|place| self.keys[place]).unwrap_or_default(),
                won: won.clone_ref(py),
            },
            None => Claimed::Unasked(replay),
        }
    }

    /// Commits or releases messages: those of the indices, else all that are open.
    pub fn close(&self, py: Python<'_>, what: Close, indices: Option<&[usize]>) -> PyResult<()> {
        if self.replay.is_async() {
            return Err(mistake(py, ("async-claims",)));
        }
        let Some((keys, places, won)) = self.chosen(py, what, indices)? else {
            return Ok(());
        };
        self.replay.close(py, what, &keys, won)?;
        self.shut(places);
        Ok(())
    }

    /// The same, as a coroutine. What it is to do is settled now.
    pub fn close_later<'py>(
        &self,
        py: Python<'py>,
        what: Close,
        indices: Option<&[usize]>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (keys, token) = match self.chosen(py, what, indices)? {
            None => (PyList::empty(py), None),
            Some((keys, places, won)) => {
                self.shut(places);
                (objects(py, &keys)?, token(py, won)?)
            }
        };
        let name = format!("a{}", what.name());
        let replay = &self.replay;
        let arguments = (replay.object(py), replay.is_async(), keys, token);
        called(py, "hookseal._replay", &name, arguments)
    }

    /// The keys of messages, and their places; None where there is nothing to do.
    #[expect(clippy::type_complexity, reason = "taken apart at once")]
    fn chosen(
        &self,
        py: Python<'_>,
        what: Close,
        indices: Option<&[usize]>,
    ) -> PyResult<Option<(Vec<Key>, Vec<usize>, &Won)>> {
        if self.replay.lease.is_none() && what == Close::Release {
            return Err(mistake(py, ("final",)));
        }
        let Some(won) = self.won.as_ref().filter(|_| self.replay.lease.is_some()) else {
            return Ok(None);
        };
        let places: Vec<usize> = match indices {
            None => {
                let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
                let all = 0..self.messages.len();
                all.filter(|place| !closed.contains(place)).collect()
            }
            Some(indices) => {
                let place = |index| self.messages.binary_search(index).ok();
                indices.iter().filter_map(place).collect()
            }
        };
        if places.is_empty() {
            return Ok(None);
        }
        let keys = places.iter().map(|place| self.keys[*place]);
        Ok(Some((keys.collect(), places, won)))
    }

    fn shut(&self, places: Vec<usize>) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.extend(places);
    }
}

/// The argument `indices`, of a batch of so many; `position` is that of one index.
pub fn read_indices(
    indices: Option<&Bound<'_, PyAny>>,
    position: impl Fn(&Bound<'_, PyAny>) -> PyResult<usize>,
) -> PyResult<Option<Vec<usize>>> {
    let Some(indices) = indices else {
        return Ok(None);
    };
    let all = drain(indices, "indices")?;
    all.iter()
        .map(|index| position(&index))
        .collect::<PyResult<_>>()
        .map(Some)
}

impl BatchResult {
    /// Commits or releases messages, or all that are open.
    pub fn close(
        &self,
        py: Python<'_>,
        what: Close,
        indices: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let (claims, indices) = self.claims_of(py, indices)?;
        claims.close(py, what, indices.as_deref())
    }

    /// The same, as a coroutine.
    pub fn close_later<'py>(
        &self,
        py: Python<'py>,
        what: Close,
        indices: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (claims, indices) = self.claims_of(py, indices)?;
        claims.close_later(py, what, indices.as_deref())
    }

    fn claims_of(
        &self,
        py: Python<'_>,
        indices: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(&BatchClaims, Option<Vec<usize>>)> {
        let claims = self
            .claims
            .as_ref()
            .ok_or_else(|| mistake(py, ("no-guard",)))?;
        let indices = read_indices(indices, |index| {
            let index = self.position(py, index)?;
            if self.is_valid(index) {
                Ok(index)
            } else {
                Err(mistake(py, ("not-valid", index.to_string())))
            }
        })?;
        Ok((claims, indices))
    }
}
