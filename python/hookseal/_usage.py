"""How often a secret has matched: the evidence on which one is retired."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Self

__all__ = ["Usage"]


class Usage:
    """What is known of the use of one secret of one endpoint.

    Args:
        count: How many messages it matched.
        last_matched: The last instant at which one of them was judged, in Unix seconds; None
            where there is none.
        first_matched: The first.
    """

    __slots__ = ("count", "first_matched", "last_matched")

    count: int
    last_matched: int | None
    first_matched: int | None

    # Without an __init__ there is none to call again.
    def __new__(
        cls, count: int, last_matched: int | None = None, first_matched: int | None = None
    ) -> Self:
        usage = object.__new__(cls)
        put = object.__setattr__
        put(usage, "count", count)
        put(usage, "last_matched", last_matched)
        put(usage, "first_matched", first_matched)
        return usage

    def plus(self, other: Usage) -> Usage:
        """Both together: counts add, the later last and the earlier first win."""
        last = [one for one in (self.last_matched, other.last_matched) if one is not None]
        first = [one for one in (self.first_matched, other.first_matched) if one is not None]
        count = self.count + other.count
        return Usage(count, max(last, default=None), min(first, default=None))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Usage is frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Usage is frozen")

    def _key(self) -> tuple[object, ...]:
        return self.count, self.last_matched, self.first_matched

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Usage) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._key()

    def __repr__(self) -> str:
        last, first = self.last_matched, self.first_matched
        return f"Usage(count={self.count}, last_matched={last!r}, first_matched={first!r})"
