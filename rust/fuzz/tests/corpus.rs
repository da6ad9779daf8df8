//! The corpus again, without the fuzzer: no input of it is a finding, and of the messages the
//! engine says what the twin said.

use std::{collections::BTreeMap, fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookseal_fuzz::{batches, headers, lines, messages, said, secrets, templates, timestamps};
use serde_json::Value;

/// The inputs of a target's corpus by name.
fn corpus(target: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let text = fs::read_to_string(folder.join(target).with_extension("txt"));
    let text = text.expect("the corpus of a target");
    let inputs: BTreeMap<_, _> = text
        .lines()
        .map(|line| {
            let (name, input) = line.split_once(' ').expect("a name and an input");
            (name.to_owned(), STANDARD.decode(input).expect("base64"))
        })
        .collect();
    assert!(!inputs.is_empty(), "{target} has no corpus");
    inputs
}

fn repeat(target: &str, fuzz: fn(&[u8])) {
    for bytes in corpus(target).values() {
        fuzz(bytes);
        // What stands before the end of an input is an input as well.
        fuzz(&bytes[..bytes.len() / 2]);
    }
    fuzz(b"");
}

#[test]
fn timestamps_of_the_corpus() {
    repeat("timestamps", timestamps);
}

#[test]
fn headers_of_the_corpus() {
    repeat("headers", headers);
}

#[test]
fn secrets_of_the_corpus() {
    repeat("secrets", secrets);
}

#[test]
fn templates_of_the_corpus() {
    repeat("templates", templates);
}

#[test]
fn messages_of_the_corpus() {
    repeat("messages", messages);
}

#[test]
fn batches_of_the_corpus() {
    repeat("batches", batches);
}

#[test]
fn lines_of_the_corpus() {
    repeat("lines", lines);
}

#[test]
fn the_twin_said_the_same_of_every_message() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/fuzzed.json"
    );
    let record: Value = serde_json::from_str(&fs::read_to_string(path).expect(path)).expect(path);
    let record = record.as_object().expect("an object");
    let corpus = corpus("messages");
    let names: Vec<_> = corpus.keys().collect();
    assert_eq!(
        names,
        record.keys().collect::<Vec<_>>(),
        "make the record anew"
    );
    for (name, bytes) in &corpus {
        let outcome = said(bytes);
        let row = &record[name];
        assert_eq!(row[1], outcome.verdict.name(), "{name}");
        assert_eq!(row[2], outcome.secret, "{name}");
    }
}
