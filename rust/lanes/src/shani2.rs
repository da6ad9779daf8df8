//! Two messages at a time through the SHA extensions of x86-64.
//!
//! One stream waits four cycles for each pair of rounds; a second, independent one fills the
//! wait. What it gains is in docs/decisions/lanes.md.

#![expect(
    unsafe_code,
    reason = "loads and stores of vectors, and functions of a processor's own"
)]

use std::arch::x86_64::{
    __m128i, _MM_HINT_T0, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_loadu_si128,
    _mm_prefetch, _mm_set_epi8, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32,
    _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_storeu_si128,
};

use std::slice::from_ref;

use crate::{
    BLOCK_BYTES, Block, Kernel, State,
    hits::hit,
    hmac::outer_block,
    streams::Wide,
    wide::{CONSTANTS, States},
};

/// Shows that the processor has the SHA extensions, SSSE3 and SSE4.1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof(());

impl Proof {
    /// The proof, where it can be given.
    pub(crate) fn find() -> Option<Self> {
        let is_there = is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("sse4.1");
        is_there.then_some(Self(()))
    }
}

impl Wide<2> for Proof {
    fn cost(&self) -> usize {
        160
    }

    fn compress(
        &self,
        states: &mut States<2>,
        blocks: &[&[Block]; 2],
        count: usize,
        ahead: &[*const u8; 2],
    ) {
        let blocks = blocks.map(|blocks| &blocks[..count]);
        let mut pair = [0, 1].map(|lane| states.0.map(|words| words[lane]));
        // SAFETY: the processor has what the function is compiled for: that is what a proof
        // shows.
        unsafe { compress_pairs(&mut pair, blocks, ahead) };
        states.0 = std::array::from_fn(|word| [pair[0][word], pair[1][word]]);
    }

    fn outer(&self, states: &mut States<2>, keys: &States<2>) {
        let blocks = [0, 1].map(|lane| outer_block(&states.0.map(|words| words[lane])));
        states.0 = keys.0;
        let [a, b] = blocks.each_ref().map(from_ref);
        self.compress(states, &[a, b], 1, &[std::ptr::null(); 2]);
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn compress_pairs(states: &mut [State; 2], blocks: [&[Block]; 2], ahead: &[*const u8; 2]) {
    hit(Kernel::Shani2, blocks[0].len());
    let mut lanes = [Lane::load(&states[0]), Lane::load(&states[1])];
    for (at, pair) in blocks[0].iter().zip(blocks[1]).enumerate() {
        for line in ahead {
            _mm_prefetch::<_MM_HINT_T0>(line.wrapping_add(at * BLOCK_BYTES).cast());
        }
        let before = lanes;
        let mut words = [message(pair.0), message(pair.1)];
        // Sixteen times four rounds, written out so that all of it stays in registers.
        macro_rules! rounds {
            ($($group:literal)*) => {$(
                let constants = load_words(CONSTANTS.as_flattened(), $group);
                for (lane, words) in lanes.iter_mut().zip(&mut words) {
                    if $group >= 4 {
                        schedule(words, $group);
                    }
                    lane.four_rounds(_mm_add_epi32(words[$group % 4], constants));
                }
            )*};
        }
        rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for (lane, before) in lanes.iter_mut().zip(before) {
            lane.abef = _mm_add_epi32(lane.abef, before.abef);
            lane.cdgh = _mm_add_epi32(lane.cdgh, before.cdgh);
        }
    }
    for (lane, state) in lanes.iter().zip(states) {
        lane.store(state);
    }
}

/// A chaining value in the order in which the instructions want its words.
#[derive(Clone, Copy)]
struct Lane {
    abef: __m128i,
    cdgh: __m128i,
}

impl Lane {
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn load(state: &State) -> Self {
        let badc = _mm_shuffle_epi32::<0xb1>(load_words(state, 0));
        let hgfe = _mm_shuffle_epi32::<0x1b>(load_words(state, 1));
        Self {
            abef: _mm_alignr_epi8::<8>(badc, hgfe),
            cdgh: _mm_blend_epi16::<0xf0>(hgfe, badc),
        }
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn store(&self, state: &mut State) {
        let feba = _mm_shuffle_epi32::<0x1b>(self.abef);
        let dchg = _mm_shuffle_epi32::<0xb1>(self.cdgh);
        let (low, high) = state.split_at_mut(4);
        store_words(low, _mm_blend_epi16::<0xf0>(feba, dchg));
        store_words(high, _mm_alignr_epi8::<8>(dchg, feba));
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn four_rounds(&mut self, words: __m128i) {
        self.cdgh = _mm_sha256rnds2_epu32(self.cdgh, self.abef, words);
        let next = _mm_shuffle_epi32::<0x0e>(words);
        self.abef = _mm_sha256rnds2_epu32(self.abef, self.cdgh, next);
    }
}

/// The sixteen words of a block, big-endian as FIPS 180-4 §5.2.1 reads them.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn message(block: &Block) -> [__m128i; 4] {
    let swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    let quarters = block.as_chunks::<16>().0;
    std::array::from_fn(|at| _mm_shuffle_epi8(load_bytes(&quarters[at]), swap))
}

/// Puts the next four words of the message schedule in the place of the oldest.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn schedule(words: &mut [__m128i; 4], group: usize) {
    let [oldest, older, newer, newest] = std::array::from_fn(|back| words[(group + back) % 4]);
    let partial = _mm_sha256msg1_epu32(oldest, older);
    let partial = _mm_add_epi32(partial, _mm_alignr_epi8::<4>(newest, newer));
    words[group % 4] = _mm_sha256msg2_epu32(partial, newest);
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn load_bytes(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: sixteen readable bytes; the load asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// Words `4 × group` to `4 × group + 3`.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn load_words(words: &[u32], group: usize) -> __m128i {
    let four: &[u32; 4] = &words.as_chunks().0[group];
    // SAFETY: sixteen readable bytes; the load asks for no alignment.
    unsafe { _mm_loadu_si128(four.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn store_words(words: &mut [u32], value: __m128i) {
    let four: &mut [u32; 4] = &mut words.as_chunks_mut().0[0];
    // SAFETY: sixteen writable bytes; the store asks for no alignment.
    unsafe { _mm_storeu_si128(four.as_mut_ptr().cast(), value) }
}
