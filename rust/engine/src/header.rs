//! Reading headers: which values count, and when they are missing or ambiguous.

use crate::{
    outcome::{Outcome, Place, Verdict},
    scheme::{Algorithm, Scheme},
    words::are_printable,
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

    /// The role among [`Roles`].
    #[must_use]
    pub const fn bit(self) -> Roles {
        1 << self as u8
    }
}

/// Several roles, as bits.
pub type Roles = u8;

/// One header of a scheme: which family, which role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The position of the family in the scheme.
    pub family: u8,
    /// The role in the family.
    pub role: Role,
}

/// The values of the headers that a scheme names, as they came: not trimmed, in order.
pub trait Values {
    /// Each with the header it is of.
    fn each(&self) -> impl Iterator<Item = (Slot, &[u8])>;

    /// The same without a list, where no header has more than one.
    #[inline]
    fn single(&self) -> Option<&Single<'_>> {
        None
    }
}

/// The values of nearly every message: of one family, and at most one of each role.
#[derive(Clone, Copy, Debug)]
pub struct Single<'a> {
    /// The position of the family in the scheme.
    pub family: u8,
    /// By role.
    pub values: [Option<&'a [u8]>; Role::ALL.len()],
}

impl Values for Single<'_> {
    #[inline]
    fn each(&self) -> impl Iterator<Item = (Slot, &[u8])> {
        let family = self.family;
        let all = Role::ALL.into_iter().zip(self.values);
        all.filter_map(move |(role, value)| Some((Slot { family, role }, value?)))
    }

    #[inline]
    fn single(&self) -> Option<&Single<'_>> {
        Some(self)
    }
}

impl<'a> Single<'a> {
    /// What was found, if it is all that the family needs; every refusal is for others to find.
    #[inline]
    fn found(&self, scheme: &Scheme) -> Option<Found<'a>> {
        let signature = self.values[Role::Signature as usize];
        if signature.is_some_and(|value| value.len() > MAX_HEADER_BYTES) {
            return None;
        }
        let roles = *scheme.names.roles().get(usize::from(self.family))?;
        let mut found = Found::default();
        for role in Role::ALL {
            let Some(value) = self.values[role as usize] else {
                continue;
            };
            let text = trim(value);
            if !text.is_empty() {
                found.present |= role.bit();
            }
            found.first[role as usize] = Some(text);
        }
        (found.present == roles).then_some(found)
    }
}

impl Values for [(Slot, &[u8])] {
    fn each(&self) -> impl Iterator<Item = (Slot, &[u8])> {
        self.iter().copied()
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
    /// The value of the signature's header, if it has one and no more.
    pub signature: Option<&'a [u8]>,
}

/// Picks the values that count: rows 4 to 7 of the order of judgement.
///
/// # Errors
/// The refusal, if a header is too large, missing, ambiguous or malformed.
#[inline]
pub fn read<'a>(
    scheme: &Scheme,
    values: &'a (impl Values + ?Sized),
) -> Result<Fields<'a>, Outcome> {
    let single = values.single();
    let (family, found) = match single.and_then(|it| Some((it.family, it.found(scheme)?))) {
        Some(all) => all,
        None => choose_family(scheme, values)?,
    };
    let one = |role: Role| {
        if found.differ & role.bit() != 0 {
            return Err(Outcome::at_header(Verdict::AmbiguousHeader, family, role));
        }
        Ok(found.first[role as usize])
    };
    let token = match scheme.algorithm {
        Algorithm::Token => one(Role::Signature)?,
        Algorithm::HmacSha256 => None,
    };
    let (id, timestamp) = (one(Role::Id)?, one(Role::Timestamp)?);
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
        signature: found.first[Role::Signature as usize].filter(|_| !found.has_more),
    })
}

/// What was found of one family's headers.
#[derive(Clone, Copy, Default)]
struct Found<'a> {
    /// The first value of each role, trimmed.
    first: [Option<&'a [u8]>; 3],
    /// The roles of which any value is not empty.
    present: Roles,
    /// The roles of which a value differs from the first.
    differ: Roles,
    /// Whether any role has more than one value.
    has_more: bool,
}

/// The first family whose headers all have a value, with what was found of it; else the refusal
/// that names the first header missing in the first family.
#[inline(never)]
fn choose_family<'a>(
    scheme: &Scheme,
    values: &'a (impl Values + ?Sized),
) -> Result<(u8, Found<'a>), Outcome> {
    // The signature headers of every family count, and come first: nothing is trimmed before.
    let signatures = values
        .each()
        .filter(|(slot, _)| slot.role == Role::Signature);
    let signature_bytes = signatures.map(|(_, value)| value.len());
    if signature_bytes.fold(0, usize::saturating_add) > MAX_HEADER_BYTES {
        return Err(Outcome::too_large(
            Place::SignatureHeaders,
            MAX_HEADER_BYTES,
        ));
    }
    let mut refusal = None;
    for (family, roles) in (0..).zip(scheme.names.roles()) {
        let found = gather(values, family);
        let missing = roles & !found.present;
        if missing == 0 {
            return Ok((family, found));
        }
        let first = Role::ALL.into_iter().find(|role| missing & role.bit() != 0);
        refusal = refusal.or(first.map(|role| (family, role)));
    }
    let (family, role) = refusal.unwrap_or((0, Role::Signature));
    Err(Outcome::at_header(Verdict::MissingHeader, family, role))
}

/// What was found of one family.
fn gather(values: &(impl Values + ?Sized), family: u8) -> Found<'_> {
    let mut found = Found::default();
    for (slot, value) in values.each() {
        if slot.family != family {
            continue;
        }
        let text = trim(value);
        if !text.is_empty() {
            found.present |= slot.role.bit();
        }
        match &mut found.first[slot.role as usize] {
            first @ None => *first = Some(text),
            Some(first) => {
                found.has_more = true;
                if *first != text {
                    found.differ |= slot.role.bit();
                }
            }
        }
    }
    found
}

/// `id = 1*256( %x20-7E )`, without the bytes that end it in the signed template.
#[must_use]
#[inline]
pub fn is_id(id: &[u8], forbidden: &[u8]) -> bool {
    if !(1..=MAX_ID_BYTES).contains(&id.len()) {
        return false;
    }
    // Nearly every scheme that signs an id ends it with one byte. 0x7f is none in any case.
    let (but, more) = match forbidden {
        [] => (0x7f, forbidden),
        [but, more @ ..] => (*but, more),
    };
    are_printable(id, but) && (more.is_empty() || !id.iter().any(|byte| more.contains(byte)))
}

/// RFC 9110 §5.5: a value's surrounding SP and HTAB are not part of it.
#[must_use]
#[inline]
pub fn trim(value: &[u8]) -> &[u8] {
    match value {
        // Nearly every value.
        [first, .., last] if *first > b' ' && *last > b' ' => value,
        _ => trimmed(value),
    }
}

#[cold]
fn trimmed(value: &[u8]) -> &[u8] {
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
