//! Labels: how a secret is told from its neighbours without being shown.

use crate::secret::Fault;

/// The longest label, in characters.
pub const MAX_LABEL_CHARS: usize = 64;

/// The most digits of a given label that move the counter.
const MAX_COUNTED_DIGITS: usize = 9;

/// Gives out decimal labels, each at most once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter {
    next: u64,
}

impl Counter {
    /// The label of a secret that enters an endpoint: the given one, or the next number that
    /// is not `taken`.
    pub fn assign(
        &mut self,
        given: Option<&str>,
        taken: impl Fn(&str) -> bool,
    ) -> Result<Box<str>, Fault> {
        if let Some(label) = given {
            if taken(label) {
                return Err(Fault::LabelTaken);
            }
            if let Some(number) = counted(label) {
                self.next = self.next.max(number + 1);
            }
            return Ok(label.into());
        }
        loop {
            let label = self.next.to_string();
            self.next += 1;
            if !taken(&label) {
                return Ok(label.into());
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
fn counted(label: &str) -> Option<u64> {
    let plain = label.len() <= MAX_COUNTED_DIGITS
        && label.bytes().all(|byte| byte.is_ascii_digit())
        && (label == "0" || !label.starts_with('0'));
    plain.then(|| label.parse().ok()).flatten()
}
