//! The text forms of a MAC, read in the registers of AVX2.

#![expect(
    unsafe_code,
    reason = "loads and stores of vectors, and functions of a processor's own"
)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_set_epi8, _mm_set_epi64x, _mm256_add_epi8, _mm256_and_si256,
    _mm256_blend_epi32, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8,
    _mm256_extract_epi8, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_movemask_epi8, _mm256_or_si256, _mm256_packus_epi16, _mm256_permute4x64_epi64,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_setr_epi32, _mm256_shuffle_epi8, _mm256_srli_epi32, _mm256_storeu_si256,
    _mm256_testz_si256, _mm256_xor_si256,
};

use crate::{
    Mac,
    text::{BASE64_MAC_BYTES, HEX_MAC_BYTES},
};

pub(crate) use crate::avx2::Proof;

/// As [`crate::base64_mac_vartime`].
#[inline]
pub(crate) fn base64(_: Proof, text: &[u8; BASE64_MAC_BYTES]) -> Option<Mac> {
    // SAFETY: the processor has what the function is compiled for: that is what a proof shows.
    unsafe { base64_wide(text) }
}

/// As [`crate::hex_mac_vartime`].
#[inline]
pub(crate) fn hex(_: Proof, text: &[u8; HEX_MAC_BYTES], any_case: bool) -> Option<Mac> {
    // SAFETY: the processor has what the function is compiled for: that is what a proof shows.
    unsafe { hex_wide(text, any_case) }
}

#[target_feature(enable = "avx2")]
fn base64_wide(text: &[u8; BASE64_MAC_BYTES]) -> Option<Mac> {
    // The last 32 characters overlap the first 32; an `A`, which is zero, is read for the `=`.
    let (first, _) = text.split_first_chunk()?;
    let last = text.last_chunk()?;
    if text.last() != Some(&b'=') {
        return None;
    }
    let last = _mm256_xor_si256(load(last), load(&ONLY_LAST));
    let first = _mm256_permutevar8x32_epi32(
        joined(sextets(load(first))?, ORDER),
        _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7),
    );
    let last = joined(sextets(last)?, ORDER_OF_LAST);
    // 43 characters have two bits more than a MAC.
    if _mm256_extract_epi8::<16>(last) != 0 {
        return None;
    }
    let mut mac = Mac::default();
    store(&mut mac, _mm256_blend_epi32::<0b1100_0000>(first, last));
    Some(mac)
}

/// What makes the last `=` an `A`, where the other characters stay.
const ONLY_LAST: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[31] = b'=' ^ b'A';
    bytes
};

/// Three bytes of each four, in their order, in each half.
const ORDER: [i8; 32] = {
    let order = [2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1];
    twice_over(order, order)
};

/// The last eight bytes of a MAC at the end of the upper half, where they are to be, and the
/// byte behind them at its beginning.
const ORDER_OF_LAST: [i8; 32] = {
    let none = [-1; 16];
    twice_over(
        none,
        [12, -1, -1, -1, -1, -1, -1, -1, 6, 5, 4, 10, 9, 8, 14, 13],
    )
};

const fn twice_over(low: [i8; 16], high: [i8; 16]) -> [i8; 32] {
    let mut both = [0; 32];
    let mut at = 0;
    while at < 16 {
        both[at] = low[at];
        both[at + 16] = high[at];
        at += 1;
    }
    both
}

/// The six bits that each character stands for, or None if one is not of RFC 4648's table 1.
#[inline]
#[target_feature(enable = "avx2")]
fn sextets(text: __m256i) -> Option<__m256i> {
    // A character belongs to a row of ASCII by its high half; what to add to it is the same for
    // a row, but for the slash. One bit for each group of rows tells which low halves are bad.
    let rows = _mm256_and_si256(_mm256_srli_epi32::<4>(text), _mm256_set1_epi8(0x0f));
    let bad_by_half = _mm256_shuffle_epi8(
        twice(_mm_set_epi64x(
            0x1a1b_1b1b_1a13_1111_u64.cast_signed(),
            0x1111_1111_1111_1115_u64.cast_signed(),
        )),
        _mm256_and_si256(text, _mm256_set1_epi8(0x0f)),
    );
    let bad_by_row = _mm256_shuffle_epi8(
        twice(_mm_set_epi64x(0x1010_1010_1010_1010, 0x0804_0804_0201_1010)),
        rows,
    );
    if _mm256_testz_si256(bad_by_half, bad_by_row) == 0 {
        return None;
    }
    let is_slash = _mm256_cmpeq_epi8(text, _mm256_set1_epi8(b'/'.cast_signed()));
    // By row: nothing; the slash; plus; digits; capitals twice; small letters twice.
    let shift = twice(_mm_set_epi8(
        0, 0, 0, 0, 0, 0, 0, 0, -71, -71, -65, -65, 4, 19, 16, 0,
    ));
    Some(_mm256_add_epi8(
        text,
        _mm256_shuffle_epi8(shift, _mm256_add_epi8(is_slash, rows)),
    ))
}

/// Joins four times six bits to three bytes, and puts them in an order.
#[inline]
#[target_feature(enable = "avx2")]
fn joined(sextets: __m256i, order: [i8; 32]) -> __m256i {
    let twelve = _mm256_maddubs_epi16(sextets, _mm256_set1_epi32(0x0140_0140));
    let twenty_four = _mm256_madd_epi16(twelve, _mm256_set1_epi32(0x0001_1000));
    _mm256_shuffle_epi8(twenty_four, load(&order.map(i8::cast_unsigned)))
}

#[target_feature(enable = "avx2")]
fn hex_wide(text: &[u8; HEX_MAC_BYTES], any_case: bool) -> Option<Mac> {
    let (first, last) = (text.first_chunk()?, text.last_chunk()?);
    let [first, last] = [
        nibbles(load(first), any_case)?,
        nibbles(load(last), any_case)?,
    ];
    // Two digits make a byte, in sixteen bits of its own.
    let weights = _mm256_set1_epi16(0x0110);
    let first = _mm256_maddubs_epi16(first, weights);
    let last = _mm256_maddubs_epi16(last, weights);
    // Packing works in halves, and leaves the second and the third quarter in each other's place.
    let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(first, last));
    let mut mac = Mac::default();
    store(&mut mac, packed);
    Some(mac)
}

/// What each digit stands for, or None if one is none.
#[inline]
#[target_feature(enable = "avx2")]
fn nibbles(text: __m256i, any_case: bool) -> Option<__m256i> {
    let within = |text, low: u8, high: u8| {
        _mm256_and_si256(
            _mm256_cmpgt_epi8(text, _mm256_set1_epi8((low - 1).cast_signed())),
            _mm256_cmpgt_epi8(_mm256_set1_epi8((high + 1).cast_signed()), text),
        )
    };
    // Bit 5 makes a capital small. It makes other bytes digits too: those are looked for in
    // what came.
    let small = if any_case {
        _mm256_or_si256(text, _mm256_set1_epi8(0x20))
    } else {
        text
    };
    let (is_digit, is_letter) = (within(text, b'0', b'9'), within(small, b'a', b'f'));
    if _mm256_movemask_epi8(_mm256_or_si256(is_digit, is_letter)) != -1 {
        return None;
    }
    let nine_for_letters = _mm256_and_si256(is_letter, _mm256_set1_epi8(9));
    let low = _mm256_and_si256(text, _mm256_set1_epi8(0x0f));
    Some(_mm256_add_epi8(low, nine_for_letters))
}

/// The same sixteen bytes in both halves.
#[inline]
#[target_feature(enable = "avx2")]
fn twice(bytes: __m128i) -> __m256i {
    _mm256_broadcastsi128_si256(bytes)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 readable bytes; the load asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(bytes: &mut [u8; 32], value: __m256i) {
    // SAFETY: 32 writable bytes; the store asks for no alignment.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), value) }
}
