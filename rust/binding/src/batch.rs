//! One call of `verify_batch` or `verify_columns`: from Python's messages to slots of verdicts.

use hookseal_engine::{
    Kernel, Stop,
    batch::{self, Crew, with_crew},
    endpoint::Endpoint,
    header::Roles,
    verify::Rules,
};
use pyo3::prelude::*;

use crate::{
    ahead::{Ahead, GROUP, Seen},
    arguments::no_memory,
    arrivals::Arrivals,
    claiming::Judged,
    clock::Instants,
    detach::{detached, interrupted},
    filling::Carried,
    headers::Keep as _,
    items::{Names, message_class},
    kept::Kept,
    kernel,
    messages::Messages,
    one::{DETACH_BYTES, judge_one},
    plain::Pairs,
    reader::{Reader, Ready},
    recent::Recent,
    single::Holders,
    trust::{Arrival, Endpoints, Kind, no_ring},
};

/// The arguments of a call, judged.
pub struct Call<'py> {
    pub messages: Messages<'py>,
    pub names: Names<'py>,
    pub received_at: Instants,
    /// The instant of judgement; None for the clock.
    pub now: Option<i64>,
}

impl<'py> Call<'py> {
    /// Drains the messages and judges the arguments, before anything is hashed.
    pub fn read(
        py: Python<'py>,
        endpoints: &Endpoints,
        messages: impl FnOnce() -> PyResult<Messages<'py>>,
        endpoint: Option<&Bound<'py, PyAny>>,
        received_at: Option<&Bound<'py, PyAny>>,
        now: Option<i64>,
    ) -> PyResult<Self> {
        // What can be judged without the messages comes first: a queue that was drained for a
        // wrong argument is lost.
        if endpoint.is_some() && !matches!(endpoints, Endpoints::Ring(_)) {
            return Err(no_ring(py));
        }
        let messages = messages()?;
        let names = Names::read(endpoint, messages.len())?;
        let received_at = Instants::read("received_at", received_at, messages.len())?;
        Ok(Self {
            messages,
            names,
            received_at,
            now,
        })
    }

    /// Judges every message, chunk by chunk: each is read, then hashed without the interpreter
    /// while the next is read, then written down.
    pub fn judge(
        self,
        py: Python<'py>,
        endpoints: &Endpoints,
        rules: &Rules,
        threads: usize,
        keep: bool,
        held: Roles,
    ) -> PyResult<Box<Judged>> {
        let count = self.messages.len();
        let mut judged = Judged::begin(Kind::of(endpoints), *rules);
        judged.slots.fill(count, keep, endpoints)?;
        if rules.backlog.is_some() {
            judged.slots.note_arrivals(count, |index| {
                self.received_at.get(index).map(|at| rules.arrival(at))
            })?;
        }
        let mut reader = Reader {
            slots: &mut judged.slots,
            errors: &mut judged.errors,
            used: &mut judged.used,
            now: self.now,
            pairs: Pairs::Unseen,
            held_bytes: 0,
            arrivals: Arrivals::default(),
            seen: Seen::default(),
            ahead: Ahead::default(),
            recent: Recent::default(),
            message_class: message_class(py)?,
            call: &self,
            endpoints,
            rules,
            held: if keep { held } else { 0 },
        };
        if let Endpoints::One(endpoint) = reader.endpoints {
            reader.used.place(Arrival::at(endpoint))?;
        }
        let kernel = kernel::chosen().kernel;
        let are_few = count <= FEW_MESSAGES
            && (count == 1
                || reader.call.messages.bytes(reader.message_class) <= few_bytes(kernel));
        if are_few {
            reader.judge_each(py, count)?;
        } else {
            with_crew(kernel, threads, *rules, |crew| {
                reader.read_all(py, crew, threads, count)
            })?;
        }
        judged.used.close();
        Ok(judged)
    }
}

/// So many messages are judged one by one: they are too few for what hashes side by side.
const FEW_MESSAGES: usize = 10;

/// Where they have more bytes together than this, side by side is faster even so: with two streams
/// of SHA-NI by a tenth for four of 4 KiB, by a sixth for four of 8 KiB.
fn few_bytes(kernel: Kernel) -> usize {
    if [kernel, kernel.rest()].contains(&Kernel::Shani2) {
        9 * 1024
    } else {
        64 * 1024
    }
}

/// The most messages that are read between two looks for signals: those that are none fill no
/// chunk.
const READ_MESSAGES: usize = 16 * 1024;

/// The most messages of the first chunk of a batch that others may help with: they should not wait
/// for long before there is something to do. Those behind it are twice as large, each time.
const FIRST_MESSAGES: usize = 64;

/// The most messages of a chunk that nobody helps with: what is made for it is then less than
/// what `malloc` hands back to the system at the end of every call, and asks for at the next.
const ALONE_MESSAGES: usize = 256;

/// The work after which the interpreter is let go, in hashed bytes: 5 ms with the reading, after
/// which CPython makes a thread give way (`sys.getswitchinterval`).
pub const RELEASE_BYTES: usize = 4 * 1024 * 1024;

impl<'a, 'py> Reader<'a, 'py> {
    fn read_all(
        &mut self,
        py: Python<'py>,
        crew: &mut Crew<'_, '_, Carried, &'a Endpoint>,
        threads: usize,
        count: usize,
    ) -> PyResult<()> {
        let mut is_started = false;
        let mut read = 0;
        let mut most = if threads <= 1 {
            ALONE_MESSAGES
        } else {
            FIRST_MESSAGES
        };
        while read < count {
            let from = read;
            {
                let mut chunk = crew.chunk();
                chunk.expect(most.min(count - read)).map_err(no_memory)?;
                while read < count && read - from < most && !chunk.is_full() {
                    let group = read..count.min(read + GROUP);
                    read = group.end;
                    self.read_group(py, group, &mut chunk)?;
                }
            }
            let chunks = (count - from).div_ceil(read - from);
            crew.close(chunks).map_err(no_memory)?;
            if is_started {
                self.finish(py, crew, threads)?;
                // The others go on before this thread writes down what they found.
                crew.start();
                self.settle(py, crew)?;
            } else {
                crew.start();
            }
            // Without help there is nothing to wait for, and the chunk is still in the cache.
            is_started = crew.has_help();
            most = if is_started {
                READ_MESSAGES.min(2 * most)
            } else {
                ALONE_MESSAGES
            };
            if !is_started {
                self.finish(py, crew, threads)?;
                self.settle(py, crew)?;
            }
        }
        if is_started {
            self.finish(py, crew, threads)?;
            self.settle(py, crew)?;
        }
        Ok(())
    }

    /// Judges messages one by one.
    fn judge_each(&mut self, py: Python<'py>, count: usize) -> PyResult<()> {
        let mut kept = Kept::default();
        kept.hold(self.held);
        for index in 0..count {
            kept.forget();
            let holders = Holders::default();
            let read = self.read(py, index, &mut kept, Some(&holders));
            let Some(Ready {
                endpoint,
                place,
                body,
                at,
                single,
            }) = self.unless_done(py, index, read)?
            else {
                continue;
            };
            let single = single.as_ref();
            if let Some(single) = single {
                kept.hold_one(single.family, &holders);
            }
            let (outcome, family) = judge_one(py, endpoint, self.rules, &body, single, &kept, at)?;
            if body.len() >= DETACH_BYTES {
                py.check_signals()?;
            }
            self.used.count(place, &outcome, at);
            self.slots.hold(index, kept.take_ids().of(family));
            self.slots
                .put(py, index, outcome, Some(place), Some(body))?;
        }
        Ok(())
    }

    /// Sees a chunk to its end.
    fn finish(
        &mut self,
        py: Python<'_>,
        crew: &mut Crew<'_, '_, Carried, &'a Endpoint>,
        threads: usize,
    ) -> PyResult<()> {
        // Each return to a busy interpreter waits for its turn, 5 ms: so it is let go about as
        // often as a loop in Python would be made to, not for every chunk.
        self.held_bytes = self.held_bytes.saturating_add(crew.started_bytes());
        if crew.has_help() || self.held_bytes >= RELEASE_BYTES {
            self.held_bytes = 0;
            detached(py, threads, |watch| crew.finish(watch))?;
        } else {
            crew.finish(&mut |_| Ok(())).map_err(|stop| match stop {
                Stop::Interrupted => interrupted(),
                Stop::NoMemory => no_memory(()),
            })?;
        }
        // Most chunks are hashed between two looks of `detached` for signals.
        py.check_signals()
    }

    /// Writes down what came of the chunk that was finished.
    fn settle(
        &mut self,
        py: Python<'_>,
        crew: &Crew<'_, '_, Carried, &'a Endpoint>,
    ) -> PyResult<()> {
        let Self { used, slots, .. } = self;
        let mut slots = slots.open();
        let mut failed = None;
        crew.finished().settle(|index, judged, carried| {
            let batch::Judged { outcome, family } = judged;
            let Carried {
                body,
                ids,
                endpoint,
                at,
            } = carried;
            let place = endpoint as usize;
            used.count(place, &outcome, at);
            if let Some(ids) = ids {
                slots.hold(index, ids.of(family));
            }
            if let Err(error) = slots.put(py, index, outcome, endpoint, Some(body)) {
                failed = Some(error);
            }
        });
        failed.map_or(Ok(()), Err)
    }
}
