//! Schemes made of any bytes: the signed bytes are the template's, and what is signed verifies.
//!
//! `input = form(1) length(1) prefix count(1) part* length(1) id length(1) timestamp body`, and
//! `part = side(1) [length(1) literal]`

use std::sync::Arc;

use hookseal_engine::{
    Kernel, Verdict,
    endpoint::Endpoint,
    header::is_id,
    scheme::{Algorithm, Encoding, Family, KeyText, MAX_TEMPLATE_BYTES, Names, Part, Scheme, Unit},
    sign,
    timestamp::{MAX_TIMESTAMP_DIGITS, Tolerance},
};

use crate::{
    common::{Message, NOW, go_on, hmac, secret},
    input::Input,
    plain,
};

const KEY: &str = "a key of the templates";

/// Schemes made of any bytes: what is signed verifies.
///
/// # Panics
/// On a finding.
pub fn fuzz(data: &[u8]) {
    let mut input = Input::new(data);
    let form = input.byte();
    let encoding = [Encoding::Base64, Encoding::Hex, Encoding::HexAnyCase][usize::from(form % 3)];
    let separator = [None, Some(b' '), Some(b','), Some(b';')][usize::from(form >> 2 & 3)];
    // hookseal.Scheme refuses the rest: a piece would be cut in two.
    let is_prefix = |byte: &u8| byte.is_ascii_graphic() && Some(*byte) != separator;
    let prefix: Vec<u8> = input.text().iter().copied().filter(is_prefix).collect();
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..input.byte() {
        let side = input.byte();
        let part = match side % 3 {
            0 => Part::Id,
            1 => Part::Timestamp,
            _ => Part::Literal(input.text().into()),
        };
        bytes += match &part {
            Part::Id => "{id}".len(),
            Part::Timestamp => "{timestamp}".len(),
            Part::Literal(literal) => literal.len().max(1),
        };
        if bytes > MAX_TEMPLATE_BYTES {
            break;
        }
        let parts = if side < 0x80 { &mut head } else { &mut tail };
        parts.push(part);
    }
    let id = input.text();
    let timestamp = input.text();
    let body = input.rest();
    if head.len() + tail.len() > MAX_PARTS || !is_id(id, b"") {
        return;
    }
    let is_time = (1..=MAX_TIMESTAMP_DIGITS).contains(&timestamp.len());
    if !is_time || !timestamp.iter().all(u8::is_ascii_digit) || plain::trimmed(id) != id {
        return;
    }

    let families = vec![Family {
        signature: "x-signature".into(),
        id: Some("x-id".into()),
        timestamp: Some("x-timestamp".into()),
    }];
    let scheme = Arc::new(Scheme {
        name: "fuzzed".into(),
        names: Names::of(&families),
        families,
        prefix,
        encoding,
        separator,
        head,
        tail,
        id_forbidden: Vec::new(),
        algorithm: Algorithm::HmacSha256,
        key: KeyText::Utf8,
        key_prefix: String::new(),
        unit: Unit::Seconds,
        tolerance: Some((300, 300)),
        key_length: None,
    });
    let endpoint = Endpoint::new(
        "",
        Arc::clone(&scheme),
        Some(Tolerance::Off),
        &[secret(KEY)],
    );
    let endpoint = endpoint.expect("a good secret");

    let piece = |part: &'_ Part| match part {
        Part::Id => id.to_vec(),
        Part::Timestamp => timestamp.to_vec(),
        Part::Literal(literal) => literal.to_vec(),
    };
    let head: Vec<u8> = scheme.head.iter().flat_map(piece).collect();
    let tail: Vec<u8> = scheme.tail.iter().flat_map(piece).collect();
    let expected = plain::written(&scheme, &hmac(KEY.as_bytes(), &[&head, body, &tail]));

    let kernel = Kernel::detect();
    let (its, time) = (Some(id), Some(timestamp));
    let made = sign::signature(kernel, &endpoint, body, its, time, NOW, &mut go_on);
    let made = made.expect("nobody stopped it").expect("a live secret");
    assert_eq!(made.as_bytes(), expected);

    let headers = [
        ("X-Signature", &expected[..]),
        ("x-id", id),
        ("x-timestamp", timestamp),
    ];
    let message = Message::new(&endpoint, body, &headers);
    assert_eq!(message.judged(kernel).0.verdict, Verdict::Valid);
    let mut longer = body.to_vec();
    longer.push(0);
    let other = Message::new(&endpoint, &longer, &headers);
    assert_eq!(other.judged(kernel).0.verdict, Verdict::SignatureMismatch);
}

/// hookseal.Scheme takes each placeholder once; more than these would be the same again.
const MAX_PARTS: usize = 32;
