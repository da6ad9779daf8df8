//! The stream: blocks in, whole lines out, and what is kept between two blocks.

use hookseal_engine::{Kernel, Stop, Watch, verify::Rules};
use memchr::{memchr, memrchr};

use crate::{
    crew,
    fault::Fault,
    piece::{Judged, Piece, Refusal, Terms, Why},
    tally::Tally,
    trust::Trust,
};

/// The most bytes of a line, if nothing else is asked for. GitHub sends up to 25 MB, the most
/// of all providers that state a limit: 35 MB as base64.
pub const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

/// Judges a stream of lines, a block at a time. It holds one unfinished line at most.
///
/// What a block changes is in [`Fed`], and takes effect by [`Judge::commit`] alone: a block
/// that was interrupted was never fed.
#[derive(Debug)]
pub struct Judge {
    terms: Terms,
    place: Place,
    /// The beginning of a line that did not end yet; bytes behind `place.held` are left over
    /// from a block that was interrupted.
    carry: Vec<u8>,
}

/// Where in a file the stream is.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The number of the next line that ends.
    line: u64,
    /// How many bytes of it are held.
    held: usize,
    /// How many bytes of it passed, if it is too long to be held.
    passed: Option<u64>,
    /// Whether it is the first of its file.
    is_start: bool,
}

impl Place {
    const START: Self = Self {
        line: 1,
        held: 0,
        passed: None,
        is_start: true,
    };

    /// Whether the line has a byte.
    fn is_begun(&self) -> bool {
        self.held > 0 || self.passed.is_some()
    }
}

/// What came of a block, before it takes effect.
#[derive(Debug)]
pub struct Fed {
    /// The lines that are no valid message, in order.
    pub refusals: Vec<Refusal>,
    /// Those lines as they came, with what passed of one that is too long, if that was asked for.
    pub rejected: Vec<u8>,
    /// What was counted in the block.
    pub tally: Tally,
    place: Place,
    /// The new beginning of a line, where it is not the old one with more behind it.
    rest: Option<Vec<u8>>,
    keeps_rejects: bool,
}

impl Judge {
    /// A judge at the beginning of a file. `now` is the instant of judgement for messages that
    /// state no arrival, in Unix seconds.
    #[must_use]
    pub fn new(
        kernel: Kernel,
        trust: Trust,
        rules: Rules,
        now: i64,
        max_line_bytes: usize,
    ) -> Self {
        Self {
            terms: Terms {
                trust,
                rules,
                now,
                max_line_bytes,
                kernel,
            },
            place: Place::START,
            carry: Vec::new(),
        }
    }

    /// Whose signatures are trusted.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.terms.trust
    }

    /// Judges every line that ends in the block, on at most that many threads.
    ///
    /// # Errors
    /// [`Stop`]; then nothing has changed.
    pub fn feed(
        &mut self,
        block: &[u8],
        threads: usize,
        keeps_rejects: bool,
        watch: &mut Watch<'_>,
    ) -> Result<Fed, Stop> {
        self.carry.truncate(self.place.held);
        let mut fed = Fed::new(self.place, keeps_rejects);
        let limit = self.terms.max_line_bytes;
        let mut rest = block;
        let mut pieces = Vec::new();
        if fed.place.is_begun() {
            let Some(end) = memchr(b'\n', block).map(|at| at + 1) else {
                self.extend(block, &mut fed)?;
                return Ok(fed);
            };
            let first;
            (first, rest) = block.split_at(end);
            if fed.place.passed.is_some() || self.place.held + first.len() - 1 > limit {
                fed.pass(&self.carry)?;
                fed.pass(first)?;
                fed.end_passed(limit);
            } else {
                self.carry.try_reserve(first.len())?;
                self.carry.extend_from_slice(first);
                pieces.push(Piece {
                    bytes: &self.carry,
                    is_start: fed.place.is_start,
                });
                fed.place.is_start = false;
            }
            fed.place.held = 0;
        }
        let end = memrchr(b'\n', rest).map_or(0, |at| at + 1);
        let (lines, tail) = rest.split_at(end);
        cut(lines, fed.place.is_start, &mut pieces);
        fed.place.is_start &= lines.is_empty();
        for judged in crew::judge(&self.terms, &pieces, threads, watch)? {
            fed.put(judged)?;
        }
        if tail.len() > limit {
            fed.pass(tail)?;
        } else {
            let mut kept = Vec::new();
            kept.try_reserve(tail.len())?;
            kept.extend_from_slice(tail);
            fed.place.held = kept.len();
            fed.rest = Some(kept);
        }
        Ok(fed)
    }

    /// Ends a file: judges a last line that has no line end. What comes next is another file.
    ///
    /// # Errors
    /// [`Stop`]; then nothing has changed.
    pub fn finish(&mut self, keeps_rejects: bool, watch: &mut Watch<'_>) -> Result<Fed, Stop> {
        self.carry.truncate(self.place.held);
        let mut fed = Fed::new(self.place, keeps_rejects);
        if fed.place.passed.is_some() {
            fed.end_passed(self.terms.max_line_bytes);
        } else {
            let pieces = [Piece {
                bytes: &self.carry,
                is_start: fed.place.is_start,
            }];
            for judged in crew::judge(&self.terms, &pieces, 1, watch)? {
                fed.put(judged)?;
            }
        }
        fed.place = Place::START;
        fed.rest = Some(Vec::new());
        Ok(fed)
    }

    /// Lets what was fed take effect.
    pub fn commit(&mut self, fed: &mut Fed) {
        self.place = fed.place;
        if let Some(rest) = fed.rest.take() {
            self.carry = rest;
        }
    }

    /// A block in which the line does not end.
    fn extend(&mut self, block: &[u8], fed: &mut Fed) -> Result<(), Stop> {
        let limit = self.terms.max_line_bytes;
        let held = self.place.held + block.len();
        if fed.place.passed.is_some() || held > limit {
            fed.pass(&self.carry)?;
            fed.pass(block)?;
            fed.place.held = 0;
            fed.rest = Some(Vec::new());
            return Ok(());
        }
        if held > self.carry.capacity() {
            // Doubled, so that short blocks do not copy it again and again; but never more than
            // a line may have.
            let capacity = held.saturating_mul(2).min(limit);
            self.carry.try_reserve_exact(capacity - self.carry.len())?;
        }
        self.carry.extend_from_slice(block);
        fed.place.held = held;
        Ok(())
    }
}

impl Fed {
    fn new(place: Place, keeps_rejects: bool) -> Self {
        Self {
            refusals: Vec::new(),
            rejected: Vec::new(),
            tally: Tally::default(),
            place,
            rest: None,
            keeps_rejects,
        }
    }

    /// Lets bytes pass of a line that is too long.
    fn pass(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let passed = self.place.passed.get_or_insert_default();
        *passed += bytes.len() as u64;
        self.reject(bytes)
    }

    /// Counts a line that is too long, all of which has passed.
    fn end_passed(&mut self, limit: usize) {
        self.tally.broken += 1;
        self.tally.bytes += self.place.passed.take().unwrap_or_default();
        self.refusals.push(Refusal {
            line: self.place.line,
            why: Why::Broken(Fault::TooLong { limit }),
        });
        self.place.line += 1;
        self.place.is_start = false;
    }

    /// Adds what came of the next piece.
    fn put(&mut self, judged: Judged<'_>) -> Result<(), Stop> {
        self.tally.add(&judged.tally);
        self.refusals.try_reserve(judged.rejects.len())?;
        for (mut refusal, raw) in judged.rejects {
            refusal.line += self.place.line;
            self.refusals.push(refusal);
            self.reject(raw)?;
        }
        self.place.line += judged.lines;
        Ok(())
    }

    fn reject(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if self.keeps_rejects {
            self.rejected.try_reserve(bytes.len())?;
            self.rejected.extend_from_slice(bytes);
        }
        Ok(())
    }
}

/// Cuts whole lines into pieces.
fn cut<'a>(mut lines: &'a [u8], mut is_start: bool, pieces: &mut Vec<Piece<'a>>) {
    while !lines.is_empty() {
        let from = PIECE_BYTES.min(lines.len() - 1);
        let end = memchr(b'\n', &lines[from..]).map_or(lines.len(), |at| from + at + 1);
        let (bytes, rest) = lines.split_at(end);
        pieces.push(Piece { bytes, is_start });
        (lines, is_start) = (rest, false);
    }
}

/// The bytes of a piece, but for the line that goes beyond: a thread's work of 200 µs, and
/// enough messages to be hashed together.
const PIECE_BYTES: usize = 256 * 1024;
