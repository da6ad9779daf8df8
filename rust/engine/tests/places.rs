//! The particulars of a refusal: which header its text will name, and which number.

mod common;

use common::{Message, NOW, batch, endpoint, go_on, v1, windowed};
use hookseal_engine::{
    Kernel, NO_SECRET, Outcome, Place, Verdict,
    header::{Role, Slot},
    verify::Rules,
};

const KEY: &[u8] = b"thirty-two bytes of a test's key";
const SECRET: &str = "whsec_dGhpcnR5LXR3byBieXRlcyBvZiBhIHRlc3QncyBrZXk=";
const BODY: &[u8] = b"body";
const SVIX: u8 = 0;
const WEBHOOK: u8 = 1;

#[test]
fn a_missing_header_is_the_first_of_the_first_family() {
    let rows: [(&[&str], Role); 9] = [
        (&[], Role::Signature),
        (&["svix-id", "svix-timestamp"], Role::Signature),
        (&["svix-id"], Role::Signature),
        (&["svix-signature"], Role::Id),
        (&["svix-signature", "svix-timestamp"], Role::Id),
        (&["svix-signature", "svix-id"], Role::Timestamp),
        // The second family is complete or of no account.
        (&["webhook-signature", "webhook-id"], Role::Signature),
        (
            &["svix-signature", "webhook-signature", "webhook-id"],
            Role::Id,
        ),
        (
            &["svix-signature", "svix-id", "webhook-timestamp"],
            Role::Timestamp,
        ),
    ];
    for (names, role) in rows {
        let headers: Vec<_> = names.iter().map(|name| (*name, "1")).collect();
        assert_refused(
            &message(&headers),
            Verdict::MissingHeader,
            at(SVIX, role),
            0,
        );
    }
}

#[test]
fn a_refusal_names_the_header_of_the_family_that_was_read() {
    for (name, family) in [("svix", SVIX), ("webhook", WEBHOOK)] {
        let [id, stamp, signature] =
            ["id", "timestamp", "signature"].map(|it| format!("{name}-{it}"));
        let now = NOW.to_string();
        let right = v1(KEY, "a", &now, BODY);
        let with = |values: [&str; 3], more: &[(&str, &str)]| {
            let three = [&*id, &*stamp, &*signature].into_iter().zip(values);
            let more = more.iter().map(|(name, value)| (*name, *value));
            message(&three.chain(more).collect::<Vec<_>>())
        };
        let good = ["a", &*now, &*right];
        assert!(with(good, &[]).judged(Kernel::Single).0.is_valid());
        let (at_id, at_stamp) = (at(family, Role::Id), at(family, Role::Timestamp));
        let at_signature = at(family, Role::Signature);
        let refused = assert_refused;
        // The id before the timestamp.
        let twice = with(good, &[(&stamp, "0"), (&id, "b")]);
        refused(&twice, Verdict::AmbiguousHeader, at_id, 0);
        // The one that differs may stand between two that do not.
        let between = with(good, &[(&id, "b"), (&id, "a")]);
        refused(&between, Verdict::AmbiguousHeader, at_id, 0);
        let between = with(good, &[(&stamp, "0"), (&stamp, &now)]);
        refused(&between, Verdict::AmbiguousHeader, at_stamp, 0);
        refused(
            &with(good, &[(&stamp, "0")]),
            Verdict::AmbiguousHeader,
            at_stamp,
            0,
        );
        refused(
            &with(["a.b", "x", "x"], &[]),
            Verdict::MalformedHeader,
            at_id,
            0,
        );
        refused(
            &with(["a", "x", "x"], &[]),
            Verdict::MalformedTimestamp,
            at_stamp,
            0,
        );
        refused(
            &with(["a", &now, "x"], &[]),
            Verdict::MalformedSignature,
            at_signature,
            0,
        );
        // One secret was tried.
        let other = with(["b", &now, &right], &[]);
        refused(&other, Verdict::SignatureMismatch, at_signature, 1);
        // Seconds outside the window of 300.
        for seconds in [1, 300, NOW - 300] {
            let old = (NOW - 300 - seconds).to_string();
            refused(
                &with(["a", &old, &right], &[]),
                Verdict::TooOld,
                at_stamp,
                seconds,
            );
        }
        for seconds in [1, 999_999_999_999_999 - NOW - 300] {
            let new = (NOW + 300 + seconds).to_string();
            refused(
                &with(["a", &new, &right], &[]),
                Verdict::TooNew,
                at_stamp,
                seconds,
            );
        }
    }
}

#[test]
fn an_ambiguous_token_names_the_signature_header() {
    let endpoint = endpoint("shared-token", &["token"]);
    for tokens in [
        &["token", "other"][..],
        &["token", "other", "token"],
        &["", "token"],
    ] {
        let headers: Vec<_> = tokens.iter().map(|it| ("x-webhook-secret", it)).collect();
        let message = Message::new(&endpoint, BODY, &headers);
        let place = at(0, Role::Signature);
        assert_refused(&message, Verdict::AmbiguousHeader, place, 0);
    }
}

#[test]
fn a_body_over_the_limit_is_said_before_its_headers() {
    let mut message = message(&[("svix-signature", &*"x".repeat(16_385))]);
    message.rules = Rules {
        max_body_bytes: Some(3),
        ..Rules::default()
    };
    assert_refused(&message, Verdict::TooLarge, Place::Body, 3);
    message.rules.max_body_bytes = Some(4);
    assert_refused(&message, Verdict::TooLarge, Place::SignatureHeaders, 16_384);
}

#[test]
fn a_mismatch_says_how_many_secrets_were_tried() {
    let secrets = [
        windowed("a", None, None),
        windowed("b", None, Some(NOW)),
        windowed("c", Some(NOW), None),
        windowed("d", Some(NOW + 1), None),
    ];
    for (live, count) in [(0..4, 2), (1..4, 1), (1..2, 0)] {
        let endpoint = common::endpoint_of("uplift", &secrets[live]);
        let signature = format!("sha256={}", "0".repeat(64));
        let message = Message::new(&endpoint, BODY, &[("x-uplift-signature-256", signature)]);
        let place = at(0, Role::Signature);
        assert_refused(&message, Verdict::SignatureMismatch, place, count);
    }
}

fn at(family: u8, role: Role) -> Place {
    Place::Header(Slot { family, role })
}

fn message(headers: &[(&str, &str)]) -> Message {
    Message::new(&endpoint("svix", &[SECRET]), BODY, headers)
}

fn assert_refused(message: &Message, verdict: Verdict, place: Place, number: i64) {
    let expected = Outcome {
        number,
        verdict,
        secret: NO_SECRET,
        place,
    };
    assert_eq!(message.judged(Kernel::detect()).0, expected);
    let messages = std::slice::from_ref(message);
    let together = batch(messages, Kernel::detect(), 1, &mut go_on);
    assert_eq!(together, Ok(vec![expected]));
}
