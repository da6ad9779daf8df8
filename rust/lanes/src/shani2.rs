//! Two messages at a time through the SHA extensions of x86-64.
//!
//! One stream waits four cycles for each pair of rounds; a second, independent one fills the
//! wait. What it gains is in docs/decisions/lanes.md.

#![expect(
    unsafe_code,
    reason = "loads and stores of vectors, and functions of a processor's own"
)]

use std::arch::x86_64::{
    __m128i, _MM_HINT_T0, _mm_add_epi32, _mm_alignr_epi8, _mm_castps_si128, _mm_castsi128_ps,
    _mm_loadu_si128, _mm_prefetch, _mm_set_epi8, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32,
    _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_shuffle_ps, _mm_storeu_si128,
    _mm_unpackhi_epi32, _mm_unpacklo_epi32,
};

use crate::{
    BLOCK_BYTES, Block, Kernel,
    hits::hit,
    hmac::OUTER_PADDING_WORDS,
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
        150
    }

    fn compress(
        &self,
        states: &mut States<2>,
        blocks: &[&[Block]; 2],
        count: usize,
        ahead: &[*const u8; 2],
    ) {
        let blocks = blocks.map(|blocks| &blocks[..count]);
        // SAFETY: the processor has what the function is compiled for: that is what a proof
        // shows.
        unsafe { compress_pairs(states, blocks, ahead) }
    }

    fn outer(&self, states: &mut States<2>, keys: &States<2>) {
        // SAFETY: as above.
        unsafe { outer_pair(states, keys) }
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn compress_pairs(states: &mut States<2>, [first, second]: [&[Block]; 2], ahead: &[*const u8; 2]) {
    hit(Kernel::Shani2, first.len());
    let mut lanes = load(states);
    let mut ahead = *ahead;
    for (first, second) in first.iter().zip(second) {
        for line in &mut ahead {
            _mm_prefetch::<_MM_HINT_T0>(line.cast());
            *line = line.wrapping_add(BLOCK_BYTES);
        }
        pair(&mut lanes, [message(first), message(second)]);
    }
    store(states, &lanes);
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn outer_pair(states: &mut States<2>, keys: &States<2>) {
    hit(Kernel::Shani2, 1);
    let [ab, cd, ef, gh] = quarters(states);
    let padding = [2, 3].map(|group| load_words(&OUTER_PADDING_WORDS, group));
    let of = |low, high| [low, high, padding[0], padding[1]];
    let words = [
        of(pick::<EVEN>(ab, cd), pick::<EVEN>(ef, gh)),
        of(pick::<ODD>(ab, cd), pick::<ODD>(ef, gh)),
    ];
    let mut lanes = load(keys);
    pair(&mut lanes, words);
    store(states, &lanes);
}

/// One block of each of two messages. Written into both of its callers it was a tenth slower.
#[inline(never)]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn pair(lanes: &mut [Lane; 2], mut words: [[__m128i; 4]; 2]) {
    let before = *lanes;
    // Sixteen times four rounds, written out so that words and chaining values stay in registers.
    macro_rules! rounds {
        ($($group:literal)*) => {$(
            let constants = load_words(CONSTANTS.as_flattened(), $group);
            for (lane, words) in lanes.iter_mut().zip(&mut words) {
                lane.four_rounds(_mm_add_epi32(words[$group % 4], constants));
                // Three groups before they are wanted: rounds that wait for their words leave
                // the one unit that computes rounds idle.
                if (4..16).contains(&($group + 3)) {
                    schedule(words, $group + 3);
                }
            }
        )*};
    }
    rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    for (lane, before) in lanes.iter_mut().zip(before) {
        lane.abef = _mm_add_epi32(lane.abef, before.abef);
        lane.cdgh = _mm_add_epi32(lane.cdgh, before.cdgh);
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
    fn four_rounds(&mut self, words: __m128i) {
        self.cdgh = _mm_sha256rnds2_epu32(self.cdgh, self.abef, words);
        let next = _mm_shuffle_epi32::<0x0e>(words);
        self.abef = _mm_sha256rnds2_epu32(self.abef, self.cdgh, next);
    }
}

/// Words of the first message stand at even places, of the second at odd ones.
const EVEN: i32 = 0x88;
const ODD: i32 = 0xdd;

/// The same, from the last to the first.
const EVEN_BACKWARDS: i32 = 0x22;
const ODD_BACKWARDS: i32 = 0x77;

/// Two words of each.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn pick<const PLACES: i32>(low: __m128i, high: __m128i) -> __m128i {
    let (low, high) = (_mm_castsi128_ps(low), _mm_castsi128_ps(high));
    _mm_castps_si128(_mm_shuffle_ps::<PLACES>(low, high))
}

/// Two words of both messages each.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn quarters(states: &States<2>) -> [__m128i; 4] {
    std::array::from_fn(|at| load_words(states.0.as_flattened(), at))
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn load(states: &States<2>) -> [Lane; 2] {
    let [ab, cd, ef, gh] = quarters(states);
    [
        Lane {
            abef: pick::<EVEN_BACKWARDS>(ef, ab),
            cdgh: pick::<EVEN_BACKWARDS>(gh, cd),
        },
        Lane {
            abef: pick::<ODD_BACKWARDS>(ef, ab),
            cdgh: pick::<ODD_BACKWARDS>(gh, cd),
        },
    ]
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn store(states: &mut States<2>, [first, second]: &[Lane; 2]) {
    let quarters = [
        _mm_unpackhi_epi32(first.abef, second.abef),
        _mm_unpackhi_epi32(first.cdgh, second.cdgh),
        _mm_unpacklo_epi32(first.abef, second.abef),
        _mm_unpacklo_epi32(first.cdgh, second.cdgh),
    ];
    let words = states.0.as_flattened_mut().as_chunks_mut().0;
    for (words, quarter) in words.iter_mut().zip(quarters) {
        store_words(words, _mm_shuffle_epi32::<0x4e>(quarter));
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
fn store_words(words: &mut [u32; 4], value: __m128i) {
    // SAFETY: sixteen writable bytes; the store asks for no alignment.
    unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), value) }
}
