//! One message on its way through the hash, as runs of whole blocks.

use smallvec::SmallVec;

use crate::{
    BLOCK_BYTES, Block, Interrupted, Job, Kernel, KeyState, State,
    hmac::{Pace, STEP_BYTES, outer_block},
};

/// What messages are hashed behind.
pub(crate) trait Start {
    /// The chaining value that it comes to.
    fn state(&self) -> &State;

    /// How many bytes it has: whole blocks.
    fn bytes(&self) -> usize;

    /// The chaining value of the outer hash, if the digest goes through one.
    fn outer(&self) -> Option<&State>;
}

impl Start for KeyState {
    #[inline]
    fn state(&self) -> &State {
        &self.inner
    }

    #[inline]
    fn bytes(&self) -> usize {
        BLOCK_BYTES
    }

    #[inline]
    fn outer(&self) -> Option<&State> {
        Some(&self.outer)
    }
}

/// A message that is being hashed: first inside, then the block of the outer hash, if there is one.
/// Its chaining value is with whoever hashes it.
pub(crate) struct Message<'a, K> {
    /// The slot its MAC goes to.
    pub(crate) slot: usize,
    key: &'a K,
    /// The body's own blocks, where they lie.
    middle: &'a [Block],
    /// What comes before them and behind them, padding included: bodies are not copied but for
    /// what fills up these blocks.
    around: SmallVec<[Block; AROUND_BLOCKS]>,
    /// How many of `around` are its own: the others are left from messages before.
    blocks: usize,
    /// How many of `around` come before the body's own.
    front: usize,
    /// Blocks hashed so far.
    at: usize,
    is_outer: bool,
}

/// Heads and tails rarely take more.
const AROUND_BLOCKS: usize = 4;

impl<'a, K: Start> Message<'a, K> {
    /// No message, with room for one.
    pub(crate) fn none(key: &'a K) -> Self {
        Self {
            slot: 0,
            key,
            middle: &[],
            // Zeros, not what the stack held: a message may be moved to the heap, room and all.
            around: SmallVec::from_buf([[0; BLOCK_BYTES]; AROUND_BLOCKS]),
            blocks: 0,
            front: 0,
            at: 0,
            is_outer: false,
        }
    }

    /// Begins with another message, in the same place.
    #[inline]
    pub(crate) fn begin(&mut self, slot: usize, job: &Job<'a, K>) {
        let to_fill = job.head.len().next_multiple_of(BLOCK_BYTES) - job.head.len();
        let (fill, body) = job.body.split_at(to_fill.min(job.body.len()));
        let (middle, rest) = body.as_chunks();
        let front = job.head.len() + fill.len();
        let copied = front + rest.len() + job.tail.len();
        self.blocks = blocks_of(copied);
        if self.around.len() < self.blocks {
            self.around.resize(self.blocks, [0; BLOCK_BYTES]);
        }
        let mut free = self.around[..self.blocks].as_flattened_mut();
        for piece in [job.head, fill, rest, job.tail] {
            if !piece.is_empty() {
                let (taken, left) = free.split_at_mut(piece.len());
                taken.copy_from_slice(piece);
                free = left;
            }
        }
        // FIPS 180-4 §5.1.1: a one bit, zeros, and the length in bits as the last eight bytes.
        let length = job.key.bytes() + copied + middle.as_flattened().len();
        if let Some((padding, last)) = free.split_last_chunk_mut() {
            padding.fill(0);
            *last = (length as u64 * 8).to_be_bytes();
            if let Some(next) = free.first_mut() {
                *next = 0x80;
            }
        }
        // Without blocks of the body's own all of it is one run.
        self.front = if middle.is_empty() {
            self.blocks
        } else {
            front / BLOCK_BYTES
        };
        (self.slot, self.key, self.middle) = (slot, job.key, middle);
        (self.at, self.is_outer) = (0, false);
    }

    /// Its key.
    #[inline]
    pub(crate) fn key(&self) -> &'a K {
        self.key
    }

    /// Whether the inner hash has had all its blocks after so many more, and another follows.
    #[inline]
    pub(crate) fn awaits_outer(&self, more: usize) -> bool {
        let is_inner = self.key.outer().is_some() && !self.is_outer;
        is_inner && self.at + more == self.blocks + self.middle.len()
    }

    /// The chaining value to begin with.
    #[inline]
    pub(crate) fn first_state(&self) -> &'a State {
        match self.key.outer() {
            Some(outer) if self.is_outer => outer,
            _ => self.key.state(),
        }
    }

    /// The next blocks that lie side by side. Empty when [`Message::turn`] is due.
    #[inline]
    pub(crate) fn run(&self) -> &[Block] {
        if self.at < self.front {
            &self.around[self.at..self.front]
        } else if let Some(rest) = self.middle.get(self.at - self.front..)
            && !rest.is_empty()
        {
            rest
        } else {
            &self.around[self.at - self.middle.len()..self.blocks]
        }
    }

    /// Whether the hash under way has had all its blocks.
    #[inline]
    pub(crate) fn is_through(&self) -> bool {
        self.at == self.blocks + self.middle.len()
    }

    /// Notes that blocks were hashed.
    #[inline]
    pub(crate) fn advance(&mut self, blocks: usize) {
        self.at += blocks;
    }

    /// Takes what the hash under way came to, and turns to the outer hash, which begins with
    /// [`Message::first_state`]; false if there is none that follows.
    #[inline]
    pub(crate) fn turn(&mut self, state: &State) -> bool {
        if self.is_outer || self.key.outer().is_none() {
            return false;
        }
        self.around[0] = outer_block(state);
        self.blocks = 1;
        (self.middle, self.front, self.at) = (&[], 1, 0);
        self.is_outer = true;
        true
    }

    /// Hashes what is left, alone; the state that its digest is.
    #[inline]
    pub(crate) fn finish(
        &mut self,
        kernel: Kernel,
        mut state: State,
        pace: &mut Pace<'_, '_>,
    ) -> Result<State, Interrupted> {
        loop {
            while !self.is_through() {
                let run = self.run();
                // A long run is taken in steps, so that the watch hears of it in time.
                let run = &run[..run.len().min(STEP_BYTES / BLOCK_BYTES)];
                kernel.compress(&mut state, run);
                let taken = run.len();
                self.advance(taken);
                pace.hashed(taken * BLOCK_BYTES)?;
            }
            if !self.turn(&state) {
                return Ok(state);
            }
            state = *self.first_state();
        }
    }
}

/// How many blocks the inner hash of a job has, behind those of the start.
#[inline]
pub(crate) fn block_count<K>(job: &Job<'_, K>) -> usize {
    blocks_of(job.head.len() + job.body.len() + job.tail.len())
}

/// How many blocks that many bytes fill with their padding: at least one byte for the one bit,
/// and eight for the length.
fn blocks_of(bytes: usize) -> usize {
    (bytes + 1 + size_of::<u64>()).div_ceil(BLOCK_BYTES)
}
