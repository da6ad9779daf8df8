"""Verified messages."""

from __future__ import annotations

from typing import Any, final

from hookseal._arguments import json_value, mistake
from hookseal._processing import Processing
from hookseal.pure._judgement import Accepted
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._unclaimed import Claimed

UNSIGNED = "unsigned"


@final
class Verified(Sealed):
    """A message whose signature was found good; only a verification makes one."""

    __slots__ = ("_accepted", "_claimed")

    _accepted: Accepted
    _claimed: Claimed | None

    @property
    def id(self) -> str | None:
        """The signed id, or None where the scheme signs none."""
        id = self._accepted.id
        return None if id is None else id.decode("ascii")

    @property
    def timestamp(self) -> int | None:
        """The signed time in whole seconds, or None where the scheme signs none."""
        return self._accepted.timestamp

    @property
    def secret(self) -> str | None:
        """The label of the secret that matched, or None for an unsigned verifier."""
        return self._accepted.label

    @property
    def endpoint(self) -> str | None:
        """The keyring endpoint, or None for a verifier without a ring."""
        return self._accepted.endpoint

    @property
    def scheme(self) -> str:
        """The name of the scheme."""
        scheme = self._accepted.scheme
        return UNSIGNED if scheme is None else scheme.name

    @property
    def body(self) -> bytes:
        """The very bytes that were hashed."""
        return self._accepted.body

    @property
    def covers(self) -> frozenset[str]:
        """What the signature protects, of "body", "id" and "timestamp"."""
        scheme = self._accepted.scheme
        return frozenset() if scheme is None else scheme.covers

    @property
    def fresh(self) -> bool:
        """Whether a timestamp was held against a window."""
        return self._accepted.fresh

    @property
    def claimed(self) -> bool:
        """Whether a replay guard gave this message to you."""
        return self._claimed is not None and bool(self._claimed.keys)

    def processing(self) -> Processing:
        """For the work: commits the claim at its end, or releases it if the block raises."""
        if self._claimed is None:
            raise mistake("no-guard")
        replay, keys, token = self._claimed[:3]
        named = [] if replay.lease is None else list(keys.values())
        index = next(iter(keys), 0)
        return Processing(replay.guard, replay.is_async, named, token, self._claimed.closed, index)

    def json(self) -> Any:
        """The body, parsed as JSON."""
        return json_value(self._accepted.body)

    def __repr__(self) -> str:
        unsigned = "UNSIGNED, " if self._accepted.scheme is None else ""
        return (
            f"Verified({unsigned}scheme={self.scheme!r}, id={self.id!r},"
            f" timestamp={self.timestamp!r}, secret={self.secret!r},"
            f" endpoint={self.endpoint!r}, fresh={self.fresh!r})"
        )


def verified(accepted: Accepted, claimed: Claimed | None = None) -> Verified:
    made = object.__new__(Verified)
    put(made, "_accepted", accepted)
    put(made, "_claimed", claimed)
    return made
