"""Replays: what a message is known by, for how long, and how late it may be judged."""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

from hookseal._arguments import mistake, span
from hookseal._errors import scheme_error
from hookseal._memory import is_near
from hookseal._replay import is_async_guard, store_mode
from hookseal.pure._entries import State, Window
from hookseal.pure._judgement import Accepted
from hookseal.pure._plan import plan_of

_BLOCK_BYTES: Final = 64
_KEY_BYTES: Final = 16


class Replay(NamedTuple):
    """A replay guard, and what a verifier was told of it."""

    guard: Any
    is_async: bool
    is_near: bool
    ttl: int | None
    lease: int | None
    mode: str

    def seconds(self, state: State, tolerance: Window) -> int:
        """For how many seconds an endpoint's messages must be remembered.

        Raises:
            SchemeError: The guard cannot protect them.
        """
        scheme = state.plan.scheme
        if scheme.algorithm == "token":
            raise scheme_error("replay-token", scheme.name)
        needed = needed_seconds(state.window(tolerance))
        if self.ttl is None:
            if needed is None:
                raise scheme_error("replay-no-window", scheme.name)
            return needed
        if needed is not None and self.ttl < needed:
            raise scheme_error("replay-short", scheme.name)
        return self.ttl


def needed_seconds(window: tuple[int, int] | None) -> int | None:
    """As long as a copy of a message that was judged on arrival can be fresh."""
    return None if window is None else sum(window) + 1


def replay_of(replay: object, replay_ttl: object, lease: object, mode: object) -> Replay | None:
    """Judges the arguments of a verifier; None without a guard."""
    if replay is None:
        options = {"replay_ttl": replay_ttl, "lease": lease}
        options["on_store_error"] = None if mode == "raise" else mode
        for name, value in options.items():
            if value is not None:
                raise mistake("guard-options", name)
        return None
    near = is_near(replay)
    is_async = not near and is_async_guard(replay)
    chosen = store_mode(mode)
    leased = None if lease is None else span(lease, "lease")
    ttl = None if replay_ttl is None else span(replay_ttl, "replay_ttl")
    return Replay(replay, is_async, near, ttl, leased, chosen)


def key_of(accepted: Accepted) -> bytes:
    """The beginning of the SHA-256 of what tells a message apart.

    That is its signed id; where none is signed, the whole of the signed bytes: not the MAC, for a
    delivery with two signatures could come again with the other one. Before it stand the scheme's
    name and the endpoint's, with zeros up to a whole block; each of the three has its length before
    it.
    """
    assert accepted.scheme is not None, "what is unsigned has no guard"
    names = (accepted.scheme.name.encode(), (accepted.endpoint or "").encode())
    start = b"".join(map(_with_length, names))
    start += bytes(-len(start) % _BLOCK_BYTES)
    told = accepted.id
    if told is None:
        told = b"".join(plan_of(accepted.scheme).signed(accepted.body, b"", accepted.stamp))
    return hashlib.sha256(start + _with_length(told)).digest()[:_KEY_BYTES]


def _with_length(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data
