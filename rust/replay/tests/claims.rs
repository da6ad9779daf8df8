//! Claims against a plain map, and at their bounds.

use std::collections::HashMap;

use hookseal_replay::{Claim, Claims, Failure, KEY_BYTES, Key, Now, Seed, Token};

const START: u64 = 5_000_123;
const WALL: u64 = 1_700_000_000_000;

fn at(milliseconds: u64) -> Now {
    Now {
        steady: START + milliseconds,
        wall: WALL + milliseconds,
    }
}

fn claims(most: usize) -> Claims {
    Claims::new(most, Seed::from_number(7 << 64 | 9), at(0))
}

/// Keys as a caller of its own might make them: nearly all zero.
fn key(number: u64) -> Key {
    let mut key = [0; KEY_BYTES];
    key[8..].copy_from_slice(&number.to_be_bytes());
    key
}

fn keys(numbers: std::ops::Range<u64>) -> Vec<Key> {
    numbers.map(key).collect()
}

fn claim(
    claims: &mut Claims,
    keys: &[Key],
    lease: Option<u32>,
    ttl: u32,
    now: Now,
) -> Result<(Vec<Claim>, Token), Failure> {
    let mut found = Vec::new();
    let token = claims.claim(keys, lease, ttl, now, &mut found)?;
    Ok((found, token))
}

fn won(claims: &mut Claims, keys: &[Key], lease: Option<u32>, ttl: u32, now: Now) -> Token {
    let (found, token) = claim(claims, keys, lease, ttl, now).expect("there is room");
    assert!(found.iter().all(|claim| *claim == Claim::Won));
    token
}

fn states(claims: &mut Claims, keys: &[Key], now: Now) -> Vec<Claim> {
    // A claim for a second, given back: what it does not win it does not change.
    let (found, token) = claim(claims, keys, Some(1), 1, now).expect("there is room");
    claims.release(keys, Some(token));
    found
}

/// Random numbers, the same in each run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).expect("there is room")]
    }
}

#[derive(Clone, Copy)]
struct Held {
    /// The second at which it ends.
    ends: u64,
    number: u64,
    is_final: bool,
}

/// What claims are meant to be, as plainly as it can be said.
#[derive(Default)]
struct Plain {
    held: HashMap<Key, Held>,
    longest: u32,
}

impl Plain {
    fn claim(&mut self, keys: &[Key], held: Held, now: u64) -> Vec<Claim> {
        let one = |key: &Key| match self.held.get(key) {
            Some(found) if now < found.ends * 1000 => {
                if found.is_final {
                    Claim::Done
                } else {
                    Claim::Pending
                }
            }
            _ => {
                self.held.insert(*key, held);
                Claim::Won
            }
        };
        keys.iter().map(one).collect()
    }
}

#[test]
fn they_are_what_a_plain_map_is() {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    for round in 0..60 {
        let mut real = claims(usize::MAX);
        let mut plain = Plain::default();
        let mut tokens: Vec<(Token, u64, u32)> = Vec::new();
        let mut now = 0;
        // Few keys meet often; many make tables grow.
        let spread = [20, 300, 5_000][round % 3];
        for call in 1..400 {
            let most_passed = draw.of(&[1, 700, 40_000]);
            now += draw.below(most_passed);
            let begins = now.div_ceil(1000);
            let most_named = draw.of(&[1, 4, 60]);
            let count = 1 + draw.below(most_named);
            let named: Vec<Key> = (0..count).map(|_| key(draw.below(spread))).collect();
            match draw.below(8) {
                0..=2 => {
                    let ttl = draw.of(&[1, 10, 601]);
                    let held = Held {
                        ends: begins + u64::from(ttl),
                        number: 0,
                        is_final: true,
                    };
                    plain.longest = plain.longest.max(ttl);
                    let wanted = plain.claim(&named, held, now);
                    let found = claim(&mut real, &named, None, ttl, at(now)).unwrap().0;
                    assert_eq!(found, wanted, "round {round}, call {call}");
                }
                3..=4 => {
                    let ttl = draw.of(&[5, 601]);
                    let lease = draw.of(&[1, 30, 300]);
                    let held = Held {
                        ends: begins + u64::from(lease),
                        number: call,
                        is_final: false,
                    };
                    plain.longest = plain.longest.max(ttl);
                    let wanted = plain.claim(&named, held, now);
                    let (found, token) =
                        claim(&mut real, &named, Some(lease), ttl, at(now)).unwrap();
                    assert_eq!(found, wanted, "round {round}, call {call}");
                    tokens.push((token, call, ttl));
                }
                kind => {
                    let some = usize::try_from(draw.below(4)).unwrap();
                    let token = tokens.iter().rev().nth(some).copied();
                    let is_own = |held: &Held| token.is_none_or(|token| token.1 == held.number);
                    if kind == 5 {
                        for key in &named {
                            if plain
                                .held
                                .get(key)
                                .is_some_and(|held| !held.is_final && is_own(held))
                            {
                                // What has lapsed and what was given back are the same.
                                plain.held.remove(key);
                            }
                        }
                        real.release(&named, token.map(|token| token.0));
                        continue;
                    }
                    let Some((stamp, number, ttl)) = token else {
                        continue;
                    };
                    let mut lost = 0;
                    for key in &named {
                        match plain.held.get(key) {
                            Some(held)
                                if (held.is_final || held.number != number)
                                    && now < held.ends * 1000 =>
                            {
                                lost += usize::from(held.number != number);
                            }
                            _ => {
                                let held = Held {
                                    ends: begins + u64::from(ttl),
                                    number,
                                    is_final: true,
                                };
                                plain.held.insert(*key, held);
                            }
                        }
                    }
                    let found = real.commit(&named, Some(stamp), at(now)).unwrap();
                    assert_eq!(found, lost, "round {round}, call {call}");
                }
            }
            let alive = plain.held.values().filter(|held| now < held.ends * 1000);
            assert_eq!(
                real.held(at(now)),
                alive.count(),
                "round {round}, call {call}"
            );
        }
    }
}

#[test]
fn a_commit_without_a_token_is_for_whoever_won() {
    let mut claims = claims(10);
    won(&mut claims, &keys(0..2), Some(5), 50, at(0));
    won(&mut claims, &keys(2..3), None, 500, at(0));
    // The third is nobody's; the second is final, whose ever it is.
    assert_eq!(claims.commit(&[key(0), key(2), key(9)], None, at(1)), Ok(1));
    // Kept as long as anything was: it is not known for how long this one was to be.
    assert_eq!(
        states(&mut claims, &keys(0..3), at(499_000)),
        [Claim::Done, Claim::Won, Claim::Done]
    );
    assert_eq!(states(&mut claims, &keys(0..1), at(501_001)), [Claim::Won]);
}

#[test]
fn what_lapsed_can_be_committed_until_somebody_else_has_it() {
    let mut claims = claims(10);
    let first = won(&mut claims, &keys(0..2), Some(5), 50, at(0));
    let second = won(&mut claims, &keys(1..2), Some(5), 50, at(6_000));
    assert_eq!(claims.commit(&keys(0..2), Some(first), at(6_001)), Ok(1));
    claims.release(&keys(0..2), Some(first));
    assert_eq!(
        states(&mut claims, &keys(0..2), at(6_002)),
        [Claim::Done, Claim::Pending]
    );
    assert_eq!(claims.commit(&keys(1..2), Some(second), at(6_003)), Ok(0));
    // A commit that is sent twice is one.
    assert_eq!(claims.commit(&keys(1..2), Some(second), at(6_004)), Ok(0));
    claims.release(&keys(1..2), Some(second));
    assert_eq!(states(&mut claims, &keys(1..2), at(6_005)), [Claim::Done]);
}

#[test]
fn full_is_full() {
    let mut claims = claims(100);
    won(&mut claims, &keys(0..60), None, 10, at(0));
    won(&mut claims, &keys(60..100), Some(20), 10, at(0));
    assert_eq!(
        claim(&mut claims, &keys(99..101), None, 10, at(0)),
        Err(Failure::Full)
    );
    // Nothing was forgotten, and what is known is still answered.
    let found = claim(&mut claims, &keys(0..100), None, 10, at(9_999))
        .unwrap()
        .0;
    let wanted = |number| {
        if number < 60 {
            Claim::Done
        } else {
            Claim::Pending
        }
    };
    assert_eq!(found, (0..100).map(wanted).collect::<Vec<_>>());
    assert_eq!(claims.held(at(9_999)), 100);
    // A key that is named twice needs one place.
    claims.release(&keys(99..100), None);
    let twice = [key(200), key(200), key(3)];
    let found = claim(&mut claims, &twice, None, 10, at(9_999)).unwrap().0;
    assert_eq!(found, [Claim::Won, Claim::Done, Claim::Done]);
    // Room comes back as claims end, in the middle of a generation too.
    assert_eq!(
        claim(&mut claims, &keys(300..361), None, 10, at(10_001)),
        Err(Failure::Full)
    );
    won(&mut claims, &keys(300..360), None, 10, at(10_001));
    assert_eq!(claims.held(at(10_001)), 100);
}

#[test]
fn a_commit_of_what_lapsed_needs_room_too() {
    let mut claims = claims(1);
    let token = won(&mut claims, &keys(0..1), Some(1), 10, at(0));
    won(&mut claims, &keys(1..2), None, 10, at(10_000));
    assert_eq!(
        claims.commit(&keys(0..1), Some(token), at(10_001)),
        Err(Failure::Full)
    );
}

#[test]
fn a_wall_clock_that_is_set_back_frees_nothing() {
    let hour = 3_600_000;
    let back = |milliseconds: u64| Now {
        steady: START + milliseconds,
        wall: WALL + milliseconds - hour,
    };
    let mut claims = claims(10);
    won(&mut claims, &keys(0..1), None, 601, at(0));
    let token = won(&mut claims, &keys(1..2), Some(60), 601, at(0));
    assert_eq!(claims.commit(&keys(1..2), Some(token), at(1)), Ok(0));
    won(&mut claims, &keys(2..3), Some(60), 601, at(1));
    for now in [1_000, 602_000, 1_500_000, 4_000_000, hour + 598_000] {
        assert_eq!(
            states(&mut claims, &keys(0..2), back(now)),
            [Claim::Done; 2]
        );
        // A lease is a span of time, whatever the clock on the wall says.
        let lease = if now < 60_000 {
            Claim::Pending
        } else {
            Claim::Won
        };
        assert_eq!(states(&mut claims, &keys(2..3), back(now)), [lease]);
        // What is claimed now ends in its time.
        won(&mut claims, &[key(100 + now)], None, 1, back(now));
        assert_eq!(
            claims.held(back(now + 1_999)),
            2 + usize::from(now < 60_000)
        );
    }
    assert_eq!(
        states(&mut claims, &keys(0..2), back(hour + 602_000)),
        [Claim::Won; 2]
    );
}

#[test]
fn a_wall_clock_that_is_set_ahead_and_back_frees_nothing() {
    let mut claims = claims(10);
    won(&mut claims, &keys(0..1), None, 601, at(0));
    let ahead = Now {
        steady: START + 1_000,
        wall: WALL + 7_200_000,
    };
    assert_eq!(states(&mut claims, &keys(0..1), ahead), [Claim::Done]);
    assert_eq!(claims.held(ahead), 1);
    assert_eq!(states(&mut claims, &keys(0..1), at(600_000)), [Claim::Done]);
    assert_eq!(states(&mut claims, &keys(0..1), at(602_000)), [Claim::Won]);
}

#[test]
fn a_steady_clock_does_not_go_back() {
    let mut claims = claims(10);
    won(&mut claims, &keys(0..1), None, 10, at(5_000));
    let before = Now {
        steady: 3,
        wall: WALL,
    };
    assert_eq!(states(&mut claims, &keys(0..1), before), [Claim::Done]);
    assert_eq!(states(&mut claims, &keys(0..1), at(15_001)), [Claim::Won]);
}

#[test]
fn every_size_takes_at_most_forty_bytes_a_claim() {
    for batch in [1, 100, 10_000] {
        let mut claims = claims(usize::MAX);
        let mut most = 0.0_f64;
        let mut next = 0;
        while next < 300_000 {
            won(&mut claims, &keys(next..next + batch), None, 601, at(0));
            next += batch;
            if next >= 1_000 {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let bytes = claims.bytes() as f64 / next as f64;
                most = most.max(bytes);
            }
        }
        assert!(most <= 40.0, "{most} bytes a claim, {batch} at a time");
    }
}

#[test]
fn a_steady_stream_takes_at_most_forty_bytes_for_each_claim_that_is_remembered() {
    for lease in [None, Some(3)] {
        let mut claims = claims(usize::MAX);
        let mut most = 0.0_f64;
        for second in 0..1_000_u64 {
            let named = keys(second * 500..second * 500 + 500);
            let token = won(&mut claims, &named, lease, 100, at(second * 1000));
            if lease.is_some() {
                assert_eq!(claims.commit(&named, Some(token), at(second * 1000)), Ok(0));
            }
            if second > 150 {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let bytes = claims.bytes() as f64 / 50_000.0;
                most = most.max(bytes);
            }
        }
        assert!(most <= 40.0, "{most} bytes a claim, lease {lease:?}");
        // A quarter of their time after the last has ended, all memory is back.
        assert_eq!(
            states(&mut claims, &keys(499_999..500_000), at(1_130_000)),
            [Claim::Won]
        );
        assert!(claims.bytes() < 1_000);
    }
}

#[test]
fn room_that_was_given_back_is_used_again() {
    let mut claims = claims(usize::MAX);
    for call in 0..2_000 {
        let named = keys(call * 100..call * 100 + 100);
        let token = won(&mut claims, &named, Some(300), 601, at(call));
        claims.release(&named, Some(token));
    }
    assert!(claims.bytes() < 40_000, "{} bytes", claims.bytes());
    claims.clear();
    assert_eq!(claims.held(at(10_000)), 0);
}

#[test]
fn spans_without_end_do_not_overflow() {
    let mut claims = claims(usize::MAX);
    won(&mut claims, &keys(0..10), None, u32::MAX, at(1_000));
    won(
        &mut claims,
        &keys(10..20),
        Some(u32::MAX),
        u32::MAX,
        at(1_000),
    );
    let late = Now {
        steady: u64::MAX / 4,
        wall: 0,
    };
    assert_eq!(states(&mut claims, &keys(0..1), late), [Claim::Done]);
    let late = Now {
        steady: u64::MAX,
        wall: u64::MAX,
    };
    assert_eq!(states(&mut claims, &keys(10..11), late), [Claim::Won]);
}

#[test]
fn a_token_is_a_number() {
    let mut claims = claims(10);
    let token = won(&mut claims, &keys(0..1), Some(7), 99, at(0));
    let number = token.to_number();
    assert_eq!(Token::from_number(number), token);
    assert_eq!(number, (1 << 32) + 99);
}

#[test]
fn a_steady_clock_that_goes_back_is_taken_to_stand_still() {
    // A user's test might set it; what is claimed meanwhile lasts no shorter for it.
    let mut claims = claims(100);
    won(&mut claims, &keys(0..1), None, 1, at(5_000));
    won(&mut claims, &keys(1..2), None, 1, at(0));
    let both = states(&mut claims, &keys(0..2), at(5_900));
    assert_eq!(both, [Claim::Done, Claim::Done]);
}
