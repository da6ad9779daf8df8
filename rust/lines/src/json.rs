//! JSON as RFC 8259 has it, read strictly and in one pass; nothing is made but what is asked
//! for. It is for lines that are known to be UTF-8.

use std::{borrow::Cow, collections::TryReserveError};

use hookseal_engine::Stop;

use crate::{
    buffer::Buffer,
    escape::{escaped, unescape},
    marks::plain,
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
        Ok(Cow::Owned(buffer.into_bytes()))
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
