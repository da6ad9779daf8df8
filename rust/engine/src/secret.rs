//! Secrets as they are given: what is a key, and what is a mistake.

use std::fmt;

use base64ct::{Base64Unpadded, Encoding as _};
use zeroize::Zeroizing;

use crate::{
    key::Key,
    label::is_label,
    scheme::{Algorithm, KeyText, Scheme},
};

/// A key's bytes, wiped on drop.
pub type KeyBytes = Zeroizing<Vec<u8>>;

/// Why a secret, or a set of them, is refused. The words for each are in Python, by code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No bytes at all.
    Empty,
    /// Nothing but ASCII white space.
    Blank,
    /// White space in encoded text.
    WhiteSpace,
    /// `v1,whsec_…`: a secret with a signature's version before it.
    Versioned,
    /// `whsk_…`: a private key of the asymmetric scheme.
    PrivateKey,
    /// `whpk_…`: a public key of the asymmetric scheme.
    PublicKey,
    /// The prefix twice.
    PrefixTwice,
    /// Nothing behind the prefix.
    NothingLeft,
    /// Not base64, or not canonical.
    NotBase64,
    /// Not hexadecimal.
    NotHex,
    /// `bytes` that are the text of an encoded secret.
    TextAsBytes,
    /// A token that is not UTF-8 can never be matched.
    TokenNotUtf8,
    /// A token that no header can carry; it could not be sent.
    TokenNotSendable,
    /// The set holds no secret.
    NoSecret,
    /// The set holds more than [`crate::endpoint::MAX_SECRETS`].
    TooMany,
    /// The set holds the same key twice.
    SameKey,
    /// Not a label.
    Label,
    /// Another secret of the endpoint has the label.
    LabelTaken,
    /// An endpoint's last secret is not removed this way.
    LastSecret,
    /// No secret is live at the time of signing.
    NoneLive,
}

impl Fault {
    /// The stable name of the fault.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Blank => "blank",
            Self::WhiteSpace => "white-space",
            Self::Versioned => "versioned",
            Self::PrivateKey => "private-key",
            Self::PublicKey => "public-key",
            Self::PrefixTwice => "prefix-twice",
            Self::NothingLeft => "nothing-left",
            Self::NotBase64 => "not-base64",
            Self::NotHex => "not-hex",
            Self::TextAsBytes => "text-as-bytes",
            Self::TokenNotUtf8 => "token-not-utf8",
            Self::TokenNotSendable => "token-not-sendable",
            Self::NoSecret => "no-secret",
            Self::TooMany => "too-many",
            Self::SameKey => "same-key",
            Self::Label => "label",
            Self::LabelTaken => "label-taken",
            Self::LastSecret => "last-secret",
            Self::NoneLive => "none-live",
        }
    }
}

/// How a secret's bytes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text that the scheme decodes.
    Text,
    /// The key itself.
    Bytes,
    /// Text whose UTF-8 bytes are the key, whatever the scheme.
    FixedText,
    /// The key itself, decoded by the one who made the secret.
    FixedBytes,
}

/// A secret as it was given. Wiped on drop, never printed.
#[derive(Clone)]
pub struct Secret {
    value: KeyBytes,
    kind: Kind,
    label: Option<String>,
    /// Live from this second.
    pub not_before: Option<i64>,
    /// Live until before this second.
    pub not_after: Option<i64>,
}

impl Secret {
    /// Takes a secret without a label or a window.
    ///
    /// # Errors
    /// [`Fault::Empty`] or [`Fault::Blank`].
    pub fn new(value: KeyBytes, kind: Kind) -> Result<Self, Fault> {
        refuse_nothing(&value)?;
        Ok(Self::plain(value, kind))
    }

    /// Takes base64 text without a prefix; its bytes are the key, whatever the scheme.
    ///
    /// # Errors
    /// What keeps the text from being base64.
    pub fn from_base64(text: &str) -> Result<Self, Fault> {
        refuse_nothing(text.as_bytes())?;
        Ok(Self::plain(decode_base64(text)?, Kind::FixedBytes))
    }

    /// Takes hexadecimal text; its bytes are the key, whatever the scheme.
    ///
    /// # Errors
    /// What keeps the text from being hexadecimal.
    pub fn from_hex(text: &str) -> Result<Self, Fault> {
        refuse_nothing(text.as_bytes())?;
        Ok(Self::plain(decode_hex(text)?, Kind::FixedBytes))
    }

    fn plain(value: KeyBytes, kind: Kind) -> Self {
        Self {
            value,
            kind,
            label: None,
            not_before: None,
            not_after: None,
        }
    }

    /// The secret as it was given: the one way to read it.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.value
    }

    /// Gives it a label.
    ///
    /// # Errors
    /// [`Fault::Label`].
    pub fn set_label(&mut self, label: &str) -> Result<(), Fault> {
        if !is_label(label) {
            return Err(Fault::Label);
        }
        self.label = Some(label.into());
        Ok(())
    }

    /// The label it asks for.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Whether it was given as text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::FixedText)
    }

    /// The text, where it was given as text.
    pub(crate) fn given_text(&self) -> Option<&str> {
        self.text().ok().filter(|_| self.is_text())
    }

    /// The text, where the scheme says how it is read.
    pub(crate) fn scheme_text(&self) -> Option<&str> {
        self.given_text().filter(|_| self.kind == Kind::Text)
    }

    /// Whether its key is the text itself under that scheme.
    #[must_use]
    pub fn is_text_key(&self, scheme: &Scheme) -> bool {
        self.kind == Kind::FixedText || (self.kind == Kind::Text && scheme.key == KeyText::Utf8)
    }

    /// The key's bytes under a scheme.
    ///
    /// # Errors
    /// What keeps it from being a key of that scheme.
    pub fn key_bytes(&self, scheme: &Scheme) -> Result<KeyBytes, Fault> {
        let key = match (self.kind, scheme.key) {
            (Kind::Text, KeyText::Base64) => decode_prefixed(self.text()?, &scheme.key_prefix)?,
            (Kind::Text, KeyText::Hex) => decode_hex(self.text()?)?,
            (Kind::Bytes, KeyText::Base64)
                if !scheme.key_prefix.is_empty()
                    && self.value.starts_with(scheme.key_prefix.as_bytes()) =>
            {
                return Err(Fault::TextAsBytes);
            }
            _ => self.value.clone(),
        };
        if scheme.algorithm == Algorithm::Token && str::from_utf8(&key).is_err() {
            return Err(Fault::TokenNotUtf8);
        }
        Ok(key)
    }

    /// The key under a scheme, ready to compute with.
    ///
    /// # Errors
    /// What keeps it from being a key of that scheme.
    pub fn key(&self, scheme: &Scheme) -> Result<Key, Fault> {
        Ok(Key::new(&self.key_bytes(scheme)?, scheme.algorithm))
    }

    fn text(&self) -> Result<&str, Fault> {
        // Text enters as UTF-8, so the error is one that nobody sees.
        str::from_utf8(&self.value).map_err(|_| Fault::NotBase64)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What is a secret in no scheme.
fn refuse_nothing(value: &[u8]) -> Result<(), Fault> {
    if value.is_empty() {
        return Err(Fault::Empty);
    }
    if value.iter().all(|byte| is_space(*byte)) {
        return Err(Fault::Blank);
    }
    Ok(())
}

/// White space of ASCII, as C's `isspace` has it.
#[must_use]
pub fn is_space(byte: u8) -> bool {
    matches!(byte, 0x09..=0x0d | 0x20)
}

fn decode_prefixed(text: &str, prefix: &str) -> Result<KeyBytes, Fault> {
    if prefix == STANDARD_PREFIX {
        for (start, fault) in MISTAKEN {
            if text.starts_with(start) {
                return Err(fault);
            }
        }
    }
    let rest = match text.strip_prefix(prefix) {
        Some(rest) if !prefix.is_empty() => {
            if rest.starts_with(prefix) {
                return Err(Fault::PrefixTwice);
            }
            rest
        }
        _ => text,
    };
    decode_base64(rest)
}

/// Base64 with all of its padding or none. The decoder runs in constant time.
fn decode_base64(text: &str) -> Result<KeyBytes, Fault> {
    if text.bytes().any(is_space) {
        return Err(Fault::WhiteSpace);
    }
    let bare = text.trim_end_matches('=');
    if bare.is_empty() {
        return Err(Fault::NothingLeft);
    }
    let padding = text.len() - bare.len();
    if padding > 0 && (padding > 2 || !text.len().is_multiple_of(4)) {
        return Err(Fault::NotBase64);
    }
    decoded(bare.len(), |key| {
        Base64Unpadded::decode(bare, key).map(<[u8]>::len).ok()
    })
    .ok_or(Fault::NotBase64)
}

fn decode_hex(text: &str) -> Result<KeyBytes, Fault> {
    if text.bytes().any(is_space) {
        return Err(Fault::WhiteSpace);
    }
    if text.is_empty() {
        return Err(Fault::NothingLeft);
    }
    decoded(text.len(), |key| {
        base16ct::mixed::decode(text, key).map(<[u8]>::len).ok()
    })
    .ok_or(Fault::NotHex)
}

/// What a decoder makes of a text, of which it says how many bytes it wrote. They are wiped where
/// the text turns out to be wrong, too: all but a mistyped character may be right.
fn decoded(text_bytes: usize, decode: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<KeyBytes> {
    // Never more bytes than the text has.
    let mut key = Zeroizing::new(vec![0; text_bytes]);
    let length = decode(&mut key)?;
    key.truncate(length);
    Some(key)
}

/// How that begins which people paste in place of the secret, each with its own words.
pub(crate) const MISTAKEN: [(&str, Fault); 3] = [
    ("v1,whsec_", Fault::Versioned),
    ("whsk_", Fault::PrivateKey),
    ("whpk_", Fault::PublicKey),
];

/// The prefix of Standard Webhooks' symmetric secrets.
pub const STANDARD_PREFIX: &str = "whsec_";
