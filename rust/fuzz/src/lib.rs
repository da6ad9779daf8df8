//! What is fuzzed. Each target takes any bytes, asks the library something, and panics if the
//! answer is not the one that a plainer way of finding it gives.
//!
//! `tools/fuzz.py` drives the targets by libFuzzer (`libfuzzer/`); what it found worth keeping
//! is in `corpus/`, and `cargo test` repeats that. What once failed is kept there for ever.

#![forbid(unsafe_code)]

mod batches;
#[path = "../../engine/tests/common/mod.rs"]
mod common;
mod headers;
mod input;
mod lines;
mod messages;
mod plain;
mod secrets;
mod templates;
mod timestamps;

pub use batches::fuzz as batches;
pub use headers::fuzz as headers;
pub use lines::fuzz as lines;
pub use messages::{fuzz as messages, said};
pub use secrets::fuzz as secrets;
pub use templates::fuzz as templates;
pub use timestamps::fuzz as timestamps;
