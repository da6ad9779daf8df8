//! One message: read from Python, judged, and nothing else.

use std::sync::Arc;

use hookseal_engine::{
    Interrupted, Outcome, Watch,
    endpoint::Endpoint,
    header::{Single, Values},
    profile::Profile,
    verify::{self, Rules},
};
use pyo3::{prelude::*, pybacked::PyBackedBytes};

use crate::{
    ahead::SeenHeaders,
    arguments::text_or_none,
    body,
    clock::{now, seconds_or_none},
    detach::{detached, interrupted},
    headers::{self, IDS_AND_TIMES},
    kept::Kept,
    kernel,
    single::{Holders, read_single},
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

/// A message whose claim takes time, by a clock that goes on.
#[derive(Clone, Copy)]
pub struct Wait {
    /// What the clock said when it was judged.
    pub since: i64,
    /// When it arrived, if that was stated.
    pub arrival: Option<i64>,
}

/// One message after judgement, with what a `Verified` is made of.
pub struct Judged {
    /// The instant of judgement.
    pub at: i64,
    /// With a guard, what it is to be held against when that has answered.
    pub wait: Option<Wait>,
    pub outcome: Outcome,
    pub endpoint: Option<Arc<Profile>>,
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
        let mut stated_now = seconds_or_none(asked.now, "now")?;
        if let (Some(replay), Some(_)) = (&self.replay, received_at) {
            replay.admit_arrival(py, "received_at")?;
        }
        let mut endpoints;
        let endpoint = if let (Trust::One(endpoint), None) = (&self.trust, name) {
            // The common case, without a reference to count.
            Some(&**endpoint)
        } else {
            endpoints = self.endpoints();
            self.resolve(py, &mut endpoints, |sought| sought.add(name))?;
            endpoints.find(name)?.map(|arrival| arrival.endpoint)
        };
        let is_ring = self.trust.ring().is_some();
        let body = body::read(asked.body, "body")?;
        let scheme = endpoint.map(|endpoint| &**endpoint.scheme());
        if self.replay.is_some() && scheme.is_some_and(|scheme| !scheme.signs_id()) {
            kept.hold(IDS_AND_TIMES);
        }
        let holders = Holders::default();
        let single =
            scheme.and_then(|it| read_single(asked.headers, it, &holders, SeenHeaders::none()));
        match &single {
            Some(single) => kept.hold_one(single.family, &holders),
            None => headers::read(asked.headers, scheme, kept)?,
        }
        let (mut judged_at, mut wait) = (0, None);
        let (outcome, family) = match (&body, endpoint) {
            (None, _) => (Outcome::NOT_A_MESSAGE, 0),
            (Some(body), None) => match self.trust {
                Trust::Unsigned { .. } => (self.rules.unsigned(body), 0),
                _ => (Outcome::UNKNOWN_ENDPOINT, 0),
            },
            (Some(body), Some(endpoint)) => {
                // The clock is read last: to find the endpoint may have taken a resolver, and to
                // read the message the caller's own code.
                let with_backlog;
                let rules = match &self.replay {
                    None => &self.rules,
                    Some(replay) => {
                        let at = stated_now.map_or_else(|| now(py), Ok)?;
                        with_backlog = replay.rules(&self.rules, at);
                        if stated_now.replace(at).is_none() {
                            let arrival = received_at.map(|it| with_backlog.arrival(it));
                            wait = Some(Wait { since: at, arrival });
                        }
                        &with_backlog
                    }
                };
                let at = match received_at.or(stated_now) {
                    Some(at) => rules.arrival(at),
                    None if is_ring || endpoint.needs_instant(self.rules.tolerance) => now(py)?,
                    None => 0,
                };
                let judged = judge_one(py, endpoint, rules, body, single.as_ref(), kept, at)?;
                judged_at = at;
                // What a guard may still refuse is counted when it has been asked.
                if is_ring && self.replay.is_none() {
                    count(endpoint, &judged.0, at);
                }
                judged
            }
        };
        Ok(Judged {
            at: judged_at,
            wait,
            outcome,
            endpoint: endpoint.map(|endpoint| Arc::clone(endpoint.profile())),
            body,
            family,
        })
    }
}

/// Counts the secret of a valid outcome, of an endpoint of a ring.
pub fn count(endpoint: &Profile, outcome: &Outcome, at: i64) {
    if let Ok(secret) = usize::try_from(outcome.secret) {
        endpoint.held()[secret].usage().add(1, at, at);
    }
}

/// Judges one message that was read, by its values where they lie or as they were kept.
#[inline]
pub fn judge_one(
    py: Python<'_>,
    endpoint: &Endpoint,
    rules: &Rules,
    body: &PyBackedBytes,
    single: Option<&Single<'_>>,
    kept: &Kept,
    at: i64,
) -> PyResult<(Outcome, u8)> {
    match single {
        Some(single) => judge_by(py, endpoint, rules, body, single, at),
        None => judge_by(py, endpoint, rules, body, kept, at),
    }
}

/// Lets the interpreter go for a long body.
fn judge_by(
    py: Python<'_>,
    endpoint: &Endpoint,
    rules: &Rules,
    body: &PyBackedBytes,
    values: &(impl Values + Sync),
    at: i64,
) -> PyResult<(Outcome, u8)> {
    let kernel = kernel::chosen().kernel;
    let judge =
        |watch: &mut Watch<'_>| verify::judge(kernel, endpoint, rules, body, values, at, watch);
    if body.len() < DETACH_BYTES {
        judge(&mut |_| Ok(())).map_err(|Interrupted| interrupted())
    } else {
        detached(py, 1, judge)
    }
}

/// The least body for which a single verify lets the interpreter go: below it, the hash takes
/// less time than another thread needs to notice.
pub const DETACH_BYTES: usize = 8 * 1024;
