//! What can be wrong with a line, as data. Words are made when someone reads them.

/// A key that a line may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// The headers.
    Headers,
    /// The body as text.
    Body,
    /// The body as base64.
    BodyB64,
    /// When the message arrived.
    ReceivedAt,
    /// Where it arrived.
    Endpoint,
}

impl Key {
    /// Every key.
    pub const ALL: [Self; 5] = [
        Self::Headers,
        Self::Body,
        Self::BodyB64,
        Self::ReceivedAt,
        Self::Endpoint,
    ];

    /// The key as it stands in a line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Body => "body",
            Self::BodyB64 => "body_b64",
            Self::ReceivedAt => "received_at",
            Self::Endpoint => "endpoint",
        }
    }

    /// The key of that name.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|key| key.name().as_bytes() == name)
    }
}

/// Why a line is no message. Of several faults the first in this order is told, and of those
/// from [`Fault::UnknownKey`] to [`Fault::EndpointType`] the first in the line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It has more bytes than a line may have.
    TooLong {
        /// How many it may have.
        limit: usize,
    },
    /// It is not UTF-8.
    NotUtf8,
    /// Its arrays and objects are nested too deeply.
    TooDeep,
    /// It is not JSON, as RFC 8259 has it.
    NotJson,
    /// A string has an escaped half of a surrogate pair without the other half, which is no
    /// character and has no bytes.
    HalfPair,
    /// It is JSON, and no object.
    NotObject,
    /// It has a key that no line has.
    UnknownKey(Box<str>),
    /// It has one key twice.
    KeyTwice(Key),
    /// The headers are neither an object nor an array.
    HeadersType,
    /// An element of the headers is not an array of two.
    HeaderPair(usize),
    /// A name in an array of headers is no string.
    HeaderName(usize),
    /// The value of that header is not a string, an array of strings or null.
    HeaderValue(Box<str>),
    /// The body is no string.
    BodyType(Key),
    /// The arrival is no number.
    ReceivedAtType,
    /// The arrival is out of range.
    ReceivedAt {
        /// Whether it would be in range as milliseconds, or is larger still.
        is_late: bool,
    },
    /// The endpoint is neither a string nor null.
    EndpointType,
    /// It has no headers.
    NoHeaders,
    /// It has no body.
    NoBody,
    /// It has both bodies.
    TwoBodies,
    /// It names an endpoint, and there is no ring.
    NoRing,
    /// The body is not canonical base64: standard alphabet, padded, zero trailing bits.
    NotBase64,
}

impl Fault {
    /// The fault's name, stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too-long",
            Self::NotUtf8 => "not-utf8",
            Self::TooDeep => "too-deep",
            Self::NotJson => "not-json",
            Self::HalfPair => "half-pair",
            Self::NotObject => "not-object",
            Self::UnknownKey(_) => "unknown-key",
            Self::KeyTwice(_) => "key-twice",
            Self::HeadersType => "headers",
            Self::HeaderPair(_) => "header-pair",
            Self::HeaderName(_) => "header-name",
            Self::HeaderValue(_) => "header-value",
            Self::BodyType(_) => "body",
            Self::ReceivedAtType => "received-at",
            Self::ReceivedAt { is_late: false } => "received-at-range",
            Self::ReceivedAt { is_late: true } => "received-at-late",
            Self::EndpointType => "endpoint",
            Self::NoHeaders => "no-headers",
            Self::NoBody => "no-body",
            Self::TwoBodies => "two-bodies",
            Self::NoRing => "no-ring",
            Self::NotBase64 => "not-base64",
        }
    }

    /// A name out of a line, cut to what an error can show of it.
    pub(crate) fn told(name: &str) -> Box<str> {
        name.chars().take(MAX_TOLD_CHARACTERS).collect()
    }
}

/// One character more than an error shows, so that it is seen that there are more.
const MAX_TOLD_CHARACTERS: usize = 65;
