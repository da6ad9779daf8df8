//! How many MACs a message costs: one for each live secret, however many signatures it carries, and
//! none where it is refused for anything else. Counted by the blocks that were hashed.

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use common::{Message, NOW, base64, batch, endpoint, go_on, v1};
use hookseal_engine::{Kernel, Verdict, timestamp::Tolerance};
use hookseal_lanes::hits;

const BODY: [u8; 1000] = [7; 1000];

/// A message under so many secrets with so many signatures, none of which is theirs.
fn message(secrets: u8, signatures: u8) -> Message {
    let texts: Vec<_> = (0..secrets).map(|at| base64(&[at + 1; 40])).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let endpoint = endpoint("standard-webhooks", &texts);
    let stamp = NOW.to_string();
    let made = (0..signatures).map(|at| v1(&[at; 32], "msg_1", &stamp, &BODY));
    let headers = [
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", stamp.clone()),
        ("webhook-signature", made.collect::<Vec<_>>().join(" ")),
    ];
    Message::new(&endpoint, &BODY, &headers)
}

/// The blocks that were hashed, and the verdict: of the message alone, and in a batch.
fn hashed(message: &Message) -> (usize, Verdict) {
    let count = |hits: Vec<hits::Hit>| hits.iter().map(|(_, blocks)| blocks).sum::<usize>();
    let ((outcome, _), alone) = hits::during(|| message.judged(Kernel::Single));
    let many = vec![message.clone(); 3];
    let (outcomes, together) = hits::during(|| batch(&many, Kernel::Single, 1, &mut go_on));
    assert_eq!(outcomes.ok(), Some(vec![outcome; 3]));
    let alone = count(alone);
    assert_eq!(count(together), 3 * alone);
    (alone, outcome.verdict)
}

#[test]
fn test_threat_08_one_mac_a_secret() {
    let (one, verdict) = hashed(&message(1, 1));
    assert_eq!(verdict, Verdict::SignatureMismatch);
    // The body and what stands before it, its padding, and the outer hash.
    assert_eq!(one, (17 + BODY.len() + 9_usize).div_ceil(64) + 1);
    for secrets in 1..=8 {
        for signatures in [1, 2, 30, 250] {
            let expected = (usize::from(secrets) * one, Verdict::SignatureMismatch);
            let found = hashed(&message(secrets, signatures));
            assert_eq!(
                found, expected,
                "{secrets} secrets, {signatures} signatures"
            );
        }
    }
}

#[test]
fn test_threat_53_nothing_is_hashed_before_all_else_is_judged() {
    let good = || message(8, 3);
    let with = |at: usize, value: &[u8]| {
        let mut message = good();
        message.headers[at].1 = value.to_vec();
        message
    };
    let mut large = good();
    large.rules.max_body_bytes = Some(BODY.len() - 1);
    let mut late = good();
    late.at += 301;
    let mut early = good();
    early.at -= 301;
    let mut twice = good();
    twice.headers.push((twice.headers[0].0, b"msg_2".to_vec()));
    for (message, verdict) in [
        (large, Verdict::TooLarge),
        (with(2, &b"x".repeat(16 * 1024 + 1)), Verdict::TooLarge),
        (with(0, b" "), Verdict::MissingHeader),
        (twice, Verdict::AmbiguousHeader),
        (with(0, b"a.b"), Verdict::MalformedHeader),
        (with(1, b"1e9"), Verdict::MalformedTimestamp),
        (late, Verdict::TooOld),
        (early, Verdict::TooNew),
        (with(2, b"v1,AAAA"), Verdict::MalformedSignature),
    ] {
        assert_eq!(hashed(&message), (0, verdict));
    }
    let mut timeless = good();
    timeless.rules.tolerance = Some(Tolerance::Off);
    assert_ne!(hashed(&timeless).0, 0);
}
