//! Eight bytes at a time: what is asked of every header of every message.

/// Every byte of a word.
const EACH: u64 = u64::MAX / 0xff;
/// The high bit of every byte.
const HIGH: u64 = EACH * 0x80;

/// Whether `is_good` holds for every word of some bytes, the last word overlapping; None if they
/// do not fill one. Without an early exit: names and ids are short.
#[inline]
pub(crate) fn all(bytes: &[u8], is_good: impl Fn(u64) -> bool) -> Option<bool> {
    let mut all_are = is_good(u64::from_ne_bytes(*bytes.last_chunk()?));
    for word in bytes.as_chunks().0 {
        all_are &= is_good(u64::from_ne_bytes(*word));
    }
    Some(all_are)
}

/// Whether a name is another, which is lower case; A to Z are folded.
#[inline]
pub(crate) fn is_folded(name: &[u8], lower: &[u8]) -> bool {
    is_alike(name, lower, folded).unwrap_or_else(|| name.eq_ignore_ascii_case(lower))
}

/// Whether a name is another, as it stands: most names are lower case, and few are another of
/// the same length.
#[inline]
pub(crate) fn is_same(name: &[u8], other: &[u8]) -> bool {
    is_alike(name, other, |word| word).unwrap_or_else(|| name == other)
}

#[inline]
fn is_alike(name: &[u8], other: &[u8], folded: impl Fn(u64) -> u64) -> Option<bool> {
    if name.len() != other.len() {
        return Some(false);
    }
    let (end, lower_end) = (name.last_chunk()?, other.last_chunk()?);
    let differ = |word: &[u8; 8], lower: &[u8; 8]| {
        folded(u64::from_ne_bytes(*word)) ^ u64::from_ne_bytes(*lower)
    };
    // The names of one family differ at the end.
    if differ(end, lower_end) != 0 {
        return Some(false);
    }
    let mut differs = 0;
    for (word, lower) in name.as_chunks().0.iter().zip(other.as_chunks().0) {
        differs |= differ(word, lower);
    }
    Some(differs == 0)
}

/// The word with A to Z made lower case, and nothing else.
#[inline]
pub(crate) fn folded(word: u64) -> u64 {
    // The high bit of a byte tells what its other seven are: from A on, behind Z.
    let low = word & !HIGH;
    let from_a = low + EACH * (0x80 - 0x41);
    let behind_z = low + EACH * (0x7f - 0x5a);
    let is_upper = (from_a ^ behind_z) & !word & HIGH;
    // 0x80 becomes 0x20, the bit that makes a letter lower case.
    word | (is_upper >> 2)
}

/// Whether every byte is of 0x20 to 0x7e, and none is `but`, an ASCII byte.
#[inline]
pub(crate) fn is_printable(word: u64, but: u8) -> bool {
    let low = word & !HIGH;
    let from_space = low + EACH * (0x80 - 0x20);
    let is_delete = low + EACH;
    let is_other = (low ^ (EACH * u64::from(but & 0x7f))) + EACH * 0x7f;
    from_space & is_other & !is_delete & !word & HIGH == HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place() {
        for at in 0..8 {
            for byte in 0..=u8::MAX {
                let mut bytes = *b"a.Zz {|}";
                bytes[at] = byte;
                let word = u64::from_ne_bytes(bytes);
                let lower = bytes.map(|byte| byte.to_ascii_lowercase());
                assert_eq!(folded(word).to_ne_bytes(), lower, "{byte:#x} at {at}");
                for but in 0..0x80 {
                    let is_good = |byte: &u8| matches!(byte, 0x20..=0x7e) && *byte != but;
                    let expected = bytes.iter().all(is_good);
                    assert_eq!(
                        is_printable(word, but),
                        expected,
                        "{byte:#x} at {at}, {but:#x}"
                    );
                }
            }
        }
    }

    #[test]
    fn all_looks_at_every_byte() {
        for length in 0..40 {
            let bytes = vec![b'a'; length];
            assert_eq!(all(&bytes, |_| true), (length >= 8).then_some(true));
            for at in 0..length {
                let mut bytes = bytes.clone();
                bytes[at] = b'b';
                let is_good = |word| word == u64::from_ne_bytes([b'a'; 8]);
                assert_eq!(
                    all(&bytes, is_good),
                    (length >= 8).then_some(false),
                    "{at} of {length}"
                );
            }
        }
    }

    #[test]
    fn names_differ_in_any_byte() {
        for length in 0..40 {
            let lower = vec![b'k'; length];
            for at in 0..length {
                for byte in [b'k', b'K', b'j', b'+', 0xcb, 0xeb] {
                    let mut name = vec![b'K'; length];
                    name[at] = byte;
                    let expected = name.eq_ignore_ascii_case(&lower);
                    assert_eq!(
                        is_folded(&name, &lower),
                        expected,
                        "{at} of {length}: {byte:#x}"
                    );
                }
                assert!(!is_folded(&lower[..at], &lower), "{at} of {length}");
                assert!(!is_folded(&lower, &lower[..at]), "{at} of {length}");
            }
            assert!(is_folded(&lower, &lower), "{length}");
        }
    }
}
