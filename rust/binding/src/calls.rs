//! The calls of a verifier: judge, ask the guard, settle.

use std::sync::Arc;

use hookseal_engine::{
    endpoint::Endpoint, header::Roles, profile::Profile, replay::Keys, timestamp::Tolerance,
    verify::Rules,
};
use pyo3::{prelude::*, types::PyTuple};

use crate::{
    arguments::{asked, called, flag},
    batch::Call,
    claimed::Claimed,
    claiming::{self, Gathered, key},
    clock::{now, seconds_or_none},
    detach::thread_count,
    errors,
    headers::{IDS, IDS_AND_TIMES},
    items::drain,
    kept::Kept,
    message,
    messages::Messages,
    one::{Asked, Judged},
    replay::Replay,
    result::BatchResult,
    trust::{Endpoints, Trust},
    unclaimed::{One, Unclaimed, What, batch},
    verified::Verified,
    verifier::Verifier,
};

/// The keyword arguments of a call with many messages.
pub struct Batch<'a, 'py> {
    pub endpoint: Option<&'a Bound<'py, PyAny>>,
    pub received_at: Option<&'a Bound<'py, PyAny>>,
    pub now: Option<&'a Bound<'py, PyAny>>,
    pub threads: Option<&'a Bound<'py, PyAny>>,
    pub keep: Option<&'a Bound<'py, PyAny>>,
}

impl Verifier {
    /// The verifier of one endpoint that was made elsewhere.
    pub fn of(endpoint: Arc<Endpoint>, rules: Rules) -> Self {
        let shown = rules.tolerance.map(|_| shown_tolerance(&rules));
        Self {
            trust: Trust::One(endpoint),
            rules,
            shown,
            replay: None,
        }
    }

    /// A verifier whose guard can protect what it trusts.
    pub fn made(
        py: Python<'_>,
        trust: Trust,
        rules: Rules,
        shown: Option<String>,
        replay: Option<Arc<Replay>>,
    ) -> PyResult<Self> {
        let made = Self {
            trust,
            rules,
            shown,
            replay,
        };
        if let Some(replay) = &made.replay {
            let check = |endpoint: &Profile| replay.seconds(py, endpoint, &rules).map(|_| ());
            match made.endpoints() {
                Endpoints::One(endpoint) => check(&endpoint)?,
                Endpoints::Ring(rings) => rings.each().try_for_each(|it| check(it))?,
                Endpoints::Unsigned => {}
            }
        }
        Ok(made)
    }

    /// Whose signatures are trusted at this moment.
    pub fn endpoints(&self) -> Endpoints {
        self.trust.endpoints()
    }

    /// `verify`.
    pub fn verify_one(&self, py: Python<'_>, asked: &Asked<'_, '_>) -> PyResult<Verified> {
        if let Some(replay) = self.guard(py)? {
            return self
                .one(py, asked)?
                .claim(py, replay, replay.lease)?
                .verified(py);
        }
        let mut kept = Kept::default();
        let Judged {
            outcome,
            endpoint,
            body,
            family,
            ..
        } = self.judge(py, asked, &mut kept)?;
        match body {
            Some(body) if outcome.is_valid() => {
                let id = kept.take_ids().of(family);
                let body = body.into_pyobject(py)?.into_any().unbind();
                let ring = self.trust.ring().is_some();
                Ok(Verified::new(
                    &outcome,
                    endpoint,
                    ring,
                    &self.rules,
                    id,
                    body,
                    Claimed::NoGuard,
                ))
            }
            _ => {
                let scheme = endpoint.as_ref().map(|endpoint| &**endpoint.scheme());
                Err(errors::refusal(py, &outcome, scheme, None))
            }
        }
    }

    /// `check`. Nobody could commit what a verdict has claimed, so it is final.
    pub fn check_one<'py>(
        &self,
        py: Python<'py>,
        asked: &Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(replay) = self.guard(py)? {
            return self.one(py, asked)?.claim(py, replay, None)?.verdict(py);
        }
        let judged = self.judge(py, asked, &mut Kept::default())?;
        errors::verdict(py, usize::from(judged.outcome.verdict as u8))
    }

    /// Judges one message for a call that is to be awaited.
    pub fn begin(&self, body: &Bound<'_, PyAny>, rest: &Bound<'_, PyTuple>) -> PyResult<Unclaimed> {
        type Rest<'py> = (
            Bound<'py, PyAny>,
            Option<Bound<'py, PyAny>>,
            Option<Bound<'py, PyAny>>,
            Option<Bound<'py, PyAny>>,
            bool,
        );
        let (headers, endpoint, received_at, now, is_verify): Rest<'_> = rest.extract()?;
        let asked = Asked {
            body,
            headers: &headers,
            endpoint: endpoint.as_ref(),
            received_at: received_at.as_ref(),
            now: now.as_ref(),
        };
        let one = Box::new(self.one(body.py(), &asked)?);
        let what = if is_verify {
            What::Verify(one)
        } else {
            What::Check(one)
        };
        Ok(Unclaimed::new(self.replay.clone(), what))
    }

    /// Judges the messages of a batch, in whichever form they are read.
    pub fn judge_all<'py>(
        &self,
        py: Python<'py>,
        messages: impl FnOnce() -> PyResult<Messages<'py>>,
        asked: &Batch<'_, 'py>,
    ) -> PyResult<BatchResult> {
        let replay = self.guard(py)?;
        let (judged, gathered, keep) = self.many(py, messages, asked)?;
        let answer = match (replay, &gathered) {
            (Some(replay), Some(gathered)) if !gathered.keys.is_empty() => {
                Some(replay.ask(py, &gathered.keys, replay.lease, gathered.ttl)?)
            }
            _ => None,
        };
        batch(py, judged, gathered, replay, answer, keep)
    }

    /// Judges the messages of a batch that is to be awaited.
    pub fn begin_all(
        &self,
        messages: &Bound<'_, PyAny>,
        rest: &Bound<'_, PyTuple>,
    ) -> PyResult<Unclaimed> {
        type Rest<'py> = (
            Option<Bound<'py, PyAny>>,
            Option<Bound<'py, PyAny>>,
            Option<Bound<'py, PyAny>>,
            Option<Bound<'py, PyAny>>,
            Bound<'py, PyAny>,
        );
        let (endpoint, received_at, now, threads, keep): Rest<'_> = rest.extract()?;
        let asked = Batch {
            endpoint: endpoint.as_ref(),
            received_at: received_at.as_ref(),
            now: now.as_ref(),
            threads: threads.as_ref(),
            keep: Some(&keep),
        };
        let items = || drain(messages, "messages").map(Messages::Items);
        let (judged, gathered, keep) = self.many(messages.py(), items, &asked)?;
        let what = What::Batch {
            judged,
            gathered,
            keep,
        };
        Ok(Unclaimed::new(self.replay.clone(), what))
    }

    /// The guard, for a call that awaits nothing.
    fn guard(&self, py: Python<'_>) -> PyResult<Option<&Arc<Replay>>> {
        if let Some(replay) = &self.replay {
            replay.refuse_async(py)?;
        }
        Ok(self.replay.as_ref())
    }

    fn one(&self, py: Python<'_>, asked: &Asked<'_, '_>) -> PyResult<One> {
        let mut kept = Kept::default();
        let Judged {
            at,
            wait,
            outcome,
            endpoint,
            body,
            family,
        } = self.judge(py, asked, &mut kept)?;
        let id = kept.take_ids().of(family);
        let key = match (&self.replay, &endpoint, &body) {
            (Some(replay), Some(endpoint), Some(body)) if outcome.is_valid() => {
                let seconds = replay.seconds(py, endpoint, &self.rules)?;
                let told = id.as_ref().map(|id| id.bind(py));
                let body = body.into_pyobject(py)?.into_any();
                Some((key(py, &Keys::of(endpoint), told, &body)?, seconds))
            }
            _ => None,
        };
        Ok(One {
            at,
            wait,
            outcome,
            endpoint,
            body,
            id,
            has_ring: self.trust.ring().is_some(),
            rules: self.rules,
            key,
        })
    }

    fn many<'py>(
        &self,
        py: Python<'py>,
        messages: impl FnOnce() -> PyResult<Messages<'py>>,
        asked: &Batch<'_, 'py>,
    ) -> PyResult<(Box<claiming::Judged>, Option<Gathered>, bool)> {
        let threads = thread_count(py, asked.threads)?;
        let keep = asked.keep.map_or(Ok(true), |keep| flag(keep, "keep"))?;
        let stated_now = seconds_or_none(asked.now, "now")?;
        let mut endpoints = self.endpoints();
        let (endpoint, received_at) = (asked.endpoint, asked.received_at);
        let Some(replay) = &self.replay else {
            let call = Call::read(py, &endpoints, messages, endpoint, received_at, stated_now)?;
            self.resolve_each(py, &mut endpoints, &call)?;
            // The clock is read when the first message is there.
            let judged = call.judge(py, &endpoints, &self.rules, threads, keep, IDS)?;
            return Ok((judged, None, keep));
        };
        if received_at.is_some() {
            replay.admit_arrival(py, "received_at")?;
        }
        let mut call = Call::read(py, &endpoints, messages, endpoint, received_at, stated_now)?;
        admit_arrivals(py, replay, &call.messages)?;
        self.resolve_each(py, &mut endpoints, &call)?;
        // The clock is read after whatever may have waited: the iterable, and the resolver.
        let at = stated_now.map_or_else(|| now(py), Ok)?;
        call.now = Some(at);
        let rules = replay.rules(&self.rules, at);
        let held = match &endpoints {
            Endpoints::One(endpoint) => held(endpoint),
            Endpoints::Ring(rings) => rings.each().fold(IDS, |all, it| all | held(it)),
            Endpoints::Unsigned => IDS,
        };
        let judged = call.judge(py, &endpoints, &rules, threads, true, held)?;
        let since = stated_now.is_none().then_some(at);
        let gathered = judged.gather(py, replay, since)?;
        Ok((judged, Some(gathered), keep))
    }
}

/// The headers that tell an endpoint's messages apart.
fn held(endpoint: &Endpoint) -> Roles {
    if endpoint.scheme().signs_id() {
        IDS
    } else {
        IDS_AND_TIMES
    }
}

/// No message may state its arrival where claims are not remembered for as long as one may wait.
fn admit_arrivals(py: Python<'_>, replay: &Replay, messages: &Messages<'_>) -> PyResult<()> {
    let Messages::Items(items) = messages else {
        return Ok(());
    };
    if replay.admits_arrivals() {
        return Ok(());
    }
    for (index, item) in items.iter_borrowed().enumerate() {
        if message::received_at(&item)?.is_some() {
            replay.admit_arrival(py, &format!("messages[{index}].received_at"))?;
        }
    }
    Ok(())
}

/// A coroutine of `hookseal._awaiting`, which calls back what the verifier does of it.
pub fn later<'py>(
    verifier: &Bound<'py, Verifier>,
    function: &str,
    rest: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = verifier.py();
    let verifier = verifier.clone().into_any();
    let all = [verifier].into_iter().chain(rest.iter());
    let all = PyTuple::new(py, all.collect::<Vec<_>>())?;
    called(py, "hookseal._awaiting", function, all)
}

/// What a verifier asks of every message.
pub fn rules(
    py: Python<'_>,
    tolerance: Option<&Bound<'_, PyAny>>,
    max_body_bytes: Option<&Bound<'_, PyAny>>,
) -> PyResult<Rules> {
    let max_body_bytes = match max_body_bytes {
        None => None,
        Some(limit) => {
            let limit = asked(py, "body_limit", (limit,))?;
            Some(limit.extract::<usize>().unwrap_or(usize::MAX))
        }
    };
    Ok(Rules {
        tolerance: crate::scheme::tolerance(tolerance)?,
        max_body_bytes,
        backlog: None,
    })
}

/// The tolerance as `repr` shows it.
pub fn shown_tolerance(rules: &Rules) -> String {
    match rules.tolerance {
        None => String::new(),
        Some(Tolerance::Off) => ", tolerance='off'".into(),
        Some(Tolerance::Window { past, future }) => format!(", tolerance=({past}, {future})"),
    }
}
