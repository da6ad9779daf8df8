//! Some messages of a batch: taken one by one as they came, judged and hashed together.

#![expect(
    clippy::inline_always,
    reason = "a call for each header value is a third of what taking it costs"
)]

use std::{
    collections::TryReserveError,
    ops::{Deref, Range},
    ptr,
    sync::{Arc, Mutex, PoisonError},
};

use hookseal_lanes::{Kernel, Watch, prefetch};

use super::grain::{Judged, Scratch};
use crate::{
    endpoint::Endpoint,
    header::{Slot, Values},
    stop::Stop,
    verify::Rules,
};

/// The most messages of one chunk. A chunk is read before it is hashed, so it bounds the memory
/// that a batch of any size needs beside its result (about 300 bytes for each message of three
/// chunks), and what was read of it should still be in the near cache.
pub const CHUNK_MESSAGES: usize = 512;

/// The most bytes of bodies and header values in one chunk, but for a single message that has
/// more.
pub const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Messages as they came. `B` keeps a body alive while it is hashed, and `E` an endpoint: by a
/// reference where somebody holds them all, for to count one up and down costs more than the
/// lookup that found it.
///
/// Whoever fills it only copies: their headers are read, and their bodies hashed, by the
/// threads that take its grains.
#[derive(Debug)]
pub struct Chunk<B, E = Arc<Endpoint>> {
    rules: Rules,
    messages: Vec<Message>,
    bodies: Vec<B>,
    /// The header values of all messages, one behind the other.
    text: Vec<u8>,
    values: Vec<Value>,
    endpoints: Vec<E>,
    grains: Vec<Grain>,
    body_bytes: usize,
}

/// One message, by where its parts end in the chunk's lists: each begins where that of the
/// message before ends.
#[derive(Debug)]
struct Message {
    index: usize,
    /// The instant of judgement.
    at: i64,
    text: usize,
    values: usize,
    endpoint: usize,
}

/// One header value, and where it ends.
#[derive(Debug)]
struct Value {
    end: usize,
    slot: Slot,
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
            text: Vec::new(),
            values: Vec::new(),
            endpoints: Vec::new(),
            grains: Vec::new(),
            body_bytes: 0,
        }
    }

    /// Whether the chunk should be hashed before more is pushed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        // An empty value takes room too, and a header may have a million of them.
        let values = self.text.len() + self.values.len() * size_of::<Value>();
        self.messages.len() >= CHUNK_MESSAGES || self.body_bytes + values >= CHUNK_BYTES
    }

    /// About how many bytes there are to hash for one secret.
    #[must_use]
    pub fn work(&self) -> usize {
        self.body_bytes + self.messages.len() * OVERHEAD_BYTES
    }

    /// Takes a header value of the message that is pushed next.
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then nothing was taken.
    #[inline(always)]
    pub fn value(&mut self, slot: Slot, value: &[u8]) -> Result<(), TryReserveError> {
        let is_short = self.text.capacity() - self.text.len() < value.len();
        if is_short || self.values.len() == self.values.capacity() {
            self.make_room_for_value(value.len())?;
        }
        self.text.extend_from_slice(value);
        let end = self.text.len();
        self.values.push(Value { end, slot });
        Ok(())
    }

    #[cold]
    fn make_room_for_value(&mut self, bytes: usize) -> Result<(), TryReserveError> {
        self.text.try_reserve(bytes)?;
        self.values.try_reserve(1)
    }

    /// Forgets the values of a message that is not pushed.
    #[inline]
    pub fn forget_values(&mut self) {
        let (text, values) = ends(self.messages.last());
        self.text.truncate(text);
        self.values.truncate(values);
    }

    /// Takes message `index` of the batch, with the values that were given since the last one.
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then nothing was taken but the values.
    #[inline]
    pub fn push(
        &mut self,
        index: usize,
        body: B,
        endpoint: &E,
        at: i64,
    ) -> Result<(), TryReserveError> {
        if self.messages.len() == self.messages.capacity()
            || self.bodies.len() == self.bodies.capacity()
        {
            self.make_room_for_message()?;
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
        self.messages.push(Message {
            index,
            at,
            text: self.text.len(),
            values: self.values.len(),
            endpoint: self.endpoints.len() - 1,
        });
        self.body_bytes = self.body_bytes.saturating_add(body.as_ref().len());
        self.bodies.push(body);
        Ok(())
    }

    #[cold]
    fn make_room_for_message(&mut self) -> Result<(), TryReserveError> {
        self.messages.try_reserve(1)?;
        self.bodies.try_reserve(1)
    }

    /// Cuts the chunk into grains, by bytes, so that no thread is left with the long messages:
    /// one for one thread, several for each of more. Nothing is pushed from here to
    /// [`Chunk::settle`].
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then there are no grains.
    pub fn close(&mut self, threads: usize, kernel: Kernel) -> Result<(), TryReserveError> {
        let least = match threads {
            0 | 1 => usize::MAX,
            more => (self.work() / (more * GRAINS_PER_THREAD)).max(LEAST_GRAIN_BYTES),
        };
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

    /// Judges one grain: reads its headers, then computes and compares its MACs.
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
        scratch.begin(range.len())?;
        let bodies = &self.bodies[range.clone()];
        let (mut text, mut values) = ends(self.messages[..range.start].last());
        let messages = &self.messages[range.clone()];
        for ((place, message), body) in messages.iter().enumerate().zip(bodies) {
            let kept = Kept {
                text: &self.text,
                start: text,
                values: &self.values[values..message.values],
            };
            (text, values) = (message.text, message.values);
            if place < kernel.lanes() {
                prefetch(body.as_ref());
            }
            let endpoint = &self.endpoints[message.endpoint];
            let refused = scratch.read(
                place,
                endpoint,
                &self.rules,
                body.as_ref(),
                &kept,
                message.at,
            )?;
            if let Some(outcome) = refused {
                judged[place].outcome = outcome;
            }
        }
        let endpoint = |place: usize| &*self.endpoints[messages[place].endpoint];
        let body = |place: usize| bodies[place].as_ref();
        scratch.hash(endpoint, body, judged, kernel, watch)
    }

    /// Hands out what was judged, in order, and empties the chunk.
    pub fn settle(&mut self, mut settled: impl FnMut(usize, Judged, B)) {
        let mut messages = self.messages.iter().zip(self.bodies.drain(..));
        for grain in &mut self.grains {
            let judged = grain
                .judged
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            // As many as the grain has messages, judged or not.
            for (judged, (message, body)) in judged.iter().zip(&mut messages) {
                settled(message.index, *judged, body);
            }
            judged.clear();
            grain.range = 0..0;
        }
        drop(messages);
        self.messages.clear();
        self.text.clear();
        // One long header, or a million of them, is not kept for the rest of a batch.
        self.text.shrink_to(CHUNK_BYTES);
        self.values.clear();
        self.values.shrink_to(CHUNK_BYTES / size_of::<Value>());
        self.endpoints.clear();
        self.body_bytes = 0;
    }
}

/// Where the text and the values of a message end; of none, where the first begin.
fn ends(message: Option<&Message>) -> (usize, usize) {
    message.map_or((0, 0), |message| (message.text, message.values))
}

/// The header values of one message.
struct Kept<'a> {
    text: &'a [u8],
    /// Where the first begins.
    start: usize,
    values: &'a [Value],
}

impl Values for Kept<'_> {
    #[inline]
    fn each(&self) -> impl Iterator<Item = (Slot, &[u8])> {
        let mut start = self.start;
        self.values.iter().map(move |value| {
            let text = &self.text[start..value.end];
            start = value.end;
            (value.slot, text)
        })
    }
}

/// What a message costs beside its body, counted in hashed bytes: three blocks.
const OVERHEAD_BYTES: usize = 192;

/// How many grains a chunk is cut into for each thread: whoever is done first takes one more.
/// Two threads are as fast with four, and slower with two.
const GRAINS_PER_THREAD: usize = 3;

/// The least work a thread takes at a time: 20 µs, long beside the lock it takes for it.
const LEAST_GRAIN_BYTES: usize = 64 * 1024;
