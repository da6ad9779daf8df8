"""The kernels alone, beside `intel-ipsec-mb` and beside what the processor can do at most.

Every figure comes from a process of its own that hashes one batch a few times and takes the
median. Processes take turns within a round, size by size, so that what is compared ran within the
same fraction of a second.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

import hookseal
from benches import programs
from benches.paired import Spread
from benches.programs import Programs

SIZES = tuple(64 << power for power in range(11))
QUICK_SIZES = (64, 1024, 16 * 1024)
ROUNDS = 9
# Within one process; the figure of the process is their median.
INNER_ROUNDS = 9
BUDGET_SECONDS = 60

SINGLE = "single"
SHANI2 = "shani2"
AVX512 = "avx512"
JOB = "ipsec-mb job"
BURST = "ipsec-mb burst"
IPSEC = (JOB, BURST)
KERNELS = (AVX512, "avx2", SHANI2, SINGLE, "portable")


@dataclass(frozen=True)
class LaneFindings:
    """What was measured: one figure a round."""

    # Nanoseconds a message, by program and by size of a message in bytes.
    nanos: Mapping[tuple[str, int], Sequence[float]]
    # The least nanoseconds that one block can take, by kernel and by the size beside which it
    # was measured.
    ceilings: Mapping[tuple[str, int], Sequence[float]]
    messages: Mapping[int, int]
    missing: Sequence[str]

    @property
    def sizes(self) -> list[int]:
        """The sizes of messages that were measured."""
        return sorted(self.messages)

    @property
    def names(self) -> list[str]:
        """The kernels and rivals that were measured."""
        found = {name for name, _ in self.nanos}
        return [name for name in (*KERNELS, *IPSEC) if name in found]

    @property
    def kernels(self) -> list[str]:
        """The kernels that this processor has."""
        return [name for name in self.names if name not in IPSEC]

    def gigabytes(self, name: str, size: int) -> float:
        """Gigabytes (10^9 bytes) of messages a second."""
        return size / Spread.of(list(self.nanos[name, size])).median

    def ceiling(self, kernel: str, size: int) -> float | None:
        """The gigabytes a second that the processor can do at most, for HMAC of such messages."""
        blocks = self.ceilings.get((kernel, size))
        return size / (blocks_of(size) * Spread.of(list(blocks)).median) if blocks else None

    def ratio(self, name: str, base: str, size: int) -> Spread | None:
        """How many times as fast as `base` it is, round by round; None where one is not here."""
        mine, other = self.nanos.get((name, size)), self.nanos.get((base, size))
        if mine is None or other is None:
            return None
        return Spread.of([b / m for m, b in zip(mine, other, strict=True)])

    def against_ipsec(self, kernel: str, size: int) -> Spread | None:
        """How many times as fast as the faster of the C library's ways, in each round."""
        mine = self.nanos.get((kernel, size))
        rivals = [self.nanos[name, size] for name in IPSEC if (name, size) in self.nanos]
        if mine is None or not rivals:
            return None
        fastest = [min(taken) for taken in zip(*rivals, strict=True)]
        return Spread.of([b / m for m, b in zip(mine, fastest, strict=True)])


def blocks_of(size: int) -> int:
    """The blocks of HMAC-SHA-256 with a ready key: those of the message, and the outer one."""
    return -(-(size + 9) // 64) + 1


def measure(built: Programs, *, quick: bool) -> LaneFindings | None:
    """Runs the programs in turns; None where they could not be built."""
    if built.throughput is None or built.ceiling is None:
        return None
    nanos: dict[tuple[str, int], list[float]] = {}
    ceilings: dict[tuple[str, int], list[float]] = {}
    messages: dict[int, int] = {}
    rounds, inner = (2, 1) if quick else (ROUNDS, INNER_ROUNDS)
    sizes = QUICK_SIZES if quick else SIZES
    # Which kernels there are, and how many messages make a batch.
    common = [str(built.throughput), "--json", "--rounds"]
    kernels = []
    for size in sizes:
        found = programs.lines([*common, "1", "--bytes", str(size)])
        kernels = [line["kernel"] for line in found]
        messages[size] = found[0]["messages"]
    chance = random.Random(rounds)
    until = monotonic() + BUDGET_SECONDS
    for done in range(rounds):
        for size in sizes:
            commands = [
                [*common, str(inner), "--bytes", str(size), "--kernel", kernel]
                for kernel in kernels
            ]
            if built.ipsec is not None:
                counts = [str(messages[size]), str(size), str(inner)]
                commands.append([str(built.ipsec), *counts])
            commands.append([str(built.ceiling)])
            chance.shuffle(commands)
            for command in commands:
                for line in programs.lines(command):
                    if "ns_per_block" in line:
                        key = (line["kernel"], size)
                        ceilings.setdefault(key, []).append(line["ns_per_block"])
                    else:
                        assert line["messages"] == messages[size]
                        key = (line["kernel"], size)
                        nanos.setdefault(key, []).append(line["ns_per_message"])
        if monotonic() > until and done >= 2:
            break
    return LaneFindings(nanos, ceilings, messages, built.missing)


def hash_nanos(built: Programs, *, messages: int, size: int, head: int, rounds: int) -> float:
    """What the kernel in use takes for a message with so long a head, in memory that is warm."""
    assert built.throughput is not None
    shape = {"--messages": messages, "--bytes": size, "--head": head, "--rounds": rounds}
    options = [str(word) for option in shape.items() for word in option]
    command = [str(built.throughput), "--json", "--kernel", hookseal.kernel(), *options]
    (line,) = programs.lines(command)
    nanos: float = line["ns_per_message"]
    return nanos
