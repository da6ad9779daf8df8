//! The endpoints at which messages of a call arrived lately, by name.
//!
//! Most queues have few endpoints. The keyed hash of a name, by which a ring is searched, costs as much
//! as all else that is asked of where a message arrived.

use crate::trust::Arrival;

/// Some of the endpoints, each in the row that its name comes to. Where only one had room in it,
/// two of a ring of fifteen would put each other out, message by message.
#[derive(Default)]
pub struct Recent<'e>([[Option<(Mark, Arrival<'e>)>; SEATS]; ROWS]);

/// How many rows there are.
const ROWS: usize = 16;

/// How many endpoints a row has room for: the last ones.
const SEATS: usize = 4;

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

    #[expect(clippy::cast_possible_truncation, reason = "four bits are left")]
    fn row(self) -> usize {
        (self.0 >> (u64::BITS - ROWS.ilog2())) as usize
    }
}

impl<'e> Recent<'e> {
    /// Where a message arrived that names such an endpoint.
    #[inline]
    pub fn find(&self, mark: Mark, name: &str) -> Option<Arrival<'e>> {
        let row = &self.0[mark.row()];
        let mut all = row.iter().flatten();
        let named = all.find(|(of, arrival)| *of == mark && arrival.endpoint.is_named(name));
        named.map(|(_, arrival)| *arrival)
    }

    /// Remembers where it did.
    #[inline]
    pub fn remember(&mut self, mark: Mark, arrival: Arrival<'e>) {
        let row = &mut self.0[mark.row()];
        row.rotate_right(1);
        row[0] = Some((mark, arrival));
    }
}
