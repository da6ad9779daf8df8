//! Strings with escapes: what they stand for.

use crate::{
    buffer::Buffer,
    json::Wrong,
    marks::{BLOCK, block_marks},
};

/// Reads what follows an opening quote, up to and with the closing one, into the buffer; the
/// first `start` bytes are known to stand for themselves. Gives the length that was read.
///
/// A body of JSON has an escape every few bytes, so the marks of 64 bytes are made together, and
/// nothing is asked of a byte but whether it is the next mark.
pub fn unescape(
    source: &[u8],
    start: usize,
    buffer: &mut Buffer,
    has_half_pair: &mut bool,
) -> Result<usize, Wrong> {
    // No escape is longer decoded than encoded; more, because runs are copied in whole pieces.
    let room = buffer.room(source.len() + RUN)?;
    let (mut from, mut to) = (0_usize, 0_usize);
    let mut base = start;
    loop {
        let rest = source.get(base..).ok_or(Wrong::NotJson)?;
        let mut marks = match rest.first_chunk::<BLOCK>() {
            Some(block) => block_marks(block),
            None if rest.is_empty() => return Err(Wrong::NotJson),
            None => {
                let mut block = [b' '; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                block_marks(&block)
            }
        };
        marks &= above(from.saturating_sub(base));
        while marks != 0 {
            let position = marks.trailing_zeros();
            let at = base + position as usize;
            let length = at - from;
            // Most runs are short, and copied as if they had one length.
            match (
                source[from..].first_chunk::<RUN>(),
                room[to..].first_chunk_mut::<RUN>(),
            ) {
                (Some(run), Some(copy)) if length <= RUN => *copy = *run,
                _ => copy_long(&source[from..at], &mut room[to..]),
            }
            to += length;
            match source[at..] {
                [b'\\', byte, ..] if SHORT[usize::from(byte)] != 0 => {
                    room[to] = SHORT[usize::from(byte)];
                    (from, to) = (at + 2, to + 1);
                    // What is escaped is no mark, be it in this block or the next.
                    marks &= !(0b11 << position);
                }
                [b'\\', ..] => {
                    let (character, length) = escaped(&source[at..], has_half_pair)?;
                    from = at + length;
                    to += character.encode_utf8(&mut room[to..]).len();
                    marks &= above(from - base);
                }
                [b'"', ..] => {
                    buffer.set_length(to);
                    return Ok(at + 1);
                }
                _ => return Err(Wrong::NotJson),
            }
        }
        base += BLOCK;
    }
}

/// A function of its own: else the compiler makes one call of this copy and the short one.
#[cold]
#[inline(never)]
fn copy_long(run: &[u8], room: &mut [u8]) {
    room[..run.len()].copy_from_slice(run);
}

/// A run of text between two escapes that is copied in one piece.
const RUN: usize = 32;

/// The bits from that position on.
fn above(position: usize) -> u64 {
    let shifted = u32::try_from(position)
        .ok()
        .and_then(|at| u64::MAX.checked_shl(at));
    shifted.unwrap_or_default()
}

/// The character of the escape that the source begins with, and the escape's length. Half of a
/// pair is U+FFFD, and noted.
pub fn escaped(source: &[u8], has_half_pair: &mut bool) -> Result<(char, usize), Wrong> {
    let byte = *source.get(1).ok_or(Wrong::NotJson)?;
    if let decoded @ 1.. = SHORT[usize::from(byte)] {
        return Ok((char::from(decoded), 2));
    }
    let unit = unit(source)?;
    if let Some(character) = char::from_u32(unit) {
        return Ok((character, UNIT_LENGTH));
    }
    let rest = &source[UNIT_LENGTH..];
    if HIGH_HALVES.contains(&unit) && rest.starts_with(b"\\u") {
        let low = self::unit(rest)?;
        let pair = 0x10000 + ((unit - HIGH_HALVES.start) << 10);
        if LOW_HALVES.contains(&low)
            && let Some(character) = char::from_u32(pair + (low - LOW_HALVES.start))
        {
            return Ok((character, 2 * UNIT_LENGTH));
        }
    }
    *has_half_pair = true;
    Ok((char::REPLACEMENT_CHARACTER, UNIT_LENGTH))
}

/// `%x5C %x75 4HEXDIG`
fn unit(source: &[u8]) -> Result<u32, Wrong> {
    let [b'\\', b'u', digits @ ..] = source else {
        return Err(Wrong::NotJson);
    };
    let digits = digits.first_chunk::<4>().ok_or(Wrong::NotJson)?;
    digits.iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(Wrong::NotJson)?;
        Ok(unit << 4 | digit)
    })
}

/// The length of an escape with four digits.
const UNIT_LENGTH: usize = 6;

const HIGH_HALVES: std::ops::Range<u32> = 0xd800..0xdc00;
const LOW_HALVES: std::ops::Range<u32> = 0xdc00..0xe000;

/// What a letter behind a backslash stands for, or 0.
const SHORT: [u8; 256] = {
    let mut table = [0; 256];
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'/' as usize] = b'/';
    table[b'b' as usize] = 0x08;
    table[b'f' as usize] = 0x0c;
    table[b'n' as usize] = b'\n';
    table[b'r' as usize] = b'\r';
    table[b't' as usize] = b'\t';
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands between the quotes, decoded here and by `serde_json`.
    fn both(text: &str) -> (Option<String>, Option<String>) {
        let mut buffer = Buffer::default();
        let mut has_half_pair = false;
        let source = format!("{text}\", more");
        let ours = unescape(source.as_bytes(), 0, &mut buffer, &mut has_half_pair)
            .ok()
            .filter(|length| !has_half_pair && *length == text.len() + 1)
            .map(|_| String::from_utf8(buffer.as_ref().to_vec()).unwrap());
        (ours, serde_json::from_str(&format!("\"{text}\"")).ok())
    }

    /// Every escape, and what is none, at every position of a block and across its end.
    #[test]
    fn escapes_everywhere() {
        let escapes = [
            "\\\"",
            "\\\\",
            "\\/",
            "\\b",
            "\\f",
            "\\n",
            "\\r",
            "\\t",
            "\\u0000",
            "\\u0022",
            "\\u00e9",
            "\\u20AC",
            "\\ud83d\\ude00",
            "\\\\\\\"",
            "\\\\\\\\",
            "\\\\u0041",
            "é",
            "😀",
            "",
            "\\u",
            "\\u12",
            "\\u12g4",
            "\\x",
            "\\",
            "\t",
            "\u{1f}",
            "\\ud83d",
            "\\ude00",
            "\\ud83d\\u0041",
            "\\ud83dx",
        ];
        for escape in escapes {
            for before in 0..=2 * BLOCK + 1 {
                for after in [0, 1, 31, 32, 33, BLOCK, 200] {
                    let text = format!("{}{escape}{}", "a".repeat(before), "b".repeat(after));
                    let (ours, theirs) = both(&text);
                    assert_eq!(ours, theirs, "{text}");
                    let (ours, theirs) = both(&text.replace('a', escape));
                    assert_eq!(ours, theirs, "{text}");
                }
            }
        }
    }
}
