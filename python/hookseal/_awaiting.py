"""The asynchronous calls of a verifier: hashing as in the others, and the guard awaited.

Both implementations give the first half of a call, ``begin``: it judges the message, and what it
returns knows the keys that are to be claimed. ``settle`` makes the result of the answer.
"""

from __future__ import annotations

from hookseal._message import Message
from hookseal._replay import aclaim, claim, off_the_loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

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


async def averify(begin: Callable[..., Unclaimed], body: object, *rest: object) -> Any:
    """``verify`` or ``check``, as ``begin`` says."""
    size = _size(body)
    if size is None or size <= _INLINE_BYTES:
        # What is no body is an error, which needs no thread.
        begun = begin(body, *rest)
    else:
        begun = await off_the_loop(begin, body, *rest)
    return await _settled(begun)


async def averify_batch(begin: Callable[..., Unclaimed], messages: Any, *rest: object) -> Any:
    """``verify_batch``."""
    if _is_drained_here(messages):
        messages = tuple(messages)
    if _is_small(messages):
        begun = begin(messages, *rest)
    else:
        begun = await off_the_loop(begin, messages, *rest)
    return await _settled(begun)


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
        if isinstance(message, Message):
            size = _size(message.body)
        elif type(message) is tuple and message:
            size = _size(message[0])
        else:
            return False
        left -= size or 0
        if left < 0:
            return False
    return True


def _size(body: object) -> int | None:
    if isinstance(body, memoryview):
        return body.nbytes
    return len(body) if isinstance(body, (bytes, bytearray, str)) else None
