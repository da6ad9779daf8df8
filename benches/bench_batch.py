"""Many messages at a time, each contender on its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benches import messages
from benches.cases import ORDERS, Case
from benches.contenders import BY_NAME, HOOKSEAL, OWN_WAYS, RIVALS, assert_honest
from benches.messages import KIB, MessageSet

SMOKE_MESSAGES = 20
# The report has the other lengths.
COUNTS = (1, 100, 10_000)


@pytest.fixture(scope="module", params=COUNTS)
def count(request: pytest.FixtureRequest) -> int:
    """How many messages a batch has."""
    chosen: int = request.param
    return chosen


@pytest.fixture(scope="module", params=ORDERS)
def case(request: pytest.FixtureRequest, count: int) -> Case:
    """The messages to be made."""
    return Case("H5", KIB, count, request.param, rounds=9)


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, case: Case) -> MessageSet:
    """Made once for all contenders, which takes longer than to verify them."""
    if request.config.getoption("benchmark_enable"):
        return case.make()
    few = messages.make(case.headers, case.size, SMOKE_MESSAGES)
    return few.shuffled() if case.order == "shuffled" else few


@pytest.mark.benchmark(disable_gc=True)
@pytest.mark.parametrize("name", [*RIVALS, HOOKSEAL, *OWN_WAYS])
def test_batch(
    benchmark: BenchmarkFixture, case: Case, count: int, made: MessageSet, name: str
) -> None:
    assert_honest(BY_NAME[name], made, case.headers, case.size)
    work = BY_NAME[name].batch(made, count)

    benchmark.group = str(case)
    benchmark.extra_info["messages"] = len(made)
    pedantic: Callable[..., int] = benchmark.pedantic
    accepted = pedantic(work, rounds=case.rounds, warmup_rounds=1)

    assert accepted == made.valid


def test_mixed_batch_accepts_the_good_ones_alone() -> None:
    made = messages.make_mixed("H12", 128, 40)

    assert made.valid == 36
    for name in [*RIVALS, HOOKSEAL, *OWN_WAYS]:
        assert BY_NAME[name].batch(made, 16)() == 36
