//! Comparing: equal MACs alone are equal, however they come; and what it takes: one MAC for
//! each live secret, and none before everything else is right.

mod common;

use std::sync::Arc;

use common::{
    Draw, Message, NOW, base64, batch, counted, endpoint, endpoint_of, hex, hmac, v1, windowed,
};
use hookseal_engine::{
    Kernel, Outcome, Verdict,
    endpoint::Endpoint,
    header::{MAX_HEADER_BYTES, Role, Slot},
    verify::Rules,
};
use hookseal_lanes::Mac;

const KEY: &str = "correct horse battery staple";
const BODY: &[u8] = br#"{"type":"paid"}"#;

/// Long enough that a single MAC is reported to the watch.
const LONG_BYTES: usize = 512 * 1024;

#[test]
fn every_single_bit_of_a_mac_counts() {
    for spelling in Spelling::all() {
        let right = Spelling::mac();
        assert_eq!(spelling.verdict(&right), Verdict::Valid, "{spelling:?}");
        for bit in 0..8 * right.len() {
            let mut mac = right;
            mac[bit / 8] ^= 1 << (bit % 8);
            let verdict = spelling.verdict(&mac);
            assert_eq!(
                verdict,
                Verdict::SignatureMismatch,
                "{spelling:?}, bit {bit}"
            );
        }
    }
}

#[test]
fn every_other_byte_at_every_place_is_refused() {
    let spelling = Spelling::new("uplift", hex);
    let right = Spelling::mac();
    for place in 0..right.len() {
        for byte in 0..=255 {
            let mut mac = right;
            mac[place] = byte;
            let is_valid = spelling.verdict(&mac) == Verdict::Valid;
            assert_eq!(is_valid, mac == right, "byte {byte} at {place}");
        }
    }
}

/// Differences that would cancel out if they were added, or joined by exclusive or.
#[test]
fn differences_do_not_cancel_out() {
    let spelling = Spelling::new("uplift", hex);
    let right = Spelling::mac();
    for first in 0..right.len() {
        for second in 0..first {
            for mask in [0x01, 0x80, 0xff] {
                let mut mac = right;
                mac[first] ^= mask;
                mac[second] ^= mask;
                assert_eq!(spelling.verdict(&mac), Verdict::SignatureMismatch);
                mac = right;
                mac[first] = mac[first].wrapping_add(mask);
                mac[second] = mac[second].wrapping_sub(mask);
                assert_eq!(spelling.verdict(&mac), Verdict::SignatureMismatch);
            }
            let mut mac = right;
            mac.swap(first, second);
            let is_valid = spelling.verdict(&mac) == Verdict::Valid;
            assert_eq!(is_valid, mac == right, "{first} and {second}");
        }
    }
    for mac in [right.map(|byte| !byte), [0; 32], [0xff; 32]] {
        assert_eq!(spelling.verdict(&mac), Verdict::SignatureMismatch);
    }
}

#[test]
fn a_part_of_a_mac_and_more_than_a_mac_are_no_signatures() {
    for spelling in Spelling::all() {
        let right = Spelling::mac();
        let longer = [&right[..], &right[..]].concat();
        for length in (0..=64).filter(|length| *length != right.len()) {
            let verdict = spelling.verdict(&longer[..length]);
            assert_eq!(
                verdict,
                Verdict::MalformedSignature,
                "{spelling:?}, {length}"
            );
        }
    }
}

#[test]
fn the_right_candidate_may_stand_anywhere() {
    let endpoint = endpoint("test-semicolon", &[KEY]);
    let right = hmac(KEY.as_bytes(), &[BODY]);
    let mut draw = Draw::new(1);
    for count in 1..=40 {
        for place in 0..=count {
            let candidates = (0..count).map(|at| {
                let mut mac = right;
                // Wrong ones differ by one bit; where `place` is `count`, all are wrong.
                let bit = draw.below(256);
                mac[bit / 8] ^= u8::from(at != place) << (bit % 8);
                base64(&mac)
            });
            let value = candidates.collect::<Vec<_>>().join(";");
            let message = Message::new(&endpoint, BODY, &[("x-test-signature", value)]);
            for kernel in Kernel::ALL {
                let is_valid = message.judged(kernel).0.is_valid();
                assert_eq!(is_valid, place < count, "{kernel:?}: {place} of {count}");
            }
        }
    }
}

#[test]
fn tokens_are_equal_when_every_bit_is() {
    let mut draw = Draw::new(2);
    for length in (1..=40).chain([63, 64, 65, 255, 256]) {
        let bytes = draw.bytes(length);
        let token: Vec<_> = bytes.iter().map(|byte| b'!' + byte % 90).collect();
        let text = str::from_utf8(&token).unwrap();
        let endpoint = endpoint("shared-token", &[text]);
        let verdict = |token: &[u8]| {
            let message = Message::new(&endpoint, BODY, &[("x-webhook-secret", token)]);
            message.judged(Kernel::detect()).0.verdict
        };
        assert_eq!(verdict(&token), Verdict::Valid, "{length}");
        for bit in 0..8 * length {
            let mut other = token.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(verdict(&other), Verdict::Valid, "{length}: bit {bit}");
        }
        for shorter in 1..length {
            assert_eq!(verdict(&token[..shorter]), Verdict::SignatureMismatch);
        }
        for behind in [b"a", b"\0", b"="] {
            let longer = [&token[..], behind].concat();
            assert_eq!(verdict(&longer), Verdict::SignatureMismatch);
        }
        assert_eq!(verdict(&token.repeat(2)), Verdict::SignatureMismatch);
    }
}

#[test]
fn many_candidates_cost_no_more_macs_than_one() {
    let body = Draw::new(3).bytes(LONG_BYTES);
    let right = hmac(KEY.as_bytes(), &[&body]);
    let with = |count: usize, last: Mac, secrets: &[&str]| {
        let wrong = (1..count).map(|at| base64(&hmac(&at.to_be_bytes(), &[&body])));
        let value = wrong.chain([base64(&last)]).collect::<Vec<_>>().join(";");
        let endpoint = endpoint("test-semicolon", secrets);
        Message::new(&endpoint, &body, &[("x-test-signature", value)])
    };
    let eight = ["a", "b", "c", "d", "e", "f", "g", KEY];
    for (secrets, last, verdict, macs) in [
        (&eight[7..], right, Verdict::Valid, 1),
        (&eight[7..], [0; 32], Verdict::SignatureMismatch, 1),
        (&eight[..], right, Verdict::Valid, 8),
        (&eight[..], [0; 32], Verdict::SignatureMismatch, 8),
    ] {
        for count in [1, 2, 300, 364] {
            let message = with(count, last, secrets);
            for (by, outcome, bytes) in both_ways(&message, Kernel::detect()) {
                assert_eq!(outcome.verdict, verdict, "{by}: {count} candidates");
                assert_eq!(bytes / LONG_BYTES, macs, "{by}: {count} candidates");
            }
        }
    }
}

#[test]
fn the_first_secret_that_matches_ends_the_search() {
    let body = Draw::new(4).bytes(LONG_BYTES);
    let texts = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let endpoint = endpoint("test-semicolon", &texts);
    for first in 0..texts.len() {
        // Two of them match, the later one's candidate first.
        let mut macs: Vec<_> = texts[first..]
            .iter()
            .take(2)
            .map(|text| base64(&hmac(text.as_bytes(), &[&body])))
            .collect();
        macs.reverse();
        let headers = [("x-test-signature", macs.join(";"))];
        let message = Message::new(&endpoint, &body, &headers);
        for kernel in Kernel::ALL {
            for (by, outcome, bytes) in both_ways(&message, kernel) {
                assert_eq!(usize::try_from(outcome.secret), Ok(first), "{by}");
                assert_eq!(bytes / LONG_BYTES, first + 1, "{by}");
            }
        }
    }
}

#[test]
fn a_secret_that_is_not_live_costs_nothing() {
    let body = Draw::new(5).bytes(LONG_BYTES);
    let secrets = [
        windowed("retired", None, Some(NOW)),
        windowed("to come", Some(NOW + 1), None),
        windowed("live", Some(NOW), Some(NOW + 1)),
    ];
    for (secrets, macs) in [(&secrets[..], 1), (&secrets[..2], 0)] {
        let endpoint = endpoint_of("uplift", secrets);
        for key in ["retired", "to come", "live"] {
            let signature = format!("sha256={}", hex(&hmac(key.as_bytes(), &[&body])));
            let headers = [("x-uplift-signature-256", signature)];
            let message = Message::new(&endpoint, &body, &headers);
            for (by, outcome, bytes) in both_ways(&message, Kernel::detect()) {
                assert_eq!(
                    outcome.is_valid(),
                    key == "live" && macs == 1,
                    "{by}: {key}"
                );
                assert_eq!(bytes / LONG_BYTES, macs, "{by}: {key}");
                if !outcome.is_valid() {
                    assert_eq!(outcome.number, i64::try_from(macs).unwrap(), "{by}: {key}");
                }
            }
        }
    }
}

#[test]
fn nothing_is_hashed_for_a_message_that_is_refused_before() {
    let body = Draw::new(6).bytes(LONG_BYTES);
    let key: Vec<u8> = (1..=32).collect();
    let endpoint = endpoint("standard-webhooks", &[&base64(&key)]);
    let stamp = NOW.to_string();
    let message = |id: &str, stamp: &str, signature: &str| {
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", stamp),
            ("webhook-signature", signature),
        ];
        Message::new(&endpoint, &body, &headers)
    };
    let signed = |id: &str, stamp: &str| message(id, stamp, &v1(&key, id, stamp, &body));
    let with = |name: &str, value: &str| {
        let mut message = signed("a", &stamp);
        let slot = endpoint.scheme().slot(name.as_bytes()).unwrap();
        message.headers.push((slot, value.into()));
        message
    };
    let without = |role: Role| {
        let mut message = signed("a", &stamp);
        message.headers.retain(|(slot, _)| slot.role != role);
        message
    };
    let limited = Message {
        rules: Rules {
            max_body_bytes: Some(LONG_BYTES - 1),
            ..Rules::default()
        },
        ..signed("a", &stamp)
    };
    let rows = [
        (limited, Verdict::TooLarge),
        (
            with("webhook-signature", &"x".repeat(MAX_HEADER_BYTES)),
            Verdict::TooLarge,
        ),
        (without(Role::Signature), Verdict::MissingHeader),
        (without(Role::Id), Verdict::MissingHeader),
        (without(Role::Timestamp), Verdict::MissingHeader),
        (signed(" ", &stamp), Verdict::MissingHeader),
        (with("webhook-id", "b"), Verdict::AmbiguousHeader),
        (with("webhook-timestamp", "0"), Verdict::AmbiguousHeader),
        (signed("a.b", &stamp), Verdict::MalformedHeader),
        (signed("a", "x"), Verdict::MalformedTimestamp),
        (signed("a", &(NOW - 301).to_string()), Verdict::TooOld),
        (signed("a", &(NOW + 301).to_string()), Verdict::TooNew),
        (message("a", &stamp, "v1,x"), Verdict::MalformedSignature),
        (message("a", &stamp, "v2,AA=="), Verdict::MalformedSignature),
    ];
    for (message, verdict) in rows {
        for kernel in Kernel::ALL {
            for (by, outcome, bytes) in both_ways(&message, kernel) {
                assert_eq!(outcome.verdict, verdict, "{by}");
                assert_eq!(bytes, 0, "{by}: {verdict:?}");
            }
        }
    }
    // The control: where nothing is wrong the bytes are counted.
    for (by, outcome, bytes) in both_ways(&signed("a", &stamp), Kernel::detect()) {
        assert_eq!(outcome.verdict, Verdict::Valid, "{by}");
        assert_eq!(bytes / LONG_BYTES, 1, "{by}");
    }
}

/// What is said of a message alone and in a batch, and how many bytes each hashed.
fn both_ways(message: &Message, kernel: Kernel) -> [(String, Outcome, usize); 2] {
    let (alone, bytes_alone) = counted(|watch| message.judge(kernel, watch));
    let messages = std::slice::from_ref(message);
    let (together, bytes) = counted(|watch| batch(messages, kernel, 1, watch));
    let outcome = together.expect("nobody stopped it")[0];
    [
        (
            format!("judge, {kernel:?}"),
            alone.expect("nobody stopped it").0,
            bytes_alone,
        ),
        (format!("batch, {kernel:?}"), outcome, bytes),
    ]
}

/// A scheme that signs the body alone, and how it writes a MAC.
struct Spelling {
    endpoint: Arc<Endpoint>,
    write: fn(&[u8]) -> String,
}

impl Spelling {
    fn new(scheme: &str, write: fn(&[u8]) -> String) -> Self {
        Self {
            endpoint: endpoint(scheme, &[KEY]),
            write,
        }
    }

    fn all() -> [Self; 5] {
        [
            Self::new("uplift", hex),
            Self::new("test-hex-any-case", |mac| hex(mac).to_uppercase()),
            Self::new("zoho-projects", base64),
            Self::new("test-comma", hex),
            Self::new("test-semicolon", base64),
        ]
    }

    fn mac() -> Mac {
        hmac(KEY.as_bytes(), &[BODY])
    }

    fn verdict(&self, mac: &[u8]) -> Verdict {
        let scheme = self.endpoint.scheme();
        let mut message = Message::new::<&str, &str>(&self.endpoint, BODY, &[]);
        let slot = Slot {
            family: 0,
            role: Role::Signature,
        };
        let value = [&scheme.prefix[..], (self.write)(mac).as_bytes()].concat();
        // Nothing at all would be a missing header.
        let value = if value.is_empty() {
            b"=".to_vec()
        } else {
            value
        };
        message.headers.push((slot, value));
        let [outcome, others @ ..] = Kernel::ALL.map(|kernel| message.judged(kernel).0);
        assert!(others.iter().all(|other| *other == outcome));
        outcome.verdict
    }
}

impl std::fmt::Debug for Spelling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.endpoint.scheme().name)
    }
}
