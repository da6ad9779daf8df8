//! JSON Lines: what is JSON, and the same answer however a stream is cut.
//!
//! `input = limit(1) cut(2) cut(2) stream`

use std::sync::{Arc, OnceLock};

use hookseal_engine::{Kernel, endpoint::Endpoint, verify::Rules};
use hookseal_lines::{Fault, Fed, Judge, MAX_LINE_BYTES, Tally, Trust, Why};
use serde::de::IgnoredAny;

use crate::{
    common::{NOW, endpoint, go_on},
    input::Input,
};

/// JSON Lines: what is JSON, and the same answer however a stream is cut.
///
/// # Panics
/// On a finding.
pub fn fuzz(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let limit = [MAX_LINE_BYTES, 1, 60, 400][usize::from(flags & 3)];
    let cuts = [(); 2].map(|()| usize::from(u16::from_le_bytes(input.array())));
    let stream = input.rest();
    let (a, b) = (cuts[0].min(stream.len()), cuts[1].min(stream.len()));
    let (a, b) = (a.min(b), a.max(b));

    let whole = said(limit, &[stream], 1);
    let blocks = [&stream[..a], &stream[a..b], &stream[b..]];
    assert_eq!(said(limit, &blocks, 1), whole);
    // Threads take longer to begin than the work takes.
    if flags >= 0xf8 {
        assert_eq!(said(limit, &[stream], 2), whole);
    }
    assert_eq!(whole.bytes, stream.len() as u64);

    for (number, line) in (1..).zip(stream.split(|byte| *byte == b'\n')) {
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if number == 1 => rest,
            _ => line,
        };
        let Ok(text) = str::from_utf8(line) else {
            continue;
        };
        let is_blank = text.trim_matches([' ', '\t', '\r']).is_empty();
        if limit < MAX_LINE_BYTES || is_blank {
            continue;
        }
        let fault = whole.faults.iter().find(|(its, _)| *its == number);
        let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
        if matches!(fault, Some((_, Some(Fault::TooDeep)))) {
            // That is said of what is not JSON too.
            assert!(text.matches(['[', '{']).count() > MAX_DEPTH, "{text:?}");
            continue;
        }
        let not_json = matches!(fault, Some((_, Some(Fault::NotJson))));
        assert_eq!(not_json, !is_json, "{text:?}: {fault:?}");
    }
}

/// How deeply arrays and objects may be nested.
const MAX_DEPTH: usize = 16;

/// What is said of a stream.
#[derive(Debug, PartialEq)]
struct Said {
    refusals: Vec<String>,
    faults: Vec<(u64, Option<Fault>)>,
    rejected: Vec<u8>,
    counts: String,
    bytes: u64,
}

fn said(limit: usize, blocks: &[&[u8]], threads: usize) -> Said {
    static ENDPOINT: OnceLock<Arc<Endpoint>> = OnceLock::new();
    let secret = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    let endpoint = ENDPOINT.get_or_init(|| endpoint("standard-webhooks", &[secret]));
    let trust = Trust::One(Arc::clone(endpoint));
    let mut judge = Judge::new(Kernel::detect(), trust, Rules::default(), NOW, limit);
    let mut tally = Tally::new(judge.trust());
    let (mut refusals, mut faults, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
    let mut take = |judge: &mut Judge, mut fed: Fed| {
        judge.commit(&mut fed);
        for refusal in &fed.refusals {
            refusals.push(format!("{refusal:?}"));
            let fault = match &refusal.why {
                Why::Broken(fault) => Some(fault.clone()),
                Why::Refused { .. } => None,
            };
            faults.push((refusal.line, fault));
        }
        rejected.extend_from_slice(&fed.rejected);
        tally.add(&fed.tally);
    };
    for block in blocks {
        let fed = judge.feed(block, threads, true, &mut go_on);
        take(&mut judge, fed.expect("nothing stops it"));
    }
    let fed = judge.finish(true, &mut go_on).expect("nothing stops it");
    take(&mut judge, fed);
    Said {
        refusals,
        faults,
        rejected,
        counts: format!("{:?} {}", tally.counts, tally.broken),
        bytes: tally.bytes,
    }
}
