"""What ``import hookseal`` adds to the start of an interpreter."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter_ns

from benches.paired import Spread


def import_millis(runs: int) -> Spread:
    """Milliseconds over ``python -c pass``, by alternating runs of both."""
    _millis("import hookseal")  # compiles what is not compiled yet
    return Spread.of([_millis("import hookseal") - _millis("pass") for _ in range(runs)])


def _millis(code: str) -> float:
    start = perf_counter_ns()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (perf_counter_ns() - start) / 1e6
