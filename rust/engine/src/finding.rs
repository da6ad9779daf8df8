//! Weak secrets: what is said of a key that is accepted all the same.

use crate::{
    scheme::{KeyText, Scheme},
    secret::{STANDARD_PREFIX, Secret, is_space},
};

/// One weakness. The words for each are in Python, by code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable name of the weakness.
    pub code: &'static str,
    /// What was counted.
    pub number: usize,
    /// What was advised.
    pub limit: usize,
}

/// The shortest key advised where the provider says nothing: 128 bits.
const SHORTEST_KEY_BYTES: usize = 16;

/// Fewer different bytes than this, and a key is not random.
const LEAST_VARIETY: usize = 8;

const COMMON_WORDS: [&[u8]; 11] = [
    b"secret",
    b"password",
    b"changeme",
    b"webhook",
    b"testing",
    b"sample",
    b"example",
    b"default",
    b"qwerty",
    b"123456",
    b"letmein",
];

/// The weaknesses of a secret under a scheme.
#[must_use]
pub fn check(secret: &Secret, scheme: &Scheme) -> Vec<Finding> {
    let plain = |code| Finding {
        code,
        number: 0,
        limit: 0,
    };
    let Ok(key) = secret.key_bytes(scheme) else {
        return vec![plain("wrong-encoding")];
    };
    let mut findings = Vec::new();
    let shortest = scheme
        .key_length
        .map_or(SHORTEST_KEY_BYTES, |(shortest, _)| shortest);
    if key.len() < shortest {
        findings.push(Finding {
            code: "short",
            number: key.len(),
            limit: shortest,
        });
    }
    if let Some((_, longest)) = scheme.key_length
        && key.len() > longest
    {
        findings.push(Finding {
            code: "long",
            number: key.len(),
            limit: longest,
        });
    }
    let variety = variety(&key);
    if variety < LEAST_VARIETY {
        findings.push(Finding {
            code: "low-variety",
            number: variety,
            limit: LEAST_VARIETY,
        });
    }
    if let Some(number) = repeated_piece(&key) {
        findings.push(Finding {
            code: "repeated",
            number,
            limit: 0,
        });
    }
    if COMMON_WORDS.iter().any(|word| holds(&key, word)) {
        findings.push(plain("common-word"));
    }
    if secret.is_text_key(scheme) {
        if key.first().is_some_and(|byte| is_space(*byte))
            || key.last().is_some_and(|byte| is_space(*byte))
        {
            findings.push(plain("surrounding-space"));
        }
        if scheme.key == KeyText::Utf8 && key.starts_with(STANDARD_PREFIX.as_bytes()) {
            findings.push(plain("wrong-encoding"));
        }
    }
    findings
}

fn variety(key: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in key {
        seen[usize::from(*byte)] = true;
    }
    seen.iter().filter(|seen| **seen).count()
}

/// The length of the smallest piece that, at least twice, is the whole key.
fn repeated_piece(key: &[u8]) -> Option<usize> {
    (1..=key.len() / 2).find(|size| {
        key.len().is_multiple_of(*size) && key.chunks(*size).all(|piece| piece == &key[..*size])
    })
}

fn holds(key: &[u8], word: &[u8]) -> bool {
    key.windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}
