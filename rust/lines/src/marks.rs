//! Where a string's quotes, backslashes and control characters are: 64 bytes at a time where
//! many are expected, 8 where one is.

/// The bytes that are looked at together.
pub const BLOCK: usize = 64;

/// A bit for each byte of a block that is a quote, a backslash or a control character; the
/// lowest for the first. Written so that the compiler makes vector instructions of it.
#[inline]
pub fn block_marks(block: &[u8; BLOCK]) -> u64 {
    // Multiplied, the lowest bit of byte n moves to bit n of the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let marks = block.map(|byte| u8::from(is_mark(byte)));
    let (words, _) = marks.as_chunks::<8>();
    let bits = words
        .iter()
        .map(|word| u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56);
    bits.zip(0..)
        .fold(0, |all, (bits, at)| all | bits << (8 * at))
}

/// Whether a byte does not stand for itself in a string.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0x00..0x20)
}

/// How many bytes stand for themselves before the first quote, backslash or control character.
pub fn plain(source: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = source[at..].first_chunk::<WORD>() {
        let marks = word_marks(*word);
        if marks != 0 {
            return at + first(marks);
        }
        at += WORD;
    }
    let is_plain = |byte: &&u8| !is_mark(**byte);
    at + source[at..].iter().take_while(is_plain).count()
}

/// Bytes that are looked at together.
const WORD: usize = size_of::<u64>();

/// Marks the quotes, backslashes and control characters of a word at their highest bits. The
/// lowest mark is right; a borrow can make false ones above it.
fn word_marks(word: [u8; WORD]) -> u64 {
    const EACH: u64 = u64::from_ne_bytes([1; WORD]);
    const HIGHEST: u64 = EACH << 7;
    let word = u64::from_le_bytes(word);
    let equal = |byte: u8| {
        let zeros = word ^ (EACH * u64::from(byte));
        zeros.wrapping_sub(EACH) & !zeros
    };
    let controls = word.wrapping_sub(EACH * 0x20) & !word;
    (equal(b'"') | equal(b'\\') | controls) & HIGHEST
}

/// The position of the first mark.
fn first(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte at every position, among bytes that are no marks and among those that are.
    #[test]
    fn every_byte_at_every_position() {
        for around in [b' ', b'"', 0x00, 0x80, 0xff] {
            for byte in 0..=u8::MAX {
                for at in 0..BLOCK {
                    let mut block = [around; BLOCK];
                    block[at] = byte;
                    let bit = |at: usize| u64::from(is_mark(block[at])) << at;
                    let expected = (0..BLOCK).fold(0, |all, at| all | bit(at));
                    assert_eq!(block_marks(&block), expected, "{byte:#x} at {at}");
                    let first = expected.trailing_zeros() as usize;
                    assert_eq!(plain(&block), first, "{byte:#x} at {at}");
                    assert_eq!(plain(&block[..at]), first.min(at), "{byte:#x} at {at}");
                }
            }
        }
    }
}
