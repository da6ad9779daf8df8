//! Some messages of a batch: taken one by one as they came, judged and hashed together.

use std::{
    collections::TryReserveError,
    iter, mem,
    ops::{Deref, Range},
    ptr,
    sync::{Arc, Mutex, PoisonError},
};

use hookseal_lanes::{Kernel, Mac, Watch};

use super::grain::{Judged, Message, Part, Ready, Scratch};
use crate::{
    endpoint::Endpoint,
    header::{Single, Slot, Values},
    signature::MAX_CANDIDATES,
    stop::Stop,
    verify::{self, MAX_AROUND_BYTES, Rules, write_parts},
};

/// The most messages of one chunk. A chunk is read before it is hashed, so it bounds the memory
/// that a batch of any size needs beside its result (about 220 bytes for each message of its
/// chunks, and 76 more while it is hashed), and what was read of it should still be in the near cache.
pub const CHUNK_MESSAGES: usize = 256;

/// The most bytes of bodies and header values in one chunk, but for a single message that has
/// more.
pub const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Messages as they came. `B` keeps a body alive while it is hashed, and `E` an endpoint: by a
/// reference where somebody holds them all, for to count one up and down costs more than the
/// lookup that found it.
///
/// Whoever fills it reads their headers, while they are in the near cache, and keeps what there is
/// to hash and to compare; their bodies are hashed by the threads that take its grains.
#[derive(Debug)]
pub struct Chunk<B, E = Arc<Endpoint>> {
    rules: Rules,
    messages: Vec<Message>,
    bodies: Vec<B>,
    /// The signed bytes around the bodies.
    around: Vec<u8>,
    candidates: Vec<Mac>,
    endpoints: Vec<E>,
    grains: Vec<Grain>,
    /// Of the message that is pushed next.
    kept: Kept,
    body_bytes: usize,
    /// The bytes of all values that were read.
    value_bytes: usize,
}

/// Neighbouring messages, and what came of them. One thread has it at a time.
#[derive(Debug)]
struct Grain {
    range: Range<usize>,
    judged: Mutex<Vec<Judged>>,
}

impl<B: AsRef<[u8]>, E: Deref<Target = Endpoint> + Clone> Chunk<B, E> {
    /// An empty chunk for messages that are judged by these rules.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self {
            rules,
            messages: Vec::new(),
            bodies: Vec::new(),
            around: Vec::new(),
            candidates: Vec::new(),
            endpoints: Vec::new(),
            grains: Vec::new(),
            kept: Kept::NONE,
            body_bytes: 0,
            value_bytes: 0,
        }
    }

    /// Whether the chunk should be hashed before more is pushed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let bytes = self.body_bytes + self.value_bytes + self.kept.bytes();
        self.messages.len() >= CHUNK_MESSAGES || bytes >= CHUNK_BYTES
    }

    /// How many messages were taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.messages.len()
    }

    /// About how many bytes there are to hash for one secret.
    #[must_use]
    pub fn work(&self) -> usize {
        self.body_bytes + self.messages.len() * OVERHEAD_BYTES
    }

    /// Makes room for as many messages, so that what is read need not be moved while it grows.
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then there may be room for fewer.
    pub fn expect(&mut self, messages: usize) -> Result<(), TryReserveError> {
        let messages = messages.min(CHUNK_MESSAGES);
        self.messages.try_reserve(messages)?;
        self.bodies.try_reserve(messages)?;
        self.candidates.try_reserve(messages + MAX_CANDIDATES)?;
        self.around
            .try_reserve(messages * SOME_AROUND_BYTES + MAX_AROUND_BYTES)
    }

    /// Takes a header value of the message that is pushed next.
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then nothing was taken.
    #[inline]
    pub fn value(&mut self, slot: Slot, value: &[u8]) -> Result<(), TryReserveError> {
        self.kept.push(slot, value)
    }

    /// Forgets the values of a message that is not pushed.
    #[inline]
    pub fn forget_values(&mut self) {
        self.kept.clear();
    }

    /// Takes message `index` of the batch, with the values that were given since the last one.
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then nothing was taken but the values.
    pub fn push(
        &mut self,
        index: usize,
        body: B,
        endpoint: &E,
        at: i64,
    ) -> Result<(), TryReserveError> {
        let mut kept = mem::replace(&mut self.kept, Kept::NONE);
        let carried = self.carry(body, endpoint);
        if carried.is_ok() {
            self.judge_last(index, endpoint, at, &kept);
        }
        // Neither way are they another message's.
        self.value_bytes = self.value_bytes.saturating_add(kept.bytes());
        kept.clear();
        self.kept = kept;
        carried
    }

    /// Takes message `index` of the batch, with the value of each of its headers; what was given
    /// since the last one is forgotten.
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then nothing was taken.
    #[expect(
        clippy::inline_always,
        reason = "the body is written where it stays, and need not be moved for a call"
    )]
    #[inline(always)]
    pub fn push_single(
        &mut self,
        index: usize,
        body: B,
        endpoint: &E,
        at: i64,
        values: &Single<'_>,
    ) -> Result<(), TryReserveError> {
        if !self.kept.values.is_empty() {
            self.forget_values();
        }
        let bytes = values.values.iter().flatten().map(|value| value.len());
        self.value_bytes = bytes.fold(self.value_bytes, usize::saturating_add);
        self.carry(body, endpoint)?;
        self.judge_last(index, endpoint, at, values);
        Ok(())
    }

    /// Takes a message's body, and makes room for the rest.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn carry(&mut self, body: B, endpoint: &E) -> Result<(), TryReserveError> {
        // So that nothing is allocated while the message is judged.
        if self.messages.len() == self.messages.capacity()
            || self.bodies.len() == self.bodies.capacity()
            || self.around.capacity() - self.around.len() < MAX_AROUND_BYTES
            || self.candidates.capacity() - self.candidates.len() < MAX_CANDIDATES
        {
            self.make_room()?;
        }
        // Neighbours are often of one endpoint.
        if self
            .endpoints
            .last()
            .is_none_or(|last| !ptr::eq(&raw const **last, &raw const **endpoint))
        {
            self.endpoints.try_reserve(1)?;
            self.endpoints.push(endpoint.clone());
        }
        self.body_bytes = self.body_bytes.saturating_add(body.as_ref().len());
        // `push` is called, and hands the body over in memory.
        self.bodies.extend(iter::once(body));
        Ok(())
    }

    /// Judges the message whose body was taken last, as far as that needs no MAC.
    #[inline(never)]
    fn judge_last(&mut self, index: usize, endpoint: &E, at: i64, values: &impl Values) {
        let Some(body) = self.bodies.last() else {
            return;
        };
        let (start, first) = (self.around.len(), self.candidates.len());
        let (mut head, mut tail) = (start, start);
        let found = |candidate| self.candidates.push(candidate);
        let prepared = verify::prepare(endpoint, &self.rules, body.as_ref(), values, at, found);
        let ready = prepared.map(|prepared| {
            let scheme = endpoint.scheme();
            for (parts, end) in [(&scheme.head, &mut head), (&scheme.tail, &mut tail)] {
                write_parts(parts, prepared.id, prepared.timestamp_text, |part| {
                    self.around.extend_from_slice(part);
                });
                *end = self.around.len();
            }
            Ready {
                timestamp: prepared.timestamp,
                live: prepared.live,
                family: prepared.family,
            }
        });
        self.messages.push(Message {
            index,
            ready,
            endpoint: Message::place(self.endpoints.len() - 1),
            start: Message::place(start),
            head: Message::place(head),
            tail: Message::place(tail),
            first: Message::place(first),
            last: Message::place(self.candidates.len()),
        });
    }

    #[cold]
    fn make_room(&mut self) -> Result<(), TryReserveError> {
        self.messages.try_reserve(SOME_MESSAGES)?;
        self.bodies.try_reserve(SOME_MESSAGES)?;
        self.around.try_reserve(MAX_AROUND_BYTES)?;
        self.candidates.try_reserve(MAX_CANDIDATES)
    }

    /// Cuts the chunk into grains, by bytes, so that no thread is left with the long messages:
    /// one for one thread, and up to some for each of more. Nothing is pushed from here to
    /// [`Chunk::settle`].
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then there are no grains.
    pub fn close(&mut self, threads: usize, kernel: Kernel) -> Result<(), TryReserveError> {
        if threads <= 1 {
            let all = usize::from(!self.bodies.is_empty());
            if all > 0 {
                self.cut(0, 0..self.bodies.len())
                    .inspect_err(|_| self.grains.clear())?;
            }
            self.grains.truncate(all);
            return Ok(());
        }
        let most = threads.saturating_mul(GRAINS_PER_THREAD);
        // Of about the same size: a thin one behind the others would leave lanes empty.
        let least = self.work() / (self.work() / GRAIN_BYTES).clamp(1, most);
        // Whole groups of lanes; where there is not one, the threads share what there is.
        let group = match kernel.lanes() {
            lanes if lanes <= self.bodies.len() => lanes,
            _ => 1,
        };
        let (mut count, mut start, mut bytes) = (0, 0, 0);
        for end in 1..=self.bodies.len() {
            bytes += self.bodies[end - 1].as_ref().len() + OVERHEAD_BYTES;
            let is_enough = bytes >= least && (end - start).is_multiple_of(group);
            if is_enough || end == self.bodies.len() {
                self.cut(count, start..end).inspect_err(|_| {
                    self.grains.clear();
                })?;
                (count, start, bytes) = (count + 1, end, 0);
            }
        }
        self.grains.truncate(count);
        Ok(())
    }

    /// Makes grain `number` of some messages, in the memory of the one that had the number
    /// before.
    fn cut(&mut self, number: usize, range: Range<usize>) -> Result<(), TryReserveError> {
        if number == self.grains.len() {
            self.grains.try_reserve(1)?;
            self.grains.push(Grain {
                range: 0..0,
                judged: Mutex::default(),
            });
        }
        let grain = &mut self.grains[number];
        let judged = grain
            .judged
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        judged.clear();
        judged.try_reserve(range.len())?;
        judged.resize(range.len(), Judged::UNVERIFIED);
        grain.range = range;
        Ok(())
    }

    /// How many grains the closed chunk has.
    #[must_use]
    pub fn grains(&self) -> usize {
        self.grains.len()
    }

    /// Judges one grain: computes and compares its MACs.
    ///
    /// # Errors
    /// [`Stop`] if `watch` says so, or memory is short.
    pub fn hash(
        &self,
        grain: usize,
        scratch: &mut Scratch,
        kernel: Kernel,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stop> {
        let Some(Grain { range, judged }) = self.grains.get(grain) else {
            return Ok(());
        };
        let judged = &mut *judged.lock().unwrap_or_else(PoisonError::into_inner);
        let part = Part {
            messages: &self.messages[range.clone()],
            bodies: &self.bodies[range.clone()],
            around: &self.around,
            candidates: &self.candidates,
            endpoints: &self.endpoints,
        };
        scratch.hash(&part, judged, kernel, watch)
    }

    /// Hands out what was judged, in order, and empties the chunk.
    pub fn settle(&mut self, mut settled: impl FnMut(usize, Judged, B)) {
        let mut messages = self.messages.iter();
        let mut bodies = self.bodies.drain(..);
        for grain in &mut self.grains {
            let judged = grain
                .judged
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            // As many as the grain has messages, judged or not.
            for (judged, message) in judged.iter().zip(&mut messages) {
                // Not zipped with the others, for that moves each twice.
                if let Some(body) = bodies.next() {
                    settled(message.index, *judged, body);
                }
            }
            judged.clear();
            grain.range = 0..0;
        }
        drop(bodies);
        self.messages.clear();
        self.around.clear();
        self.candidates.clear();
        self.endpoints.clear();
        (self.body_bytes, self.value_bytes) = (0, 0);
    }
}

/// The header values of one message, one behind the other.
#[derive(Debug)]
struct Kept {
    text: Vec<u8>,
    values: Vec<Value>,
}

/// One header value, and where it ends.
#[derive(Debug)]
struct Value {
    end: usize,
    slot: Slot,
}

impl Kept {
    const NONE: Self = Self {
        text: Vec::new(),
        values: Vec::new(),
    };

    #[inline]
    fn push(&mut self, slot: Slot, value: &[u8]) -> Result<(), TryReserveError> {
        self.text.try_reserve(value.len())?;
        self.values.try_reserve(1)?;
        self.text.extend_from_slice(value);
        let end = self.text.len();
        self.values.push(Value { end, slot });
        Ok(())
    }

    /// An empty value takes room too, and a header may have a million of them.
    fn bytes(&self) -> usize {
        self.text.len() + self.values.len() * size_of::<Value>()
    }

    fn clear(&mut self) {
        self.text.clear();
        // One long header, or a million of them, is not kept for the rest of a batch.
        self.text.shrink_to(CHUNK_BYTES);
        self.values.clear();
        self.values.shrink_to(CHUNK_BYTES / size_of::<Value>());
    }
}

impl Values for Kept {
    #[inline]
    fn each(&self) -> impl Iterator<Item = (Slot, &[u8])> {
        let mut start = 0;
        self.values.iter().map(move |value| {
            let text = &self.text[start..value.end];
            start = value.end;
            (value.slot, text)
        })
    }
}

/// The signed bytes around most bodies: an id, a time and two full stops.
const SOME_AROUND_BYTES: usize = 48;

/// For how many messages room is made where more come than were expected.
const SOME_MESSAGES: usize = 64;

/// What a message costs beside its body, counted in hashed bytes: three blocks.
pub(super) const OVERHEAD_BYTES: usize = 192;

/// How many grains a chunk is cut into for each thread, at most: whoever is done first takes one more.
const GRAINS_PER_THREAD: usize = 3;

/// The work that is worth a grain of its own, about 40 µs of the fastest kernel. The lanes begin and
/// end each of them half empty.
const GRAIN_BYTES: usize = 128 * 1024;
