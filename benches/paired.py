"""The paired-round runner: contenders take turns in every round, ratios are made per round.

On a shared machine the speed drifts by more than many a ratio is worth. Two figures taken
within the same second drift together, so their ratio is steadier than either.
"""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, perf_counter_ns

from benches.contenders import Work

MIN_ROUNDS = 9

# Runs once; how many messages were accepted, and the nanoseconds that took.
Measure = Callable[[], tuple[int, int]]


@dataclass(frozen=True)
class Spread:
    """A median between its quartiles."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """The quartiles of at least two values."""
        return cls(*statistics.quantiles(values, n=4, method="inclusive"))


@dataclass(frozen=True)
class Rounds:
    """Microseconds a message, for each contender one figure a round."""

    micros: Mapping[str, list[float]]

    def __len__(self) -> int:
        return len(next(iter(self.micros.values())))

    def micros_of(self, name: str) -> Spread:
        """What the contender takes for a message."""
        return Spread.of(self.micros[name])

    def ratio(self, name: str, base: str) -> Spread:
        """How many times as long as ``base`` the contender takes, round by round."""
        pairs = zip(self.micros[name], self.micros[base], strict=True)
        return Spread.of([mine / other for mine, other in pairs])


def run(
    works: Mapping[str, Work],
    messages: int,
    valid: int,
    rounds: int,
    until: float,
    *,
    elsewhere: Mapping[str, Measure] | None = None,
    least: int = 1,
) -> Rounds:
    """Times every thunk once a round, in an order drawn anew for each round.

    Each thunk runs once before, which is its warm-up. How many messages it accepted is
    asserted then and after each timing, so that no figure stands for refused messages.
    Ends early, but not before the ``least`` rounds, when ``time.monotonic()`` passes ``until``.
    What runs ``elsewhere``, in another process, takes its turn too and brings its own time.
    """
    measures = {name: clocked(work) for name, work in works.items()} | dict(elsewhere or {})
    for name, measure in measures.items():
        _assert_accepted(name, measure()[0], valid)
    micros: dict[str, list[float]] = {name: [] for name in measures}
    order = list(measures)
    chance = random.Random(rounds)
    with collector_off():
        for done in range(1, rounds + 1):
            chance.shuffle(order)
            for name in order:
                accepted, nanos = measures[name]()
                _assert_accepted(name, accepted, valid)
                micros[name].append(nanos / 1000 / messages)
            if monotonic() > until and done >= least:
                break
    return Rounds(micros)


def clocked(work: Work) -> Measure:
    """The thunk under the clock."""

    def measure() -> tuple[int, int]:
        start = perf_counter_ns()
        accepted = work()
        stop = perf_counter_ns()
        return accepted, stop - start

    return measure


@contextmanager
def collector_off() -> Iterator[None]:
    """Without Python's cyclic garbage collector, whose runs would hit one contender or another.

    The rivals make more objects than hookseal does, so this favours them.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _assert_accepted(name: str, accepted: int, valid: int) -> None:
    assert accepted == valid, f"{name} accepts {accepted} messages, not {valid}"
