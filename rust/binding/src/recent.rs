//! The endpoints at which messages of a call arrived lately, by name.
//!
//! Most queues have few endpoints. The keyed hash of a name, by which a ring is searched, costs as much
//! as all else that is asked of where a message arrived.

use crate::trust::Arrival;

/// Some of the endpoints, each in the place that its name comes to.
#[derive(Default)]
pub struct Recent<'e>([Option<(Mark, Arrival<'e>)>; PLACES]);

/// How many are remembered at most.
const PLACES: usize = 32;

/// What tells a name from most others. Senders may choose names that have one in common: then they
/// are searched for, as without.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mark(u64);

impl Mark {
    /// None of a short name.
    #[inline]
    pub fn of(name: &str) -> Option<Self> {
        let name = name.as_bytes();
        let (first, last) = (name.first_chunk()?, name.last_chunk()?);
        let both = u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29);
        // The upper bits of a product depend on all of the factor, and an odd one loses none.
        Some(Self(both.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    #[expect(clippy::cast_possible_truncation, reason = "five bits are left")]
    fn place(self) -> usize {
        (self.0 >> (u64::BITS - PLACES.ilog2())) as usize
    }
}

impl<'e> Recent<'e> {
    /// Where a message arrived that names such an endpoint.
    #[inline]
    pub fn find(&self, mark: Mark, name: &str) -> Option<Arrival<'e>> {
        let (of, arrival) = self.0[mark.place()]?;
        (of == mark && arrival.endpoint.is_named(name)).then_some(arrival)
    }

    /// Remembers where it did.
    #[inline]
    pub fn remember(&mut self, mark: Mark, arrival: Arrival<'e>) {
        self.0[mark.place()] = Some((mark, arrival));
    }
}
