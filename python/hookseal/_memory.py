"""Which guards answer at once, so that nobody need wait for them in a thread."""

from __future__ import annotations

import sys

__all__ = ["is_near"]

_MODULES = ("hookseal._core", "hookseal.pure._memory_guard")


def is_near(guard: object) -> bool:
    """Whether it is one of the guards in memory, of the core or of its twin."""
    modules = map(sys.modules.get, _MODULES)
    return any(
        isinstance(guard, module.MemoryReplayGuard) for module in modules if module is not None
    )
