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

/// Compares in words: `subtle` guards each step against the optimiser, and a word is as well
/// guarded as a byte.
fn equal(a: &Mac, b: &Mac) -> Choice {
    let (a, b) = (a.as_chunks().0, b.as_chunks().0);
    let words = a
        .iter()
        .zip(b)
        .map(|(a, b)| (u64::from_ne_bytes(*a), u64::from_ne_bytes(*b)));
    words.fold(Choice::from(1), |same, (a, b)| same & a.ct_eq(&b))
}
