//! SHA-256 of messages that all begin alike.

use crate::{
    BLOCK_BYTES, Block, Interrupted, Kernel, Mac, State, Watch,
    hmac::{INITIAL, Pace, STEP_BYTES, digest_of},
};

/// What messages begin with, hashed once: whole blocks, the last one filled up with zeros.
#[derive(Clone, Debug)]
pub struct SharedStart {
    state: State,
    bytes: u64,
}

impl SharedStart {
    /// Hashes a beginning.
    #[must_use]
    pub fn new(start: &[u8]) -> Self {
        let mut hash = Hash {
            state: INITIAL,
            block: [0; BLOCK_BYTES],
            filled: 0,
            bytes: 0,
        };
        hash.absorb(start);
        if hash.filled > 0 {
            hash.absorb(&[0; BLOCK_BYTES][hash.filled..]);
        }
        Self {
            state: hash.state,
            bytes: hash.bytes,
        }
    }

    /// The digest of the beginning and a few bytes behind it.
    #[must_use]
    pub fn digest_short(&self, parts: &[&[u8]]) -> Mac {
        let mut hash = self.begin();
        for part in parts {
            hash.absorb(part);
        }
        hash.finish()
    }

    /// The digest of the beginning and the parts behind it.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so.
    pub fn digest(&self, parts: &[&[u8]], watch: &mut Watch<'_>) -> Result<Mac, Interrupted> {
        let mut hash = self.begin();
        let mut pace = Pace::new(watch);
        for part in parts {
            for step in part.chunks(STEP_BYTES) {
                hash.absorb(step);
                pace.hashed(step.len())?;
            }
        }
        Ok(hash.finish())
    }

    fn begin(&self) -> Hash {
        Hash {
            state: self.state,
            block: [0; BLOCK_BYTES],
            filled: 0,
            bytes: self.bytes,
        }
    }
}

/// A hash under way.
struct Hash {
    state: State,
    block: Block,
    /// The bytes of the block that wait for more.
    filled: usize,
    bytes: u64,
}

impl Hash {
    fn absorb(&mut self, mut bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if self.filled > 0 {
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.filled));
            self.fill(now);
            bytes = rest;
            if self.filled < BLOCK_BYTES {
                return;
            }
            self.compress_block();
        }
        let (blocks, rest) = bytes.as_chunks();
        Kernel::Single.compress(&mut self.state, blocks);
        self.fill(rest);
    }

    fn fill(&mut self, bytes: &[u8]) {
        self.block[self.filled..self.filled + bytes.len()].copy_from_slice(bytes);
        self.filled += bytes.len();
    }

    fn compress_block(&mut self) {
        Kernel::Single.compress(&mut self.state, &[self.block]);
        self.filled = 0;
    }

    /// FIPS 180-4 §5.1.1: a one, zeros, and the length in bits.
    fn finish(mut self) -> Mac {
        let bits = self.bytes.wrapping_mul(8);
        self.fill(&[0x80]);
        if self.filled > LENGTH_AT {
            self.block[self.filled..].fill(0);
            self.compress_block();
        }
        self.block[self.filled..LENGTH_AT].fill(0);
        self.block[LENGTH_AT..].copy_from_slice(&bits.to_be_bytes());
        self.compress_block();
        digest_of(&self.state)
    }
}

/// Where a last block has the length of the message.
const LENGTH_AT: usize = BLOCK_BYTES - size_of::<u64>();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha256;

    #[test]
    fn it_is_sha_256_of_the_whole() {
        let bytes: Vec<u8> = (0..=255).cycle().take(700).collect();
        for start in [0_usize, 1, 63, 64, 65, 130] {
            for length in (0..140).chain([500]) {
                let whole_blocks = start.div_ceil(BLOCK_BYTES) * BLOCK_BYTES;
                let mut whole = bytes[..start].to_vec();
                whole.resize(whole_blocks, 0);
                let rest = &bytes[7..7 + length];
                whole.extend_from_slice(rest);
                let shared = SharedStart::new(&bytes[..start]);
                for cut in [0, length / 3, length] {
                    let parts = [&rest[..cut], &[], &rest[cut..]];
                    assert_eq!(shared.digest(&parts, &mut |_| Ok(())), Ok(sha256(&whole)));
                    assert_eq!(shared.digest_short(&parts), sha256(&whole));
                }
            }
        }
    }

    #[test]
    fn it_can_be_interrupted() {
        let long = vec![0; 3 * STEP_BYTES];
        let mut heard = 0;
        let stopped = SharedStart::new(b"x").digest(&[&long], &mut |bytes| {
            heard += bytes;
            if heard > STEP_BYTES {
                Err(Interrupted)
            } else {
                Ok(())
            }
        });
        assert_eq!(stopped, Err(Interrupted));
    }
}
