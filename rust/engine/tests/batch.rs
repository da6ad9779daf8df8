//! Batches: every message as if it were alone, on one thread and on several, and no more work
//! than that takes.

mod common;

use std::sync::Arc;

use common::{
    Draw, Message, NOW, base64, batch, counted, endpoint, endpoint_of, go_on, hash, hex, hmac,
    secret, v1, windowed,
};
use hookseal_engine::{
    Kernel, NO_SECRET, Outcome, Stop, Verdict,
    batch::{Chunk, Judged, with_crew},
    endpoint::Endpoint,
    verify::Rules,
};

const LONG_BYTES: usize = 64 * 1024 * 1024;

#[test]
fn item_i_is_what_is_said_of_message_i_alone() {
    let messages = Mixed::new(1).messages(2000);
    for kernel in Kernel::ALL {
        let alone: Vec<_> = messages.iter().map(|it| it.judged(kernel).0).collect();
        // The mixture is one: every kind of outcome is often there.
        for verdict in [Verdict::Valid, Verdict::TooOld, Verdict::SignatureMismatch] {
            let count = alone
                .iter()
                .filter(|outcome| outcome.verdict == verdict)
                .count();
            assert!(count > 100, "{count} {verdict:?}");
        }
        for threads in 0..=3 {
            let together = batch(&messages, kernel, threads, &mut go_on).unwrap();
            for (number, (together, alone)) in together.iter().zip(&alone).enumerate() {
                assert_eq!(together, alone, "{kernel:?}, {threads} threads: {number}");
            }
        }
    }
}

#[test]
fn batches_of_every_small_size() {
    let mut mixed = Mixed::new(2);
    for size in 0..=70 {
        let messages = mixed.messages(size);
        for kernel in Kernel::ALL {
            let alone: Vec<_> = messages.iter().map(|it| it.judged(kernel).0).collect();
            let together = batch(&messages, kernel, 2, &mut go_on).unwrap();
            assert_eq!(together, alone, "{kernel:?}: {size} messages");
        }
    }
}

#[test]
fn every_order_of_good_and_bad_messages() {
    let endpoint = endpoint("uplift", &["first", "second"]);
    let body = |place: usize| format!("body {place}");
    let message = |kind: usize, place: usize| {
        let key = ["first", "second", "neither", "first"][kind];
        let mut mac = hmac(key.as_bytes(), &[body(place).as_bytes()]);
        mac[31] ^= u8::from(kind == 3);
        let headers = [("x-uplift-signature-256", format!("sha256={}", hex(&mac)))];
        Message::new(&endpoint, body(place).as_bytes(), &headers)
    };
    for size in 1..=4_u32 {
        for order in 0..4_usize.pow(size) {
            let kinds: Vec<_> = (0..size)
                .map(|place| order / 4_usize.pow(place) % 4)
                .collect();
            let numbered = kinds.iter().enumerate();
            let messages: Vec<_> = numbered
                .map(|(place, kind)| message(*kind, place))
                .collect();
            for kernel in Kernel::ALL {
                let outcomes = batch(&messages, kernel, 1, &mut go_on).unwrap();
                let secrets: Vec<_> = outcomes.iter().map(|outcome| outcome.secret).collect();
                let expected = kinds.iter().map(|kind| [0, 1, NO_SECRET, NO_SECRET][*kind]);
                assert_eq!(
                    secrets,
                    expected.collect::<Vec<_>>(),
                    "{kernel:?}: {kinds:?}"
                );
            }
        }
    }
}

#[test]
fn outcomes_come_in_the_order_of_the_messages() {
    let messages = Mixed::new(3).messages(600);
    let mut chunk = Chunk::new(LIMITED);
    // A chunk is used again and again, and nothing of before is left in it.
    for round in 0..3 {
        let mut waiting = Vec::new();
        for (place, message) in messages.iter().enumerate().skip(round * 7) {
            // The number is the caller's: any will do.
            let number = 10_000 - place * 3;
            let note = place;
            let bytes = message.body.clone();
            message.push(&mut chunk, number, Carried { bytes, note });
            waiting.push((number, place));
        }
        assert!(chunk.work() > 0);
        hash(&mut chunk, Kernel::detect(), &mut go_on).unwrap();
        let mut settled = Vec::new();
        chunk.settle(|number, Judged { outcome, family }, body| {
            let message = &messages[body.note];
            assert_eq!(body.bytes, message.body);
            let alone = message.judged(Kernel::Single);
            assert_eq!((outcome, family), alone, "message {}", body.note);
            settled.push((number, body.note));
        });
        assert_eq!(settled, waiting);
        assert_eq!((chunk.work(), chunk.is_full()), (0, false));
        chunk.settle(|number, _, _| panic!("message {number} is settled twice"));
    }
}

#[test]
fn a_long_body_among_short_ones() {
    let long = Message::good(&Draw::new(4).bytes(LONG_BYTES));
    for place in [0, 100, 199] {
        let mut messages: Vec<_> = (0..200)
            .map(|at| Message::good(format!("body {at}").as_bytes()))
            .collect();
        messages[place] = long.clone();
        // The neighbour's signature is none of its own.
        messages[50].headers = messages[51].headers.clone();
        for kernel in [Kernel::Single, Kernel::detect()] {
            for threads in [1, 3] {
                let outcomes = batch(&messages, kernel, threads, &mut go_on).unwrap();
                for (number, outcome) in outcomes.iter().enumerate() {
                    let name = format!("{kernel:?}, {threads} threads: {number}");
                    assert_eq!(outcome.is_valid(), number != 50, "{name}");
                }
            }
        }
    }
    let outcomes = batch(&[Message::good(b""), long], Kernel::Portable, 2, &mut go_on).unwrap();
    assert!(outcomes.iter().all(Outcome::is_valid));
}

/// Bodies so long that the bytes that are reported say how many MACs there were.
#[test]
fn a_secret_is_tried_only_for_messages_that_those_before_refused() {
    const BODY_BYTES: usize = 64 * 1024;
    let body = Draw::new(5).bytes(BODY_BYTES);
    let secrets = [
        secret("0"),
        windowed("retired", None, Some(NOW)),
        secret("1"),
        secret("2"),
    ];
    let endpoint = endpoint_of("uplift", &secrets);
    let signed = |key: &str| {
        let signature = format!("sha256={}", hex(&hmac(key.as_bytes(), &[&body])));
        Message::new(&endpoint, &body, &[("x-uplift-signature-256", signature)])
    };
    // One MAC, two, three; and three for messages that no live secret signed.
    let kinds = [("0", 1), ("1", 2), ("2", 3), ("none", 3), ("retired", 3)];
    let kinds = kinds.map(|(key, macs)| (signed(key), macs));
    for kernel in Kernel::ALL {
        for (message, macs) in &kinds {
            let messages = vec![message.clone(); 10];
            let (outcomes, bytes) = counted(|watch| batch(&messages, kernel, 1, watch));
            assert!(outcomes.is_ok());
            assert_eq!(bytes / BODY_BYTES, 10 * macs, "{kernel:?}");
        }
        let all: Vec<_> = kinds
            .iter()
            .cycle()
            .take(50)
            .map(|(message, _)| message.clone())
            .collect();
        let (outcomes, bytes) = counted(|watch| batch(&all, kernel, 1, watch));
        let found: Vec<_> = outcomes
            .unwrap()
            .iter()
            .map(|outcome| outcome.secret)
            .collect();
        assert_eq!(
            found,
            [0, 2, 3, NO_SECRET, NO_SECRET].repeat(10),
            "{kernel:?}"
        );
        assert_eq!(bytes / BODY_BYTES, 10 * (1 + 2 + 3 + 3 + 3), "{kernel:?}");
    }
}

#[test]
fn tokens_cost_no_macs() {
    let endpoint = endpoint("shared-token", &["first", "second"]);
    let body = vec![0; 1 << 20];
    let message = |token| Message::new(&endpoint, &body, &[("x-webhook-secret", token)]);
    let messages = ["first", "second", "third"].map(message);
    let (outcomes, bytes) = counted(|watch| batch(&messages, Kernel::detect(), 1, watch));
    let found = outcomes
        .unwrap()
        .iter()
        .map(|outcome| outcome.secret)
        .collect::<Vec<_>>();
    assert_eq!((found, bytes), (vec![0, 1, NO_SECRET], 0));
}

#[test]
fn threads_are_started_where_there_is_enough_to_do() {
    let (short, long) = (Message::good(b"body"), Message::good(&vec![0; 1 << 20]));
    for (threads, message, is_helped) in [
        (2, &short, false),
        (2, &long, true),
        (3, &long, true),
        (1, &long, false),
        (0, &long, false),
    ] {
        let outcome = with_crew(Kernel::detect(), threads, Rules::default(), |crew| {
            message.push(&mut crew.chunk(), 0, &message.body[..]);
            assert!(!crew.has_help());
            crew.close(1).unwrap();
            crew.start();
            assert_eq!(crew.has_help(), is_helped, "{threads} threads");
            crew.finish(&mut go_on)?;
            let mut found = None;
            crew.finished()
                .settle(|_, judged, _| found = Some(judged.outcome));
            Ok::<_, Stop>(found)
        });
        assert!(outcome.unwrap().unwrap().is_valid());
    }
}

/// A body with something that was noted of it.
struct Carried {
    bytes: Vec<u8>,
    note: usize,
}

impl AsRef<[u8]> for Carried {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Some of the mixed messages have more.
const LIMITED: Rules = Rules {
    tolerance: None,
    max_body_bytes: Some(1400),
    backlog: None,
};

/// Messages of all kinds, good and bad.
struct Mixed {
    draw: Draw,
    endpoints: Vec<Arc<Endpoint>>,
}

/// The keys' bytes. Those at 2 and 5 are never held.
const KEYS: [&str; 6] = ["key zero", "key one", "nobody's", "key 3", "key 4", "mine"];

impl Mixed {
    fn new(seed: u64) -> Self {
        let [zero, one, _, three, four, _] = KEYS.map(|key| base64(key.as_bytes()));
        let windows = [
            windowed(&zero, None, Some(NOW)),
            windowed(&one, Some(NOW), None),
            windowed(&three, Some(NOW + 1), None),
            secret(&four),
        ];
        Self {
            draw: Draw::new(seed),
            endpoints: vec![
                endpoint("uplift", &[KEYS[0]]),
                endpoint("standard-webhooks", &[&zero, &one]),
                endpoint_of("svix", &windows),
                endpoint("shared-token", &[KEYS[0], KEYS[1]]),
                endpoint("test-literals", &[KEYS[3], KEYS[1]]),
                endpoint(
                    "test-semicolon",
                    &["a", "b", "c", "d", KEYS[0], "f", KEYS[1], "h"],
                ),
            ],
        }
    }

    fn messages(&mut self, count: usize) -> Vec<Message> {
        (0..count).map(|_| self.message()).collect()
    }

    fn message(&mut self) -> Message {
        let draw = &mut self.draw;
        let endpoint = &self.endpoints[draw.below(self.endpoints.len())];
        let length = draw.below(1500);
        let body = draw.bytes(length);
        let key = KEYS[draw.below(KEYS.len())];
        let id = format!("msg_{}", draw.below(100));
        let (stamp, at) = (NOW.to_string(), NOW - 3 + i64::from(draw.below(4) == 0));
        let headers = signed(endpoint, key, [&id, &stamp], &body);
        let mut message = Message {
            at,
            rules: LIMITED,
            ..Message::new(endpoint, &body, &headers)
        };
        let last = message.headers.len() - 1;
        match draw.below(8) {
            0 => message.at += 301 + 3,
            1 => message.at -= 301,
            2 => message.body.push(0),
            3 => _ = message.headers.remove(draw.below(last + 1)),
            4 => message.headers[last].1.push(b'!'),
            // A signature that is wrong, in front of the right one.
            5 => {
                let mut wrong = message.headers[last].clone();
                let end = wrong.1.len() / 2;
                wrong.1[end] ^= 1;
                message.headers.insert(0, wrong);
            }
            _ => {}
        }
        message
    }
}

/// The headers of a signed message, the signature last.
fn signed(
    endpoint: &Endpoint,
    key: &str,
    [id, stamp]: [&str; 2],
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let own = |names: [&'static str; 2], signature| {
        let [id_name, stamp_name] = names;
        vec![
            (id_name, id.to_owned()),
            (stamp_name, stamp.to_owned()),
            signature,
        ]
    };
    match &*endpoint.scheme().name {
        "uplift" => {
            let mac = hmac(key.as_bytes(), &[body]);
            vec![("x-uplift-signature-256", format!("sha256={}", hex(&mac)))]
        }
        "standard-webhooks" => {
            let signature = ("webhook-signature", v1(key.as_bytes(), id, stamp, body));
            own(["webhook-id", "webhook-timestamp"], signature)
        }
        "svix" => {
            let signature = ("svix-signature", v1(key.as_bytes(), id, stamp, body));
            own(["svix-id", "svix-timestamp"], signature)
        }
        "shared-token" => vec![("x-webhook-secret", key.to_owned())],
        "test-literals" => {
            let around = [format!("<{stamp}|{id}:"), ">".to_owned()];
            let [head, tail] = around.each_ref().map(String::as_bytes);
            let mac = hmac(key.as_bytes(), &[head, body, tail]);
            own(
                ["x-test-id", "x-test-timestamp"],
                ("x-test-signature", hex(&mac)),
            )
        }
        "test-semicolon" => {
            let mac = hmac(key.as_bytes(), &[body]);
            vec![("x-test-signature", base64(&mac))]
        }
        name => panic!("{name} is not among the mixed endpoints"),
    }
}
