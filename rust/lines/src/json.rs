//! JSON as RFC 8259 has it, read strictly and in one pass; nothing is made but what is asked
//! for. It is for lines that are known to be UTF-8.

use std::{borrow::Cow, collections::TryReserveError};

use crate::{
    buffer::{Buffer, Stop},
    marks::{BLOCK, block_marks, is_mark},
};

/// How deeply arrays and objects may be nested. A good line needs three levels; the rest is
/// for the error to be about the right thing.
pub const MAX_DEPTH: usize = 16;

/// Why reading ended.
#[derive(Debug)]
pub enum Wrong {
    /// It is not JSON, or nested too deeply: [`is_too_deep`] tells.
    NotJson,
    /// Memory is short.
    NoMemory,
}

impl From<TryReserveError> for Wrong {
    fn from(_: TryReserveError) -> Self {
        Self::NoMemory
    }
}

/// For text that was read before: it can only lack memory.
impl From<Wrong> for Stop {
    fn from(_: Wrong) -> Self {
        Self::NoMemory
    }
}

/// What a value is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object.
    Object,
    /// An array.
    Array,
    /// A string.
    String,
    /// A number.
    Number,
    /// The literal `null`.
    Null,
    /// The literals `true` and `false`, and what is no value.
    Other,
}

/// A string as it stands in the line: it costs nothing until its bytes are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// What is between the quotes, with the closing one.
    raw: &'a [u8],
    has_escape: bool,
}

impl<'a> Text<'a> {
    /// The string's UTF-8.
    pub fn bytes(self) -> Result<Cow<'a, [u8]>, Wrong> {
        if !self.has_escape {
            return Ok(Cow::Borrowed(&self.raw[..self.raw.len() - 1]));
        }
        let mut buffer = Buffer::default();
        unescape(self.raw, 0, &mut buffer, &mut false)?;
        Ok(Cow::Owned(buffer.as_ref().to_vec()))
    }
}

/// Reads one value after the other.
#[derive(Debug)]
pub struct Reader<'a> {
    line: &'a [u8],
    at: usize,
    depth: usize,
    has_half_pair: bool,
}

impl<'a> Reader<'a> {
    /// Reads from the line's beginning.
    pub fn new(line: &'a [u8]) -> Self {
        Self {
            line,
            at: 0,
            depth: 0,
            has_half_pair: false,
        }
    }

    /// Whether any string had half of a surrogate pair.
    pub fn has_half_pair(&self) -> bool {
        self.has_half_pair
    }

    /// What the next value is, if it is one.
    pub fn kind(&mut self) -> Kind {
        match self.peek() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b'n') => Kind::Null,
            _ => Kind::Other,
        }
    }

    /// Reads an object: `member` is called for each key and has to read its value.
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Text<'a>) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        self.enclosed(b'{', b'}', |reader, _| {
            if reader.peek() != Some(b'"') {
                return Err(Wrong::NotJson);
            }
            let key = reader.string()?;
            reader.expect(b':')?;
            member(reader, key)
        })
    }

    /// Reads an array: `element` is called for each and has to read it; it is told the index.
    pub fn array(
        &mut self,
        element: impl FnMut(&mut Self, usize) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        self.enclosed(b'[', b']', element)
    }

    /// Reads a string.
    pub fn string(&mut self) -> Result<Text<'a>, Wrong> {
        self.expect(b'"')?;
        let source = &self.line[self.at..];
        let mut has_escape = false;
        let mut at = 0;
        loop {
            at += plain(&source[at..]);
            match source.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escape = true;
                    let (_, length) = escaped(&source[at..], &mut self.has_half_pair)?;
                    at += length;
                }
                _ => return Err(Wrong::NotJson),
            }
        }
        self.at += at + 1;
        Ok(Text {
            raw: &source[..=at],
            has_escape,
        })
    }

    /// Reads a string that most likely has escapes: into the buffer, unless it has none.
    pub fn long_string(&mut self, buffer: &mut Buffer) -> Result<Option<&'a [u8]>, Wrong> {
        self.expect(b'"')?;
        let source = &self.line[self.at..];
        let start = plain(source);
        if source.get(start) == Some(&b'"') {
            self.at += start + 1;
            return Ok(Some(&source[..start]));
        }
        self.at += unescape(source, start, buffer, &mut self.has_half_pair)?;
        Ok(None)
    }

    /// Reads a number: `[ "-" ] ( "0" / %x31-39 *DIGIT ) [ "." 1*DIGIT ] [ ("e" / "E") [ "+" / "-" ] 1*DIGIT ]`.
    pub fn number(&mut self) -> Result<&'a [u8], Wrong> {
        self.white();
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(&self.line[start..self.at])
    }

    /// Reads any value, and forgets it.
    pub fn skip(&mut self) -> Result<(), Wrong> {
        match self.kind() {
            Kind::Object => self.object(|reader, _| reader.skip()),
            Kind::Array => self.array(|reader, _| reader.skip()),
            Kind::String => self.string().map(|_| ()),
            Kind::Number => self.number().map(|_| ()),
            Kind::Null | Kind::Other => {
                let rest = &self.line[self.at..];
                let is_it = |literal: &&[u8]| rest.starts_with(literal);
                let literals: [&[u8]; 3] = [b"null", b"true", b"false"];
                let literal = literals.into_iter().find(is_it).ok_or(Wrong::NotJson)?;
                self.at += literal.len();
                Ok(())
            }
        }
    }

    /// Asserts that the line has nothing more.
    pub fn end(&mut self) -> Result<(), Wrong> {
        self.peek().map_or(Ok(()), |_| Err(Wrong::NotJson))
    }

    fn enclosed(
        &mut self,
        open: u8,
        close: u8,
        mut element: impl FnMut(&mut Self, usize) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        self.expect(open)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Wrong::NotJson);
        }
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            for index in 0.. {
                element(self, index)?;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(byte) if byte == close => {
                        self.at += 1;
                        break;
                    }
                    _ => return Err(Wrong::NotJson),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.line.get(self.at) {
            self.at += 1;
        }
        if self.at == start {
            return Err(Wrong::NotJson);
        }
        Ok(())
    }

    /// Whether the very next byte is this one, which is then read.
    fn take(&mut self, byte: u8) -> bool {
        let is_it = self.line.get(self.at) == Some(&byte);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, byte: u8) -> Result<(), Wrong> {
        self.white();
        if self.take(byte) {
            Ok(())
        } else {
            Err(Wrong::NotJson)
        }
    }

    /// The next byte that is no white space, which is not read.
    fn peek(&mut self) -> Option<u8> {
        self.white();
        self.line.get(self.at).copied()
    }

    fn white(&mut self) {
        while self.line.get(self.at).copied().is_some_and(is_white) {
            self.at += 1;
        }
    }
}

/// `ws = *( %x20 / %x09 / %x0A / %x0D )`
pub fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a line opens more than [`MAX_DEPTH`] arrays and objects, be it JSON or not: a
/// definition that a reader in any language can follow without a deep stack.
pub fn is_too_deep(line: &[u8]) -> bool {
    let (mut depth, mut is_string) = (0_usize, false);
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match (byte, is_string) {
            (b'"', _) => is_string = !is_string,
            (b'\\', true) => _ = bytes.next(),
            (b'{' | b'[', false) => depth += 1,
            (b'}' | b']', false) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// Reads what follows an opening quote, up to and with the closing one, into the buffer; the
/// first `start` bytes are known to stand for themselves. Gives the length that was read.
///
/// A body of JSON has an escape every few bytes, so the marks of 64 bytes are made together, and
/// nothing is asked of a byte but whether it is the next mark.
fn unescape(
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
fn escaped(source: &[u8], has_half_pair: &mut bool) -> Result<(char, usize), Wrong> {
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

/// How many bytes stand for themselves before the first quote, backslash or control character.
fn plain(source: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = source[at..].first_chunk::<WORD>() {
        let marks = marks(*word);
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
fn marks(word: [u8; WORD]) -> u64 {
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
