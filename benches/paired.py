"""The paired-round runner: contenders take turns in every round, ratios are made per round.

On a shared machine the speed drifts by more than many a ratio is worth. Two figures taken
within the same second drift together, so their ratio is steadier than either.
"""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, perf_counter_ns

from benches.contenders import Work

MIN_ROUNDS = 9


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

    def __add__(self, more: Rounds) -> Rounds:
        return Rounds({name: taken + more.micros[name] for name, taken in self.micros.items()})

    def micros_of(self, name: str) -> Spread:
        """What the contender takes for a message."""
        return Spread.of(self.micros[name])

    def ratio(self, name: str, base: str) -> Spread:
        """How many times as long as ``base`` the contender takes, round by round."""
        pairs = zip(self.micros[name], self.micros[base], strict=True)
        return Spread.of([mine / other for mine, other in pairs])


def run(works: Mapping[str, Work], messages: int, valid: int, rounds: int, until: float) -> Rounds:
    """Times every thunk once a round, in an order drawn anew for each round.

    Each thunk runs once before, which is its warm-up. How many messages it accepted is
    asserted then and after each timing, so that no figure stands for refused messages.
    Ends early, but not before one round, when ``time.monotonic()`` passes ``until``.
    """
    for name, work in works.items():
        _assert_accepted(name, work(), valid)
    micros: dict[str, list[float]] = {name: [] for name in works}
    order = list(works)
    chance = random.Random(rounds)
    with collector_off():
        for _ in range(rounds):
            chance.shuffle(order)
            for name in order:
                work = works[name]
                start = perf_counter_ns()
                accepted = work()
                stop = perf_counter_ns()
                _assert_accepted(name, accepted, valid)
                micros[name].append((stop - start) / 1000 / messages)
            if monotonic() > until:
                break
    return Rounds(micros)


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
