"""The bar on stderr, where a terminal is."""

from __future__ import annotations

import os
import sys
import time

from hookseal._cli import _say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hookseal._cli._sources import Source

__all__ = ["Progress"]

# What is over sooner needs no bar, and what changes more often cannot be read.
_FIRST_AFTER_SECONDS = 0.5
_AGAIN_AFTER_SECONDS = 0.1
_CELLS = 24
# Of terminals that do not say how wide they are.
_COLUMNS = 80


class Progress:
    """How far a run is, how fast, and how long it will take."""

    def __init__(self, inputs: Sequence[Source]) -> None:
        sizes = [one.size for one in inputs]
        known = [size for size in sizes if size is not None]
        self._total = sum(known) if len(known) == len(sizes) else None
        self._done = 0
        self._begin = time.monotonic()
        self._next = self._begin + _FIRST_AFTER_SECONDS
        self._is_on = True
        self._bar: _RichBar | _PlainBar | None = None

    def show(self, more_bytes: int, messages: int) -> None:
        """Counts bytes that were read, and draws the bar when it is time to."""
        self._done += more_bytes
        now = time.monotonic()
        if not self._is_on or now < self._next:
            return
        self._next = now + _AGAIN_AFTER_SECONDS
        try:
            if self._bar is None:
                self._bar = _bar()
            self._bar.draw(self._share(), self._words(messages, now - self._begin))
        except (OSError, ValueError):  # The terminal has gone; the work goes on.
            self._is_on = False

    def clear(self) -> None:
        """Takes the bar away."""
        bar, self._bar = self._bar, None
        self._is_on = False
        try:
            if bar is not None:
                bar.clear()
        except (OSError, ValueError):
            pass

    def _share(self) -> float | None:
        return min(self._done / self._total, 1.0) if self._total else None

    def _words(self, messages: int, seconds: float) -> str:
        words = [
            f"{messages:,} messages",
            f"{messages / seconds:,.0f}/s",
            f"{_say.amount(self._done / seconds)}/s",
        ]
        share = self._share()
        if share:
            left = round(seconds * (1 - share) / share)
            words.append(f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02} left")
        return "  ".join(words)


def _bar() -> _RichBar | _PlainBar:
    try:
        return _RichBar()
    except ImportError:
        return _PlainBar()


class _PlainBar:
    """One line, drawn over itself."""

    def __init__(self) -> None:
        self._width = 0

    def draw(self, share: float | None, words: str) -> None:
        line = words
        if share is not None:
            full = int(share * _CELLS)
            line = f"[{'#' * full}{'-' * (_CELLS - full)}] {share:4.0%}  {words}"
        # A line that is too long would not be drawn over but leave copies above.
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
        line = line[: columns - 1]
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def clear(self) -> None:
        sys.stderr.write("\r" + " " * self._width + "\r")
        sys.stderr.flush()


class _RichBar:
    """The same, drawn by rich."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as Bar

        console = Console(
            stderr=True, color_system="auto" if _say.has_colour() else None, highlight=False
        )
        # No thread of its own: it would take the interpreter from the judge.
        self._progress = Bar(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[words]}", markup=False),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task: Any = self._progress.add_task("", total=None, words="")
        self._progress.start()

    def draw(self, share: float | None, words: str) -> None:
        total = None if share is None else 1.0
        self._progress.update(self._task, total=total, completed=share or 0.0, words=words)
        self._progress.refresh()

    def clear(self) -> None:
        self._progress.stop()
