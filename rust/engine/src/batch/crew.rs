//! The threads of one batch. They begin with it and end with it: there is no pool, so a fork
//! finds nothing half alive.

use std::{
    collections::TryReserveError,
    hint,
    ops::Deref,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Scope, Thread},
    time::Duration,
};

use hookseal_lanes::{Interrupted, Kernel, Watch};

use super::{Chunk, Scratch};
use crate::{endpoint::Endpoint, stop::Stop, verify::Rules};

/// Lets `work` fill chunks while the crew judges and hashes: three take turns, one that is
/// filled, one that is hashed and one whose outcomes are handed out. At most `threads` threads
/// are at it, this one among them.
///
/// # Panics
/// If a thread of the crew panicked.
pub fn with_crew<B, E, T>(
    kernel: Kernel,
    threads: usize,
    rules: Rules,
    work: impl FnOnce(&mut Crew<'_, '_, B, E>) -> T,
) -> T
where
    B: AsRef<[u8]> + Send + Sync,
    E: Deref<Target = Endpoint> + Clone + Send + Sync,
{
    let shared = Shared {
        kernel,
        chunks: [(); CHUNKS].map(|()| RwLock::new(Chunk::new(rules))),
        board: Mutex::new(Board::default()),
        changed: Condvar::new(),
        is_over: AtomicBool::new(false),
        is_short: AtomicBool::new(false),
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
            started: 0,
            finished: 0,
            started_bytes: 0,
            scratch: Scratch::default(),
        })
    })
}

/// The caller's side of the crew.
pub struct Crew<'scope, 'env, B, E = Arc<Endpoint>>
where
    B: AsRef<[u8]> + Send + Sync,
    E: Deref<Target = Endpoint> + Clone + Send + Sync,
{
    scope: &'scope Scope<'scope, 'env>,
    shared: &'scope Shared<B, E>,
    most: usize,
    hired: usize,
    /// Which of the chunks is filled, was started last, was finished last.
    filling: usize,
    started: usize,
    finished: usize,
    /// The work in the one that was started.
    started_bytes: usize,
    scratch: Scratch,
}

impl<B, E> Crew<'_, '_, B, E>
where
    B: AsRef<[u8]> + Send + Sync,
    E: Deref<Target = Endpoint> + Clone + Send + Sync,
{
    /// The chunk to fill.
    pub fn chunk(&self) -> RwLockWriteGuard<'_, Chunk<B, E>> {
        self.shared.own(self.filling)
    }

    /// The chunk that [`Crew::finish`] finished.
    pub fn finished(&self) -> RwLockWriteGuard<'_, Chunk<B, E>> {
        self.shared.own(self.finished)
    }

    /// About how many bytes there are to hash in the chunk that was started.
    #[must_use]
    pub fn started_bytes(&self) -> usize {
        self.started_bytes
    }

    /// Whether others hash while this thread fills the next chunk.
    #[must_use]
    pub fn has_help(&self) -> bool {
        self.hired > 0
    }

    /// Closes the chunk that was filled. `chunks` is how many there are about to be, this one
    /// among them: threads are started only where the whole is worth it.
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then the chunk has nothing that can be started.
    pub fn close(&mut self, chunks: usize) -> Result<(), TryReserveError> {
        let work = self.chunk().work();
        self.hire(work.saturating_mul(chunks) / BYTES_PER_THREAD);
        self.chunk().close(self.hired + 1, self.shared.kernel)
    }

    /// Gives the chunk that was closed to the crew. With help, [`Crew::chunk`] is another one
    /// from here; without, it is the same, still in the near cache, and must be settled first.
    /// The chunk before must be finished.
    pub fn start(&mut self) {
        let (work, grains) = {
            let chunk = self.chunk();
            (chunk.work(), chunk.grains())
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
        self.started_bytes = work;
        self.started = self.filling;
        if self.hired > 0 {
            self.filling = (self.filling + 1) % CHUNKS;
        }
    }

    /// Helps with the chunk that was started, and waits for its last grain.
    ///
    /// # Errors
    /// [`Stop`] if `watch` says so, memory is short, or a thread of the crew panicked; then
    /// there is nothing to do but to drop the crew. The watch is called on this thread alone, with 0
    /// while it waits.
    pub fn finish(&mut self, watch: &mut Watch<'_>) -> Result<(), Stop> {
        // Taken by a call of its own: in the loop's head the lock would be held in its body.
        let shared = self.shared;
        let take = || shared.board().take();
        while let Some((which, grain)) = take() {
            shared.go_on()?;
            shared.hash(which, grain, &mut self.scratch, watch)?;
        }
        spin_until(|| self.shared.open.load(Ordering::Relaxed) == 0);
        while !self.shared.board().is_done() {
            shared.go_on()?;
            thread::park_timeout(WAIT);
            watch(0)?;
        }
        self.finished = self.started;
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

impl<B, E> Drop for Crew<'_, '_, B, E>
where
    B: AsRef<[u8]> + Send + Sync,
    E: Deref<Target = Endpoint> + Clone + Send + Sync,
{
    fn drop(&mut self) {
        self.shared.send_home();
    }
}

/// What all threads of the crew see.
struct Shared<B, E> {
    kernel: Kernel,
    chunks: [RwLock<Chunk<B, E>>; CHUNKS],
    board: Mutex<Board>,
    changed: Condvar,
    is_over: AtomicBool,
    /// Whether it is over because memory is short; written before that.
    is_short: AtomicBool,
    /// Grains that are not done, and how often a chunk was started: what is spun on. The board
    /// alone decides.
    open: AtomicUsize,
    starts: AtomicUsize,
    caller: Thread,
}

/// How many chunks there are.
const CHUNKS: usize = 3;

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

impl<B, E> Shared<B, E>
where
    B: AsRef<[u8]> + Send + Sync,
    E: Deref<Target = Endpoint> + Clone + Send + Sync,
{
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn own(&self, which: usize) -> RwLockWriteGuard<'_, Chunk<B, E>> {
        self.chunks[which]
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a thread of the crew.
    fn work(&self) {
        let _alarm = Alarm(self);
        let mut watch = |_| self.go_on().map_err(|_| Interrupted);
        let mut scratch = Scratch::default();
        while let Some((which, grain)) = self.wait() {
            match self.hash(which, grain, &mut scratch, &mut watch) {
                Ok(()) => {}
                Err(Stop::Interrupted) => return,
                Err(Stop::NoMemory) => {
                    self.is_short.store(true, Ordering::Relaxed);
                    return self.send_home();
                }
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

    /// Whether the work goes on, and why not.
    fn go_on(&self) -> Result<(), Stop> {
        if !self.is_over.load(Ordering::Acquire) {
            Ok(())
        } else if self.is_short.load(Ordering::Relaxed) {
            Err(Stop::NoMemory)
        } else {
            Err(Stop::Interrupted)
        }
    }

    fn hash(
        &self,
        which: usize,
        grain: usize,
        scratch: &mut Scratch,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stop> {
        {
            // Let go before the grain is counted: the caller will want the chunk for itself.
            let chunk = self.chunks[which]
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            chunk.hash(grain, scratch, self.kernel, watch)?;
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
        self.is_over.store(true, Ordering::Release);
        drop(board);
        self.changed.notify_all();
        self.caller.unpark();
    }
}

/// Ends the batch if a thread of the crew panics: its grain would be waited for.
struct Alarm<'a, B, E>(&'a Shared<B, E>)
where
    B: AsRef<[u8]> + Send + Sync,
    E: Deref<Target = Endpoint> + Clone + Send + Sync;

impl<B, E> Drop for Alarm<'_, B, E>
where
    B: AsRef<[u8]> + Send + Sync,
    E: Deref<Target = Endpoint> + Clone + Send + Sync,
{
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
/// after some 80 µs.
fn spin_until(is_so: impl Fn() -> bool) {
    for _ in 0..SPINS {
        if is_so() {
            return;
        }
        hint::spin_loop();
    }
}

/// How often is looked before a thread goes to sleep: with 500, whoever helps sleeps while the
/// last grain of a chunk is hashed, and is awake too late for the next.
const SPINS: usize = 2000;

/// How often a thread that waits for others looks whether it is to stop.
const WAIT: Duration = Duration::from_millis(10);
