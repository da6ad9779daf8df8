//! Secrets: what is refused, with which fault, and what the key is.

mod common;

use common::{endpoint, scheme, secret, secret_of_bytes};
use hookseal_engine::{
    endpoint::Endpoint,
    secret::{Fault, Kind, Secret},
};
use hookseal_lanes::sha256;

const STANDARD: &str = "standard-webhooks";

/// Scheme, how it is given, value, fault.
const REFUSED: [(&str, Kind, &[u8], Fault); 68] = {
    use Fault::{
        Blank, Empty, NotBase64, NotHex, NothingLeft, PrefixTwice, PrivateKey, PublicKey,
        TextAsBytes, TokenNotUtf8, Versioned, WhiteSpace,
    };
    use Kind::{Bytes, FixedText, Text};
    [
        // In every scheme.
        ("uplift", Text, b"", Empty),
        ("uplift", Bytes, b"", Empty),
        ("uplift", FixedText, b"", Empty),
        (STANDARD, Text, b"", Empty),
        ("shared-token", Text, b"", Empty),
        ("uplift", Text, b" ", Blank),
        ("uplift", Text, b" \t\n\x0b\x0c\r", Blank),
        ("uplift", Bytes, b"\n", Blank),
        ("uplift", FixedText, b"\x0c", Blank),
        (STANDARD, Text, b"  ", Blank),
        ("test-key-hex", Text, b"\r\n", Blank),
        ("shared-token", Bytes, b"\t", Blank),
        // What people paste in place of a Standard Webhooks secret.
        (STANDARD, Text, b"v1,whsec_QUJD", Versioned),
        (STANDARD, Text, b"v1,whsec_", Versioned),
        ("svix", Text, b"v1,whsec_QUJD", Versioned),
        (STANDARD, Text, b"whsk_QUJD", PrivateKey),
        (STANDARD, Text, b"whsk_", PrivateKey),
        (STANDARD, Text, b"whpk_QUJD", PublicKey),
        ("svix", Text, b"whpk_", PublicKey),
        (STANDARD, Text, b"whsec_whsec_QUJD", PrefixTwice),
        (STANDARD, Text, b"whsec_whsec_", PrefixTwice),
        ("test-key-prefix", Text, b"sk_sk_QUJD", PrefixTwice),
        // The special words are of that prefix alone.
        ("test-key-prefix", Text, b"v1,whsec_QUJD", NotBase64),
        ("test-key-prefix", Text, b"whsk_QUJD", NotBase64),
        ("test-key-base64", Text, b"whsec_QUJD", NotBase64),
        ("test-key-base64", Text, b"whpk_QUJD", NotBase64),
        // White space anywhere.
        (STANDARD, Text, b" whsec_QUJD", WhiteSpace),
        (STANDARD, Text, b"whsec_QUJD\n", WhiteSpace),
        (STANDARD, Text, b"whsec_ QUJD", WhiteSpace),
        (STANDARD, Text, b"whsec_QU\tJD", WhiteSpace),
        (STANDARD, Text, b"whsec_QU\x0bJD", WhiteSpace),
        (STANDARD, Text, b"whsec_\x0c", WhiteSpace),
        (STANDARD, Text, b"QUJD\r", WhiteSpace),
        ("test-key-hex", Text, b"00 ff", WhiteSpace),
        ("test-key-hex", Text, b"00ff\n", WhiteSpace),
        // Nothing left.
        (STANDARD, Text, b"whsec_", NothingLeft),
        (STANDARD, Text, b"whsec_====", NothingLeft),
        (STANDARD, Text, b"=", NothingLeft),
        ("test-key-prefix", Text, b"sk_", NothingLeft),
        // Another alphabet.
        (STANDARD, Text, b"whsec_QU-D", NotBase64),
        (STANDARD, Text, b"whsec_QU_D", NotBase64),
        (STANDARD, Text, b"whsec_QU!D", NotBase64),
        (STANDARD, Text, b"whsec_QU\0D", NotBase64),
        (STANDARD, Text, b"whsec_QUJ\xc3\xa4", NotBase64),
        (STANDARD, Text, b"\xc2\xa0whsec_QUJD", NotBase64),
        (STANDARD, Text, b"WHSEC_QUJD", NotBase64),
        (STANDARD, Text, b"Whsk_QUJD", NotBase64),
        // No length of base64, and padding that is not all there, or too much, or inside.
        (STANDARD, Text, b"whsec_Q", NotBase64),
        (STANDARD, Text, b"whsec_QUJDQ", NotBase64),
        (STANDARD, Text, b"whsec_QQ=", NotBase64),
        (STANDARD, Text, b"whsec_QUI==", NotBase64),
        (STANDARD, Text, b"whsec_QUJD=", NotBase64),
        (STANDARD, Text, b"whsec_QUJD==", NotBase64),
        (STANDARD, Text, b"whsec_QUJD====", NotBase64),
        (STANDARD, Text, b"whsec_QQ===", NotBase64),
        (STANDARD, Text, b"whsec_Q===", NotBase64),
        (STANDARD, Text, b"whsec_QQ==QUJD", NotBase64),
        // Trailing bits that are not zero, with padding and without.
        (STANDARD, Text, b"whsec_QR==", NotBase64),
        (STANDARD, Text, b"whsec_QR", NotBase64),
        (STANDARD, Text, b"whsec_QUJ=", NotBase64),
        (STANDARD, Text, b"whsec_QUJ", NotBase64),
        // Hexadecimal.
        ("test-key-hex", Text, b"0", NotHex),
        ("test-key-hex", Text, b"0g", NotHex),
        ("test-key-hex", Text, b"0x00", NotHex),
        // Bytes that are the text; tokens that are not.
        (STANDARD, Bytes, b"whsec_QUJD", TextAsBytes),
        ("test-key-prefix", Bytes, b"sk_", TextAsBytes),
        ("shared-token", Bytes, b"\xff", TokenNotUtf8),
        ("gitlab-token", Bytes, b"a\xed\xa0\x80", TokenNotUtf8),
    ]
};

#[test]
fn what_is_refused() {
    for (scheme_name, kind, value, fault) in REFUSED {
        let shown = String::from_utf8_lossy(value);
        let good = secret_of_bytes(b"good");
        let refused = match Secret::new(value.to_vec().into(), kind) {
            Ok(secret) => {
                assert_eq!(
                    secret.key_bytes(&scheme(scheme_name)),
                    Err(fault),
                    "{shown}"
                );
                // The fault is said of the secret that has it.
                Endpoint::new("", scheme(scheme_name), None, &[good, secret]).err()
            }
            Err(fault) => Some((1, fault)),
        };
        assert_eq!(
            refused,
            Some((1, fault)),
            "{scheme_name}, {kind:?}: {shown}"
        );
    }
}

#[test]
fn every_trailing_bit_and_every_other_character_of_base64() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let standard = scheme(STANDARD);
    for last in 0..=0x7f_u8 {
        let value = ALPHABET.iter().position(|char| *char == last);
        // Two characters stand for one byte and four bits, three for two bytes and two bits.
        for (start, unused) in [("Q", 16), ("QU", 4)] {
            let text = format!("whsec_{start}{}", char::from(last));
            let is_key = secret(&text).key_bytes(&standard).is_ok();
            let is_canonical = value.is_some_and(|value| value.is_multiple_of(unused));
            assert_eq!(is_key, is_canonical, "{text:?}");
        }
    }
}

#[test]
fn what_the_key_is() {
    use Kind::{Bytes, FixedBytes, FixedText, Text};
    let rows: [(&str, Kind, &[u8], &[u8]); 27] = [
        ("uplift", Text, b"correct horse", b"correct horse"),
        ("uplift", Text, b" x ", b" x "),
        ("uplift", Text, b"x\n", b"x\n"),
        ("uplift", Text, b"whsec_QUJD", b"whsec_QUJD"),
        ("uplift", Text, b"v1,whsec_QUJD", b"v1,whsec_QUJD"),
        (
            "uplift",
            Text,
            "schlüssel".as_bytes(),
            "schlüssel".as_bytes(),
        ),
        ("uplift", Bytes, b"\x00\xff", b"\x00\xff"),
        ("uplift", Bytes, b"whsec_QUJD", b"whsec_QUJD"),
        (STANDARD, Text, b"whsec_QUJD", b"ABC"),
        (STANDARD, Text, b"QUJD", b"ABC"),
        (STANDARD, Text, b"whsec_QUI=", b"AB"),
        (STANDARD, Text, b"whsec_QUI", b"AB"),
        (STANDARD, Text, b"QQ==", b"A"),
        (STANDARD, Text, b"QQ", b"A"),
        (STANDARD, Text, b"whsec_++//", b"\xfb\xef\xff"),
        (STANDARD, Bytes, b"ABC", b"ABC"),
        (STANDARD, Bytes, b"QUJD", b"QUJD"),
        (STANDARD, Bytes, b"WHSEC_", b"WHSEC_"),
        (STANDARD, FixedText, b"whsec_QUJD", b"whsec_QUJD"),
        (STANDARD, FixedBytes, b"whsec_QUJD", b"whsec_QUJD"),
        ("test-key-prefix", Text, b"sk_QUJD", b"ABC"),
        ("test-key-prefix", Bytes, b"whsec_QUJD", b"whsec_QUJD"),
        ("test-key-base64", Text, b"QUJD", b"ABC"),
        ("test-key-hex", Text, b"00fF", b"\x00\xff"),
        ("test-key-hex", Bytes, b"00", b"00"),
        ("shared-token", Text, b"whsec_QUJD", b"whsec_QUJD"),
        ("shared-token", Bytes, "ä".as_bytes(), "ä".as_bytes()),
    ];
    for (scheme_name, kind, value, key) in rows {
        let shown = String::from_utf8_lossy(value);
        let given = Secret::new(value.to_vec().into(), kind).unwrap();
        let bytes = given.key_bytes(&scheme(scheme_name)).expect(&shown);
        assert_eq!(*bytes, key, "{scheme_name}, {kind:?}: {shown}");
        assert_eq!(given.reveal(), value);
        assert_eq!(given.is_text(), matches!(kind, Text | FixedText));
    }
}

#[test]
fn secrets_that_are_decoded_at_once() {
    type Make = fn(&str) -> Result<Secret, Fault>;
    let (base64, hex): (Make, Make) = (Secret::from_base64, Secret::from_hex);
    for (make, text, key) in [
        (base64, "QUJD", &b"ABC"[..]),
        (base64, "QQ==", b"A"),
        (base64, "QQ", b"A"),
        (base64, "ICA=", b"  "),
        (hex, "0a", b"\n"),
        (hex, "00Ff", b"\x00\xff"),
    ] {
        let secret = make(text).expect(text);
        for scheme_name in ["uplift", STANDARD, "test-key-hex"] {
            assert_eq!(
                *secret.key_bytes(&scheme(scheme_name)).unwrap(),
                key,
                "{text}"
            );
        }
        assert_eq!(secret.reveal(), key);
        assert!(!secret.is_text());
    }
    for (make, text, fault) in [
        (base64, "", Fault::Empty),
        (base64, " ", Fault::Blank),
        (base64, "QUJD ", Fault::WhiteSpace),
        (base64, "whsec_QUJD", Fault::NotBase64),
        (base64, "==", Fault::NothingLeft),
        (base64, "QR", Fault::NotBase64),
        (hex, "", Fault::Empty),
        (hex, "\n", Fault::Blank),
        (hex, "0 0", Fault::WhiteSpace),
        (hex, "000", Fault::NotHex),
        (hex, "\u{ff10}0", Fault::NotHex),
    ] {
        assert_eq!(make(text).err(), Some(fault), "{text:?}");
    }
    let token = Secret::from_hex("ff").unwrap();
    assert_eq!(
        token.key_bytes(&scheme("shared-token")),
        Err(Fault::TokenNotUtf8)
    );
}

#[test]
fn nothing_of_a_secret_is_printed() {
    let endpoint = endpoint("uplift", &["correct horse"]);
    let key = endpoint.key(0);
    let token = common::endpoint("shared-token", &["correct horse"]);
    let token = token.key(0);
    for shown in [
        format!("{:?}", secret("correct horse")),
        format!("{:#?}", secret("a")),
    ] {
        assert_eq!(shown, "Secret(..)");
    }
    for shown in [
        format!("{key:?}"),
        format!("{token:?}"),
        format!("{key:#?}"),
    ] {
        assert_eq!(shown, "Key(..)");
    }
    let shown = format!("{endpoint:?}");
    assert!(
        shown.contains("first: Key(..)") && !shown.contains("horse"),
        "{shown}"
    );
}

#[test]
fn the_same_key_twice() {
    let long = [b'x'; 65];
    let pairs = [
        ("uplift", secret("key"), secret("key"), true),
        ("uplift", secret("key"), secret("key\0"), true),
        ("uplift", secret("key"), secret_of_bytes(b"key"), true),
        (
            "uplift",
            secret_of_bytes(&long),
            secret_of_bytes(&sha256(&long)),
            true,
        ),
        ("uplift", secret("key"), secret("kez"), false),
        ("uplift", secret("key"), secret(" key"), false),
        (STANDARD, secret("whsec_QUJD"), secret("QUJD"), true),
        (STANDARD, secret("QUI="), secret("QUI"), true),
        (STANDARD, secret("QUJD"), secret_of_bytes(b"ABC"), true),
        (STANDARD, secret("QUJD"), secret_of_bytes(b"QUJD"), false),
        ("test-key-hex", secret("ff"), secret("FF"), true),
        ("shared-token", secret("token"), secret("token"), true),
        (
            "shared-token",
            secret("token"),
            secret_of_bytes(b"token"),
            true,
        ),
        ("shared-token", secret("token"), secret("token\0"), false),
    ];
    for (row, (scheme_name, first, second, is_same)) in pairs.into_iter().enumerate() {
        let expected = is_same.then_some((2, Fault::SameKey));
        let secrets = [first, secret_of_bytes(b"another"), second];
        let refused = Endpoint::new("", scheme(scheme_name), None, &secrets).err();
        assert_eq!(refused, expected, "row {row}");
        let one = Endpoint::new("", scheme(scheme_name), None, &secrets[..1]).unwrap();
        let rotated = Endpoint::clone(&one).rotate(&secrets[2], None).err();
        assert_eq!(
            rotated,
            is_same.then_some(Fault::SameKey),
            "row {row}, rotated"
        );
    }
}

#[test]
fn faults_have_names_of_their_own() {
    let all = [
        Fault::Empty,
        Fault::Blank,
        Fault::WhiteSpace,
        Fault::Versioned,
        Fault::PrivateKey,
        Fault::PublicKey,
        Fault::PrefixTwice,
        Fault::NothingLeft,
        Fault::NotBase64,
        Fault::NotHex,
        Fault::TextAsBytes,
        Fault::TokenNotUtf8,
        Fault::TokenNotSendable,
        Fault::NoSecret,
        Fault::TooMany,
        Fault::SameKey,
        Fault::Label,
        Fault::LabelTaken,
        Fault::LastSecret,
        Fault::NoneLive,
    ];
    let mut codes: Vec<_> = all.iter().map(|fault| fault.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    for code in codes {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(code.bytes().all(is_plain), "{code}");
    }
}
