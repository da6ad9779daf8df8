"""What a keyring asks for the endpoints that it does not hold, and remembers of the answers.

Both implementations resolve through this module; they differ in what they keep of an endpoint.
"""

from __future__ import annotations

import threading
import time

from hookseal._arguments import mistake, wrong_type
from hookseal._replay import off_the_loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    class Ring(Protocol):
        """What makes an endpoint of what a resolver said of it."""

        def _entered(self, endpoint: str, secrets: Any, place: str) -> Any: ...


__all__ = ["Resolver", "resolver_of"]

# inspect.CO_COROUTINE; the module takes longer to import than all of ours.
_CO_COROUTINE = 0x80


def resolver_of(
    function: object, ttl: object = 300, negative_ttl: object = 30, size: object = 10_000
) -> Resolver | None:
    """What the arguments of a keyring ask for; they are judged without a function too."""
    made = Resolver(list if function is None else function, ttl, negative_ttl, size)
    return None if function is None else made


class Resolver:
    """A user's function that knows endpoints, and what it said of late.

    Args:
        function: Called with a list of names, each once, in order of first appearance.
        ttl: How long an endpoint is remembered, in seconds.
        negative_ttl: How long it is remembered that there is none of a name.
        size: The most endpoints that are remembered, and the most names without one.

    Raises:
        TypeError: A wrong type.
        ValueError: A value out of range.
    """

    __slots__ = ("_absent", "_function", "_known", "_lock", "_size", "_ttls", "_writes", "is_async")

    def __init__(self, function: object, ttl: object, negative_ttl: object, size: object) -> None:
        if not callable(function):
            raise wrong_type("resolver", function)
        self._function: Callable[[list[str]], Any] = function
        self._ttls = (
            _duration(ttl, "resolver_ttl"),
            _duration(negative_ttl, "resolver_negative_ttl"),
        )
        self._size = _size(size)
        self.is_async = _is_async(function)
        self._lock = threading.Lock()
        # Names with what is held of each and when it lapses, the oldest first. Those without an
        # endpoint have a room of their own: senders may be able to make up any number.
        self._known: dict[str, tuple[Any, float]] = {}
        self._absent: dict[str, tuple[Any, float]] = {}
        # How often something was forgotten.
        self._writes = 0

    def resolve(self, ring: Ring, names: Iterable[str]) -> dict[str, Any]:
        """What is held of each name; None where there is no such endpoint.

        Raises:
            TypeError: The function is async, or its answer has a wrong type.
            Exception: What the function raises, or the answer is refused with.
        """
        if self.is_async:
            raise mistake("async-resolver")
        held, unknown, writes = self._remembered(names)
        if unknown:
            answer = self._function(list(unknown))
            if hasattr(answer, "__await__"):
                # A coroutine that nobody awaits would warn.
                getattr(answer, "close", lambda: None)()
                raise mistake("async-resolver")
            held |= self._learnt(ring, unknown, answer, writes)
        return held

    async def aresolve(self, ring: Ring, names: Iterable[str]) -> dict[str, Any]:
        """As ``resolve``, of a function that may be async."""
        held, unknown, writes = self._remembered(names)
        if unknown:
            # One that is not async may wait for a disk or another host.
            asked = list(unknown)
            if self.is_async:
                answer = self._function(asked)
            else:
                answer = await off_the_loop(self._function, asked)
            if hasattr(answer, "__await__"):
                answer = await answer
            held |= self._learnt(ring, unknown, answer, writes)
        return held

    def forget(self, endpoint: str | None) -> None:
        """Forgets what was said of one name, or all; so does every call that is under way."""
        with self._lock:
            self._writes += 1
            for remembered in (self._known, self._absent):
                if endpoint is None:
                    remembered.clear()
                else:
                    remembered.pop(endpoint, None)

    def _remembered(self, names: Iterable[str]) -> tuple[dict[str, Any], list[str], int]:
        now = time.monotonic()
        held: dict[str, Any] = {}
        unknown: list[str] = []
        with self._lock:
            for name in names:
                entry = self._known.get(name) or self._absent.get(name)
                if entry is not None and now < entry[1]:
                    held[name] = entry[0]
                else:
                    unknown.append(name)
            return held, unknown, self._writes

    def _learnt(self, ring: Ring, asked: list[str], answer: object, writes: int) -> dict[str, Any]:
        from collections.abc import Mapping

        if not isinstance(answer, Mapping):
            raise wrong_type("resolver answer", answer)
        held: dict[str, Any] = dict.fromkeys(asked)
        told = set()
        for key, given in answer.items():
            if not isinstance(key, str):
                raise wrong_type("str", key, "a name in what the resolver returned")
            name = str.__str__(key)
            if name not in held:
                raise mistake("resolver-unasked", name)
            if name in told:
                raise mistake("resolver-twice", name)
            told.add(name)
            if given is not None:
                held[name] = ring._entered(name, given, f"resolver()[{name!r}]")
        # Only now, when nothing in the answer was wrong.
        with self._lock:
            if writes == self._writes:
                self._remember(held)
        return held

    def _remember(self, held: dict[str, Any]) -> None:
        now = time.monotonic()
        for name, state in held.items():
            self._known.pop(name, None)
            self._absent.pop(name, None)
            remembered, ttl = (
                (self._absent, self._ttls[1]) if state is None else (self._known, self._ttls[0])
            )
            if ttl:
                remembered[name] = (state, now + ttl)
                if len(remembered) > self._size:
                    del remembered[next(iter(remembered))]


def _duration(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong_type("seconds", value, place)
    # NaN is in no range; beyond a month an answer is no longer one.
    if not 0 <= value <= MAX_TTL_SECONDS:
        raise ValueError(f"{place} must be 0 to {MAX_TTL_SECONDS} seconds")
    return float(value)


def _size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("resolver_size", value)
    if value < 1:
        raise ValueError("resolver_size must be at least 1")
    return int(value)


def _is_async(function: Callable[..., Any]) -> bool:
    """Whether a call gives a coroutine, as far as can be seen without a call."""
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    for one in (function, type(function).__call__):
        code = getattr(getattr(one, "__func__", one), "__code__", None)
        if code is not None and code.co_flags & _CO_COROUTINE:
            return True
    return False


# 31 days, the largest tolerance there is.
MAX_TTL_SECONDS = 2_678_400
