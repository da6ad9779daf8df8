//! Batches: message i is judged as if it were alone, by every kernel, on one thread and on two.
//!
//! `input = kernel(1) (length(2) message)*`, each message as in `messages`.

use hookseal_engine::Kernel;

use crate::{
    common::{batch, go_on},
    input::Input,
    messages::Draft,
};

/// Batches: message i is judged as if it were alone.
///
/// # Panics
/// On a finding.
pub fn fuzz(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let mut messages = Vec::new();
    while messages.len() < MAX_MESSAGES {
        let length = usize::from(u16::from_le_bytes(input.array()));
        let message = input.take(length);
        if message.is_empty() {
            break;
        }
        messages.push(Draft::read(&mut Input::new(message)).message());
    }
    // A batch has one set of rules.
    let rules = messages.first().map(|message| message.rules);
    for message in &mut messages {
        message.rules = rules.unwrap_or_default();
    }
    let kernels = Kernel::ALL
        .into_iter()
        .filter(|kernel| kernel.is_available());
    let kernels: Vec<_> = kernels.collect();
    let kernel = kernels[usize::from(flags & 7) % kernels.len()];
    // Threads take longer to begin than the work takes.
    let threads = if flags >= 0xf8 { 2 } else { 1 };
    let alone: Vec<_> = messages
        .iter()
        .map(|message| message.judged(Kernel::Single).0)
        .collect();
    let together = batch(&messages, kernel, threads, &mut go_on);
    assert_eq!(together.expect("nobody stopped it"), alone, "{kernel:?}");
}

/// Twice the lanes of the widest kernel, and some.
const MAX_MESSAGES: usize = 40;
