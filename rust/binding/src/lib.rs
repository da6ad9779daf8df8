//! The compiled module `hookseal._core`.
//!
//! It turns Python objects into values of `hookseal-engine` and what comes out back into
//! Python objects. It decides nothing about a message, and says nothing: texts are in
//! `hookseal._errors` and `hookseal._arguments`.

#![forbid(unsafe_code)]
#![expect(
    clippy::doc_markdown,
    reason = "the docs of exported items are Python's docstrings"
)]

mod ahead;
mod arguments;
mod arrivals;
mod batch;
mod body;
mod calls;
mod claimed;
mod claiming;
mod clock;
mod codes;
mod columns;
mod detach;
mod encoded;
mod ending;
mod entering;
mod errors;
mod filling;
mod guard;
mod headers;
mod interpreter;
mod items;
mod json;
mod kept;
mod kernel;
mod keyring;
mod lines;
mod memory_guard;
mod message;
mod messages;
mod mirror;
mod one;
mod plain;
mod reader;
mod recent;
mod replay;
mod resolved;
mod result;
mod scheme;
mod secret;
mod signer;
mod single;
mod slots;
mod trust;
mod tuples;
mod unclaimed;
mod usage;
mod used;
mod verified;
mod verifier;

use pyo3::prelude::*;

#[pymodule(gil_used = true)]
mod _core {
    #[pymodule_export]
    use crate::{
        errors::verdict_names,
        guard::panic_for_test,
        json::json_loads,
        kernel::name,
        keyring::Keyring,
        lines::{LineJudge, LineReport},
        memory_guard::MemoryReplayGuard,
        message::Message,
        mirror::{MirroredWebhook, StandardWebhook, Svix1Webhook, SvixWebhook, is_signed},
        result::BatchResult,
        secret::Secret,
        signer::Signer,
        verified::Verified,
        verifier::Verifier,
    };

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_init]
    fn init(module: &super::Bound<'_, super::PyModule>) -> super::PyResult<()> {
        crate::interpreter::claim(module.py())?;
        crate::guard::prepare(module.py());
        crate::ending::prepare(module.py())?;
        crate::kernel::choose(module.py())
    }
}

/// Python aligns an object to two pointers, whatever the object holds.
const _: () = {
    let aligned = [
        align_of::<keyring::Keyring>(),
        align_of::<lines::LineJudge>(),
        align_of::<lines::LineReport>(),
        align_of::<memory_guard::MemoryReplayGuard>(),
        align_of::<message::Message>(),
        align_of::<mirror::MirroredWebhook>(),
        align_of::<resolved::Resolved>(),
        align_of::<result::BatchResult>(),
        align_of::<secret::Secret>(),
        align_of::<signer::Signer>(),
        align_of::<unclaimed::Unclaimed>(),
        align_of::<verified::Verified>(),
        align_of::<verifier::Verifier>(),
    ];
    let mut at = 0;
    while at < aligned.len() {
        assert!(
            aligned[at] <= 2 * size_of::<usize>(),
            "a class would lie wrong in memory"
        );
        at += 1;
    }
};
