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
    thread::{self, Scope, ScopedJoinHandle, Thread},
    time::Duration,
};

use hookseal_lanes::{Interrupted, Kernel, Watch};

use super::{
    Chunk, Scratch,
    board::{Board, CHUNKS, Place, Turns},
    chunk::OVERHEAD_BYTES,
};
use crate::{endpoint::Endpoint, stop::Stop, verify::Rules};

/// Lets `work` fill chunks while the crew judges and hashes. Several take turns, so that whoever
/// would wait for the last grain of one takes a grain of the next. At most `threads` threads are at
/// it, this one among them.
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
        open: [const { AtomicUsize::new(0) }; CHUNKS],
        news: AtomicUsize::new(0),
        caller: thread::current(),
    };
    thread::scope(|scope| {
        let most = threads.saturating_sub(1);
        work(&mut Crew {
            scope,
            shared: &shared,
            most,
            hired: Vec::new(),
            turns: Turns::default(),
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
    hired: Vec<ScopedJoinHandle<'scope, ()>>,
    turns: Turns,
    scratch: Scratch,
}

impl<B, E> Crew<'_, '_, B, E>
where
    B: AsRef<[u8]> + Send + Sync,
    E: Deref<Target = Endpoint> + Clone + Send + Sync,
{
    /// The chunk to fill.
    pub fn chunk(&self) -> RwLockWriteGuard<'_, Chunk<B, E>> {
        self.shared.own(self.turns.filling)
    }

    /// The chunk that [`Crew::finish`] finished.
    pub fn finished(&self) -> RwLockWriteGuard<'_, Chunk<B, E>> {
        self.shared.own(self.turns.finished)
    }

    /// About how many bytes there are to hash in the chunks that were started and not finished.
    #[must_use]
    pub fn started_bytes(&self) -> usize {
        self.turns.bytes()
    }

    /// Whether others hash while this thread fills the next chunk.
    #[must_use]
    pub fn has_help(&self) -> bool {
        !self.hired.is_empty()
    }

    /// Whether a chunk must be finished before another is started.
    #[must_use]
    pub fn is_full(&self) -> bool {
        // One is left to be filled; without help nothing is gained by one that waits.
        let most = if self.has_help() { CHUNKS - 1 } else { 1 };
        // Help may have come since it was started.
        self.turns.started() >= most || self.turns.oldest() == Some(self.turns.filling)
    }

    /// Whether chunks were started that are not finished.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.turns.started() > 0
    }

    /// Whether [`Crew::finish`] has nothing to hash or to wait for.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let oldest = self.turns.oldest();
        oldest.is_none_or(|which| self.shared.is_done(which))
    }

    /// Starts a thread if so many messages are worth one whatever they are: to begin takes it longer
    /// than the first chunk takes to be read. Whether they are worth others, that chunk tells.
    pub fn expect(&mut self, messages: usize) {
        let worth = messages.saturating_mul(OVERHEAD_BYTES) / BYTES_PER_THREAD;
        self.hire(worth.min(1));
    }

    /// Closes the chunk that was filled. `chunks` is how many there are about to be, this one
    /// among them: threads are started only where the whole is worth it.
    ///
    /// # Errors
    /// [`TryReserveError`] if memory is short; then the chunk has nothing that can be started.
    pub fn close(&mut self, chunks: usize) -> Result<(), TryReserveError> {
        let work = self.chunk().work();
        self.hire(work.saturating_mul(chunks) / BYTES_PER_THREAD);
        self.chunk().close(self.hired.len() + 1, self.shared.kernel)
    }

    /// Gives the chunk that was closed to the crew, which must not be [full](Crew::is_full). With help,
    /// [`Crew::chunk`] is another one from here; without, it is the same, still in the near cache, and
    /// must be finished and settled first.
    ///
    /// # Panics
    /// If the crew is full.
    pub fn start(&mut self) {
        assert!(!self.is_full(), "a chunk must be finished first");
        let (work, grains) = {
            let chunk = self.chunk();
            (chunk.work(), chunk.grains())
        };
        self.shared.start(self.turns.filling, grains);
        self.turns.start(work, self.has_help());
    }

    /// Tells the crew that no other chunk will be started: whoever finds no grain goes home, and
    /// nobody has to be waited for at the end.
    pub fn dismiss(&self) {
        self.shared.tell(usize::MAX, |board| board.is_closed = true);
    }

    /// Sees the oldest of the chunks that were started to its end, if there is one: helps with what
    /// there is to do in any of them, and waits for its last grain where there is nothing.
    ///
    /// # Errors
    /// [`Stop`] if `watch` says so, memory is short, or a thread of the crew panicked; then
    /// there is nothing to do but to drop the crew. The watch is called on this thread alone, with 0
    /// while it waits.
    pub fn finish(&mut self, watch: &mut Watch<'_>) -> Result<(), Stop> {
        let shared = self.shared;
        let Some(oldest) = self.turns.oldest() else {
            return Ok(());
        };
        // By a call of its own: in the condition the lock would be held while the grain is hashed.
        let take = || shared.board().take();
        while !shared.is_done(oldest) {
            if let Some(place) = take() {
                shared.go_on()?;
                shared.hash(place, &mut self.scratch, watch)?;
            } else if !spin_until(|| shared.is_done(oldest)) {
                shared.go_on()?;
                thread::park_timeout(WAIT);
                if !shared.is_done(oldest) {
                    watch(0)?;
                }
            }
        }
        self.turns.finish();
        Ok(())
    }

    fn hire(&mut self, wanted: usize) {
        while self.hired.len() < self.most.min(wanted) {
            let name = "hookseal".to_owned();
            let shared = self.shared;
            let worker = move || shared.work();
            let thread = thread::Builder::new().name(name);
            let Ok(hired) = thread.spawn_scoped(self.scope, worker) else {
                // No thread to be had: those that are there do the work.
                self.most = self.hired.len();
                return;
            };
            self.hired.push(hired);
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
        // At its end the scope would go to sleep until the last of them is gone, which is soon.
        spin_until(|| self.hired.iter().all(ScopedJoinHandle::is_finished));
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
    /// How many grains of each chunk are not done.
    open: [AtomicUsize; CHUNKS],
    /// How often the board has changed for those that wait, which is spun on. The board decides.
    news: AtomicUsize,
    caller: Thread,
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
        while let Some(at) = self.wait() {
            match self.hash(at, &mut scratch, &mut watch) {
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
    fn wait(&self) -> Option<Place> {
        let mut board = self.board();
        let mut is_told = true;
        loop {
            if self.is_over.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(place) = board.take() {
                return Some(place);
            }
            if board.is_closed {
                return None;
            }
            if is_told {
                let seen = self.news.load(Ordering::Relaxed);
                drop(board);
                is_told = spin_until(|| self.news.load(Ordering::Relaxed) != seen);
                board = self.board();
            } else {
                // Under the lock since it was looked for the last time: whoever adds something sees
                // that somebody sleeps.
                board.asleep += 1;
                board = self
                    .changed
                    .wait(board)
                    .unwrap_or_else(PoisonError::into_inner);
                board.asleep -= 1;
                is_told = true;
            }
        }
    }

    /// Lets those that wait see a change of the board, and so many of those that sleep.
    fn tell(&self, wanted: usize, change: impl FnOnce(&mut Board)) {
        let mut board = self.board();
        change(&mut board);
        let asleep = board.asleep;
        // Whoever spins wants the lock at once.
        drop(board);
        self.news.fetch_add(1, Ordering::Release);
        if wanted < asleep {
            (0..wanted).for_each(|_| self.changed.notify_one());
        } else if asleep > 0 {
            self.changed.notify_all();
        }
    }

    fn start(&self, which: usize, grains: usize) {
        self.open[which].store(grains, Ordering::Relaxed);
        // Messages that are none make none.
        if grains > 0 {
            self.tell(grains, |board| board.add(which, grains));
        }
    }

    /// Whether nobody has or wants a grain of that chunk.
    fn is_done(&self, which: usize) -> bool {
        self.open[which].load(Ordering::Acquire) == 0
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

    fn hash(&self, at: Place, scratch: &mut Scratch, watch: &mut Watch<'_>) -> Result<(), Stop> {
        {
            // Let go before the grain is counted: the caller will want the chunk for itself.
            let chunk = self.chunks[at.which]
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            chunk.hash(at.grain, scratch, self.kernel, watch)?;
        }
        if self.open[at.which].fetch_sub(1, Ordering::Release) == 1 {
            self.caller.unpark();
        }
        Ok(())
    }

    fn send_home(&self) {
        // Under the lock, so that nobody looks before and waits behind.
        self.tell(usize::MAX, |_| self.is_over.store(true, Ordering::Release));
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

/// The least work, in hashed bytes, for which a thread is started: to start one takes 60 to 100 µs,
/// in which 200 to 300 KiB are hashed. Two take 1.02 of the time of one for 270 KiB of work, 0.89 for
/// 470, 0.83 for 950 and 0.64 for 2,900 (warm messages of 1 KiB).
const BYTES_PER_THREAD: usize = 512 * 1024;

/// Waits for what is about to come, without going to sleep: waking up takes longer. False if it
/// gave up, after some 80 µs.
fn spin_until(is_so: impl Fn() -> bool) -> bool {
    for _ in 0..SPINS {
        if is_so() {
            return true;
        }
        hint::spin_loop();
    }
    false
}

/// How often is looked before a thread goes to sleep: with 500, whoever helps sleeps while the
/// last grain of a chunk is hashed, and is awake too late for the next.
const SPINS: usize = 2000;

/// How often a thread that waits for others looks whether it is to stop.
const WAIT: Duration = Duration::from_millis(10);
