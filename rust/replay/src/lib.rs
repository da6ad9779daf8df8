//! The claims of one process, in its memory.
//!
//! A claim is a key of sixteen bytes that somebody has won: for ever as far as a replay can
//! matter (its `ttl`), or for the time of a lease. [`Claims`] holds them exactly, in generations by
//! the time at which they end; a generation is a [`table`] and goes as a whole when its time has
//! passed. Nothing that lives is ever given up for room: where there is none, a claim fails.
//!
//! There is no Python here and no clock: the time is an argument, [`Now`].

#![forbid(unsafe_code)]

mod claims;
mod generation;
mod table;

pub use claims::{Claim, Claims, Failure, Token};
pub use generation::Now;
pub use table::{KEY_BYTES, Key, Seed};
