"""The cases of the report: which messages, how many at a time, how many rounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from time import monotonic

from benches import contenders, messages, paired
from benches.contenders import BY_NAME, HOOKSEAL, OWN_WAYS, RIVALS
from benches.messages import KIB, MessageSet

# After so long a set is made anew: messages are signed with the time of their making, and all
# contenders refuse them when they are five minutes old.
SEGMENT_SECONDS = 100

# A web server has read a request a moment before it verifies it, so a set of single messages
# is to stay within the near caches.
SINGLE_MESSAGES = 200
SINGLE_BODIES_BYTES = 2 * KIB * KIB

# Small batches are timed many at a time: one of them is too short for the clock.
AT_LEAST_MESSAGES = 2_000

# How many messages a batch has when sizes are compared: bodies of 131 MB at most, of which
# the bare digest holds a second copy. The largest set has 100,000 messages of 1 KiB.
COUNT_OF_SIZE = {
    128: 10_000,
    KIB: 10_000,
    4 * KIB: 10_000,
    16 * KIB: 5_000,
    64 * KIB: 2_000,
}
COUNTS = (1, 10, 100, 1_000, 10_000, 100_000)
ORDERS = ("in order", "shuffled")


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    headers: str
    size: int
    # Messages a batch; None where messages are verified one at a time.
    count: int | None
    order: str
    rounds: int = field(compare=False)
    mixed: bool = False
    # The messages that a quick run makes do with.
    at_most: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        shape = "single" if self.count is None else f"batch of {self.count:,}"
        return f"{shape}, {self.what}"

    @property
    def what(self) -> str:
        """The messages, without how many at a time."""
        order = "" if self.order == "in order" else f", {self.order}"
        mixed = ", 10 % bad" if self.mixed else ""
        return f"{size_name(self.size)}, {self.headers}{order}{mixed}"

    @property
    def names(self) -> list[str]:
        """Who takes part."""
        return [*RIVALS, HOOKSEAL] if self.count is None else [*RIVALS, HOOKSEAL, *OWN_WAYS]

    def make(self) -> MessageSet:
        """The messages, signed now."""
        if self.count is None:
            total = min(SINGLE_MESSAGES, SINGLE_BODIES_BYTES // self.size)
        else:
            total = max(AT_LEAST_MESSAGES, self.count)
        if self.at_most is not None:
            total = min(total, self.at_most)
        make = messages.make_mixed if self.mixed else messages.make
        made = make(self.headers, self.size, total)
        return made.shuffled() if self.order == "shuffled" else made

    def works(self, made: MessageSet) -> dict[str, contenders.Work]:
        """What to time, by the contender's name."""
        if self.count is None:
            return {name: BY_NAME[name].singly(made) for name in self.names}
        return {name: BY_NAME[name].batch(made, self.count) for name in self.names}

    def run(self) -> paired.Rounds:
        """Asserts the verdicts, then times."""
        good = messages.make(self.headers, self.size, 10)
        for name in self.names:
            contenders.assert_honest(BY_NAME[name], good, self.headers, self.size)
        done: paired.Rounds | None = None
        while done is None or len(done) < self.rounds:
            until = monotonic() + SEGMENT_SECONDS
            made = self.make()
            left = self.rounds - (0 if done is None else len(done))
            more = paired.run(self.works(made), len(made), made.valid, left, until)
            done = more if done is None else done + more
        return done


SINGLE_H5 = Case("H5", KIB, None, "in order", 51)
SINGLE_H12 = Case("H12", KIB, None, "in order", 51)
BATCH_H5 = Case("H5", KIB, 10_000, "in order", 15)
BATCH_H5_SHUFFLED = Case("H5", KIB, 10_000, "shuffled", 15)


def every() -> Iterator[Case]:
    """The cases of ``make bench``."""
    for headers in messages.HEADER_SETS:
        for size in messages.SIZES:
            yield Case(headers, size, None, "in order", 51)
    for count in COUNTS:
        for order in ORDERS:
            rounds = 25 if count <= 1_000 else 15 if count <= 10_000 else paired.MIN_ROUNDS
            yield Case("H5", KIB, count, order, rounds)
    for headers in messages.HEADER_SETS:
        for size, count in COUNT_OF_SIZE.items():
            for order in ORDERS:
                if headers != "H5" or size != KIB:
                    yield Case(headers, size, count, order, paired.MIN_ROUNDS)
    yield Case("H5", KIB, 10_000, "in order", paired.MIN_ROUNDS, mixed=True)


def quick() -> Iterator[Case]:
    """Enough to see that the report works; its figures mean nothing."""
    for case in (SINGLE_H5, SINGLE_H12, BATCH_H5, BATCH_H5_SHUFFLED):
        yield replace(case, rounds=3, at_most=20)


def size_name(size: int) -> str:
    """As people write it."""
    return f"{size} B" if size < KIB else f"{size // KIB} KiB"
