//! The threads of one batch. They begin with it and end with it: there is no pool, so a fork
//! finds nothing half alive.

use std::{
    hint,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Scope, Thread},
    time::Duration,
};

use hookseal_lanes::{Interrupted, Kernel, Watch};

use super::Chunk;

/// Lets `work` read chunks while the crew hashes: two chunks take turns. At most `threads`
/// threads are at it, this one among them.
///
/// # Panics
/// If a thread of the crew panicked.
pub fn with_crew<B, T>(
    kernel: Kernel,
    threads: usize,
    work: impl FnOnce(&mut Crew<'_, '_, B>) -> T,
) -> T
where
    B: AsRef<[u8]> + Send + Sync,
{
    let shared = Shared {
        kernel,
        chunks: [RwLock::new(Chunk::new()), RwLock::new(Chunk::new())],
        board: Mutex::new(Board::default()),
        changed: Condvar::new(),
        is_over: AtomicBool::new(false),
        open: AtomicUsize::new(0),
        starts: AtomicUsize::new(0),
        caller: thread::current(),
    };
    thread::scope(|scope| {
        let most = threads.saturating_sub(1);
        work(&mut Crew {
            scope,
            shared: &shared,
            most,
            hired: 0,
            filling: 0,
            started_bytes: 0,
        })
    })
}

/// The caller's side of the crew.
pub struct Crew<'scope, 'env, B: AsRef<[u8]> + Send + Sync> {
    scope: &'scope Scope<'scope, 'env>,
    shared: &'scope Shared<B>,
    most: usize,
    hired: usize,
    /// Which of the two chunks is read into.
    filling: usize,
    /// The work in the other one, when it was started.
    started_bytes: usize,
}

impl<B: AsRef<[u8]> + Send + Sync> Crew<'_, '_, B> {
    /// The chunk to read into.
    pub fn chunk(&self) -> RwLockWriteGuard<'_, Chunk<B>> {
        self.shared.own(self.filling)
    }

    /// The chunk that [`Crew::finish`] finished.
    pub fn finished(&self) -> RwLockWriteGuard<'_, Chunk<B>> {
        self.shared.own(1 - self.filling)
    }

    /// About how many bytes there are to hash in the chunk that was started.
    #[must_use]
    pub fn started_bytes(&self) -> usize {
        self.started_bytes
    }

    /// Whether others hash while this thread reads on.
    #[must_use]
    pub fn has_help(&self) -> bool {
        self.hired > 0
    }

    /// Gives the chunk that was read to the crew; from here [`Crew::chunk`] is the other one.
    /// The chunk before must be finished. `chunks` is how many there are about to be, this
    /// one among them: threads are started only where the whole is worth it.
    pub fn start(&mut self, chunks: usize) {
        let work = self.chunk().work();
        self.started_bytes = work;
        self.hire(work.saturating_mul(chunks) / BYTES_PER_THREAD);
        let grains = {
            let mut chunk = self.chunk();
            chunk.close(self.hired + 1, self.shared.kernel);
            chunk.grains()
        };
        {
            // Under the lock, all of it: a thread that looks sees the chunk, or is woken for it.
            let mut board = self.shared.board();
            *board = Board {
                which: self.filling,
                next: 0,
                grains,
                ..Board::default()
            };
            self.shared.open.store(grains, Ordering::Relaxed);
            self.shared.starts.fetch_add(1, Ordering::Release);
        }
        if self.hired > 0 {
            self.shared.changed.notify_all();
        }
        self.filling = 1 - self.filling;
    }

    /// Helps with the chunk that was started, and waits for its last grain.
    ///
    /// # Errors
    /// [`Interrupted`] if `watch` says so, or a thread of the crew panicked; then there is
    /// nothing to do but to drop the crew. The watch is called on this thread alone, with 0
    /// while it waits.
    pub fn finish(&self, watch: &mut Watch<'_>) -> Result<(), Interrupted> {
        // Taken by a call of its own: in the loop's head the lock would be held in its body.
        let take = || self.shared.board().take();
        while let Some((which, grain)) = take() {
            if self.shared.is_over.load(Ordering::Relaxed) {
                return Err(Interrupted);
            }
            self.shared.hash(which, grain, watch)?;
        }
        spin_until(|| self.shared.open.load(Ordering::Relaxed) == 0);
        while !self.shared.board().is_done() {
            if self.shared.is_over.load(Ordering::Relaxed) {
                return Err(Interrupted);
            }
            thread::park_timeout(WAIT);
            watch(0)?;
        }
        Ok(())
    }

    fn hire(&mut self, wanted: usize) {
        while self.hired < self.most.min(wanted) {
            let name = "hookseal".to_owned();
            let shared = self.shared;
            let worker = move || shared.work();
            if thread::Builder::new()
                .name(name)
                .spawn_scoped(self.scope, worker)
                .is_err()
            {
                // No thread to be had: those that are there do the work.
                self.most = self.hired;
                return;
            }
            self.hired += 1;
        }
    }
}

impl<B: AsRef<[u8]> + Send + Sync> Drop for Crew<'_, '_, B> {
    fn drop(&mut self) {
        self.shared.send_home();
    }
}

/// What all threads of the crew see.
struct Shared<B> {
    kernel: Kernel,
    chunks: [RwLock<Chunk<B>>; 2],
    board: Mutex<Board>,
    changed: Condvar,
    is_over: AtomicBool,
    /// Grains that are not done, and how often a chunk was started: what is spun on. The board
    /// alone decides.
    open: AtomicUsize,
    starts: AtomicUsize,
    caller: Thread,
}

/// Which grains of which chunk are taken, and which are done.
#[derive(Default)]
struct Board {
    which: usize,
    next: usize,
    done: usize,
    grains: usize,
}

impl Board {
    fn take(&mut self) -> Option<(usize, usize)> {
        let grain = (self.next < self.grains).then_some(self.next)?;
        self.next += 1;
        Some((self.which, grain))
    }

    fn is_done(&self) -> bool {
        self.done == self.grains
    }
}

impl<B: AsRef<[u8]> + Send + Sync> Shared<B> {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn own(&self, which: usize) -> RwLockWriteGuard<'_, Chunk<B>> {
        self.chunks[which]
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a thread of the crew.
    fn work(&self) {
        let _alarm = Alarm(self);
        let mut watch = |_| {
            if self.is_over.load(Ordering::Relaxed) {
                Err(Interrupted)
            } else {
                Ok(())
            }
        };
        while let Some((which, grain)) = self.wait() {
            if self.hash(which, grain, &mut watch).is_err() {
                return;
            }
        }
    }

    /// The next grain, once there is one; None when the batch is over.
    fn wait(&self) -> Option<(usize, usize)> {
        let mut board = self.board();
        loop {
            if self.is_over.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(grain) = board.take() {
                return Some(grain);
            }
            let seen = self.starts.load(Ordering::Acquire);
            drop(board);
            spin_until(|| self.starts.load(Ordering::Acquire) != seen);
            board = self.board();
            if self.starts.load(Ordering::Acquire) == seen && !self.is_over.load(Ordering::Relaxed)
            {
                board = self
                    .changed
                    .wait(board)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn hash(&self, which: usize, grain: usize, watch: &mut Watch<'_>) -> Result<(), Interrupted> {
        {
            // Let go before the grain is counted: the caller will want the chunk for itself.
            let chunk = self.chunks[which]
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            chunk.hash(grain, self.kernel, watch)?;
        }
        let mut board = self.board();
        board.done += 1;
        self.open.fetch_sub(1, Ordering::Relaxed);
        if board.is_done() {
            self.caller.unpark();
        }
        Ok(())
    }

    fn send_home(&self) {
        // Under the lock, so that nobody looks before and waits behind.
        let board = self.board();
        self.is_over.store(true, Ordering::Relaxed);
        drop(board);
        self.changed.notify_all();
        self.caller.unpark();
    }
}

/// Ends the batch if a thread of the crew panics: its grain would be waited for.
struct Alarm<'a, B: AsRef<[u8]> + Send + Sync>(&'a Shared<B>);

impl<B: AsRef<[u8]> + Send + Sync> Drop for Alarm<'_, B> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.send_home();
        }
    }
}

/// The least work, in hashed bytes, for which a thread is started: starting and ending one
/// takes about 50 µs, in which 100 KiB are hashed.
const BYTES_PER_THREAD: usize = 256 * 1024;

/// Waits for what is about to come, without going to sleep: waking up takes longer. Gives up
/// after some 20 µs.
fn spin_until(is_so: impl Fn() -> bool) {
    for _ in 0..SPINS {
        if is_so() {
            return;
        }
        hint::spin_loop();
    }
}

/// How often is looked before a thread goes to sleep.
const SPINS: usize = 500;

/// How often a thread that waits for others looks whether it is to stop.
const WAIT: Duration = Duration::from_millis(10);
