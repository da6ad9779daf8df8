//! One message: read from Python, judged, and nothing else.

use std::sync::Arc;

use hookseal_engine::{
    Interrupted, Outcome, Watch,
    endpoint::Endpoint,
    verify::{self, Rules},
};
use pyo3::{prelude::*, pybacked::PyBackedBytes};

use crate::{
    arguments::text_or_none,
    body,
    clock::{now, seconds_or_none},
    detach::{detached, interrupted},
    headers,
    kept::Kept,
    kernel,
    trust::Trust,
    verifier::Verifier,
};

/// The arguments of `verify` and `check`.
pub struct Asked<'a, 'py> {
    pub body: &'a Bound<'py, PyAny>,
    pub headers: &'a Bound<'py, PyAny>,
    pub endpoint: Option<&'a Bound<'py, PyAny>>,
    pub received_at: Option<&'a Bound<'py, PyAny>>,
    pub now: Option<&'a Bound<'py, PyAny>>,
}

/// One message after judgement, with what a `Verified` is made of.
pub struct Judged {
    pub outcome: Outcome,
    pub endpoint: Option<Arc<Endpoint>>,
    /// None for text that cannot be encoded.
    pub body: Option<PyBackedBytes>,
    pub family: u8,
}

impl Verifier {
    /// Judges one message; what its headers say is kept by the caller, where it stays.
    pub fn judge(
        &self,
        py: Python<'_>,
        asked: &Asked<'_, '_>,
        kept: &mut Kept,
    ) -> PyResult<Judged> {
        let name = text_or_none(asked.endpoint, "endpoint")?;
        let received_at = seconds_or_none(asked.received_at, "received_at")?;
        let stated_now = seconds_or_none(asked.now, "now")?;
        let endpoint = match (&self.trust, name) {
            // The common case, without a second reference to count.
            (Trust::One(endpoint), None) => Some(Arc::clone(endpoint)),
            _ => self.endpoints().find(name)?.cloned(),
        };
        let is_ring = matches!(self.trust, Trust::Ring(_));
        let body = body::read(asked.body, "body")?;
        let scheme = endpoint.as_ref().map(|endpoint| &**endpoint.scheme());
        headers::read(asked.headers, scheme, kept)?;
        let (outcome, family) = match (&body, &endpoint) {
            (None, _) => (Outcome::NOT_A_MESSAGE, 0),
            (Some(body), None) => match self.trust {
                Trust::Unsigned { .. } => (self.rules.unsigned(body), 0),
                _ => (Outcome::UNKNOWN_ENDPOINT, 0),
            },
            (Some(body), Some(endpoint)) => {
                let at = match received_at.or(stated_now) {
                    Some(at) => at,
                    None if is_ring || endpoint.needs_instant(self.rules.tolerance) => now(py)?,
                    None => 0,
                };
                let judged = judge_one(py, endpoint, &self.rules, body, kept, at)?;
                if let (true, Ok(secret)) = (is_ring, usize::try_from(judged.0.secret)) {
                    endpoint.held()[secret].usage.add(1, at, at);
                }
                judged
            }
        };
        Ok(Judged {
            outcome,
            endpoint,
            body,
            family,
        })
    }
}

/// Judges one message that was read; lets the interpreter go for a long one.
pub fn judge_one(
    py: Python<'_>,
    endpoint: &Endpoint,
    rules: &Rules,
    body: &PyBackedBytes,
    kept: &Kept,
    at: i64,
) -> PyResult<(Outcome, u8)> {
    let kernel = kernel::chosen().kernel;
    let judge =
        |watch: &mut Watch<'_>| verify::judge(kernel, endpoint, rules, body, kept, at, watch);
    if body.len() < DETACH_BYTES {
        judge(&mut |_| Ok(())).map_err(|Interrupted| interrupted())
    } else {
        detached(py, 1, judge)
    }
}

/// The least body for which a single verify lets the interpreter go: below it, the hash takes
/// less time than another thread needs to notice.
pub const DETACH_BYTES: usize = 8 * 1024;
