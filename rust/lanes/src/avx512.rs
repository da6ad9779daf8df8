//! Sixteen lanes in the registers of AVX-512.

#![expect(
    clippy::inline_always,
    reason = "only inside a function of the processor's own do the parts become its instructions"
)]
#![expect(
    unsafe_code,
    reason = "loads and stores of vectors, and functions of a processor's own"
)]

use std::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_cvtsi32_si128, _mm_prefetch, _mm_set_epi8, _mm512_add_epi32,
    _mm512_broadcast_i32x4, _mm512_loadu_si512, _mm512_ror_epi32, _mm512_set1_epi32,
    _mm512_shuffle_epi8, _mm512_shuffle_i32x4, _mm512_srl_epi32, _mm512_storeu_si512,
    _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32,
    _mm512_unpacklo_epi64,
};

use crate::{
    Block, Kernel,
    hits::hit,
    streams::Wide,
    wide::{self, Lanes, States},
};

/// How many messages go side by side.
pub(crate) const WIDTH: usize = 16;

/// Shows that the processor, and the system that saves its registers, have AVX-512F and BW.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof(());

impl Proof {
    /// The proof, where it can be given.
    pub(crate) fn find() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw"))
            .then_some(Self(()))
    }
}

impl Wide<WIDTH> for Proof {
    fn cost(&self) -> usize {
        // Two streams hash what is left, or `sha2` without the extensions: six times as slow.
        if Kernel::Avx512.rest() == Kernel::Shani2 {
            920
        } else {
            150
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

#[target_feature(enable = "avx512f,avx512bw")]
fn compress_wide(
    proof: Proof,
    states: &mut States<WIDTH>,
    blocks: &[&[Block]; WIDTH],
    count: usize,
    ahead: &[*const u8; WIDTH],
) {
    hit(Kernel::Avx512, count);
    wide::compress::<Vector, WIDTH>(proof, states, blocks, count, ahead);
}

#[target_feature(enable = "avx512f,avx512bw")]
fn outer_wide(proof: Proof, states: &mut States<WIDTH>, keys: &States<WIDTH>) {
    hit(Kernel::Avx512, 1);
    wide::outer::<Vector, WIDTH>(proof, states, keys);
}

/// Sixteen words. There is none without a [`Proof`].
#[derive(Clone, Copy)]
struct Vector(__m512i);

// FIPS 180-4 §4.1.2 as truth tables: bit 4a + 2b + c is the function of the bits a, b, c.
const XOR3: i32 = 0x96;
const CHOOSE: i32 = 0xca;
const MAJORITY: i32 = 0xe8;

/// A function of three vectors, bit by bit.
#[inline(always)]
fn logic<const TABLE: i32>(a: __m512i, b: __m512i, c: __m512i) -> Vector {
    // SAFETY: whoever holds vectors has the proof.
    Vector(unsafe { _mm512_ternarylogic_epi32::<TABLE>(a, b, c) })
}

impl Lanes<WIDTH> for Vector {
    type Proof = Proof;

    #[inline(always)]
    fn splat(_: Proof, word: u32) -> Self {
        // SAFETY: the proof.
        Self(unsafe { _mm512_set1_epi32(word.cast_signed()) })
    }

    #[inline(always)]
    fn load(_: Proof, words: &[u32; WIDTH]) -> Self {
        // SAFETY: the proof; 64 readable bytes, and no alignment is asked for.
        Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, words: &mut [u32; WIDTH]) {
        // SAFETY: whoever holds a vector has the proof; 64 writable bytes, of any alignment.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn message(_: Proof, blocks: [&Block; WIDTH]) -> [Self; 16] {
        // SAFETY: the proof; each block is 64 readable bytes, and no alignment is asked for.
        unsafe { transposed(&blocks.map(|block| _mm512_loadu_si512(block.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: whoever holds a vector has the proof.
        Self(unsafe { _mm512_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn rotations<const N: i32, const M: i32, const K: i32>(self) -> Self {
        // SAFETY: whoever holds a vector has the proof.
        let [n, m, k] = unsafe {
            [
                _mm512_ror_epi32::<N>(self.0),
                _mm512_ror_epi32::<M>(self.0),
                _mm512_ror_epi32::<K>(self.0),
            ]
        };
        logic::<XOR3>(n, m, k)
    }

    #[inline(always)]
    fn rotations_and_shift<const N: i32, const M: i32, const K: i32>(self) -> Self {
        // SAFETY: whoever holds a vector has the proof.
        let [n, m, k] = unsafe {
            [
                _mm512_ror_epi32::<N>(self.0),
                _mm512_ror_epi32::<M>(self.0),
                _mm512_srl_epi32(self.0, _mm_cvtsi32_si128(K)),
            ]
        };
        logic::<XOR3>(n, m, k)
    }

    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        logic::<CHOOSE>(self.0, yes.0, no.0)
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        logic::<MAJORITY>(self.0, b.0, c.0)
    }

    #[inline(always)]
    fn prefetch(_: Proof, line: *const u8) {
        // SAFETY: a prefetch has no effect but on the cache, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) }
    }
}

/// Words from rows to columns, each big-endian: four rows make sixteen bytes of a column, and
/// four of those a column.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn transposed(rows: &[__m512i; 16]) -> [Vector; 16] {
    let swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    let swap = _mm512_broadcast_i32x4(swap);
    let rows = rows.map(|row| _mm512_shuffle_epi8(row, swap));
    let fours = rows.as_chunks().0.iter().map(|[a, b, c, d]| {
        let low = [_mm512_unpacklo_epi32(*a, *b), _mm512_unpacklo_epi32(*c, *d)];
        let high = [_mm512_unpackhi_epi32(*a, *b), _mm512_unpackhi_epi32(*c, *d)];
        [
            _mm512_unpacklo_epi64(low[0], low[1]),
            _mm512_unpackhi_epi64(low[0], low[1]),
            _mm512_unpacklo_epi64(high[0], high[1]),
            _mm512_unpackhi_epi64(high[0], high[1]),
        ]
    });
    let mut columns = [Vector(swap); 16];
    let mut quarters = [[swap; 4]; 4];
    for (quarter, four) in quarters.iter_mut().zip(fours) {
        *quarter = four;
    }
    for at in 0..4 {
        const EVEN: i32 = 0x88;
        const ODD: i32 = 0xdd;
        let [a, b, c, d] = quarters.map(|quarter| quarter[at]);
        let even = [
            _mm512_shuffle_i32x4::<EVEN>(a, b),
            _mm512_shuffle_i32x4::<EVEN>(c, d),
        ];
        let odd = [
            _mm512_shuffle_i32x4::<ODD>(a, b),
            _mm512_shuffle_i32x4::<ODD>(c, d),
        ];
        columns[at] = Vector(_mm512_shuffle_i32x4::<EVEN>(even[0], even[1]));
        columns[4 + at] = Vector(_mm512_shuffle_i32x4::<EVEN>(odd[0], odd[1]));
        columns[8 + at] = Vector(_mm512_shuffle_i32x4::<ODD>(even[0], even[1]));
        columns[12 + at] = Vector(_mm512_shuffle_i32x4::<ODD>(odd[0], odd[1]));
    }
    columns
}
