//! Timestamps: their text, and the window.
//!
//! `input = unit(1) at(8) past(4) future(4) text`

use hookseal_engine::{
    Verdict,
    scheme::Unit,
    timestamp::{Tolerance, judge, parse},
};

use crate::input::Input;

/// Timestamps: their text, and the window they are held against.
///
/// # Panics
/// On a finding.
pub fn fuzz(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let unit = [Unit::Seconds, Unit::Milliseconds][usize::from(flags & 1)];
    let at = i64::from_le_bytes(input.array());
    let past = i64::from(u32::from_le_bytes(input.array()));
    let future = i64::from(u32::from_le_bytes(input.array()));
    let text = input.rest();

    let is_number = (1..=15).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    let number = str::from_utf8(text).ok().filter(|_| is_number);
    let seconds = number.map(|text| {
        let number: i64 = text.parse().expect("fifteen digits fit");
        number / if unit == Unit::Seconds { 1 } else { 1000 }
    });
    assert_eq!(parse(text, unit), seconds, "{text:?}");

    let off = judge(text, unit, Tolerance::Off, at, 0);
    assert_eq!(off.ok(), seconds);

    let judged = judge(text, unit, Tolerance::Window { past, future }, at, 0);
    let said = match judged {
        Ok(judged) => Ok(judged),
        Err(refused) => Err((refused.verdict, i128::from(refused.number))),
    };
    let expected = match seconds.map(i128::from) {
        None => Err((Verdict::MalformedTimestamp, 0)),
        Some(seconds) => {
            // An instant is a 64-bit number, and so is the edge of a window, and what lies between.
            let clamped = |edge: i128| edge.clamp(i64::MIN.into(), i64::MAX.into());
            let from = clamped(i128::from(at) - i128::from(past));
            let to = clamped(i128::from(at) + i128::from(future));
            if seconds < from {
                Err((Verdict::TooOld, clamped(from - seconds)))
            } else if seconds > to {
                Err((Verdict::TooNew, clamped(seconds - to)))
            } else {
                Ok(i64::try_from(seconds).expect("it was one"))
            }
        }
    };
    assert_eq!(said, expected, "{text:?} at {at}");
}
