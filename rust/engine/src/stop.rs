//! Why work was not done to its end.

use std::collections::TryReserveError;

use hookseal_lanes::Interrupted;

/// Why work was not done to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The watch said so.
    Interrupted,
    /// Memory is short.
    NoMemory,
}

impl From<Interrupted> for Stop {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

impl From<TryReserveError> for Stop {
    fn from(_: TryReserveError) -> Self {
        Self::NoMemory
    }
}
