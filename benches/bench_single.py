"""One message at a time, each contender on its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benches import messages
from benches.cases import Case, size_name
from benches.contenders import BY_NAME, HOOKSEAL, RIVALS, assert_honest


@pytest.mark.benchmark(disable_gc=True)
@pytest.mark.parametrize("name", [*RIVALS, HOOKSEAL])
@pytest.mark.parametrize("size", messages.SIZES, ids=size_name)
@pytest.mark.parametrize("headers", messages.HEADER_SETS)
def test_single(benchmark: BenchmarkFixture, headers: str, size: int, name: str) -> None:
    case = Case(headers, size, None, "in order", rounds=15)
    # As a smoke test the thunk runs once, over a few messages.
    made = messages.make(headers, size, 3) if benchmark.disabled else case.make()
    assert_honest(BY_NAME[name], made, headers, size)
    work = BY_NAME[name].singly(made)

    benchmark.group = str(case)
    benchmark.extra_info["messages"] = len(made)
    pedantic: Callable[..., int] = benchmark.pedantic
    accepted = pedantic(work, rounds=case.rounds, warmup_rounds=1)

    assert accepted == len(made)
