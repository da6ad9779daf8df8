//! Timestamps: every byte at every place, and the edges of what an instant can be.

use hookseal_engine::{
    Verdict,
    scheme::Unit,
    timestamp::{MAX_TIMESTAMP_DIGITS, Tolerance, judge, parse},
};

#[test]
fn a_timestamp_is_digits_and_nothing_else() {
    let digits = b"170000000098765";
    assert_eq!(digits.len(), MAX_TIMESTAMP_DIGITS);
    for length in 1..=digits.len() {
        for place in 0..length {
            for byte in 0..=u8::MAX {
                let mut text = digits[..length].to_vec();
                text[place] = byte;
                let number = str::from_utf8(&text).ok().filter(|_| byte.is_ascii_digit());
                let number = number.map(|text| text.parse().expect("it is small"));
                assert_eq!(parse(&text, Unit::Seconds), number, "{text:?}");
                let seconds = number.map(|number| number / 1000);
                assert_eq!(parse(&text, Unit::Milliseconds), seconds, "{text:?}");
            }
        }
    }
    assert_eq!(parse(b"", Unit::Seconds), None);
    assert_eq!(parse(b"1700000000987650", Unit::Seconds), None);
}

/// How far a message lies from the window is told as well as 64 bits can.
#[test]
fn instants_as_early_and_late_as_can_be() {
    let window = Tolerance::Window {
        past: 300,
        future: 300,
    };
    for (at, verdict) in [(i64::MIN, Verdict::TooNew), (i64::MAX, Verdict::TooOld)] {
        let refused = judge(b"999999999999999", Unit::Seconds, window, at, 0).unwrap_err();
        assert_eq!(refused.verdict, verdict);
        assert!(refused.number > 0);
    }
}
