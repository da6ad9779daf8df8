//! What the tests of the lanes share: an oracle, and numbers that look random.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod rsp;

use std::env;

use hookseal_lanes::{Interrupted, Kernel, Mac};
use sha2::{Digest, Sha256};

/// HMAC as RFC 2104 writes it, over another SHA-256 than ours.
pub fn reference(key: &[u8], pieces: &[&[u8]]) -> Mac {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new_with_prefix(block.map(|byte| byte ^ 0x36));
    for piece in pieces {
        inner.update(piece);
    }
    let outer = Sha256::new_with_prefix(block.map(|byte| byte ^ 0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

/// A watch that never stops the work.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a watch")]
pub fn go_on(_: usize) -> Result<(), Interrupted> {
    Ok(())
}

/// Marsaglia's xorshift64: the same numbers on every run.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        // The upper half: the lowest bits of xorshift are its weakest.
        let number = usize::try_from(self.next() >> 33).expect("31 bits fit");
        number % limit
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// Whether `make test-full` runs the tests: then they take minutes instead of seconds.
pub fn is_full() -> bool {
    env::var_os("HOOKSEAL_TEST_PROFILE").is_some_and(|profile| profile == "full")
}

/// A name for messages of failed tests.
pub fn at(kernel: Kernel, what: &str, number: usize) -> String {
    format!("kernel {}, {what} {number}", kernel.name())
}
