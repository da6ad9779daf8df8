//! What no batch verifier can spare, alone: an extension module for `benches/floor.py`.
//!
//!     cargo build --release -p hookseal-binding --features floor --example floor
//!
//! - `touch` reads the messages out of Python's objects, and does nothing with them.
//! - `Bodies.hash` hashes their bodies, and knows nothing of Python's objects.
//! - `Bodies.hash_beside` does both, on two threads.
//!
//! All are written as fast as the binding may be: by the safe calls of `PyO3` alone.

#![forbid(unsafe_code)]
#![expect(
    clippy::inline_always,
    reason = "as in src/headers.rs: a call for each header is half of its cost"
)]

use pyo3::prelude::*;

/// The module.
#[pymodule(gil_used = true)]
mod floor {
    use std::{
        hint::black_box,
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use hookseal_lanes::{Job, Kernel, KeyState, Mac};
    use pyo3::{
        prelude::*,
        pybacked::PyBackedBytes,
        types::{PyBytes, PyDict, PyList, PyString, PyTuple},
    };

    /// As many as the engine hashes together where one thread is alone.
    const CHUNK: usize = 256;

    /// The headers whose values count. A name is taken for one of theirs by its length and its
    /// last letter, which is less than any verifier may do.
    struct Names {
        ends: Vec<(usize, u8)>,
        /// A bit for each of the lengths, modulo 64.
        lengths: u64,
    }

    impl Names {
        fn new(names: &[String]) -> Self {
            let end = |name: &String| (name.len(), last(name));
            Self {
                ends: names.iter().map(end).collect(),
                lengths: names.iter().fold(0, |bits, name| bits | bit(name)),
            }
        }

        #[inline(always)]
        fn have(&self, name: &str) -> bool {
            self.lengths & bit(name) != 0 && self.ends.contains(&(name.len(), last(name)))
        }
    }

    #[inline(always)]
    fn bit(name: &str) -> u64 {
        1 << (name.len() % 64)
    }

    /// The last byte, in lower case.
    #[inline(always)]
    fn last(name: &str) -> u8 {
        name.bytes().next_back().unwrap_or(0).to_ascii_lowercase()
    }

    /// Holds each message's body, looks at the text of every header's name, and at the text of
    /// the values that count. Nothing is kept, and nothing is decided; the lengths of all that
    /// was looked at are added up.
    #[pyfunction]
    fn touch(messages: &Bound<'_, PyList>, names: Vec<String>) -> PyResult<usize> {
        look_at_all(messages, &Names::new(&names))
    }

    fn look_at_all(messages: &Bound<'_, PyList>, names: &Names) -> PyResult<usize> {
        let mut seen = 0;
        // Nothing is asked for ahead, which src/ahead.rs does.
        for item in messages.iter() {
            let pair = item.cast_exact::<PyTuple>()?;
            let body = pair.get_item(0)?;
            let headers = pair.get_borrowed_item(1)?;
            seen += body.cast_exact::<PyBytes>()?.as_bytes().len();
            if let Ok(dict) = (*headers).cast_exact::<PyDict>() {
                for (name, value) in dict.iter() {
                    seen += look(&name, &value, names)?;
                }
            } else {
                for item in headers.cast_exact::<PyList>()?.iter() {
                    let pair = item.cast_exact::<PyList>()?;
                    seen += look(&pair.get_item(0)?, &pair.get_item(1)?, names)?;
                }
            }
        }
        Ok(seen)
    }

    #[inline(always)]
    fn look(name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, names: &Names) -> PyResult<usize> {
        let name = name.cast_exact::<PyString>()?.to_str()?;
        if names.have(name)
            && let Ok(value) = value.cast_exact::<PyString>()
        {
            return Ok(name.len() + value.to_str()?.len());
        }
        Ok(name.len())
    }

    /// Bodies to be hashed behind heads of a given length, with a key that is ready.
    #[pyclass]
    struct Bodies {
        held: Vec<(usize, PyBackedBytes)>,
        /// What all heads are the beginning of.
        head: Vec<u8>,
        key: KeyState,
    }

    #[pymethods]
    impl Bodies {
        #[new]
        fn new(bodies: Vec<(usize, PyBackedBytes)>) -> Self {
            let longest = bodies.iter().map(|(head, _)| *head).max();
            Self {
                held: bodies,
                head: vec![b'.'; longest.unwrap_or(0)],
                key: KeyState::new(b"thirty-two bytes of an example: ."),
            }
        }

        /// Computes the MACs, and says how many.
        fn hash(&self) -> usize {
            self.hash_from(&AtomicUsize::new(0))
        }

        /// Looks at messages as [`touch`] does while another thread hashes the bodies, and then helps
        /// it; the sum of the lengths, and how many MACs there were.
        fn hash_beside(
            &self,
            messages: &Bound<'_, PyList>,
            names: Vec<String>,
        ) -> PyResult<(usize, usize)> {
            let names = Names::new(&names);
            let next = AtomicUsize::new(0);
            thread::scope(|scope| {
                let helper = scope.spawn(|| self.hash_from(&next));
                let seen = look_at_all(messages, &names);
                let hashed = self.hash_from(&next);
                Ok((seen?, hashed + helper.join().unwrap_or(0)))
            })
        }
    }

    impl Bodies {
        /// Hashes chunk after chunk of those that nobody has taken yet.
        fn hash_from(&self, next: &AtomicUsize) -> usize {
            let kernel = Kernel::detect();
            let mut macs = vec![Mac::default(); CHUNK];
            let mut jobs = Vec::with_capacity(CHUNK);
            let mut hashed = 0;
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(bodies) = self.held.chunks(CHUNK).nth(at) else {
                    return hashed;
                };
                jobs.clear();
                jobs.extend(bodies.iter().map(|(head, body)| Job {
                    key: &self.key,
                    head: &self.head[..*head],
                    body,
                    tail: &[],
                }));
                let macs = &mut macs[..jobs.len()];
                // A watch that never stops the work leaves nothing to be handled.
                _ = kernel.macs(&jobs, macs, &mut |_| Ok(()));
                hashed += black_box(macs).len();
            }
        }
    }
}
