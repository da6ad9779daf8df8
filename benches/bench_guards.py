"""The replay guards: how many claims a second, as smoke tests of what benches/guards.py prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benches import guards


@pytest.mark.parametrize("batch", guards.BATCHES)
@pytest.mark.parametrize("name", guards.GUARDS)
def test_claims(benchmark: Any, name: str, batch: int, tmp_path: Path) -> None:
    opened, _ = guards.GUARDS[name]
    with opened(tmp_path) as guard:
        rate = benchmark(guards.claims_per_second, guard, batch, batch)
    assert rate > 0


@pytest.mark.parametrize("name", guards.SCHEMES)
def test_the_cost_of_a_guard(name: str) -> None:
    without, with_one, times = guards.cost(name, 1, 100)
    assert min(without, with_one, times) > 0


def test_it_prints_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert guards.main(["--quick"]) == 0
    printed = capsys.readouterr().out
    for name in [*guards.GUARDS, *guards.SCHEMES]:
        assert f"| {name} |" in printed
    assert "A claim in memory, in calls of 100: " in printed
