"""The asynchronous calls of a verifier: hashing as in the others, resolver and guard awaited.

Both implementations give a ``Verifier`` the first half of a call, ``_begin`` and ``_begin_batch``:
it judges the message, and what it returns knows the keys that are to be claimed. ``settle`` makes
the result of the answer. Where a resolver is to be asked before, ``_unheld`` says for what, and
``_settled`` is the verifier that knows the answer.
"""

from __future__ import annotations

from hookseal._message import Message
from hookseal._replay import aclaim, claim, off_the_loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Verifier(Protocol):
        """What judges: of the core or of the twin."""

        @property
        def _asks(self) -> Any: ...
        def _unheld(self, endpoint: Any, messages: Any = None) -> Any: ...
        def _settled(self, found: dict[str, Any]) -> Verifier: ...
        def _begin(self, body: Any, *rest: Any) -> Unclaimed: ...
        def _begin_batch(self, messages: Any, *rest: Any) -> Unclaimed: ...

    class Unclaimed(Protocol):
        """A call whose messages were judged, and not claimed yet."""

        @property
        def guard(self) -> Any: ...
        @property
        def is_async(self) -> bool: ...
        @property
        def is_near(self) -> bool: ...
        @property
        def keys(self) -> list[bytes]: ...
        @property
        def lease(self) -> int | None: ...
        @property
        def ttl(self) -> int: ...
        def settle(self, answer: Any) -> Any: ...


__all__ = ["averify", "averify_batch"]

# To hand work to a thread and hear of its end takes 0.1 ms, and so does it to hash this.
_INLINE_BYTES = 65_536
_INLINE_MESSAGES = 64

# The formats of a buffer of instants.
_NUMBERS = frozenset("qlnd")


async def averify(
    verifier: Verifier, body: object, headers: object, endpoint: object, *rest: object
) -> Any:
    """``verify`` or ``check``, as the last argument says."""
    if verifier._asks is not None:
        verifier = await _told(verifier, verifier._unheld(endpoint))
    rest = (headers, endpoint, *rest)
    begin = verifier._begin
    size = _size(body)
    if size is None or size <= _INLINE_BYTES:
        # What is no body is an error, which needs no thread.
        begun = begin(body, *rest)
    else:
        begun = await off_the_loop(begin, body, *rest)
    return await _settled(begun)


async def averify_batch(
    verifier: Verifier, messages: Any, endpoint: object, received_at: object, *rest: object
) -> Any:
    """``verify_batch``."""
    if _is_drained_here(messages):
        messages = tuple(messages)
    if verifier._asks is not None:
        # The names that are asked for are those of the messages that are judged, whatever
        # becomes of the caller's lists meanwhile.
        messages, endpoint = _frozen(messages), _frozen(endpoint)
        received_at = _frozen(received_at)
        if _is_small(messages):
            names = verifier._unheld(endpoint, messages)
        else:
            names = await off_the_loop(verifier._unheld, endpoint, messages)
        verifier = await _told(verifier, names)
    rest = (endpoint, received_at, *rest)
    begin = verifier._begin_batch
    if _is_small(messages):
        begun = begin(messages, *rest)
    else:
        begun = await off_the_loop(begin, messages, *rest)
    return await _settled(begun)


async def _told(verifier: Verifier, names: Any) -> Verifier:
    """The verifier that knows what the resolver said of the names."""
    ring = verifier._asks
    return verifier._settled(await ring._resolver.aresolve(ring, names))


def _frozen(given: Any) -> Any:
    if isinstance(given, list):
        return tuple(given)
    if isinstance(given, memoryview) and given.ndim == 1:
        kept: Any = memoryview(given.tobytes())
        return kept.cast(given.format) if given.format in _NUMBERS else given
    # What has numbers in a row, as array.array and NumPy's arrays, knows how to copy itself.
    copied = getattr(type(given), "__copy__", None)
    return given if copied is None else copied(given)


async def _settled(begun: Unclaimed) -> Any:
    keys = begun.keys
    if not keys:
        return begun.settle(None)
    arguments = (begun.guard, keys, begun.lease, begun.ttl)
    if begun.is_async:
        answer = await aclaim(*arguments)
    elif begun.is_near:
        answer = claim(*arguments)
    else:
        answer = await off_the_loop(claim, *arguments)
    return begun.settle(answer)


def _is_drained_here(messages: Any) -> bool:
    """Whether it is drained in its owner's thread. What is no batch is judged later."""
    is_iterable = hasattr(messages, "__iter__") and not hasattr(messages, "items")
    return is_iterable and not isinstance(messages, (list, tuple, str, bytes))


def _is_small(messages: object) -> bool:
    if not isinstance(messages, (list, tuple)) or len(messages) > _INLINE_MESSAGES:
        return False
    left = _INLINE_BYTES
    for message in messages:
        try:
            if isinstance(message, Message):
                size = _size(message.body)
            elif type(message) is tuple and message:
                size = _size(message[0])
            else:
                return False
        except MemoryError:
            raise
        except Exception:  # Said when the message is read.
            return False
        left -= size or 0
        if left < 0:
            return False
    return True


def _size(body: object) -> int | None:
    if isinstance(body, memoryview):
        return body.nbytes
    return len(body) if isinstance(body, (bytes, bytearray, str)) else None
