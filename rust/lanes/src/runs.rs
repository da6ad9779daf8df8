//! Where the lanes are in their messages: the runs of blocks that lie side by side.
//!
//! What changes at every step is kept together, a list for each kind, so that a step is a few vector
//! instructions and looks at no message but those whose run has ended.

#![expect(unsafe_code, reason = "a message is not looked at until its run ends")]

use std::{iter, ptr, slice};

use crate::Block;

/// The runs that the lanes are in.
pub(crate) struct Runs<const WIDTH: usize> {
    /// The next block of each.
    next: [*const Block; WIDTH],
    /// How many there are from there on; [`MOST`] in a lane that is in none.
    left: [i32; WIDTH],
    /// How many there were.
    all: [i32; WIDTH],
    /// The lanes that are in one, as bits.
    live: u32,
}

/// The most blocks of one run, 128 GiB: what is behind them is the next. Tests make do with less.
const MOST: i32 = if cfg!(test) { 37 } else { i32::MAX };
const MOST_BLOCKS: usize = MOST as usize;

impl<const WIDTH: usize> Runs<WIDTH> {
    /// No lane is in any.
    pub(crate) fn none() -> Self {
        Self {
            next: [ptr::null(); WIDTH],
            left: [MOST; WIDTH],
            all: [MOST; WIDTH],
            live: 0,
        }
    }

    /// The lane is in a run from here on: these blocks, or as many of them as a run may have. That they
    /// lie there for as long is for the caller of [`Runs::blocks`] to know.
    #[inline]
    pub(crate) fn begin(&mut self, lane: usize, blocks: &[Block]) {
        let count = i32::try_from(blocks.len().min(MOST_BLOCKS)).unwrap_or(MOST);
        self.next[lane] = blocks.as_ptr();
        (self.all[lane], self.left[lane]) = (count, count);
        self.live |= 1 << lane;
    }

    /// The lane is in none.
    #[inline]
    pub(crate) fn end(&mut self, lane: usize) {
        self.left[lane] = MOST;
        self.live &= !(1 << lane);
    }

    /// Whether a lane is in a run.
    #[inline]
    pub(crate) fn is_live(&self, lane: usize) -> bool {
        self.live >> lane & 1 == 1
    }

    /// How many lanes are in one.
    #[inline]
    pub(crate) fn live(&self) -> usize {
        self.live.count_ones() as usize
    }

    /// How many blocks of a lane's run were hashed.
    #[inline]
    pub(crate) fn hashed(&self, lane: usize) -> usize {
        usize::try_from(self.all[lane] - self.left[lane]).unwrap_or_default()
    }

    /// How many blocks are left of each run at least.
    #[inline]
    pub(crate) fn shortest(&self) -> usize {
        let shortest = self.left.iter().fold(MOST, |least, left| least.min(*left));
        usize::try_from(shortest).unwrap_or_default()
    }

    /// The next blocks of each run. A lane that is in none goes along with another, and nobody asks
    /// what it came to.
    ///
    /// # Safety
    /// Each run has as many blocks left, and until nobody uses what is returned they lie where they lay
    /// when the run began, unchanged.
    ///
    /// # Panics
    /// If no lane is in a run.
    #[inline]
    pub(crate) unsafe fn blocks(&self, count: usize) -> [&[Block]; WIDTH] {
        let mut next = self.next;
        if self.live() < WIDTH {
            let other = next[self.live.trailing_zeros() as usize];
            for (lane, next) in next.iter_mut().enumerate() {
                if !self.is_live(lane) {
                    *next = other;
                }
            }
        }
        // SAFETY: the caller's promise.
        next.map(|next| unsafe { slice::from_raw_parts(next, count) })
    }

    /// Notes that so many blocks of each run were hashed; the lanes whose run has ended.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) -> Ended {
        for next in &mut self.next {
            *next = next.wrapping_add(count);
        }
        let count = i32::try_from(count).unwrap_or(MOST);
        let mut ended = 0;
        for (lane, left) in self.left.iter_mut().enumerate() {
            // Without the check for an overflow, which no lane comes to, it is one vector.
            *left = left.wrapping_sub(count);
            ended |= u32::from(*left == 0) << lane;
        }
        if self.live() < WIDTH {
            for (lane, left) in self.left.iter_mut().enumerate() {
                if self.live >> lane & 1 == 0 {
                    *left = MOST;
                }
            }
        }
        Ended(ended & self.live)
    }
}

/// Lanes whose run has ended, as bits.
#[derive(Clone, Copy)]
pub(crate) struct Ended(u32);

impl Ended {
    /// How many.
    #[inline]
    pub(crate) fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Each of them.
    #[inline]
    pub(crate) fn lanes(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        iter::from_fn(move || {
            let lane = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (lane < u32::BITS as usize).then_some(lane)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Job, Kernel, KeyState};

    /// Of every kernel, with bodies whose runs are cut: some in few lanes, some in all.
    #[test]
    fn a_run_that_is_too_long_is_several() {
        let key = KeyState::new(b"key");
        let body: Vec<u8> = (0..=u8::MAX).cycle().take(64 * 300).collect();
        let edges = [36, 37, 38, 73, 74, 75, 111, 299];
        for kernel in Kernel::ALL.into_iter().filter(|it| it.is_available()) {
            for count in 1..=2 * kernel.lanes() + 1 {
                let lengths = (0..count).map(|at| 64 * edges[at % edges.len()] + at % 3);
                let jobs: Vec<_> = lengths
                    .map(|length| Job {
                        key: &key,
                        head: b"head",
                        body: &body[..length],
                        tail: &[],
                    })
                    .collect();
                let mut macs = vec![[0; 32]; count];
                let done = kernel.macs(&jobs, &mut macs, &mut |_| Ok(()));
                assert_eq!(done, Ok(()));
                for (job, mac) in jobs.iter().zip(&macs) {
                    let alone = Kernel::Single.mac(job, &mut |_| Ok(()));
                    assert_eq!(alone.as_ref(), Ok(mac), "{kernel:?}, {count} messages");
                }
            }
        }
    }
}
