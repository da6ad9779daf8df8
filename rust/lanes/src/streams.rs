//! Several messages in step: each vector lane is a stream of blocks, and takes the next message
//! when its last one ends.

use std::ptr;

use zeroize::{Zeroize, Zeroizing};

use crate::{
    BLOCK_BYTES, Block, Interrupted, Job, Kernel, Mac, State,
    hmac::{Pace, STEP_BYTES, digest_of},
    message::{Message, Start, block_count},
    prefetch_value,
    runs::Runs,
    wide::States,
};

/// Takes the MAC of a slot, and says under which other key its job is to be hashed, if there is one.
pub(crate) type Found<'f, 'a, K> = dyn FnMut(usize, &Mac) -> Option<&'a K> + 'f;

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

/// Messages that wait for a lane: first those that were begun elsewhere, then those that are hashed
/// under one more key.
pub(crate) struct Queue<'j, 'a, K> {
    pub(crate) begun: Vec<Begun<'a, K>>,
    /// By their slots. They are few, for a lane that is free takes one of them first.
    again: Vec<(usize, &'a K)>,
    jobs: &'j [Job<'a, K>],
    /// The jobs that wait, the longest first.
    order: &'j [Turn],
    /// The MAC that is handed over: wiped at the end, and used again until then. The queue is not moved,
    /// for that would leave one behind.
    mac: Zeroizing<Mac>,
    found: &'j mut Found<'j, 'a, K>,
}

impl<'j, 'a, K: Start> Queue<'j, 'a, K> {
    /// Jobs that nobody has begun, in an order of [`longest_first`].
    pub(crate) fn new(
        jobs: &'j [Job<'a, K>],
        order: &'j [Turn],
        found: &'j mut Found<'j, 'a, K>,
    ) -> Self {
        Self {
            begun: Vec::new(),
            again: Vec::new(),
            jobs,
            order,
            mac: Zeroizing::default(),
            found,
        }
    }
}

impl<'a, K: Start> Queue<'_, 'a, K> {
    /// Whether there are any.
    #[inline]
    fn waits(&self) -> bool {
        !(self.order.is_empty() && self.again.is_empty() && self.begun.is_empty())
    }

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
        if let Some((slot, key)) = self.again.pop() {
            let job = self.jobs[slot];
            place.begin(slot, &Job { key, ..job });
        } else {
            let (first, rest) = self.order.split_first()?;
            self.order = rest;
            place.begin(first.slot(), &self.jobs[first.slot()]);
        }
        Some(*place.first_state())
    }

    /// Hands over what a slot's job came to.
    #[inline]
    fn found(&mut self, slot: usize, state: &State) {
        *self.mac = digest_of(state);
        if let Some(key) = (self.found)(slot, &self.mac) {
            self.again.push((slot, key));
        }
    }

    /// Works the queue off without lanes.
    pub(crate) fn one_by_one(
        &mut self,
        kernel: Kernel,
        pace: &mut Pace<'_, '_>,
    ) -> Result<(), Interrupted> {
        let Some(first) = self.jobs.first() else {
            return Ok(());
        };
        let mut message = Message::none(first.key);
        while let Some(state) = self.next(&mut message) {
            let state = message.finish(kernel, state, pace)?;
            self.found(message.slot, &state);
        }
        Ok(())
    }

    /// Where the body lies of the job that comes after `others`; its key is asked for.
    #[inline]
    fn body_behind(&self, others: usize) -> *const u8 {
        let Some(turn) = self.order.get(others) else {
            return ptr::null();
        };
        let job = &self.jobs[turn.slot()];
        prefetch_value(job.key);
        job.body.as_ptr()
    }
}

/// Computes MACs until so few messages are left that they are better hashed otherwise: those
/// are handed back, with their chaining values.
#[expect(
    unsafe_code,
    reason = "what a lane hashes lies in the message that it holds"
)]
pub(crate) fn macs<'a, K: Start, const WIDTH: usize>(
    wide: &impl Wide<WIDTH>,
    queue: &mut Queue<'_, 'a, K>,
    pace: &mut Pace<'_, '_>,
) -> Result<Vec<Begun<'a, K>>, Interrupted> {
    let Some(first) = queue.jobs.first() else {
        return Ok(Vec::new());
    };
    let mut states = States([[0; WIDTH]; 8]);
    let mut lanes: [_; WIDTH] = std::array::from_fn(|_| Message::none(first.key));
    let (mut inner, mut outer) = (KeyedStates::<K, WIDTH>::none(), KeyedStates::none());
    let mut waiting = Waiting::none(first.key);
    let mut runs = Runs::none();
    let mut ahead = [ptr::null(); WIDTH];
    let cost = wide.cost();
    loop {
        if runs.live() < WIDTH && queue.waits() {
            // Of messages that all begin, under one key, the states are written as whole vectors.
            let all_begin = runs.live() == 0 && queue.begun.is_empty();
            for lane in 0..WIDTH {
                if runs.is_live(lane) {
                    continue;
                }
                // Not a loop over all of them: the others stay untouched.
                let message = &mut lanes[lane];
                let behind = queue.body_behind(WIDTH);
                let Some(state) = queue.next(message) else {
                    break;
                };
                if !all_begin {
                    put(&mut states, lane, &state);
                }
                runs.begin(lane, message.run());
                ahead[lane] = behind;
            }
            if all_begin {
                let keys = lanes.each_ref().map(Message::key);
                states.0 = inner.of(&keys, |key| Some(key.state())).0;
            }
        }
        let live = runs.live();
        if live * 100 < cost {
            if waiting.count * 100 < cost {
                break;
            }
            pace.hashed(waiting.count * BLOCK_BYTES)?;
            waiting.hash(wide, &mut outer, queue);
            continue;
        }
        let count = runs.shortest().min(STEP_BYTES / BLOCK_BYTES / WIDTH);
        // SAFETY: no run is shorter than the shortest. A live lane's message has neither moved nor changed
        // since its run began: it is looked at when that has ended, and then the next one begins.
        let blocks = unsafe { runs.blocks(count) };
        wide.compress(&mut states, &blocks, count, &ahead);
        pace.hashed(live * count * BLOCK_BYTES)?;
        for ahead in &mut ahead {
            *ahead = ahead.wrapping_add(count * BLOCK_BYTES);
        }
        let ended = runs.advance(count);
        // Messages of one length go to the outer hash together, without a way through memory.
        let awaits_outer =
            |(lane, message): (_, &Message<_>)| message.awaits_outer(runs.hashed(lane));
        if ended.count() == WIDTH && lanes.iter().enumerate().all(awaits_outer) {
            let keys = lanes.each_ref().map(Message::key);
            wide.outer(&mut states, outer.of(&keys, Start::outer));
            pace.hashed(live * BLOCK_BYTES)?;
            for (lane, message) in lanes.iter().enumerate() {
                queue.found(message.slot, &state_of(&states, lane));
            }
            runs = Runs::none();
            continue;
        }
        for lane in ended.lanes() {
            let message = &mut lanes[lane];
            message.advance(runs.hashed(lane));
            if !message.is_through() {
                runs.begin(lane, message.run());
                continue;
            }
            let state = state_of(&states, lane);
            if !message.awaits_outer(0) {
                queue.found(message.slot, &state);
            } else if waiting.push(message, &state) {
                pace.hashed(waiting.count * BLOCK_BYTES)?;
                waiting.hash(wide, &mut outer, queue);
            }
            runs.end(lane);
        }
    }
    // With room for all from the start: a list that grows leaves its bytes behind.
    let mut left = Vec::with_capacity(waiting.count + runs.live());
    waiting.hand_back(&mut left);
    // One by one: most calls end with few, and all lanes are some kilobytes to be moved.
    for (lane, message) in lanes.iter_mut().enumerate() {
        if runs.is_live(lane) {
            message.advance(runs.hashed(lane));
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
}

impl<'a, K: Start, const WIDTH: usize> Waiting<'a, K, WIDTH> {
    fn none(key: &'a K) -> Self {
        Self {
            states: States([[0; WIDTH]; 8]),
            slots: [0; WIDTH],
            of: [key; WIDTH],
            count: 0,
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
    fn hash(
        &mut self,
        wide: &impl Wide<WIDTH>,
        keys: &mut KeyedStates<'a, K, WIDTH>,
        queue: &mut Queue<'_, 'a, K>,
    ) {
        wide.outer(&mut self.states, keys.of(&self.of, Start::outer));
        for (lane, slot) in self.slots.iter().enumerate().take(self.count) {
            queue.found(*slot, &state_of(&self.states, lane));
        }
        self.count = 0;
    }

    /// Those that are too few to go side by side, as messages that are begun.
    fn hand_back(&self, left: &mut Vec<Begun<'a, K>>) {
        for at in 0..self.count {
            let mut message = Message::none(self.of[at]);
            message.slot = self.slots[at];
            if message.turn(&state_of(&self.states, at)) {
                let state = Zeroizing::new(*message.first_state());
                left.push(Begun { message, state });
            }
        }
    }
}

/// The keyed states of all lanes, as [`Wide::outer`] takes them.
struct KeyedStates<'a, K, const WIDTH: usize> {
    /// The key, where all lanes have the same: most batches have few.
    all_are: Option<&'a K>,
    states: States<WIDTH>,
}

impl<'a, K: Start, const WIDTH: usize> KeyedStates<'a, K, WIDTH> {
    fn none() -> Self {
        Self {
            all_are: None,
            states: States([[0; WIDTH]; 8]),
        }
    }

    /// The states that `state` says of the lanes' keys.
    fn of(
        &mut self,
        lanes: &[&'a K; WIDTH],
        state: impl Fn(&K) -> Option<&State>,
    ) -> &States<WIDTH> {
        let is_of_all = |key: &K| lanes.iter().all(|other| ptr::eq(*other, key));
        if !self.all_are.is_some_and(is_of_all) {
            for (lane, key) in lanes.iter().enumerate() {
                if let Some(state) = state(key) {
                    put(&mut self.states, lane, state);
                }
            }
            self.all_are = lanes.first().copied().filter(|key| is_of_all(key));
        }
        &self.states
    }
}

fn put<const WIDTH: usize>(states: &mut States<WIDTH>, lane: usize, state: &State) {
    for (words, word) in states.0.iter_mut().zip(state) {
        words[lane] = *word;
    }
}

fn state_of<const WIDTH: usize>(states: &States<WIDTH>, lane: usize) -> State {
    std::array::from_fn(|word| states.0[word][lane])
}

/// How many blocks a job has, and its slot: the most first, and of as many the first slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn(u64);

impl Turn {
    /// One number, for those are sorted fastest. Of jobs of 2^32 blocks and more any is the longest.
    fn new(blocks: usize, slot: u32) -> Self {
        let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
        Self(u64::from(!blocks) << u32::BITS | u64::from(slot))
    }

    /// The slot.
    #[inline]
    fn slot(self) -> usize {
        usize::try_from(self.0 & u64::from(u32::MAX)).unwrap_or(usize::MAX)
    }
}

/// The order in which lanes take jobs: one long job is then begun early, beside many others.
///
/// # Panics
/// If there are 2^32 of them.
pub(crate) fn longest_first<K>(jobs: &[Job<'_, K>]) -> Vec<Turn> {
    assert!(u32::try_from(jobs.len()).is_ok(), "a number for each job");
    let turns = jobs.iter().zip(0..);
    let mut order: Vec<Turn> = turns
        .map(|(job, slot)| Turn::new(block_count(job), slot))
        .collect();
    order.sort_unstable();
    order
}
