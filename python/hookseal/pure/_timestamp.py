"""Timestamps of messages: digits, and a window to lie in."""

from __future__ import annotations

from hookseal._verdict import Verdict
from hookseal.pure._judgement import Refused

# Microseconds have sixteen digits. Arithmetic on fifteen fits any machine word, and
# Python's int() raises past 4,300.
MAX_DIGITS = 15


def read_timestamp(value: bytes, unit: str, header: str) -> int:
    """The timestamp in whole seconds.

    Raises:
        Refused: It is not 1 to 15 ASCII digits: no sign, point, space, or other script.
    """
    if not 1 <= len(value) <= MAX_DIGITS or not value.isdigit():
        raise Refused(Verdict.MALFORMED_TIMESTAMP, header)
    return int(value) // 1000 if unit == "ms" else int(value)


def hold_against(window: tuple[int, int], at: int, timestamp: int, header: str) -> None:
    """Refuses a timestamp outside ``at - past <= timestamp <= at + future``."""
    past, future = window
    if timestamp < at - past:
        raise Refused(Verdict.TOO_OLD, header, at - past - timestamp)
    if timestamp > at + future:
        raise Refused(Verdict.TOO_NEW, header, timestamp - (at + future))
