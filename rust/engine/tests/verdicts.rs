//! Every row of tests/vectors/verdicts.json that the engine can read: alone and in batches,
//! through every kernel.

mod common;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use common::{Message, Text, batch, go_on, hash, list, schemes, string, tolerance, vectors};
use hookseal_engine::{
    Kernel, NO_SECRET, Outcome, Verdict,
    batch::{Chunk, Judged},
    endpoint::Endpoint,
    header::{Role, Slot, trim},
    ring::{Snapshot, Terms},
    scheme::Scheme,
    secret::{Kind, Secret},
    timestamp::Tolerance,
    verify::Rules,
};
use serde_json::{Value, json};

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let (schemes, file) = (schemes(), vectors("verdicts.json"));
    let rows = list(&file).iter().filter(|row| row["layer"] == "engine");
    rows.map(|row| Row::read(row, &schemes)).collect()
});

#[test]
fn the_file_is_read_whole() {
    assert!(ROWS.len() > 900, "{} rows", ROWS.len());
    for verdict in Verdict::ALL {
        let reached = ROWS
            .iter()
            .any(|row| row.expect["verdict"] == verdict.name());
        // Nobody says the first of anything; the second is Python's to say, the third a replay guard's.
        let beyond = matches!(
            verdict,
            Verdict::Unverified | Verdict::NotAMessage | Verdict::Replayed
        );
        assert_ne!(reached, beyond, "{verdict:?}");
    }
}

#[test]
fn every_row_alone() {
    for row in ROWS.iter() {
        match &row.judged_by {
            Judge::Nobody(rules) => row.check(rules.unsigned(&row.body), None, "unsigned"),
            Judge::Nowhere => row.check(Outcome::UNKNOWN_ENDPOINT, None, "ring"),
            Judge::Endpoint(message) => {
                for kernel in Kernel::ALL {
                    let (outcome, family) = message.judged(kernel);
                    let by = format!("judge, {kernel:?}");
                    row.check(outcome, Some((message, family)), &by);
                }
            }
        }
    }
}

#[test]
fn every_row_alone_in_a_chunk() {
    for row in ROWS.iter() {
        let Judge::Endpoint(message) = &row.judged_by else {
            continue;
        };
        for kernel in Kernel::ALL {
            let by = format!("chunk, {kernel:?}");
            let mut chunk = Chunk::new(message.rules);
            // In both ways.
            for number in 0..2 {
                message.push(&mut chunk, number, &message.body[..]);
            }
            let hashed = hash(&mut chunk, kernel, &mut go_on);
            assert_eq!(hashed, Ok(()), "{}: {by}", row.name);
            let mut settled = 0;
            chunk.settle(|number, Judged { outcome, family }, _| {
                settled += 1;
                row.check(outcome, Some((message, family)), &by);
                let judged = message.judged(kernel);
                assert_eq!((outcome, family), judged, "{}: {by}, {number}", row.name);
            });
            assert_eq!(settled, 2);
        }
    }
}

#[test]
fn the_rows_of_one_verifier_together() {
    let mut by_verifier = BTreeMap::<_, Vec<_>>::new();
    for row in ROWS.iter() {
        if let Judge::Endpoint(message) = &row.judged_by {
            let rows = by_verifier.entry(&row.verifier).or_default();
            rows.push((row, message.clone()));
        }
    }
    assert!(by_verifier.len() > 100);
    for rows in by_verifier.values() {
        let (rows, messages): (Vec<_>, Vec<_>) = rows.iter().cloned().unzip();
        for kernel in Kernel::ALL {
            for threads in [1, 2] {
                let by = format!("batch of {}, {kernel:?}, {threads} threads", rows.len());
                let outcomes = batch(&messages, kernel, threads, &mut go_on).unwrap();
                for (row, outcome) in rows.iter().zip(outcomes) {
                    row.check(outcome, None, &by);
                }
            }
        }
    }
}

/// So often that two threads, and three, find enough to do. A batch has one set of rules: they
/// are those that most rows have.
#[test]
fn all_rows_together_many_times() {
    let all: Vec<_> = ROWS
        .iter()
        .filter_map(|row| match &row.judged_by {
            Judge::Endpoint(message) if message.rules == Rules::default() => {
                Some((row, message.clone()))
            }
            _ => None,
        })
        .collect();
    assert!(all.len() > ROWS.len() / 2, "{}", all.len());
    let rounds = all.iter().cycle().take(9 * all.len()).cloned();
    let (rows, messages): (Vec<_>, Vec<_>) = rounds.unzip();
    for kernel in Kernel::ALL {
        for threads in 1..=3 {
            let by = format!("all rows, {kernel:?}, {threads} threads");
            let outcomes = batch(&messages, kernel, threads, &mut go_on).unwrap();
            for (row, outcome) in rows.iter().zip(outcomes) {
                row.check(outcome, None, &by);
            }
        }
    }
}

/// One line of the file.
struct Row {
    name: String,
    /// The verifier, as it stands in the file.
    verifier: String,
    judged_by: Judge,
    body: Vec<u8>,
    expect: Value,
}

enum Judge {
    /// A verifier of unsigned messages.
    Nobody(Rules),
    /// A ring without that endpoint.
    Nowhere,
    /// An endpoint.
    Endpoint(Message),
}

impl Row {
    fn read(row: &Value, schemes: &HashMap<String, Arc<Scheme>>) -> Self {
        let verifier = &row["verifier"];
        let max_body_bytes = verifier["max_body_bytes"].as_u64();
        let rules = Rules {
            tolerance: tolerance(&verifier["tolerance"]),
            max_body_bytes: max_body_bytes.map(|most| usize::try_from(most).expect("64 bits")),
            backlog: None,
        };
        let body = Text::of(&row["body"]).bytes;
        let scheme = |name: &Value| Arc::clone(&schemes[&string(name)]);
        let endpoint = if verifier.get("unsigned").is_some() {
            None
        } else if let Some(ring) = verifier.get("ring") {
            let snapshot = snapshot(ring, scheme);
            let name = row["endpoint"].as_str();
            name.and_then(|name| snapshot.get(name))
                .map(|it| Arc::new(it.clone()))
        } else {
            let scheme = scheme(&verifier["scheme"]);
            let endpoint = Endpoint::new("", scheme, None, &secrets(&verifier["secrets"]));
            Some(endpoint.expect("secrets that are accepted"))
        };
        let judged_by = match endpoint {
            Some(endpoint) => {
                let headers = list(&row["headers"]).iter();
                let headers: Vec<_> = headers
                    .map(|pair| (Text::of(&pair[0]).bytes, Text::of(&pair[1]).bytes))
                    .collect();
                let at = row["received_at"].as_i64().or_else(|| row["now"].as_i64());
                Judge::Endpoint(Message {
                    rules,
                    at: at.expect("a time"),
                    ..Message::new(&endpoint, &body, &headers)
                })
            }
            None if verifier.get("unsigned").is_some() => Judge::Nobody(rules),
            None => Judge::Nowhere,
        };
        Self {
            name: string(&row["name"]),
            verifier: verifier.to_string(),
            judged_by,
            body,
            expect: row["expect"].clone(),
        }
    }

    /// Holds an outcome against the row; `read` says by what, and from which header family.
    fn check(&self, outcome: Outcome, read: Option<(&Message, u8)>, by: &str) {
        let (name, expect) = (&self.name, &self.expect);
        assert_eq!(outcome.verdict.name(), expect["verdict"], "{name}: {by}");
        assert_eq!(outcome.secret, expect["secret"], "{name}: {by}");
        assert_eq!(
            outcome.is_valid(),
            expect.get("verified").is_some(),
            "{name}: {by}"
        );
        let message = match &self.judged_by {
            Judge::Endpoint(message) if outcome.secret != NO_SECRET => message,
            _ => {
                assert_eq!(expect["label"], Value::Null, "{name}: {by}");
                return;
            }
        };
        let verified = &expect["verified"];
        let position = usize::try_from(outcome.secret).expect("a position");
        let label = &*message.endpoint.held()[position].label;
        assert_eq!(expect["label"], label, "{name}: {by}");
        let scheme = message.endpoint.scheme();
        assert_eq!(verified["scheme"], scheme.name, "{name}: {by}");
        let mut covers = scheme.covers();
        covers.sort_unstable();
        assert_eq!(verified["covers"], json!(covers), "{name}: {by}");
        let timestamp = scheme.signs_timestamp().then_some(outcome.number);
        assert_eq!(verified["timestamp"], json!(timestamp), "{name}: {by}");
        let window = message.endpoint.tolerance(message.rules.tolerance);
        let is_fresh = matches!(window, Some(Tolerance::Window { .. }));
        assert_eq!(verified["fresh"], is_fresh, "{name}: {by}");
        if let Some((message, family)) = read {
            let slot = Slot {
                family,
                role: Role::Id,
            };
            let id = message.headers.iter().find(|(at, _)| *at == slot);
            let id = id.map(|(_, id)| str::from_utf8(trim(id)).expect("ASCII"));
            assert_eq!(verified["id"], json!(id), "{name}: {by}");
        }
    }
}

fn snapshot(ring: &Value, scheme: impl Fn(&Value) -> Arc<Scheme>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let default = scheme(&ring["scheme"]);
    for pair in list(&ring["endpoints"]) {
        let (name, given) = (string(&pair[0]), &pair[1]);
        let own = given["scheme"]
            .is_string()
            .then(|| scheme(&given["scheme"]));
        let tolerance = tolerance(&given["tolerance"]);
        let terms = match (&own, tolerance) {
            (None, None) => Terms::Kept { default: &default },
            (own, tolerance) => Terms::Own {
                scheme: own.as_ref().unwrap_or(&default),
                tolerance,
            },
        };
        let entered = snapshot.enter(&name, terms, &secrets(&given["secrets"]));
        assert_eq!(entered, Ok(()), "{name}");
    }
    snapshot
}

fn secrets(value: &Value) -> Vec<Secret> {
    list(value).iter().map(secret).collect()
}

fn secret(value: &Value) -> Secret {
    let (text, options) = match value.get("value") {
        Some(text) => (Text::of(text), value),
        None => (Text::of(value), &Value::Null),
    };
    let kind = if text.is_str { Kind::Text } else { Kind::Bytes };
    let mut secret = Secret::new(text.bytes.into(), kind).expect("a secret that is accepted");
    if let Some(label) = options["label"].as_str() {
        secret.set_label(label).expect("a label");
    }
    secret.not_before = options["not_before"].as_i64();
    secret.not_after = options["not_after"].as_i64();
    secret
}
