//! Which code hashes: chosen by what the processor has, or by name.

use std::fmt;

use crate::{
    BLOCK_BYTES, Interrupted, Job, Mac, State, Watch,
    hmac::{self, Pace},
    portable,
};
#[cfg(target_arch = "x86_64")]
use crate::{pairs, shani2};

/// A way to compute SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust, on every processor: the truth.
    Portable,
    /// The `sha2` crate, one message at a time; it uses SHA-NI and its kin where they are.
    Single,
    /// Two messages at a time through the SHA extensions of x86-64; where the processor has
    /// none, the same as [`Kernel::Single`].
    Shani2,
}

impl Kernel {
    /// Every kernel, the most portable first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Single, Self::Shani2];

    /// The kernel that is fastest here for many messages.
    #[must_use]
    pub fn detect() -> Self {
        if Self::Shani2.is_available() {
            Self::Shani2
        } else {
            Self::Single
        }
    }

    /// Whether the processor has what the kernel is made of.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable | Self::Single => true,
            #[cfg(target_arch = "x86_64")]
            Self::Shani2 => shani2::is_available(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Shani2 => false,
        }
    }

    /// The kernel of that name.
    ///
    /// # Errors
    /// [`UnknownKernel`] if there is none, or the processor cannot run it; nothing is chosen
    /// in its place.
    pub fn by_name(name: &str) -> Result<Self, UnknownKernel> {
        Self::ALL
            .into_iter()
            .find(|kernel| kernel.name() == name && kernel.is_available())
            .ok_or(UnknownKernel)
    }

    /// The kernel's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Single => "single",
            Self::Shani2 => "shani2",
        }
    }

    /// The MAC of one job.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so.
    pub fn mac(self, job: &Job<'_>, watch: &mut Watch<'_>) -> Result<Mac, Interrupted> {
        hmac::mac(self, job, &mut Pace::new(watch))
    }

    /// The MACs of many jobs, each into the slot beside it.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so; then some slots are not written.
    ///
    /// # Panics
    /// If there are more or fewer slots than jobs.
    pub fn macs(
        self,
        jobs: &[Job<'_>],
        macs: &mut [Mac],
        watch: &mut Watch<'_>,
    ) -> Result<(), Interrupted> {
        assert_eq!(jobs.len(), macs.len(), "a slot for each job");
        let mut pace = Pace::new(watch);
        #[cfg(target_arch = "x86_64")]
        if self == Self::Shani2 && self.is_available() {
            pairs::macs(jobs, macs, &mut pace, prefetch)?;
            return pace.settle();
        }
        for (at, (job, slot)) in jobs.iter().zip(macs).enumerate() {
            if let Some(next) = jobs.get(at + 1) {
                prefetch(next.body);
            }
            *slot = hmac::mac(self, job, &mut pace)?;
        }
        pace.settle()
    }

    #[inline]
    pub(crate) fn compress(self, state: &mut State, blocks: &[[u8; BLOCK_BYTES]]) {
        match self {
            Self::Portable => portable::compress(state, blocks),
            Self::Single | Self::Shani2 => sha2::block_api::compress256(state, blocks),
        }
    }
}

/// Asks for the cache lines of a body while the job before it is hashed: a batch's bodies lie
/// anywhere, and fit no near cache. What it gains is in docs/decisions.md.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the intrinsic takes a raw pointer")]
#[inline]
fn prefetch(body: &[u8]) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    // What is asked for of a body: behind it the processor has seen the pattern.
    const MOST_BYTES: usize = 4096;

    for line in body[..body.len().min(MOST_BYTES)]
        .iter()
        .step_by(BLOCK_BYTES)
    {
        // SAFETY: a prefetch has no effect but on the cache, whatever the address, and SSE is
        // part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(line).cast()) };
    }
}

/// Elsewhere the processor's own foresight has to do.
#[cfg(not(target_arch = "x86_64"))]
fn prefetch(_: &[u8]) {}

/// No kernel has that name.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownKernel;

impl fmt::Display for UnknownKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown kernel; there are ")?;
        for (i, kernel) in Kernel::ALL.iter().enumerate() {
            write!(f, "{}{}", if i > 0 { ", " } else { "" }, kernel.name())?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownKernel {}
