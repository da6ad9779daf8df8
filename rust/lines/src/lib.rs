//! Webhooks as JSON Lines: a stream of bytes goes in, verdicts come out.
//!
//! A block is cut into lines ([`Judge`]), each line is read as strict JSON (`json`, `line`),
//! and what it says is judged by the engine, in batches and on as many threads as help
//! (`piece`, `crew`). A line that is no message has a [`Fault`]; a message that is refused has
//! an outcome; what was counted is a [`Tally`]. There is no Python here, no clock and no I/O.
//!
//! ```text
//! line    = object LF / blank LF      ; a CR before the LF is white space of JSON
//! object  = { "headers": headers, ("body": text / "body_b64": base64),
//!             ["received_at": Unix seconds,] ["endpoint": text / null] }
//! headers = { name: values, … } / [ [name, values], … ]
//! values  = text / [ text, … ] / null
//! ```

#![forbid(unsafe_code)]

mod buffer;
mod crew;
mod escape;
mod fault;
mod json;
mod judge;
mod line;
mod marks;
mod piece;
mod tally;
mod trust;

pub use fault::{Fault, Key};
pub use hookseal_engine::Stop;
pub use judge::{Fed, Judge, MAX_LINE_BYTES};
pub use piece::{Refusal, Why};
pub use tally::{EndpointTally, SecretTally, Tally};
pub use trust::Trust;
