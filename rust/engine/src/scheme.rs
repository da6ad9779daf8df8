//! A scheme: how one provider signs, compiled from the validated data of `hookseal.Scheme`.

use hookseal_lanes::{BASE64_MAC_BYTES, HEX_MAC_BYTES};

use crate::{
    header::{Role, Roles, Slot},
    timestamp::Tolerance,
    words::LowerName,
};

/// The longest signed template, in bytes, placeholders included; `hookseal.Scheme` refuses a
/// longer one, so that the signed bytes around a body have a fixed bound.
pub const MAX_TEMPLATE_BYTES: usize = 512;

/// What the scheme computes. It comes from configuration, never from a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-256 (RFC 2104, FIPS 180-4).
    HmacSha256,
    /// The secret itself stands in the header.
    Token,
}

impl Algorithm {
    /// The one that `hookseal.Scheme` writes so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "hmac-sha256" => Some(Self::HmacSha256),
            "token" => Some(Self::Token),
            _ => None,
        }
    }
}

/// The text form of a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 4648 §4, padded, canonical.
    Base64,
    /// Lower-case hexadecimal.
    Hex,
    /// Hexadecimal of either case.
    HexAnyCase,
    /// The text itself.
    Token,
}

impl Encoding {
    /// How long a MAC is in it.
    #[must_use]
    pub fn mac_bytes(self) -> usize {
        match self {
            Self::Base64 => BASE64_MAC_BYTES,
            Self::Hex | Self::HexAnyCase => HEX_MAC_BYTES,
            Self::Token => 0,
        }
    }

    /// The one that `hookseal.Scheme` writes so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "base64" => Some(Self::Base64),
            "hex" => Some(Self::Hex),
            "hex-any-case" => Some(Self::HexAnyCase),
            "token" => Some(Self::Token),
            _ => None,
        }
    }
}

/// How the text of a secret becomes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyText {
    /// Its UTF-8 bytes.
    Utf8,
    /// Base64, behind an optional prefix.
    Base64,
    /// Hexadecimal.
    Hex,
}

impl KeyText {
    /// The one that `hookseal.Scheme` writes so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "utf8" => Some(Self::Utf8),
            "base64" => Some(Self::Base64),
            "hex" => Some(Self::Hex),
            _ => None,
        }
    }
}

/// What a timestamp counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

impl Unit {
    /// The one that `hookseal.Scheme` writes so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "s" => Some(Self::Seconds),
            "ms" => Some(Self::Milliseconds),
            _ => None,
        }
    }
}

/// One part of the signed bytes around the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The id header's bytes.
    Id,
    /// The timestamp header's bytes.
    Timestamp,
    /// Fixed bytes.
    Literal(Box<[u8]>),
}

impl Part {
    /// The part that `hookseal.Scheme` writes so.
    #[must_use]
    pub fn named(text: &str) -> Self {
        match text {
            "{id}" => Self::Id,
            "{timestamp}" => Self::Timestamp,
            literal => Self::Literal(literal.as_bytes().into()),
        }
    }
}

/// The headers that belong together; lower case.
#[derive(Clone, Debug)]
pub struct Family {
    /// The signature's header.
    pub signature: String,
    /// The id's header, if an id is signed.
    pub id: Option<String>,
    /// The timestamp's header, if a time is signed.
    pub timestamp: Option<String>,
}

impl Family {
    /// The roles it has a header for.
    fn roles(&self) -> Roles {
        let has = |role: &Role| self.header(*role).is_some();
        let roles = Role::ALL.into_iter().filter(has);
        roles.fold(0, |roles, role| roles | role.bit())
    }

    /// The name of a role's header in this family.
    #[must_use]
    pub fn header(&self, role: Role) -> Option<&str> {
        match role {
            Role::Signature => Some(&self.signature),
            Role::Id => self.id.as_deref(),
            Role::Timestamp => self.timestamp.as_deref(),
        }
    }
}

/// A compiled scheme.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// The scheme's name.
    pub name: String,
    /// Header families, in the order in which they are looked for.
    pub families: Vec<Family>,
    /// What stands before the encoded MAC.
    pub prefix: Vec<u8>,
    /// The text form of the MAC.
    pub encoding: Encoding,
    /// What stands between several signatures.
    pub separator: Option<u8>,
    /// The signed parts before the body.
    pub head: Vec<Part>,
    /// The signed parts behind the body.
    pub tail: Vec<Part>,
    /// The bytes an id may not hold.
    pub id_forbidden: Vec<u8>,
    /// What is computed.
    pub algorithm: Algorithm,
    /// How a secret's text is read.
    pub key: KeyText,
    /// What a secret's text may begin with.
    pub key_prefix: String,
    /// What the timestamp counts.
    pub unit: Unit,
    /// The scheme's own window in seconds, (past, future); None if no time is signed.
    pub tolerance: Option<(i64, i64)>,
    /// The advised lengths of a key in bytes.
    pub key_length: Option<(usize, usize)>,
    /// The names of all headers, made ready for comparison.
    pub names: Names,
}

impl Scheme {
    /// The slot of a header, if the scheme names it. Only A to Z are folded.
    #[must_use]
    #[inline]
    pub fn slot(&self, name: &[u8]) -> Option<Slot> {
        // The length decides for most headers of a request, at the cost of nothing.
        if self.names.lengths & length_bit(name) == 0 {
            return None;
        }
        self.names.find(name)
    }

    /// How long one signature is as text, its prefix included; 0 for a token, which has no one
    /// length.
    #[must_use]
    pub fn piece_bytes(&self) -> usize {
        self.prefix.len() + self.encoding.mac_bytes()
    }

    /// The name of a slot's header.
    #[must_use]
    pub fn header(&self, slot: Slot) -> Option<&str> {
        self.families
            .get(usize::from(slot.family))?
            .header(slot.role)
    }

    /// How the freshness of its messages is judged, unless somebody states that; None where no time
    /// is signed.
    #[must_use]
    #[inline]
    pub fn window(&self, stated: Option<Tolerance>) -> Option<Tolerance> {
        let (past, future) = self.tolerance?;
        Some(stated.unwrap_or(Tolerance::Window { past, future }))
    }

    /// Whether a message states a time that the signature protects.
    #[must_use]
    pub fn signs_timestamp(&self) -> bool {
        self.tolerance.is_some()
    }

    /// What a signature protects.
    #[must_use]
    pub fn covers(&self) -> Vec<&'static str> {
        let name = |part: &Part| match part {
            Part::Id => Some("id"),
            Part::Timestamp => Some("timestamp"),
            Part::Literal(_) => None,
        };
        let body = (self.algorithm != Algorithm::Token).then_some("body");
        body.into_iter()
            .chain(self.head.iter().chain(&self.tail).filter_map(name))
            .collect()
    }

    /// Whether a message states an id that the signature protects.
    #[must_use]
    pub fn signs_id(&self) -> bool {
        self.families.iter().any(|family| family.id.is_some())
    }
}

/// Header names, made ready for comparison.
#[derive(Clone, Debug)]
pub struct Names {
    all: Vec<Known>,
    /// Which lengths occur, as bits.
    lengths: u64,
    roles: Vec<Roles>,
}

impl Names {
    /// The names of all headers of these families.
    #[must_use]
    pub fn of(families: &[Family]) -> Self {
        let mut names = Self {
            all: Vec::new(),
            lengths: 0,
            roles: families.iter().map(Family::roles).collect(),
        };
        for (family, headers) in (0..).zip(families) {
            for role in Role::ALL {
                if let Some(header) = headers.header(role) {
                    names.lengths |= length_bit(header.as_bytes());
                    names.all.push(Known::new(header, Slot { family, role }));
                }
            }
        }
        names
    }

    #[inline]
    fn find(&self, name: &[u8]) -> Option<Slot> {
        let known = self.all.iter().find(|known| known.name.is(name));
        known.map(|known| known.slot)
    }

    /// The roles of each family's headers.
    pub(crate) fn roles(&self) -> &[Roles] {
        &self.roles
    }
}

/// The bit of a name's length; long names share one.
fn length_bit(name: &[u8]) -> u64 {
    1 << name.len().min(63)
}

/// One header name.
#[derive(Clone, Debug)]
struct Known {
    name: LowerName,
    slot: Slot,
}

impl Known {
    fn new(name: &str, slot: Slot) -> Self {
        Self {
            name: LowerName::new(name.as_bytes()),
            slot,
        }
    }
}
