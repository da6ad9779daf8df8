//! The claims of one process.

use std::collections::{HashSet, TryReserveError};

use crate::{
    generation::{FINAL, Generation, Instant, Now},
    table::{Key, Place, Seed, Slot},
};

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Claim {
    /// It is the caller's now.
    Won = 1,
    /// Somebody is at work on it: its lease runs.
    Pending = 2,
    /// Somebody is done with it.
    Done = 3,
}

/// Which call won its keys for a lease, and what they are kept for once they are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    number: u32,
    ttl: u32,
}

impl Token {
    /// It as one number.
    #[must_use]
    pub fn to_number(self) -> u64 {
        u64::from(self.number) << 32 | u64::from(self.ttl)
    }

    /// The token of a number.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        let half = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
        Self {
            number: half(number >> 32),
            ttl: half(number),
        }
    }
}

/// Why keys could not be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There would be more claims than there may be. None was made, and none was given up.
    Full,
    /// There is no memory. None was made.
    NoMemory,
}

impl From<TryReserveError> for Failure {
    fn from(_: TryReserveError) -> Self {
        Self::NoMemory
    }
}

/// The claims of one process. A key is in one generation at most.
pub struct Claims {
    generations: Vec<Generation>,
    /// The most that are held at a time.
    most: usize,
    seed: Seed,
    /// What the steady clock said when it was made, in milliseconds.
    start: u64,
    /// The latest that was seen of the steady clock, which does not go back.
    elapsed: u64,
    /// The last call for a lease.
    calls: u32,
    /// The longest that a claim was to be kept.
    longest: u32,
    /// The second in which claims that had ended were looked for.
    swept: Option<u64>,
}

/// So many keys are looked for together: their memory is asked for before it is needed.
const TOGETHER: usize = 16;

impl Claims {
    /// No claims yet, and never more than so many.
    #[must_use]
    pub fn new(most: usize, seed: Seed, now: Now) -> Self {
        Self {
            generations: Vec::new(),
            most,
            seed,
            start: now.steady,
            elapsed: 0,
            calls: 0,
            longest: 0,
            swept: None,
        }
    }

    /// Claims keys: for `lease` seconds, or at once for the `ttl` seconds that a final claim is kept.
    /// A key that comes twice is won once. The token is for `commit` and `release`.
    ///
    /// # Errors
    /// Why none was claimed.
    pub fn claim(
        &mut self,
        keys: &[Key],
        lease: Option<u32>,
        ttl: u32,
        now: Now,
        found: &mut Vec<Claim>,
    ) -> Result<Token, Failure> {
        let now = self.tick(now);
        found.try_reserve(keys.len())?;
        self.admit(keys, now)?;
        let lasts = lease.unwrap_or(ttl);
        let at = self.open(lasts, keys.len(), now)?;
        self.longest = self.longest.max(ttl);
        let number = lease.map_or(0, |_| self.next_call());
        let won = Slot {
            key: Key::default(),
            ends: now.ends(lasts),
            holder: if lease.is_some() { number } else { FINAL },
        };
        for keys in keys.chunks(TOGETHER) {
            let mut hashes = [0; TOGETHER];
            for (hash, key) in hashes.iter_mut().zip(keys) {
                *hash = self.seed.hash(key);
                for generation in &self.generations {
                    generation.table.touch(*hash);
                }
            }
            for (key, hash) in keys.iter().zip(hashes) {
                found.push(self.claim_one(Slot { key: *key, ..won }, hash, at, now));
            }
        }
        Ok(Token { number, ttl })
    }

    /// Makes claims final. Those that the token's call won are; those whose lease has lapsed are if nobody
    /// else has won them since. Without a token: whoever won them.
    ///
    /// Returns how many were lost: they are another's by now, or nobody's and there is no token.
    ///
    /// # Errors
    /// There is no room to make them final.
    pub fn commit(
        &mut self,
        keys: &[Key],
        token: Option<Token>,
        now: Now,
    ) -> Result<usize, Failure> {
        let now = self.tick(now);
        let lasts = token.map_or(self.longest, |token| token.ttl);
        let at = self.open(lasts, keys.len(), now)?;
        let mut lost = 0;
        for key in keys {
            let hash = self.seed.hash(key);
            let number = match (token, self.find(key, hash)) {
                (_, Some((from, place))) => {
                    let slot = *self.generations[from].table.get(place);
                    let is_own = token.is_none_or(|token| token.number == slot.holder & !FINAL);
                    let is_final = slot.holder & FINAL != 0;
                    if (is_final || !is_own) && self.generations[from].holds(&slot, now) {
                        lost += usize::from(!is_own);
                        continue;
                    }
                    self.generations[from].table.remove(place);
                    token.map_or(slot.holder, |token| token.number)
                }
                (Some(token), None) if self.len() < self.most => token.number,
                (Some(_), None) => return Err(Failure::Full),
                (None, None) => {
                    lost += 1;
                    continue;
                }
            };
            let slot = Slot {
                key: *key,
                ends: now.ends(lasts),
                holder: number | FINAL,
            };
            self.generations[at].table.insert(slot, hash);
        }
        Ok(lost)
    }

    /// Gives back claims that are not final: those that the token's call won, or without one whoever won
    /// them.
    pub fn release(&mut self, keys: &[Key], token: Option<Token>) {
        for key in keys {
            if let Some((from, place)) = self.find(key, self.seed.hash(key)) {
                let table = &mut self.generations[from].table;
                let holder = table.get(place).holder;
                let is_own = token.is_none_or(|token| token.number == holder);
                if is_own && holder & FINAL == 0 {
                    table.remove(place);
                }
            }
        }
    }

    /// How many claims hold.
    pub fn held(&mut self, now: Now) -> usize {
        let now = self.tick(now);
        self.sweep(now);
        self.len()
    }

    /// The bytes that they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let own = size_of::<Self>() + self.generations.capacity() * size_of::<Generation>();
        let tables = self.generations.iter();
        own + tables.map(|of| of.table.bytes()).sum::<usize>()
    }

    /// Gives up every claim, and all memory.
    pub fn clear(&mut self) {
        self.generations = Vec::new();
    }

    /// Claims that are held, some of which may have ended.
    fn len(&self) -> usize {
        self.generations.iter().map(|of| of.table.len()).sum()
    }

    fn tick(&mut self, now: Now) -> Instant {
        let mut now = Instant::of(now, self.start);
        if now.elapsed < self.elapsed {
            // Only a clock in a test does that.
            let late = i64::try_from(self.elapsed - now.elapsed).unwrap_or(i64::MAX);
            now.ahead = now.ahead.saturating_sub(late);
            now.elapsed = self.elapsed;
        }
        self.elapsed = now.elapsed;
        self.generations
            .retain(|generation| generation.is_open(now));
        now
    }

    /// Whether there is room for the keys that are new.
    fn admit(&mut self, keys: &[Key], now: Instant) -> Result<(), Failure> {
        if self.len().saturating_add(keys.len()) <= self.most {
            return Ok(());
        }
        self.sweep(now);
        let room = self.most.saturating_sub(self.len());
        if keys.len() <= room {
            return Ok(());
        }
        let mut new = HashSet::new();
        for key in keys {
            if self.find(key, self.seed.hash(key)).is_none() {
                new.try_reserve(1)?;
                new.insert(key);
                if new.len() > room {
                    return Err(Failure::Full);
                }
            }
        }
        Ok(())
    }

    fn sweep(&mut self, now: Instant) {
        // Claims end at whole seconds: to look once in each is enough.
        let second = Some(now.second());
        if self.swept == second {
            return;
        }
        self.swept = second;
        for generation in &mut self.generations {
            generation.sweep(now);
        }
        self.generations.retain(|of| of.table.len() > 0);
    }

    /// The generation of claims that begin now and last so long, with room for so many more.
    fn open(&mut self, lasts: u32, more: usize, now: Instant) -> Result<usize, Failure> {
        let mut places = 0..self.generations.len();
        let found = places.rfind(|at| self.generations[*at].takes(lasts, now));
        let at = found.unwrap_or(self.generations.len());
        if found.is_none() {
            // Those before it will not grow any more, or seldom.
            for generation in &mut self.generations {
                generation.table.fit(self.seed);
            }
            self.generations.try_reserve(1)?;
            self.generations.push(Generation::new(lasts, now));
        }
        self.generations[at].open(more, now, self.seed)?;
        Ok(at)
    }

    fn claim_one(&mut self, won: Slot, hash: u64, at: usize, now: Instant) -> Claim {
        if let Some((from, place)) = self.find(&won.key, hash) {
            let generation = &mut self.generations[from];
            let slot = generation.table.get(place);
            if generation.holds(slot, now) {
                let is_final = slot.holder & FINAL != 0;
                return if is_final {
                    Claim::Done
                } else {
                    Claim::Pending
                };
            }
            generation.table.remove(place);
        }
        self.generations[at].table.insert(won, hash);
        Claim::Won
    }

    #[inline]
    fn find(&self, key: &Key, hash: u64) -> Option<(usize, Place)> {
        for (at, generation) in self.generations.iter().enumerate().rev() {
            if let Some(place) = generation.find(key, hash) {
                return Some((at, place));
            }
        }
        None
    }

    fn next_call(&mut self) -> u32 {
        // 0 stands for no call.
        self.calls = if self.calls + 1 == FINAL {
            1
        } else {
            self.calls + 1
        };
        self.calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_from_one_again_before_they_look_final() {
        let now = Now { steady: 0, wall: 0 };
        let mut claims = Claims::new(10, Seed::from_number(1), now);
        claims.calls = FINAL - 2;
        let mut found = Vec::new();
        for (byte, number) in [(1, FINAL - 1), (2, 1), (3, 2)] {
            let keys = [Key::from([byte; 16])];
            let token = claims.claim(&keys, Some(60), 60, now, &mut found);
            let token = token.expect("there is room");
            assert_eq!(token.number, number);
            claims.release(&keys, Some(token));
            assert_eq!(claims.held(now), 0, "a lease can be given back");
        }
        assert_eq!(found, [Claim::Won; 3]);
    }
}
