"""What a guard can do wrong: stores that fail or are full, answers that are none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hookseal import Claim, ReplayStoreFullError, Verdict
from tests.guards import IN_MEMORY, WON, memory
from tests.implementations import BODY, NOW, signed
from tests.recorder import Recorder, guard, verifier

__all__ = ["guard"]


def test_raise_reports_nothing_valid(hooks: Any) -> None:
    guard = Recorder()
    guard.error = ConnectionError("no route")
    ours = verifier(hooks, guard)
    calls: list[Callable[[], Any]] = [
        lambda: ours.verify(BODY, signed(), now=NOW),
        lambda: ours.check(BODY, signed(), now=NOW),
        lambda: ours.verify_batch([(BODY, signed())] * 20, now=NOW),
    ]
    for call in calls:
        with pytest.raises(ConnectionError, match="no route"):
            call()
    # What needs no guard needs it not.
    assert ours.check(BODY, {}, now=NOW) is Verdict.MISSING_HEADER


def test_reject_refuses_all(hooks: Any) -> None:
    guard = Recorder()
    guard.error = ConnectionError("no route to 10.0.0.1")
    ours = verifier(hooks, guard, on_store_error="reject")
    assert ours.check(BODY, signed(), now=NOW) is Verdict.REPLAYED
    result = ours.verify_batch([(BODY, signed())] * 20 + [(BODY, {})], now=NOW)
    assert list(result) == [Verdict.REPLAYED] * 20 + [Verdict.MISSING_HEADER]
    pair: list[Callable[[], Any]] = [
        lambda: ours.verify(BODY, signed(), now=NOW),
        lambda: result.verified(3),
    ]
    for call in pair:
        with pytest.raises(hooks.ReplayedError) as caught:
            call()
        assert caught.value.status_hint == 503
        assert caught.value.__cause__ is guard.error
        assert str(caught.value) == (
            "the replay guard could not be asked, and on_store_error is 'reject' (ConnectionError)"
        )
    with pytest.raises(hooks.MissingHeaderError) as missing:
        result.verified(20)
    assert missing.value.__cause__ is None
    result.commit()
    guard.error = None
    assert ours.check(BODY, signed(), now=NOW)


def test_accept_lets_in_and_says_so(hooks: Any) -> None:
    guard = Recorder()
    guard.error = ConnectionError("no route")
    ours = verifier(hooks, guard, on_store_error="accept", lease=60)
    for _ in range(2):
        event = ours.verify(BODY, signed(), now=NOW)
        assert not event.claimed
        with event.processing():
            pass
    # Copies in one batch are seen without a guard.
    result = ours.verify_batch([(BODY, signed())] * 20, now=NOW)
    assert list(result) == [Verdict.VALID] + [Verdict.REPLAYED] * 19
    assert not result.verified(0).claimed
    result.commit()
    result.commit([0])
    result.release()
    assert {call[0] for call in guard.calls} == {"claim"}


@pytest.mark.parametrize("kind", IN_MEMORY)
def test_a_guard_that_is_full(hooks: Any, kind: str) -> None:
    guard = memory(kind, max_claims=10)
    messages = [(BODY, signed(id=f"msg_{number}")) for number in range(12)]
    ours = verifier(hooks, guard)
    assert ours.verify_batch(messages[:10], now=NOW).valid == 10
    calls: list[Callable[[], Any]] = [
        lambda: ours.verify(*messages[10], now=NOW),
        lambda: ours.verify_batch(messages, now=NOW),
    ]
    for call in calls:
        with pytest.raises(ReplayStoreFullError):
            call()
    # Copies are known all the same, and the others are let in where that is wished.
    assert ours.verify_batch(messages[:10], now=NOW).valid == 0
    lenient = verifier(hooks, guard, on_store_error="accept")
    assert lenient.verify_batch([messages[10]] * 3, now=NOW).valid_indices() == [0]
    assert guard.count() == 10


def test_a_guard_that_was_closed(hooks: Any, guard: Any) -> None:
    if isinstance(guard, Recorder):
        pytest.skip("it has nothing to close")
    ours = verifier(hooks, guard)
    guard.close()
    with pytest.raises(ValueError, match="closed"):
        ours.check(BODY, signed(), now=NOW)


@pytest.mark.parametrize("mode", ["raise", "reject", "accept"])
@pytest.mark.parametrize("answer", [None, [], [WON, WON], [True], [1], [1.0], ["WON"], [0], 7])
def test_an_answer_that_is_none(hooks: Any, mode: str, answer: Any) -> None:
    """Whatever is to be done where a store fails: this is no store, and nobody is let in."""

    class Nonsense(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            return answer

    ours = verifier(hooks, Nonsense(), on_store_error=mode)
    with pytest.raises(TypeError, match=r"^the replay guard must answer with 1 claims, and did"):
        ours.check(BODY, signed(), now=NOW)
    with pytest.raises(TypeError, match=r"must answer with 1 claims"):
        ours.verify_batch([(BODY, signed())], now=NOW)


@pytest.mark.parametrize("change", ["clear", "pop", "append"])
def test_a_guard_that_takes_keys_away_is_held_to_all_of_them(hooks: Any, change: str) -> None:
    """An answer for what was left of its keys let in messages that nobody had claimed."""

    def answer(keys: Any) -> list[Claim]:
        getattr(keys, change)(*[keys[0]] * (change == "append"))
        return [WON] * len(keys)

    class Taking(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            return answer(keys)

    class Awaited:
        async def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            return answer(keys)

        async def commit(self, keys: Any) -> None:
            raise AssertionError

        release = commit

    ours, awaited = verifier(hooks, Taking()), verifier(hooks, Awaited())
    calls: list[Callable[[], object]] = [
        lambda: ours.check(BODY, signed(), now=NOW),
        lambda: ours.verify_batch([(BODY, signed())] * 20, now=NOW),
        lambda: asyncio.run(awaited.acheck(BODY, signed(), now=NOW)),
        lambda: asyncio.run(awaited.averify_batch([(BODY, signed())] * 20, now=NOW)),
    ]
    for call in calls:
        with pytest.raises(AttributeError, match=change):
            call()


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_is_no_store_error_passes(hooks: Any, error: type[BaseException]) -> None:
    class Broken(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            raise error

    ours = verifier(hooks, Broken(), on_store_error="accept")
    with pytest.raises(error):
        ours.check(BODY, signed(), now=NOW)
