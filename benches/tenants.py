"""A ring of many tenants: what it takes to build, and what a batch over all of them costs.

python benches/tenants.py [--quick]
"""

from __future__ import annotations

import base64
import hmac
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter
from typing import Final

# Run as a script, Python looks beside this file, not above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import hookseal
from benches import messages, paired
from benches.contenders import Work
from benches.figures import Figure, ratio, short
from benches.markdown import table
from benches.messages import KIB, MessageSet
from benches.paired import Rounds, Spread

ALL: Final = "over all endpoints"
ONE: Final = "one endpoint, named for each message"
CALL: Final = "one endpoint, named once"

TENANTS: Final = 10_000
MESSAGES: Final = 100_000
ROUNDS: Final = 11
# What was promised: seconds, and times the same ring with one name.
BUILD_SECONDS: Final = 1
MOST: Final = 1.15
_BUDGET_SECONDS = 60


@dataclass(frozen=True)
class TenantFindings:
    """What was measured, with one thread."""

    tenants: int
    messages: int
    build_seconds: Spread
    rounds: Rounds

    def figures(self) -> Iterator[Figure]:
        """Promises and whether they are kept."""
        yield Figure(
            f"a ring of {self.tenants:,} endpoints with two secrets each, built",
            f"at most {BUILD_SECONDS} s",
            f"{ratio(self.build_seconds)} s",
            self.build_seconds.median <= BUILD_SECONDS,
        )
        yield Figure.at_most(
            f"`verify_batch` of {self.messages:,} over all of them: time of the same with one name",
            MOST,
            self.rounds.ratio(ALL, ONE),
        )

    def section(self) -> str:
        """A part of the report."""
        rows = (
            (name, short(self.rounds.micros_of(name).median), ratio(self.rounds.ratio(name, ONE)))
            for name in self.rounds.micros
        )
        return (
            f"## Many tenants\n\nA ring of {self.tenants:,} endpoints with two secrets each takes"
            f" {ratio(self.build_seconds)} s to build. Batches of {self.messages:,} messages of"
            " 1 KiB, H5, one thread: signed with the first secrets of all endpoints in random"
            f" order, or with that of one; {len(self.rounds)} rounds.\n\n"
            + table(("", "µs a message", "times as long"), rows)
        )


def measure(*, quick: bool) -> TenantFindings:
    """Builds the ring some times, then times the batches in turn."""
    tenants, count = (50, 200) if quick else (TENANTS, MESSAGES)
    keys = [hmac.digest(messages.KEY, b"%d" % number, "sha256") for number in range(2 * tenants)]
    texts = ["whsec_" + base64.b64encode(key).decode() for key in keys]
    names = [f"acct_{number:05d}" for number in range(tenants)]
    secrets = {name: texts[2 * at : 2 * at + 2] for at, name in enumerate(names)}
    taken = []
    for _ in range(3 if quick else 9):
        start = perf_counter()
        ring = hookseal.Keyring(secrets)
        taken.append(perf_counter() - start)

    order = [number % tenants for number in range(count)]
    random.Random(tenants).shuffle(order)
    every = messages.make("H5", KIB, count, keys=[keys[2 * at] for at in order])
    alone = messages.make("H5", KIB, count, keys=[keys[0]] * count)
    verifier = hookseal.Verifier(ring)
    works = {
        ALL: _batch(verifier, every, [_own(names[at]) for at in order]),
        ONE: _batch(verifier, alone, [_own(names[0]) for _ in order]),
        CALL: _batch(verifier, alone, names[0]),
    }
    until = monotonic() + _BUDGET_SECONDS
    rounds = paired.run(works, count, count, 2 if quick else ROUNDS, until)
    return TenantFindings(tenants, count, Spread.of(taken), rounds)


def _batch(verifier: hookseal.Verifier, made: MessageSet, endpoint: str | Sequence[str]) -> Work:
    return lambda: verifier.verify_batch(made.messages, endpoint=endpoint, threads=1).valid


def _own(name: str) -> str:
    """A ``str`` of its own, as a web server makes one of each request's path."""
    return name.encode().decode()


if __name__ == "__main__":
    found = measure(quick="--quick" in sys.argv)
    print(found.section())
    for figure in found.figures():
        print(f"{'reached' if figure.met else 'MISSED '}  {figure.what}: {figure.measured}")
