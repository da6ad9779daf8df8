//! Which code hashes: chosen by what the processor has, or by name.

use std::fmt;

use crate::{
    Block, Interrupted, Job, KeyState, Mac, State, Watch,
    array::{self, Arrays},
    hits::hit,
    hmac::{self, Pace},
    message::Start,
    streams::{self, Found, Queue, longest_first},
};
#[cfg(target_arch = "x86_64")]
use crate::{avx2, avx512, shani2};

/// A way to compute SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust, on every processor: the truth.
    Portable,
    /// The `sha2` crate, one message at a time; it uses SHA-NI and its kin where they are.
    Single,
    /// Eight messages at a time in the vectors of AVX2.
    Avx2,
    /// Two messages at a time through the SHA extensions of x86-64.
    Shani2,
    /// Sixteen messages at a time in the vectors of AVX-512.
    Avx512,
}

impl Kernel {
    /// Every kernel, the fastest for many messages last.
    pub const ALL: [Self; 5] = [
        Self::Portable,
        Self::Single,
        Self::Avx2,
        Self::Shani2,
        Self::Avx512,
    ];

    /// The most messages that any kernel hashes side by side.
    pub const MOST_LANES: usize = 16;

    /// The kernel that is fastest here for many messages.
    #[must_use]
    pub fn detect() -> Self {
        Self::fastest(Features::detected())
    }

    /// The kernel that is fastest for many messages on a processor with these features.
    #[must_use]
    pub fn fastest(features: Features) -> Self {
        let mut fastest_first = Self::ALL.into_iter().rev();
        fastest_first
            .find(|kernel| kernel.runs_with(features))
            .unwrap_or(Self::Single)
    }

    /// Whether the processor has what the kernel is made of.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.runs_with(Features::detected())
    }

    /// The kernel that hashes what is too little for this one.
    #[must_use]
    pub fn rest(self) -> Self {
        match self {
            Self::Portable => Self::Portable,
            Self::Avx2 | Self::Avx512 if Self::Shani2.is_available() => Self::Shani2,
            Self::Single | Self::Avx2 | Self::Shani2 | Self::Avx512 => Self::Single,
        }
    }

    fn runs_with(self, features: Features) -> bool {
        match self {
            Self::Portable | Self::Single => true,
            Self::Avx2 => features.avx2,
            Self::Shani2 => features.shani,
            Self::Avx512 => features.avx512,
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

    /// How many messages the kernel hashes side by side.
    #[must_use]
    pub const fn lanes(self) -> usize {
        match self {
            Self::Portable => array::WIDTH,
            Self::Single => 1,
            Self::Avx2 => 8,
            Self::Shani2 => 2,
            Self::Avx512 => Self::MOST_LANES,
        }
    }

    /// The kernel's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Single => "single",
            Self::Avx2 => "avx2",
            Self::Shani2 => "shani2",
            Self::Avx512 => "avx512",
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
    /// If there are more or fewer slots than jobs, or 2^32 of them.
    pub fn macs(
        self,
        jobs: &[Job<'_>],
        macs: &mut [Mac],
        watch: &mut Watch<'_>,
    ) -> Result<(), Interrupted> {
        self.hash(jobs, macs, watch)
    }

    /// The digests of many jobs, each into the slot beside it.
    pub(crate) fn hash<K: Start>(
        self,
        jobs: &[Job<'_, K>],
        macs: &mut [Mac],
        watch: &mut Watch<'_>,
    ) -> Result<(), Interrupted> {
        assert_eq!(jobs.len(), macs.len(), "a slot for each job");
        self.hash_each(jobs, watch, &mut |slot, mac| {
            macs[slot] = *mac;
            None
        })
    }

    /// Hands the MAC of every job to `found`, in no order; that may name another key, under which
    /// the job is then hashed once more, beside the others, and so on for as long as it names one.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so; then `found` has heard of some.
    ///
    /// # Panics
    /// If there are 2^32 jobs.
    pub fn macs_found<'a>(
        self,
        jobs: &[Job<'a>],
        watch: &mut Watch<'_>,
        found: &mut dyn FnMut(usize, &Mac) -> Option<&'a KeyState>,
    ) -> Result<(), Interrupted> {
        self.hash_each(jobs, watch, found)
    }

    fn hash_each<'a, K: Start>(
        self,
        jobs: &[Job<'a, K>],
        watch: &mut Watch<'_>,
        found: &mut Found<'_, 'a, K>,
    ) -> Result<(), Interrupted> {
        let mut pace = Pace::new(watch);
        let order = longest_first(jobs);
        self.work_off(&mut Queue::new(jobs, &order, found), &mut pace)?;
        pace.settle()
    }

    fn work_off<K: Start>(
        self,
        queue: &mut Queue<'_, '_, K>,
        pace: &mut Pace<'_, '_>,
    ) -> Result<(), Interrupted> {
        let rest = match self {
            Self::Portable => {
                queue.begun = streams::macs(&Arrays, queue, pace)?;
                return queue.one_by_one(self, pace);
            }
            Self::Single => return queue.one_by_one(self, pace),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::Proof::find().map(|proof| streams::macs(&proof, queue, pace)),
            #[cfg(target_arch = "x86_64")]
            Self::Shani2 => shani2::Proof::find().map(|proof| streams::macs(&proof, queue, pace)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::Proof::find().map(|proof| streams::macs(&proof, queue, pace)),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Shani2 | Self::Avx512 => None,
        };
        queue.begun = rest.unwrap_or_else(|| Ok(Vec::new()))?;
        self.rest().work_off(queue, pace)
    }

    #[inline]
    pub(crate) fn compress(self, state: &mut State, blocks: &[Block]) {
        if self == Self::Portable {
            array::compress(state, blocks);
        } else {
            hit(Self::Single, blocks.len());
            sha2::block_api::compress256(state, blocks);
        }
    }
}

/// What of a processor, and of the system that saves its registers, the kernels are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// AVX2.
    pub avx2: bool,
    /// The SHA extensions, SSSE3 and SSE4.1.
    pub shani: bool,
    /// AVX-512F and AVX-512BW.
    pub avx512: bool,
}

impl Features {
    /// What is here. The processor is asked once.
    #[must_use]
    pub fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        return Self {
            avx2: avx2::Proof::find().is_some(),
            shani: shani2::Proof::find().is_some(),
            avx512: avx512::Proof::find().is_some(),
        };
        #[cfg(not(target_arch = "x86_64"))]
        Self::default()
    }
}

/// No kernel has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
