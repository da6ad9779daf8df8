//! `hookseal.BatchResult`.

use std::sync::Arc;

use hookseal_engine::{Verdict, endpoint::each, verify::Rules};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyRuntimeError,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyDict, PyInt, PyIterator, PyList, PyMemoryView, PySlice},
};

use crate::{
    arguments::{asked, mistake, no_copy, wrong_length},
    encoded::bytes,
    errors,
    guard::guarded,
    slots::{Few, Particulars, Slots, Used, UsedEndpoint},
    trust::Endpoints,
    verified::Verified,
};

/// The verdicts of a batch: a sequence of ``Verdict``, and what can be asked of it.
///
/// It has no truth value: a batch with a forged message in it is neither good nor bad.
#[pyclass(frozen, module = "hookseal")]
pub struct BatchResult {
    codes: Codes,
    secrets: Codes,
    counts: [usize; Verdict::ALL.len()],
    particulars: Option<Particulars>,
    used: Used,
    kind: Kind,
    rules: Rules,
    errors: Option<Py<PyDict>>,
}

/// What kind of verifier made a result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    One,
    Ring,
    Unsigned,
}

impl BatchResult {
    /// Closes the slots of a call.
    ///
    /// # Errors
    /// `RuntimeError` if a slot was left unwritten: it must not leave the library.
    pub fn new(
        slots: Slots,
        used: Used,
        endpoints: &Endpoints,
        rules: Rules,
        errors: Option<Py<PyDict>>,
    ) -> PyResult<Self> {
        let mut counts = [0; Verdict::ALL.len()];
        for code in &slots.codes {
            counts[usize::from(*code)] += 1;
        }
        if counts[usize::from(Verdict::Unverified as u8)] > 0 {
            return Err(PyRuntimeError::new_err(
                "bug in hookseal: a message was not judged",
            ));
        }
        let kind = match endpoints {
            Endpoints::One(_) => Kind::One,
            Endpoints::Ring(_) => Kind::Ring,
            Endpoints::Unsigned => Kind::Unsigned,
        };
        Ok(Self {
            codes: Codes::new(slots.codes),
            secrets: Codes::new(slots.secrets),
            counts,
            particulars: slots.particulars,
            used,
            kind,
            rules,
            errors,
        })
    }

    fn code(&self, index: usize) -> u8 {
        self.codes.all[index]
    }

    fn indices(&self, are_valid: bool) -> Vec<usize> {
        let codes = self.codes.all.iter().enumerate();
        let wanted = |code: u8| (code == Verdict::Valid as u8) == are_valid;
        codes
            .filter(|(_, code)| wanted(**code))
            .map(|(index, _)| index)
            .collect()
    }

    /// The exception of a refused message.
    fn refusal(&self, py: Python<'_>, index: usize) -> PyResult<PyErr> {
        let cause = match &self.errors {
            Some(errors) => errors.bind(py).get_item(index)?,
            None => None,
        };
        Ok(match &self.particulars {
            None => errors::bare_refusal(py, self.code(index), cause),
            Some(kept) => {
                let endpoint = self.endpoint_of(kept, index);
                let scheme = endpoint.map(|endpoint| &**endpoint.scheme());
                errors::refusal(py, &kept.outcomes[index], scheme, cause)
            }
        })
    }

    fn endpoint_of(
        &self,
        kept: &Particulars,
        index: usize,
    ) -> Option<&Arc<hookseal_engine::endpoint::Endpoint>> {
        let place = match kept.endpoints.get(index) {
            Some(place) => usize::try_from(*place).ok()?,
            None => 0,
        };
        Some(&self.used.all.get(place)?.endpoint)
    }

    /// A position from an index as Python counts: negative ones from the end.
    fn position(&self, py: Python<'_>, index: &Bound<'_, PyAny>) -> PyResult<usize> {
        let length = self.codes.all.len();
        let plain = index.cast_exact::<PyInt>().ok();
        match plain.and_then(|index| index.extract::<usize>().ok()) {
            Some(index) if index < length => Ok(index),
            // Every other form, and every error.
            _ => asked(py, "position", (index, length))?.extract(),
        }
    }
}

/// One int8 a message.
struct Codes {
    all: Few<u8>,
    /// The same as an object, once it was asked for.
    object: PyOnceLock<Py<PyBytes>>,
}

impl Codes {
    fn new(all: Few<u8>) -> Self {
        Self {
            all,
            object: PyOnceLock::new(),
        }
    }

    fn view<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let make = || bytes(py, &self.all).map(Bound::unbind);
        let object = self.object.get_or_try_init(py, make)?.bind(py);
        PyMemoryView::from(object)?.call_method1(intern!(py, "cast"), (intern!(py, "b"),))
    }
}

#[pymethods]
impl BatchResult {
    /// The verdicts' numbers: a read-only ``memoryview`` of int8, for NumPy and its kin.
    #[getter]
    fn codes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.codes.view(py)
    }

    /// For each message the position of the secret that matched, -1 for none: a read-only
    /// ``memoryview`` of int8.
    #[getter]
    fn secrets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.secrets.view(py)
    }

    /// How many messages are valid.
    #[getter]
    fn valid(&self) -> usize {
        self.counts[usize::from(Verdict::Valid as u8)]
    }

    /// How many messages are refused.
    #[getter]
    fn invalid(&self) -> usize {
        self.counts.iter().sum::<usize>() - self.valid()
    }

    /// Why items are no messages: their index, and the exception that reading them raised.
    #[getter]
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        match &self.errors {
            Some(errors) => errors.bind(py).copy(),
            None => Ok(PyDict::new(py)),
        }
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
            for UsedEndpoint {
                endpoint,
                live,
                matched,
                ..
            } in &self.used.all
            {
                for at in each(*live) {
                    let label = &*endpoint.held()[at].label;
                    if self.kind == Kind::Ring {
                        counts.set_item((endpoint.name(), label), matched[at])?;
                    } else {
                        counts.set_item(label, matched[at])?;
                    }
                }
            }
            Ok(counts)
        })
    }

    /// The indices of the valid messages, in order.
    fn valid_indices(&self) -> Vec<usize> {
        self.indices(true)
    }

    /// The indices of the refused messages, in order.
    fn invalid_indices(&self) -> Vec<usize> {
        self.indices(false)
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
            let kept = self.particulars.as_ref().and_then(|kept| {
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
            let endpoint = self.endpoint_of(kept, index).cloned();
            let has_endpoint = self.kind == Kind::Ring;
            Ok(Verified::new(
                outcome,
                endpoint,
                has_endpoint,
                &self.rules,
                id,
                body,
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
            if slf.get().particulars.is_none() {
                return Err(mistake(py, ("not-kept",)));
            }
            let indices = PyList::new(py, slf.get().indices(true))?;
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
            let codes = &self.codes.all;
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
            let Some(first) = self.indices(false).first().copied() else {
                return Ok(());
            };
            let error = self.refusal(py, first)?;
            Err(errors::with_count(
                py,
                &error,
                first,
                self.invalid(),
                self.codes.all.len(),
            ))
        })
    }

    fn __len__(&self) -> usize {
        self.codes.all.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let py = index.py();
            let Ok(slice) = index.cast::<PySlice>() else {
                let index = self.position(py, index)?;
                return errors::verdict(py, usize::from(self.code(index)));
            };
            let codes = self.codes.view(py)?.get_item(slice)?;
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
            let codes = builtins
                .getattr("reversed")?
                .call1((self.codes.view(py)?,))?;
            builtins.getattr("map")?.call1((members, codes))?.try_iter()
        })
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        guarded(|| {
            let members = errors::verdicts(py)?.getattr(intern!(py, "__getitem__"))?;
            let map = py.import("builtins")?.getattr("map")?;
            map.call1((members, self.codes.view(py)?))?.try_iter()
        })
    }

    /// Raises TypeError: a batch has no truth value.
    #[expect(clippy::unused_self, reason = "a method of Python's")]
    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        Err(mistake(py, ("truth",)))
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(no_copy(slf))
    }

    fn __repr__(&self) -> String {
        let unsigned = if self.kind == Kind::Unsigned {
            "UNSIGNED, "
        } else {
            ""
        };
        format!(
            "BatchResult({unsigned}valid={}, invalid={})",
            self.valid(),
            self.invalid()
        )
    }

    /// The exceptions hold tracebacks, which can lead back here.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.errors)
    }
}
