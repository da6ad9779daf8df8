"""Tolerances: how far from now a signed timestamp may lie."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from hookseal.types import Tolerance

__all__ = ["MAX_TOLERANCE_SECONDS", "window"]

# 31 days: longer than any provider retries. What needs more wants "off", by name.
MAX_TOLERANCE_SECONDS = 2_678_400


def window(tolerance: Tolerance) -> tuple[int, int] | Literal["off"] | None:
    """Gives a tolerance its full form: (past, future) in seconds, "off", or None.

    Raises:
        TypeError: Not an int, a pair of ints, "off" or None; bools and floats too.
        ValueError: Outside 0 to 2,678,400 seconds, or another string.
    """
    if tolerance is None:
        return None
    if isinstance(tolerance, str):
        if tolerance == "off":
            return "off"
        raise ValueError('tolerance must be seconds, (past, future), "off" or None')
    if isinstance(tolerance, tuple):
        if len(tolerance) != 2:
            raise ValueError("tolerance as a tuple must be (past, future), in seconds")
        return _side(tolerance[0]), _side(tolerance[1])
    return _side(tolerance), _side(tolerance)


def _side(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"tolerance must be whole seconds, not {type(value).__name__}")
    if not 0 <= value <= MAX_TOLERANCE_SECONDS:
        raise ValueError(f"tolerance must lie between 0 and {MAX_TOLERANCE_SECONDS} seconds")
    return int(value)
