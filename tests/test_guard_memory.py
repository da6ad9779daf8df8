"""The guards in memory: their bound, their size, their clocks; core against twin."""

from __future__ import annotations

import copy
import os
import pickle
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import ReplayStoreFullError
from tests import children
from tests.conftest import Clock
from tests.guards import DONE, IN_MEMORY, PENDING, WON, claim, key, keys, memory
from tests.implementations import NOW
from tests.profiles import fewer

each_memory = pytest.mark.parametrize("kind", IN_MEMORY)


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock in place of ``time.monotonic``."""
    steady = Clock()
    monkeypatch.setattr("time.monotonic", steady)
    return steady


@each_memory
def test_full_refuses_and_forgets_nothing(kind: str) -> None:
    guard = memory(kind, max_claims=1000)
    assert set(claim(guard, range(900))) == {WON}
    assert set(claim(guard, range(900, 1000), lease=60)) == {WON}
    for numbers in ([1000], range(950, 1001)):
        with pytest.raises(ReplayStoreFullError) as caught:
            claim(guard, numbers)
        assert str(caught.value) == (
            "the replay guard holds 1000 claims, as many as it may, and forgets none that is"
            " alive: raise max_claims, or wait until some have ended"
        )
    # Who is known is still answered, and all are known.
    assert claim(guard, range(1000)) == (DONE,) * 900 + (PENDING,) * 100
    assert guard.count() == 1000
    guard.release(keys(999))
    assert claim(guard, [1000, 1000]) == (WON, DONE)


@each_memory
def test_room_comes_back(kind: str, clock: Clock, steady: Clock) -> None:
    guard = memory(kind, max_claims=10)
    claim(guard, range(10), ttl=60)
    clock.now = steady.now = NOW + 59
    with pytest.raises(ReplayStoreFullError):
        claim(guard, [10])
    clock.now = steady.now = NOW + 61
    assert set(claim(guard, range(10, 20))) == {WON}
    assert guard.count() == 10


@each_memory
def test_a_late_commit_finds_no_room(kind: str, clock: Clock, steady: Clock) -> None:
    guard = memory(kind, max_claims=2)
    token = claim(guard, [1], lease=1).token
    clock.now = steady.now = NOW + 2
    assert claim(guard, [2, 3]) == (WON, WON)
    with pytest.raises(ReplayStoreFullError):
        guard.commit(keys(1), token=token)
    assert guard.count() == 2


@each_memory
@pytest.mark.parametrize("step", [-3600, -1, 3600, 10**9])
def test_a_wall_clock_that_is_set_frees_nothing(
    kind: str, clock: Clock, steady: Clock, step: int
) -> None:
    guard = memory(kind)
    claim(guard, [1], ttl=601)
    token = claim(guard, [2], lease=60, ttl=601).token
    guard.commit(keys(2), token=token)
    claim(guard, [3], lease=60)
    clock.now += step
    for passed in (0, 30, 58):
        steady.now = NOW + passed
        assert claim(guard, [1, 2, 3]) == (DONE, DONE, PENDING)
    steady.now = NOW + 600
    clock.now += 600
    assert claim(guard, [1, 2]) == (DONE, DONE)
    # Long after, by the clock that was set back, an old message is as fresh as it was.
    steady.now = NOW + 3000
    clock.now = NOW + step + 3000
    assert claim(guard, [1, 2]) == ((DONE, DONE) if step == -3600 else (WON, WON))


@each_memory
def test_a_lease_is_a_span_of_time(kind: str, clock: Clock, steady: Clock) -> None:
    guard = memory(kind)
    claim(guard, [1], lease=60)
    clock.now -= 3600
    steady.now += 61
    assert claim(guard, [1]) == (WON,)


def test_at_most_forty_bytes_a_claim() -> None:
    for batch in (1, 1000):
        guard = memory("memory", max_claims=200_000)
        made = 0
        while made < 100_000:
            claim(guard, range(made, made + batch), ttl=601)
            made += batch
            if made % 1000 == 0:
                assert sys.getsizeof(guard) / made <= 40 + 1000 / made
        assert guard.count() == made
    guard.close()
    assert sys.getsizeof(guard) < 1000


@each_memory
def test_it_stays_here(kind: str) -> None:
    guard = memory(kind, max_claims=5)
    assert repr(guard) == "MemoryReplayGuard(max_claims=5)"
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"^a MemoryReplayGuard cannot be pickled or copied$"):
            copied(guard)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")
def test_a_lock_that_is_held_while_it_forks() -> None:
    """Who held it is not there in the child, which claims all the same."""
    said = children.run(
        """
        import os, signal
        guard = MemoryReplayGuard()
        guard._lock.acquire()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            sys.exit(10 + len(guard.claim([bytes(16)], lease=None, ttl=60)))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
        "hookseal.pure",
    )
    assert said == "11\n"


@each_memory
def test_wrong_bounds(kind: str) -> None:
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=r"^max_claims must be at least 1$"):
            memory(kind, max_claims=wrong)
    for other in (None, True, 1e6, "5"):
        with pytest.raises(TypeError, match=r"^max_claims must be a whole number, not "):
            memory(kind, max_claims=other)
    assert memory(kind, max_claims=10**30).count() == 0


def test_a_token_of_another_guard() -> None:
    """Of the same kind it is another's claim, and changes nothing; of another kind it is wrong."""
    mine, other = memory("memory"), memory("memory")
    token = claim(mine, [1], lease=60).token
    claim(other, [2], lease=60)
    claim(other, [1], lease=60)
    other.release(keys(1), token=token)
    assert claim(other, [1]) == (PENDING,)
    with pytest.raises(TypeError, match=r"^token must be"):
        memory("twin").commit(keys(1), token=token)


_spans = st.sampled_from([1, 2, 7, 60, 601])
_numbers = st.lists(st.integers(0, 30), max_size=8)
_steps = st.one_of(
    st.tuples(st.just("claim"), _numbers, st.one_of(st.none(), _spans), _spans),
    st.tuples(st.just("commit"), _numbers, st.integers(-1, 5)),
    st.tuples(st.just("release"), _numbers, st.integers(-1, 5)),
    st.tuples(st.just("pass"), st.sampled_from([0.0004, 0.3, 1, 5.5, 75, 700])),
    st.tuples(st.just("set"), st.sampled_from([-3600, -1.5, 0.25, 2, 3600])),
)


@fewer()
@given(steps=st.lists(_steps, max_size=40), most=st.sampled_from([3, 12, 10**6]))
def test_core_and_twin_agree(steps: list[Any], most: int) -> None:
    """Whatever is asked, in whatever order, and whatever the clocks do."""
    with pytest.MonkeyPatch.context() as patch:
        wall, steady = Clock(), Clock()
        patch.setattr("time.time", wall)
        patch.setattr("time.monotonic", steady)
        guards = [memory(kind, max_claims=most) for kind in IN_MEMORY]
        tokens: list[list[Any]] = [[], []]
        for what, *arguments in steps:
            if what in {"pass", "set"}:
                wall.now += arguments[0]
                steady.now += arguments[0] if what == "pass" else 0
                continue
            said = [
                _said(guard, own, what, arguments)
                for guard, own in zip(guards, tokens, strict=True)
            ]
            assert said[0] == said[1], (what, arguments)
            assert guards[0].count() == guards[1].count()


def _said(guard: Any, tokens: list[Any], what: str, arguments: list[Any]) -> Any:
    named = keys(*arguments[0])
    try:
        if what == "claim":
            claims = guard.claim(named, lease=arguments[1], ttl=arguments[2])
            tokens.append(claims.token)
            return claims
        token = tokens[-1 - arguments[1]] if 0 <= arguments[1] < len(tokens) else None
        return getattr(guard, what)(named, token=token)
    except Exception as error:
        return type(error), str(error)


def test_keys_that_differ_in_any_bit_are_different() -> None:
    guard = memory("memory")
    base = key(1)
    flipped = [
        bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(base))
        for bit in range(128)
    ]
    assert set(guard.claim([base, *flipped], lease=None, ttl=60)) == {WON}
