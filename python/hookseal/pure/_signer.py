"""Signers: what a provider does, for tests and for sending webhooks of one's own."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import final

from hookseal._errors import SchemeError, SecretError
from hookseal._instant import seconds
from hookseal._scheme import Scheme
from hookseal.pure._arguments import drained, each, instants
from hookseal.pure._body import NOT_UTF8, read_body
from hookseal.pure._entries import State, new_state
from hookseal.pure._plan import MAX_ID_BYTES
from hookseal.pure._random import letters_and_digits
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._secret import SecretLike, scheme_of, secrets_of
from hookseal.pure._signature import render
from hookseal.pure._text import own_str, trim, utf8
from hookseal.types import Body, Instant, Instants

_SPACE = 0x20
_DELETE = 0x7F


@final
class Signer(Sealed):
    """Signs bodies: what it makes, a ``Verifier`` of its secrets and scheme accepts."""

    __slots__ = ("_state", "_tokens")

    _state: State
    _tokens: tuple[str, ...]

    def __new__(
        cls,
        secrets: SecretLike | Sequence[SecretLike],
        *,
        scheme: Scheme | str = "standard-webhooks",
    ) -> Signer:
        """Takes one secret, or several where the scheme's header can hold several signatures."""
        scheme = scheme_of(scheme)
        given = secrets_of(secrets, "secrets")
        state = new_state(given, scheme)
        if scheme.separator is None and len(given) > 1:
            raise SchemeError(f"{scheme.name} has one signature in its header: pass one secret")
        signer = object.__new__(cls)
        put(signer, "_state", state)
        # A token is sent as it is, so here alone the text of a secret is kept.
        put(
            signer,
            "_tokens",
            tuple(_token(secret._key(scheme, place), place) for place, secret in given)
            if scheme.algorithm == "token"
            else (),
        )
        return signer

    def sign(
        self, body: Body, *, id: str | None = None, timestamp: Instant | None = None
    ) -> dict[str, str]:
        """The headers for one body, by lower-case name."""
        self._require_signed("id", id)
        self._require_signed("timestamp", timestamp)
        data = _bytes(body, "body")
        chosen = None if id is None else self._id(id, "id")
        at = None if timestamp is None else seconds(timestamp, "timestamp")
        return self._sign(data, chosen, at if at is not None else self._now())

    def sign_batch(
        self,
        bodies: Iterable[Body],
        *,
        ids: Sequence[str | None] | None = None,
        timestamps: Instants = None,
    ) -> list[dict[str, str]]:
        """The headers for many bodies; the clock is read once."""
        items = drained(bodies, "bodies")
        self._require_signed("id", ids, "ids")
        self._require_signed("timestamp", timestamps, "timestamps")
        data = [_bytes(body, f"bodies[{index}]") for index, body in enumerate(items)]
        chosen = [None] * len(data) if ids is None else each(ids, "ids", len(data), self._id)
        times = instants(timestamps, "timestamps", len(data))
        now = self._now() if None in times else None
        return [
            self._sign(body, id, now if at is None else at)
            for body, id, at in zip(data, chosen, times, strict=True)
        ]

    def __repr__(self) -> str:
        count = len(self._state.entries)
        return f"Signer(scheme={self._state.plan.scheme.name!r}, secrets={count})"

    def _sign(self, body: bytes, id: str | None, at: int | None) -> dict[str, str]:
        scheme, family = self._state.plan.scheme, self._state.plan.scheme.families[0]
        if scheme.id is not None and id is None:
            id = "msg_" + letters_and_digits(24)
        timestamp = "" if at is None else str(at * 1000 if scheme.unit == "ms" else at)
        headers = {}
        if family.id is not None and id is not None:
            headers[family.id] = id
        if family.timestamp is not None:
            headers[family.timestamp] = timestamp
        signed = self._state.plan.signed(body, (id or "").encode(), timestamp.encode())
        signatures = [
            scheme.prefix + self._tokens[number]
            if self._tokens
            else render(entry.key.tag(signed), scheme)
            for number, entry in enumerate(self._state.entries)
            if entry.live(at)
        ]
        if not signatures:
            raise SecretError("no secret of the signer is live at the timestamp")
        headers[family.signature] = (scheme.separator or "").join(signatures)
        return headers

    def _now(self) -> int | None:
        # Only where something depends on it: a header that states it, or a window.
        if not self._state.plan.scheme.signs_timestamp and not self._state.has_windows:
            return None
        return seconds(time.time(), "time.time()")

    def _require_signed(self, part: str, value: object, argument: str | None = None) -> None:
        scheme = self._state.plan.scheme
        if value is not None and part not in scheme.covers:
            raise TypeError(f"{argument or part}: {scheme.name} signs no {part}")

    def _id(self, id: object, name: str) -> str:
        if not isinstance(id, str):
            raise TypeError(f"{name} must be a str or None, not {type(id).__name__}")
        data = utf8(id)
        if data is None or data != trim(data) or not self._state.plan.takes_id(data):
            forbidden = self._state.plan.scheme.id_forbidden
            without = f", without {forbidden!r}" if forbidden else ""
            raise ValueError(
                f"{name} must be 1 to {MAX_ID_BYTES} visible ASCII characters{without}"
            )
        return own_str(id)


def _bytes(body: object, name: str) -> bytes:
    data = read_body(body, name)
    if data is None:
        raise ValueError(NOT_UTF8)
    return data


def _token(token: bytes, place: str) -> str:
    controls = any(byte < _SPACE or byte == _DELETE for byte in token)
    if controls or token != trim(token):
        raise SecretError(
            f"{place} begins or ends with white space or holds a control character,"
            " which a header cannot carry"
        )
    return token.decode("utf-8")
