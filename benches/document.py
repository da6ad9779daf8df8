"""Writes the report as Markdown."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benches import (
    batch_figures,
    batch_tables,
    figures,
    floor_tables,
    lane_tables,
    machine,
    plots,
)
from benches.cases import BUDGET_SECONDS, Case
from benches.contenders import HOOKSEAL, ONE_BY_ONE, RIVALS, THREADED
from benches.costs import CostFindings
from benches.figures import Figure, ratio, short
from benches.floor import FloorFindings
from benches.lanes import LaneFindings
from benches.markdown import table
from benches.memory import Growth
from benches.paired import Rounds, Spread
from benches.queue_file import COMMAND, PROGRAM, QueueFindings
from benches.startup import StartFindings
from benches.tenants import TenantFindings

_HEAD = """\
# Benchmarks

Written by `make bench`; do not edit it, run it. All figures come from one machine and one run.
"""

_METHOD = """\
## What is timed

- **Messages**: Standard Webhooks. H5 has 2 common and 3 signature headers in lower case, H12 has
  9 common ones and 3 in Title-Case. No two `str` objects of a set are the same object, names
  included. Bodies are `bytes` of JSON, all different: a few fields and one long text, which is
  quick to parse. All messages are good, but for the case "10 % bad" (half forged, half too old).
- **Orders**: *in order* is the order in which the messages were made, so neighbours in the list
  are neighbours in memory. *Shuffled* is such a list, shuffled after all of them were made.
- **Contenders**, each set up once, with the same secret and window: `standardwebhooks`, which
  parses the body as JSON, and the same with `json_parse=False`; `svix`; *stdlib*, the standard
  library written as well as we can (`stdlib_verifier` in `benches/contenders.py`); the bare
  `hmac.digest` of the signed bytes, joined beforehand, which verifies nothing; `hookseal.pure`,
  the twin in plain Python; `hookseal`, as `verify` for single messages and as
  `verify_batch(threads=1)` for batches. The batch of one that has none is a loop with `try`. The
  twin is left out where there are 100,000 messages.
- **Verdicts first**: before a case is timed each contender must accept good messages and refuse
  forged, old, future and incomplete ones; how many it accepted is asserted after every timing.
- **Rounds**: in each round every contender runs once, in an order drawn anew, and the ratio is
  made within the round. A cell is the median of the rounds, with its quartiles in parentheses: 5
  rounds of what is shuffled or has 100,000 messages, at least 9 of all else (5 where a busy machine
  took longer than {budget} s). Python's cyclic garbage collector is off while the clock runs, which
  favours those that make more objects than `hookseal` does.
- **Limits**: single messages come from a set of 200 (fewer where they are large) that was used a
  moment before, as a request that a web server has just read. When sizes are compared a batch in
  order has 10,000 messages, 5,000 of 16 KiB and 2,000 of 64 KiB, so that bodies take 131 MB at most
  (the bare digest holds a second copy). With H12, shuffled batches were timed with 1 KiB alone.
- **The sample queue** is `examples/queue.jsonl`, read beforehand: `Message`s for `hookseal`, and
  tuples for a loop with the standard library (`benches/sample_queue.py`) that makes the same checks
  and accepts as many. One call, one thread.
"""


@dataclass(frozen=True)
class Findings:
    """All that was measured."""

    results: Mapping[Case, Rounds]
    lanes: LaneFindings | None
    missing: Sequence[str]
    costs: CostFindings
    sample: Rounds
    floor: FloorFindings | None
    memory: Mapping[bool, Growth | None]
    memory_messages: int
    starts: StartFindings
    queue: QueueFindings
    tenants: TenantFindings
    bare_micros: Sequence[float]
    load_before: str
    load_after: str
    seconds: float
    quick: bool
    json: str | None

    def figures(self) -> list[Figure]:
        """Promises and whether they are kept."""
        return [
            *batch_figures.judge(self.results, self.lanes, self.costs, self.sample, self.floor),
            *figures.judge(self.results, self.memory, self.queue),
            *self.tenants.figures(),
            *self.starts.figures(),
        ]


def render(found: Findings, plotted: Iterable[Path]) -> str:
    """The whole page; the plots lie in a folder beside it."""
    parts = [
        _HEAD,
        *(
            ["**A quick run, to see that the report works. Its figures mean nothing.**\n"]
            * found.quick
        ),
        _circumstances(found),
        _figures(found.figures()),
        *(_plot(path) for path in plotted),
        _METHOD.format(budget=BUDGET_SECONDS),
        _ratios(found.results),
        batch_tables.render(found.results),
        lane_tables.throughput(found.lanes, found.missing),
        lane_tables.costs(found.costs),
        floor_tables.section(found.floor),
        _losses(found.results),
        found.tenants.section(),
        _memory(found),
        found.starts.section(),
        queue_section(found.queue),
        _micros(found.results),
    ]
    return "\n".join(parts)


def _plot(path: Path) -> str:
    return f"![{plots.TITLES[path.name]}]({path.parent.name}/{path.name})\n"


def _circumstances(found: Findings) -> str:
    command = "make bench"
    if found.quick:
        command = "python benches/report.py --quick"
    busy = sorted(found.bare_micros)
    quiet = sum(micros < machine.QUIET_MICROS for micros in busy)
    lines = [
        "## Command and machine\n",
        f"- `{command}`, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {found.seconds:.0f} s",
        *(f"- {fact}" for fact in machine.facts()),
        f"- How busy: a bare `hmac.digest` of 1 KiB, timed before each case, took"
        f" {short(statistics.median(busy))} µs ({short(busy[0])} to {short(busy[-1])});"
        f" {quiet} of {len(busy)} times it took less than {machine.QUIET_MICROS} µs, as on a quiet"
        f" machine of this class. Load averages {found.load_before} before,"
        f" {found.load_after} after.",
    ]
    if found.json:
        lines.append(
            f"- What pytest-benchmark measured, each contender on its own, is in `{found.json}`."
        )
    return "\n".join([*lines, ""])


def _figures(figures: Iterable[Figure]) -> str:
    rows = ((figure.what, figure.limit, figure.measured, figure.judged) for figure in figures)
    return (
        "## Figures to judge\n\nMedians, with their quartiles in parentheses; ratios are made"
        " within one round. A *bound* is what a figure would come to if `verify_batch` did nothing"
        " but look at Python's objects and hash (*What stops the batch*).\n\n"
        + table(("", "wanted", "measured", ""), rows)
    )


def _ratios(results: Mapping[Case, Rounds]) -> str:
    rows = (
        (
            str(case),
            short(rounds.micros_of(HOOKSEAL).median),
            *(ratio(rounds.ratio(name, HOOKSEAL)) for name in RIVALS),
        )
        for case, rounds in results.items()
        if case.count is None
    )
    return (
        "## One message at a time\n\nHow many times as long as `hookseal` each contender takes:"
        " above 1, `hookseal` is faster.\n\n" + table(("", "hookseal, µs a message", *RIVALS), rows)
    )


def _losses(results: Mapping[Case, Rounds]) -> str:
    lines = list(_each_loss(results))
    return (
        "## Where hookseal does not win\n\n"
        "Rivals that were faster by the median, or whose quartiles hold 1; and batches in which"
        " other ways through hookseal were clearly better, or more threads worse.\n\n"
        + "\n".join(lines or ["In this run there is no such case."])
        + "\n"
    )


def _each_loss(results: Mapping[Case, Rounds]) -> Iterator[str]:
    for name in RIVALS:
        timed = {case: rounds for case, rounds in results.items() if name in rounds.micros}
        for case, rounds in timed.items():
            spread = rounds.ratio(name, HOOKSEAL)
            if spread.median < 1:
                yield f"- {case}: `{name}` is faster, with {ratio(spread)} of the time."
            elif spread.low <= 1:
                yield f"- {case}: `{name}` cannot be told apart, {ratio(spread)} of the time."
    batches = {case: rounds for case, rounds in results.items() if case.count is not None}
    for name in THREADED:
        for case, rounds in batches.items():
            spread = rounds.ratio(HOOKSEAL, name)
            if spread.high < 1:
                yield f"- {case}: {name} is slower than one thread, {ratio(spread)} as fast."
    for case, rounds in batches.items():
        spread = rounds.ratio(HOOKSEAL, ONE_BY_ONE)
        if spread.low > 1:
            yield f"- {case}: a loop of `verify` is {ratio(spread)} times as fast as the batch."


def _memory(found: Findings) -> str:
    rows = (
        (f"keep={keep}", f"{growth.peak:.1f}", f"{growth.retained:.1f}")
        for keep, growth in found.memory.items()
        if growth is not None
    )
    return (
        f"## Memory\n\nWhat `verify_batch` of a list of {found.memory_messages:,}"
        " messages of 1 KiB adds to a fresh process (resident pages, from `/proc/self/status`), in"
        " bytes a message: at its highest, and while the result is held. The messages were there"
        " before; they are that many tuples over 1,000 bodies and headers.\n\n"
        + table(("", "peak", "retained"), rows)
    )


def queue_section(found: QueueFindings) -> str:
    """The figures of a file of messages; benches/queue_file.py prints it on its own."""
    rounds = found.rounds
    size = f"{found.count:,} messages of Standard Webhooks ({found.bytes / 1e6:,.0f} MB)"
    rows = []
    for name, taken in rounds.micros.items():
        seconds = Spread.of([micros * found.count / 1e6 for micros in taken])
        rate = found.bytes / seconds.median / 1e6
        peaks = [f"{peak / 2**20:.1f}" for peak in found.peaks.get(name, {}).values()]
        rows.append(
            (
                name,
                ratio(seconds),
                f"{found.count / seconds.median:,.0f}",
                f"{rate:,.0f}",
                ratio(rounds.ratio(name, COMMAND)),
                " / ".join(peaks),
            )
        )
    counts = " / ".join(f"{count:,}" for count in found.peaks[COMMAND])
    head = ("", "s", "messages/s", "MB/s", "times as long", f"peak memory, MiB: {counts}")
    return (
        f"## A file of messages\n\nA file of {size}, made by `examples/make_queue.py --genuine`:"
        " three endpoints, rotations in progress, bodies with a median of about 1.2 KB. The"
        " *program* is `benches/queue_program.py`: `json.loads` for each line, `standardwebhooks`"
        f" for each message, and the same tally; {PROGRAM.partition(', ')[2]}: it verifies with"
        " `json_parse=False`. Each run is a whole process, with the start of Python, on a file"
        f" that is in the page cache; {len(rounds)} rounds, in each of which everybody runs once."
        " What each tally says is asserted. Peak memory is `ru_maxrss`, for files of"
        f" {counts} messages.\n\n" + table(head, rows)
    )


def _micros(results: Mapping[Case, Rounds]) -> str:
    names = list(dict.fromkeys(name for rounds in results.values() for name in rounds.micros))
    rows = (
        (
            str(case),
            *(short(rounds.micros_of(n).median) if n in rounds.micros else "" for n in names),
        )
        for case, rounds in results.items()
    )
    return "## Microseconds a message\n\nMedians of the same rounds.\n\n" + table(
        ("", *names), rows
    )
