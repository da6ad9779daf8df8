//! The claims of a result: of one message, and of a batch.

use std::sync::Arc;

use hookseal_engine::replay::Key;
use pyo3::{
    prelude::*,
    types::{PyList, PySet},
};

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
        /// Of a batch with leases: where to note that it was committed or released, and its index.
        closed: Option<(Py<PySet>, usize)>,
    },
}

impl Claimed {
    pub fn is_won(&self) -> bool {
        matches!(self, Self::Won { .. })
    }

    /// `hookseal._processing.Processing` of the message.
    pub fn processing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (replay, keys, token, closed) = match self {
            Self::NoGuard => return Err(mistake(py, ("no-guard",))),
            Self::Won {
                replay,
                key,
                won,
                closed,
            } if replay.lease.is_some() => (
                replay,
                objects(py, &[*key])?,
                token(py, won)?,
                closed.as_ref(),
            ),
            // What is final, or nobody's, is closed already.
            Self::Unasked(replay) | Self::Won { replay, .. } => {
                (replay, PyList::empty(py), None, None)
            }
        };
        let (closed, index) = closed.map_or((None, 0), |(closed, index)| (Some(closed), *index));
        let guard = replay.object(py);
        let arguments = (guard, replay.is_async(), keys, token, closed, index);
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
    /// The indices of those that were committed or released; None without leases.
    closed: Option<Py<PySet>>,
}

impl BatchClaims {
    pub fn new(
        py: Python<'_>,
        replay: &Arc<Replay>,
        won: Option<Won>,
        messages: Vec<usize>,
        keys: Vec<Key>,
        failed: Option<PyErr>,
    ) -> PyResult<Self> {
        let is_open = won.is_some() && replay.lease.is_some();
        let closed = is_open.then(|| PySet::empty(py)).transpose()?;
        Ok(Self {
            replay: Arc::clone(replay),
            won,
            messages: if is_open { messages } else { Vec::new() },
            keys: if is_open { keys } else { Vec::new() },
            failed,
            closed: closed.map(Bound::unbind),
        })
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
                closed: self.closed.as_ref().map(|it| (it.clone_ref(py), index)),
            },
            None => Claimed::Unasked(replay),
        }
    }

    /// Commits or releases messages: those of the indices, else all that are open.
    pub fn close(&self, py: Python<'_>, what: Close, indices: Option<&[usize]>) -> PyResult<()> {
        if self.replay.is_async() {
            return Err(mistake(py, ("async-claims",)));
        }
        let Some((keys, messages, won)) = self.chosen(py, what, indices)? else {
            return Ok(());
        };
        self.replay.close(py, what, &keys, won)?;
        match &self.closed {
            Some(closed) => messages
                .iter()
                .try_for_each(|index| closed.bind(py).add(index)),
            None => Ok(()),
        }
    }

    /// The same, as a coroutine. What it is to do is settled now.
    pub fn close_later<'py>(
        &self,
        py: Python<'py>,
        what: Close,
        indices: Option<&[usize]>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (keys, messages, token) = match self.chosen(py, what, indices)? {
            None => (PyList::empty(py), Vec::new(), None),
            Some((keys, messages, won)) => (objects(py, &keys)?, messages, token(py, won)?),
        };
        let (guard, is_async) = (self.replay.object(py), self.replay.is_async());
        let closed = self.closed.as_ref();
        let arguments = (what.name(), guard, is_async, keys, token, closed, messages);
        called(py, "hookseal._replay", "aclose", arguments)
    }

    /// The keys of messages, and their indices; None where there is nothing to do.
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
        let (mut keys, mut messages) = (Vec::new(), Vec::new());
        match indices {
            None => {
                let closed = self.closed.as_ref().map(|closed| closed.bind(py));
                for (index, key) in self.messages.iter().zip(&self.keys) {
                    let is_closed = closed.map_or(Ok(false), |closed| closed.contains(index))?;
                    if !is_closed {
                        keys.push(*key);
                        messages.push(*index);
                    }
                }
            }
            Some(indices) => {
                for index in indices {
                    if let Ok(place) = self.messages.binary_search(index) {
                        keys.push(self.keys[place]);
                        messages.push(*index);
                    }
                }
            }
        }
        Ok((!keys.is_empty()).then_some((keys, messages, won)))
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
