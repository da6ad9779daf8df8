//! A table of claims by key: exact, dense, and grown by a quarter at a time.
//!
//! Open addressing over groups of eight slots. Beside the slots lies one tag a slot, seven
//! bits of its key's hash, and the tags of a group are compared in one word: a key that is not there costs
//! a look at one or two words. A group's number is the hash scaled to the number of groups, so
//! that any number of groups will do, and a table that grows keeps its order: that is a pass
//! through memory, not a jump for each claim.

use std::{collections::TryReserveError, hint::black_box};

/// The bytes of a key.
pub const KEY_BYTES: usize = 16;

/// What a claim is known by: the first bytes of a digest.
pub type Key = [u8; KEY_BYTES];

/// What hashes differ by from one process to the next, so that nobody can choose keys that meet
/// in one group.
#[derive(Clone, Copy)]
pub struct Seed([u64; 2]);

impl Seed {
    /// The seed of a random number.
    #[must_use]
    pub fn from_number(number: u128) -> Self {
        Self([low(number), high(number)])
    }

    /// A key's hash: the two halves of a product, folded.
    #[inline]
    #[must_use]
    pub fn hash(self, key: &Key) -> u64 {
        let number = u128::from_le_bytes(*key);
        let product = u128::from(low(number) ^ self.0[0]) * u128::from(high(number) ^ self.0[1]);
        low(product) ^ high(product)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "that half is meant")]
fn low(number: u128) -> u64 {
    number as u64
}

fn high(number: u128) -> u64 {
    low(number >> 64)
}

/// A claim as it lies in the table: 24 bytes.
#[derive(Clone, Copy, Default)]
pub struct Slot {
    pub key: Key,
    /// The second at which it ends, as `generation` counts them.
    pub ends: u32,
    /// Whose it is, and whether it is final.
    pub holder: u32,
}

const GROUP: usize = 8;

/// Nothing was ever here: a search ends.
const EMPTY: u8 = 0;
/// Something was here: a search goes on.
const GONE: u8 = 1;
/// The bit that a used slot's tag has.
const USED: u8 = 0x80;

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// A table. It holds a key at most once.
#[derive(Default)]
pub struct Table {
    tags: Vec<[u8; GROUP]>,
    slots: Vec<[Slot; GROUP]>,
    len: usize,
    /// Slots that are not empty: used, or gone.
    taken: usize,
}

/// Where a claim lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    group: usize,
    at: usize,
}

impl Table {
    pub fn len(&self) -> usize {
        self.len
    }

    /// The bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.tags.capacity() * GROUP + self.slots.capacity() * size_of::<[Slot; GROUP]>()
    }

    pub fn get(&self, place: Place) -> &Slot {
        &self.slots[place.group][place.at]
    }

    /// Touches where a key would be, so that it is in the cache when it is looked for.
    #[inline]
    pub fn touch(&self, hash: u64) {
        if let Some(tags) = self.tags.get(scaled(hash, self.tags.len())) {
            black_box(tags[0]);
        }
    }

    /// Where a key lies.
    #[inline]
    pub fn find(&self, key: &Key, hash: u64) -> Option<Place> {
        let wanted = u64::from(tag(hash)) * LOW_BITS;
        let groups = self.tags.len();
        let mut group = scaled(hash, groups);
        for _ in 0..groups {
            let tags = u64::from_le_bytes(self.tags[group]);
            for at in zero_bytes(tags ^ wanted) {
                if self.slots[group][at].key == *key {
                    return Some(Place { group, at });
                }
            }
            if zero_bytes(tags).next().is_some() {
                return None;
            }
            group = after(group, groups);
        }
        None
    }

    /// Makes room for so many more.
    ///
    /// # Errors
    /// There is no memory for it; nothing has changed.
    pub fn reserve(&mut self, more: usize, seed: Seed) -> Result<(), TryReserveError> {
        if self.taken.saturating_add(more) <= most(self.tags.len()) {
            return Ok(());
        }
        let wanted = self.len.saturating_add(more);
        // Where much is gone, the same number of groups will do once they are swept.
        let grown = if wanted <= most(self.tags.len()) / 4 * 3 {
            self.tags.len()
        } else {
            let quarter_more = self.tags.len().saturating_add(self.tags.len() / 4);
            quarter_more.max(groups_for(wanted))
        };
        self.rebuild(grown, seed)
    }

    /// Puts in a key that is not there, where room was reserved.
    pub fn insert(&mut self, slot: Slot, hash: u64) {
        let groups = self.tags.len();
        let mut group = scaled(hash, groups);
        for _ in 0..groups {
            for at in 0..GROUP {
                let found = &mut self.tags[group][at];
                if *found & USED == 0 {
                    self.taken += usize::from(*found == EMPTY);
                    self.len += 1;
                    *found = tag(hash);
                    self.slots[group][at] = slot;
                    return;
                }
            }
            group = after(group, groups);
        }
        unreachable!("room was reserved");
    }

    pub fn remove(&mut self, place: Place) {
        let tags = &mut self.tags[place.group];
        // Where the group has an empty slot, no search for another key went past it.
        if tags.contains(&EMPTY) {
            tags[place.at] = EMPTY;
            self.taken -= 1;
        } else {
            tags[place.at] = GONE;
        }
        self.len -= 1;
    }

    /// Removes every claim that is not to be kept.
    pub fn retain(&mut self, keep: impl Fn(&Slot) -> bool) {
        for group in 0..self.tags.len() {
            for at in 0..GROUP {
                let is_used = self.tags[group][at] & USED != 0;
                if is_used && !keep(&self.slots[group][at]) {
                    self.remove(Place { group, at });
                }
            }
        }
    }

    /// Gives back the memory that was there to grow into. Where there is none to do so, it stays.
    pub fn fit(&mut self, seed: Seed) {
        let groups = groups_for(self.len);
        if groups < self.tags.len() {
            self.rebuild(groups, seed).unwrap_or_default();
        }
    }

    fn rebuild(&mut self, groups: usize, seed: Seed) -> Result<(), TryReserveError> {
        let mut grown = Self::default();
        grown.tags.try_reserve_exact(groups)?;
        grown.slots.try_reserve_exact(groups)?;
        grown.tags.resize(groups, [EMPTY; GROUP]);
        grown.slots.resize(groups, [Slot::default(); GROUP]);
        for (tags, slots) in self.tags.iter().zip(&self.slots) {
            for (tag, slot) in tags.iter().zip(slots) {
                if tag & USED != 0 {
                    grown.insert(*slot, seed.hash(&slot.key));
                }
            }
        }
        *self = grown;
        Ok(())
    }
}

/// A key's tag, of those bits of its hash that have least to do with its group.
fn tag(hash: u64) -> u8 {
    hash.to_le_bytes()[0] | USED
}

/// A hash, scaled to a number below `groups`.
fn scaled(hash: u64, groups: usize) -> usize {
    let scaled = (u128::from(hash) * groups as u128) >> 64;
    usize::try_from(scaled).unwrap_or_default()
}

fn after(group: usize, groups: usize) -> usize {
    if group + 1 == groups { 0 } else { group + 1 }
}

/// The most slots that are taken: seven of eight, and always one empty.
fn most(groups: usize) -> usize {
    groups * (GROUP - 1)
}

/// The groups that so many claims need.
fn groups_for(claims: usize) -> usize {
    claims.div_ceil(GROUP - 1).max(1)
}

/// Where a word has zero bytes.
///
/// The least of the bits it sets is right; a higher one can be set by a borrow, so the caller
/// compares what it finds.
fn zero_bytes(word: u64) -> impl Iterator<Item = usize> {
    let mut found = word.wrapping_sub(LOW_BITS) & !word & HIGH_BITS;
    std::iter::from_fn(move || {
        if found == 0 {
            return None;
        }
        let at = found.trailing_zeros() as usize / GROUP;
        found &= found - 1;
        Some(at)
    })
}
