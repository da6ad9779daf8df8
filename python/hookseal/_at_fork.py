"""What must not cross a fork: connections, and locks that another thread holds.

The threads that hold a lock are not there in the child to open it. So whatever has one gets a
new one there. Of a guard with a connection neither process could close it without harm to the
other: it closes its connection before a fork, and opens one when it is used again.
"""

from __future__ import annotations

import os
from collections import deque
from itertools import compress
from operator import methodcaller
from threading import RLock, get_ident
from weakref import WeakValueDictionary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    class Connected(Protocol):
        _lock: Any

        def _disconnect(self) -> None: ...


__all__ = ["renew", "watch"]

# By identity; a set could not be copied in one step, while other threads add to it.
_renewed: WeakValueDictionary[int, Any] = WeakValueDictionary()
_watched: WeakValueDictionary[int, Connected] = WeakValueDictionary()
# The locks that each thread which forks has yet to open.
_taken: dict[int, Iterator[Any]] = {}

_acquire, _release = methodcaller("acquire"), methodcaller("release")


def renew(owner: object) -> None:
    """From now on the owner's ``_lock`` is another one, and open, in a process that is forked.

    It is an ``RLock``. What it guards must be fit for use after every single step that is made
    under it.
    """
    _renewed[id(owner)] = owner


def watch(guard: Connected) -> None:
    """From now on the guard is locked and without a connection whenever this process forks."""
    _watched[id(guard)] = guard
    renew(guard)


def _before() -> None:
    # In one order, should two threads fork.
    guards = sorted(_alive(_watched), key=id)
    locks = [guard._lock for guard in guards]
    taken: list[Any] = []
    _taken[get_ident()] = iter(taken)
    try:
        # Without a step of Python's: Ctrl-C comes while a lock is waited for, or before or
        # after all this, and never between a lock and its place in the list.
        taken.extend(compress(locks, map(_acquire, locks)))
    finally:
        # Of the others the child leaves the connection alone.
        for guard in guards[: len(taken)]:
            guard._disconnect()


def _after_in_parent() -> None:
    # An iterator: what was opened once is not opened again.
    deque(map(_release, _taken.get(get_ident(), ())), maxlen=0)


def _after_in_child() -> None:
    _taken.clear()
    for owner in _alive(_renewed):
        object.__setattr__(owner, "_lock", RLock())


def _alive(owners: WeakValueDictionary[int, Any]) -> list[Any]:
    return [owner for owner in (held() for held in owners.valuerefs()) if owner is not None]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
    # Once more, for Ctrl-C may have ended the first before it began. Python ignores what they
    # raise, but for a line on stderr.
    os.register_at_fork(after_in_parent=_after_in_parent)
