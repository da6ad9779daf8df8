"""The sections of the report about the kernels alone and about what else a batch costs."""

from __future__ import annotations

from collections.abc import Sequence

from benches.cases import size_name
from benches.costs import ALONE, TOGETHER, CostFindings
from benches.figures import ratio, short
from benches.lanes import IPSEC, SINGLE, LaneFindings
from benches.markdown import table
from benches.paired import Spread


def throughput(lanes: LaneFindings | None, missing: Sequence[str]) -> str:
    """Every kernel, size by size."""
    parts = ["## The kernels alone\n", *(f"{why}\n" for why in missing)]
    if lanes is None:
        return "\n".join(parts)
    parts.append(_METHOD)
    head = ("", "messages", *lanes.names, *(f"limit of {name}" for name in _bounded(lanes)))
    rows = []
    for size in lanes.sizes:
        limits = [lanes.ceiling(name, size) for name in _bounded(lanes)]
        cells = [f"{lanes.gigabytes(name, size):.2f}" for name in lanes.names]
        cells += ["" if limit is None else f"{limit:.2f}" for limit in limits]
        rows.append((size_name(size), f"{lanes.messages[size]}", *cells))
    parts.append("GB/s of messages, medians:\n")
    parts.append(table(head, rows))
    rows = []
    for size in lanes.sizes:
        nanos = [Spread.of(list(lanes.nanos[name, size])).median for name in lanes.names]
        rows.append((size_name(size), *(f"{value:,.0f}" for value in nanos)))
    parts.append("Nanoseconds a message, medians:\n")
    parts.append(table(("", *lanes.names), rows))
    parts.append(_ratios(lanes))
    return "\n".join(parts)


def _ratios(lanes: LaneFindings) -> str:
    wide = [name for name in lanes.kernels if name != SINGLE]
    against = any(name in IPSEC for name in lanes.names)
    head = ["", *(f"{name} : {SINGLE}" for name in wide)]
    head += [f"{name} : ipsec-mb" for name in lanes.kernels[:1] if against]
    rows = []
    for size in lanes.sizes:
        spreads = [lanes.ratio(name, SINGLE, size) for name in wide]
        spreads += [lanes.against_ipsec(name, size) for name in lanes.kernels[:1] if against]
        rows.append((size_name(size), *("" if s is None else ratio(s) for s in spreads)))
    return (
        f"How many times as fast, round by round: each kernel against one stream (`{SINGLE}`), and"
        " the first against the faster of the library's ways:\n\n" + table(head, rows)
    )


def _bounded(lanes: LaneFindings) -> list[str]:
    return [name for name in lanes.kernels if (name, lanes.sizes[0]) in lanes.ceilings]


def costs(found: CostFindings) -> str:
    """What is not hashing."""
    micros = found.long_among_short.micros_of
    short_ones, long_one = (short(micros(name).median) for name in ALONE)
    beyond = (
        (
            name,
            short(Spread.of(list(each.batch)).median),
            short(Spread.of(list(each.hashing)).median),
            ratio(each.nanos),
            ratio(each.ratio),
        )
        for name, each in found.beyond.items()
    )
    few = (
        (
            f"{length}",
            short(rounds.micros_of("check").median),
            ratio(rounds.ratio("batch", "check")),
        )
        for length, rounds in found.against_check.items()
    )
    head = ("", "`verify_batch`, ns", "hashing, ns", "the rest, ns", "the rest : hashing")
    return "\n".join(
        [
            "## What a batch costs besides hashing\n",
            *([_COSTS, table(head, beyond)] if found.beyond else []),
            "Batches of a few messages, as so many times a loop of `check` over them (1 KiB, H5,"
            " 240 messages in turn, warm, no `threads` given):\n",
            table(("messages", "`check`, µs a message", "batch : loop"), few),
            "One body of 1 MiB among 4,096 of 1 KiB, one thread: alone they take"
            f" {short_ones} µs (the short ones) and {long_one} µs (the long one); together, in"
            " times of the sum:\n",
            table(("", "together : sum"), ((p, ratio(found.long_ratio(p))) for p in TOGETHER)),
        ]
    )


_METHOD = """\
HMAC-SHA-256 with a ready key, one thread. All messages of a batch have the same length and lie in
the cache (1 MiB of them, but 16 to 512); making the jobs counts. A process of its own hashes one
batch ten times and takes the median of the last nine (`rust/lanes/examples/throughput.rs`);
processes take turns, so the ratios are of figures from the same second. `ipsec-mb` is Intel's C
library `intel-ipsec-mb`, with the same batches, each of its two ways as its documentation says it
is fastest (`benches/ipsec_mb.c`).

The *limit* is what no code of that kind can pass on this core at its frequency at that moment:
`rust/lanes/examples/ceiling.rs` measures how many vector additions end in a nanosecond when none
waits for another or for memory (the ports times the frequency), and divides the instructions of
one compression by it (1,704 for sixteen blocks with AVX-512, 3,320 for eight with AVX2, loads and
stores not counted). For the SHA extensions it is the time that the 56 instructions of a block
take when none waits. A message of n bytes has ⌈(n + 9) / 64⌉ blocks, and one for the outer hash.
"""

_COSTS = """\
*The rest* is the time of `verify_batch(threads=1)` less the time in which the same kernel hashes as
many messages with heads (`id.timestamp.`) and bodies of the same lengths, taken in turns; 500
messages of 1 KiB, warm. So it holds reading headers and bodies, judging the time, comparing and
writing down, and whatever the cache makes dearer with Python's objects in it.
"""
