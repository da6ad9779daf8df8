//! Eight lanes in the registers of AVX2.

#![expect(
    clippy::inline_always,
    reason = "only inside a function of the processor's own do the parts become its instructions"
)]
#![expect(
    unsafe_code,
    reason = "loads and stores of vectors, and functions of a processor's own"
)]

use std::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_cvtsi32_si128, _mm_prefetch, _mm256_add_epi32, _mm256_and_si256,
    _mm256_loadu_si256, _mm256_or_si256, _mm256_permute2x128_si256, _mm256_set_epi8,
    _mm256_set1_epi32, _mm256_shuffle_epi8, _mm256_sll_epi32, _mm256_srl_epi32,
    _mm256_storeu_si256, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32,
    _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use crate::{
    Block, Kernel,
    hits::hit,
    streams::Wide,
    wide::{self, Lanes, States},
};

/// How many messages go side by side.
pub(crate) const WIDTH: usize = 8;

/// Shows that the processor, and the system that saves its registers, have AVX2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof(());

impl Proof {
    /// The proof, where it can be given.
    pub(crate) fn find() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }
}

impl Wide<WIDTH> for Proof {
    fn cost(&self) -> usize {
        // As in avx512.rs.
        if Kernel::Avx2.rest() == Kernel::Shani2 {
            500
        } else {
            190
        }
    }

    fn compress(
        &self,
        states: &mut States<WIDTH>,
        blocks: &[&[Block]; WIDTH],
        count: usize,
        ahead: &[*const u8; WIDTH],
    ) {
        // SAFETY: the processor has what the function is compiled for: that is what a proof
        // shows.
        unsafe { compress_wide(*self, states, blocks, count, ahead) }
    }

    fn outer(&self, states: &mut States<WIDTH>, keys: &States<WIDTH>) {
        // SAFETY: the processor has what the function is compiled for: that is what a proof
        // shows.
        unsafe { outer_wide(*self, states, keys) }
    }
}

#[target_feature(enable = "avx2")]
fn compress_wide(
    proof: Proof,
    states: &mut States<WIDTH>,
    blocks: &[&[Block]; WIDTH],
    count: usize,
    ahead: &[*const u8; WIDTH],
) {
    hit(Kernel::Avx2, count);
    wide::compress::<Vector, WIDTH>(proof, states, blocks, count, ahead);
}

#[target_feature(enable = "avx2")]
fn outer_wide(proof: Proof, states: &mut States<WIDTH>, keys: &States<WIDTH>) {
    hit(Kernel::Avx2, 1);
    wide::outer::<Vector, WIDTH>(proof, states, keys);
}

/// Eight words. There is none without a [`Proof`].
#[derive(Clone, Copy)]
struct Vector(__m256i);

impl Vector {
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: whoever holds a vector has the proof.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: whoever holds a vector has the proof.
        Self(unsafe { _mm256_and_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn shifted<const K: i32>(self) -> Self {
        // SAFETY: whoever holds a vector has the proof.
        Self(unsafe { _mm256_srl_epi32(self.0, _mm_cvtsi32_si128(K)) })
    }

    #[inline(always)]
    fn rotated<const N: i32>(self) -> Self {
        // SAFETY: whoever holds a vector has the proof.
        Self(unsafe {
            _mm256_or_si256(
                _mm256_srl_epi32(self.0, _mm_cvtsi32_si128(N)),
                _mm256_sll_epi32(self.0, _mm_cvtsi32_si128(32 - N)),
            )
        })
    }
}

impl Lanes<WIDTH> for Vector {
    type Proof = Proof;

    #[inline(always)]
    fn splat(_: Proof, word: u32) -> Self {
        // SAFETY: the proof.
        Self(unsafe { _mm256_set1_epi32(word.cast_signed()) })
    }

    #[inline(always)]
    fn load(_: Proof, words: &[u32; WIDTH]) -> Self {
        // SAFETY: the proof; 32 readable bytes, and no alignment is asked for.
        Self(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, words: &mut [u32; WIDTH]) {
        // SAFETY: whoever holds a vector has the proof; 32 writable bytes, of any alignment.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn message(_: Proof, blocks: [&Block; WIDTH]) -> [Self; 16] {
        let halves = blocks.map(|block| {
            let (halves, _) = block.as_chunks::<32>();
            // SAFETY: the proof; each half is 32 readable bytes, of any alignment.
            [0, 1].map(|at: usize| unsafe { _mm256_loadu_si256(halves[at].as_ptr().cast()) })
        });
        // SAFETY: the proof.
        let [low, high] = [0, 1].map(|at| unsafe { transposed(halves.map(|half| half[at])) });
        std::array::from_fn(|t| if t < 8 { low[t] } else { high[t - 8] })
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: whoever holds a vector has the proof.
        Self(unsafe { _mm256_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn rotations<const N: i32, const M: i32, const K: i32>(self) -> Self {
        self.rotated::<N>()
            .xor(self.rotated::<M>())
            .xor(self.rotated::<K>())
    }

    #[inline(always)]
    fn rotations_and_shift<const N: i32, const M: i32, const K: i32>(self) -> Self {
        self.rotated::<N>()
            .xor(self.rotated::<M>())
            .xor(self.shifted::<K>())
    }

    // Each with an operation less than FIPS 180-4 §4.1.2 writes it.

    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        no.xor(self.and(yes.xor(no)))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        b.xor(self.xor(b).and(b.xor(c)))
    }

    #[inline(always)]
    fn prefetch(_: Proof, line: *const u8) {
        // SAFETY: a prefetch has no effect but on the cache, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) }
    }
}

/// Words from rows to columns, each big-endian: four rows make sixteen bytes of a column, and
/// two of those a column.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed(rows: [__m256i; 8]) -> [Vector; 8] {
    let swap = _mm256_set_epi8(
        12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3, //
        12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3,
    );
    let rows = rows.map(|row| _mm256_shuffle_epi8(row, swap));
    let four = |at: usize| {
        let [a, b, c, d] = [rows[at], rows[at + 1], rows[at + 2], rows[at + 3]];
        let low = [_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d)];
        let high = [_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d)];
        [
            _mm256_unpacklo_epi64(low[0], low[1]),
            _mm256_unpackhi_epi64(low[0], low[1]),
            _mm256_unpacklo_epi64(high[0], high[1]),
            _mm256_unpackhi_epi64(high[0], high[1]),
        ]
    };
    let (first, last) = (four(0), four(4));
    std::array::from_fn(|t| {
        const LOW: i32 = 0x20;
        const HIGH: i32 = 0x31;
        let (a, b) = (first[t % 4], last[t % 4]);
        Vector(if t < 4 {
            _mm256_permute2x128_si256::<LOW>(a, b)
        } else {
            _mm256_permute2x128_si256::<HIGH>(a, b)
        })
    })
}
