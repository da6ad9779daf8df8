//! Which kernel's own code ran. Counted behind the feature `hits`, which tests alone turn on:
//! without it nothing is counted, and nothing is left of this in the binary.

#[cfg(feature = "hits")]
pub(crate) use counted::hit;
#[cfg(feature = "hits")]
pub use counted::{Hit, during};

/// Notes that a kernel's own code absorbs blocks: so many, or so many in each of its lanes.
#[cfg(not(feature = "hits"))]
#[inline]
pub(crate) fn hit(_: crate::Kernel, _: usize) {}

#[cfg(feature = "hits")]
mod counted {
    use std::cell::Cell;

    use crate::Kernel;

    thread_local! {
        static BLOCKS: Cell<[usize; Kernel::ALL.len()]> = Cell::default();
    }

    pub(crate) fn hit(kernel: Kernel, count: usize) {
        let mut blocks = BLOCKS.get();
        blocks[kernel as usize] += count;
        BLOCKS.set(blocks);
    }

    /// A kernel whose own code ran, and how many blocks it absorbed: lanes in step count once.
    pub type Hit = (Kernel, usize);

    /// What came of some work, and which kernels did it on this thread.
    pub fn during<T>(work: impl FnOnce() -> T) -> (T, Vec<Hit>) {
        let before = BLOCKS.get();
        let result = work();
        let after = BLOCKS.get();
        let hits = Kernel::ALL
            .into_iter()
            .map(|kernel| {
                let at = kernel as usize;
                (kernel, after[at] - before[at])
            })
            .filter(|(_, blocks)| *blocks > 0);
        (result, hits.collect())
    }
}
