//! HMAC-SHA-256 over many messages, fast.
//!
//! A [`Job`] names a keyed state and the three pieces of one message; [`Kernel::macs`]
//! computes the MACs of many jobs. The pieces are read where they lie: bodies are never
//! copied. This crate knows hashing only; what a MAC means is decided elsewhere.

mod array;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod chosen;
#[cfg(feature = "hits")]
pub mod hits;
#[cfg(not(feature = "hits"))]
mod hits;
mod hmac;
mod kernel;
mod message;
mod others;
mod prefetch;
mod runs;
#[cfg(target_arch = "x86_64")]
mod shani2;
mod shared;
mod streams;
mod text;
#[cfg(target_arch = "x86_64")]
mod text_avx2;
#[cfg(test)]
mod vectors;
mod wide;

pub use chosen::{Chosen, NoKernel};
pub use hmac::{Interrupted, Job, KeyState, Mac, Watch, sha256};
pub use kernel::{Features, Kernel, UnknownKernel};
pub use others::{HashState, Keyed, Sha1KeyState, Sha512KeyState};
pub use prefetch::{prefetch, prefetch_address, prefetch_value};
pub use shared::SharedStart;
pub use text::{BASE64_MAC_BYTES, HEX_MAC_BYTES, base64_mac_vartime, hex_mac_vartime};

/// The block of SHA-256, in bytes.
pub const BLOCK_BYTES: usize = 64;

type Block = [u8; BLOCK_BYTES];

/// A SHA-256 chaining value: eight words, as FIPS 180-4 names them H0 to H7.
type State = [u32; 8];
