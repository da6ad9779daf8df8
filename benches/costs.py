"""What `verify_batch` costs besides hashing, and where a loop of `check` might be better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

import hookseal
from benches import lanes, messages, paired
from benches.contenders import BY_NAME, HOOKSEAL, Work
from benches.messages import KIB, SECRET, Message, MessageSet
from benches.paired import Rounds, Spread
from benches.programs import Programs

BUDGET_SECONDS = 15
ROUNDS = 61

# With their headers they fit into the cache that a core of a server has for itself.
WARM_MESSAGES = 500
# How often they are verified, one time after another, for one figure.
WARM_TIMES = 9
# How long they are verified before: a core that waited for the other program begins with a lower
# clock, and is faster by up to an eighth after 10 to 40 ms.
RAMP_SECONDS = 0.05
# How often the other program hashes as many, for its median: about as long as that.
HASH_ROUNDS = 301

# Lengths of batches at which the lanes are filled badly, and well.
FEW = (1, 2, 3)
MORE = (4, 5, 8, 9, 15, 16, 17, 24, 31, 33, 64, 100, 240)
SMALL_SET = 240

SHORT_MESSAGES = 4_096
LONG_BYTES = KIB * KIB
ALONE = ("short ones alone", "long one alone")
# Where the long message stands in the list: judged is the worst place.
TOGETHER = ("long one first", "long one in the middle", "long one last")


@dataclass(frozen=True)
class Beyond:
    """One set of headers: nanoseconds a message, round by round."""

    batch: Sequence[float]
    hashing: Sequence[float]

    @property
    def ratio(self) -> Spread:
        """What is not hashing, as so many times the hashing."""
        pairs = zip(self.batch, self.hashing, strict=True)
        return Spread.of([(whole - part) / part for whole, part in pairs])

    @property
    def nanos(self) -> Spread:
        """What is not hashing."""
        pairs = zip(self.batch, self.hashing, strict=True)
        return Spread.of([whole - part for whole, part in pairs])


@dataclass(frozen=True)
class CostFindings:
    """All three."""

    # By the set of headers; empty where the lanes alone cannot be timed.
    beyond: Mapping[str, Beyond]
    # By the length of a batch: "check" and "batch".
    against_check: Mapping[int, Rounds]
    long_among_short: Rounds

    def worst_batch(self, lengths: Sequence[int]) -> tuple[int, Spread] | None:
        """The length at which a batch is dearest, in times of a loop of `check`."""
        ratios = {n: self.against_check[n].ratio("batch", "check") for n in lengths}
        return max(ratios.items(), key=lambda item: item[1].median) if ratios else None

    def long_ratio(self, place: str) -> Spread:
        """A batch with the long message, in times of the sum of both alone."""
        micros = self.long_among_short.micros
        rounds = zip(micros[place], *(micros[name] for name in ALONE), strict=True)
        return Spread.of([both / (short + long) for both, short, long in rounds])


def measure(built: Programs, *, quick: bool) -> CostFindings:
    """Takes about half a minute."""
    rounds = 2 if quick else ROUNDS
    beyond = {}
    if built.throughput is not None:
        beyond = {name: _beyond(built, name, rounds) for name in messages.HEADER_SETS}
    lengths = (1, 4, 17) if quick else (*FEW, *MORE)
    made = messages.make("H5", KIB, SMALL_SET)
    against_check = {length: _against_check(made, length, rounds) for length in lengths}
    return CostFindings(beyond, against_check, _long_among_short(64 if quick else None, rounds))


def _beyond(built: Programs, headers: str, rounds: int) -> Beyond:
    """Rounds of both in turns, each the median of a few runs over the same warm messages."""
    made = messages.make(headers, KIB, WARM_MESSAGES)
    ((_, fields), *_) = made.messages
    parts = {name.lower(): value for name, value in fields.items()}
    head = len(f"{parts['webhook-id']}.{parts['webhook-timestamp']}.")
    work = BY_NAME[HOOKSEAL].batch(made, len(made))
    batch, hashing = [], []
    until = monotonic() + BUDGET_SECONDS
    for _ in range(rounds):
        with paired.collector_off():
            ready = monotonic() + RAMP_SECONDS
            while monotonic() < ready:
                work()
            taken = []
            for _ in range(WARM_TIMES):
                accepted, nanos = paired.clocked(work)()
                assert accepted == made.valid
                taken.append(nanos / len(made))
        batch.append(sorted(taken)[WARM_TIMES // 2])
        shape = {"messages": len(made), "size": KIB, "head": head, "rounds": HASH_ROUNDS}
        hashing.append(lanes.hash_nanos(built, **shape))
        if monotonic() > until and len(batch) >= paired.MIN_ROUNDS:
            break
    return Beyond(batch, hashing)


def _against_check(made: MessageSet, length: int, rounds: int) -> Rounds:
    """Both over the same warm messages in the same lists; `verify_batch` as users call it."""
    whole = [batch for batch in made.batches(length) if len(batch) == length]
    count = length * len(whole)
    verifier = hookseal.Verifier(SECRET)

    def loop() -> int:
        check, accepted = verifier.check, 0
        for batch in whole:
            verdicts = [check(body, headers) for body, headers in batch]
            accepted += verdicts.count(hookseal.Verdict.VALID)
        return accepted

    def batch() -> int:
        verify_batch, accepted = verifier.verify_batch, 0
        for batch in whole:
            accepted += verify_batch(batch).valid
        return accepted

    until = monotonic() + BUDGET_SECONDS
    return paired.run({"check": loop, "batch": batch}, count, count, rounds, until)


def _long_among_short(at_most: int | None, rounds: int) -> Rounds:
    short = messages.make("H5", KIB, at_most or SHORT_MESSAGES).messages
    long = messages.make("H5", LONG_BYTES, 1).messages
    middle = len(short) // 2
    together = ([*long, *short], [*short[:middle], *long, *short[middle:]], [*short, *long])
    lists = dict(zip((*ALONE, *TOGETHER), (short, long, *together), strict=True))
    verifier = hookseal.Verifier(SECRET)

    def work(batch: list[Message]) -> Work:
        def verify() -> int:
            missing = len(batch) - verifier.verify_batch(batch, threads=1).valid
            return -missing

        return verify

    # Microseconds a batch: the numbers of messages differ, so refusals are counted, from zero.
    works = {name: work(batch) for name, batch in lists.items()}
    return paired.run(works, 1, 0, rounds, monotonic() + BUDGET_SECONDS)
