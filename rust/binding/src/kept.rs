//! The header values of one message that is judged alone.

use hookseal_engine::header::{MAX_HEADER_BYTES, Roles, Slot, Values};
use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::{
    arguments::no_memory,
    headers::{IDS, Ids, Keep},
    single::{Holders, telling},
};

/// The values of the headers that a scheme names: copies of their few bytes, one behind the
/// other, so that nothing has to be kept alive.
pub struct Kept {
    /// The first bytes, where nothing has to be allocated for them.
    near: [u8; NEAR_BYTES],
    /// All of them, once they are more.
    far: Vec<u8>,
    all: SmallVec<[One; 4]>,
    bytes: usize,
    ids: Ids,
    /// The headers whose objects are held.
    held: Roles,
}

/// An id, a time and two signatures.
const NEAR_BYTES: usize = 256;

/// What is kept of a larger buffer from message to message.
const MOST_FAR_BYTES: usize = 4 * MAX_HEADER_BYTES;

/// Where one value lies.
struct One {
    slot: Slot,
    start: usize,
    end: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            near: [0; NEAR_BYTES],
            far: Vec::new(),
            all: SmallVec::new(),
            bytes: 0,
            ids: Ids::default(),
            held: IDS,
        }
    }
}

impl Values for Kept {
    fn each(&self) -> impl Iterator<Item = (Slot, &[u8])> {
        let bytes = if self.far.is_empty() {
            &self.near[..]
        } else {
            &self.far
        };
        self.all
            .iter()
            .map(move |one| (one.slot, &bytes[one.start..one.end]))
    }
}

impl Keep for Kept {
    #[inline]
    fn keep(&mut self, slot: Slot, value: &[u8], object: &Bound<'_, PyAny>) -> PyResult<()> {
        if !self.push(slot, value) {
            self.make_room(value.len())?;
            self.push(slot, value);
        }
        self.ids.hold(self.held, slot, object);
        Ok(())
    }

    fn forget(&mut self) {
        self.far.clear();
        // One long header is not kept for the rest of a batch.
        self.far.shrink_to(MOST_FAR_BYTES);
        self.all.clear();
        self.bytes = 0;
        self.ids.clear();
    }
}

impl Kept {
    /// From now on holds the objects of these headers.
    pub fn hold(&mut self, held: Roles) {
        self.held = held;
    }

    /// Holds what tells apart a message whose values were not kept.
    pub fn hold_one(&mut self, family: u8, holders: &Holders<'_>) {
        if let Some((role, object)) = telling(self.held, holders) {
            self.ids.hold_one(Slot { family, role }, object);
        }
    }

    /// The objects that hold the ids, which it forgets.
    pub fn take_ids(&mut self) -> Ids {
        std::mem::take(&mut self.ids)
    }

    /// Keeps a value; false if there is no room.
    #[inline]
    fn push(&mut self, slot: Slot, value: &[u8]) -> bool {
        let (start, end) = (self.bytes, self.bytes + value.len());
        let room = if self.far.is_empty() {
            &mut self.near[..]
        } else {
            &mut self.far
        };
        let Some(free) = room.get_mut(start..end) else {
            return false;
        };
        free.copy_from_slice(value);
        self.bytes = end;
        self.all.push(One { slot, start, end });
        true
    }

    #[cold]
    fn make_room(&mut self, more: usize) -> PyResult<()> {
        let is_first = self.far.is_empty();
        let wanted = self.bytes + more;
        self.far
            .try_reserve(wanted.saturating_sub(self.far.len()))
            .map_err(no_memory)?;
        self.far.resize(wanted.max(NEAR_BYTES), 0);
        if is_first {
            self.far[..self.bytes].copy_from_slice(&self.near[..self.bytes]);
        }
        Ok(())
    }
}
