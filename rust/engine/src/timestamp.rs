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
#[inline]
pub fn parse(text: &[u8], unit: Unit) -> Option<i64> {
    if text.is_empty() || text.len() > MAX_TIMESTAMP_DIGITS {
        return None;
    }
    let number = match text.split_last_chunk() {
        Some((first, last)) => digits(first)? * 100_000_000 + eight_digits(*last)?,
        None => digits(text)?,
    };
    let number = i64::try_from(number).ok()?;
    Some(match unit {
        Unit::Seconds => number,
        Unit::Milliseconds => number / 1000,
    })
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0, |number, byte| {
        let digit = u64::from(byte.wrapping_sub(b'0'));
        (digit < 10).then_some(number * 10 + digit)
    })
}

/// Eight digits at once: every message has them, and one by one they are most of the work.
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    const EACH: u64 = u64::MAX / 0xff;
    let word = u64::from_le_bytes(text);
    // 0x30 to 0x39 are the bytes that have a 3 above, and still have it with 6 more.
    let with_six = word.wrapping_add(EACH * 0x06);
    if (word & (EACH * 0xf0)) | ((with_six & (EACH * 0xf0)) >> 4) != EACH * 0x33 {
        return None;
    }
    // Neighbours are joined: digits to pairs, pairs to fours, fours to the whole.
    let ones = word & (EACH * 0x0f);
    let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours & 0xffff_ffff) * 10_000 + (fours >> 32))
}

/// Reads and judges a timestamp: rows 8 to 10.
///
/// # Errors
/// The refusal.
#[inline]
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
            return Err(refused(Verdict::TooOld, from.saturating_sub(seconds)));
        }
        if seconds > to {
            return Err(refused(Verdict::TooNew, seconds.saturating_sub(to)));
        }
    }
    Ok(seconds)
}
