"""The work on a message, between its claim and what becomes of that."""

from __future__ import annotations

from hookseal._arguments import mistake
from hookseal._replay import acommit, arelease, commit, release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

__all__ = ["Processing"]


class Processing:
    """What ``verified.processing()`` gives: a context manager, for ``with`` and ``async with``.

    At its end the claim becomes final; if the block raises, it is given back. A claim that is final
    already, without a lease, stays so.
    """

    __slots__ = ("_closed", "_guard", "_index", "_is_async", "_keys", "_token")

    def __init__(
        self,
        guard: Any,
        is_async: bool,
        keys: list[bytes],
        token: object,
        closed: set[int] | None = None,
        index: int = 0,
    ) -> None:
        """Made by ``processing``; without keys there is nothing to do at the end.

        ``closed`` has the messages of a batch that its ``commit`` leaves alone, and ``index`` is
        that of this one.
        """
        self._guard = guard
        self._is_async = is_async
        self._keys = keys
        self._token = token
        self._closed = closed
        self._index = index

    def _shut(self) -> None:
        if self._closed is not None:
            self._closed.add(self._index)

    def __enter__(self) -> None:
        if self._is_async:
            raise mistake("async-processing")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._keys:
            return
        if error is None:
            commit(self._guard, self._keys, self._token)
            self._shut()
            return
        # First of all: what was not done must not be committed with the rest of its batch.
        self._shut()
        try:
            release(self._guard, self._keys, self._token)
        except Exception as second:
            _note(error, second)

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._keys:
            return
        if error is None:
            await acommit(self._guard, self._is_async, self._keys, self._token)
            self._shut()
            return
        self._shut()
        try:
            await arelease(self._guard, self._is_async, self._keys, self._token)
        except Exception as second:
            _note(error, second)


def _note(error: BaseException, second: Exception) -> None:
    # What went wrong first is what counts; the claim lapses with its lease.
    error.add_note(f"nor could the replay guard take its claim back ({type(second).__name__})")
