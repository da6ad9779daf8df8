//! JSON as `json.loads` reads it: what is plain is made here, the rest is left to `json.loads`.
//!
//! Plain is a subset of RFC 8259, so whatever comes out of here `json.loads` gives too:
//!
//! ```text
//! value  = object / array / string / number / "true" / "false" / "null"
//! string = <"> *( any character but <">, "\" and controls / escape ) <">, of whole characters
//! number = RFC 8259's, of up to 18 digits where it has neither fraction nor exponent
//! ```
//!
//! Not plain are texts that are no JSON, `NaN` and the infinities, longer integers, half
//! surrogate pairs, and more than [`MAX_DEPTH`] levels: rare, and Python's to judge.

use pyo3::{
    prelude::*,
    types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString},
};

use crate::arguments::asked;

/// How deeply a plain value may be nested. Python's own limit is that of its stack.
const MAX_DEPTH: usize = 64;

/// The digits of an integer that fits 64 bits whatever they are.
const PLAIN_DIGITS: usize = 18;

/// The value of a body that is JSON, as `json.loads` of its text gives it.
///
/// # Errors
/// What decoding the body as UTF-8 and `json.loads` raise.
pub fn loads<'py>(body: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyAny>> {
    let py = body.py();
    if let Ok(text) = str::from_utf8(body.as_bytes())
        && let Some(value) = Reader::new(py, text).document()?
    {
        return Ok(value);
    }
    asked(py, "json_text_value", (body,))
}

/// `json.loads` of some bytes as UTF-8: for the tests that hold it to Python's.
#[pyfunction]
#[pyo3(name = "_json_loads")]
pub fn json_loads<'py>(body: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyAny>> {
    crate::guard::guarded(|| loads(body))
}

/// A value, or None for what is not plain.
type Plain<'py> = PyResult<Option<Bound<'py, PyAny>>>;

/// Reads one text.
struct Reader<'a, 'py> {
    py: Python<'py>,
    text: &'a str,
    at: usize,
    keys: [Option<(&'a str, Bound<'py, PyString>)>; KEYS],
}

/// How many keys are remembered, so that the items of a list share theirs.
const KEYS: usize = 32;

impl<'a, 'py> Reader<'a, 'py> {
    fn new(py: Python<'py>, text: &'a str) -> Self {
        Self {
            py,
            text,
            at: 0,
            keys: [const { None }; KEYS],
        }
    }

    fn document(&mut self) -> Plain<'py> {
        let value = self.value(0)?;
        Ok(value.filter(|_| self.next().is_none()))
    }

    /// The first byte behind the white space, which is skipped.
    fn next(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let skipped = rest.iter().position(|byte| !space(byte))?;
        self.at += skipped;
        Some(rest[skipped])
    }

    /// Steps over a byte if it is the next one.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.next() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, depth: usize) -> Plain<'py> {
        match self.next() {
            Some(b'"') => self.string(),
            Some(b'{') if depth < MAX_DEPTH => self.object(depth + 1),
            Some(b'[') if depth < MAX_DEPTH => self.array(depth + 1),
            Some(b't') => {
                Ok(self.literal("true", PyBool::new(self.py, true).to_owned().into_any()))
            }
            Some(b'f') => {
                Ok(self.literal("false", PyBool::new(self.py, false).to_owned().into_any()))
            }
            Some(b'n') => Ok(self.literal("null", self.py.None().into_bound(self.py))),
            Some(b'-' | b'0'..=b'9') => Ok(self.number()),
            _ => Ok(None),
        }
    }

    fn literal(&mut self, word: &str, value: Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let is_word = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        is_word.then_some(value)
    }

    fn object(&mut self, depth: usize) -> Plain<'py> {
        self.at += 1;
        let object = PyDict::new(self.py);
        if self.takes(b'}') {
            return Ok(Some(object.into_any()));
        }
        loop {
            if self.next() != Some(b'"') {
                return Ok(None);
            }
            let Some(key) = self.key()? else {
                return Ok(None);
            };
            if !self.takes(b':') {
                return Ok(None);
            }
            let Some(value) = self.value(depth)? else {
                return Ok(None);
            };
            // Of keys that are equal the last one counts, at the place of the first.
            object.set_item(key, value)?;
            if self.takes(b'}') {
                return Ok(Some(object.into_any()));
            }
            if !self.takes(b',') {
                return Ok(None);
            }
        }
    }

    fn array(&mut self, depth: usize) -> Plain<'py> {
        self.at += 1;
        let array = PyList::empty(self.py);
        if self.takes(b']') {
            return Ok(Some(array.into_any()));
        }
        loop {
            let Some(value) = self.value(depth)? else {
                return Ok(None);
            };
            array.append(value)?;
            if self.takes(b']') {
                return Ok(Some(array.into_any()));
            }
            if !self.takes(b',') {
                return Ok(None);
            }
        }
    }

    fn number(&mut self) -> Option<Bound<'py, PyAny>> {
        let start = self.at;
        self.at += usize::from(self.text.as_bytes()[start] == b'-');
        let whole = self.digits();
        let has_zero_in_front = self.text.as_bytes()[self.at - whole..].starts_with(b"0");
        if whole == 0 || (has_zero_in_front && whole > 1) {
            return None;
        }
        let mut is_whole = true;
        if self.is_at(b".") {
            is_whole = false;
            self.at += 1;
            if self.digits() == 0 {
                return None;
            }
        }
        if self.is_at(b"eE") {
            is_whole = false;
            self.at += 1;
            self.at += usize::from(self.is_at(b"+-"));
            if self.digits() == 0 {
                return None;
            }
        }
        let text = &self.text[start..self.at];
        if !is_whole {
            // Both round to the nearest double, ties to even, and overflow to infinity.
            let value = text.parse::<f64>().ok();
            return value.map(|value| PyFloat::new(self.py, value).into_any());
        }
        if whole > PLAIN_DIGITS {
            return None;
        }
        let value = text.parse::<i64>().ok();
        value.map(|value| PyInt::new(self.py, value).into_any())
    }

    fn is_at(&self, any: &[u8]) -> bool {
        let byte = self.text.as_bytes().get(self.at);
        byte.is_some_and(|byte| any.contains(byte))
    }

    /// Steps over digits, and counts them.
    fn digits(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn string(&mut self) -> Plain<'py> {
        let made = match self.text_of_string() {
            Some(Text::AsItStands(text)) => PyString::from_bytes(self.py, text.as_bytes())?,
            Some(Text::Escaped(text)) => PyString::from_bytes(self.py, text.as_bytes())?,
            None => return Ok(None),
        };
        Ok(Some(made.into_any()))
    }

    fn key(&mut self) -> PyResult<Option<Bound<'py, PyString>>> {
        let text = match self.text_of_string() {
            Some(Text::AsItStands(text)) => text,
            Some(Text::Escaped(text)) => {
                return PyString::from_bytes(self.py, text.as_bytes()).map(Some);
            }
            None => return Ok(None),
        };
        let remembered = &mut self.keys[place(text.as_bytes())];
        if let Some((known, key)) = remembered
            && *known == text
        {
            return Ok(Some(key.clone()));
        }
        let key = PyString::from_bytes(self.py, text.as_bytes())?;
        *remembered = Some((text, key.clone()));
        Ok(Some(key))
    }

    /// The characters of a string, whose opening quote is the next byte.
    fn text_of_string(&mut self) -> Option<Text<'a>> {
        self.at += 1;
        let start = self.at;
        self.at += plain_length(&self.text.as_bytes()[start..]);
        if self.is_at(b"\"") {
            self.at += 1;
            return Some(Text::AsItStands(&self.text[start..self.at - 1]));
        }
        let mut text = self.text[start..self.at].to_owned();
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'\\' => text.push(self.escape()?),
                b'"' => {
                    self.at += 1;
                    return Some(Text::Escaped(text));
                }
                _ => return None,
            }
            let from = self.at;
            self.at += plain_length(&self.text.as_bytes()[from..]);
            text.push_str(&self.text[from..self.at]);
        }
    }

    /// The character of an escape, whose backslash is the next byte.
    fn escape(&mut self) -> Option<char> {
        let escape = *self.text.as_bytes().get(self.at + 1)?;
        self.at += 2;
        Some(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.four_digits()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first);
                }
                if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                    return None;
                }
                self.at += 2;
                let second = self.four_digits()?;
                if !(0xdc00..0xe000).contains(&second) {
                    return None;
                }
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
            _ => return None,
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |number, digit| {
            Some(number * 16 + char::from(*digit).to_digit(16)?)
        })
    }
}

/// The characters of a string.
enum Text<'a> {
    AsItStands(&'a str),
    Escaped(String),
}

/// Where a key is remembered: by its length and three of its bytes, which tell most apart.
fn place(key: &[u8]) -> usize {
    let at = |index: usize| key.get(index).copied().map_or(0, usize::from);
    let middle = at(key.len() / 2);
    let last = at(key.len().saturating_sub(1));
    (key.len() + at(0) * 7 + middle * 3 + last * 5) % KEYS
}

/// How many bytes of a string stand for themselves, up to the first that does not.
fn plain_length(bytes: &[u8]) -> usize {
    // Whole blocks, each without a way out before its end, are what the vector unit is for.
    let mut start = 0;
    for block in bytes.as_chunks::<32>().0 {
        if block.iter().fold(0, |any, byte| any | special(*byte)) != 0 {
            break;
        }
        start += block.len();
    }
    let rest = bytes[start..].iter().position(|byte| special(*byte) != 0);
    start + rest.unwrap_or(bytes.len() - start)
}

/// 1 for what ends a run of plain characters: a control, a quote, a backslash.
fn special(byte: u8) -> u8 {
    u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\')
}
