//! Several messages in step: each vector lane is a stream of blocks, and takes the next message
//! when its last one ends.

use zeroize::{Zeroize, Zeroizing};

use crate::{
    BLOCK_BYTES, Block, Interrupted, Job, Kernel, Mac, State,
    hmac::{Pace, STEP_BYTES, digest_of},
    message::{Message, Start, block_count},
    wide::States,
};

/// Code that hashes `WIDTH` messages in step.
pub(crate) trait Wide<const WIDTH: usize> {
    /// What `WIDTH` blocks in step cost, in the time of one block alone, in hundredths.
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
    pub(crate) order: &'j [usize],
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
        let (first, rest) = self.order.split_first()?;
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

    /// Where the body lies of the job that comes after `others`.
    fn body_behind(&self, others: usize) -> *const u8 {
        let at = self.order.get(others);
        at.map_or(std::ptr::null(), |at| self.jobs[*at].body.as_ptr())
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
    let mut keys = OuterKeys {
        all_are: None,
        states: States([[0; WIDTH]; 8]),
    };
    let mut ahead: [*const u8; WIDTH] = std::array::from_fn(|lane| queue.body_behind(lane));
    let mut live = is_live.iter().filter(|is_live| **is_live).count();
    while live > 0 && live * 100 >= wide.cost() {
        let taken = step(wide, &mut states, &lanes, &is_live, &ahead);
        pace.hashed(live * taken * BLOCK_BYTES)?;
        for (message, ahead) in lanes.iter_mut().zip(&mut ahead) {
            message.advance(taken);
            *ahead = ahead.wrapping_add(taken * BLOCK_BYTES);
        }
        // Messages of one length go to the outer hash together, without a way through memory.
        let together = live == WIDTH && lanes.iter().all(Message::awaits_outer);
        if together {
            wide.outer(&mut states, keys.of(&lanes));
            pace.hashed(live * BLOCK_BYTES)?;
        }
        for (lane, message) in lanes.iter_mut().enumerate() {
            if !is_live[lane] || !message.is_through() {
                continue;
            }
            let state = state_of(&states, lane);
            let mac = if together {
                Some(digest_of(&state))
            } else {
                message.turn(&state)
            };
            let next = match mac {
                None => Some(*message.first_state()),
                Some(mac) => {
                    macs[message.slot] = mac;
                    ahead[lane] = queue.body_behind(WIDTH);
                    queue.next(message)
                }
            };
            if let Some(state) = next {
                put(&mut states, lane, &state);
            } else {
                is_live[lane] = false;
                live -= 1;
            }
        }
    }
    // With room for all from the start: a list that grows leaves its bytes behind.
    let mut left = Vec::with_capacity(WIDTH);
    for (lane, message) in lanes.into_iter().enumerate() {
        if is_live[lane] {
            let state = Zeroizing::new(state_of(&states, lane));
            left.push(Begun { message, state });
        }
    }
    Ok(left)
}

/// The keyed states of the outer hash, as [`Wide::outer`] takes them.
struct OuterKeys<'a, K, const WIDTH: usize> {
    /// The key, where all lanes have the same: most batches have few.
    all_are: Option<&'a K>,
    states: States<WIDTH>,
}

impl<'a, K: Start, const WIDTH: usize> OuterKeys<'a, K, WIDTH> {
    fn of(&mut self, lanes: &[Message<'a, K>; WIDTH]) -> &States<WIDTH> {
        let is_of_all = |key: &K| lanes.iter().all(|message| std::ptr::eq(message.key(), key));
        if !self.all_are.is_some_and(is_of_all) {
            for (lane, message) in lanes.iter().enumerate() {
                if let Some(outer) = message.key().outer() {
                    put(&mut self.states, lane, outer);
                }
            }
            self.all_are = lanes.first().map(Message::key).filter(|key| is_of_all(key));
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

/// The order in which lanes take jobs: one long job is then begun early, beside many others.
pub(crate) fn longest_first<K>(jobs: &[Job<'_, K>]) -> Vec<usize> {
    let blocks: Vec<usize> = jobs.iter().map(block_count).collect();
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    if !blocks.is_sorted_by(|a, b| a >= b) {
        order.sort_by_key(|at| std::cmp::Reverse(blocks[*at]));
    }
    order
}
