//! The threads that judge the pieces of a block. Each reads and hashes pieces of its own, so
//! that nobody waits for a reader. They begin with the block and end with it: there is no pool.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use hookseal_engine::{Interrupted, Stop, Watch};

use crate::piece::{Judged, Piece, Terms, Worker};

/// Judges all pieces, on at most that many threads, this one among them; what came of each is
/// in their order. The watch is called on this thread alone, with 0 while it waits.
///
/// # Panics
/// If a thread of the crew panicked.
pub fn judge<'a>(
    terms: &'a Terms,
    pieces: &[Piece<'a>],
    threads: usize,
    watch: &mut Watch<'_>,
) -> Result<Vec<Judged<'a>>, Stop> {
    let bytes: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
    let helpers = threads
        .min(pieces.len())
        .min(bytes / BYTES_PER_THREAD)
        .saturating_sub(1);
    let board = Board {
        pieces,
        next: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
        judged: Mutex::new(Ok(Vec::with_capacity(pieces.len()))),
    };
    thread::scope(|scope| {
        let caller = thread::current();
        let mut crew = Vec::new();
        for _ in 0..helpers {
            let caller = caller.clone();
            let board = &board;
            let worker = move || {
                let _alarm = Alarm(board);
                board.work(terms, &mut |_| board.go_on());
                caller.unpark();
            };
            let name = "hookseal".to_owned();
            match thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, worker)
            {
                Ok(helper) => crew.push(helper),
                // No thread to be had: those that are there do the work.
                Err(_) => break,
            }
        }
        let _alarm = Alarm(&board);
        board.work(terms, &mut |bytes| {
            board.go_on()?;
            watch(bytes)
        });
        while crew.iter().any(|helper| !helper.is_finished()) {
            thread::park_timeout(WAIT);
            if board.go_on().and_then(|()| watch(0)).is_err() {
                // They see it too; the scope waits for them.
                return board.stop(Stop::Interrupted);
            }
        }
    });
    let judged = board.judged.into_inner();
    let mut judged = judged.unwrap_or_else(PoisonError::into_inner)?;
    judged.sort_unstable_by_key(|(index, _)| *index);
    Ok(judged.into_iter().map(|(_, judged)| judged).collect())
}

/// What all threads see.
struct Board<'a, 'b> {
    pieces: &'b [Piece<'a>],
    next: AtomicUsize,
    is_over: AtomicBool,
    judged: Mutex<Result<Vec<(usize, Judged<'a>)>, Stop>>,
}

impl<'a> Board<'a, '_> {
    /// Judges pieces until there are no more.
    fn work(&self, terms: &'a Terms, watch: &mut Watch<'_>) {
        let mut worker = Worker::new(terms);
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = self.pieces.get(index) else {
                return;
            };
            match worker.judge(*piece, watch) {
                Ok(judged) => self.put(index, judged),
                Err(stop) => return self.stop(stop),
            }
        }
    }

    fn put(&self, index: usize, judged: Judged<'a>) {
        let mut all = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(all) = &mut *all {
            all.push((index, judged));
        }
    }

    /// Ends the work; the first reason counts.
    fn stop(&self, stop: Stop) {
        let mut all = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_ok() {
            *all = Err(stop);
        }
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn go_on(&self) -> Result<(), Interrupted> {
        if self.is_over.load(Ordering::Relaxed) {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }
}

/// Ends the work of all if one panics.
struct Alarm<'a, 'b, 'c>(&'c Board<'a, 'b>);

impl Drop for Alarm<'_, '_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop(Stop::Interrupted);
        }
    }
}

/// The least bytes of lines for which a thread is started: starting and ending one takes about
/// 50 µs, in which 50 KiB are judged.
const BYTES_PER_THREAD: usize = 128 * 1024;

/// How often a thread that waits for others looks whether it is to stop.
const WAIT: Duration = Duration::from_millis(10);
