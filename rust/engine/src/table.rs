//! The endpoints of a ring, by name.

use std::{
    hash::{BuildHasher as _, RandomState},
    num::{NonZeroU32, NonZeroU64},
    sync::Arc,
};

use hookseal_lanes::prefetch_value;

use crate::endpoint::Endpoint;

/// Endpoints by name, in the order in which they came. A message looks one up, and in a ring of
/// ten thousand each look into memory is a wait, for the line and for the page that it lies in: so
/// what is not the name is seen from its tag, the name lies in the endpoint, which is looked at next
/// anyway, and endpoints lie side by side.
///
/// Names come from the user's routing, and so from senders: the hash is the keyed one of the
/// standard library, whose collisions cannot be chosen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Empty, or a power of two of them, at most three quarters in use.
    slots: Vec<Option<Slot>>,
    /// The endpoints, by position: all blocks but the last are full. Nothing else holds them, so
    /// that none can be found that has been replaced.
    blocks: Vec<Arc<Block>>,
    hasher: RandomState,
}

/// Where an endpoint is, and what tells it from most others.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The upper half of the name's hash.
    tag: u32,
    /// Its position, and one.
    place: NonZeroU32,
}

const _: () = assert!(size_of::<Option<Slot>>() == 8, "eight in a line");

impl Slot {
    fn position(self) -> usize {
        self.place.get() as usize - 1
    }
}

/// The hash of a name, with a bit that is always set: many of them are kept, and what has none
/// takes no more room.
#[derive(Clone, Copy, Debug)]
pub struct Hash(NonZeroU64);

impl Hash {
    const ALWAYS: NonZeroU64 = NonZeroU64::new(1 << 63).expect("not zero");

    /// The upper half.
    fn tag(self) -> u32 {
        (self.0.get() >> 32) as u32
    }

    /// Where it is looked for first, in a table of any size.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the table takes the bits that it needs"
    )]
    fn at(self) -> usize {
        self.0.get() as usize
    }
}

impl Table {
    /// How many there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        let full = self.blocks.len().saturating_sub(1);
        full * BLOCK + self.blocks.last().map_or(0, |last| last.0.len())
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        let seats = self.blocks.iter().flat_map(|block| &block.0);
        seats.map(|seat| &seat.0)
    }

    #[inline]
    fn at(&self, position: usize) -> &Endpoint {
        &self.blocks[position / BLOCK].0[position % BLOCK].0
    }

    /// The endpoint of that name, and its position.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<(usize, &Endpoint)> {
        self.find_hashed(name, self.hash(name))
    }

    /// The same of a name with that hash.
    #[inline]
    pub(crate) fn find_hashed(&self, name: &str, hash: Hash) -> Option<(usize, &Endpoint)> {
        let all = self.tagged(hash).map(|at| (at, self.at(at)));
        let mut named = all.filter(|(_, endpoint)| endpoint.is_named(name));
        named.next()
    }

    /// The hash of a name that is about to be looked up.
    #[inline]
    pub(crate) fn prefetch_slot(&self, name: &str) -> Hash {
        let hash = self.hash(name);
        if let Some(mask) = self.slots.len().checked_sub(1) {
            prefetch_value(&self.slots[hash.at() & mask]);
        }
        hash
    }

    /// Asks for the endpoint that a name with that hash most likely has.
    #[inline]
    pub(crate) fn prefetch_endpoint(&self, hash: Hash) {
        if let Some(position) = self.tagged(hash).next() {
            prefetch_value(self.at(position));
        }
    }

    /// The positions of the endpoints whose names may have that hash.
    #[inline]
    fn tagged(&self, hash: Hash) -> impl Iterator<Item = usize> {
        let (tag, mut at) = (hash.tag(), hash.at());
        std::iter::from_fn(move || {
            let mask = self.slots.len().checked_sub(1)?;
            loop {
                let slot = self.slots[at & mask]?;
                at = at.wrapping_add(1);
                if slot.tag == tag {
                    return Some(slot.position());
                }
            }
        })
    }

    /// Adds a copy of an endpoint, or puts it in the place of the one of its name.
    pub(crate) fn adopt(&mut self, endpoint: &Endpoint) {
        if let Some((position, _)) = self.find(endpoint.name()) {
            let block = Arc::make_mut(&mut self.blocks[position / BLOCK]);
            block.0[position % BLOCK] = Seat(endpoint.clone());
            return;
        }
        let position = self.len();
        if (position + 1) * 4 > self.slots.len() * 3 {
            self.enter_all((self.slots.len() * 2).max(LEAST_SLOTS));
        }
        self.push(endpoint);
        self.enter(self.hash(endpoint.name()), position);
    }

    /// Removes the endpoint of that name; false if there is none.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let Some((removed, _)) = self.find(name) else {
            return false;
        };
        // The blocks before stay as they are.
        let first = removed - removed % BLOCK;
        let moved = self.blocks.split_off(removed / BLOCK);
        let seats = (first..).zip(moved.iter().flat_map(|block| &block.0));
        for (_, Seat(endpoint)) in seats.filter(|(at, _)| *at != removed) {
            self.push(endpoint);
        }
        self.enter_all(self.slots.len());
        true
    }

    /// Gives back what will not be needed while nothing is added.
    pub(crate) fn shrink(&mut self) {
        self.blocks.shrink_to_fit();
        if let Some(last) = self.blocks.last_mut()
            && last.0.len() < last.0.capacity()
        {
            *last = Arc::new(last.copy(last.0.len()));
        }
    }

    /// Copies an endpoint behind the others.
    fn push(&mut self, endpoint: &Endpoint) {
        if self.len().is_multiple_of(BLOCK) {
            // One that follows others will have as many.
            let room = if self.blocks.is_empty() { 1 } else { BLOCK };
            self.blocks.push(Arc::new(Block(Vec::with_capacity(room))));
        }
        let Some(last) = self.blocks.last_mut() else {
            return;
        };
        if last.0.len() == last.0.capacity() {
            *last = Arc::new(last.copy(BLOCK.min(2 * last.0.len())));
        }
        Arc::make_mut(last).0.push(Seat(endpoint.clone()));
    }

    /// Fills so many slots anew.
    fn enter_all(&mut self, slots: usize) {
        self.slots = vec![None; slots];
        for position in 0..self.len() {
            let hash = self.hash(self.at(position).name());
            self.enter(hash, position);
        }
    }

    /// Puts a position in the next free slot.
    fn enter(&mut self, hash: Hash, position: usize) {
        let (tag, mut at) = (hash.tag(), hash.at());
        let mask = self.slots.len() - 1;
        while self.slots[at & mask].is_some() {
            at = at.wrapping_add(1);
        }
        // Four billion endpoints would fill a terabyte.
        let place = u32::try_from(position + 1).ok().and_then(NonZeroU32::new);
        self.slots[at & mask] = place.map(|place| Slot { tag, place });
    }

    #[inline]
    fn hash(&self, name: &str) -> Hash {
        Hash(Hash::ALWAYS | self.hasher.hash_one(name))
    }
}

const LEAST_SLOTS: usize = 8;

/// Endpoints side by side. A change copies the block where a snapshot has it too.
#[derive(Debug)]
struct Block(Vec<Seat>);

/// How many: their pages are few, and nearly all of each is theirs.
const BLOCK: usize = 256;

/// A pair of lines, which the processor brings in together.
#[derive(Clone, Debug)]
#[repr(align(128))]
struct Seat(Endpoint);

const _: () = assert!(size_of::<Seat>() == 128, "two lines");

impl Block {
    /// The same with room for so many. Made anew, for a list that grows leaves its keys behind.
    fn copy(&self, room: usize) -> Self {
        let mut copy = Vec::with_capacity(room);
        copy.extend(self.0.iter().cloned());
        Self(copy)
    }
}

impl Clone for Block {
    fn clone(&self) -> Self {
        self.copy(self.0.capacity())
    }
}
