//! What is said of a message: data, without words. Words are made when someone reads them.

use crate::header::{Role, Slot};

/// What was decided about one message. The numbers are for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Verdict {
    /// Nobody judged this slot; it never leaves the library.
    Unverified = 0,
    /// The signature is good, and fresh where freshness is judged.
    Valid = 1,
    /// Not of a message's shape, or text that cannot be encoded.
    NotAMessage = 2,
    /// The ring holds no such endpoint.
    UnknownEndpoint = 3,
    /// The body, or the signature headers, are over their limit.
    TooLarge = 4,
    /// A header is absent or empty.
    MissingHeader = 5,
    /// A header that may have one value has several.
    AmbiguousHeader = 6,
    /// The id holds what it may not hold.
    MalformedHeader = 7,
    /// The timestamp is not 1 to 15 digits.
    MalformedTimestamp = 8,
    /// Before the window.
    TooOld = 9,
    /// After the window.
    TooNew = 10,
    /// No candidate has the form of a signature.
    MalformedSignature = 11,
    /// No live secret matches.
    SignatureMismatch = 12,
    /// It was claimed before.
    Replayed = 13,
}

impl Verdict {
    /// Every verdict, in the order of its numbers.
    pub const ALL: [Self; 14] = [
        Self::Unverified,
        Self::Valid,
        Self::NotAMessage,
        Self::UnknownEndpoint,
        Self::TooLarge,
        Self::MissingHeader,
        Self::AmbiguousHeader,
        Self::MalformedHeader,
        Self::MalformedTimestamp,
        Self::TooOld,
        Self::TooNew,
        Self::MalformedSignature,
        Self::SignatureMismatch,
        Self::Replayed,
    ];

    /// The name, as the Python enumeration spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unverified => "UNVERIFIED",
            Self::Valid => "VALID",
            Self::NotAMessage => "NOT_A_MESSAGE",
            Self::UnknownEndpoint => "UNKNOWN_ENDPOINT",
            Self::TooLarge => "TOO_LARGE",
            Self::MissingHeader => "MISSING_HEADER",
            Self::AmbiguousHeader => "AMBIGUOUS_HEADER",
            Self::MalformedHeader => "MALFORMED_HEADER",
            Self::MalformedTimestamp => "MALFORMED_TIMESTAMP",
            Self::TooOld => "TOO_OLD",
            Self::TooNew => "TOO_NEW",
            Self::MalformedSignature => "MALFORMED_SIGNATURE",
            Self::SignatureMismatch => "SIGNATURE_MISMATCH",
            Self::Replayed => "REPLAYED",
        }
    }
}

/// The position that stands for "no secret matched".
pub const NO_SECRET: i8 = -1;

/// Where in the message a refusal lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere in particular.
    Message,
    /// The body.
    Body,
    /// All signature headers together.
    SignatureHeaders,
    /// One header of the scheme.
    Header(Slot),
    /// The time of its arrival.
    Arrival,
    /// The signed time, by what the clock says once a guard has answered.
    Answer,
}

/// A verdict with its particulars, in 16 bytes: a batch keeps one for each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Seconds outside the window, a limit in bytes, how many secrets were tried, what became of a
    /// replayed one's claim; for a valid message the signed timestamp in Unix seconds.
    pub number: i64,
    /// The verdict.
    pub verdict: Verdict,
    /// The position of the secret that matched, or [`NO_SECRET`].
    pub secret: i8,
    /// Where the reason lies.
    pub place: Place,
}

impl Outcome {
    /// The outcome of a slot nobody has judged.
    pub const UNVERIFIED: Self = Self::refused(Verdict::Unverified, Place::Message, 0);
    /// The outcome of an item that is not a message.
    pub const NOT_A_MESSAGE: Self = Self::refused(Verdict::NotAMessage, Place::Message, 0);
    /// The outcome of a message for an endpoint that is not there.
    pub const UNKNOWN_ENDPOINT: Self = Self::refused(Verdict::UnknownEndpoint, Place::Message, 0);

    /// The outcome of a message that no live secret signed.
    pub const SIGNATURE_MISMATCH: Self =
        Self::refused(Verdict::SignatureMismatch, Place::Message, 0);

    /// A refusal.
    #[must_use]
    pub const fn refused(verdict: Verdict, place: Place, number: i64) -> Self {
        Self {
            number,
            verdict,
            secret: NO_SECRET,
            place,
        }
    }

    /// The refusal of something over a limit in bytes.
    #[must_use]
    pub fn too_large(place: Place, limit: usize) -> Self {
        Self::refused(
            Verdict::TooLarge,
            place,
            i64::try_from(limit).unwrap_or(i64::MAX),
        )
    }

    /// A valid message; `secret` is [`NO_SECRET`] for an unsigned one alone.
    #[must_use]
    pub const fn valid(secret: i8, timestamp: Option<i64>) -> Self {
        let number = match timestamp {
            Some(seconds) => seconds,
            None => 0,
        };
        Self {
            number,
            verdict: Verdict::Valid,
            secret,
            place: Place::Message,
        }
    }

    /// Whether the message is good.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        matches!(self.verdict, Verdict::Valid)
    }

    pub(crate) const fn at_header(verdict: Verdict, family: u8, role: Role) -> Self {
        Self::refused(verdict, Place::Header(Slot { family, role }), 0)
    }
}
