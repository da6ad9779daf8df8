//! Secrets: drawn, not random, and marked.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::taint;

/// Marsaglia's xorshift64: the same numbers on every run.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        // The multiplier of Knuth's MMIX generator, so that neighbours differ everywhere.
        Self(seed.wrapping_mul(0x5851_f42d_4c95_7f2d) | 1)
    }

    /// Bytes that nobody needs to hide.
    pub fn public(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            bytes.extend_from_slice(&self.0.to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    /// A secret.
    pub fn secret(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = self.public(length);
        taint::mark(&mut bytes);
        bytes
    }

    /// A secret as text, `encoded` from so many bytes.
    pub fn text(&mut self, length: usize, encoded: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let mut text = encoded(&self.public(length));
        taint::mark(&mut text);
        #[expect(
            unsafe_code,
            reason = "whether marked bytes are UTF-8 must not be asked"
        )]
        // SAFETY: encoded is ASCII.
        unsafe {
            String::from_utf8_unchecked(text)
        }
    }
}

/// Base64 as bytes: the memory sanitizer has not seen compiled what makes a `String` of them.
pub fn encoded_base64(bytes: &[u8]) -> Vec<u8> {
    let mut text = vec![0; bytes.len().div_ceil(3) * 4];
    let written = STANDARD.encode_slice(bytes, &mut text).unwrap_or_default();
    text.truncate(written);
    text
}

/// Hexadecimal as bytes.
pub fn encoded_hex(bytes: &[u8]) -> Vec<u8> {
    let mut text = vec![0; bytes.len() * 2];
    let written = base16ct::lower::encode(bytes, &mut text).map_or(0, <[u8]>::len);
    text.truncate(written);
    text
}
