//! HMAC-SHA-256 over many messages, fast.
//!
//! A [`Job`] names a keyed state and the three pieces of one message; [`Kernel::macs`]
//! computes the MACs of many jobs. The pieces are read where they lie: bodies are never
//! copied. This crate knows hashing only; what a MAC means is decided elsewhere.

mod hmac;
mod kernel;
#[cfg(target_arch = "x86_64")]
mod pairs;
mod portable;
#[cfg(target_arch = "x86_64")]
mod shani2;

pub use hmac::{Interrupted, Job, KeyState, Mac, Watch, sha256};
pub use kernel::{Kernel, UnknownKernel};

/// The block of SHA-256, in bytes.
pub const BLOCK_BYTES: usize = 64;

/// A SHA-256 chaining value: eight words, as FIPS 180-4 names them H0 to H7.
type State = [u32; 8];
