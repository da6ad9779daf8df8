//! Timestamps: their text, and the window they are held against.

use crate::{
    header::{Role, Slot},
    outcome::{Outcome, Place, Verdict},
    scheme::Unit,
};

/// The most digits of a timestamp: milliseconds until the year 33658, and far from overflow.
pub const MAX_TIMESTAMP_DIGITS: usize = 15;

/// How freshness is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// Not at all, by name.
    Off,
    /// Seconds before and after the instant of judgement, both inclusive.
    Window {
        /// How old a message may be.
        past: i64,
        /// How far ahead the sender's clock may be.
        future: i64,
    },
}

/// The seconds of a timestamp's text: `timestamp = 1*15DIGIT`, ASCII alone.
#[must_use]
pub fn parse(text: &[u8], unit: Unit) -> Option<i64> {
    if text.is_empty() || text.len() > MAX_TIMESTAMP_DIGITS {
        return None;
    }
    let mut number = 0_i64;
    for byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    Some(match unit {
        Unit::Seconds => number,
        Unit::Milliseconds => number / 1000,
    })
}

/// Reads and judges a timestamp: rows 8 to 10.
///
/// # Errors
/// The refusal.
pub fn judge(
    text: &[u8],
    unit: Unit,
    tolerance: Tolerance,
    at: i64,
    family: u8,
) -> Result<i64, Outcome> {
    let refused = |verdict, seconds| {
        let place = Place::Header(Slot {
            family,
            role: Role::Timestamp,
        });
        Outcome::refused(verdict, place, seconds)
    };
    let Some(seconds) = parse(text, unit) else {
        return Err(refused(Verdict::MalformedTimestamp, 0));
    };
    if let Tolerance::Window { past, future } = tolerance {
        let (from, to) = (at.saturating_sub(past), at.saturating_add(future));
        if seconds < from {
            return Err(refused(Verdict::TooOld, from - seconds));
        }
        if seconds > to {
            return Err(refused(Verdict::TooNew, seconds - to));
        }
    }
    Ok(seconds)
}
