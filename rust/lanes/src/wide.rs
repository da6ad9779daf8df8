//! SHA-256 over several messages in step: one compression, written once, for any vector.

#![expect(
    clippy::inline_always,
    reason = "only inside a function of the processor's own do the parts become its instructions"
)]

use zeroize::Zeroize;

use crate::{BLOCK_BYTES, Block, hmac::OUTER_PADDING_WORDS};

/// `WIDTH` words side by side, one of each message: a vector register, or an array.
pub(crate) trait Lanes<const WIDTH: usize>: Copy {
    /// Shows that the processor has what the methods are made of: no value is made without it.
    type Proof: Copy;

    fn splat(proof: Self::Proof, word: u32) -> Self;
    fn load(proof: Self::Proof, words: &[u32; WIDTH]) -> Self;
    fn store(self, words: &mut [u32; WIDTH]);
    /// Word `t` of every block is in vector `t`, big-endian as FIPS 180-4 §5.2.1 reads it.
    fn message(proof: Self::Proof, blocks: [&Block; WIDTH]) -> [Self; 16];
    fn add(self, other: Self) -> Self;
    /// ROTR^n(a) XOR ROTR^m(a) XOR ROTR^k(a).
    fn rotations<const N: i32, const M: i32, const K: i32>(self) -> Self;
    /// ROTR^n(a) XOR ROTR^m(a) XOR SHR^k(a).
    fn rotations_and_shift<const N: i32, const M: i32, const K: i32>(self) -> Self;
    /// Ch(self, yes, no).
    fn choose(self, yes: Self, no: Self) -> Self;
    /// Maj(self, b, c).
    fn majority(self, b: Self, c: Self) -> Self;
    /// Asks for a cache line that will be read soon.
    fn prefetch(proof: Self::Proof, line: *const u8);
}

/// The chaining values of `WIDTH` messages: word by word, as the vectors hold them.
#[derive(Clone)]
#[repr(C, align(64))]
pub(crate) struct States<const WIDTH: usize>(pub(crate) [[u32; WIDTH]; 8]);

/// They begin as keyed states.
impl<const WIDTH: usize> Drop for States<WIDTH> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Absorbs `count` blocks of every message (FIPS 180-4 §6.2.2), and asks for as many cache
/// lines of what is hashed behind them.
///
/// # Panics
/// If a message has fewer blocks.
#[inline(always)]
pub(crate) fn compress<L: Lanes<WIDTH>, const WIDTH: usize>(
    proof: L::Proof,
    states: &mut States<WIDTH>,
    blocks: &[&[Block]; WIDTH],
    count: usize,
    ahead: &[*const u8; WIDTH],
) {
    // Cut to one length, so that the loop has nothing to check.
    let blocks = blocks.map(|blocks| &blocks[..count]);
    let mut state = states.load(proof);
    for at in 0..count {
        let words = L::message(proof, blocks.map(|blocks| &blocks[at]));
        for line in ahead {
            L::prefetch(proof, line.wrapping_add(at * BLOCK_BYTES));
        }
        state = block(proof, state, words);
    }
    states.store(state);
}

/// The outer hash of every message: one block, of the digest that `states` came to and its
/// padding, behind the keyed states `keys`. The digest's words need no way through memory.
#[inline(always)]
pub(crate) fn outer<L: Lanes<WIDTH>, const WIDTH: usize>(
    proof: L::Proof,
    states: &mut States<WIDTH>,
    keys: &States<WIDTH>,
) {
    let digest: [L; 8] = states.load(proof);
    let words = std::array::from_fn(|t| match digest.get(t) {
        Some(word) => *word,
        None => L::splat(proof, OUTER_PADDING_WORDS[t]),
    });
    states.store(block(proof, keys.load(proof), words));
}

impl<const WIDTH: usize> States<WIDTH> {
    #[inline(always)]
    fn load<L: Lanes<WIDTH>>(&self, proof: L::Proof) -> [L; 8] {
        std::array::from_fn(|word| L::load(proof, &self.0[word]))
    }

    #[inline(always)]
    fn store<L: Lanes<WIDTH>>(&mut self, state: [L; 8]) {
        for (vector, words) in state.into_iter().zip(&mut self.0) {
            vector.store(words);
        }
    }
}

/// One block of every message.
#[inline(always)]
fn block<L: Lanes<WIDTH>, const WIDTH: usize>(
    proof: L::Proof,
    before: [L; 8],
    mut words: [L; 16],
) -> [L; 8] {
    let mut state = before;
    let (last, others) = CONSTANTS.split_last().unwrap_or((&[0; 16], &[]));
    macro_rules! rounds {
        ($constants:ident, $after:expr) => {
            rounds!($constants, $after, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
        };
        ($constants:ident, $after:expr, $($t:literal)*) => {$(
            let constant = L::splat(proof, $constants[$t]);
            state = round(state, words[$t].add(constant));
            $after(&mut words, $t);
        )*};
    }
    for constants in others {
        rounds!(constants, schedule);
    }
    rounds!(last, |_: &mut [L; 16], _| ());
    for (word, before) in state.iter_mut().zip(before) {
        *word = word.add(before);
    }
    state
}

/// Step 3 of FIPS 180-4 §6.2.2, with the constant already in the word.
#[inline(always)]
fn round<L: Lanes<WIDTH>, const WIDTH: usize>(state: [L; 8], word: L) -> [L; 8] {
    let [a, b, c, d, e, f, g, h] = state;
    let t1 = h
        .add(word)
        .add(e.choose(f, g))
        .add(e.rotations::<6, 11, 25>());
    let t2 = a.rotations::<2, 13, 22>().add(a.majority(b, c));
    [t1.add(t2), a, b, c, d.add(t1), e, f, g]
}

/// Puts word t + 16 of the schedule in the place of word t (step 1).
#[inline(always)]
fn schedule<L: Lanes<WIDTH>, const WIDTH: usize>(words: &mut [L; 16], t: usize) {
    words[t] = words[t]
        .add(words[(t + 1) % 16].rotations_and_shift::<7, 18, 3>())
        .add(words[(t + 9) % 16])
        .add(words[(t + 14) % 16].rotations_and_shift::<17, 19, 10>());
}

/// FIPS 180-4 §4.2.2: the first 32 bits of the fractional parts of the cube roots of the
/// first 64 primes.
#[rustfmt::skip]
pub(crate) const CONSTANTS: [[u32; 16]; 4] = [[
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
], [
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
], [
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
], [
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]];
