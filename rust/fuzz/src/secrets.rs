//! Secrets: what is taken is taken for what it says, and signs what it verifies.
//!
//! `input = scheme(1) kind(1) text`

use std::sync::Arc;

use base64::{
    Engine as _, alphabet,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD_NO_PAD,
    },
};
use hookseal_engine::{
    Kernel, Verdict,
    endpoint::Endpoint,
    finding,
    scheme::{Algorithm, KeyText, Scheme},
    secret::{Fault, Kind, Secret},
    sign,
};

use crate::{
    common::{Message, NOW, go_on, hex},
    input::Input,
    plain::unhex,
};

const BODY: &[u8] = b"{}";

/// Secrets: what is taken is taken for what it says, and signs what it verifies.
///
/// # Panics
/// On a finding.
pub fn fuzz(data: &[u8]) {
    let mut input = Input::new(data);
    let scheme = input.scheme();
    let kind = input.byte() % 6;
    let value = input.rest();
    let text = str::from_utf8(value);
    // What is no text can be given as bytes alone.
    let kind = if text.is_ok() { kind } else { kind.max(4) };
    let given = value.to_vec().into();
    let made = match (kind, text) {
        (0, Ok(_)) => Secret::new(given, Kind::Text),
        (1, Ok(_)) => Secret::new(given, Kind::FixedText),
        (2, Ok(text)) => Secret::from_base64(text),
        (3, Ok(text)) => Secret::from_hex(text),
        (4, _) => Secret::new(given, Kind::FixedBytes),
        _ => Secret::new(given, Kind::Bytes),
    };
    let is_blank = value.iter().all(|byte| b" \t\n\x0b\x0c\r".contains(byte));
    let secret = match made {
        Ok(secret) => secret,
        Err(Fault::Empty) => return assert!(value.is_empty()),
        Err(Fault::Blank) => return assert!(is_blank && !value.is_empty()),
        Err(_) => {
            // Only these two decode before there is a scheme.
            let text = text.expect("it was text");
            let decodes = match kind {
                2 => is_base64(text),
                3 => !text.is_empty() && unhex(value).is_some(),
                _ => panic!("refused without a scheme: {value:?}"),
            };
            return assert!(!decodes, "{text:?}");
        }
    };
    assert!(!is_blank);
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    match kind {
        2 => assert!(stands_for(value, secret.reveal())),
        3 => assert_eq!(unhex(value).as_deref(), Some(secret.reveal())),
        _ => assert_eq!(secret.reveal(), value),
    }
    let findings = finding::check(&secret, scheme);
    match secret.key_bytes(scheme) {
        Ok(key) => {
            let is_decoded = kind == 0 && scheme.key != KeyText::Utf8;
            match scheme.key {
                KeyText::Base64 if is_decoded => {
                    let bare = value.strip_prefix(scheme.key_prefix.as_bytes());
                    assert!(stands_for(bare.unwrap_or(value), &key));
                }
                KeyText::Hex if is_decoded => {
                    assert_eq!(hex(&key).as_bytes(), value.to_ascii_lowercase());
                }
                _ => assert_eq!(&key[..], secret.reveal()),
            }
            if !key.is_empty() {
                signs_what_it_verifies(scheme, &secret);
            }
        }
        Err(fault) => {
            let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
            let is_digit = |byte: u8| match scheme.key {
                KeyText::Base64 => byte.is_ascii_alphanumeric() || b"+/=".contains(&byte),
                KeyText::Hex => byte.is_ascii_hexdigit(),
                KeyText::Utf8 => true,
            };
            match codes[..] {
                ["wrong-encoding"] | ["wrong-encoding", "other-provider"] => {}
                ["wrong-alphabet"] | ["wrong-alphabet", "other-provider"] => {
                    assert!(!value.iter().copied().all(is_digit), "{value:?}");
                }
                _ => panic!("{codes:?} of {value:?} under {}", scheme.name),
            }
            refused(scheme, kind, value, fault);
        }
    }
}

/// A refusal has to have a reason.
fn refused(scheme: &Scheme, kind: u8, value: &[u8], fault: Fault) {
    let starts = |start: &str| value.starts_with(start.as_bytes());
    let has_reason = match fault {
        Fault::Versioned => starts("v1,whsec_"),
        Fault::PrivateKey => starts("whsk_"),
        Fault::PublicKey => starts("whpk_"),
        Fault::PrefixTwice => starts(&scheme.key_prefix.repeat(2)),
        Fault::TextAsBytes => kind == 5 && starts(&scheme.key_prefix),
        Fault::TokenNotUtf8 => scheme.algorithm == Algorithm::Token,
        Fault::NotHex | Fault::WhiteSpace if scheme.key == KeyText::Hex => unhex(value).is_none(),
        Fault::NotBase64 | Fault::WhiteSpace | Fault::NothingLeft => {
            let text = str::from_utf8(value).expect("text");
            let bare = text.strip_prefix(&scheme.key_prefix[..]);
            !is_base64(bare.unwrap_or(text))
        }
        _ => false,
    };
    assert!(has_reason, "{fault:?}: {value:?} under {}", scheme.name);
}

/// Base64 with all of its padding or none, and something in it.
fn is_base64(text: &str) -> bool {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    let is_whole = !text.ends_with('=') || text.len().is_multiple_of(4);
    is_whole && engine.decode(text).is_ok_and(|key| !key.is_empty())
}

/// Whether base64 text, padded or not, is the one spelling of those bytes.
fn stands_for(text: &[u8], bytes: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    text[..text.len() - padding] == *STANDARD_NO_PAD.encode(bytes).as_bytes()
}

fn signs_what_it_verifies(scheme: &'static Arc<Scheme>, secret: &Secret) {
    let endpoint = Endpoint::new("", Arc::clone(scheme), None, std::slice::from_ref(secret));
    let endpoint = endpoint.expect("its key is good");
    let family = &scheme.families[0];
    let time = if scheme.unit == hookseal_engine::scheme::Unit::Seconds {
        NOW
    } else {
        NOW * 1000
    };
    let time = time.to_string();
    let signature = if scheme.algorithm == Algorithm::Token {
        let key = secret.key_bytes(scheme).expect("its key is good");
        if !sign::is_sendable(&key) {
            return;
        }
        let token = str::from_utf8(&key).expect("a token is UTF-8");
        sign::signature_of_token(scheme, token)
    } else {
        let id = family.id.as_ref().map(|_| &b"msg_1"[..]);
        let time = family.timestamp.as_ref().map(|_| time.as_bytes());
        let kernel = Kernel::detect();
        let made = sign::signature(kernel, &endpoint, BODY, id, time, NOW, &mut go_on);
        made.expect("nobody stopped it")
            .expect("a secret without a window")
    };
    let mut headers = vec![(family.signature.as_str(), signature.as_str())];
    headers.extend(family.id.iter().map(|name| (name.as_str(), "msg_1")));
    headers.extend(
        family
            .timestamp
            .iter()
            .map(|name| (name.as_str(), &time[..])),
    );
    // A longer token fits into no header.
    if signature.len() <= hookseal_engine::header::MAX_HEADER_BYTES {
        let message = Message::new(&endpoint, BODY, &headers);
        let (outcome, _) = message.judged(Kernel::detect());
        assert_eq!(outcome.verdict, Verdict::Valid, "{}", scheme.name);
    }
}
