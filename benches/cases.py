"""The cases of the report: which messages, how many at a time, how many rounds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from time import monotonic

from benches import contenders, kernels, messages, paired
from benches.contenders import BY_NAME, HOOKSEAL, OWN_WAYS, PEERS, RIVALS
from benches.messages import KIB, MessageSet

# A case that takes longer ends with the rounds it has, but not before MIN_TIMED_ROUNDS: a busy
# machine is not to make the report late. Messages are signed with the time of their making, and all
# contenders refuse them when they are five minutes old.
BUDGET_SECONDS = 45
MIN_TIMED_ROUNDS = 5

# A web server has read a request a moment before it verifies it, so a set of single messages
# is to stay within the near caches.
SINGLE_MESSAGES = 200
SINGLE_BODIES_BYTES = 2 * KIB * KIB

# Small batches are timed many at a time: one of them is too short for the clock.
AT_LEAST_MESSAGES = 2_000

# How many messages a batch has when sizes are compared: bodies of 131 MB at most, of which
# the bare digest holds a second copy.
COUNT_OF_SIZE = {
    128: 10_000,
    KIB: 10_000,
    4 * KIB: 10_000,
    16 * KIB: 5_000,
    64 * KIB: 2_000,
}
# A shuffled batch is to lie all over a memory that no cache holds, and yet to fit into it.
SHUFFLED_MESSAGES = 100_000
SHUFFLED_BYTES = 100 * 1024 * KIB
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
    # Whether the same messages are verified with the other kernels too, and in shorter batches.
    kernels: bool = field(default=False, compare=False)
    lengths: bool = field(default=False, compare=False)
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
        """Who takes part, in this process and in whole batches."""
        if self.count is None:
            return [*RIVALS, HOOKSEAL]
        # The twin is so slow that the large sets are not for it.
        rivals = RIVALS if self.count <= 10_000 and self.order == "in order" else PEERS
        return [*rivals, HOOKSEAL, *OWN_WAYS]

    @property
    def total(self) -> int:
        """How many messages there are."""
        if self.count is None:
            total = min(SINGLE_MESSAGES, SINGLE_BODIES_BYTES // self.size)
        else:
            total = max(AT_LEAST_MESSAGES, self.count)
        return total if self.at_most is None else min(total, self.at_most)

    def make(self) -> MessageSet:
        """The messages, signed now."""
        make = messages.make_mixed if self.mixed else messages.make
        made = make(self.headers, self.size, self.total)
        return made.shuffled() if self.order == "shuffled" else made

    def works(self, made: MessageSet) -> dict[str, contenders.Work]:
        """What to time, by the contender's name."""
        if self.count is None:
            return {name: BY_NAME[name].singly(made) for name in self.names}
        works = {name: BY_NAME[name].batch(made, self.count) for name in self.names}
        if self.lengths:
            shorter = [count for count in COUNTS if count < self.count]
            works |= {batches_of(n): BY_NAME[HOOKSEAL].batch(made, n) for n in shorter}
        return works

    def run(self) -> paired.Rounds:
        """Asserts the verdicts, then times."""
        good = messages.make(self.headers, self.size, 10)
        for name in self.names:
            contenders.assert_honest(BY_NAME[name], good, self.headers, self.size)
        with self._elsewhere() as elsewhere:
            made = self.make()
            works = self.works(made)
            until = monotonic() + BUDGET_SECONDS
            shape = (len(made), made.valid, self.rounds, until)
            return paired.run(works, *shape, elsewhere=elsewhere, least=MIN_TIMED_ROUNDS)

    def _elsewhere(self) -> AbstractContextManager[dict[str, paired.Measure]]:
        if not self.kernels or self.count is None:
            return nullcontext({})
        others = kernels.others()
        shape = (self.headers, self.size, self.count, self.total, self.order)
        return kernels.processes(others, *shape)


def batches_of(count: int) -> str:
    """The contender that verifies the same messages in shorter batches."""
    return f"{HOOKSEAL}, batches of {count:,}"


SINGLE_H5 = Case("H5", KIB, None, "in order", 51)
SINGLE_H12 = Case("H12", KIB, None, "in order", 51)
BATCH_H5 = Case("H5", KIB, 10_000, "in order", 15, kernels=True)
BATCH_H12 = Case("H12", KIB, 10_000, "in order", 15)
LONG = Case("H5", KIB, SHUFFLED_MESSAGES, "in order", 5, lengths=True)
LONG_SHUFFLED = Case("H5", KIB, SHUFFLED_MESSAGES, "shuffled", 5, lengths=True, kernels=True)
MIXED = Case("H5", KIB, 10_000, "in order", paired.MIN_ROUNDS, mixed=True)


def in_order(headers: str, size: int) -> Case:
    """The case of that size for the columns "in order"."""
    rounds = 15 if size == KIB else paired.MIN_ROUNDS
    return Case(headers, size, COUNT_OF_SIZE[size], "in order", rounds, kernels=headers == "H5")


def shuffled(headers: str, size: int) -> Case:
    """The case of that size for the columns "shuffled"."""
    count = min(SHUFFLED_MESSAGES, SHUFFLED_BYTES // size)
    is_h5 = headers == "H5"
    return Case(headers, size, count, "shuffled", 5, kernels=is_h5, lengths=is_h5 and size == KIB)


def every() -> Iterator[Case]:
    """The cases of ``make bench``."""
    for headers in messages.HEADER_SETS:
        for size in messages.SIZES:
            yield Case(headers, size, None, "in order", 51)
    for headers in messages.HEADER_SETS:
        for size in messages.SIZES:
            yield in_order(headers, size)
    yield LONG
    for size in messages.SIZES:
        yield shuffled("H5", size)
    yield shuffled("H12", KIB)
    yield MIXED


def quick() -> Iterator[Case]:
    """Enough to see that the report works; its figures mean nothing."""
    batches = (BATCH_H5, BATCH_H12, in_order("H5", 128), LONG, LONG_SHUFFLED)
    for case in (SINGLE_H5, SINGLE_H12, *batches):
        # To start the other kernels' processes takes longest; once is enough.
        yield replace(case, rounds=2, at_most=20, kernels=case == LONG_SHUFFLED)


def size_name(size: int) -> str:
    """As people write it."""
    return f"{size} B" if size < KIB else f"{size // KIB} KiB"
