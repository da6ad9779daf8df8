//! The text forms of a MAC. They are read in variable time: what a sender wrote is public.

use base64::{
    Engine as _,
    engine::{GeneralPurpose, general_purpose::STANDARD},
};

use crate::Mac;
#[cfg(target_arch = "x86_64")]
use crate::text_avx2;

/// A MAC in base64: 43 characters and one `=`.
pub const BASE64_MAC_BYTES: usize = 44;

/// A MAC in hexadecimal.
pub const HEX_MAC_BYTES: usize = 64;

/// RFC 4648 §4 with the padding and the zero trailing bits that §3.2 and §3.5 ask for: a MAC
/// has exactly one spelling.
#[must_use]
#[inline]
pub fn base64_mac_vartime(text: &[u8; BASE64_MAC_BYTES]) -> Option<Mac> {
    #[cfg(target_arch = "x86_64")]
    if let Some(proof) = text_avx2::Proof::find() {
        return text_avx2::base64(proof, text);
    }
    base64_plain(text)
}

/// RFC 4648 §8. Digits above 9 are lower case, or of either case.
#[must_use]
#[inline]
pub fn hex_mac_vartime(text: &[u8; HEX_MAC_BYTES], any_case: bool) -> Option<Mac> {
    #[cfg(target_arch = "x86_64")]
    if let Some(proof) = text_avx2::Proof::find() {
        return text_avx2::hex(proof, text, any_case);
    }
    hex_plain(text, any_case)
}

/// This engine's default requires both.
const STRICT_BASE64: GeneralPurpose = STANDARD;

fn base64_plain(text: &[u8; BASE64_MAC_BYTES]) -> Option<Mac> {
    // One byte more than a MAC: 44 characters can stand for 33 bytes.
    let mut bytes = [0_u8; size_of::<Mac>() + 1];
    let length = STRICT_BASE64.decode_slice(text, &mut bytes).ok()?;
    bytes[..length].try_into().ok()
}

fn hex_plain(text: &[u8; HEX_MAC_BYTES], any_case: bool) -> Option<Mac> {
    let mut mac = Mac::default();
    let decode = if any_case {
        base16ct::mixed::decode
    } else {
        base16ct::lower::decode
    };
    decode(text, &mut mac).ok()?;
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    /// Every byte at every place of several good texts: both readers say the same.
    #[test]
    fn base64_of_every_byte_at_every_place() {
        for start in 0..64 {
            let mut good = [b'='; BASE64_MAC_BYTES];
            for (at, byte) in good[..43].iter_mut().enumerate() {
                *byte = ALPHABET[(start + 7 * at) % 64];
            }
            good[42] = ALPHABET[(start * 4) % 64];
            assert!(base64_mac_vartime(&good).is_some());
            for at in 0..good.len() {
                for byte in 0..=u8::MAX {
                    let mut text = good;
                    text[at] = byte;
                    let read = base64_mac_vartime(&text);
                    assert_eq!(read, base64_plain(&text), "{byte:#x} at {at}");
                }
            }
        }
    }

    #[test]
    fn hex_of_every_byte_at_every_place() {
        for any_case in [false, true] {
            for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
                let good: [u8; HEX_MAC_BYTES] =
                    std::array::from_fn(|at| digits[(5 * at + at / 16) % 16]);
                let is_good = any_case || digits[10] == b'a';
                assert_eq!(hex_mac_vartime(&good, any_case).is_some(), is_good);
                for at in 0..good.len() {
                    for byte in 0..=u8::MAX {
                        let mut text = good;
                        text[at] = byte;
                        let read = hex_mac_vartime(&text, any_case);
                        assert_eq!(read, hex_plain(&text, any_case), "{byte:#x} at {at}");
                    }
                }
            }
        }
    }
}
