"""Points in time: what is taken for an instant, and what is not."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta

    from hookseal.types import Instant

__all__ = ["LATEST_INSTANT", "after", "seconds"]

# 10^11 seconds is the year 5138; a time in milliseconds has been larger since 1973.
LATEST_INSTANT = 10**11


def seconds(value: Instant, name: str) -> int:
    """Floors an instant to whole Unix seconds.

    Args:
        value: Unix seconds as an int or float, or an aware datetime.
        name: The argument's name, for the error.

    Raises:
        TypeError: Another type, a bool, or a naive datetime.
        ValueError: NaN, negative, or over 10^11 (milliseconds).
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} must be Unix seconds or an aware datetime, not bool")
    if not isinstance(value, (int, float)):
        value = _timestamp(value, name)
    if not 0 <= value <= LATEST_INSTANT:  # False for NaN too
        hint = "; it looks like milliseconds" if value > LATEST_INSTANT else ""
        raise ValueError(f"{name} must be Unix seconds between 0 and 10**11{hint}")
    return int(value)


def after(now: Instant, overlap: timedelta) -> int:
    """The whole second at which an overlap that begins now has ended.

    Raises:
        TypeError: ``overlap`` is not a timedelta.
        ValueError: ``overlap`` is negative, or ends after 10^11.
    """
    from datetime import timedelta

    if not isinstance(overlap, timedelta):
        raise TypeError(f"overlap must be a timedelta, not {type(overlap).__name__}")
    if overlap < timedelta(0):
        raise ValueError("overlap must not be negative")
    return seconds(seconds(now, "now") + overlap // timedelta(seconds=1), "now + overlap")


def _timestamp(value: object, name: str) -> float | int:
    # An instance of datetime exists only where its module was imported.
    module = sys.modules.get("datetime")
    if module is not None and isinstance(value, module.datetime):
        if value.utcoffset() is None:
            raise TypeError(f"{name} is a naive datetime; give it a time zone")
        return float(value.timestamp())
    index = getattr(type(value), "__index__", None)  # NumPy's integers
    if index is not None:
        return int(index(value))
    raise TypeError(f"{name} must be Unix seconds or an aware datetime, not {type(value).__name__}")
