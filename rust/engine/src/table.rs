//! The endpoints of a ring, by name.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use hookseal_lanes::prefetch_value;

use crate::endpoint::Endpoint;

/// Endpoints by name, in the order in which they came. A message looks one up, and in a ring of
/// ten thousand each look into memory is a wait: so what is not the name is seen from its tag,
/// the endpoint stands beside the tag, and the name lies in the endpoint, which is looked at next
/// anyway.
///
/// Names come from the user's routing, and so from senders: the hash is the keyed one of the
/// standard library, whose collisions cannot be chosen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Empty, or a power of two of them, at most three quarters in use. Nothing else holds the
    /// endpoints, so that none can be found that has been replaced.
    slots: Vec<Option<Slot>>,
    /// Where each stands, by position.
    order: Vec<u32>,
    hasher: RandomState,
}

/// An endpoint, and what tells it from most others.
#[derive(Clone, Debug)]
struct Slot {
    endpoint: Arc<Endpoint>,
    /// The upper half of the name's hash.
    tag: u32,
    position: u32,
}

/// The hash of a name.
#[derive(Clone, Copy, Debug)]
pub struct Hash {
    tag: u32,
    /// Where it is looked for first.
    at: usize,
}

impl Table {
    /// How many there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        let slots = self.order.iter().map(|at| &self.slots[*at as usize]);
        slots.flatten().map(|slot| &slot.endpoint)
    }

    /// The endpoint of that name, and its position.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<(usize, &Arc<Endpoint>)> {
        self.find_hashed(name, self.hash(name))
    }

    /// The same of a name with that hash.
    #[inline]
    pub(crate) fn find_hashed(&self, name: &str, hash: Hash) -> Option<(usize, &Arc<Endpoint>)> {
        let slot = self
            .tagged(hash)
            .find(|slot| slot.endpoint.is_named(name))?;
        Some((slot.position as usize, &slot.endpoint))
    }

    /// The hash of a name that is about to be looked up.
    #[inline]
    pub(crate) fn prefetch_slot(&self, name: &str) -> Hash {
        let hash = self.hash(name);
        if let Some(mask) = self.slots.len().checked_sub(1) {
            prefetch_value(&self.slots[hash.at & mask]);
        }
        hash
    }

    /// Asks for the endpoint that a name with that hash most likely has.
    #[inline]
    pub(crate) fn prefetch_endpoint(&self, hash: Hash) {
        if let Some(slot) = self.tagged(hash).next() {
            prefetch_value(&*slot.endpoint);
        }
    }

    /// Where the endpoints stand whose names may have that hash.
    #[inline]
    fn tagged(&self, hash: Hash) -> impl Iterator<Item = &Slot> {
        let mut at = hash.at;
        std::iter::from_fn(move || {
            let mask = self.slots.len().checked_sub(1)?;
            loop {
                let slot = self.slots[at & mask].as_ref()?;
                at = at.wrapping_add(1);
                if slot.tag == hash.tag {
                    return Some(slot);
                }
            }
        })
    }

    /// Adds an endpoint, or puts it in the place of the one of its name.
    pub(crate) fn adopt(&mut self, endpoint: Arc<Endpoint>) {
        let found = self.find(endpoint.name()).map(|(position, _)| position);
        if let Some(position) = found {
            if let Some(slot) = &mut self.slots[self.order[position] as usize] {
                slot.endpoint = endpoint;
            }
        } else {
            if (self.order.len() + 1) * 4 > self.slots.len() * 3 {
                let all: Vec<_> = self.iter().cloned().collect();
                self.fill((self.slots.len() * 2).max(LEAST_SLOTS), all);
            }
            self.enter(endpoint);
        }
    }

    /// Removes the endpoint of that name; false if there is none.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let Some((removed, _)) = self.find(name) else {
            return false;
        };
        let mut all: Vec<_> = self.iter().cloned().collect();
        all.remove(removed);
        self.fill(self.slots.len(), all);
        true
    }

    /// Gives back what will not be needed while nothing is added.
    pub(crate) fn shrink(&mut self) {
        self.order.shrink_to_fit();
    }

    fn fill(&mut self, slots: usize, all: Vec<Arc<Endpoint>>) {
        self.slots.clear();
        self.slots.resize(slots, None);
        self.order.clear();
        for endpoint in all {
            self.enter(endpoint);
        }
    }

    /// Puts an endpoint in the next free place.
    fn enter(&mut self, endpoint: Arc<Endpoint>) {
        let Hash { tag, mut at } = self.hash(endpoint.name());
        let mask = self.slots.len() - 1;
        while self.slots[at & mask].is_some() {
            at = at.wrapping_add(1);
        }
        at &= mask;
        let position = small(self.order.len());
        self.slots[at] = Some(Slot {
            endpoint,
            tag,
            position,
        });
        self.order.push(small(at));
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "each takes the bits that it needs"
    )]
    fn hash(&self, name: &str) -> Hash {
        let hash = self.hasher.hash_one(name);
        Hash {
            tag: (hash >> 32) as u32,
            at: hash as usize,
        }
    }
}

const LEAST_SLOTS: usize = 8;

/// A position. Four billion endpoints would fill a terabyte.
fn small(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
