//! Several bytes at a time: what is asked of every header of every message.

/// A name in lower case, ready to be compared with names of either case.
#[derive(Clone, Debug)]
pub(crate) struct LowerName {
    name: Box<[u8]>,
    /// Its last eight bytes, where it has as many.
    last: Word,
    /// All others, and some of the last.
    words: Box<[Word]>,
}

/// Eight bytes of a lower-case name.
#[derive(Clone, Copy, Debug, Default)]
struct Word {
    bytes: u64,
    /// The bit that makes a letter lower case, wherever there is a letter.
    letters: u64,
}

impl Word {
    fn new(bytes: [u8; 8]) -> Self {
        let letter = |byte: u8| if byte.is_ascii_lowercase() { 0x20 } else { 0 };
        Self {
            bytes: u64::from_ne_bytes(bytes),
            letters: u64::from_ne_bytes(bytes.map(letter)),
        }
    }

    /// Whether some bytes are these, but for the case of letters: with its bit set, nothing but
    /// a letter's other case becomes the letter.
    #[inline]
    fn is(self, bytes: [u8; 8]) -> bool {
        u64::from_ne_bytes(bytes) | self.letters == self.bytes
    }
}

impl LowerName {
    /// A name that is lower case.
    pub(crate) fn new(name: &[u8]) -> Self {
        Self {
            last: name
                .last_chunk()
                .copied()
                .map(Word::new)
                .unwrap_or_default(),
            words: name.as_chunks().0.iter().copied().map(Word::new).collect(),
            name: name.into(),
        }
    }

    /// Whether it is the name; A to Z are folded, and nothing else is.
    #[inline]
    pub(crate) fn is(&self, name: &[u8]) -> bool {
        if name.len() != self.name.len() {
            return false;
        }
        let Some(end) = name.last_chunk() else {
            return name.eq_ignore_ascii_case(&self.name);
        };
        // The names of one family differ at the end.
        self.last.is(*end)
            && name
                .as_chunks()
                .0
                .iter()
                .zip(&self.words)
                .all(|(bytes, word)| word.is(*bytes))
    }
}

/// Whether every byte is of 0x20 to 0x7e, and none is `but`.
#[inline]
pub(crate) fn are_printable(bytes: &[u8], but: u8) -> bool {
    let is_bad = |byte: u8| byte.wrapping_sub(0x20) >= 0x5f || byte == but;
    let Some(end) = bytes.last_chunk::<16>() else {
        return !bytes.iter().any(|byte| is_bad(*byte));
    };
    // Sixteen at a time, the last overlapping, without an early exit: so each is a register.
    let mut bad = end.map(|byte| u8::from(is_bad(byte)));
    for chunk in bytes.as_chunks::<16>().0 {
        for (bad, byte) in bad.iter_mut().zip(chunk) {
            *bad |= u8::from(is_bad(*byte));
        }
    }
    u128::from_ne_bytes(bad) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place() {
        for length in [0, 1, 15, 16, 17, 31, 32, 33, 48] {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = byte;
                    for but in [b'.', b'a', 0x7f, byte] {
                        let is_good = |byte: &u8| matches!(byte, 0x20..=0x7e) && *byte != but;
                        assert_eq!(
                            are_printable(&bytes, but),
                            bytes.iter().all(is_good),
                            "{byte:#x} at {at} of {length}, {but:#x}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn names_differ_in_any_byte() {
        for known in [b'k', b'-', b'0', b'a', b'z', b'@', b'`', b'{', b'['] {
            for length in 0..40 {
                let lower = vec![known; length];
                let made_ready = LowerName::new(&lower);
                for at in 0..length {
                    for byte in 0..=u8::MAX {
                        let mut name = lower.to_ascii_uppercase();
                        name[at] = byte;
                        assert_eq!(
                            made_ready.is(&name),
                            name.eq_ignore_ascii_case(&lower),
                            "{at} of {length}: {byte:#x}"
                        );
                    }
                    assert!(!made_ready.is(&lower[..at]), "{at} of {length}");
                    assert!(!LowerName::new(&lower[..at]).is(&lower), "{at} of {length}");
                }
                assert!(made_ready.is(&lower), "{length}");
            }
        }
    }
}
