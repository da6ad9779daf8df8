"""What a keyring asks for the endpoints that it does not hold, and remembers of the answers.

Both implementations resolve through this module; they differ in what they keep of an endpoint.
"""

from __future__ import annotations

import threading
import time
from itertools import count
from weakref import WeakValueDictionary

from hookseal._arguments import mistake, wrong_type
from hookseal._at_fork import renew
from hookseal._discreet import discreet
from hookseal._errors import SchemeError, SecretError, shown
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
# A longer name is asked for each time if it is no endpoint's: senders may make up any number of
# names, and what is remembered of them is bounded in bytes too.
_LONGEST_ABSENT = 256


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

    __slots__ = (
        "__weakref__",
        "_absent",
        "_asks",
        "_function",
        "_known",
        "_lock",
        "_numbers",
        "_refused",
        "_size",
        "_ttls",
        "is_async",
    )

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
        self._lock = threading.RLock()
        # Names with what is held of each and when it lapses, the oldest first. Those without an
        # endpoint have a room of their own: senders may be able to make up any number.
        self._known: dict[str, tuple[Any, float]] = {}
        self._absent: dict[str, tuple[Any, float]] = {}
        # Those under way, by number: they are answered in any order.
        self._asks: WeakValueDictionary[int, _Ask] = WeakValueDictionary()
        self._numbers = count(1)
        # Those that a verifier's guard cannot protect, and until when that need not be said again.
        self._refused: dict[str, float] = {}
        renew(self)

    def resolve(self, ring: Ring, names: Iterable[str]) -> dict[str, Any]:
        """What is held of each name; None where there is no such endpoint.

        Raises:
            TypeError: The function is async, or its answer has a wrong type.
            Exception: What the function raises, or the answer is refused with.
        """
        if self.is_async:
            raise mistake("async-resolver")
        held, ask = self._remembered(names)
        if ask is not None:
            answer = self._function(list(ask.names))
            if hasattr(answer, "__await__"):
                # A coroutine that nobody awaits would warn.
                getattr(answer, "close", lambda: None)()
                raise mistake("async-resolver")
            try:
                held |= self._learnt(ring, ask, answer)
            finally:
                del answer  # the secrets of many, which a traceback would show
        return held

    async def aresolve(self, ring: Ring, names: Iterable[str]) -> dict[str, Any]:
        """As ``resolve``, of a function that may be async."""
        held, ask = self._remembered(names)
        if ask is not None:
            # One that is not async may wait for a disk or another host.
            asked = list(ask.names)
            if self.is_async:
                answer = self._function(asked)
            else:
                answer = await off_the_loop(self._function, asked)
            if hasattr(answer, "__await__"):
                answer = await answer
            try:
                held |= self._learnt(ring, ask, answer)
            finally:
                del answer
        return held

    def forget(self, endpoint: str | None) -> None:
        """Forgets what was said of one name, or all; so does every call that is under way."""
        with self._lock:
            for ask in self._under_way():
                if endpoint is None:
                    ask.current.clear()
                else:
                    ask.current.discard(endpoint)
            for remembered in (self._known, self._absent):
                if endpoint is None:
                    remembered.clear()
                else:
                    remembered.pop(endpoint, None)

    def refuse(self, endpoint: str, error: Exception) -> None:
        """Says that a verifier's guard cannot protect an endpoint that was resolved.

        Like all that is wrong with one tenant it stops no other, and is not said at each message.
        """
        now = time.monotonic()
        with self._lock:
            if now < self._refused.get(endpoint, now):
                return
            self._refused.pop(endpoint, None)
            self._refused[endpoint] = now + self._ttls[1]
            if len(self._refused) > self._size:
                self._refused.pop(next(iter(self._refused), endpoint), None)
        _warn(_closed(endpoint, error))

    def _remembered(self, names: Iterable[str]) -> tuple[dict[str, Any], _Ask | None]:
        """What is remembered of the names, and what there is to ask for."""
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
            if not unknown:
                return held, None
            ask = _Ask(next(self._numbers), now, unknown)
            self._asks[ask.number] = ask
        return held, ask

    @discreet
    def _learnt(self, ring: Ring, ask: _Ask, answer: object) -> dict[str, Any]:
        from collections.abc import Mapping

        if not isinstance(answer, Mapping):
            raise wrong_type("resolver answer", answer)
        held: dict[str, Any] = dict.fromkeys(ask.names)
        told = set()
        # What is wrong with one tenant, or with one name that a sender has made up, must not
        # stop all others: whoever names it could do so again and again.
        doubts = []
        unasked = None
        for key, given in answer.items():
            if not isinstance(key, str):
                raise wrong_type("str", key, "a name in what the resolver returned")
            name = str.__str__(key)
            if name not in held:
                unasked = f"the resolver returned {shown(name)}, which it was not asked for"
                continue
            if name in told:
                raise mistake("resolver-twice", name)
            told.add(name)
            if given is None:
                continue
            try:
                held[name] = ring._entered(name, given, f"resolver()[{shown(name)}]")
            except (SecretError, SchemeError) as error:
                doubts.append(_closed(name, error))
        if unasked is not None:
            # A database that folds case says "acme" of "ACME". One of many is enough.
            doubts.append(unasked)
        # Only now, when nothing was wrong with the answer as a whole.
        with self._lock:
            self._remember(ask, held)
        for doubt in doubts:
            _warn(doubt)
        return held

    def _remember(self, ask: _Ask, held: dict[str, Any]) -> None:
        # What was asked before this, and is answered after it, is older.
        for other in self._under_way():
            if other.number < ask.number:
                other.current.difference_update(held)
        for name, state in held.items():
            if name not in ask.current:
                continue
            self._known.pop(name, None)
            self._absent.pop(name, None)
            if state is None and len(name) > _LONGEST_ABSENT:
                continue
            remembered, ttl = (
                (self._absent, self._ttls[1]) if state is None else (self._known, self._ttls[0])
            )
            if ttl:
                # What it says was read after it was asked for, and maybe long before it came.
                remembered[name] = (state, ask.at + ttl)
                if len(remembered) > self._size:
                    remembered.pop(next(iter(remembered), name), None)

    def _under_way(self) -> list[_Ask]:
        # In one step: what asks in a signal handler adds one.
        return [ask for ask in (held() for held in self._asks.valuerefs()) if ask is not None]


class _Ask:
    """One call of the function.

    Attributes:
        number: How many there were, with this one.
        at: When it began, by the monotonic clock.
        names: What it was asked for.
        current: The names of which nothing newer is known.
    """

    __slots__ = ("__weakref__", "at", "current", "names", "number")

    def __init__(self, number: int, at: float, names: list[str]) -> None:
        self.number = number
        self.at = at
        self.names = names
        self.current = set(names)


def _closed(endpoint: str, error: Exception) -> str:
    return f"no message is valid for endpoint {shown(endpoint)}: {error}"


def _warn(text: str) -> None:
    from warnings import warn_explicit

    # No line of the caller's is to blame. Without a registry, which would grow with the names
    # and say each of them once for ever: it is said as often as the resolver is asked.
    warn_explicit(text, RuntimeWarning, __file__, 0, module=__name__)


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
