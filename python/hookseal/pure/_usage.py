"""How often a secret matched, counted by every verifier that shares it."""

from __future__ import annotations

import sys
import threading
from itertools import count

from hookseal._at_fork import renew
from hookseal._usage import Usage

# Numbers are given once.
_numbers = count()
# An addition is a look and a change, and another thread may come between the two.
_lock = threading.RLock()
renew(sys.modules[__name__])


class Counted:
    """The counts of one secret. A secret keeps them while it keeps its label and its key.

    Attributes:
        number: What tells these counts from all others of the process, earlier ones of the
            same label too.
        usage: What was counted so far.
    """

    __slots__ = ("number", "usage")

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.usage = Usage(0)

    def add(self, more: Usage) -> None:
        """Counts more messages."""
        with _lock:
            while True:
                before = self.usage
                both = before.plus(more)
                # A signal handler may have counted meanwhile, on this thread; none comes between
                # this look and the change, where nothing is called.
                if self.usage is before:
                    self.usage = both
                    return
