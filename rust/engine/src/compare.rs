//! The only place where a MAC or a token is compared with anything.

use hookseal_lanes::Mac;
use subtle::{Choice, ConstantTimeEq};

/// Whether any candidate equals the MAC. Every candidate is compared over its whole length,
/// whatever came before.
#[must_use]
pub fn matches_any(mac: &Mac, candidates: &[Mac]) -> bool {
    let mut found = Choice::from(0);
    for candidate in candidates {
        found |= equal(mac, candidate);
    }
    // The one line where a secret becomes a bool: the verdict is public.
    found.into()
}

/// Puts together what differs, word by word, without a branch. `subtle` guards the one step from
/// there to a choice against the optimiser; what that made of the others, `make constant-time`
/// looks at.
fn equal(a: &Mac, b: &Mac) -> Choice {
    let (a, b) = (a.as_chunks().0, b.as_chunks().0);
    let differing = a
        .iter()
        .zip(b)
        .map(|(a, b)| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b));
    differing.fold(0, |all, word| all | word).ct_eq(&0)
}
