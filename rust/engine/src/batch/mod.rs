//! Many messages: read chunk by chunk, each hashed while the next is read, on as many threads
//! as help.

mod chunk;
mod crew;

pub use chunk::{CHUNK_BYTES, CHUNK_MESSAGES, Chunk, Pushed};
pub use crew::{Crew, with_crew};
