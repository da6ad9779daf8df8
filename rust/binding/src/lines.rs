//! `hookseal._core.LineJudge`: what the command judges files with. It is not exported.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError, TryLockError},
};

use hookseal_engine::{Interrupted, Place, Watch, endpoint::each};
use hookseal_lines::{
    EndpointTally, Fault, Fed, Judge, MAX_LINE_BYTES, Refusal, Stop, Tally, Trust, Why,
};
use pyo3::{
    exceptions::PyMemoryError,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyTuple},
};

use crate::{
    arguments::{Stated, asked, flag, mistake, no_copy, wrong_type},
    clock::{now, seconds},
    detach::{detached, thread_count},
    encoded::bytes,
    errors,
    guard::{guarded, object},
    kernel,
    trust::Endpoints,
    verifier::Verifier,
};

/// Judges the messages of a JSON Lines stream, a block of bytes at a time.
///
/// Args:
///     verifier: What judges the messages; of a ring, as it is now.
///     now: The instant of judgement for messages that state no arrival; None for what the
///         clock says now.
///     threads: At most so many threads; None for as many as help.
///     max_line_bytes: Longer lines are broken, and not held in memory.
///     keep_rejects: Whether reports hold the lines that are no valid message.
///
/// Raises:
///     TypeError: A wrong type.
///     ValueError: A value out of range.
///
/// However a file is cut into blocks, the reports joined are the same. A block is judged on as many
/// threads as help, without the interpreter. An exception in ``feed`` or ``finish`` leaves the judge
/// as it was before the call, so the same block can be fed again. One call at a time; what was counted
/// can be asked for at any time, from any thread.
#[pyclass(frozen, module = "hookseal._core")]
pub struct LineJudge {
    stream: Mutex<Judge>,
    /// Never held while Python runs.
    tally: Mutex<Tally>,
    threads: usize,
    keeps_rejects: bool,
    has_ring: bool,
}

#[pymethods]
impl LineJudge {
    #[new]
    #[pyo3(
        signature = (verifier, *, now=None, threads=None, max_line_bytes=Stated(None), keep_rejects=Stated(None)),
        text_signature = "(verifier, *, now=None, threads=None, max_line_bytes=67108864, keep_rejects=False)"
    )]
    fn new(
        py: Python<'_>,
        verifier: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
        threads: Option<&Bound<'_, PyAny>>,
        max_line_bytes: Stated<'_>,
        keep_rejects: Stated<'_>,
    ) -> PyResult<Self> {
        guarded(|| {
            let Ok(verifier) = verifier.cast::<Verifier>() else {
                return Err(wrong_type("verifier", verifier, None));
            };
            let verifier = verifier.get();
            if verifier.replay.is_some() {
                return Err(mistake(py, ("lines-with-guard",)));
            }
            let threads = thread_count(py, threads)?;
            let max_line_bytes = match max_line_bytes.0 {
                None => MAX_LINE_BYTES,
                Some(limit) => {
                    let limit = asked(py, "line_limit", (limit,))?;
                    limit.extract::<usize>().unwrap_or(usize::MAX)
                }
            };
            let keep = keep_rejects
                .0
                .map_or(Ok(false), |keep| flag(&keep, "keep_rejects"))?;
            let now = now.map_or_else(|| self::now(py), |now| seconds(now, "now"))?;
            let trust = match verifier.endpoints() {
                Endpoints::One(endpoint) => Trust::One(endpoint),
                Endpoints::Ring(rings) => Trust::Ring(rings.held),
                Endpoints::Unsigned => Trust::Unsigned,
            };
            Ok(Self {
                tally: Mutex::new(Tally::new(&trust)),
                has_ring: matches!(trust, Trust::Ring(_)),
                stream: Mutex::new(Judge::new(
                    kernel::chosen().kernel,
                    trust,
                    verifier.rules,
                    now,
                    max_line_bytes,
                )),
                threads,
                keeps_rejects: keep,
            })
        })
    }

    /// Judges every line that ends in the block; the unfinished rest is kept.
    ///
    /// Raises:
    ///     TypeError: The block is not ``bytes``.
    ///     MemoryError: Memory is short.
    ///     KeyboardInterrupt: Ctrl-C, within 200 ms.
    ///     RuntimeError: Another call is at work.
    fn feed(&self, py: Python<'_>, block: &Bound<'_, PyAny>) -> PyResult<LineReport> {
        guarded(|| {
            let Ok(block) = block.cast::<PyBytes>() else {
                return Err(wrong_type("block", block, None));
            };
            let block = block.as_bytes();
            self.advance(py, |judge, watch| {
                judge.feed(block, self.threads, self.keeps_rejects, watch)
            })
        })
    }

    /// Ends a file: judges a last line without a line end. Line numbers start again at 1, and
    /// what was counted goes on.
    ///
    /// Raises:
    ///     MemoryError, KeyboardInterrupt, RuntimeError: As ``feed``.
    fn finish(&self, py: Python<'_>) -> PyResult<LineReport> {
        guarded(|| self.advance(py, |judge, watch| judge.finish(self.keeps_rejects, watch)))
    }

    /// The lines judged so far: valid, refused and broken ones. Blank lines are none.
    #[getter]
    fn messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.counted(Tally::messages)))
    }

    /// The lines that are no message.
    #[getter]
    fn broken<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.counted(|tally| tally.broken)))
    }

    /// The bytes of the lines that have ended, with blank lines and line ends.
    #[getter]
    fn bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || Ok(self.counted(|tally| tally.bytes)))
    }

    /// How many messages have each verdict, for the verdicts that occur.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| {
            let counts = PyDict::new(py);
            for (number, count) in self.counted(|tally| tally.counts).into_iter().enumerate() {
                if count > 0 {
                    counts.set_item(errors::verdict(py, number)?, count)?;
                }
            }
            Ok(counts)
        })
    }

    /// The valid and the refused messages of each endpoint, in order of first appearance. None
    /// is the one endpoint where there is no ring, and with one all that it does not hold.
    fn endpoints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let row = |entry: &EndpointTally| {
            let endpoint = entry.endpoint.as_ref().filter(|_| self.has_ring);
            let name = endpoint.map(|endpoint| endpoint.name().to_owned());
            (name, entry.valid, entry.refused)
        };
        let rows = || self.counted(|tally| tally.endpoints.iter().map(row).collect::<Vec<_>>());
        object(py, || Ok(rows()))
    }

    /// What each secret matched: endpoint, label, messages, and the Unix seconds of the first
    /// and the last instant at which one of them was judged. Every secret that could have matched
    /// is there, so a zero is evidence.
    fn secrets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let rows = |entry: &EndpointTally| {
            let Some(endpoint) = entry.endpoint.clone() else {
                return Vec::new();
            };
            let row = |at: usize| {
                let name = self.has_ring.then(|| endpoint.name().to_owned());
                let label = endpoint.held()[at].label.to_string();
                let secret = entry.secrets[at];
                let (first, last) = secret.seen.unzip();
                (name, label, secret.matched, first, last)
            };
            each(entry.live).map(row).collect()
        };
        let all =
            || self.counted(|tally| tally.endpoints.iter().flat_map(rows).collect::<Vec<_>>());
        object(py, || Ok(all()))
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        no_copy(slf)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (messages, broken) = self.counted(|tally| (tally.messages(), tally.broken));
        object(py, || {
            Ok(format!("LineJudge(messages={messages}, broken={broken})"))
        })
    }
}

impl LineJudge {
    /// Does a step without the interpreter; what it changes takes effect when it is whole.
    fn advance(
        &self,
        py: Python<'_>,
        step: impl FnOnce(&mut Judge, &mut Watch<'_>) -> Result<Fed, Stop> + Send,
    ) -> PyResult<LineReport> {
        // Never waited for: who holds it may need the interpreter, or be below us on the stack.
        let mut judge = match self.stream.try_lock() {
            Ok(judge) => judge,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(mistake(py, ("busy",))),
        };
        let judge = &mut *judge;
        let fed = detached(py, self.threads, |watch| match step(judge, watch) {
            Err(Stop::Interrupted) => Err(Interrupted),
            Err(Stop::NoMemory) => Ok(None),
            Ok(fed) => Ok(Some(fed)),
        })?;
        let mut fed = fed.ok_or_else(|| PyMemoryError::new_err(()))?;
        let rejected = bytes(py, &fed.rejected)?.unbind();
        // The last look before it counts: a signal from here on finds the whole block judged.
        py.check_signals()?;
        judge.commit(&mut fed);
        self.tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(&fed.tally);
        Ok(LineReport {
            refusals: fed.refusals,
            rejected,
            has_ring: self.has_ring,
        })
    }

    fn counted<T>(&self, what: impl FnOnce(&Tally) -> T) -> T {
        what(&self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What became of the lines of a block.
#[pyclass(frozen, module = "hookseal._core")]
pub struct LineReport {
    refusals: Vec<Refusal>,
    rejected: Py<PyBytes>,
    has_ring: bool,
}

#[pymethods]
impl LineReport {
    /// The lines that are no valid message, in order: the number of the line, the verdict (None
    /// for a broken line), why in words, and the endpoint that the message named. Made anew each
    /// time it is asked for.
    #[getter]
    fn refusals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guarded(|| {
            let rows = PyList::empty(py);
            let mut words = HashMap::new();
            for (index, refusal) in self.refusals.iter().enumerate() {
                if index % ROWS_BETWEEN_SIGNALS == 0 {
                    py.check_signals()?;
                }
                rows.append(self.row(py, refusal, &mut words)?)?;
            }
            Ok(rows)
        })
    }

    /// With ``keep_rejects`` the lines that are no valid message, byte for byte, in order, with
    /// their line ends; of a line that is too long, what passed of it in this block.
    #[getter]
    fn rejected(&self, py: Python<'_>) -> Py<PyBytes> {
        self.rejected.clone_ref(py)
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        no_copy(slf)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, || {
            Ok(format!(
                "LineReport(refusals={}, rejected={})",
                self.refusals.len(),
                self.rejected.as_bytes(py).len()
            ))
        })
    }
}

impl LineReport {
    /// One refusal as a tuple; `words` are those that were said before.
    fn row<'py>(
        &self,
        py: Python<'py>,
        refusal: &Refusal,
        words: &mut HashMap<Said, Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let said = Said::of(&refusal.why);
        let text = match words.entry(said) {
            Entry::Occupied(text) => text.get().clone(),
            Entry::Vacant(place) => place.insert(words_for(py, &refusal.why)?).clone(),
        };
        let (verdict, endpoint) = match &refusal.why {
            Why::Broken(_) => (None, None),
            Why::Refused {
                outcome,
                endpoint,
                unknown,
            } => {
                let known = endpoint.as_ref().filter(|_| self.has_ring);
                let name = known.map(|known| known.name()).or(unknown.as_deref());
                let verdict = errors::verdict(py, usize::from(outcome.verdict as u8))?;
                (Some(verdict), name)
            }
        };
        (refusal.line, verdict, text, endpoint).into_pyobject(py)
    }
}

fn words_for<'py>(py: Python<'py>, why: &Why) -> PyResult<Bound<'py, PyAny>> {
    match why {
        Why::Broken(fault) => errors::line_fault(py, fault),
        Why::Refused {
            outcome, endpoint, ..
        } => {
            let scheme = endpoint.as_ref().map(|endpoint| &**endpoint.scheme());
            let error = errors::refused(py, outcome, scheme, None)?;
            Ok(error.str()?.into_any())
        }
    }
}

/// What the words of a refusal depend on.
#[derive(PartialEq, Eq, Hash)]
enum Said {
    Broken(Fault),
    /// Verdict, number, place, and the address of the scheme that names the header.
    Refused(u8, i64, (u8, u8, u8), usize),
}

impl Said {
    fn of(why: &Why) -> Self {
        match why {
            Why::Broken(fault) => Self::Broken(fault.clone()),
            Why::Refused {
                outcome, endpoint, ..
            } => {
                let place = match outcome.place {
                    Place::Message => (0, 0, 0),
                    Place::Body => (1, 0, 0),
                    Place::SignatureHeaders => (2, 0, 0),
                    Place::Header(slot) => (3, slot.family, slot.role as u8),
                    Place::Arrival => (4, 0, 0),
                    Place::Answer => (5, 0, 0),
                };
                let scheme = endpoint
                    .as_ref()
                    .map_or(0, |endpoint| Arc::as_ptr(endpoint.scheme()).addr());
                Self::Refused(outcome.verdict as u8, outcome.number, place, scheme)
            }
        }
    }
}

/// Rows that are made between two looks for signals: a millisecond's work.
const ROWS_BETWEEN_SIGNALS: usize = 512;
