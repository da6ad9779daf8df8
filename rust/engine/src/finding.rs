//! Weak secrets: what is said of a key that is accepted all the same.

use crate::{
    dictionary,
    scheme::{KeyText, Scheme},
    secret::{MISTAKEN, STANDARD_PREFIX, Secret, is_space},
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

/// How the secrets begin that people have at hand beside the one that is wanted.
const OF_OTHERS: [&str; 33] = [
    // Standard Webhooks, Svix, Stripe.
    "whsec_",
    "whsk_",
    "whpk_",
    // Keys for an API.
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "pk_live_",
    "pk_test_",
    "sk-proj-",
    "sk-ant-",
    "dop_v1_",
    "npm_",
    "AIza",
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "shpss_",
    "shpat_",
    // Tokens and keys of other kinds.
    "eyJhbGci",
    "Bearer ",
    "Basic ",
    "-----BEGIN ",
    "ssh-rsa ",
];

/// Fewer letters in words than this come together by chance.
const LEAST_LETTERS: usize = 12;

/// So many hexadecimal digits are no base64 by chance.
const LEAST_HEX_DIGITS: usize = 32;

/// The weaknesses of a secret under a scheme.
#[must_use]
pub fn check(secret: &Secret, scheme: &Scheme) -> Vec<Finding> {
    let mut findings = match secret.key_bytes(scheme) {
        Ok(key) => of_key(secret, &key, scheme),
        Err(_) => vec![plain(unreadable(secret, scheme))],
    };
    if is_of_others(secret, scheme) {
        findings.push(plain("other-provider"));
    }
    findings
}

fn plain(code: &'static str) -> Finding {
    counted(code, 0, 0)
}

fn counted(code: &'static str, number: usize, limit: usize) -> Finding {
    Finding {
        code,
        number,
        limit,
    }
}

/// What is weak about a secret that is a key of the scheme.
fn of_key(secret: &Secret, key: &[u8], scheme: &Scheme) -> Vec<Finding> {
    let mut findings = Vec::new();
    let shortest = scheme
        .key_length
        .map_or(SHORTEST_KEY_BYTES, |(shortest, _)| shortest);
    if key.len() < shortest {
        findings.push(counted("short", key.len(), shortest));
    }
    if let Some((_, longest)) = scheme.key_length
        && key.len() > longest
    {
        findings.push(counted("long", key.len(), longest));
    }
    let variety = variety(key);
    if variety < LEAST_VARIETY {
        findings.push(counted("low-variety", variety, LEAST_VARIETY));
    }
    if let Some(number) = repeated_piece(key) {
        findings.push(counted("repeated", number, 0));
    }
    if COMMON_WORDS.iter().any(|word| holds(key, word)) {
        findings.push(plain("common-word"));
    }
    let letters = dictionary::letters_in_words(key);
    if letters >= LEAST_LETTERS && 2 * letters >= key.len() {
        findings.push(counted("dictionary-words", letters, key.len()));
    }
    if secret.is_text_key(scheme) {
        let text = without_space(key);
        if text.len() < key.len() {
            findings.push(plain("surrounding-space"));
        }
        if !text.iter().all(|byte| matches!(byte, 0x20..=0x7e)) {
            findings.push(plain("wrong-alphabet"));
        }
    } else if let Some(text) = secret.scheme_text()
        && scheme.key == KeyText::Base64
    {
        let digits = text.strip_prefix(&scheme.key_prefix).unwrap_or(text);
        if digits.len() >= LEAST_HEX_DIGITS && digits.bytes().all(|it| it.is_ascii_hexdigit()) {
            findings.push(plain("wrong-encoding"));
        }
    }
    findings
}

/// What a secret looks like that the scheme cannot read.
fn unreadable(secret: &Secret, scheme: &Scheme) -> &'static str {
    let Some(text) = secret.scheme_text().filter(|it| !is_mistaken(it, scheme)) else {
        return "wrong-encoding";
    };
    let text = text.strip_prefix(&scheme.key_prefix).unwrap_or(text);
    let is_in = |byte: u8| match scheme.key {
        KeyText::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
        KeyText::Hex => byte.is_ascii_hexdigit(),
        KeyText::Utf8 => true,
    };
    if text.bytes().all(is_in) {
        "wrong-encoding"
    } else {
        "wrong-alphabet"
    }
}

/// Whether it is the secret with something more before it, or its asymmetric counterpart.
fn is_mistaken(text: &str, scheme: &Scheme) -> bool {
    let prefix = scheme.key_prefix.as_str();
    let Some(rest) = text.strip_prefix(prefix).filter(|_| !prefix.is_empty()) else {
        return prefix == STANDARD_PREFIX && MISTAKEN.iter().any(|(it, _)| text.starts_with(it));
    };
    rest.starts_with(prefix)
}

/// Whether a text begins as another provider's secrets do, and not as this one's.
fn is_of_others(secret: &Secret, scheme: &Scheme) -> bool {
    let Some(text) = secret.given_text() else {
        return false;
    };
    let is_own = !scheme.key_prefix.is_empty() && text.starts_with(&scheme.key_prefix);
    let is_of_others = OF_OTHERS.iter().any(|it| text.starts_with(it));
    is_of_others && !is_own && !is_mistaken(text, scheme)
}

/// A text without the white space at its ends.
fn without_space(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !is_space(*byte);
    let start = text.iter().position(is_text).unwrap_or(text.len());
    let end = text.iter().rposition(is_text).map_or(start, |at| at + 1);
    &text[start..end]
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
