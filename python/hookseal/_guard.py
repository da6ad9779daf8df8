"""Replay guards: what a verifier asks before it calls a message valid."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from hookseal._claim import Claim
else:
    # At run time these are plain classes: typing is heavy, and nobody asks isinstance.
    Protocol = object

__all__ = ["AsyncReplayGuard", "ReplayGuard", "is_coroutine_function"]


class ReplayGuard(Protocol):
    """Remembers which messages were taken, by keys of 16 bytes.

    Any object with these four methods is one; threads call them at the same time. Each either does
    the whole of what it was asked, or raises.
    """

    def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> Sequence[Claim]:
        """Claims each key that nobody holds.

        Args:
            keys: Keys of 16 bytes. Verifiers name none twice; of a key that is named twice, the
                first is won and the second is not.
            lease: Seconds after which a claim that was not committed lapses, and the key can be
                won again; None for a claim that is final at once.
            ttl: Seconds for which a final claim is remembered, at least.

        Returns:
            One ``Claim`` for each key: ``WON`` for what is the caller's now. If the sequence has an
            attribute ``token`` that is not None, ``commit`` and ``release`` are called with
            ``token=`` it.
        """
        ...

    def commit(self, keys: Sequence[bytes]) -> None:
        """Makes claims final: the work is done."""
        ...

    def release(self, keys: Sequence[bytes]) -> None:
        """Gives claims back: the work was not done, and the next copy may be taken."""
        ...

    def close(self) -> None:
        """Lets go of what is held open. What outlives the process stays."""
        ...


class AsyncReplayGuard(Protocol):
    """A ``ReplayGuard`` whose methods are coroutines."""

    async def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> Sequence[Claim]:
        """As ``ReplayGuard.claim``."""
        ...

    async def commit(self, keys: Sequence[bytes]) -> None:
        """As ``ReplayGuard.commit``."""
        ...

    async def release(self, keys: Sequence[bytes]) -> None:
        """As ``ReplayGuard.release``."""
        ...

    async def close(self) -> None:
        """As ``ReplayGuard.close``."""
        ...


def is_coroutine_function(function: object) -> bool:
    """Whether calling it gives something to be awaited."""
    from inspect import iscoroutinefunction

    return iscoroutinefunction(function)
