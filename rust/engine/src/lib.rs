//! Webhook signatures: what is signed, by whom, when, and whether it is so.
//!
//! A message goes one way through here: its headers are read ([`header`]), its freshness is
//! judged ([`timestamp`]), its candidates are decoded ([`signature`]), its MACs are computed
//! and compared ([`verify`] for one message, [`batch`] for many), and what comes out is an
//! [`Outcome`]. There is no Python here, no clock, no I/O and no entropy; times come in as
//! numbers. The rules are those of `docs/strict-reading.md`.

#![forbid(unsafe_code)]

pub mod batch;
mod compare;
mod dictionary;
pub mod endpoint;
pub mod finding;
pub mod header;
mod key;
mod label;
pub mod mirror;
mod name;
mod outcome;
pub mod profile;
pub mod replay;
pub mod ring;
pub mod scheme;
pub mod secret;
pub mod sign;
pub mod signature;
mod stack;
mod stop;
mod table;
pub mod timestamp;
pub mod usage;
pub mod verify;
mod words;

pub use hookseal_lanes::{
    Chosen, Interrupted, Kernel, NoKernel, Watch, prefetch_address, prefetch_value,
};
pub use key::Key;
pub use outcome::{NO_SECRET, Outcome, Place, Verdict};
pub use stop::Stop;
