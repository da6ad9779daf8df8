//! Reading headers: which values count, and when they are missing or ambiguous.

use memchr::memchr;

use crate::{
    outcome::{Outcome, Place, Verdict},
    scheme::{Algorithm, Scheme},
};

/// The most bytes that the values of all signature headers may have together: what Node and
/// h11 allow a whole head. It bounds the work before anything is hashed.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;

/// The longest id. Providers' ids have 20 to 60 bytes.
pub const MAX_ID_BYTES: usize = 256;

/// What a header is to a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// It carries signatures, or the token.
    Signature,
    /// It carries the message's id.
    Id,
    /// It carries the message's time.
    Timestamp,
}

impl Role {
    /// Every role, in the order in which a refusal names them.
    pub const ALL: [Self; 3] = [Self::Signature, Self::Id, Self::Timestamp];
}

/// One header of a scheme: which family, which role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The position of the family in the scheme.
    pub family: u8,
    /// The role in the family.
    pub role: Role,
}

/// One value of a header that the scheme names, as it came.
pub trait Value {
    /// Which header.
    fn slot(&self) -> Slot;
    /// The value's bytes, not trimmed.
    fn bytes(&self) -> &[u8];
}

impl Value for (Slot, &[u8]) {
    fn slot(&self) -> Slot {
        self.0
    }

    fn bytes(&self) -> &[u8] {
        self.1
    }
}

/// The values that count, after reading.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// The family that was used.
    pub family: u8,
    /// The signed id, if the scheme signs one.
    pub id: Option<&'a [u8]>,
    /// The timestamp's text, if the scheme signs one.
    pub timestamp: Option<&'a [u8]>,
    /// The token, if the scheme compares one.
    pub token: Option<&'a [u8]>,
}

/// Picks the values that count: rows 4 to 7 of the order of judgement.
///
/// # Errors
/// The refusal, if a header is too large, missing, ambiguous or malformed.
pub fn read<'a, V: Value>(scheme: &Scheme, values: &'a [V]) -> Result<Fields<'a>, Outcome> {
    let size = values
        .iter()
        .filter(|value| value.slot().role == Role::Signature)
        .fold(0_usize, |sum, value| {
            sum.saturating_add(value.bytes().len())
        });
    if size > MAX_HEADER_BYTES {
        return Err(Outcome::too_large(
            Place::SignatureHeaders,
            MAX_HEADER_BYTES,
        ));
    }
    let (family, [signature, id, timestamp]) = choose_family(scheme, values)?;
    let one = |role, found: Found<'a>| {
        if found.differ {
            return Err(Outcome::at_header(Verdict::AmbiguousHeader, family, role));
        }
        Ok(found.first)
    };
    let token = match scheme.algorithm {
        Algorithm::Token => one(Role::Signature, signature)?,
        Algorithm::HmacSha256 => None,
    };
    let (id, timestamp) = (one(Role::Id, id)?, one(Role::Timestamp, timestamp)?);
    if id.is_some_and(|id| !is_id(id, &scheme.id_forbidden)) {
        return Err(Outcome::at_header(
            Verdict::MalformedHeader,
            family,
            Role::Id,
        ));
    }
    Ok(Fields {
        family,
        id,
        timestamp,
        token,
    })
}

/// What was found of one header.
#[derive(Clone, Copy, Default)]
struct Found<'a> {
    /// Its first value, trimmed.
    first: Option<&'a [u8]>,
    /// Whether any value is not empty.
    is_present: bool,
    /// Whether a value differs from the first.
    differ: bool,
}

/// The first family whose headers all have a value, with what was found of each role; else the
/// refusal that names the first header missing in the first family.
fn choose_family<'a, V: Value>(
    scheme: &Scheme,
    values: &'a [V],
) -> Result<(u8, [Found<'a>; 3]), Outcome> {
    let mut refusal = None;
    for (family, headers) in (0..).zip(&scheme.families) {
        let found = gather(values, family);
        let is_missing =
            |role: &Role| headers.header(*role).is_some() && !found[*role as usize].is_present;
        match Role::ALL.into_iter().find(is_missing) {
            None => return Ok((family, found)),
            Some(role) => _ = refusal.get_or_insert((family, role)),
        }
    }
    let (family, role) = refusal.unwrap_or((0, Role::Signature));
    Err(Outcome::at_header(Verdict::MissingHeader, family, role))
}

fn gather<V: Value>(values: &[V], family: u8) -> [Found<'_>; 3] {
    let mut all = [Found::default(); 3];
    for value in values.iter().filter(|value| value.slot().family == family) {
        let found = &mut all[value.slot().role as usize];
        let text = trim(value.bytes());
        found.is_present |= !text.is_empty();
        found.differ |= *found.first.get_or_insert(text) != text;
    }
    all
}

/// `id = 1*256( %x20-7E )`, without the bytes that end it in the signed template.
#[must_use]
pub fn is_id(id: &[u8], forbidden: &[u8]) -> bool {
    (1..=MAX_ID_BYTES).contains(&id.len())
        // Without an early exit, so that it is a handful of vector instructions.
        && id.iter().fold(true, |ok, byte| ok & matches!(byte, 0x20..=0x7e))
        && !forbidden.iter().any(|byte| memchr(*byte, id).is_some())
}

/// RFC 9110 §5.5: a value's surrounding SP and HTAB are not part of it.
#[must_use]
#[inline]
pub fn trim(value: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut rest = value;
    while let [first, tail @ ..] = rest
        && is_space(first)
    {
        rest = tail;
    }
    while let [head @ .., last] = rest
        && is_space(last)
    {
        rest = head;
    }
    rest
}
