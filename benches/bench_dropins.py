"""Each drop-in beside its original, and their report."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benches import dropins, messages
from benches.cases import size_name

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.benchmark(disable_gc=True)
@pytest.mark.parametrize("side", [dropins.ORIGINAL, dropins.OURS])
@pytest.mark.parametrize("size", dropins.SIZES, ids=size_name)
@pytest.mark.parametrize("case", dropins.CASES)
def test_dropin(benchmark: BenchmarkFixture, case: str, size: int, side: str) -> None:
    # As a smoke test the thunk runs once, over a few messages.
    count = 3 if benchmark.disabled else dropins.COUNT
    dropins.assert_honest(size)
    work = dropins.works(case, messages.make(dropins.HEADERS, size, count))[side]

    benchmark.group = f"{case}, {size_name(size)}"
    pedantic: Callable[..., int] = benchmark.pedantic
    accepted = pedantic(work, rounds=15, warmup_rounds=1)

    assert accepted == count


def test_report(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    command = [sys.executable, "benches/dropins.py", "--quick", "--output", str(page)]

    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    text = page.read_text(encoding="utf-8")
    assert "mean nothing" in text
    for case in (*dropins.CASES, *dropins.JSON_BODIES):
        assert f"\n| {case} | " in text
    assert f"| {dropins.NO_JSON_CASE}, 1 KiB: faster than the original | at least 6 × |" in text
    assert str(ROOT) not in text
