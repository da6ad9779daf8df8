"""Verifiers: one message at a time, or many."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Literal, final

from hookseal._arguments import body_limit, mistake, unsigned_reason
from hookseal._awaiting import averify, averify_batch
from hookseal._discreet import discreet
from hookseal._guard import AsyncReplayGuard, ReplayGuard
from hookseal._instant import seconds
from hookseal._scheme import Scheme
from hookseal._tolerance import window
from hookseal._usage import Usage
from hookseal._verdict import Verdict
from hookseal.pure._arguments import drained
from hookseal.pure._batch import (
    BatchResult,
    endpoints_of,
    names_of,
    verify_batch,
    verify_columns,
)
from hookseal.pure._call import Call, Good, Rules, protected
from hookseal.pure._entries import State, new_state, require_window_fits
from hookseal.pure._judgement import Judgement
from hookseal.pure._keyring import Keyring
from hookseal.pure._replay import replay_of
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._secret import SecretLike, scheme_of, secrets_of
from hookseal.pure._unclaimed import Settled, Unclaimed, asked
from hookseal.pure._verified import Verified, verified
from hookseal.types import Body, Headers, HeaderValue, Instant, Instants, MessageLike, Tolerance


@final
class Verifier(Sealed):
    """Verifies the signatures of webhooks; it can be shared by any number of threads."""

    __slots__ = ("_rules",)

    _rules: Rules

    @discreet
    def __new__(
        cls,
        secrets: SecretLike | Sequence[SecretLike] | Keyring,
        *,
        scheme: Scheme | str | None = None,
        tolerance: Tolerance = None,
        max_body_bytes: int | None = None,
        replay: ReplayGuard | AsyncReplayGuard | None = None,
        replay_ttl: int | None = None,
        lease: int | None = None,
        on_store_error: Literal["raise", "reject", "accept"] = "raise",
    ) -> Verifier:
        """Takes the secrets of one endpoint, or a keyring with the secrets of many."""
        state = ring = None
        guard = replay_of(replay, replay_ttl, lease, on_store_error)
        limit, own = body_limit(max_body_bytes), window(tolerance)
        if isinstance(secrets, Keyring):
            if scheme is not None:
                raise mistake("scheme-of-ring")
            ring = secrets
        else:
            chosen = scheme_of("standard-webhooks" if scheme is None else scheme)
            require_window_fits(own, chosen)
            state = new_state(secrets_of(secrets), chosen)
        if guard is not None:
            for one in [state] if ring is None else ring._snapshot.values():
                assert one is not None, "without a ring there is a state"
                guard.seconds(one, own)
        return _verifier(Rules(state, ring, own, limit, replay=guard))

    @staticmethod
    def unsigned(*, reason: str, max_body_bytes: int | None = None) -> Verifier:
        """A verifier that accepts every message, for what arrives without a signature."""
        limit = body_limit(max_body_bytes)
        return _verifier(Rules(None, None, None, limit, unsigned_reason(reason, stacklevel=3)))

    def verify(
        self,
        body: Body,
        headers: Headers,
        *,
        endpoint: str | None = None,
        received_at: Instant | None = None,
        now: Instant | None = None,
    ) -> Verified:
        """Gives the verified message, or raises a ``VerificationError``."""
        self._refuse_async()
        made: Verified = asked(self._begin(body, headers, endpoint, received_at, now, True))
        return made

    def check(
        self,
        body: Body,
        headers: Headers,
        *,
        endpoint: str | None = None,
        received_at: Instant | None = None,
        now: Instant | None = None,
    ) -> Verdict:
        """Gives the verdict; it never raises for a bad message."""
        self._refuse_async()
        said: Verdict = asked(self._begin(body, headers, endpoint, received_at, now, False))
        return said

    def verify_batch(
        self,
        messages: Iterable[MessageLike],
        *,
        endpoint: str | Sequence[str | None] | None = None,
        received_at: Instants = None,
        now: Instant | None = None,
        threads: int | None = None,
        keep: bool = True,
    ) -> BatchResult:
        """Gives the verdicts of many messages: item i is what ``check`` of item i says."""
        self._refuse_async()
        made: BatchResult = asked(
            self._begin_batch(messages, endpoint, received_at, now, threads, keep)
        )
        return made

    def verify_columns(
        self,
        ids: Sequence[HeaderValue] | None,
        timestamps: Sequence[HeaderValue] | None,
        signatures: Sequence[HeaderValue] | None,
        bodies: Iterable[Body],
        *,
        endpoint: str | Sequence[str | None] | None = None,
        received_at: Instants = None,
        now: Instant | None = None,
        threads: int | None = None,
        keep: bool = True,
    ) -> BatchResult:
        """Gives the verdicts of messages whose headers are given as columns."""
        self._refuse_async()
        columns = (signatures, ids, timestamps)
        made: BatchResult = asked(
            verify_columns(self._rules, columns, bodies, endpoint, received_at, now, threads, keep)
        )
        return made

    def averify(
        self,
        body: Body,
        headers: Headers,
        *,
        endpoint: str | None = None,
        received_at: Instant | None = None,
        now: Instant | None = None,
    ) -> Coroutine[Any, Any, Verified]:
        """``verify`` as a coroutine: for guards that are to be awaited, and all others."""
        return averify(self, body, headers, endpoint, received_at, now, True)

    def acheck(
        self,
        body: Body,
        headers: Headers,
        *,
        endpoint: str | None = None,
        received_at: Instant | None = None,
        now: Instant | None = None,
    ) -> Coroutine[Any, Any, Verdict]:
        """``check`` as a coroutine."""
        return averify(self, body, headers, endpoint, received_at, now, False)

    def averify_batch(
        self,
        messages: Iterable[MessageLike],
        *,
        endpoint: str | Sequence[str | None] | None = None,
        received_at: Instants = None,
        now: Instant | None = None,
        threads: int | None = None,
        keep: bool = True,
    ) -> Coroutine[Any, Any, BatchResult]:
        """``verify_batch`` as a coroutine."""
        return averify_batch(self, messages, endpoint, received_at, now, threads, keep)

    def _begin(
        self,
        body: object,
        headers: object,
        endpoint: object,
        received_at: Instant | None,
        now: Instant | None,
        is_verify: bool,
    ) -> Unclaimed:
        rules = self._rules
        call = Call(rules)
        call.endpoint(endpoint)
        arrival = None if received_at is None else seconds(received_at, "received_at")
        stated = None if now is None else seconds(now, "now")
        if arrival is not None:
            call.admit_arrival("received_at")
        call.begin(stated)
        call.resolve([call.endpoint(endpoint)])
        reading = call.read(body, headers, endpoint)
        at = call.instant(reading, arrival)
        judgement = call.judge(reading, at)

        def kept(_: int) -> int:
            assert rules.replay is not None, "only a guard is told for how long"
            assert reading.state is not None, "what is unsigned has no guard"
            return rules.replay.seconds(reading.state, rules.tolerance)

        def overtaken(indices: Sequence[int]) -> dict[int, Judgement]:
            accepted, state = judgement.accepted, reading.state
            if not indices:
                return {}
            assert accepted is not None, "only what is good is claimed"
            assert state is not None, "what is unsigned has no guard"
            return call.overtaken([Good(0, state, accepted.timestamp, arrival)])

        def finish(settled: Settled) -> Verified | Verdict:
            position = settled.judgements[0].position
            if rules.ring is not None and position >= 0 and reading.state is not None:
                reading.state.entries[position].counted.add(Usage(1, at, at))
            return _verified(settled) if is_verify else settled.judgements[0].verdict

        return Unclaimed(rules.replay, [judgement], kept, overtaken, finish, is_final=not is_verify)

    def _begin_batch(
        self,
        messages: object,
        endpoint: object,
        received_at: object,
        now: Instant | None,
        threads: object,
        keep: object,
    ) -> Unclaimed:
        return verify_batch(self._rules, messages, endpoint, received_at, now, threads, keep)

    def _refuse_async(self) -> None:
        if self._rules.replay is not None and self._rules.replay.is_async:
            raise mistake("async-guard")

    @property
    def _asks(self) -> Keyring | None:
        """The ring whose resolver is to be asked before a call, if there is one."""
        ring = self._rules.ring
        is_asked = ring is None or ring._resolver is None or self._rules.settled is not None
        return None if is_asked else ring

    def _unheld(self, endpoint: object, messages: object = None) -> list[str]:
        """The names of a call that the ring does not hold: what a resolver is asked for.

        Args:
            endpoint: The call's argument.
            messages: The batch, drained; None for one message.
        """
        call = Call(self._rules)
        if messages is None:
            return call.unheld([call.endpoint(endpoint)])
        items = drained(messages, "messages")
        return call.unheld(names_of(items, endpoints_of(call, endpoint, len(items))))

    def _settled(self, found: Mapping[str, State | None]) -> Verifier:
        """The same verifier for one call, which knows what the resolver said and never asks."""
        return _verifier(self._rules._replace(settled=protected(self._rules, found)))

    def __repr__(self) -> str:
        state, ring, tolerance, _, reason, replay, _ = self._rules
        if reason is not None:
            return f"Verifier(UNSIGNED, reason={reason!r})"
        if ring is not None:
            shown = f"endpoints={len(ring)}"
        else:
            assert state is not None, "without a ring, and signed: there is an endpoint"
            shown = f"scheme={state.plan.scheme.name!r}, secrets={len(state.entries)}"
        if tolerance is not None:
            shown += f", tolerance={tolerance!r}"
        if replay is not None:
            shown += f", replay={type(replay.guard).__name__}"
        return f"Verifier({shown})"


def _verified(settled: Settled) -> Verified:
    (judgement,), claimed = settled
    if judgement.accepted is None:
        raise judgement.exception(None if claimed is None else claimed.failed)
    return verified(judgement.accepted, claimed)


def _verifier(rules: Rules) -> Verifier:
    made = object.__new__(Verifier)
    put(made, "_rules", rules)
    return made
