//! A part of a chunk, judged by one thread: its headers are read, and its MACs computed and
//! compared.

use std::collections::TryReserveError;

use hookseal_lanes::{Job, Kernel, Mac, Watch};
use zeroize::{Zeroizing, optimization_barrier};

use crate::{
    compare::matches_any,
    endpoint::{Endpoint, Positions},
    header::Values,
    key::Key,
    outcome::Outcome,
    signature::MAX_CANDIDATES,
    stop::Stop,
    verify::{self, MAX_AROUND_BYTES, Rules, write_parts},
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

/// What one thread needs while it judges, used again for every grain.
#[derive(Debug, Default)]
pub struct Scratch {
    pending: Vec<Pending>,
    /// The signed bytes around the bodies.
    around: Vec<u8>,
    candidates: Vec<Mac>,
    /// The messages whose MACs are under way: their positions among `pending`, and the secret.
    open: Vec<(usize, usize)>,
    /// What forged messages should have carried: nobody's to read, where the work was stopped
    /// neither.
    macs: Zeroizing<Vec<Mac>>,
}

/// A message that passed everything but its MACs.
#[derive(Debug)]
struct Pending {
    /// Its position in the grain.
    place: usize,
    timestamp: Option<i64>,
    /// Where its parts end in the grain's lists: each begins where the one before ends.
    head: usize,
    tail: usize,
    candidates: usize,
    live: Positions,
    /// The live secrets that were not tried yet.
    left: Positions,
    matched: Option<u8>,
    family: u8,
}

impl Scratch {
    /// Begins with a number of messages.
    pub(super) fn begin(&mut self, count: usize) -> Result<(), TryReserveError> {
        self.pending.clear();
        self.around.clear();
        self.candidates.clear();
        self.pending.try_reserve(count)?;
        self.open.try_reserve(count)?;
        self.macs.try_reserve(count)
    }

    /// Judges the next message as far as that needs no MAC; None if it needs one.
    #[inline(never)]
    pub(super) fn read(
        &mut self,
        place: usize,
        endpoint: &Endpoint,
        rules: &Rules,
        body: &[u8],
        values: &impl Values,
        at: i64,
    ) -> Result<Option<Outcome>, TryReserveError> {
        // So that nothing is allocated while the message is judged.
        self.candidates.try_reserve(MAX_CANDIDATES)?;
        self.around.try_reserve(2 * MAX_AROUND_BYTES)?;
        let found = |candidate| self.candidates.push(candidate);
        let prepared = match verify::prepare(endpoint, rules, body, values, at, found) {
            Ok(prepared) => prepared,
            Err(refused) => return Ok(Some(refused)),
        };
        let scheme = endpoint.scheme();
        let [head, tail] = [&scheme.head, &scheme.tail].map(|parts| {
            write_parts(parts, prepared.id, prepared.timestamp_text, |part| {
                self.around.extend_from_slice(part);
            });
            self.around.len()
        });
        self.pending.push(Pending {
            place,
            timestamp: prepared.timestamp,
            head,
            tail,
            candidates: self.candidates.len(),
            live: prepared.live,
            left: prepared.live,
            matched: None,
            family: prepared.family,
        });
        Ok(None)
    }

    /// Computes and compares the MACs of what was read: one wave for each secret, so that the
    /// second is tried only for messages the first refused.
    pub(super) fn hash<'a>(
        &mut self,
        endpoint: impl Fn(usize) -> &'a Endpoint,
        body: impl Fn(usize) -> &'a [u8],
        judged: &mut [Judged],
        kernel: Kernel,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stop> {
        let Self {
            pending,
            around,
            candidates,
            open,
            macs,
        } = self;
        let mut jobs = Vec::new();
        jobs.try_reserve_exact(pending.len())?;
        loop {
            open.clear();
            jobs.clear();
            let mut is_last = true;
            let (mut start, mut first) = (0, 0);
            for (number, message) in pending.iter_mut().enumerate() {
                let (head, tail) = (&around[start..message.head], message.head..message.tail);
                let own = &candidates[first..message.candidates];
                (start, first) = (message.tail, message.candidates);
                let Some(secret) = message.next() else {
                    continue;
                };
                is_last = false;
                match &endpoint(message.place).held()[secret].key {
                    Key::Mac(key) => {
                        let body = body(message.place);
                        let tail = &around[tail];
                        jobs.push(Job {
                            key,
                            head,
                            body,
                            tail,
                        });
                        open.push((number, secret));
                    }
                    Key::Token(digest) => message.compare(secret, digest, own),
                }
            }
            if is_last {
                break;
            }
            // None of the wave before: a slot that is not written must be nobody's MAC.
            macs.clear();
            macs.resize(jobs.len(), Mac::default());
            kernel.macs(&jobs, macs, watch)?;
            for ((number, secret), mac) in open.iter().zip(macs.iter()) {
                let first = match number {
                    0 => 0,
                    after => pending[after - 1].candidates,
                };
                let message = &mut pending[*number];
                message.compare(*secret, mac, &candidates[first..message.candidates]);
            }
        }
        // What a forged message should have carried is nobody's to read: of no wave, and the first
        // was the longest.
        macs.clear();
        let room = macs.capacity();
        macs.resize(room, Mac::default());
        optimization_barrier(macs.as_slice());
        macs.clear();
        for message in pending.drain(..) {
            judged[message.place] = message.judged();
        }
        Ok(())
    }
}

impl Pending {
    /// The position of the secret to try next.
    fn next(&mut self) -> Option<usize> {
        let next = self.left.trailing_zeros();
        self.left &= self.left.wrapping_sub(1);
        (next < Positions::BITS).then_some(next as usize)
    }

    fn compare(&mut self, secret: usize, mac: &Mac, candidates: &[Mac]) {
        if matches_any(mac, candidates) {
            self.matched = u8::try_from(secret).ok();
            self.left = 0;
        }
    }

    fn judged(&self) -> Judged {
        let Self {
            timestamp,
            live,
            family,
            ..
        } = *self;
        let matched = self.matched.map(usize::from);
        Judged {
            outcome: verify::outcome(matched, timestamp, live, family),
            family,
        }
    }
}
