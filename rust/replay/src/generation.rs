//! Claims that end at about the same time, and go together.

use std::collections::TryReserveError;

use crate::table::{Key, Place, Seed, Slot, Table};

/// What the two clocks say, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// A clock that is never set: it says how much time has passed.
    pub steady: u64,
    /// The clock that freshness is judged by. It can be set, back and forth.
    pub wall: u64,
}

/// An instant in the life of one set of claims.
#[derive(Clone, Copy)]
pub struct Instant {
    /// The milliseconds of the steady clock since the claims were made.
    pub elapsed: u64,
    /// How far the wall clock is ahead of that.
    pub ahead: i64,
}

impl Instant {
    pub fn of(now: Now, start: u64) -> Self {
        let elapsed = now.steady.saturating_sub(start);
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            elapsed,
            ahead: signed(now.wall).saturating_sub(signed(elapsed)),
        }
    }

    /// The second at which a span that begins now has ended.
    pub fn ends(self, seconds: u32) -> u32 {
        let ends = self.elapsed.div_ceil(MILLISECONDS) + u64::from(seconds);
        u32::try_from(ends).unwrap_or(u32::MAX)
    }

    /// The second that has begun.
    pub fn second(self) -> u64 {
        self.elapsed / MILLISECONDS
    }

    /// Whether a second lies ahead by the steady clock.
    fn is_before(self, second: u32) -> bool {
        self.elapsed < u64::from(second) * MILLISECONDS
    }

    /// Whether it lies ahead by the wall clock, which was so far ahead when the second was set.
    fn is_before_by_wall(self, second: u32, was_ahead: i64) -> bool {
        // A clock that was set back has these seconds still before it.
        let set_back = u64::try_from(was_ahead.saturating_sub(self.ahead)).unwrap_or(0);
        self.elapsed < (u64::from(second) * MILLISECONDS).saturating_add(set_back)
    }
}

const MILLISECONDS: u64 = 1000;

/// The bit of [`Slot::holder`] that says that a claim is final.
pub const FINAL: u32 = 1 << 31;

/// Claims that end at about the same time.
pub struct Generation {
    /// The last second at which one of its claims ends.
    closes: u32,
    /// The furthest that the wall clock was ahead when one was made.
    ahead: i64,
    pub table: Table,
}

impl Generation {
    /// A generation for claims that begin now or soon, and last so long. It is dropped a quarter
    /// of that after the first of them has ended.
    pub fn new(seconds: u32, now: Instant) -> Self {
        Self {
            closes: now.ends(seconds).saturating_add(width(seconds)),
            ahead: i64::MIN,
            table: Table::default(),
        }
    }

    /// Whether it takes claims that begin now and last so long.
    pub fn takes(&self, seconds: u32, now: Instant) -> bool {
        let ends = now.ends(seconds);
        (ends..=ends.saturating_add(width(seconds))).contains(&self.closes)
    }

    /// Makes room for so many claims that begin now.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn open(&mut self, more: usize, now: Instant, seed: Seed) -> Result<(), TryReserveError> {
        self.ahead = self.ahead.max(now.ahead);
        self.table.reserve(more, seed)
    }

    /// Whether one of its claims can still matter.
    pub fn is_open(&self, now: Instant) -> bool {
        now.is_before(self.closes) || now.is_before_by_wall(self.closes, self.ahead)
    }

    /// Whether a claim holds.
    ///
    /// A lease lasts by the steady clock. What is final lasts until both clocks have passed it: a
    /// wall clock that was set back makes old messages fresh again.
    pub fn holds(&self, slot: &Slot, now: Instant) -> bool {
        let is_final = slot.holder & FINAL != 0;
        now.is_before(slot.ends) || (is_final && now.is_before_by_wall(slot.ends, self.ahead))
    }

    /// Removes the claims that no longer hold.
    pub fn sweep(&mut self, now: Instant) {
        let Self {
            closes,
            ahead,
            table,
        } = self;
        let bare = Self {
            closes: *closes,
            ahead: *ahead,
            table: Table::default(),
        };
        table.retain(|slot| bare.holds(slot, now));
    }

    pub fn find(&self, key: &Key, hash: u64) -> Option<Place> {
        self.table.find(key, hash)
    }
}

/// How far apart the ends of one generation's claims may lie: a quarter of what they last, so
/// that six generations are alive at a time, and what has ended is an eighth of the whole.
fn width(seconds: u32) -> u32 {
    (seconds / 4).max(1)
}
