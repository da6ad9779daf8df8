//! One chunk: when it is full, and what is left in it.

mod common;

use std::sync::Arc;

use common::{Message, NOW, endpoint, go_on, hash};
use hookseal_engine::{
    Kernel, Outcome,
    batch::{CHUNK_BYTES, CHUNK_MESSAGES, Chunk},
    verify::Rules,
};

/// A secret that was removed from a ring is wiped when nobody holds its endpoint any more.
#[test]
fn a_settled_chunk_holds_no_endpoint() {
    let message = Message::good(b"body");
    let holders = || Arc::strong_count(&message.endpoint);
    let before = holders();
    let mut chunk = Chunk::new(Rules::default());
    for number in 0..10 {
        message.push(&mut chunk, number, &message.body[..]);
    }
    assert!(holders() > before);
    hash(&mut chunk, Kernel::detect(), &mut go_on).unwrap();
    chunk.settle(|_, judged, _| assert!(judged.outcome.is_valid()));
    assert_eq!(holders(), before);
}

#[test]
fn a_chunk_is_full_by_messages() {
    let message = Message::good(b"body");
    let mut chunk = Chunk::new(Rules::default());
    for count in 0..CHUNK_MESSAGES {
        assert!(!chunk.is_full(), "{count}");
        message.push(&mut chunk, 0, &message.body[..]);
    }
    assert!(chunk.is_full());
    let mut settled = 0;
    hash(&mut chunk, Kernel::detect(), &mut go_on).unwrap();
    chunk.settle(|_, judged, _| settled += usize::from(judged.outcome.is_valid()));
    assert_eq!(settled, CHUNK_MESSAGES);
    assert!(!chunk.is_full());
}

#[test]
fn a_chunk_is_full_by_bytes() {
    for (bytes, is_full) in [(CHUNK_BYTES - 1, false), (CHUNK_BYTES, true)] {
        let message = Message::good(&vec![0; bytes]);
        let mut chunk = Chunk::new(Rules::default());
        chunk
            .push(0, &message.body[..], &message.endpoint, NOW)
            .unwrap();
        assert_eq!(chunk.is_full(), is_full);
        message.push(&mut chunk, 1, &message.body[..1]);
        assert!(chunk.is_full());
    }
}

/// The values of headers are held as the bodies are, and anyone can send long ones.
#[test]
fn a_chunk_is_full_by_header_values() {
    let endpoint = endpoint("uplift", &["key"]);
    let value = vec![b'a'; CHUNK_BYTES / 4];
    let message = Message::new(&endpoint, b"", &[("x-uplift-signature-256", value)]);
    let mut chunk = Chunk::new(Rules::default());
    for _ in 0..4 {
        assert!(!chunk.is_full());
        message.push(&mut chunk, 0, &message.body[..]);
    }
    assert!(chunk.is_full());
}

#[test]
fn a_chunk_is_full_by_empty_header_values() {
    let message = Message::good(b"");
    let mut chunk = Chunk::new(Rules::default());
    let slot = message.headers[0].0;
    for _ in 0..CHUNK_BYTES / 16 {
        chunk.value(slot, b"").unwrap();
    }
    assert!(chunk.is_full());
    message.push(&mut chunk, 0, &message.body[..]);
    hash(&mut chunk, Kernel::detect(), &mut go_on).unwrap();
    chunk.settle(|_, judged, _| assert!(judged.outcome.is_valid()));
    assert!(!chunk.is_full());
}

/// A message that turns out to be none leaves nothing to the one behind it.
#[test]
fn forgotten_values_are_nobodys() {
    let message = Message::good(b"body");
    let mut chunk = Chunk::new(Rules::default());
    for number in 0..3 {
        for (slot, value) in message.values() {
            chunk.value(slot, &value[1..]).unwrap();
            chunk.value(slot, b"").unwrap();
        }
        chunk.forget_values();
        message.push(&mut chunk, number, &message.body[..]);
    }
    hash(&mut chunk, Kernel::detect(), &mut go_on).unwrap();
    let mut settled = 0;
    chunk.settle(|_, judged, _| settled += usize::from(judged.outcome.is_valid()));
    assert_eq!(settled, 3);
}

/// Until a grain was judged its messages are not valid, and not anything else.
#[test]
fn what_nobody_judged_is_unverified() {
    let message = Message::good(b"body");
    let mut chunk = Chunk::new(Rules::default());
    for number in 0..5 {
        message.push(&mut chunk, number, &message.body[..]);
    }
    chunk.close(1, Kernel::detect()).unwrap();
    let mut settled = Vec::new();
    chunk.settle(|number, judged, _| settled.push((number, judged.outcome)));
    assert_eq!(
        settled,
        [0, 1, 2, 3, 4].map(|number| (number, Outcome::UNVERIFIED))
    );
}
