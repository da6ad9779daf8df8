//! Some messages of a batch: prepared one by one, hashed together.

use std::{
    collections::TryReserveError,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use hookseal_lanes::{Interrupted, Job, Kernel, Mac, Watch};

use crate::{
    compare::matches_any,
    endpoint::{Endpoint, Positions, each},
    header::Values,
    key::Key,
    outcome::Outcome,
    signature::MAX_CANDIDATES,
    verify::{self, MAX_AROUND_BYTES, Rules, write_parts},
};

/// The most messages of one chunk. A chunk is read before it is hashed, so it bounds the memory
/// that a batch of any size needs beside its result (about 200 bytes for each message of two
/// chunks), and what was read of it should still be in the near cache.
pub const CHUNK_MESSAGES: usize = 512;

/// The most body bytes of one chunk, but for a single message that has more.
pub const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Messages that wait for their MACs. `B` keeps a body alive while it is hashed.
#[derive(Debug)]
pub struct Chunk<B> {
    pending: Vec<Pending>,
    bodies: Vec<B>,
    around: Vec<u8>,
    candidates: Vec<Mac>,
    endpoints: Vec<Arc<Endpoint>>,
    grains: Vec<Range<usize>>,
    /// For each message the position of the secret that matched, or [`NO_MATCH`]. Each is
    /// written by the one thread that has its grain, and read when all are done.
    matched: Vec<AtomicU8>,
    bytes: usize,
}

/// No secret matched, or none was tried yet.
const NO_MATCH: u8 = u8::MAX;

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

impl<B: AsRef<[u8]>> Chunk<B> {
    /// An empty chunk.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pending: Vec::new(),
            bodies: Vec::new(),
            around: Vec::new(),
            candidates: Vec::new(),
            endpoints: Vec::new(),
            grains: Vec::new(),
            matched: Vec::new(),
            bytes: 0,
        }
    }

    /// Whether the chunk should be hashed before more is pushed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.pending.len() >= CHUNK_MESSAGES || self.bytes >= CHUNK_BYTES
    }

    /// About how many bytes there are to hash for one secret.
    #[must_use]
    pub fn work(&self) -> usize {
        self.bytes + self.pending.len() * OVERHEAD_BYTES
    }

    /// Takes message `index` of the batch. It is judged at once where no MAC is needed, and
    /// waits for [`Chunk::hash`] otherwise.
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then nothing was taken.
    pub fn push(
        &mut self,
        index: usize,
        body: B,
        values: &(impl Values + ?Sized),
        endpoint: &Arc<Endpoint>,
        rules: &Rules,
        at: i64,
    ) -> Result<Pushed<'_, B>, TryReserveError> {
        self.pending.try_reserve(1)?;
        self.bodies.try_reserve(1)?;
        self.endpoints.try_reserve(1)?;
        self.candidates.try_reserve(MAX_CANDIDATES)?;
        self.around.try_reserve(2 * MAX_AROUND_BYTES)?;
        let scheme = endpoint.scheme();
        let first = self.candidates.len();
        let found = |candidate| self.candidates.push(candidate);
        let prepared = match verify::prepare(endpoint, rules, body.as_ref(), values, at, found) {
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
        // Neighbours are often of one endpoint.
        if self
            .endpoints
            .last()
            .is_none_or(|last| !Arc::ptr_eq(last, endpoint))
        {
            self.endpoints.push(Arc::clone(endpoint));
        }
        self.pending.push(Pending {
            index,
            endpoint: small(self.endpoints.len() - 1),
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

    /// Cuts the chunk into grains, by bytes, so that no thread is left with the long messages:
    /// one for one thread, several for each of more. Nothing is pushed from here to
    /// [`Chunk::settle`].
    pub fn close(&mut self, threads: usize, kernel: Kernel) {
        self.matched.clear();
        self.matched
            .resize_with(self.pending.len(), || AtomicU8::new(NO_MATCH));
        self.grains.clear();
        let least = match threads {
            0 | 1 => usize::MAX,
            more => (self.work() / (more * GRAINS_PER_THREAD)).max(LEAST_GRAIN_BYTES),
        };
        // Whole groups of lanes; where there is not one, the threads share what there is.
        let group = match kernel.lanes() {
            lanes if lanes <= self.bodies.len() => lanes,
            _ => 1,
        };
        let (mut start, mut bytes) = (0, 0);
        for (at, body) in self.bodies.iter().enumerate() {
            bytes += body.as_ref().len() + OVERHEAD_BYTES;
            if bytes >= least && (at + 1 - start).is_multiple_of(group) {
                self.grains.push(start..at + 1);
                (start, bytes) = (at + 1, 0);
            }
        }
        if start < self.bodies.len() {
            self.grains.push(start..self.bodies.len());
        }
    }

    /// How many grains the closed chunk has.
    #[must_use]
    pub fn grains(&self) -> usize {
        self.grains.len()
    }

    /// Computes and compares the MACs of one grain: one wave for each secret, so that the
    /// second is tried only for messages the first refused.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so.
    pub fn hash(
        &self,
        grain: usize,
        kernel: Kernel,
        watch: &mut Watch<'_>,
    ) -> Result<(), Interrupted> {
        let range = self.grains.get(grain).cloned().unwrap_or_default();
        let mut open: Vec<(usize, u8)> = Vec::with_capacity(range.len());
        let mut jobs = Vec::with_capacity(range.len());
        let mut macs = Vec::new();
        for wave in 0.. {
            open.clear();
            jobs.clear();
            let mut is_last = true;
            for at in range.clone() {
                let pending = &self.pending[at];
                let Some(secret) = each(pending.live).nth(wave) else {
                    continue;
                };
                if self.matched[at].load(Ordering::Relaxed) != NO_MATCH {
                    continue;
                }
                is_last = false;
                let held = &self.endpoints[pending.endpoint as usize].held()[secret];
                let secret = u8::try_from(secret).unwrap_or(NO_MATCH);
                match &held.key {
                    Key::Mac(key) => {
                        jobs.push(Job {
                            key,
                            head: pending.head.of(&self.around),
                            body: self.bodies[at].as_ref(),
                            tail: pending.tail.of(&self.around),
                        });
                        open.push((at, secret));
                    }
                    Key::Token(digest) => self.compare(at, secret, digest),
                }
            }
            if is_last {
                break;
            }
            // None of the wave before: a slot that is not written must be nobody's MAC.
            macs.clear();
            macs.resize(jobs.len(), Mac::default());
            kernel.macs(&jobs, &mut macs, watch)?;
            for ((at, secret), mac) in open.iter().zip(&macs) {
                self.compare(*at, *secret, mac);
            }
        }
        Ok(())
    }

    fn compare(&self, at: usize, secret: u8, mac: &Mac) {
        if matches_any(mac, self.pending[at].candidates.of(&self.candidates)) {
            self.matched[at].store(secret, Ordering::Relaxed);
        }
    }

    /// Hands out the outcomes, and empties the chunk.
    pub fn settle(&mut self, mut outcome: impl FnMut(usize, Outcome, B)) {
        let matched = self.matched.drain(..).map(AtomicU8::into_inner);
        let pending = self.pending.drain(..).zip(self.bodies.drain(..));
        for ((pending, body), matched) in pending.zip(matched) {
            let Pending {
                index,
                timestamp,
                live,
                family,
                ..
            } = pending;
            let matched = (matched != NO_MATCH).then(|| usize::from(matched));
            let judged = verify::outcome(matched, Some(timestamp), live, family);
            outcome(index, judged, body);
        }
        self.around.clear();
        self.candidates.clear();
        self.endpoints.clear();
        self.bytes = 0;
    }
}

impl<B: AsRef<[u8]>> Default for Chunk<B> {
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

/// What a message costs beside its body, counted in hashed bytes: three blocks.
const OVERHEAD_BYTES: usize = 192;

/// How many grains a chunk is cut into for each thread: whoever is done first takes one more.
const GRAINS_PER_THREAD: usize = 4;

/// The least work a thread takes at a time: 20 µs, long beside the lock it takes for it.
const LEAST_GRAIN_BYTES: usize = 64 * 1024;
