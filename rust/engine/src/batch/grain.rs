//! A part of a chunk, judged by one thread: its MACs are computed and compared.

use std::ops::Deref;

use hookseal_lanes::{Job, Kernel, KeyState, Mac, Watch, prefetch};

use crate::{
    compare::matches_any,
    endpoint::{Endpoint, Positions},
    key::Key,
    outcome::Outcome,
    stop::Stop,
    verify,
};

/// What came of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The outcome.
    pub outcome: Outcome,
    /// The header family that was used; 0 for a message that was refused before any was.
    pub family: u8,
}

impl Judged {
    /// Of a slot that nobody has written to.
    pub(super) const UNVERIFIED: Self = Self {
        outcome: Outcome::UNVERIFIED,
        family: 0,
    };
}

/// One message, by where its parts lie in the chunk's lists. It is small, so that a chunk of them
/// stays near while it is read and hashed.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) index: usize,
    /// What there is to try, or why it was refused.
    pub(super) ready: Result<Ready, Outcome>,
    pub(super) endpoint: u32,
    /// Where the signed bytes before its body begin and end, and where those behind it end.
    pub(super) start: u32,
    pub(super) head: u32,
    pub(super) tail: u32,
    /// Its candidates, from the first to the one behind the last.
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Message {
    /// A place in a chunk's list.
    ///
    /// # Panics
    /// If the list is longer than whoever heeds [`super::Chunk::is_full`] makes it.
    pub(super) fn place(at: usize) -> u32 {
        u32::try_from(at).expect("the lists of a chunk are short")
    }
}

/// A message that passed everything but its MACs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub(super) timestamp: Option<i64>,
    pub(super) live: Positions,
    pub(super) family: u8,
}

impl Ready {
    /// What came of it, once it is known which secret matched.
    fn judged(self, matched: Option<usize>) -> Judged {
        let Self {
            timestamp,
            live,
            family,
        } = self;
        Judged {
            outcome: verify::outcome(matched, timestamp, live, family),
            family,
        }
    }
}

/// The messages of a grain, and the lists of its chunk.
pub(super) struct Part<'a, B, E> {
    pub(super) messages: &'a [Message],
    pub(super) bodies: &'a [B],
    pub(super) around: &'a [u8],
    pub(super) candidates: &'a [Mac],
    pub(super) endpoints: &'a [E],
}

impl<'a, B: AsRef<[u8]>, E: Deref<Target = Endpoint>> Part<'a, B, E> {
    fn candidates_of(&self, message: &Message) -> &'a [Mac] {
        &self.candidates[message.first as usize..message.last as usize]
    }

    /// Goes on to the next secret that a MAC is needed for. None where there is none: then what
    /// came of the message is written down.
    #[inline]
    fn next(&self, open: &mut Open, judged: &mut [Judged]) -> Option<&'a KeyState> {
        let place = open.place as usize;
        let message = &self.messages[place];
        while let Some(secret) = open.next() {
            match self.endpoints[message.endpoint as usize].key(secret) {
                Key::Mac(key) => return Some(key),
                Key::Token(digest) => {
                    if matches_any(digest, self.candidates_of(message)) {
                        self.judge(place, Some(secret), judged);
                        return None;
                    }
                }
            }
        }
        self.judge(place, None, judged);
        None
    }

    /// Writes down what came of a message, once it is known which secret matched.
    #[inline]
    fn judge(&self, place: usize, matched: Option<usize>, judged: &mut [Judged]) {
        if let Ok(ready) = self.messages[place].ready {
            judged[place] = ready.judged(matched);
        }
    }

    /// What there is to hash of a message under a key.
    #[inline]
    fn job(&self, place: usize, key: &'a KeyState) -> Job<'a> {
        let Message {
            start, head, tail, ..
        } = self.messages[place];
        Job {
            key,
            head: &self.around[start as usize..head as usize],
            body: self.bodies[place].as_ref(),
            tail: &self.around[head as usize..tail as usize],
        }
    }
}

/// What one thread needs while it judges, used again for every grain.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The messages whose MACs are under way.
    open: Vec<Open>,
}

/// A message whose MAC is under way.
#[derive(Debug)]
struct Open {
    /// Its position in the grain.
    place: u32,
    /// The secret that is tried.
    secret: u32,
    /// The live secrets that were not tried yet.
    left: Positions,
}

impl Open {
    /// Goes on to the secret to try next; None where all were.
    #[inline]
    fn next(&mut self) -> Option<usize> {
        let next = self.left.trailing_zeros();
        self.left &= self.left.wrapping_sub(1);
        self.secret = next;
        (next < Positions::BITS).then_some(next as usize)
    }
}

impl Scratch {
    /// Computes and compares the MACs of a grain. A message that one secret refused is hashed under
    /// the next beside those that are tried for the first time.
    pub(super) fn hash<B: AsRef<[u8]>, E: Deref<Target = Endpoint>>(
        &mut self,
        part: &Part<'_, B, E>,
        judged: &mut [Judged],
        kernel: Kernel,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stop> {
        let Self { open } = self;
        open.clear();
        open.try_reserve(part.messages.len())?;
        let mut jobs = Vec::new();
        jobs.try_reserve_exact(part.messages.len())?;
        for (place, message) in part.messages.iter().enumerate() {
            if place < kernel.lanes() {
                prefetch(part.bodies[place].as_ref());
            }
            match message.ready {
                Ok(ready) => {
                    // Here, for what is written in pieces and moved at once waits for the pieces.
                    open.push(Open {
                        place: Message::place(place),
                        secret: 0,
                        left: ready.live,
                    });
                    let it = open.last_mut();
                    match it.and_then(|it| part.next(it, judged)) {
                        Some(key) => jobs.push(part.job(place, key)),
                        None => open.truncate(jobs.len()),
                    }
                }
                Err(refused) => judged[place].outcome = refused,
            }
        }
        kernel.macs_found(&jobs, watch, &mut |at, mac| {
            let it = &mut open[at];
            let place = it.place as usize;
            if matches_any(mac, part.candidates_of(&part.messages[place])) {
                part.judge(place, Some(it.secret as usize), judged);
                None
            } else {
                part.next(it, judged)
            }
        })?;
        Ok(())
    }
}
