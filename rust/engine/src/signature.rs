//! Signatures as text: from a header's value to candidate MACs.

use base64::{
    Engine as _,
    engine::{GeneralPurpose, general_purpose::STANDARD},
};
use hookseal_lanes::Mac;
use memchr::memchr;
use smallvec::SmallVec;

use crate::{
    header::{MAX_HEADER_BYTES, Role, Slot, Value, trim},
    scheme::{Encoding, Scheme},
};

/// The candidates of one message.
pub type Candidates = SmallVec<[Mac; MAX_CANDIDATES]>;

/// How many candidates fit under [`MAX_HEADER_BYTES`]: the shortest has 44 bytes of base64.
pub const MAX_CANDIDATES: usize = MAX_HEADER_BYTES / BASE64_MAC_BYTES;

/// Hands every candidate of the family's signature headers to `found`.
pub fn candidates<V: Value>(scheme: &Scheme, family: u8, values: &[V], mut found: impl FnMut(Mac)) {
    let slot = Slot {
        family,
        role: Role::Signature,
    };
    for value in values.iter().filter(|value| value.slot() == slot) {
        let text = trim(value.bytes());
        match scheme.separator {
            None => decode_vartime(scheme, text)
                .into_iter()
                .for_each(&mut found),
            Some(separator) => {
                for piece in pieces(text, separator) {
                    decode_vartime(scheme, piece)
                        .into_iter()
                        .for_each(&mut found);
                }
            }
        }
    }
}

/// `value = prefix token`, of valid UTF-8, or nothing.
#[must_use]
pub fn token<'a>(scheme: &Scheme, value: &'a [u8]) -> Option<&'a [u8]> {
    str::from_utf8(value).ok()?;
    value.strip_prefix(scheme.prefix.as_slice())
}

/// `list = piece *( separator piece )`. With a space as separator one comma directly before
/// it is dropped: a proxy that joins two headers writes `v1,A, v1,B`.
fn pieces(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match memchr(separator, text) {
            None => rest.take(),
            Some(end) => {
                rest = Some(&text[end + 1..]);
                let piece = &text[..end];
                let joined = separator == b' ';
                Some(piece.strip_suffix(b",").filter(|_| joined).unwrap_or(piece))
            }
        }
    })
}

/// `piece = prefix MAC-as-text`, canonical and of the MAC's length, or nothing. It runs in
/// variable time: what a sender wrote is public.
fn decode_vartime(scheme: &Scheme, piece: &[u8]) -> Option<Mac> {
    let text = piece.strip_prefix(scheme.prefix.as_slice())?;
    match scheme.encoding {
        Encoding::Base64 => {
            if text.len() != BASE64_MAC_BYTES {
                return None;
            }
            // One byte more than a MAC: 44 characters can stand for 33 bytes.
            let mut bytes = [0_u8; size_of::<Mac>() + 1];
            let length = STRICT_BASE64.decode_slice(text, &mut bytes).ok()?;
            bytes[..length].try_into().ok()
        }
        Encoding::Hex => {
            let mut mac = Mac::default();
            (base16ct::lower::decode(text, &mut mac).ok()?.len() == mac.len()).then_some(mac)
        }
        Encoding::HexAnyCase => {
            let mut mac = Mac::default();
            (base16ct::mixed::decode(text, &mut mac).ok()?.len() == mac.len()).then_some(mac)
        }
        // A token is compared as it is.
        Encoding::Token => None,
    }
}

/// A MAC in base64: 43 characters and one `=`.
const BASE64_MAC_BYTES: usize = 44;

/// RFC 4648 §4 with the padding and the zero trailing bits that §3.2 and §3.5 ask for: this
/// engine's default requires both, so a MAC has exactly one spelling.
const STRICT_BASE64: GeneralPurpose = STANDARD;
