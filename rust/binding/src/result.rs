//! `hookseal.BatchResult`.

use std::sync::Arc;

use hookseal_engine::{Verdict, endpoint::each, profile::Profile};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyRuntimeError,
    intern,
    prelude::*,
    types::{PyDict, PyInt, PyIterator, PyList, PySlice},
};

use crate::{
    arguments::{asked, mistake, no_copy, wrong_length},
    claimed::{BatchClaims, Claimed},
    claiming::Judged,
    errors,
    guard::{guarded, object},
    replay::Close,
    slots::Particulars,
    trust::Kind,
    verified::Verified,
};

/// The verdicts of a batch: a sequence of ``Verdict``, and what can be asked of it.
///
/// It has no truth value: a batch with a forged message in it is neither good nor bad.
#[pyclass(frozen, module = "hookseal")]
pub struct BatchResult {
    batch: Box<Judged>,
    counts: [usize; Verdict::ALL.len()],
    /// None without a replay guard.
    pub claims: Option<Box<BatchClaims>>,
}

impl BatchResult {
    /// Closes the slots of a call.
    ///
    /// # Errors
    /// `RuntimeError` if a slot was left unwritten: it must not leave the library.
    pub fn new(batch: Box<Judged>, claims: Option<BatchClaims>) -> PyResult<Self> {
        let mut counts = [0; Verdict::ALL.len()];
        for code in &batch.slots.codes.all {
            counts[usize::from(*code)] += 1;
        }
        if counts[usize::from(Verdict::Unverified as u8)] > 0 {
            return Err(PyRuntimeError::new_err(
                "bug in hookseal: a message was not judged",
            ));
        }
        Ok(Self {
            batch,
            counts,
            claims: claims.map(Box::new),
        })
    }

    fn code(&self, index: usize) -> u8 {
        self.batch.slots.codes.all[index]
    }

    fn valid_count(&self) -> usize {
        self.counts[usize::from(Verdict::Valid as u8)]
    }

    fn invalid_count(&self) -> usize {
        self.batch.slots.codes.all.len() - self.valid_count()
    }

    pub fn is_valid(&self, index: usize) -> bool {
        self.code(index) == Verdict::Valid as u8
    }

    fn indices<'py>(&self, py: Python<'py>, are_valid: bool) -> PyResult<Bound<'py, PyList>> {
        let is_wanted = |code| (code == Verdict::Valid as u8) == are_valid;
        self.batch.slots.codes.positions(py, is_wanted)
    }

    /// The exception of a refused message.
    fn refusal(&self, py: Python<'_>, index: usize) -> PyResult<PyErr> {
        let failed = self.claims.as_ref().and_then(|it| it.failed.as_ref());
        let cause = match (&self.batch.errors, failed) {
            (_, Some(failed)) if self.code(index) == Verdict::Replayed as u8 => {
                Some(failed.value(py).clone().into_any())
            }
            (Some(errors), _) => errors.bind(py).get_item(index)?,
            (None, _) => None,
        };
        Ok(match &self.batch.slots.particulars {
            None => errors::bare_refusal(py, self.code(index), cause),
            Some(kept) => {
                let endpoint = self.endpoint_of(kept, index);
                let scheme = endpoint.map(|endpoint| &**endpoint.scheme());
                errors::refusal(py, &kept.outcomes[index], scheme, cause)
            }
        })
    }

    fn endpoint_of(&self, kept: &Particulars, index: usize) -> Option<&Arc<Profile>> {
        let place = match kept.endpoints.get(index) {
            Some(place) => usize::try_from(*place).ok()?,
            None => 0,
        };
        Some(&self.batch.used.all.get(place)?.endpoint)
    }

    /// A position from an index as Python counts: negative ones from the end.
    pub fn position(&self, py: Python<'_>, index: &Bound<'_, PyAny>) -> PyResult<usize> {
        let length = self.batch.slots.codes.all.len();
        let plain = index.cast_exact::<PyInt>().ok();
        match plain.and_then(|index| index.extract::<usize>().ok()) {
            Some(index) if index < length => Ok(index),
            // Every other form, and every error.
            _ => asked(py, "position", (index, length))?.extract(),
        }
    }
}

#[pymethods]
impl BatchResult {
    /// The verdicts' numbers: a read-only ``memoryview`` of int8, for NumPy and its kin.
    #[getter]
    fn codes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| self.batch.slots.codes.view(py))
    }

    /// For each message the position of the secret that matched, -1 for none: a read-only
    /// ``memoryview`` of int8.
    #[getter]
    fn secrets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| self.batch.slots.secrets.view(py))
    }

    /// How many messages are valid.
    #[getter]
    fn valid<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.valid_count()))
    }

    /// How many messages are refused.
    #[getter]
    fn invalid<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.invalid_count()))
    }

    /// Why items are no messages: their index, and the exception that reading them raised.
    #[getter]
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| match &self.batch.errors {
            Some(errors) => errors.bind(py).copy(),
            None => Ok(PyDict::new(py)),
        })
    }

    /// How many messages have each verdict, for the verdicts that occur.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| {
            let counts = PyDict::new(py);
            for (number, count) in self.counts.iter().enumerate() {
                if *count > 0 {
                    counts.set_item(errors::verdict(py, number)?, count)?;
                }
            }
            Ok(counts)
        })
    }

    /// How many messages each secret matched, by its label; with a ring, by endpoint and label.
    ///
    /// Every secret that could have matched is there, so a zero is evidence: nobody signs
    /// with it any more.
    fn by_secret<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| {
            let counts = PyDict::new(py);
            for (place, used) in self.batch.used.all.iter().enumerate() {
                let endpoint = &used.endpoint;
                for at in each(used.live) {
                    let (label, count) = (
                        &*endpoint.held()[at].label,
                        self.batch.used.matched(place, at).count,
                    );
                    if self.batch.kind == Kind::Ring {
                        counts.set_item((endpoint.name(), label), count)?;
                    } else {
                        counts.set_item(label, count)?;
                    }
                }
            }
            Ok(counts)
        })
    }

    /// The indices of the valid messages, in order.
    fn valid_indices<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guarded(|| self.indices(py, true))
    }

    /// The indices of the refused messages, in order.
    fn invalid_indices<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guarded(|| self.indices(py, false))
    }

    /// The proof for a valid message; raises what refused another.
    ///
    /// Raises:
    ///     VerificationError: The message was refused.
    ///     IndexError: There is no such message.
    ///     ValueError: The batch was judged with ``keep=False``.
    fn verified(&self, py: Python<'_>, index: &Bound<'_, PyAny>) -> PyResult<Verified> {
        guarded(|| {
            let index = self.position(py, index)?;
            if self.code(index) != Verdict::Valid as u8 {
                return Err(self.refusal(py, index)?);
            }
            let kept = self.batch.slots.particulars.as_ref().and_then(|kept| {
                Some((
                    kept,
                    kept.outcomes.get(index)?,
                    kept.bodies.get(index)?.as_ref()?,
                ))
            });
            let Some((kept, outcome, body)) = kept else {
                return Err(mistake(py, ("not-kept",)));
            };
            let body = body.clone_ref(py);
            let id = kept.ids[index].as_ref().map(|id| id.clone_ref(py));
            let claims = self.claims.as_ref();
            let claimed = claims.map_or(Claimed::NoGuard, |claims| claims.of(py, index));
            let endpoint = self.endpoint_of(kept, index).cloned();
            let has_endpoint = self.batch.kind == Kind::Ring;
            Ok(Verified::new(
                outcome,
                endpoint,
                has_endpoint,
                &self.batch.rules,
                id,
                body,
                claimed,
            ))
        })
    }

    /// The valid messages, each with its index, in order; made one by one.
    ///
    /// Raises:
    ///     ValueError: The batch was judged with ``keep=False``.
    fn accepted<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let py = slf.py();
            if slf.get().batch.slots.particulars.is_none() {
                return Err(mistake(py, ("not-kept",)));
            }
            let indices = slf.get().indices(py, true)?;
            let builtins = py.import("builtins")?;
            let verified = slf.getattr(intern!(py, "verified"))?;
            let proofs = builtins.getattr("map")?.call1((verified, &indices))?;
            builtins.getattr("zip")?.call1((indices, proofs))
        })
    }

    /// Splits the messages into valid and refused ones.
    ///
    /// Args:
    ///     messages: The sequence that was judged.
    ///
    /// Raises:
    ///     ValueError: It has another length.
    fn partition<'py>(
        &self,
        messages: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
        guarded(|| {
            let py = messages.py();
            let messages = crate::items::drain(messages, "messages")?;
            let codes = &self.batch.slots.codes.all;
            if messages.len() != codes.len() {
                return Err(wrong_length(py, "messages", messages.len(), codes.len()));
            }
            let (good, bad) = (PyList::empty(py), PyList::empty(py));
            for (message, code) in messages.iter().zip(codes) {
                let side = if *code == Verdict::Valid as u8 {
                    &good
                } else {
                    &bad
                };
                side.append(message)?;
            }
            Ok((good, bad))
        })
    }

    /// Raises what refused the first message that was refused, if one was; a note says its
    /// index and how many there are.
    ///
    /// Raises:
    ///     VerificationError: A message was refused.
    fn raise_for_invalid(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| {
            let is_refused = |code: &u8| *code != Verdict::Valid as u8;
            let Some(first) = self.batch.slots.codes.all.iter().position(is_refused) else {
                return Ok(());
            };
            let error = self.refusal(py, first)?;
            Err(errors::with_count(
                py,
                &error,
                first,
                self.invalid_count(),
                self.batch.slots.codes.all.len(),
            ))
        })
    }

    /// Makes claims final: the work on these messages is done.
    ///
    /// Args:
    ///     indices: Of valid messages; None for all that were neither committed nor released.
    ///
    /// Raises:
    ///     ClaimLostError: A lease had lapsed, and somebody else has claimed the message since.
    ///     ValueError: A message was refused.
    ///     TypeError: There is no replay guard, or it is to be awaited.
    #[pyo3(signature = (indices=None))]
    fn commit(&self, py: Python<'_>, indices: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        guarded(|| self.close(py, Close::Commit, indices))
    }

    /// Gives claims back: the work was not done, and other copies may be taken.
    ///
    /// Args:
    ///     indices: As in ``commit``.
    ///
    /// Raises:
    ///     ValueError, TypeError: As in ``commit``; claims without a lease, which are final.
    #[pyo3(signature = (indices=None))]
    fn release(&self, py: Python<'_>, indices: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        guarded(|| self.close(py, Close::Release, indices))
    }

    /// ``commit`` as a coroutine: for guards that are to be awaited, and all others.
    #[pyo3(signature = (indices=None))]
    fn acommit<'py>(
        &self,
        py: Python<'py>,
        indices: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| self.close_later(py, Close::Commit, indices))
    }

    /// ``release`` as a coroutine, in the same way.
    #[pyo3(signature = (indices=None))]
    fn arelease<'py>(
        &self,
        py: Python<'py>,
        indices: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| self.close_later(py, Close::Release, indices))
    }

    fn __len__(&self) -> usize {
        self.batch.slots.codes.all.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let py = index.py();
            let Ok(slice) = index.cast::<PySlice>() else {
                let index = self.position(py, index)?;
                return errors::verdict(py, usize::from(self.code(index)));
            };
            let codes = self.batch.slots.codes.view(py)?.get_item(slice)?;
            let list = PyList::empty(py);
            for code in codes.try_iter()? {
                list.append(errors::verdict(py, code?.extract()?)?)?;
            }
            Ok(list.into_any())
        })
    }

    fn __reversed__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        guarded(|| {
            let members = errors::verdicts(py)?.getattr(intern!(py, "__getitem__"))?;
            let builtins = py.import("builtins")?;
            let codes =
                builtins
                    .getattr("reversed")?
                    .call1((self.batch.slots.codes.view(py)?,))?;
            builtins.getattr("map")?.call1((members, codes))?.try_iter()
        })
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        guarded(|| {
            let members = errors::verdicts(py)?.getattr(intern!(py, "__getitem__"))?;
            let map = py.import("builtins")?.getattr("map")?;
            map.call1((members, self.batch.slots.codes.view(py)?))?
                .try_iter()
        })
    }

    /// Raises TypeError: a batch has no truth value.
    #[expect(clippy::unused_self, reason = "a method of Python's")]
    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        guarded(|| Err(mistake(py, ("truth",))))
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        no_copy(slf)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let unsigned = if self.batch.kind == Kind::Unsigned {
            "UNSIGNED, "
        } else {
            ""
        };
        let (valid, invalid) = (self.valid_count(), self.invalid_count());
        let text = || format!("BatchResult({unsigned}valid={valid}, invalid={invalid})");
        object(py, || Ok(text()))
    }

    /// The exceptions hold tracebacks, which can lead back here.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(claims) = &self.claims {
            claims.replay.visit(&visit)?;
        }
        visit.call(&self.batch.errors)
    }
}
