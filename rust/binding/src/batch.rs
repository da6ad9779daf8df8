//! One call of `verify_batch` or `verify_columns`: from Python's messages to slots of verdicts.

use hookseal_engine::{
    Kernel,
    batch::{self, CHUNK_MESSAGES, Crew, with_crew},
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
    detach::{attached, detached},
    filling::Carried,
    headers::Keep as _,
    items::Names,
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

    /// Judges every message, chunk by chunk: each is read, then hashed, by other threads while the
    /// next are read, then written down.
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
            && (count == 1 || reader.call.messages.bytes() <= few_bytes(kernel));
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

/// The most messages of the first chunk of a batch that others may help with: they should not wait
/// for long before there is something to do.
const FIRST_MESSAGES: usize = 64;

/// The most messages of the others, as long as somebody helps: with several of these to take from,
/// nobody waits for a long one to be read, or to be hashed.
const HELPED_MESSAGES: usize = 128;

/// The most messages of a chunk that nobody helps with: what is made for it is then less than
/// what `malloc` hands back to the system at the end of every call, and asks for at the next.
const ALONE_MESSAGES: usize = CHUNK_MESSAGES;

/// What it takes to read what turns out to be no message, or nobody's, counted in hashed bytes.
const READING_BYTES: usize = 192;

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
        crew.expect(count);
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
                // Those that turned out to be none are nothing to hash.
                self.held_bytes += (read - from - chunk.taken()) * READING_BYTES;
            }
            let chunks = (count - from).div_ceil(read - from);
            crew.close(chunks).map_err(no_memory)?;
            crew.start();
            // Without help there is nothing to wait for, and the chunk is still in the cache.
            most = if crew.has_help() {
                HELPED_MESSAGES
            } else {
                ALONE_MESSAGES
            };
            while crew.is_full() {
                self.finish(py, crew, threads)?;
            }
        }
        crew.dismiss();
        while crew.is_busy() {
            self.finish(py, crew, threads)?;
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

    /// Sees the oldest chunk to its end, and writes down what came of it.
    fn finish(
        &mut self,
        py: Python<'_>,
        crew: &mut Crew<'_, '_, Carried, &'a Endpoint>,
        threads: usize,
    ) -> PyResult<()> {
        // Each return to a busy interpreter waits for its turn, 5 ms: so it is let go about as
        // often as a loop in Python would be made to, not for every chunk.
        let started_bytes = crew.started_bytes();
        // This thread may come to hash any of it.
        let mut bytes = self.held_bytes;
        if !crew.is_done() {
            bytes = bytes.saturating_add(started_bytes);
        }
        if bytes >= RELEASE_BYTES {
            self.held_bytes = 0;
            detached(py, threads, |watch| crew.finish(watch))?;
        } else {
            attached(py, threads, |watch| crew.finish(watch))?;
            self.held_bytes += started_bytes - crew.started_bytes();
        }
        // Most chunks are hashed between two looks for signals.
        py.check_signals()?;
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
