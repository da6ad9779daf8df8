"""Guards whose connection must not cross a fork.

Neither process could close it without harm to the other. So each guard closes its connection
before a fork, and opens one when it is used again.
"""

from __future__ import annotations

import os
from weakref import WeakSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Lock
    from typing import Protocol

    class Connected(Protocol):
        _lock: Lock

        def _disconnect(self) -> None: ...


__all__ = ["watch"]

_watched: WeakSet[Connected] = WeakSet()
# The guards that are locked while this process forks.
_locked: list[Connected] = []


def watch(guard: Connected) -> None:
    """From now on the guard is locked and without a connection whenever this process forks."""
    _watched.add(guard)


def _before() -> None:
    guards = sorted(_watched, key=id)  # in one order, should two threads fork
    for guard in guards:
        guard._lock.acquire()
        guard._disconnect()
    _locked.extend(guards)


def _after() -> None:
    guards = _locked.copy()
    _locked.clear()
    for guard in guards:
        guard._lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
