"""Writes verdicts.json: one row for each rule of docs/strict-reading.md, and for each edge.

    python -m tests.vectors.make_verdicts

The rows are signed by tests/oracle.py; nothing here imports hookseal. A row is a JSON
object on a line of its own:

- ``name``, and ``rule``: the section of docs/strict-reading.md;
- ``layer``: "engine" rows are read by cargo and pytest, "python" rows, which hold what
  only Python can hand over, by pytest alone;
- ``verifier``: ``{scheme, secrets, tolerance, max_body_bytes}``, or ``{ring: {scheme,
  endpoints: [[name, {secrets, scheme, tolerance}], …]}, tolerance, max_body_bytes}``, or
  ``{unsigned, max_body_bytes}``. A secret is a TEXT, or ``{value, label, not_before,
  not_after}`` of which all but the value may be absent;
- ``body``, ``headers`` ([[name, value], …]), ``endpoint``, ``received_at``, ``now``;
- ``expect``: ``verdict``; ``secret``, its position, or -1; ``label``; ``exception``;
  and for VALID rows ``verified``, the attributes of the ``Verified``.

TEXT is explained in texts.py. The schemes stand in schemes.json.
"""

import json
from collections import Counter
from pathlib import Path

from tests.vectors.rows import (
    bodies,
    families,
    headers,
    ids,
    keys,
    order,
    rings,
    signatures,
    times,
    tokens,
)
from tests.vectors.rows.build import Row

FILE = Path(__file__).with_name("verdicts.json")
_SECTIONS = (order, bodies, headers, families, ids, times, signatures, tokens, keys, rings)


def build() -> list[Row]:
    """All rows, in the order of the file."""
    rows = [row for section in _SECTIONS for row in section.rows()]
    twice = [name for name, count in Counter(row["name"] for row in rows).items() if count > 1]
    assert not twice, f"names that are there twice: {twice}"
    return rows


def text() -> str:
    """The content of the file."""
    lines = (json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in build())
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="ascii")
