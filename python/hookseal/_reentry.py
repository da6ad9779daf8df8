"""Calls that come in the middle of another one, on the same thread.

Signal handlers and finalizers run between any two steps of Python, while their own thread may have
the lock that they ask for: waiting for it would last for ever, and taking it once more would show
them, or overwrite, half of a change.
"""

from __future__ import annotations

from hookseal._arguments import mistake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["refuse_reentry"]


def refuse_reentry(lock: Any) -> None:
    """Refuses to go on where this thread has the lock, a ``threading.RLock``, already.

    Raises:
        RuntimeError: It has.
    """
    if lock._is_owned():
        raise mistake("reentry")
