//! Streams through the public door: what is JSON, what is a line, what an interruption leaves.

use std::panic::{self, AssertUnwindSafe};

use hookseal_engine::{Interrupted, Kernel, verify::Rules};
use hookseal_lines::{Fault, Fed, Judge, MAX_LINE_BYTES, Stop, Tally, Trust, Why};
use serde::de::IgnoredAny;
use serde_json::json;

const NOW: i64 = 1_700_000_000;

#[expect(clippy::unnecessary_wraps, reason = "the form of a watch")]
fn go_on(_: usize) -> Result<(), Interrupted> {
    Ok(())
}

fn unsigned() -> Judge {
    Judge::new(
        Kernel::detect(),
        Trust::Unsigned,
        Rules::default(),
        NOW,
        MAX_LINE_BYTES,
    )
}

/// What is said of a file that comes in these blocks: faults by line, what was rejected, counts.
fn said(mut judge: Judge, blocks: &[&[u8]], threads: usize) -> (Vec<String>, Vec<u8>, String) {
    let mut refusals = Vec::new();
    let mut rejected = Vec::new();
    let mut tally = Tally::new(judge.trust());
    let mut take = |judge: &mut Judge, mut fed: Fed| {
        judge.commit(&mut fed);
        refusals.extend(fed.refusals.iter().map(|refusal| format!("{refusal:?}")));
        rejected.extend_from_slice(&fed.rejected);
        tally.add(&fed.tally);
    };
    for block in blocks {
        let fed = judge
            .feed(block, threads, true, &mut go_on)
            .expect("nothing stops it");
        take(&mut judge, fed);
    }
    let fed = judge.finish(true, &mut go_on).expect("nothing stops it");
    take(&mut judge, fed);
    let counted = (tally.counts, tally.broken, tally.bytes);
    (refusals, rejected, format!("{counted:?}"))
}

/// The fault of a line on its own.
fn fault(line: &[u8]) -> Option<Fault> {
    let mut judge = unsigned();
    let mut block = line.to_vec();
    block.push(b'\n');
    let fed = judge
        .feed(&block, 1, false, &mut go_on)
        .expect("nothing stops it");
    fed.refusals
        .into_iter()
        .next()
        .map(|refusal| match refusal.why {
            Why::Broken(fault) => fault,
            Why::Refused { .. } => panic!("nothing is refused here"),
        })
}

/// A small generator of numbers, the same ones in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

/// What `serde_json` reads is JSON here, and nothing else is.
#[test]
fn json_is_what_serde_json_reads() {
    let seeds = [
        r#"{"a":[1,-2.5e+3,0,"x\n\u00e9\ud83d\ude00",null,true,false,{}],"b":{"c":[[]]}}"#,
        r#" [ 0.1E-2 , "\"\\\/\b\f\n\r\t" , { "" : "" } ] "#,
        r#""0123456789012345678901234567890123456789012345678901234567890123\"""#,
        "12345678901234567890.5e-10",
    ];
    let scraps = [
        "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "1", "-", "+", ".", "e", "E", " ", "\t",
        "\n", "\r", "\0", "\u{1f}", "\u{7f}", "é", "t", "true", "null", "\\u", "\\u0041",
        "\\ud83d", "\\n", "\\x", "//",
    ];
    let mut numbers = Numbers(1);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..200_000 {
        let mut text: Vec<char> = seeds[numbers.below(seeds.len())].chars().collect();
        for _ in 0..numbers.below(4) {
            let at = numbers.below(text.len() + 1);
            let gone = numbers.below(3).min(text.len() - at);
            let more = [scraps[numbers.below(scraps.len())], ""][numbers.below(2)];
            text.splice(at..at + gone, more.chars());
        }
        let text: String = text.into_iter().filter(|one| *one != '\n').collect();
        if text.trim_matches([' ', '\t', '\r']).is_empty() {
            continue;
        }
        let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        let ours = fault(text.as_bytes());
        assert_eq!(ours != Some(Fault::NotJson), is_json, "{text}: {ours:?}");
        *(if is_json { &mut good } else { &mut bad }) += 1;
    }
    assert!(good > 20_000 && bad > 20_000, "{good} {bad}");
}

/// Any bytes at all: an answer, and the same however they are cut.
#[test]
fn any_bytes_in_any_blocks() {
    let good = json!({"headers": {"a": ["b"]}, "body": "x\n\"", "received_at": 1.5}).to_string();
    let parts: [&[u8]; 12] = [
        good.as_bytes(),
        b"\n",
        b"\n",
        b"\r\n",
        b"\xef\xbb\xbf",
        b"\xff",
        b"{",
        b"\"",
        b"\\",
        b"x",
        b" ",
        b"\n\n",
    ];
    let mut numbers = Numbers(2);
    for limit in [MAX_LINE_BYTES, 60, 5, 1] {
        for _ in 0..2_000 {
            let count = numbers.below(12);
            let chosen = (0..count).map(|_| parts[numbers.below(parts.len())]);
            let stream: Vec<u8> = chosen.flatten().copied().collect();
            let judge = || {
                Judge::new(
                    Kernel::detect(),
                    Trust::Unsigned,
                    Rules::default(),
                    NOW,
                    limit,
                )
            };
            let whole = said(judge(), &[&stream], 1);
            let (a, b) = (
                numbers.below(stream.len() + 1),
                numbers.below(stream.len() + 1),
            );
            let (a, b) = (a.min(b), a.max(b));
            let cut = said(judge(), &[&stream[..a], &stream[a..b], &stream[b..]], 1);
            assert_eq!(whole, cut, "{stream:?} {a} {b}");
            let bytes: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(whole, said(judge(), &bytes, 1), "{stream:?}");
        }
    }
}

/// Three thousand lines of some kilobytes each, one in ten of them broken: many pieces.
fn big() -> Vec<u8> {
    let lines = (0..3_000).map(|number| {
        let body = "x\n".repeat(number % 1_500);
        let line = json!({"headers": {}, "body": body}).to_string();
        if number % 10 == 0 {
            line[1..].to_owned()
        } else {
            line
        }
    });
    lines.flat_map(|line| (line + "\n").into_bytes()).collect()
}

#[test]
fn any_number_of_threads() {
    let stream = big();
    let rules = Rules {
        max_body_bytes: Some(2_000),
        ..Rules::default()
    };
    let judge = || {
        Judge::new(
            Kernel::detect(),
            Trust::Unsigned,
            rules,
            NOW,
            MAX_LINE_BYTES,
        )
    };
    let one = said(judge(), &[&stream], 1);
    assert!(one.0.len() > 1_000);
    for threads in [2, 3, 4, 64] {
        assert_eq!(one, said(judge(), &[&stream], threads));
    }
}

/// At whatever call the watch says stop, or panics: the block was never fed, and can be again.
#[test]
fn a_block_that_was_stopped_was_never_fed() {
    let stream = big();
    let (first, rest) = stream.split_at(70_000);
    for threads in [1, 3] {
        let whole = said(unsigned(), &[first, rest], threads);
        for last in [1, 2, 3, 5, 100, 400] {
            for panics in [false, true] {
                let mut judge = unsigned();
                let mut fed = judge.feed(first, threads, true, &mut go_on).unwrap();
                judge.commit(&mut fed);
                let mut calls = 0;
                let stopped = panic::catch_unwind(AssertUnwindSafe(|| {
                    judge.feed(rest, threads, true, &mut |_| {
                        calls += 1;
                        assert!(!panics || calls < last, "as asked for");
                        if calls < last {
                            Ok(())
                        } else {
                            Err(Interrupted)
                        }
                    })
                }));
                match stopped {
                    Ok(stopped) => assert_eq!(stopped.err(), Some(Stop::Interrupted)),
                    Err(_) => assert!(panics),
                }
                assert_eq!(calls, last, "stopped at once");
                let after = said(judge, &[rest], threads);
                let mut refusals: Vec<_> =
                    fed.refusals.iter().map(|it| format!("{it:?}")).collect();
                refusals.extend(after.0);
                assert_eq!(refusals, whole.0);
                assert_eq!([fed.rejected, after.1].concat(), whole.1);
            }
        }
    }
}

/// The stack is not the sender's to fill.
#[test]
fn deep_nesting() {
    let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
    for depth in [17, 18, 1_000, 1_000_000] {
        assert_eq!(fault(nested(depth).as_bytes()), Some(Fault::TooDeep));
        assert_eq!(
            fault("{\"\":".repeat(depth).as_bytes()),
            Some(Fault::TooDeep)
        );
        let inside = format!("{{\"body\": {}", nested(depth));
        assert_eq!(fault(inside.as_bytes()), Some(Fault::TooDeep));
    }
    assert_eq!(fault(nested(16).as_bytes()), Some(Fault::NotObject));
    assert_eq!(fault("[".repeat(16).as_bytes()), Some(Fault::NotJson));
}

/// A line that is too long is not held: what is kept does not grow with it.
#[test]
fn a_long_line_passes() {
    let mut judge = Judge::new(
        Kernel::detect(),
        Trust::Unsigned,
        Rules::default(),
        NOW,
        100,
    );
    let mut passed = 0;
    for _ in 0..1_000 {
        let mut fed = judge.feed(&[b'x'; 1_000], 1, true, &mut go_on).unwrap();
        judge.commit(&mut fed);
        assert!(fed.refusals.is_empty());
        passed += fed.rejected.len();
    }
    assert_eq!(passed, 1_000_000);
    let fed = judge.finish(true, &mut go_on).unwrap();
    assert_eq!((fed.tally.bytes, fed.tally.broken), (1_000_000, 1));
    assert_eq!(fed.refusals[0].line, 1);
    assert!(matches!(
        fed.refusals[0].why,
        Why::Broken(Fault::TooLong { limit: 100 })
    ));
}
