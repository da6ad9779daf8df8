"""Signers: what a provider does, for tests and for sending webhooks of one's own."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import final

from hookseal._arguments import mistake, wrong_id
from hookseal._discreet import discreet
from hookseal._errors import scheme_error, secret_error
from hookseal._instant import seconds
from hookseal._random import message_id
from hookseal._scheme import Scheme
from hookseal.pure._arguments import drained, each, instants, text_or_none
from hookseal.pure._body import encodable, read_body
from hookseal.pure._entries import State, new_state
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._secret import SecretLike, scheme_of, secrets_of
from hookseal.pure._signature import render
from hookseal.pure._text import trim, utf8
from hookseal.types import Body, Instant, Instants

_SPACE = 0x20
_DELETE = 0x7F


@final
class Signer(Sealed):
    """Signs bodies: what it makes, a ``Verifier`` of its secrets and scheme accepts."""

    __slots__ = ("_state", "_token")

    _state: State
    _token: str | None

    @discreet
    def __new__(
        cls,
        secrets: SecretLike | Sequence[SecretLike],
        *,
        scheme: Scheme | str = "standard-webhooks",
    ) -> Signer:
        """Takes one secret, or several where the scheme's header can hold several signatures."""
        scheme = scheme_of(scheme)
        given = secrets_of(secrets)
        state = new_state(given, scheme)
        if scheme.separator is None and len(given.secrets) > 1:
            raise scheme_error("one-signature", scheme.name)
        signer = object.__new__(cls)
        put(signer, "_state", state)
        # A token is sent as it is, so here alone the text of a secret is kept.
        token = None
        if scheme.algorithm == "token":
            place = given.place_of(0)
            token = _token(given.secrets[0]._key(scheme, place), place)
        put(signer, "_token", token)
        return signer

    def sign(
        self, body: Body, *, id: str | None = None, timestamp: Instant | None = None
    ) -> dict[str, str]:
        """The headers for one body, by lower-case name."""
        text_or_none(id, "id")
        self._require_signed(id, timestamp)
        at = None if timestamp is None else seconds(timestamp, "timestamp")
        data = encodable(read_body(body))
        chosen = None if id is None else self._id(id, "id")
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
        self._require_signed(ids, timestamps)
        chosen = [None] * len(items) if ids is None else each(ids, "ids", len(items), self._id)
        times = instants(timestamps, "timestamps", len(items))
        places = [f"bodies[{index}]" for index in range(len(items))]
        data = [
            encodable(read_body(body, place), place)
            for place, body in zip(places, items, strict=True)
        ]
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
            id = message_id()
        timestamp = "" if at is None else str(at * 1000 if scheme.unit == "ms" else at)
        headers = {}
        if family.id is not None and id is not None:
            headers[family.id] = id
        if family.timestamp is not None:
            headers[family.timestamp] = timestamp
        signed = self._state.plan.signed(body, (id or "").encode(), timestamp.encode())
        signatures = [
            render(entry.key.tag(signed), scheme)
            if self._token is None
            else scheme.prefix + self._token
            for entry in self._state.entries
            if entry.live(at)
        ]
        if not signatures:
            raise secret_error("none-live", "the signer")
        headers[family.signature] = (scheme.separator or "").join(signatures)
        return headers

    def _now(self) -> int | None:
        # Only where something depends on it: a header that states it, or a window.
        if not self._state.plan.scheme.signs_timestamp and not self._state.has_windows:
            return None
        return seconds(time.time(), "time.time()")

    def _require_signed(self, id: object, timestamp: object) -> None:
        scheme = self._state.plan.scheme
        for part, value in (("id", id), ("timestamp", timestamp)):
            if value is not None and part not in scheme.covers:
                raise mistake(f"no-{part}", scheme.name)

    def _id(self, id: object, place: str) -> str:
        id = text_or_none(id, place) or ""
        data = utf8(id)
        if data is None or data != trim(data) or not self._state.plan.takes_id(data):
            raise wrong_id(place, self._state.plan.scheme.id_forbidden)
        return id


def _token(token: bytes, place: str) -> str:
    controls = any(byte < _SPACE or byte == _DELETE for byte in token)
    if controls or token != trim(token):
        raise secret_error("token-not-sendable", place)
    return token.decode("utf-8")
