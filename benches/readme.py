"""The figures that README.md shows, between its two marks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from benches import cases
from benches.cases import BATCH_H5, SINGLE_H5, Case
from benches.contenders import HOOKSEAL, STANDARD_JSON, STDLIB, TWO_THREADS
from benches.figures import short
from benches.paired import Rounds

BATCH_128 = cases.in_order("H5", 128)

_ROWS = (
    ("`verify`, one message of 1 KiB", SINGLE_H5, HOOKSEAL),
    ("`verify_batch`, 10,000 of 1 KiB, one thread", BATCH_H5, HOOKSEAL),
    ("`verify_batch`, 10,000 of 1 KiB, two threads", BATCH_H5, TWO_THREADS),
    ("`verify_batch`, 10,000 of 128 bytes, one thread", BATCH_128, HOOKSEAL),
)
_MARKED = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)


def write(path: Path, results: Mapping[Case, Rounds]) -> None:
    """Puts the figures of this run in the place of those that are there."""
    lines = [
        "| µs a message, median | hookseal | `standardwebhooks` | stdlib `hmac` |",
        "|---|---|---|---|",
    ]
    for words, case, name in _ROWS:
        names = (name, STANDARD_JSON, STDLIB)
        cells = [short(results[case].micros_of(each).median) for each in names]
        lines.append("| " + " | ".join([words, *cells]) + " |")
    figures = "\n".join([*lines, ""])
    text, count = _MARKED.subn(lambda _: figures, path.read_text(encoding="utf-8"))
    assert count == 1, f"{path.name} has no place for figures"
    path.write_text(text, encoding="utf-8")
