//! A piece of a block: whole lines, judged by one thread.

use std::{borrow::Cow, collections::TryReserveError, sync::Arc};

use hookseal_engine::{
    Kernel, Outcome, Stop, Watch,
    batch::{Chunk, Scratch},
    endpoint::Endpoint,
    profile::Profile,
    verify::Rules,
};
use memchr::memchr;

use crate::{
    buffer::Spare,
    fault::Fault,
    json::is_white,
    line::{self, Body, Broken, Headers, Line},
    tally::Tally,
    trust::Trust,
};

/// What every line is judged by.
#[derive(Debug)]
pub struct Terms {
    pub trust: Trust,
    pub rules: Rules,
    /// The instant of judgement for messages that state no arrival, in Unix seconds.
    pub now: i64,
    pub max_line_bytes: usize,
    pub kernel: Kernel,
}

/// Whole lines.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    pub bytes: &'a [u8],
    /// Whether they begin a file, which may begin with a byte order mark.
    pub is_start: bool,
}

/// What came of a piece.
#[derive(Debug, Default)]
pub struct Judged<'a> {
    /// How many lines it has, blank ones too.
    pub lines: u64,
    pub tally: Tally,
    /// The lines that are no valid message, in order, as they came; their numbers count from 0.
    pub rejects: Vec<(Refusal, &'a [u8])>,
}

/// A line that is no valid message.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Its number in the file; the first line is 1.
    pub line: u64,
    /// Why.
    pub why: Why,
}

/// Why a line is no valid message.
#[derive(Clone, Debug)]
pub enum Why {
    /// It is a message, and refused.
    Refused {
        /// The refusal.
        outcome: Outcome,
        /// Where it arrived.
        endpoint: Option<Arc<Profile>>,
        /// The name of the endpoint that is not there.
        unknown: Option<Box<str>>,
    },
    /// It is no message.
    Broken(Fault),
}

/// Judges pieces, one after the other, in memory that it keeps.
#[derive(Debug)]
pub struct Worker<'a> {
    terms: &'a Terms,
    chunk: Chunk<Carried<'a>, &'a Endpoint>,
    headers: Headers<'a>,
    spare: Spare,
    scratch: Scratch,
}

impl<'a> Worker<'a> {
    pub fn new(terms: &'a Terms) -> Self {
        Self {
            terms,
            chunk: Chunk::new(terms.rules),
            headers: Headers::new(),
            spare: Spare::default(),
            scratch: Scratch::default(),
        }
    }

    /// Judges the lines of a piece.
    pub fn judge(&mut self, piece: Piece<'a>, watch: &mut Watch<'_>) -> Result<Judged<'a>, Stop> {
        let mut judged = Judged::default();
        let mut rest = piece.bytes;
        let mut is_start = piece.is_start;
        while !rest.is_empty() {
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (line, next) = rest.split_at(end);
            rest = next;
            watch(line.len() + LINE_BYTES)?;
            self.take(line, is_start, &mut judged)?;
            is_start = false;
            judged.lines += 1;
            if self.chunk.is_full() {
                self.hash(&mut judged, watch)?;
            }
        }
        self.hash(&mut judged, watch)?;
        judged.tally.bytes = piece.bytes.len() as u64;
        // What is no message, or arrived nowhere, was written down before what was hashed.
        judged
            .rejects
            .sort_unstable_by_key(|(refusal, _)| refusal.line);
        Ok(judged)
    }

    /// Reads one line; a message waits in the chunk to be judged.
    fn take(&mut self, raw: &'a [u8], is_start: bool, judged: &mut Judged<'a>) -> Result<(), Stop> {
        let terms = self.terms;
        let line = raw.strip_suffix(b"\n").unwrap_or(raw);
        if line.len() > terms.max_line_bytes {
            let limit = terms.max_line_bytes;
            return judged.broken(raw, Fault::TooLong { limit });
        }
        let line = match line.strip_prefix(BYTE_ORDER_MARK) {
            Some(unmarked) if is_start => unmarked,
            _ => line,
        };
        if line.iter().copied().all(is_white) {
            return Ok(());
        }
        let has_ring = terms.trust.has_ring();
        let Line {
            body,
            received_at,
            endpoint: name,
        } = match line::read(line, has_ring, &mut self.headers, &mut self.spare) {
            Ok(line) => line,
            Err(Broken::Fault(fault)) => return judged.broken(raw, fault),
            Err(Broken::NoMemory) => return Err(Stop::NoMemory),
        };
        let at = received_at.unwrap_or(terms.now);
        let found = terms.trust.find(name.as_deref());
        let place = judged.tally.arrived(found);
        let source = Source {
            raw,
            line: judged.lines,
            at,
        };
        let Some(endpoint) = found else {
            let outcome = match terms.trust {
                Trust::Unsigned => terms.rules.unsigned(body.as_ref()),
                _ => Outcome::UNKNOWN_ENDPOINT,
            };
            self.keep(body);
            return judged.settled(source, place, outcome, name);
        };
        judged.tally.endpoints[place].live |= endpoint.live(at);
        let carried = Carried { body, source };
        let scheme = endpoint.scheme();
        for (name, value) in &self.headers {
            if let Some(slot) = scheme.slot(&name.bytes()?) {
                self.chunk.value(slot, &value.bytes()?)?;
            }
        }
        self.chunk.push(place, carried, &endpoint, at)?;
        Ok(())
    }

    /// Hashes what waits, and writes down what came of it.
    fn hash(&mut self, judged: &mut Judged<'a>, watch: &mut Watch<'_>) -> Result<(), Stop> {
        let Self {
            terms,
            chunk,
            spare,
            scratch,
            ..
        } = self;
        chunk.close(1, terms.kernel)?;
        for grain in 0..chunk.grains() {
            chunk.hash(grain, scratch, terms.kernel, watch)?;
        }
        let mut stopped = Ok(());
        chunk.settle(|place, message, carried| {
            let Carried { body, source } = carried;
            let settled = judged.settled(source, place, message.outcome, None);
            stopped = stopped.and(settled);
            if let Body::Decoded(buffer) = body {
                spare.keep(buffer);
            }
        });
        stopped
    }

    fn keep(&mut self, body: Body<'_>) {
        if let Body::Decoded(buffer) = body {
            self.spare.keep(buffer);
        }
    }
}

impl<'a> Judged<'a> {
    fn broken(&mut self, raw: &'a [u8], fault: Fault) -> Result<(), Stop> {
        self.tally.broken += 1;
        self.reject(raw, self.lines, Why::Broken(fault))
    }

    /// Writes down what became of a message.
    fn settled(
        &mut self,
        source: Source<'a>,
        place: usize,
        outcome: Outcome,
        unknown: Option<Cow<'_, str>>,
    ) -> Result<(), Stop> {
        self.tally.note(place, &outcome, source.at);
        if outcome.is_valid() {
            return Ok(());
        }
        let why = Why::Refused {
            outcome,
            endpoint: self.tally.endpoints[place].endpoint.clone(),
            unknown: unknown.map(boxed).transpose()?,
        };
        self.reject(source.raw, source.line, why)
    }

    fn reject(&mut self, raw: &'a [u8], line: u64, why: Why) -> Result<(), Stop> {
        self.rejects.try_reserve(1)?;
        self.rejects.push((Refusal { line, why }, raw));
        Ok(())
    }
}

/// A name of its own. The sender wrote it, and it may be as long as a line.
fn boxed(name: Cow<'_, str>) -> Result<Box<str>, TryReserveError> {
    let name = match name {
        Cow::Owned(name) => name,
        Cow::Borrowed(name) => {
            let mut copy = String::new();
            copy.try_reserve_exact(name.len())?;
            copy.push_str(name);
            copy
        }
    };
    Ok(name.into_boxed_str())
}

/// What waits in the chunk beside a message. Its index there is the endpoint's place.
#[derive(Debug)]
struct Carried<'a> {
    body: Body<'a>,
    source: Source<'a>,
}

/// Where a message stands, and the instant at which it is judged.
#[derive(Clone, Copy, Debug)]
struct Source<'a> {
    raw: &'a [u8],
    line: u64,
    at: i64,
}

impl AsRef<[u8]> for Carried<'_> {
    fn as_ref(&self) -> &[u8] {
        self.body.as_ref()
    }
}

/// What a line costs beside its bytes, counted in hashed bytes.
const LINE_BYTES: usize = 256;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
