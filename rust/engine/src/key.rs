//! What a verifier keeps of a secret: enough to check, not enough to read.

use std::fmt;

use hookseal_lanes::{Job, Kernel, KeyState, Mac, sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::scheme::Algorithm;

/// A key in the form that its scheme computes with. Wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub enum Key {
    /// The keyed states of HMAC.
    Mac(KeyState),
    /// The SHA-256 digest of a token: comparing digests leaks neither content nor length.
    Token(Mac),
}

impl Key {
    /// Absorbs a key's bytes.
    #[must_use]
    pub fn new(bytes: &[u8], algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::HmacSha256 => Self::Mac(KeyState::new(bytes)),
            Algorithm::Token => Self::Token(sha256(bytes)),
        }
    }

    /// Whether two keys accept the same messages. Both belong to the caller, so this need
    /// not be constant-time.
    #[must_use]
    pub fn same_as_vartime(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mac(a), Self::Mac(b)) => a.same_as_vartime(b),
            (Self::Token(a), Self::Token(b)) => a == b,
            _ => false,
        }
    }

    /// What is the same for the same key: for finding one key among many.
    #[must_use]
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint(match self {
            Self::Mac(key) => {
                let nothing = Job {
                    key,
                    head: &[],
                    body: &[],
                    tail: &[],
                };
                Kernel::Single
                    .mac(&nothing, &mut |_| Ok(()))
                    .unwrap_or_default()
            }
            Self::Token(digest) => *digest,
        })
    }
}

/// A MAC of nothing under the key, which tells nothing of it; of a token its digest, by which short
/// ones can be guessed. Wiped on drop, and leaves no call.
#[derive(PartialEq, Eq, Hash, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Fingerprint(Mac);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}
