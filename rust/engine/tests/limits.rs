//! The limit of signature headers: what stands at its edge, and what counts.

mod common;

use common::{Message, NOW, base64, batch, endpoint, go_on, hmac, v1};
use hookseal_engine::{
    Kernel, Outcome, Place, Verdict, header::MAX_HEADER_BYTES, signature::MAX_CANDIDATES,
};

const KEY: &str = "correct horse battery staple";
const BODY: &[u8] = br#"{"type":"paid"}"#;

#[test]
fn signature_headers_up_to_their_limit() {
    let endpoint = endpoint("test-semicolon", &[KEY]);
    let right = base64(&hmac(KEY.as_bytes(), &[BODY]));
    let spaces = |count| " ".repeat(count);
    let room = MAX_HEADER_BYTES - right.len();
    // One value, several, and with white space that will be trimmed away.
    for over in [0, 1] {
        for values in [
            vec![format!("{}{right}", ";".repeat(room + over))],
            vec![format!("{}{right}", spaces(room + over))],
            vec![right.clone(), spaces(room + over)],
            vec!["x".repeat(room + over), right.clone()],
            [vec!["x".into(); room + over], vec![right.clone()]].concat(),
        ] {
            let headers = values.into_iter().map(|value| ("x-test-signature", value));
            let message = Message::new(&endpoint, BODY, &headers.collect::<Vec<_>>());
            assert_limit(&message, over);
        }
    }
}

#[test]
fn the_signature_headers_of_every_family_count() {
    let key: Vec<u8> = (1..=32).collect();
    let endpoint = endpoint("svix", &[&base64(&key)]);
    let stamp = NOW.to_string();
    let signature = v1(&key, "a", &stamp, BODY);
    for over in [0, 1] {
        let other = "x".repeat(MAX_HEADER_BYTES - signature.len() + over);
        for family in [["svix", "webhook"], ["webhook", "svix"]] {
            let headers = [
                (format!("{}-id", family[0]), "a"),
                (format!("{}-timestamp", family[0]), &stamp),
                (format!("{}-signature", family[0]), &signature),
                (format!("{}-signature", family[1]), &other),
            ];
            assert_limit(&Message::new(&endpoint, BODY, &headers), over);
        }
    }
}

#[test]
fn other_headers_have_no_such_limit() {
    let key: Vec<u8> = (1..=32).collect();
    let endpoint = endpoint("standard-webhooks", &[&base64(&key)]);
    let stamp = NOW.to_string();
    let padded = |text: &str| format!("{text}{}", "\t".repeat(MAX_HEADER_BYTES));
    let headers = [
        ("webhook-id", padded("a")),
        ("webhook-timestamp", padded(&stamp)),
        ("webhook-signature", v1(&key, "a", &stamp, BODY)),
        ("cookie", "x".repeat(1 << 20)),
    ];
    assert_limit(&Message::new(&endpoint, BODY, &headers), 0);
}

/// As many candidates as fit: in one value, and in values of their own.
#[test]
fn the_last_of_the_most_candidates_counts() {
    let endpoint = endpoint("test-semicolon", &[KEY]);
    let right = base64(&hmac(KEY.as_bytes(), &[BODY]));
    let wrong = base64(&[7; 32]);
    let mut values = vec![wrong.clone(); MAX_HEADER_BYTES / right.len()];
    assert_eq!(values.len(), MAX_CANDIDATES);
    assert_eq!(MAX_CANDIDATES, 372);
    *values.last_mut().unwrap() = right.clone();
    let headers: Vec<_> = values
        .iter()
        .map(|value| ("x-test-signature", value))
        .collect();
    assert_limit(&Message::new(&endpoint, BODY, &headers), 0);
    values.drain(..8);
    let joined = values.join(";");
    assert_eq!(joined.len(), MAX_HEADER_BYTES - 5);
    assert_limit(
        &Message::new(&endpoint, BODY, &[("x-test-signature", joined)]),
        0,
    );
}

/// A message that is valid, or just too large.
fn assert_limit(message: &Message, over: usize) {
    let limit = i64::try_from(MAX_HEADER_BYTES).expect("a small number");
    let too_large = Outcome::refused(Verdict::TooLarge, Place::SignatureHeaders, limit);
    for kernel in Kernel::ALL {
        let messages = std::slice::from_ref(message);
        let together = batch(messages, kernel, 1, &mut go_on).expect("nobody stopped it");
        for outcome in [message.judged(kernel).0, together[0]] {
            if over == 0 {
                assert_eq!(outcome.verdict, Verdict::Valid, "{kernel:?}");
            } else {
                assert_eq!(outcome, too_large, "{kernel:?}");
            }
        }
    }
}
