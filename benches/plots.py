"""The plots of the report, which README.md shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benches import svg
from benches.cases import BATCH_H5, LONG_SHUFFLED, Case, size_name
from benches.contenders import BARE, HOOKSEAL, PEERS, TWO_THREADS
from benches.lanes import BURST, JOB, LaneFindings
from benches.paired import Rounds

MESSAGES = "messages-per-second.svg"
THROUGHPUT = "throughput.svg"

TITLES = {
    MESSAGES: "Messages verified a second",
    THROUGHPUT: "HMAC-SHA-256 of many messages: throughput by size and kernel",
}

_SHOWN_AS = {
    BARE: "hmac.digest, no checks",
    HOOKSEAL: "hookseal, 1 thread",
    BURST: "intel-ipsec-mb",
    JOB: "intel-ipsec-mb, by job",
}


def write(folder: Path, results: Mapping[Case, Rounds], lanes: LaneFindings | None) -> list[Path]:
    """Writes the plots for which there are figures; returns where they lie."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = {MESSAGES: _messages(results)}
    if lanes is not None:
        plots[THROUGHPUT] = _throughput(lanes)
    for name, text in plots.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in plots]


def _messages(results: Mapping[Case, Rounds]) -> str:
    columns = {
        f"{case.order}, {case.count:,} messages": results[case]
        for case in (BATCH_H5, LONG_SHUFFLED)
    }
    rows = {
        _SHOWN_AS.get(name, name): {
            column: 1e6 / rounds.micros_of(name).median for column, rounds in columns.items()
        }
        for name in (*PEERS, HOOKSEAL, TWO_THREADS)
    }
    note = "Standard Webhooks, bodies of 1 KiB, 5 headers; one thread unless said otherwise"
    return svg.bars(TITLES[MESSAGES], note, rows)


def _throughput(lanes: LaneFindings) -> str:
    # Of the C library the way that is faster in most places.
    rivals = [name for name in (BURST, JOB) if name in lanes.names][:1]
    drawn = []
    for name in (*lanes.kernels, *rivals):
        points = [(size, lanes.gigabytes(name, size)) for size in lanes.sizes]
        drawn.append(svg.Curve(_SHOWN_AS.get(name, name), points))
    for kernel in lanes.kernels:
        bound = [(size, lanes.ceiling(kernel, size)) for size in lanes.sizes]
        points = [(size, value) for size, value in bound if value is not None]
        if points:
            drawn.append(svg.Curve(f"limit of {kernel}", points, bounds=kernel))
    names = {float(size): size_name(size) for size in lanes.sizes}
    note = "GB/s by size of the message, ready key, warm, one thread; dashed: what the core can do"
    return svg.curves(TITLES[THROUGHPUT], note, names, drawn)
