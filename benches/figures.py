"""The figures to judge: what the project set out to reach, beside what was measured.

They are judged in the report alone. No test fails for one: a busy machine would fail it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benches import cases
from benches.cases import Case
from benches.contenders import BARE, HOOKSEAL, STANDARD
from benches.memory import Growth
from benches.paired import Rounds, Spread
from benches.queue_file import COMMAND, PROGRAM, QueueFindings

PEAK_BYTES = {True: 64, False: 16}
# Memory that does not grow with the file; what allocators keep differs from run to run.
FLAT = 1.1


@dataclass(frozen=True)
class Figure:
    """One promise."""

    what: str
    limit: str
    measured: str
    met: bool
    # What it would come to at best, where that was measured.
    bound: Spread | None = None

    @classmethod
    def at_least(
        cls, what: str, limit: float, measured: Spread, bound: Spread | None = None
    ) -> Figure:
        """Judged by the median."""
        met = measured.median >= limit
        return cls(what, f"at least {limit:g} ×", f"{ratio(measured)} ×", met, bound)

    @classmethod
    def at_most(
        cls, what: str, limit: float, measured: Spread, bound: Spread | None = None
    ) -> Figure:
        """Judged by the median."""
        met = measured.median <= limit
        return cls(what, f"at most {limit:g} ×", f"{ratio(measured)} ×", met, bound)

    @property
    def judged(self) -> str:
        """Reached or not; and the bound of what is not."""
        if self.met:
            return "reached"
        bound = "" if self.bound is None else f"; bound {short(self.bound.median)} ×"
        return f"**missed**{bound}"


def judge(
    results: Mapping[Case, Rounds],
    memory: Mapping[bool, Growth | None],
    queue: QueueFindings,
) -> Iterator[Figure]:
    """All figures whose case was run."""
    singles = ((cases.SINGLE_H5, 0.6), (cases.SINGLE_H12, 0.7))
    for case, limit in singles:
        if case in results:
            yield Figure.at_most(
                f"`verify`, {case}: time of a bare `hmac.digest` of the same bytes",
                limit,
                results[case].ratio(HOOKSEAL, BARE),
            )
    for case, _ in singles:
        if case in results:
            yield Figure.at_least(
                f"`verify`, {case}: faster than `standardwebhooks`, no JSON",
                6.5,
                results[case].ratio(STANDARD, HOOKSEAL),
            )
    for keep, growth in memory.items():
        if growth is not None:
            yield Figure(
                f"peak memory a batch adds, keep={keep}",
                f"at most {PEAK_BYTES[keep]} B a message",
                f"{growth.peak:.1f} B",
                growth.peak <= PEAK_BYTES[keep],
            )
    yield Figure.at_least(
        f"`{COMMAND}`, a file of {queue.count:,}: faster than the {PROGRAM}",
        4,
        queue.rounds.ratio(PROGRAM, COMMAND),
    )
    if peaks := list(queue.peaks[COMMAND].values()):
        grown = peaks[-1] / peaks[0]
        counts = list(queue.peaks[COMMAND])
        yield Figure(
            f"`{COMMAND}`, peak memory: {counts[-1]:,} messages against {counts[0]:,}",
            f"at most {FLAT:g} ×",
            f"{grown:.2f} ×",
            grown <= FLAT,
        )


def ratio(spread: Spread) -> str:
    """A median with its quartiles."""
    return f"{short(spread.median)} ({short(spread.low)}–{short(spread.high)})"


def short(value: float) -> str:
    """About three digits."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
