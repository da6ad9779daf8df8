//! Two messages side by side: each cut into runs of whole blocks, and walked in step.

use std::{ops::Range, slice::from_ref};

use crate::{
    BLOCK_BYTES, Interrupted, Job, Kernel, Mac,
    hmac::{OUTER_PADDING, Pace, STEP_BYTES, digest_of},
    shani2,
};

type Block = [u8; BLOCK_BYTES];

/// The MACs of jobs, two at a time. Neighbours in the order of their lengths are paired, so
/// that few blocks are left without a partner.
pub(crate) fn macs(
    jobs: &[Job<'_>],
    macs: &mut [Mac],
    pace: &mut Pace<'_, '_>,
    prefetch: impl Fn(&[u8]),
) -> Result<(), Interrupted> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    let blocks = |at: &usize| block_count(&jobs[*at]);
    if !order.is_sorted_by_key(blocks) {
        order.sort_by_key(blocks);
    }
    let mut scratch = Vec::new();
    for (at, pair) in order.chunks(2).enumerate() {
        for next in order.iter().skip(2 * at + 2).take(2) {
            prefetch(jobs[*next].body);
        }
        match *pair {
            [a, b] => [macs[a], macs[b]] = two([&jobs[a], &jobs[b]], &mut scratch, pace)?,
            [a] => macs[a] = crate::hmac::mac(Kernel::Single, &jobs[a], pace)?,
            _ => {}
        }
    }
    Ok(())
}

fn two(
    jobs: [&Job<'_>; 2],
    scratch: &mut Vec<Block>,
    pace: &mut Pace<'_, '_>,
) -> Result<[Mac; 2], Interrupted> {
    scratch.clear();
    let cuts = jobs.map(|job| Cut::of(job, scratch));
    let mut states = jobs.map(|job| job.key.inner);
    let mut runs = [cuts[0].runs(scratch), cuts[1].runs(scratch)];
    let mut heads: [&[Block]; 2] = [&[], &[]];
    loop {
        for (head, runs) in heads.iter_mut().zip(&mut runs) {
            while head.is_empty() {
                let Some(run) = runs.next() else { break };
                *head = run;
            }
        }
        let [a, b] = heads.map(<[Block]>::len);
        let taken = match (a, b) {
            (0, 0) => break,
            (some, 0) | (0, some) => some.min(STEP_BLOCKS),
            (a, b) => a.min(b).min(STEP_BLOCKS),
        };
        if a > 0 && b > 0 {
            shani2::compress(&mut states, heads.map(|head| &head[..taken]));
        } else {
            let at = usize::from(a == 0);
            Kernel::Single.compress(&mut states[at], &heads[at][..taken]);
        }
        for head in &mut heads {
            if !head.is_empty() {
                *head = &head[taken..];
                pace.hashed(taken * BLOCK_BYTES)?;
            }
        }
    }
    let outer = states.map(|state| {
        let mut block = OUTER_PADDING;
        let digest = digest_of(&state);
        block[..digest.len()].copy_from_slice(&digest);
        block
    });
    let mut states = jobs.map(|job| job.key.outer);
    shani2::compress(&mut states, [from_ref(&outer[0]), from_ref(&outer[1])]);
    Ok(states.each_ref().map(digest_of))
}

/// Blocks between two words with the watch, for one of the two messages.
const STEP_BLOCKS: usize = STEP_BYTES / 2 / BLOCK_BYTES;

/// A message as three runs of whole blocks: what comes before the body's own blocks, those
/// where they lie, and the rest with its padding.
struct Cut<'a> {
    front: Range<usize>,
    middle: &'a [Block],
    back: Range<usize>,
}

impl<'a> Cut<'a> {
    /// Cuts a job. Front and back are written to `scratch`; the body is not copied but for
    /// what fills up their blocks.
    fn of(job: &Job<'a>, scratch: &mut Vec<Block>) -> Self {
        let to_fill = job.head.len().next_multiple_of(BLOCK_BYTES) - job.head.len();
        let (fill, body) = job.body.split_at(to_fill.min(job.body.len()));
        let start = scratch.len();
        let mut writer = Writer::new(scratch);
        writer.write(job.head);
        writer.write(fill);
        // Too short a body leaves the last block open, and what follows goes into it: the runs
        // are made when all is written.
        let front = start..writer.blocks.len();
        let (middle, rest) = body.as_chunks();
        writer.write(rest);
        writer.write(job.tail);
        let length = BLOCK_BYTES + job.head.len() + job.body.len() + job.tail.len();
        writer.pad(length as u64);
        let back = front.end..scratch.len();
        Self {
            front,
            middle,
            back,
        }
    }

    fn runs<'s>(&self, scratch: &'s [Block]) -> std::array::IntoIter<&'s [Block], 3>
    where
        'a: 's,
    {
        [
            &scratch[self.front.clone()],
            self.middle,
            &scratch[self.back.clone()],
        ]
        .into_iter()
    }
}

/// How many blocks the inner hash of a job has, behind the key's.
fn block_count(job: &Job<'_>) -> usize {
    (job.head.len() + job.body.len() + job.tail.len() + PADDING_BYTES).div_ceil(BLOCK_BYTES)
}

/// FIPS 180-4 §5.1.1: at least one byte for the one bit, and eight for the length.
const PADDING_BYTES: usize = 9;

/// Fills blocks one after the other.
struct Writer<'s> {
    blocks: &'s mut Vec<Block>,
    /// Bytes of the last block that are written; 64 where it is full, or there is none.
    filled: usize,
}

impl<'s> Writer<'s> {
    fn new(blocks: &'s mut Vec<Block>) -> Self {
        Self {
            blocks,
            filled: BLOCK_BYTES,
        }
    }

    fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.room().len()));
            self.room()[..now.len()].copy_from_slice(now);
            self.filled += now.len();
            bytes = later;
        }
    }

    /// FIPS 180-4 §5.1.1: a one bit, zeros, and the length in bits as the last eight bytes.
    fn pad(&mut self, length: u64) {
        self.write(&[0x80]);
        if self.room().len() < size_of::<u64>() {
            self.filled = BLOCK_BYTES;
        }
        let room = self.room();
        let at = room.len() - size_of::<u64>();
        room[at..].copy_from_slice(&(length * 8).to_be_bytes());
    }

    /// What is free of the last block; a new block of zeros where it is full.
    fn room(&mut self) -> &mut [u8] {
        if self.filled == BLOCK_BYTES {
            self.blocks.push([0; BLOCK_BYTES]);
            self.filled = 0;
        }
        let last = self.blocks.len() - 1;
        &mut self.blocks[last][self.filled..]
    }
}
