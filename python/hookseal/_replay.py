"""Asking a replay guard: what both implementations do with one."""

from __future__ import annotations

from hookseal._arguments import mistake, wrong_type
from hookseal._claim import Claim
from hookseal._guard import is_coroutine_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    # One claim for each key with the token of the call, or None with what the guard raised.
    Answer: TypeAlias = tuple[Sequence[Claim] | None, object]

__all__ = [
    "aclaim",
    "aclose",
    "acommit",
    "arelease",
    "claim",
    "commit",
    "is_async_guard",
    "release",
    "store_mode",
]

_METHODS = ("claim", "commit", "release")
_MODES = ("raise", "reject", "accept")


def is_async_guard(guard: object) -> bool:
    """Judges ``replay``: whether its methods are coroutines.

    Raises:
        TypeError: It lacks a method of ``ReplayGuard``, or only some are coroutines.
    """
    methods = [getattr(guard, name, None) for name in _METHODS]
    # A class in the place of its instance has the methods too.
    if isinstance(guard, type) or not all(map(callable, methods)):
        raise wrong_type("replay", guard)
    kinds = set(map(is_coroutine_function, methods))
    if len(kinds) != 1:
        raise mistake("half-async-guard")
    return kinds.pop()


def store_mode(value: object) -> str:
    """Judges ``on_store_error``."""
    if not isinstance(value, str) or value not in _MODES:
        raise mistake("store-mode")
    return str.__str__(value)


def claim(guard: Any, keys: Sequence[bytes], lease: int | None, ttl: int) -> Answer:
    """Asks a guard.

    Raises:
        TypeError: It is no guard: it answered with something else than a claim for each key.
    """
    named = tuple(keys)  # of which a guard can take none away
    try:
        claims = guard.claim(named, lease=lease, ttl=ttl)
    except MemoryError:
        raise
    except Exception as error:
        return None, error
    if hasattr(claims, "__await__"):
        if hasattr(claims, "close"):
            claims.close()  # or it would complain that nobody awaited it
        raise mistake("async-guard")
    return _judged(claims, named)


async def aclaim(guard: Any, keys: Sequence[bytes], lease: int | None, ttl: int) -> Answer:
    """The same for a guard whose methods are coroutines."""
    named = tuple(keys)
    try:
        claims = await guard.claim(named, lease=lease, ttl=ttl)
    except MemoryError:
        raise
    except Exception as error:
        return None, error
    return _judged(claims, named)


def _judged(claims: Any, keys: Sequence[bytes]) -> Answer:
    try:
        judged = tuple(claims)
    except (TypeError, ValueError):
        judged = ()
    # Not what equals one, either: the 1 of a store may well mean that it has the key already.
    if len(judged) != len(keys) or not all(type(claim) is Claim for claim in judged):
        # Whatever on_store_error says: to accept on such an answer would be to accept everything.
        raise mistake("no-claims", str(len(keys)))
    return judged, getattr(claims, "token", None)


def commit(guard: Any, keys: Sequence[bytes], token: object) -> None:
    """Makes claims final."""
    guard.commit(tuple(keys), **_told(token))


def release(guard: Any, keys: Sequence[bytes], token: object) -> None:
    """Gives claims back."""
    guard.release(tuple(keys), **_told(token))


async def acommit(guard: Any, is_async: bool, keys: Sequence[bytes], token: object) -> None:
    """Makes claims final; of a guard that would block, in a thread."""
    if is_async:
        await guard.commit(tuple(keys), **_told(token))
    else:
        await off_the_loop(commit, guard, keys, token)


async def arelease(guard: Any, is_async: bool, keys: Sequence[bytes], token: object) -> None:
    """Gives claims back; of a guard that would block, in a thread."""
    if is_async:
        await guard.release(tuple(keys), **_told(token))
    else:
        await off_the_loop(release, guard, keys, token)


async def aclose(
    what: str,
    guard: Any,
    is_async: bool,
    keys: Sequence[bytes],
    token: object,
    closed: set[int] | None,
    indices: Sequence[int],
) -> None:
    """Commits or releases messages of a batch, and notes that when it is done."""
    if keys:
        close = acommit if what == "commit" else arelease
        await close(guard, is_async, keys, token)
    if closed is not None:
        closed.update(indices)


async def off_the_loop(function: Any, *arguments: Any) -> Any:
    """Calls a function in a thread, so that the event loop goes on."""
    from asyncio import to_thread

    return await to_thread(function, *arguments)


def _told(token: object) -> dict[str, object]:
    return {} if token is None else {"token": token}
