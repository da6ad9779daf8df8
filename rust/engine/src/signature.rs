//! Signatures as text: from a header's value to candidate MACs.

use hookseal_lanes::{BASE64_MAC_BYTES, Mac, base64_mac_vartime, hex_mac_vartime};
use memchr::memchr;
use smallvec::SmallVec;

use crate::{
    header::{MAX_HEADER_BYTES, Role, Slot, Values, trim},
    scheme::{Encoding, Scheme},
};

/// The candidates of one message.
pub type Candidates = SmallVec<[Mac; MAX_CANDIDATES]>;

/// How many candidates fit under [`MAX_HEADER_BYTES`]: the shortest has 44 bytes of base64.
pub const MAX_CANDIDATES: usize = MAX_HEADER_BYTES / BASE64_MAC_BYTES;

/// Hands every candidate of the family's signature headers to `found`.
pub fn candidates(
    scheme: &Scheme,
    family: u8,
    values: &(impl Values + ?Sized),
    mut found: impl FnMut(Mac),
) {
    let wanted = Slot {
        family,
        role: Role::Signature,
    };
    for (_, value) in values.each().filter(|(slot, _)| *slot == wanted) {
        candidates_of(scheme, trim(value), &mut found);
    }
}

/// Hands every candidate of one value, trimmed, to `found`.
#[inline]
pub(crate) fn candidates_of(scheme: &Scheme, text: &[u8], mut found: impl FnMut(Mac)) {
    let mut decode = |piece| {
        if let Some(mac) = decode_vartime(scheme, piece) {
            found(mac);
        }
    };
    match scheme.separator {
        // A text as long as one piece holds no other: with a separator in it none is
        // long enough, and it does not decode.
        Some(separator) if text.len() != scheme.piece_bytes() => {
            pieces(text, separator).for_each(decode);
        }
        _ => decode(text),
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
#[inline]
pub(crate) fn decode_vartime(scheme: &Scheme, piece: &[u8]) -> Option<Mac> {
    let text = piece.strip_prefix(scheme.prefix.as_slice())?;
    match scheme.encoding {
        Encoding::Base64 => base64_mac_vartime(text.try_into().ok()?),
        Encoding::Hex => hex_mac_vartime(text.try_into().ok()?, false),
        Encoding::HexAnyCase => hex_mac_vartime(text.try_into().ok()?, true),
        // A token is compared as it is.
        Encoding::Token => None,
    }
}
