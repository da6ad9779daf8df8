//! HMAC (RFC 2104) over SHA-256, from states that have already absorbed the key.

use std::{fmt, slice::from_ref};

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    BLOCK_BYTES, Block, Kernel, State,
    message::{Message, Start},
};

/// A MAC, or a SHA-256 digest: 32 bytes.
pub type Mac = [u8; 32];

/// Told how many bytes were hashed since it was last asked, at least every 512 KiB; may stop
/// the work.
pub type Watch<'a> = dyn FnMut(usize) -> Result<(), Interrupted> + 'a;

/// The work was stopped by its [`Watch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// The two chaining values of HMAC after the key: what RFC 2104 §4 calls the intermediate
/// results of (K XOR ipad) and (K XOR opad). Wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KeyState {
    pub(crate) inner: State,
    pub(crate) outer: State,
}

impl KeyState {
    /// Absorbs a key of any length. A key over one block is hashed first (RFC 2104 §2).
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0_u8; BLOCK_BYTES]);
        if key.len() > BLOCK_BYTES {
            let digest = Zeroizing::new(sha256(key));
            block[..digest.len()].copy_from_slice(&*digest);
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let keyed = |pad: u8| {
            let mut padded = Zeroizing::new(*block);
            padded.iter_mut().for_each(|byte| *byte ^= pad);
            let mut state = INITIAL;
            Kernel::Single.compress(&mut state, from_ref(&*padded));
            state
        };
        Self {
            inner: keyed(0x36),
            outer: keyed(0x5c),
        }
    }

    /// Whether two keys give the same MACs. Not constant-time in the position of the first
    /// difference: both keys belong to the caller.
    #[must_use]
    pub fn same_as_vartime(&self, other: &Self) -> bool {
        self.inner == other.inner && self.outer == other.outer
    }
}

impl fmt::Debug for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyState(..)")
    }
}

/// One message to hash: `head`, `body` and `tail` one after the other, behind what the key begins with.
#[derive(Debug)]
pub struct Job<'a, K = KeyState> {
    /// The key.
    pub key: &'a K,
    /// What comes before the body.
    pub head: &'a [u8],
    /// The body, where it lies.
    pub body: &'a [u8],
    /// What comes behind the body.
    pub tail: &'a [u8],
}

impl<K> Clone for Job<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Job<'_, K> {}

/// The SHA-256 digest of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Mac {
    // Long keys and tokens come through here: `sha2` wipes its own.
    Sha256::digest(bytes).into()
}

/// The digest of one job.
pub(crate) fn mac<K: Start>(
    kernel: Kernel,
    job: &Job<'_, K>,
    pace: &mut Pace<'_, '_>,
) -> Result<Mac, Interrupted> {
    let mut message = Message::none(job.key);
    message.begin(0, job);
    let state = *message.first_state();
    let state = message.finish(kernel, state, pace)?;
    Ok(digest_of(&state))
}

/// The block of the outer hash, behind the digest that goes into it.
pub(crate) const OUTER_PADDING: Block = {
    let mut block = [0; BLOCK_BYTES];
    block[size_of::<Mac>()] = 0x80;
    let [.., high, low] = ((BLOCK_BYTES + size_of::<Mac>()) as u64 * 8).to_be_bytes();
    block[BLOCK_BYTES - 2] = high;
    block[BLOCK_BYTES - 1] = low;
    block
};

/// The same as words, big-endian as FIPS 180-4 §5.2.1 reads them.
pub(crate) const OUTER_PADDING_WORDS: [u32; 16] = {
    let (words, mut at) = (OUTER_PADDING.as_chunks().0, 0);
    let mut read = [0; 16];
    while at < read.len() {
        read[at] = u32::from_be_bytes(words[at]);
        at += 1;
    }
    read
};

/// The block of the outer hash of an inner one: its padding is always the same.
#[inline]
pub(crate) fn outer_block(inner: &State) -> Block {
    let mut block = OUTER_PADDING;
    let digest = digest_of(inner);
    block[..digest.len()].copy_from_slice(&digest);
    block
}

pub(crate) fn digest_of(state: &State) -> Mac {
    let mut mac = Mac::default();
    for (bytes, word) in mac.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    mac
}

/// Counts hashed bytes and asks the watch every [`STEP_BYTES`].
pub(crate) struct Pace<'w, 'a> {
    watch: &'w mut Watch<'a>,
    bytes: usize,
}

impl<'w, 'a> Pace<'w, 'a> {
    pub(crate) fn new(watch: &'w mut Watch<'a>) -> Self {
        Self { watch, bytes: 0 }
    }

    /// Counts; the watch hears of it when enough has come together.
    pub(crate) fn hashed(&mut self, bytes: usize) -> Result<(), Interrupted> {
        self.bytes += bytes;
        if self.bytes >= STEP_BYTES {
            self.settle()
        } else {
            Ok(())
        }
    }

    /// Tells the watch of what it has not heard of yet.
    pub(crate) fn settle(&mut self) -> Result<(), Interrupted> {
        (self.watch)(std::mem::take(&mut self.bytes))
    }
}

/// Bytes between two calls of the watch: 0.15 ms on one SHA-NI stream. A whole number of
/// blocks, so that a step never leaves a block half full that was not so before.
pub(crate) const STEP_BYTES: usize = 256 * 1024;

/// FIPS 180-4 §5.3.3: the first 32 bits of the fractional parts of the square roots of the
/// first eight primes.
pub(crate) const INITIAL: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
