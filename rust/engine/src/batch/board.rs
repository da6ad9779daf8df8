//! What there is to do for a crew: the grains that nobody has taken, and the chunks whose turn it is.

/// How many chunks take turns, so that those who hash seldom have to wait for one that is filled. With
/// five, two threads take up to 3 % longer.
pub(super) const CHUNKS: usize = 8;

/// The grains that nobody has taken.
#[derive(Default)]
pub(super) struct Board {
    chunks: Ring<Grains>,
    /// Whether there will be no other.
    pub(super) is_closed: bool,
    /// How many threads sleep until there is something to do.
    pub(super) asleep: usize,
}

/// Those of one chunk, from the next one on.
#[derive(Clone, Copy, Default)]
struct Grains {
    which: usize,
    next: usize,
    end: usize,
}

/// A grain, by its chunk and its number there.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) which: usize,
    pub(super) grain: usize,
}

impl Board {
    /// Adds the grains of a chunk behind the others, of which there must be at least one.
    pub(super) fn add(&mut self, which: usize, grains: usize) {
        self.chunks.push(Grains {
            which,
            next: 0,
            end: grains,
        });
    }

    /// The first grain, which is nobody else's from here.
    pub(super) fn take(&mut self) -> Option<Place> {
        let chunk = self.chunks.first_mut()?;
        let place = Place {
            which: chunk.which,
            grain: chunk.next,
        };
        chunk.next += 1;
        if chunk.next == chunk.end {
            self.chunks.pop();
        }
        Some(place)
    }
}

/// Which chunk is filled, which were started and not finished, and which was finished last.
#[derive(Default)]
pub(super) struct Turns {
    pub(super) filling: usize,
    started: Ring<Started>,
    /// The work in those.
    bytes: usize,
    pub(super) finished: usize,
}

#[derive(Clone, Copy, Default)]
struct Started {
    which: usize,
    bytes: usize,
}

impl Turns {
    /// How many were started and not finished.
    pub(super) fn started(&self) -> usize {
        self.started.len
    }

    /// The work in those.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The oldest of those.
    pub(super) fn oldest(&self) -> Option<usize> {
        self.started.iter().next().map(|it| it.which)
    }

    /// Starts the chunk that was filled. With help it is the turn of the next, not of the one that was
    /// finished last: that one still lies in the cache of who hashed it, and to ask it back takes a
    /// tenth of a batch of small messages.
    pub(super) fn start(&mut self, bytes: usize, has_help: bool) {
        self.started.push(Started {
            which: self.filling,
            bytes,
        });
        self.bytes += bytes;
        if has_help {
            self.filling = (self.filling + 1) % CHUNKS;
        }
    }

    /// Finishes the oldest.
    pub(super) fn finish(&mut self) {
        if let Some(Started { which, bytes }) = self.started.pop() {
            self.bytes -= bytes;
            self.finished = which;
        }
    }
}

/// A queue that allocates nothing.
#[derive(Default)]
struct Ring<T> {
    items: [T; CHUNKS],
    first: usize,
    len: usize,
}

impl<T: Copy> Ring<T> {
    /// Adds an item behind the others, of which there must be less than [`CHUNKS`].
    fn push(&mut self, item: T) {
        debug_assert!(self.len < CHUNKS);
        self.items[(self.first + self.len) % CHUNKS] = item;
        self.len += 1;
    }

    fn pop(&mut self) -> Option<T> {
        let item = self.iter().next()?;
        self.first = (self.first + 1) % CHUNKS;
        self.len -= 1;
        Some(item)
    }

    fn first_mut(&mut self) -> Option<&mut T> {
        (self.len > 0).then(|| &mut self.items[self.first])
    }

    fn iter(&self) -> impl Iterator<Item = T> {
        (self.first..self.first + self.len).map(|at| self.items[at % CHUNKS])
    }
}
