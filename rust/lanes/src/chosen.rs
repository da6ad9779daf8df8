//! The kernel in use, and the check it passes first.

use std::{fmt, sync::OnceLock};

use sha2::{Digest, Sha256};

use crate::{Job, Kernel, KeyState, Mac, UnknownKernel, base64_mac_vartime, hex_mac_vartime};

/// A kernel that passed its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The kernel.
    pub kernel: Kernel,
    /// The one that was wanted, and computed wrong MACs.
    pub failed: Option<Kernel>,
}

impl Chosen {
    /// What is fastest here, chosen once.
    ///
    /// # Errors
    /// [`NoKernel::AllFailed`].
    pub fn detected() -> Result<Self, NoKernel> {
        static DETECTED: OnceLock<Result<Chosen, NoKernel>> = OnceLock::new();
        *DETECTED.get_or_init(|| Self::from(Kernel::detect(), Kernel::check))
    }

    /// The kernel of that name.
    ///
    /// # Errors
    /// [`NoKernel::Unknown`] if there is none, or the processor cannot run it: nothing is chosen
    /// in its place. [`NoKernel::AllFailed`].
    pub fn named(name: &str) -> Result<Self, NoKernel> {
        let kernel = Kernel::by_name(name).map_err(NoKernel::Unknown)?;
        Self::from(kernel, Kernel::check)
    }

    /// The kernel, or the fastest other that computes right.
    fn from(wanted: Kernel, is_right: impl Fn(Kernel) -> bool) -> Result<Self, NoKernel> {
        let others = Kernel::ALL.into_iter().rev().filter(|it| *it != wanted);
        let mut all = std::iter::once(wanted)
            .chain(others)
            .filter(|kernel| kernel.is_available());
        let kernel = all.find(|it| is_right(*it)).ok_or(NoKernel::AllFailed)?;
        Ok(Self {
            kernel,
            failed: (kernel != wanted).then_some(wanted),
        })
    }
}

/// Why there is no kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKernel {
    /// None has that name.
    Unknown(UnknownKernel),
    /// Every kernel computes wrong MACs: the memory, the processor or the build is broken.
    AllFailed,
}

impl fmt::Display for NoKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(unknown) => unknown.fmt(f),
            Self::AllFailed => f.write_str("every kernel computes wrong MACs"),
        }
    }
}

impl std::error::Error for NoKernel {}

impl Kernel {
    /// Whether the kernel computes what is known: the MACs of messages of many lengths, side by
    /// side, folded into one digest. About 50 µs.
    #[must_use]
    pub fn check(self) -> bool {
        let key = KeyState::new(b"known answer");
        let pattern: [u8; 512] = std::array::from_fn(|at| (7 * at + 3).to_le_bytes()[0]);
        let jobs: [_; 40] = std::array::from_fn(|at| Job {
            key: &key,
            head: &pattern[..at % 70],
            body: &pattern[..37 * at % 300],
            tail: &pattern[..at % 3],
        });
        let mut macs = [Mac::default(); 40];
        let is_done = self.macs(&jobs, &mut macs, &mut |_| Ok(()));
        let answer: Mac = Sha256::digest(macs.as_flattened()).into();
        // What reads MACs is chosen by the processor alone, and is checked with every kernel.
        is_done.is_ok()
            && answer == KNOWN_ANSWER
            && base64_mac_vartime(KNOWN_BASE64) == Some(KNOWN_ANSWER)
            && hex_mac_vartime(KNOWN_HEX, false) == Some(KNOWN_ANSWER)
    }
}

/// Computed by Python's `hmac` and `hashlib`; `tests/vectors/make_folded.py` is how.
const KNOWN_ANSWER: Mac = [
    0x5f, 0x5c, 0xfa, 0xde, 0xe3, 0xa6, 0x21, 0x67, 0x4c, 0xb2, 0x8e, 0xcf, 0x80, 0x61, 0x2e, 0x61,
    0x92, 0x23, 0x26, 0x19, 0xc7, 0xd1, 0xbf, 0x14, 0xaf, 0xc4, 0xec, 0x40, 0x03, 0xf8, 0x44, 0x00,
];

/// The known answer as text.
const KNOWN_BASE64: &[u8; 44] = b"X1z63uOmIWdMso7PgGEuYZIjJhnH0b8Ur8TsQAP4RAA=";
const KNOWN_HEX: &[u8; 64] = b"5f5cfadee3a621674cb28ecf80612e6192232619c7d1bf14afc4ec4003f84400";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_passes() {
        for kernel in Kernel::ALL {
            assert!(!kernel.is_available() || kernel.check(), "{kernel:?}");
        }
    }

    #[test]
    fn what_computes_wrong_is_not_used() {
        let wanted = Kernel::detect();
        let chosen = Chosen::from(wanted, |kernel| kernel != wanted).unwrap();
        assert_ne!(chosen.kernel, wanted);
        assert_eq!(chosen.failed, Some(wanted));
        let only = |kernel| kernel == Kernel::Portable;
        assert_eq!(Chosen::from(wanted, only).unwrap().kernel, Kernel::Portable);
        let none = Chosen::from(wanted, |_| false);
        assert_eq!(none, Err(NoKernel::AllFailed));
    }

    #[test]
    fn what_computes_right_is_used() {
        let detected = Chosen::detected().unwrap();
        assert_eq!(detected.kernel, Kernel::detect());
        assert_eq!(detected.failed, None);
        assert_eq!(Chosen::named("portable").unwrap().kernel, Kernel::Portable);
        let unknown = Chosen::named("sse9").unwrap_err().to_string();
        assert!(unknown.contains("shani2"), "{unknown}");
    }
}
