//! A part of a chunk, judged by one thread: its MACs are computed and compared.

use std::ops::{Deref, Range};

use hookseal_lanes::{Job, Kernel, Mac, Watch, prefetch};
use zeroize::optimization_barrier;

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

/// One message, by where its parts lie in the chunk's lists.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) index: usize,
    /// What there is to try, or why it was refused.
    pub(super) ready: Result<Ready, Outcome>,
    pub(super) endpoint: usize,
    /// Where the signed bytes before its body begin and end, and where those behind it end.
    pub(super) start: usize,
    pub(super) head: usize,
    pub(super) tail: usize,
    pub(super) candidates: Range<usize>,
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
        &self.candidates[message.candidates.clone()]
    }

    /// Goes on to the next secret that a MAC is needed for. None where there is none: then what
    /// came of the message is written down.
    #[inline]
    fn next(&self, open: &mut Open, judged: &mut [Judged]) -> Option<Job<'a>> {
        let message = &self.messages[open.place];
        while let Some(secret) = open.next() {
            match self.endpoints[message.endpoint].key(secret) {
                Key::Mac(key) => {
                    return Some(Job {
                        key,
                        head: &self.around[message.start..message.head],
                        body: self.bodies[open.place].as_ref(),
                        tail: &self.around[message.head..message.tail],
                    });
                }
                Key::Token(digest) => {
                    if matches_any(digest, self.candidates_of(message)) {
                        judged[open.place] = open.ready.judged(Some(secret));
                        return None;
                    }
                }
            }
        }
        judged[open.place] = open.ready.judged(None);
        None
    }
}

/// What one thread needs while it judges, used again for every grain.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The messages whose MACs are under way.
    open: Vec<Open>,
    macs: Macs,
}

/// What forged messages should have carried: nobody's to read, where the work was stopped neither.
/// The list is wiped whole: the loop of `Zeroizing` writes byte by byte, which is a hundredth of a
/// batch of 500.
#[derive(Debug, Default)]
struct Macs(Vec<Mac>);

impl Macs {
    /// Overwrites all that the list has room for, and leaves it empty.
    fn wipe(&mut self) {
        let Self(macs) = self;
        macs.clear();
        macs.resize(macs.capacity(), Mac::default());
        optimization_barrier(macs.as_slice());
        macs.clear();
    }
}

impl Drop for Macs {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// A message whose MAC is under way.
#[derive(Debug)]
struct Open {
    /// Its position in the grain.
    place: usize,
    ready: Ready,
    /// The secret that is tried.
    secret: usize,
    /// The live secrets that were not tried yet.
    left: Positions,
    is_matched: bool,
}

impl Open {
    /// Goes on to the secret to try next; None where all were.
    #[inline]
    fn next(&mut self) -> Option<usize> {
        let next = self.left.trailing_zeros();
        self.left &= self.left.wrapping_sub(1);
        self.secret = next as usize;
        (next < Positions::BITS).then_some(self.secret)
    }
}

impl Scratch {
    /// Computes and compares the MACs of a grain: one wave for each secret, so that the second is
    /// tried only for messages the first refused.
    pub(super) fn hash<B: AsRef<[u8]>, E: Deref<Target = Endpoint>>(
        &mut self,
        part: &Part<'_, B, E>,
        judged: &mut [Judged],
        kernel: Kernel,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stop> {
        let Self { open, macs } = self;
        let Macs(list) = macs;
        open.clear();
        open.try_reserve(part.messages.len())?;
        list.try_reserve(part.messages.len())?;
        let mut jobs = Vec::new();
        jobs.try_reserve_exact(part.messages.len())?;
        for (place, message) in part.messages.iter().enumerate() {
            if place < kernel.lanes() {
                prefetch(part.bodies[place].as_ref());
            }
            match message.ready {
                Ok(ready) => {
                    let mut it = Open {
                        place,
                        ready,
                        secret: 0,
                        left: ready.live,
                        is_matched: false,
                    };
                    if let Some(job) = part.next(&mut it, judged) {
                        jobs.push(job);
                        open.push(it);
                    }
                }
                Err(refused) => judged[place].outcome = refused,
            }
        }
        while !jobs.is_empty() {
            // None of the wave before: a slot that is not written must be nobody's MAC.
            list.clear();
            list.resize(jobs.len(), Mac::default());
            kernel.macs(&jobs, list, watch)?;
            for (it, mac) in open.iter_mut().zip(list.iter()) {
                it.is_matched = matches_any(mac, part.candidates_of(&part.messages[it.place]));
                if it.is_matched {
                    judged[it.place] = it.ready.judged(Some(it.secret));
                }
            }
            jobs.clear();
            open.retain_mut(|it| {
                let job = if it.is_matched {
                    None
                } else {
                    part.next(it, judged)
                };
                jobs.extend(job);
                job.is_some()
            });
        }
        // Of every wave: the first was the longest.
        macs.wipe();
        Ok(())
    }
}
