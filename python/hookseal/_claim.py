"""What a replay guard answers."""

from __future__ import annotations

from enum import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    _Tuple = tuple["Claim", ...]
else:
    _Tuple = tuple

__all__ = ["Claim", "Claims"]


class Claim(IntEnum):
    """What became of one key."""

    WON = 1
    """Nobody had it: it is the caller's now."""
    PENDING = 2
    """Somebody is at work on it: its lease runs."""
    DONE = 3
    """Somebody has committed it, or won it without a lease."""


class Claims(_Tuple):
    """One ``Claim`` for each key, in their order; a tuple with a token.

    ``token`` stands for this one call. Given to ``commit`` or ``release`` of the same guard, it
    keeps them to what this call won: not to what somebody else has won since the lease lapsed. It
    is None where there is nothing to commit.
    """

    token: object

    def __new__(cls, claims: Iterable[Claim], token: object = None) -> Claims:
        """Made by guards."""
        made = tuple.__new__(cls, claims)
        made.token = token
        return made
