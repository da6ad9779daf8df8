//! The verifiers of other packages, mirrored by `hookseal.compat`: the strict reading, less what
//! those packages refuse themselves, so that a drop-in never takes what its original does not.

use hookseal_lanes::{Interrupted, Job, Kernel, Watch};

use crate::{
    compare::matches_any,
    endpoint::Endpoint,
    header::{Role, Roles, Slot, Values, trim},
    key::Key,
    outcome::{Outcome, Verdict},
    scheme::{Scheme, Unit},
    secret::{Fault, Secret},
    signature::decode_vartime,
    timestamp::{self, Tolerance},
    verify::{self, Rules},
};

/// What was seen of a message's headers beside their values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// The families of which any header was there, whatever its value, as bits.
    pub families: u8,
    /// By family, the roles of which a value was no text, or a name was one by Unicode's folding
    /// alone.
    pub odd: [Roles; MAX_FAMILIES],
}

/// The most families of a scheme that is mirrored: svix has two.
const MAX_FAMILIES: usize = 2;

impl Seen {
    /// Notes a header, whatever its value.
    pub fn note(&mut self, slot: Slot, is_odd: bool) {
        self.families |= 1 << slot.family;
        if let (true, Some(odd)) = (is_odd, self.odd.get_mut(usize::from(slot.family))) {
            *odd |= slot.role.bit();
        }
    }

    /// The family that counts: the first of which any header was there. The originals choose for
    /// each header alone, so that one stray header of the first family decides.
    #[must_use]
    pub fn family(self) -> u8 {
        match self.families {
            0 => 0,
            families => u8::try_from(families.trailing_zeros()).unwrap_or(0),
        }
    }

    fn odd(self) -> Roles {
        let of_family = self.odd.get(usize::from(self.family()));
        of_family.copied().unwrap_or_default()
    }
}

/// What the clock says, as the originals hold it against the window: with its fraction.
#[derive(Clone, Copy, Debug)]
pub struct Instant {
    /// Whole seconds.
    pub seconds: i64,
    /// Whether a fraction of a second has passed since.
    pub has_fraction: bool,
}

/// Judges a message as a drop-in does. With [`Tolerance`] in `rules` it is that window; without,
/// the scheme's, whose past ends where the originals' does: not a fraction of a second later.
///
/// # Errors
/// [`Interrupted`] if `watch` says so.
#[expect(
    clippy::too_many_arguments,
    reason = "those of `verify::judge`, and what was seen"
)]
pub fn judge(
    kernel: Kernel,
    endpoint: &Endpoint,
    rules: &Rules,
    body: &[u8],
    values: &(impl Values + ?Sized),
    seen: Seen,
    at: Instant,
    watch: &mut Watch<'_>,
) -> Result<Outcome, Interrupted> {
    let values = OneFamily {
        all: values,
        family: seen.family(),
    };
    let strange = strange(endpoint.scheme(), &values) | seen.odd();
    let mut rules = *rules;
    if let (None, true, Some((past, future))) = (
        rules.tolerance,
        at.has_fraction,
        endpoint.scheme().tolerance,
    ) {
        let past = past - 1;
        rules.tolerance = Some(Tolerance::Window { past, future });
    }
    if strange != 0
        && let Some(refused) = missing(&values, seen)
            .or_else(|| refusal_of_time(endpoint, &rules, &values, strange, at.seconds))
    {
        return Ok(refused);
    }
    let (outcome, family) =
        verify::judge(kernel, endpoint, &rules, body, &values, at.seconds, watch)?;
    // What the strict reading finds missing is there, and strange.
    let is_missing = outcome.verdict == Verdict::MissingHeader;
    if strange == 0 || !(outcome.is_valid() || is_missing) {
        return Ok(outcome);
    }
    let (verdict, role) = if strange & Role::Id.bit() != 0 {
        (Verdict::MalformedHeader, Role::Id)
    } else {
        (Verdict::MalformedSignature, Role::Signature)
    };
    Ok(Outcome::at_header(verdict, family, role))
}

/// The timestamp of a message that lacks no header, and the second that it states: what an
/// override of the originals' private method is asked about, and has to say.
///
/// # Errors
/// The refusal.
pub fn stated<'a>(
    endpoint: &Endpoint,
    values: &'a (impl Values + ?Sized),
    seen: Seen,
) -> Result<(&'a [u8], i64), Outcome> {
    let family = seen.family();
    let own = OneFamily {
        all: values,
        family,
    };
    let strange = strange(endpoint.scheme(), &own) | seen.odd();
    let text = timestamp_of(values, family);
    match (missing(&own, seen), second(text)) {
        (Some(refused), _) => Err(refused),
        (None, Some(second)) if strange & Role::Timestamp.bit() == 0 => Ok((text, second)),
        _ => Err(malformed_time(family)),
    }
}

/// The second that a timestamp states, of the originals' schemes.
fn second(text: &[u8]) -> Option<i64> {
    timestamp::parse(trim(text), Unit::Seconds)
}

/// The first value of a family's timestamp.
fn timestamp_of(values: &(impl Values + ?Sized), family: u8) -> &[u8] {
    let role = Role::Timestamp;
    let wanted = Slot { family, role };
    let found = values.each().find(|(slot, _)| *slot == wanted);
    found.map(|(_, text)| text).unwrap_or_default()
}

/// Whether one secret, which comes with the message, signed a body: for schemes that sign nothing
/// else, and whose signature is the whole text. Nothing is trimmed.
///
/// # Errors
/// [`Interrupted`] if `watch` says so; inside, the fault of the secret.
pub fn signed(
    kernel: Kernel,
    scheme: &Scheme,
    secret: &Secret,
    body: &[u8],
    signature: &[u8],
    watch: &mut Watch<'_>,
) -> Result<Result<bool, Fault>, Interrupted> {
    let key = match secret.key(scheme) {
        Ok(key) => key,
        Err(fault) => return Ok(Err(fault)),
    };
    let (Key::Mac(key), Some(candidate)) = (&key, decode_vartime(scheme, signature)) else {
        return Ok(Ok(false));
    };
    let (head, tail) = (&[], &[]);
    let job = Job {
        key,
        head,
        body,
        tail,
    };
    Ok(Ok(matches_any(&kernel.mac(&job, watch)?, &[candidate])))
}

/// The values of one family alone.
struct OneFamily<'a, V: ?Sized> {
    all: &'a V,
    family: u8,
}

impl<V: Values + ?Sized> Values for OneFamily<'_, V> {
    fn each(&self) -> impl Iterator<Item = (Slot, &[u8])> {
        let family = self.family;
        self.all
            .each()
            .filter(move |(slot, _)| slot.family == family)
    }
}

/// The roles whose values the originals read in another way than the strict reading: white space
/// around an id or before a signature is part of it, of two signature headers one counts, and a
/// time is the number alone.
fn strange(scheme: &Scheme, values: &impl Values) -> Roles {
    let mut strange = 0;
    let mut signature = None;
    for (slot, value) in values.each() {
        let is_strange = match slot.role {
            Role::Id => trim(value).len() != value.len(),
            Role::Signature => {
                begins_with_tab(value, &scheme.prefix)
                    || (!value.is_empty() && trim(value).is_empty())
                    || *signature.get_or_insert(value) != value
            }
            Role::Timestamp => {
                let text = trim(value);
                let is_blank = text.is_empty() && !value.is_empty();
                is_blank || (text.starts_with(b"0") && text != b"0") || is_beyond(text)
            }
        };
        if is_strange {
            strange |= slot.role.bit();
        }
    }
    strange
}

/// Whether white space before a signature is not SP alone, at which the originals split.
fn begins_with_tab(value: &[u8], prefix: &[u8]) -> bool {
    let text = trim(value);
    // Most begin with it, and nothing is looked for.
    !value.starts_with(prefix)
        && text.starts_with(prefix)
        && value
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .any(|byte| *byte == b'\t')
}

/// Whether no `datetime` can state a time: they end with the year 9999.
fn is_beyond(text: &[u8]) -> bool {
    const LAST_SECOND: i64 = 253_402_300_799;
    // The smaller ones have fewer digits, and most are.
    text.len() > 11 && second(text).is_some_and(|at| at > LAST_SECOND)
}

/// The refusal of a header that is missing: without any value that is not empty.
fn missing(values: &impl Values, seen: Seen) -> Option<Outcome> {
    let present = values.each().filter(|(_, value)| !value.is_empty());
    let present = present.fold(seen.odd(), |roles, (slot, _)| roles | slot.role.bit());
    let role = Role::ALL
        .into_iter()
        .find(|role| present & role.bit() == 0)?;
    Some(Outcome::at_header(
        Verdict::MissingHeader,
        seen.family(),
        role,
    ))
}

/// The refusal of a time, which the originals look at before the id and the signature.
fn refusal_of_time<V: Values + ?Sized>(
    endpoint: &Endpoint,
    rules: &Rules,
    values: &OneFamily<'_, V>,
    strange: Roles,
    at: i64,
) -> Option<Outcome> {
    let family = values.family;
    if strange & Role::Timestamp.bit() != 0 {
        return Some(malformed_time(family));
    }
    let tolerance = endpoint.tolerance(rules.tolerance)?;
    let text = trim(timestamp_of(values.all, family));
    timestamp::judge(text, endpoint.scheme().unit, tolerance, at, family).err()
}

fn malformed_time(family: u8) -> Outcome {
    Outcome::at_header(Verdict::MalformedTimestamp, family, Role::Timestamp)
}
