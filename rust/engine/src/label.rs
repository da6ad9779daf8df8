//! Labels: how a secret is told from its neighbours without being shown.

use std::ops::Deref;

use crate::secret::Fault;

/// The longest label, in characters.
pub const MAX_LABEL_CHARS: usize = 64;

/// The most digits of a given label that move the counter.
const MAX_COUNTED_DIGITS: usize = 9;

/// A label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(Kept);

/// The first numbers, which most secrets of a large ring have, take no memory of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    Digit(u8),
    Text(Box<str>),
}

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        let digit = (0_u8..).zip(DIGITS).find(|(_, digit)| *digit == text);
        Self(digit.map_or_else(|| Kept::Text(text.into()), |(digit, _)| Kept::Digit(digit)))
    }
}

impl Deref for Label {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Kept::Digit(digit) => DIGITS[usize::from(*digit)],
            Kept::Text(text) => text,
        }
    }
}

/// Gives out decimal labels, each at most once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter {
    next: u32,
}

impl Counter {
    /// The label of a secret that enters an endpoint: the given one, or the next number that
    /// is not `taken`.
    pub fn assign(
        &mut self,
        given: Option<&str>,
        taken: impl Fn(&str) -> bool,
    ) -> Result<Label, Fault> {
        if let Some(label) = given {
            if taken(label) {
                return Err(Fault::LabelTaken);
            }
            if let Some(number) = counted(label) {
                self.next = self.next.max(number + 1);
            }
            return Ok(Label::from(label));
        }
        loop {
            let label = self.next.to_string();
            // After four billion rotations of one endpoint.
            self.next = self.next.checked_add(1).ok_or(Fault::LabelTaken)?;
            if !taken(&label) {
                return Ok(Label::from(&*label));
            }
        }
    }
}

/// `label = 1*64( %x20-7E )`.
#[must_use]
pub fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL_CHARS).contains(&label.len())
        && label.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// The number a given label stands for, if it is written as the counter writes numbers.
fn counted(label: &str) -> Option<u32> {
    let plain = label.len() <= MAX_COUNTED_DIGITS
        && label.bytes().all(|byte| byte.is_ascii_digit())
        && (label == "0" || !label.starts_with('0'));
    plain.then(|| label.parse().ok()).flatten()
}
