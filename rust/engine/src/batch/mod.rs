//! Many messages: taken chunk by chunk, each judged and hashed while the next is taken, on as
//! many threads as help.

mod board;
mod chunk;
mod crew;
mod grain;

pub use chunk::{CHUNK_BYTES, CHUNK_MESSAGES, Chunk};
pub use crew::{Crew, with_crew};
pub use grain::{Judged, Scratch};
