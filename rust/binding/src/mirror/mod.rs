//! The classes behind `hookseal.compat`: other packages' verifiers, name for name.

mod headers;
mod own;
mod signed;
mod webhook;

pub use signed::is_signed;
pub use webhook::{MirroredWebhook, StandardWebhook, Svix1Webhook, SvixWebhook};

use std::sync::Arc;

use hookseal_engine::scheme::Scheme;
use pyo3::{prelude::*, sync::PyOnceLock};

use crate::scheme::{compile, preset};

/// A preset, compiled once: a drop-in may be made for each message.
struct Preset {
    name: &'static str,
    compiled: PyOnceLock<Arc<Scheme>>,
}

impl Preset {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            compiled: PyOnceLock::new(),
        }
    }

    fn scheme(&'static self, py: Python<'_>) -> PyResult<&'static Arc<Scheme>> {
        self.compiled
            .get_or_try_init(py, || compile(&preset(py, self.name)?))
    }
}
