//! Several messages in step: each vector lane is a stream of blocks, and takes the next message
//! when its last one ends.

use std::cmp::Reverse;

use zeroize::{Zeroize, Zeroizing};

use crate::{
    BLOCK_BYTES, Block, Interrupted, Job, Kernel, Mac, State,
    hmac::{Pace, STEP_BYTES, digest_of},
    message::{Message, Start, block_count},
    prefetch_value,
    wide::States,
};

/// Code that hashes `WIDTH` messages in step.
pub(crate) trait Wide<const WIDTH: usize> {
    /// What `WIDTH` blocks in step cost, in the time of one block of those that hash what is left, in
    /// hundredths.
    fn cost(&self) -> usize;

    /// Absorbs `count` blocks of every message, and asks for as many cache lines from `ahead`.
    fn compress(
        &self,
        states: &mut States<WIDTH>,
        blocks: &[&[Block]; WIDTH],
        count: usize,
        ahead: &[*const u8; WIDTH],
    );

    /// The outer hash of messages whose inner ones came to `states`, behind `keys`.
    fn outer(&self, states: &mut States<WIDTH>, keys: &States<WIDTH>);
}

/// A message whose hash was begun, or not yet, with its chaining value: before its first block
/// that is the keyed state, so it is wiped wherever it has been.
pub(crate) struct Begun<'a, K> {
    message: Message<'a, K>,
    state: Zeroizing<State>,
}

/// Messages that wait for a lane: first those that were begun elsewhere.
pub(crate) struct Queue<'j, 'a, K> {
    pub(crate) begun: Vec<Begun<'a, K>>,
    pub(crate) jobs: &'j [Job<'a, K>],
    /// The jobs that wait, the longest first.
    pub(crate) order: &'j [Turn],
}

impl<'a, K: Start> Queue<'_, 'a, K> {
    /// Puts the next message in the place of one that ended; its chaining value, or None where
    /// nothing waits.
    #[inline]
    fn next(&mut self, place: &mut Message<'a, K>) -> Option<State> {
        if let Some(Begun { message, state }) = self.begun.last_mut() {
            let begun = **state;
            // What is popped is moved, and leaves its bytes behind.
            state.zeroize();
            std::mem::swap(place, message);
            self.begun.pop();
            return Some(begun);
        }
        let ((_, first), rest) = self.order.split_first()?;
        self.order = rest;
        place.begin(*first, &self.jobs[*first]);
        Some(*place.first_state())
    }

    /// Works the queue off without lanes.
    pub(crate) fn one_by_one(
        mut self,
        kernel: Kernel,
        macs: &mut [Mac],
        pace: &mut Pace<'_, '_>,
    ) -> Result<(), Interrupted> {
        let Some(first) = self.jobs.first() else {
            return Ok(());
        };
        let mut message = Message::none(first.key);
        while let Some(state) = self.next(&mut message) {
            macs[message.slot] = message.finish(kernel, state, pace)?;
        }
        Ok(())
    }

    /// Where the body lies of the job that comes after `others`; its key is asked for.
    #[inline]
    fn body_behind(&self, others: usize) -> *const u8 {
        let Some((_, at)) = self.order.get(others) else {
            return std::ptr::null();
        };
        let job = &self.jobs[*at];
        prefetch_value(job.key);
        job.body.as_ptr()
    }
}

/// Computes MACs until so few messages are left that they are better hashed otherwise: those
/// are handed back, with their chaining values.
pub(crate) fn macs<'a, K: Start, const WIDTH: usize>(
    wide: &impl Wide<WIDTH>,
    queue: &mut Queue<'_, 'a, K>,
    macs: &mut [Mac],
    pace: &mut Pace<'_, '_>,
) -> Result<Vec<Begun<'a, K>>, Interrupted> {
    let Some(first) = queue.jobs.first() else {
        return Ok(Vec::new());
    };
    let mut states = States([[0; WIDTH]; 8]);
    let mut lanes: [_; WIDTH] = std::array::from_fn(|_| Message::none(first.key));
    let mut is_live = [false; WIDTH];
    for (lane, message) in lanes.iter_mut().enumerate() {
        if let Some(state) = queue.next(message) {
            put(&mut states, lane, &state);
            is_live[lane] = true;
        }
    }
    let mut waiting = Waiting::none(first.key);
    let mut ahead: [*const u8; WIDTH] = std::array::from_fn(|lane| queue.body_behind(lane));
    let mut live = is_live.iter().filter(|is_live| **is_live).count();
    let cost = wide.cost();
    while live > 0 && live * 100 >= cost {
        let taken = step(wide, &mut states, &lanes, &is_live, &ahead);
        pace.hashed(live * taken * BLOCK_BYTES)?;
        for (message, ahead) in lanes.iter_mut().zip(&mut ahead) {
            message.advance(taken);
            *ahead = ahead.wrapping_add(taken * BLOCK_BYTES);
        }
        // Messages of one length go to the outer hash together, without a way through memory.
        let together = live == WIDTH && lanes.iter().all(Message::awaits_outer);
        if together {
            let all = lanes.each_ref().map(Message::key);
            wide.outer(&mut states, waiting.keys.of(&all));
            pace.hashed(live * BLOCK_BYTES)?;
        }
        let mut through = 0_u32;
        for (lane, message) in lanes.iter().enumerate() {
            through |= u32::from(is_live[lane] & message.is_through()) << lane;
        }
        while through > 0 {
            let lane = through.trailing_zeros() as usize;
            through &= through - 1;
            let message = &mut lanes[lane];
            let state = state_of(&states, lane);
            if together || !message.awaits_outer() {
                macs[message.slot] = digest_of(&state);
            } else if waiting.push(message, &state) {
                pace.hashed(waiting.count * BLOCK_BYTES)?;
                waiting.hash(wide, macs);
            }
            ahead[lane] = queue.body_behind(WIDTH);
            if let Some(state) = queue.next(message) {
                put(&mut states, lane, &state);
            } else {
                is_live[lane] = false;
                live -= 1;
            }
        }
    }
    if waiting.count * 100 >= cost {
        pace.hashed(waiting.count * BLOCK_BYTES)?;
        waiting.hash(wide, macs);
    }
    // With room for all from the start: a list that grows leaves its bytes behind.
    let mut left = Vec::with_capacity(waiting.count + live);
    waiting.hand_back(&mut left);
    // One by one: most calls end with few, and all lanes are some kilobytes to be moved.
    for (lane, message) in lanes.iter_mut().enumerate() {
        if is_live[lane] {
            let state = Zeroizing::new(state_of(&states, lane));
            let message = std::mem::replace(message, Message::none(first.key));
            left.push(Begun { message, state });
        }
    }
    Ok(left)
}

/// Messages whose inner hash has ended: the outer ones are hashed side by side as soon as there is one
/// for each lane, and meanwhile the lanes go on with others.
struct Waiting<'a, K, const WIDTH: usize> {
    /// What the inner hashes came to.
    states: States<WIDTH>,
    slots: [usize; WIDTH],
    of: [&'a K; WIDTH],
    count: usize,
    keys: OuterKeys<'a, K, WIDTH>,
}

impl<'a, K: Start, const WIDTH: usize> Waiting<'a, K, WIDTH> {
    fn none(key: &'a K) -> Self {
        Self {
            states: States([[0; WIDTH]; 8]),
            slots: [0; WIDTH],
            of: [key; WIDTH],
            count: 0,
            keys: OuterKeys {
                all_are: None,
                states: States([[0; WIDTH]; 8]),
            },
        }
    }

    /// Takes one more; whether that was the last there is room for.
    #[inline]
    fn push(&mut self, message: &Message<'a, K>, state: &State) -> bool {
        put(&mut self.states, self.count, state);
        self.slots[self.count] = message.slot;
        self.of[self.count] = message.key();
        self.count += 1;
        self.count == WIDTH
    }

    /// The outer hash of all that wait.
    fn hash(&mut self, wide: &impl Wide<WIDTH>, macs: &mut [Mac]) {
        wide.outer(&mut self.states, self.keys.of(&self.of));
        for (lane, slot) in self.slots.iter().enumerate().take(self.count) {
            macs[*slot] = digest_of(&state_of(&self.states, lane));
        }
        self.count = 0;
    }

    /// Those that are too few to go side by side, as messages that are begun.
    fn hand_back(&self, left: &mut Vec<Begun<'a, K>>) {
        for at in 0..self.count {
            let mut message = Message::none(self.of[at]);
            message.slot = self.slots[at];
            if message.turn(&state_of(&self.states, at)).is_none() {
                let state = Zeroizing::new(*message.first_state());
                left.push(Begun { message, state });
            }
        }
    }
}

/// The keyed states of the outer hash, as [`Wide::outer`] takes them.
struct OuterKeys<'a, K, const WIDTH: usize> {
    /// The key, where all lanes have the same: most batches have few.
    all_are: Option<&'a K>,
    states: States<WIDTH>,
}

impl<'a, K: Start, const WIDTH: usize> OuterKeys<'a, K, WIDTH> {
    fn of(&mut self, lanes: &[&'a K; WIDTH]) -> &States<WIDTH> {
        let is_of_all = |key: &K| lanes.iter().all(|other| std::ptr::eq(*other, key));
        if !self.all_are.is_some_and(is_of_all) {
            for (lane, key) in lanes.iter().enumerate() {
                if let Some(outer) = key.outer() {
                    put(&mut self.states, lane, outer);
                }
            }
            self.all_are = lanes.first().copied().filter(|key| is_of_all(key));
        }
        &self.states
    }
}

/// Hashes as many blocks as every message has side by side; returns how many.
#[inline]
fn step<K: Start, const WIDTH: usize>(
    wide: &impl Wide<WIDTH>,
    states: &mut States<WIDTH>,
    lanes: &[Message<'_, K>; WIDTH],
    is_live: &[bool; WIDTH],
    ahead: &[*const u8; WIDTH],
) -> usize {
    let mut shortest: &[_] = &[];
    let mut blocks: [&[_]; WIDTH] = [&[]; WIDTH];
    for lane in 0..WIDTH {
        if is_live[lane] {
            blocks[lane] = lanes[lane].run();
            if shortest.is_empty() || blocks[lane].len() < shortest.len() {
                shortest = blocks[lane];
            }
        }
    }
    // A lane without a message goes along, and nobody asks what it came to.
    for (blocks, is_live) in blocks.iter_mut().zip(is_live) {
        if !is_live {
            *blocks = shortest;
        }
    }
    let count = shortest.len().min(STEP_BYTES / BLOCK_BYTES / WIDTH);
    wide.compress(states, &blocks, count, ahead);
    count
}

fn put<const WIDTH: usize>(states: &mut States<WIDTH>, lane: usize, state: &State) {
    for (words, word) in states.0.iter_mut().zip(state) {
        words[lane] = *word;
    }
}

fn state_of<const WIDTH: usize>(states: &States<WIDTH>, lane: usize) -> State {
    std::array::from_fn(|word| states.0[word][lane])
}

/// How many blocks a job has, and its place.
pub(crate) type Turn = (Reverse<usize>, usize);

/// The order in which lanes take jobs: one long job is then begun early, beside many others.
pub(crate) fn longest_first<K>(jobs: &[Job<'_, K>]) -> Vec<Turn> {
    let blocks = jobs.iter().map(|job| Reverse(block_count(job)));
    let mut order: Vec<Turn> = blocks.zip(0..).collect();
    order.sort_unstable();
    order
}
