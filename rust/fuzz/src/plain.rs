//! The rules again, in the plainest words: what the fast ways are held to. They follow
//! docs/strict-reading.md, not the engine's source.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookseal_engine::scheme::{Encoding, Scheme};
use hookseal_lanes::Mac;

use crate::common::{base64, hex};

/// A value without the spaces and tabs around it.
pub fn trimmed(value: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !b" \t".contains(byte);
    let Some(start) = value.iter().position(is_text) else {
        return &[];
    };
    let end = value.iter().rposition(is_text).map_or(start, |at| at + 1);
    &value[start..end]
}

/// The candidates of a signature header's value.
pub fn candidates(scheme: &Scheme, value: &[u8]) -> Vec<Mac> {
    let text = trimmed(value);
    let Some(separator) = scheme.separator else {
        return candidate(scheme, text).into_iter().collect();
    };
    let pieces: Vec<_> = text.split(|byte| *byte == separator).collect();
    let last = pieces.len() - 1;
    let numbered = pieces.iter().enumerate();
    let joined = numbered.map(|(at, piece)| match piece.strip_suffix(b",") {
        Some(before) if separator == b' ' && at < last => before,
        _ => piece,
    });
    joined
        .filter_map(|piece| candidate(scheme, piece))
        .collect()
}

fn candidate(scheme: &Scheme, piece: &[u8]) -> Option<Mac> {
    let text = piece.strip_prefix(&scheme.prefix[..])?;
    let bytes = match scheme.encoding {
        Encoding::Base64 => STANDARD.decode(text).ok()?,
        Encoding::Hex => unhex(text).filter(|_| !text.iter().any(u8::is_ascii_uppercase))?,
        Encoding::HexAnyCase => unhex(text)?,
        Encoding::Token => return None,
    };
    bytes.try_into().ok()
}

/// The bytes that hexadecimal text of either case stands for.
pub fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(text).ok()?;
    if text.len() % 2 == 1 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

/// A MAC as the scheme writes it, its prefix included.
pub fn written(scheme: &Scheme, mac: &Mac) -> Vec<u8> {
    let text = match scheme.encoding {
        Encoding::Base64 => base64(mac),
        _ => hex(mac),
    };
    [&scheme.prefix[..], text.as_bytes()].concat()
}
