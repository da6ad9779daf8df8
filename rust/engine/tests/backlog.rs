//! Messages that waited: when they count as having arrived, and which refusal comes first.

mod common;

use common::{Message, NOW, base64, endpoint, v1};
use hookseal_engine::{
    Kernel, Outcome, Place, Verdict, replay::Backlog, timestamp::Tolerance, verify::Rules,
};

const BODY: &[u8] = br#"{"type":"paid"}"#;
const WINDOW: Tolerance = Tolerance::Window {
    past: 300,
    future: 60,
};
/// What a claim must last: from 300 s before to 60 s after, both ends counted.
const NEEDED: i64 = 361;

/// Rules of a verifier whose guard remembers so long, and whose clock says `NOW`.
fn rules(ttl: Option<i64>) -> Rules {
    Rules {
        tolerance: Some(WINDOW),
        backlog: Some(Backlog { now: NOW, ttl }),
        ..Rules::default()
    }
}

/// What is said of a message with that timestamp that arrived `waited` seconds ago.
fn said(stamp: &str, ttl: Option<i64>, waited: i64) -> Outcome {
    let key: Vec<u8> = (1..=32).collect();
    let endpoint = endpoint("standard-webhooks", &[&base64(&key)]);
    let headers = [
        ("webhook-id", "a".into()),
        ("webhook-timestamp", stamp.into()),
        ("webhook-signature", v1(&key, "a", stamp, BODY)),
    ];
    let mut message = Message::new::<_, String>(&endpoint, BODY, &headers);
    message.rules = rules(ttl);
    message.at = NOW - waited;
    message.judged(Kernel::Portable).0
}

#[test]
fn nothing_arrives_later_than_now() {
    let with = rules(None);
    let without = Rules::default();
    for (at, arrival) in [
        (NOW - 1000, NOW - 1000),
        (NOW, NOW),
        (NOW + 1, NOW),
        (10_i64.pow(11), NOW),
        (0, 0),
    ] {
        assert_eq!(with.arrival(at), arrival);
        assert_eq!(without.arrival(at), at, "only a guard asks");
    }
}

#[test]
fn a_message_may_wait_as_long_as_the_claim_of_a_copy_lasts() {
    for (ttl, most) in [(NEEDED, 0), (NEEDED + 100, 100), (NEEDED - 50, 0)] {
        for (waited, late) in [(most, 0), (most + 1, 1), (most + 70, 70)] {
            let stamp = (NOW - waited).to_string();
            let outcome = said(&stamp, Some(ttl), waited);
            if late == 0 {
                assert_eq!(outcome.verdict, Verdict::Valid);
            } else {
                let expected = Outcome::refused(Verdict::TooOld, Place::Arrival, late);
                assert_eq!(outcome, expected);
            }
        }
    }
    // Where the window alone says how long a claim lasts, no arrival is stated but now.
    let stamp = (NOW - 1000).to_string();
    assert_eq!(said(&stamp, None, 1000).verdict, Verdict::Valid);
}

/// Rows 8 to 10: of all that applies to a message the first one is what is said.
#[test]
fn the_first_row_that_applies_is_the_refusal() {
    let waited = 200;
    let arrived = NOW - waited;
    for (stamp, verdict, is_arrival) in [
        ("soon".to_string(), Verdict::MalformedTimestamp, false),
        ((arrived - 301).to_string(), Verdict::TooOld, false),
        ((arrived - 300).to_string(), Verdict::TooOld, true),
        ((arrived + 60).to_string(), Verdict::TooOld, true),
        ((arrived + 61).to_string(), Verdict::TooOld, true),
    ] {
        let outcome = said(&stamp, Some(NEEDED), waited);
        assert_eq!(outcome.verdict, verdict, "{stamp}");
        assert_eq!(outcome.place == Place::Arrival, is_arrival, "{stamp}");
    }
    let new = said(&(NOW + 61).to_string(), Some(NEEDED), 0);
    assert_eq!((new.verdict, new.number), (Verdict::TooNew, 1));
}
