//! Lanes of plain arrays, on every processor: the truth the other lanes are held to.

#![expect(
    clippy::inline_always,
    reason = "only inside a function of the processor's own do the parts become its instructions"
)]

use crate::{
    Block, Kernel, State,
    hits::hit,
    streams::Wide,
    wide::{self, Lanes, States},
};

/// How many messages go side by side where there are many.
pub(crate) const WIDTH: usize = 8;

/// The kernel of arrays.
pub(crate) struct Arrays;

impl Wide<WIDTH> for Arrays {
    fn cost(&self) -> usize {
        400
    }

    fn compress(
        &self,
        states: &mut States<WIDTH>,
        blocks: &[&[Block]; WIDTH],
        count: usize,
        ahead: &[*const u8; WIDTH],
    ) {
        hit(Kernel::Portable, count);
        wide::compress::<Array<WIDTH>, WIDTH>((), states, blocks, count, ahead);
    }

    fn outer(&self, states: &mut States<WIDTH>, keys: &States<WIDTH>) {
        hit(Kernel::Portable, 1);
        wide::outer::<Array<WIDTH>, WIDTH>((), states, keys);
    }
}

/// Absorbs the blocks of one message.
pub(crate) fn compress(state: &mut State, blocks: &[Block]) {
    hit(Kernel::Portable, blocks.len());
    let mut states = States(state.map(|word| [word]));
    wide::compress::<Array<1>, 1>(
        (),
        &mut states,
        &[blocks],
        blocks.len(),
        &[std::ptr::null()],
    );
    *state = states.0.map(|[word]| word);
}

/// `WIDTH` words in an array.
#[derive(Clone, Copy)]
pub(crate) struct Array<const WIDTH: usize>([u32; WIDTH]);

impl<const WIDTH: usize> Array<WIDTH> {
    #[inline(always)]
    fn each(self, word: impl Fn(usize, u32) -> u32) -> Self {
        Self(std::array::from_fn(|lane| word(lane, self.0[lane])))
    }
}

impl<const WIDTH: usize> Lanes<WIDTH> for Array<WIDTH> {
    type Proof = ();

    #[inline(always)]
    fn splat((): (), word: u32) -> Self {
        Self([word; WIDTH])
    }

    #[inline(always)]
    fn load((): (), words: &[u32; WIDTH]) -> Self {
        Self(*words)
    }

    #[inline(always)]
    fn store(self, words: &mut [u32; WIDTH]) {
        *words = self.0;
    }

    #[inline(always)]
    fn message((): (), blocks: [&Block; WIDTH]) -> [Self; 16] {
        std::array::from_fn(|t| {
            Self(blocks.map(|block| u32::from_be_bytes(block.as_chunks().0[t])))
        })
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.each(|lane, word| word.wrapping_add(other.0[lane]))
    }

    #[inline(always)]
    fn rotations<const N: i32, const M: i32, const K: i32>(self) -> Self {
        self.each(|_, word| rotated::<N>(word) ^ rotated::<M>(word) ^ rotated::<K>(word))
    }

    #[inline(always)]
    fn rotations_and_shift<const N: i32, const M: i32, const K: i32>(self) -> Self {
        self.each(|_, word| rotated::<N>(word) ^ rotated::<M>(word) ^ (word >> K))
    }

    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        self.each(|lane, word| (word & yes.0[lane]) ^ (!word & no.0[lane]))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        self.each(|lane, word| (word & b.0[lane]) ^ (word & c.0[lane]) ^ (b.0[lane] & c.0[lane]))
    }

    #[inline(always)]
    fn prefetch((): (), _: *const u8) {}
}

#[inline(always)]
fn rotated<const N: i32>(word: u32) -> u32 {
    word.rotate_right(N.unsigned_abs())
}
