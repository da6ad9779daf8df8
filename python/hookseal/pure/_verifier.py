"""Verifiers: one message at a time, or many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import final

from hookseal._arguments import body_limit, mistake, unsigned_reason
from hookseal._instant import seconds
from hookseal._scheme import Scheme
from hookseal._tolerance import window
from hookseal._usage import Usage
from hookseal._verdict import Verdict
from hookseal.pure._batch import BatchResult, verify_batch, verify_columns
from hookseal.pure._call import Call, Rules
from hookseal.pure._entries import new_state, require_window_fits
from hookseal.pure._judgement import Judgement
from hookseal.pure._keyring import Keyring
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._secret import SecretLike, scheme_of, secrets_of
from hookseal.pure._verified import Verified, verified
from hookseal.types import Body, Headers, HeaderValue, Instant, Instants, MessageLike, Tolerance


@final
class Verifier(Sealed):
    """Verifies the signatures of webhooks; it can be shared by any number of threads."""

    __slots__ = ("_rules",)

    _rules: Rules

    def __new__(
        cls,
        secrets: SecretLike | Sequence[SecretLike] | Keyring,
        *,
        scheme: Scheme | str | None = None,
        tolerance: Tolerance = None,
        max_body_bytes: int | None = None,
    ) -> Verifier:
        """Takes the secrets of one endpoint, or a keyring with the secrets of many."""
        state = ring = None
        limit, own = body_limit(max_body_bytes), window(tolerance)
        if isinstance(secrets, Keyring):
            if scheme is not None:
                raise mistake("scheme-of-ring")
            ring = secrets
        else:
            chosen = scheme_of("standard-webhooks" if scheme is None else scheme)
            require_window_fits(own, chosen)
            state = new_state(secrets_of(secrets), chosen)
        return _verifier(Rules(state, ring, own, limit))

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
        judgement = self._judge(body, headers, endpoint, received_at, now)
        if judgement.accepted is None:
            raise judgement.exception()
        return verified(judgement.accepted)

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
        return self._judge(body, headers, endpoint, received_at, now).verdict

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
        return verify_batch(self._rules, messages, endpoint, received_at, now, threads, keep)

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
        columns = (signatures, ids, timestamps)
        return verify_columns(
            self._rules, columns, bodies, endpoint, received_at, now, threads, keep
        )

    def _judge(
        self,
        body: object,
        headers: object,
        endpoint: object,
        received_at: Instant | None,
        now: Instant | None,
    ) -> Judgement:
        call = Call(self._rules)
        call.endpoint(endpoint)
        arrival = None if received_at is None else seconds(received_at, "received_at")
        call.now = None if now is None else seconds(now, "now")
        reading = call.read(body, headers, endpoint)
        at = call.instant(reading, arrival)
        judgement = call.judge(reading, at)
        if self._rules.ring is not None and judgement.position >= 0 and reading.state is not None:
            reading.state.entries[judgement.position].counted.add(Usage(1, at, at))
        return judgement

    def __repr__(self) -> str:
        state, ring, tolerance, _, reason = self._rules
        if reason is not None:
            return f"Verifier(UNSIGNED, reason={reason!r})"
        if ring is not None:
            shown = f"endpoints={len(ring)}"
        elif state is not None:
            shown = f"scheme={state.plan.scheme.name!r}, secrets={len(state.entries)}"
        return f"Verifier({shown}{'' if tolerance is None else f', tolerance={tolerance!r}'})"


def _verifier(rules: Rules) -> Verifier:
    made = object.__new__(Verifier)
    put(made, "_rules", rules)
    return made
