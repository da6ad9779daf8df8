"""What was found in a source."""

from __future__ import annotations

from typing import NamedTuple

from hookseal._cli._migrate._source import Edit

__all__ = ["Found"]


class Found(NamedTuple):
    """Something that hookseal can stand in for.

    Attributes:
        line: Where it is, from 1.
        code: "import", or "check" for a check that is written by hand.
        text: What to do about it, in one line.
        edits: What does it; none where that is not certain.
        lines: Python that does it, where ``text`` is not enough.
    """

    line: int
    code: str
    text: str
    edits: tuple[Edit, ...] = ()
    lines: tuple[str, ...] = ()
