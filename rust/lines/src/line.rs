//! One line: from JSON to the parts of a message, or the fault that it has.

use std::{borrow::Cow, collections::TryReserveError, str};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use smallvec::SmallVec;

use crate::{
    buffer::{Buffer, Spare},
    fault::{Fault, Key},
    json::{Kind, Reader, Text, Wrong, is_too_deep},
};

/// The parts of a message, borrowed from its line wherever they stand there as they are.
#[derive(Debug)]
pub struct Line<'a> {
    pub body: Body<'a>,
    /// In whole Unix seconds.
    pub received_at: Option<i64>,
    pub endpoint: Option<Cow<'a, str>>,
}

/// Names and values, in order.
pub type Headers<'a> = Vec<(Text<'a>, Text<'a>)>;

/// The bytes that were signed.
#[derive(Debug)]
pub enum Body<'a> {
    Borrowed(&'a [u8]),
    Decoded(Buffer),
}

impl AsRef<[u8]> for Body<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Decoded(buffer) => buffer.as_ref(),
        }
    }
}

/// Why a line gave no message.
#[derive(Debug)]
pub enum Broken {
    /// It has a fault.
    Fault(Fault),
    /// Memory is short, which says nothing of the line.
    NoMemory,
}

impl From<TryReserveError> for Broken {
    fn from(_: TryReserveError) -> Self {
        Self::NoMemory
    }
}

/// Reads a line, and its headers into a list that is used again and again.
pub fn read<'a>(
    line: &'a [u8],
    has_ring: bool,
    headers: &mut Headers<'a>,
    spare: &mut Spare,
) -> Result<Line<'a>, Broken> {
    headers.clear();
    let mut members = Members::default();
    read_members(line, &mut members, headers, spare).map_err(|wrong| match wrong {
        Wrong::NoMemory => Broken::NoMemory,
        Wrong::NotJson if str::from_utf8(line).is_err() => Broken::Fault(Fault::NotUtf8),
        Wrong::NotJson if is_too_deep(line) => Broken::Fault(Fault::TooDeep),
        Wrong::NotJson => Broken::Fault(Fault::NotJson),
    })?;
    if let Some(fault) = members.fault(has_ring) {
        return Err(Broken::Fault(fault));
    }
    let body = match (members.body, members.body_b64) {
        (Some(body), _) => body,
        (None, encoded) => decode(&encoded.unwrap_or_default(), spare)?,
    };
    Ok(Line {
        body,
        received_at: members.received_at,
        endpoint: members.endpoint,
    })
}

/// What was found in a line so far.
#[derive(Debug, Default)]
struct Members<'a> {
    /// Which keys were there.
    seen: SmallVec<[Key; 5]>,
    body: Option<Body<'a>>,
    body_b64: Option<Cow<'a, [u8]>>,
    received_at: Option<i64>,
    endpoint: Option<Cow<'a, str>>,
    is_object: bool,
    has_half_pair: bool,
    /// The first one of those that stand at a key.
    fault: Option<Fault>,
}

impl Members<'_> {
    /// The fault of a line that is JSON.
    fn fault(&mut self, has_ring: bool) -> Option<Fault> {
        if self.has_half_pair {
            return Some(Fault::HalfPair);
        }
        if !self.is_object {
            return Some(Fault::NotObject);
        }
        if let Some(fault) = self.fault.take() {
            return Some(fault);
        }
        if !self.seen.contains(&Key::Headers) {
            return Some(Fault::NoHeaders);
        }
        match (&self.body, &self.body_b64) {
            (None, None) => return Some(Fault::NoBody),
            (Some(_), Some(_)) => return Some(Fault::TwoBodies),
            _ => {}
        }
        (self.endpoint.is_some() && !has_ring).then_some(Fault::NoRing)
    }

    fn note(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }
}

fn read_members<'a>(
    line: &'a [u8],
    members: &mut Members<'a>,
    headers: &mut Headers<'a>,
    spare: &mut Spare,
) -> Result<(), Wrong> {
    if str::from_utf8(line).is_err() {
        return Err(Wrong::NotJson);
    }
    let mut reader = Reader::new(line);
    if reader.kind() == Kind::Object {
        members.is_object = true;
        reader.object(|reader, key| {
            let name = key.bytes()?;
            let Some(key) = Key::named(&name) else {
                members.note(Fault::UnknownKey(told(&name)));
                return reader.skip();
            };
            if members.seen.contains(&key) {
                members.note(Fault::KeyTwice(key));
                return reader.skip();
            }
            members.seen.push(key);
            read_member(reader, key, members, headers, spare)
        })?;
    } else {
        reader.skip()?;
    }
    members.has_half_pair = reader.has_half_pair();
    reader.end()
}

fn read_member<'a>(
    reader: &mut Reader<'a>,
    key: Key,
    members: &mut Members<'a>,
    headers: &mut Headers<'a>,
    spare: &mut Spare,
) -> Result<(), Wrong> {
    match (key, reader.kind()) {
        (Key::Headers, Kind::Object) => reader.object(|reader, name| {
            if let Some(fault) = read_values(reader, name, headers)? {
                members.note(fault);
            }
            Ok(())
        }),
        (Key::Headers, Kind::Array) => reader.array(|reader, index| {
            if let Some(fault) = read_pair(reader, index, headers)? {
                members.note(fault);
            }
            Ok(())
        }),
        (Key::Body, Kind::String) => {
            let mut buffer = spare.take();
            members.body = Some(match reader.long_string(&mut buffer)? {
                Some(borrowed) => {
                    spare.keep(buffer);
                    Body::Borrowed(borrowed)
                }
                None => Body::Decoded(buffer),
            });
            Ok(())
        }
        (Key::BodyB64, Kind::String) => {
            members.body_b64 = Some(reader.string()?.bytes()?);
            Ok(())
        }
        (Key::ReceivedAt, Kind::Number) => {
            match seconds(reader.number()?) {
                Ok(seconds) => members.received_at = Some(seconds),
                Err(fault) => members.note(fault),
            }
            Ok(())
        }
        (Key::Endpoint, Kind::String) => {
            members.endpoint = Some(text(reader.string()?.bytes()?));
            Ok(())
        }
        (Key::Endpoint, Kind::Null) => reader.skip(),
        (key, _) => {
            members.note(match key {
                Key::Headers => Fault::HeadersType,
                Key::Body | Key::BodyB64 => Fault::BodyType(key),
                Key::ReceivedAt => Fault::ReceivedAtType,
                Key::Endpoint => Fault::EndpointType,
            });
            reader.skip()
        }
    }
}

/// Reads the value of one header, or several.
fn read_values<'a>(
    reader: &mut Reader<'a>,
    name: Text<'a>,
    headers: &mut Headers<'a>,
) -> Result<Option<Fault>, Wrong> {
    let mut is_wrong = false;
    match reader.kind() {
        Kind::String => put(headers, name, reader.string()?)?,
        Kind::Array => reader.array(|reader, _| {
            if reader.kind() == Kind::String {
                return put(headers, name, reader.string()?);
            }
            is_wrong = true;
            reader.skip()
        })?,
        kind => {
            is_wrong = kind != Kind::Null;
            reader.skip()?;
        }
    }
    let fault = || Ok(Fault::HeaderValue(told(&name.bytes()?)));
    is_wrong.then(fault).transpose()
}

/// Reads an element of an array of headers.
fn read_pair<'a>(
    reader: &mut Reader<'a>,
    index: usize,
    headers: &mut Headers<'a>,
) -> Result<Option<Fault>, Wrong> {
    if reader.kind() != Kind::Array {
        reader.skip()?;
        return Ok(Some(Fault::HeaderPair(index)));
    }
    let mut name = None;
    let mut fault = None;
    let mut count = 0;
    reader.array(|reader, position| {
        count += 1;
        match (position, name) {
            (0, _) if reader.kind() == Kind::String => name = Some(reader.string()?),
            (1, Some(name)) => fault = read_values(reader, name, headers)?,
            _ => return reader.skip(),
        }
        Ok(())
    })?;
    Ok(match (count, name) {
        (2, Some(_)) => fault,
        (2, None) => Some(Fault::HeaderName(index)),
        _ => Some(Fault::HeaderPair(index)),
    })
}

fn put<'a>(headers: &mut Headers<'a>, name: Text<'a>, value: Text<'a>) -> Result<(), Wrong> {
    headers.try_reserve(1)?;
    headers.push((name, value));
    Ok(())
}

/// Unix seconds, floored: the rule for every instant, `hookseal._instant`. A double holds each
/// whole number in range, so a text of any length has one answer.
fn seconds(number: &[u8]) -> Result<i64, Fault> {
    let number = str::from_utf8(number)
        .ok()
        .and_then(|text| text.parse().ok());
    let number: f64 = number.ok_or(Fault::ReceivedAtType)?;
    if !(0.0..=LATEST_INSTANT).contains(&number) {
        let is_late = number > LATEST_INSTANT;
        return Err(Fault::ReceivedAt { is_late });
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "in range, and the fraction is to go"
    )]
    let seconds = number as i64;
    Ok(seconds)
}

/// The year 5138, and what milliseconds have passed since 1973.
const LATEST_INSTANT: f64 = 1e11;

/// RFC 4648 §4, canonical.
fn decode<'a>(encoded: &[u8], spare: &mut Spare) -> Result<Body<'a>, Broken> {
    let mut buffer = spare.take();
    let room = buffer.room(base64::decoded_len_estimate(encoded.len()))?;
    match BASE64_STANDARD.decode_slice(encoded, room) {
        Ok(length) => buffer.set_length(length),
        Err(_) => return Err(Broken::Fault(Fault::NotBase64)),
    }
    Ok(Body::Decoded(buffer))
}

/// What was read of a line that is UTF-8 is so too.
fn text(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(
            String::from_utf8(bytes)
                .unwrap_or_else(|wrong| String::from_utf8_lossy(wrong.as_bytes()).into_owned()),
        ),
    }
}

fn told(name: &[u8]) -> Box<str> {
    Fault::told(&String::from_utf8_lossy(name))
}
