//! Memory for bodies that do not stand in a line as they are, used again and again.

use std::collections::TryReserveError;

/// A body that was decoded. What was written before stays behind its end, so that no byte is
/// cleared for every message.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// Room for that many bytes, whatever they hold.
    pub fn room(&mut self, bytes: usize) -> Result<&mut [u8], TryReserveError> {
        self.length = 0;
        if self.bytes.len() < bytes {
            self.bytes.try_reserve(bytes - self.bytes.len())?;
            self.bytes.resize(bytes, 0);
        }
        Ok(&mut self.bytes)
    }

    /// Says how many bytes of the room were written.
    pub fn set_length(&mut self, length: usize) {
        self.length = length;
    }

    /// What was written, without a copy.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.length);
        self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Buffers that are not in use.
#[derive(Debug, Default)]
pub struct Spare(Vec<Buffer>);

impl Spare {
    /// A buffer.
    pub fn take(&mut self) -> Buffer {
        self.0.pop().unwrap_or_default()
    }

    /// Keeps a buffer for the next message, unless it is so large that few messages need it.
    pub fn keep(&mut self, buffer: Buffer) {
        if buffer.bytes.len() <= MAX_SPARE_BYTES {
            self.0.push(buffer);
        }
    }
}

/// The largest buffer that is kept: few bodies are larger, and one for each message of a chunk
/// is 32 MiB.
const MAX_SPARE_BYTES: usize = 64 * 1024;
