"""What no batch verifier can spare, alone: how fast could one be that does nothing else?

A verifier must read its messages out of Python's objects (`touch`) and hash their bodies (`hash`);
`rust/binding/examples/floor.rs` does each of the two and nothing more. Their sum, made within a
round, is the *floor*; what a rival takes in the same round, in times of the floor, is the *bound*
of every figure that `verify_batch` is held to.

python -m benches.floor [--quick]

prints the section of the report. On two threads one hashes while the other looks, and then both
hash.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, cast

from benches import messages, paired, sample_queue
from benches.contenders import (
    BARE,
    BY_NAME,
    HOOKSEAL,
    STANDARD_JSON,
    STDLIB,
    TWO_THREADS,
    Work,
)
from benches.costs import WARM_MESSAGES, WARM_TIMES
from benches.messages import KIB, MessageSet
from benches.paired import Measure, Rounds, Spread
from benches.programs import Programs
from benches.sample_queue import SampleQueue

COLD_MESSAGES = 10_000
ROUNDS = 41
BUDGET_SECONDS = 15

TOUCH = "touch"
HASH = "hash"
BOTH = "touch and hash, 2 threads"
RIVALS = (STANDARD_JSON, STDLIB, BARE)

_NAMES = ["webhook-id", "webhook-timestamp", "webhook-signature"]


class Bodies(Protocol):
    """Bodies that are hashed without a look at Python's objects."""

    def hash(self) -> int:
        """Computes the MACs, and says how many."""

    def hash_beside(
        self, messages: Sequence[tuple[bytes, Any]], names: Sequence[str]
    ) -> tuple[int, int]:
        """Looks at messages while another thread hashes, and then helps it; both results."""


class Floor(Protocol):
    """The module that `rust/binding/examples/floor.rs` is."""

    def touch(self, messages: Sequence[tuple[bytes, Any]], names: Sequence[str]) -> int:
        """Looks at all that a verifier must look at; the sum of the lengths."""

    def Bodies(self, bodies: Sequence[tuple[int, bytes]]) -> Bodies:
        """The bodies, each with the length of the head that is hashed before it."""


@dataclass(frozen=True)
class FloorFindings:
    """Microseconds a message of `verify_batch`, of `touch` and `hash`, and of rivals."""

    # By the set of headers; cold as the judged batches are, and warm.
    cold: Mapping[str, Rounds]
    warm: Mapping[str, Rounds]
    sample: Rounds

    def bound(self, headers: str, rival: str) -> Spread:
        """How many times as long as the floor the rival takes."""
        return in_floors(self.cold[headers], rival)

    def threads_bound(self, headers: str) -> Spread:
        """How many times as long as on two threads the floor takes on one."""
        rounds = self.cold[headers]
        both = zip(floor_of(rounds), rounds.micros[BOTH], strict=True)
        return Spread.of([one / two for one, two in both])

    def sample_bound(self) -> Spread:
        """The same of the sample queue and the standard library."""
        return in_floors(self.sample, STDLIB)

    def beyond_bound(self, headers: str) -> Spread:
        """The least that a warm batch takes beyond hashing, in times of the hashing."""
        return self.warm[headers].ratio(TOUCH, HASH)


def floor_of(rounds: Rounds) -> list[float]:
    """Microseconds a message, round by round."""
    both = zip(rounds.micros[TOUCH], rounds.micros[HASH], strict=True)
    return [touch + hash for touch, hash in both]


def in_floors(rounds: Rounds, name: str) -> Spread:
    """How many times as long as the floor that contender takes, round by round."""
    pairs = zip(rounds.micros[name], floor_of(rounds), strict=True)
    return Spread.of([taken / floor for taken, floor in pairs])


def measure(built: Programs, queue: SampleQueue, *, quick: bool) -> FloorFindings | None:
    """Takes about half a minute; None where the module could not be built."""
    if built.floor is None:
        return None
    floor = load(built.floor)
    rounds = 2 if quick else ROUNDS
    count = 64 if quick else COLD_MESSAGES
    return FloorFindings(
        {headers: _cold(floor, headers, count, rounds) for headers in messages.HEADER_SETS},
        {headers: _warm(floor, headers, rounds) for headers in messages.HEADER_SETS},
        _sample(floor, queue, rounds),
    )


@cache
def load(path: Path) -> Floor:
    """The module, imported from where it was built."""
    loader = ExtensionFileLoader("floor", str(path))
    spec = spec_from_loader("floor", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return cast(Floor, module)


def works(floor: Floor, made: MessageSet) -> dict[str, Work]:
    """`verify_batch` and the two halves of the floor, over the same messages."""
    return {
        HOOKSEAL: BY_NAME[HOOKSEAL].batch(made, len(made)),
        TOUCH: _touch_work(floor, made.messages, _NAMES, made.valid),
        HASH: _hash_work(floor, _bodies(made), made.valid),
    }


def _bodies(made: MessageSet) -> list[tuple[int, bytes]]:
    pairs = zip(made.messages, made.signed, strict=True)
    return [(len(signed) - len(body), body) for (body, _), signed in pairs]


def _touch_work(
    floor: Floor, messages: Sequence[tuple[bytes, Any]], names: Sequence[str], valid: int
) -> Work:
    touch, seen = floor.touch, _lengths(messages, names)

    def work() -> int:
        return valid if touch(messages, names) == seen else 0

    return work


def _hash_work(floor: Floor, bodies: Sequence[tuple[int, bytes]], valid: int) -> Work:
    hash, count = floor.Bodies(bodies).hash, len(bodies)

    def work() -> int:
        return valid if hash() == count else 0

    return work


def _both_work(floor: Floor, made: MessageSet) -> Work:
    bodies, messages = floor.Bodies(_bodies(made)), made.messages
    seen = _lengths(messages, _NAMES), len(messages)

    def work() -> int:
        return made.valid if bodies.hash_beside(messages, _NAMES) == seen else 0

    return work


def _lengths(messages: Sequence[tuple[bytes, Any]], names: Sequence[str]) -> int:
    """What `touch` should come to: a look that was left out shows."""
    wanted, lengths = {(len(name), name[-1]) for name in names}, 0
    for body, headers in messages:
        lengths += len(body)
        for name, value in headers.items() if isinstance(headers, dict) else headers:
            lengths += len(name.encode())
            if isinstance(value, str) and (len(name), name[-1:].lower()) in wanted:
                lengths += len(value.encode())
    return lengths


def _cold(floor: Floor, headers: str, count: int, rounds: int) -> Rounds:
    made = messages.make(headers, KIB, count)
    timed = works(floor, made) | {name: BY_NAME[name].batch(made, count) for name in RIVALS}
    timed |= {
        TWO_THREADS: BY_NAME[TWO_THREADS].batch(made, count),
        BOTH: _both_work(floor, made),
    }
    return paired.run(timed, count, made.valid, rounds, monotonic() + BUDGET_SECONDS)


def _warm(floor: Floor, headers: str, rounds: int) -> Rounds:
    """Each goes over the messages several times in a row, and is timed by the median."""
    made = messages.make(headers, KIB, WARM_MESSAGES)

    def again(work: Work) -> Measure:
        measure = paired.clocked(work)

        def median() -> tuple[int, int]:
            accepted, nanos = zip(*(measure() for _ in range(WARM_TIMES)), strict=True)
            return min(accepted), sorted(nanos)[WARM_TIMES // 2]

        return median

    timed = {name: again(work) for name, work in works(floor, made).items()}
    until = monotonic() + BUDGET_SECONDS
    return paired.run({}, len(made), made.valid, rounds, until, elsewhere=timed)


def _sample(floor: Floor, queue: SampleQueue, rounds: int) -> Rounds:
    """Pairs of body and headers are looked at, which is less than the queue's `Message`s."""
    pairs = [(body, headers) for body, headers, _, _ in queue.records]
    timed = {
        HOOKSEAL: sample_queue.hookseal_work(queue),
        STDLIB: sample_queue.stdlib_work(queue),
        TOUCH: _touch_work(floor, pairs, sample_queue.NAMES, queue.valid),
        HASH: _hash_work(floor, sample_queue.hashed_bodies(queue), queue.valid),
    }
    until = monotonic() + BUDGET_SECONDS
    return paired.run(timed, len(pairs), queue.valid, rounds, until)


if __name__ == "__main__":
    from benches import floor_tables, programs

    print(
        floor_tables.section(
            measure(programs.build(), SampleQueue.read(), quick="--quick" in sys.argv)
        )
    )
