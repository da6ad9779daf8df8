//! HMAC over the hash functions that have no lanes: SHA-1 and SHA-512, through their crates.

use std::fmt;

use sha1::Sha1;
use sha2::{
    Digest, Sha512,
    digest::{Output, common::BlockSizeUser},
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    Interrupted, Job, Kernel, KeyState, Mac, Watch,
    hmac::{Pace, STEP_BYTES},
};

/// A key that has been absorbed: what a [`Job`] names.
pub trait Keyed: Sized {
    /// The MAC under it.
    type Mac;

    /// The MACs of many jobs, each into the slot beside it.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so; then some slots are not written.
    ///
    /// # Panics
    /// If there are more or fewer slots than jobs.
    fn macs(
        kernel: Kernel,
        jobs: &[Job<'_, Self>],
        macs: &mut [Self::Mac],
        watch: &mut Watch<'_>,
    ) -> Result<(), Interrupted>;
}

impl Keyed for KeyState {
    type Mac = Mac;

    fn macs(
        kernel: Kernel,
        jobs: &[Job<'_>],
        macs: &mut [Mac],
        watch: &mut Watch<'_>,
    ) -> Result<(), Interrupted> {
        kernel.macs(jobs, macs, watch)
    }
}

/// A key of HMAC-SHA-1, for providers that sign with nothing better. Its weakness, collisions,
/// is none of HMAC's (RFC 6194 §3.3).
pub type Sha1KeyState = HashState<Sha1>;

/// A key of HMAC-SHA-512.
pub type Sha512KeyState = HashState<Sha512>;

/// The two states of HMAC after the key, as [`KeyState`] is for SHA-256. Wiped on drop.
#[derive(Clone)]
pub struct HashState<H: ZeroizeOnDrop> {
    inner: H,
    outer: H,
}

impl<H: Digest + BlockSizeUser + ZeroizeOnDrop> HashState<H> {
    /// Absorbs a key of any length. A key over one block is hashed first (RFC 2104 §2).
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut block = vec![0_u8; H::block_size()];
        if key.len() > block.len() {
            let mut digest = H::digest(key);
            block[..digest.len()].copy_from_slice(&digest);
            digest.as_mut_slice().zeroize();
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let mut keyed = |pad: u8| {
            for byte in &mut block {
                *byte ^= pad;
            }
            H::new_with_prefix(&block)
        };
        // The second pad undoes the first.
        let (inner, outer) = (keyed(0x36), keyed(0x36 ^ 0x5c));
        block.zeroize();
        Self { inner, outer }
    }
}

impl<H: Digest + BlockSizeUser + ZeroizeOnDrop + Clone> Keyed for HashState<H> {
    type Mac = Output<H>;

    fn macs(
        _: Kernel,
        jobs: &[Job<'_, Self>],
        macs: &mut [Self::Mac],
        watch: &mut Watch<'_>,
    ) -> Result<(), Interrupted> {
        assert_eq!(jobs.len(), macs.len(), "a slot for each job");
        let mut pace = Pace::new(watch);
        for (job, slot) in jobs.iter().zip(macs) {
            let mut inner = job.key.inner.clone();
            for piece in [job.head, job.body, job.tail] {
                for step in piece.chunks(STEP_BYTES) {
                    inner.update(step);
                    pace.hashed(step.len())?;
                }
            }
            *slot = job
                .key
                .outer
                .clone()
                .chain_update(inner.finalize())
                .finalize();
        }
        pace.settle()
    }
}

impl<H: ZeroizeOnDrop> fmt::Debug for HashState<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashState(..)")
    }
}
