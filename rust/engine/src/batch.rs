//! Many messages: prepared one by one, hashed together, on as many threads as help.

use std::{
    collections::TryReserveError,
    ops::Range,
    panic::resume_unwind,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use hookseal_lanes::{Interrupted, Job, Kernel, Mac, Watch};

use crate::{
    compare::matches_any,
    endpoint::{Endpoint, Positions, each},
    header::Value,
    key::Key,
    outcome::Outcome,
    verify::{self, Rules, write_parts},
};

/// The most messages of one chunk where several threads hash. A chunk is what is read before
/// anything is hashed, so it bounds the memory that a batch of any size needs beside its
/// result, about 250 bytes each; and it must be worth the start of a thread.
pub const CHUNK_MESSAGES: usize = 8192;

/// The most messages of one chunk where one thread hashes: what it read of them is then still
/// in the near cache.
pub const SERIAL_CHUNK_MESSAGES: usize = 256;

/// The most body bytes of one chunk, but for a single message that has more.
pub const CHUNK_BYTES: usize = 16 * 1024 * 1024;

/// Messages that wait for their MACs. `B` keeps a body alive while it is hashed.
#[derive(Debug)]
pub struct Chunk<B> {
    pending: Vec<Pending>,
    bodies: Vec<B>,
    around: Vec<u8>,
    candidates: Vec<Mac>,
    matched: Vec<Option<u8>>,
    bytes: usize,
}

#[derive(Debug)]
struct Pending {
    index: usize,
    /// The signed timestamp, or 0.
    timestamp: i64,
    head: Span,
    tail: Span,
    candidates: Span,
    endpoint: u32,
    live: Positions,
    family: u8,
}

/// A part of one of the chunk's lists, in half the bytes of a range: a chunk's lists hold far
/// less than 2^32 elements.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(range: Range<usize>) -> Self {
        Self {
            start: small(range.start),
            end: small(range.end),
        }
    }

    fn of<T>(self, list: &[T]) -> &[T] {
        &list[self.start as usize..self.end as usize]
    }
}

/// A position in a chunk's lists, or among a batch's endpoints.
fn small(position: usize) -> u32 {
    // Past the end of any list, so that an impossible position is a panic, not another's bytes.
    u32::try_from(position).unwrap_or(u32::MAX)
}

impl<B: AsRef<[u8]> + Sync> Chunk<B> {
    /// An empty chunk.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pending: Vec::new(),
            bodies: Vec::new(),
            around: Vec::new(),
            candidates: Vec::new(),
            matched: Vec::new(),
            bytes: 0,
        }
    }

    /// Whether the chunk should be run before more is pushed.
    #[must_use]
    pub fn is_full(&self, threads: usize) -> bool {
        let messages = if threads > 1 {
            CHUNK_MESSAGES
        } else {
            SERIAL_CHUNK_MESSAGES
        };
        self.pending.len() >= messages || self.bytes >= CHUNK_BYTES
    }

    /// Takes message `index` of the batch. It is judged at once where no MAC is needed, and
    /// waits for [`Chunk::run`] otherwise. `endpoint` is its position in `endpoints`.
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then nothing was taken.
    pub fn push<V: Value>(
        &mut self,
        index: usize,
        body: B,
        values: &[V],
        endpoint: (usize, &Endpoint),
        rules: &Rules,
        at: i64,
    ) -> Result<Pushed<'_, B>, TryReserveError> {
        self.pending.try_reserve(1)?;
        self.bodies.try_reserve(1)?;
        let (endpoint, terms) = endpoint;
        let scheme = terms.scheme();
        let first = self.candidates.len();
        let found = |candidate| self.candidates.push(candidate);
        let prepared = match verify::prepare(terms, rules, body.as_ref(), values, at, found) {
            Ok(prepared) => prepared,
            Err(refused) => return Ok(Pushed::Judged(refused)),
        };
        let mut write = |parts| {
            let start = self.around.len();
            write_parts(parts, prepared.id, prepared.timestamp_text, |part| {
                self.around.extend_from_slice(part);
            });
            Span::new(start..self.around.len())
        };
        let (head, tail) = (write(&scheme.head), write(&scheme.tail));
        self.pending.push(Pending {
            index,
            endpoint: small(endpoint),
            head,
            tail,
            candidates: Span::new(first..self.candidates.len()),
            timestamp: prepared.timestamp.unwrap_or_default(),
            live: prepared.live,
            family: prepared.family,
        });
        self.bytes += body.as_ref().len();
        self.bodies.push(body);
        let family = prepared.family;
        let body = &mut self.bodies[self.pending.len() - 1];
        Ok(Pushed::Waits { family, body })
    }

    /// Computes and compares the MACs, on at most `threads` threads, this one among them.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so; it is called on this thread alone.
    pub fn run(
        &mut self,
        endpoints: &[Arc<Endpoint>],
        kernel: Kernel,
        threads: usize,
        watch: &mut Watch<'_>,
    ) -> Result<(), Interrupted> {
        self.matched.clear();
        self.matched.resize(self.pending.len(), None);
        let mut matched = self.matched.as_mut_slice();
        let mut grains = Vec::new();
        for range in grains_of(&self.bodies) {
            let slots = matched.split_off_mut(..range.len()).unwrap_or_default();
            grains.push(Grain { range, slots });
        }
        let work = self.bytes + self.pending.len() * OVERHEAD_BYTES;
        let threads = threads
            .min(work / BYTES_PER_THREAD)
            .min(grains.len())
            .max(1);
        let bench = Bench {
            pending: &self.pending,
            bodies: &self.bodies,
            around: &self.around,
            candidates: &self.candidates,
            endpoints,
            kernel,
        };
        spread(grains, threads, watch, |grain, watch| {
            bench.grind(grain, watch)
        })
    }

    /// Hands out the outcomes of the last run, and empties the chunk.
    pub fn settle(&mut self, mut outcome: impl FnMut(usize, Outcome, B)) {
        let matched = self.matched.drain(..).chain(std::iter::repeat(None));
        let pending = self.pending.drain(..).zip(self.bodies.drain(..));
        for ((pending, body), matched) in pending.zip(matched) {
            let Pending {
                index,
                timestamp,
                live,
                family,
                ..
            } = pending;
            let judged = verify::outcome(matched.map(usize::from), Some(timestamp), live, family);
            outcome(index, judged, body);
        }
        self.around.clear();
        self.candidates.clear();
        self.bytes = 0;
    }
}

impl<B: AsRef<[u8]> + Sync> Default for Chunk<B> {
    fn default() -> Self {
        Self::new()
    }
}

/// What became of a message that was pushed.
#[derive(Debug)]
pub enum Pushed<'a, B> {
    /// It needs no MAC.
    Judged(Outcome),
    /// It waits, and reads its headers from this family.
    Waits {
        /// The family's position in the scheme.
        family: u8,
        /// What is carried for it.
        body: &'a mut B,
    },
}

/// Some neighbouring messages of a chunk, and the slots for which secret matched each.
struct Grain<'a> {
    range: Range<usize>,
    slots: &'a mut [Option<u8>],
}

/// Everything that threads share while they hash.
struct Bench<'a, B> {
    pending: &'a [Pending],
    bodies: &'a [B],
    around: &'a [u8],
    candidates: &'a [Mac],
    endpoints: &'a [Arc<Endpoint>],
    kernel: Kernel,
}

impl<B: AsRef<[u8]>> Bench<'_, B> {
    /// One wave for each secret: the second is tried only for messages the first refused.
    fn grind(&self, grain: Grain<'_>, watch: &mut Watch<'_>) -> Result<(), Interrupted> {
        let Grain { range, slots } = grain;
        let mut open: Vec<(usize, usize, u8)> = Vec::with_capacity(range.len());
        let mut jobs = Vec::with_capacity(range.len());
        let mut macs = Vec::new();
        for wave in 0.. {
            open.clear();
            jobs.clear();
            let mut is_last = true;
            for (slot, at) in range.clone().enumerate() {
                let pending = &self.pending[at];
                let Some(secret) = each(pending.live).nth(wave) else {
                    continue;
                };
                if slots[slot].is_some() {
                    continue;
                }
                is_last = false;
                let held = &self.endpoints[pending.endpoint as usize].held()[secret];
                let secret = u8::try_from(secret).unwrap_or(u8::MAX);
                match &held.key {
                    Key::Mac(key) => {
                        jobs.push(Job {
                            key,
                            head: pending.head.of(self.around),
                            body: self.bodies[at].as_ref(),
                            tail: pending.tail.of(self.around),
                        });
                        open.push((slot, at, secret));
                    }
                    Key::Token(digest) => {
                        if matches_any(digest, pending.candidates.of(self.candidates)) {
                            slots[slot] = Some(secret);
                        }
                    }
                }
            }
            if is_last {
                break;
            }
            macs.resize(jobs.len(), Mac::default());
            self.kernel.macs(&jobs, &mut macs[..jobs.len()], watch)?;
            for ((slot, at, secret), mac) in open.iter().zip(&macs) {
                let candidates = self.pending[*at].candidates.of(self.candidates);
                if matches_any(mac, candidates) {
                    slots[*slot] = Some(*secret);
                }
            }
        }
        Ok(())
    }
}

/// Splits a chunk by bytes, so that no thread is left with the long messages.
fn grains_of<B: AsRef<[u8]>>(bodies: &[B]) -> Vec<Range<usize>> {
    let mut grains = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, body) in bodies.iter().enumerate() {
        bytes += body.as_ref().len() + OVERHEAD_BYTES;
        if bytes >= GRAIN_BYTES {
            grains.push(start..at + 1);
            (start, bytes) = (at + 1, 0);
        }
    }
    if start < bodies.len() {
        grains.push(start..bodies.len());
    }
    grains
}

/// What a message costs beside its body, counted in hashed bytes: three blocks.
const OVERHEAD_BYTES: usize = 192;

/// The work a thread takes at a time: 0.15 ms, long beside the lock it takes for it.
const GRAIN_BYTES: usize = 256 * 1024;

/// The least work for which another thread is started.
const BYTES_PER_THREAD: usize = 256 * 1024;

/// How often a thread that waits for others looks whether it is to stop.
const WAIT: Duration = Duration::from_millis(10);

/// Lets `threads` threads take items until none is left. Threads are started here and end
/// here: there is no pool, so a fork finds nothing half alive.
fn spread<T: Send>(
    items: Vec<T>,
    threads: usize,
    watch: &mut Watch<'_>,
    work: impl Fn(T, &mut Watch<'_>) -> Result<(), Interrupted> + Sync,
) -> Result<(), Interrupted> {
    let queue = Mutex::new(items.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let take_all = |watch: &mut Watch<'_>| {
        while let Some(item) = next() {
            work(item, watch)?;
        }
        Ok(())
    };
    if threads <= 1 {
        return take_all(watch);
    }
    let stop = AtomicBool::new(false);
    let running = AtomicUsize::new(0);
    let caller = thread::current();
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for _ in 1..threads {
            let worker = || {
                let _leave = Leave {
                    running: &running,
                    caller: &caller,
                };
                let stopped = |_| {
                    if stop.load(Ordering::Relaxed) {
                        Err(Interrupted)
                    } else {
                        Ok(())
                    }
                };
                // Only this thread's own stop can interrupt it, and that is known to the caller.
                _ = take_all(&mut { stopped });
            };
            running.fetch_add(1, Ordering::Relaxed);
            let name = "hookseal".to_owned();
            if let Ok(worker) = thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, worker)
            {
                workers.push(worker);
            } else {
                // No thread to be had: those that are there do the work.
                running.fetch_sub(1, Ordering::Relaxed);
                break;
            }
        }
        // A panic here must stop the others too, or the scope would wait for all their work.
        let halt = Halt(&stop);
        let mut result = take_all(watch);
        while running.load(Ordering::Acquire) > 0 {
            if result.is_ok() {
                thread::park_timeout(WAIT);
                result = watch(0);
            }
            if result.is_err() {
                stop.store(true, Ordering::Relaxed);
                thread::park_timeout(WAIT);
            }
        }
        drop(halt);
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        result
    })
}

/// Tells the caller, when dropped, that a worker is done, however it ended.
struct Leave<'a> {
    running: &'a AtomicUsize,
    caller: &'a Thread,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::Release);
        self.caller.unpark();
    }
}

/// Tells the workers, when dropped, to stop.
struct Halt<'a>(&'a AtomicBool);

impl Drop for Halt<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
