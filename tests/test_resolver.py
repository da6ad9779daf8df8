"""Resolvers: endpoints that a ring does not hold, and asks for. Both implementations."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from hookseal import Endpoint, Message, Verdict
from tests.implementations import BODY, NOW, SECRET, secret, signed
from tests.tenants import KNOWN, M, Tenants, U, V, check, clock, made, message

__all__ = ["clock"]


def test_a_batch_asks_once_for_the_distinct_unknown_names(hooks: Any) -> None:
    asked, _, verifier = made(hooks)
    own = (BODY, signed())
    messages = [
        message(2),
        own,
        message(1),
        message(2),
        message(1),
        Message(*message(3), endpoint="t3"),
        own,
    ]
    names = ["t2", "own", "t1", "t2", "x", "t9", None]

    result = verifier.verify_batch(messages, endpoint=names, now=NOW)

    assert list(result) == [V, V, V, V, U, V, U]
    assert asked.asked == [["t2", "t1", "x", "t3"]]
    assert result.by_secret() == {("t2", "0"): 2, ("own", "0"): 1, ("t1", "0"): 1, ("t3", "0"): 1}
    assert result.verified(5).endpoint == "t3"
    # All is remembered, that there is no x as well.
    assert list(verifier.verify_batch(messages, endpoint=names, now=NOW)) == list(result)
    assert len(asked.asked) == 1


@pytest.mark.parametrize("count", [3, 300])
def test_batch_law(hooks: Any, count: int) -> None:
    """Few messages and many go different ways through the core."""
    numbers = [number % 12 for number in range(count)]
    names = [f"t{number}" for number in numbers]
    messages = [message(number) for number in numbers]
    _, _, one = made(hooks)
    _, _, many = made(hooks)
    expected = [
        one.check(*item, endpoint=name, now=NOW) for item, name in zip(messages, names, strict=True)
    ]
    assert list(many.verify_batch(messages, endpoint=names, now=NOW)) == expected
    assert set(expected) == ({V, U} if count > 10 else {V})
    # Of names that are all one, and of columns.
    asked, _, verifier = made(hooks)
    assert verifier.verify_batch([message(4)] * count, endpoint="t4", now=NOW).valid == count
    columns = [
        [item[1][f"webhook-{part}"] for item in messages]
        for part in ("id", "timestamp", "signature")
    ]
    bodies = [item[0] for item in messages]
    assert list(verifier.verify_columns(*columns, bodies, endpoint=names, now=NOW)) == expected
    assert asked.asked[0] == ["t4"]
    assert "t4" not in asked.asked[1]


def test_one_message(hooks: Any) -> None:
    asked, ring, verifier = made(hooks)
    assert verifier.verify(*message(5), endpoint="t5", now=NOW).endpoint == "t5"
    assert check(verifier, "t5", 5) is V
    assert check(verifier, "x", 5) is U
    # Nobody is asked for what the ring holds, or for what no endpoint can be called.
    assert verifier.check(BODY, signed(), endpoint="own", now=NOW) is V
    for name in ("", "\ud800"):
        assert check(verifier, name, 5) is U
    assert verifier.check(BODY, signed(), now=NOW) is U
    assert asked.asked == [["t5"], ["x"]]
    # What was resolved is not of the ring.
    assert ring.endpoints() == ["own"]
    assert "t5" not in ring
    with pytest.raises(KeyError):
        ring.rotate("t5", SECRET)


def test_another_tenants_secret_is_never_tried(hooks: Any) -> None:
    _, _, verifier = made(hooks)
    messages = [message(number) for number in (1, 2, 1, 2)]
    result = verifier.verify_batch(messages, endpoint=["t2", "t1", "x", "own"], now=NOW)
    assert list(result) == [M, M, U, M]


def test_the_ring_comes_first(hooks: Any) -> None:
    """What is put into the ring holds from then on, whatever was resolved before."""
    _, ring, verifier = made(hooks)
    assert check(verifier, "t1", 1) is V
    ring.replace("t1", secret(7))
    assert check(verifier, "t1", 1) is M
    assert check(verifier, "t1", 7) is V


def test_an_answer_has_all_that_a_ring_may_have(hooks: Any) -> None:
    told = {
        "several": [secret(1), hooks.Secret(secret(2), label="old", not_after=NOW)],
        "endpoint": Endpoint("k", scheme="gitlab-token"),
        "none": None,
    }
    _, _, verifier = made(hooks, lambda names: told)
    names = ["several", "several", "none", "endpoint"]
    messages = [message(1), message(2), message(1), (b"", {"x-gitlab-token": "k"})]
    result = verifier.verify_batch(messages, endpoint=names, now=NOW)
    assert list(result) == [V, M, U, V]
    assert result.verified(3).scheme == "gitlab-token"


# How long an answer is remembered.


def test_time_to_live(hooks: Any, clock: list[float]) -> None:
    asked, _, verifier = made(hooks, resolver_ttl=60, resolver_negative_ttl=5)
    for at, count in [(0, 2), (4.9, 2), (5, 3), (59.9, 4), (60, 5)]:
        clock[0] = 1000.0 + at
        assert (check(verifier, "t1", 1), check(verifier, "x", 1)) == (V, U)
        assert len(asked.asked) == count
    assert asked.asked == [["t1"], ["x"], ["x"], ["x"], ["t1"]]


def test_a_wall_clock_that_steps_back_lengthens_nothing(
    hooks: Any, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, _, verifier = made(hooks, resolver_ttl=60)
    assert check(verifier, "t1", 1) is V
    monkeypatch.setattr(time, "time", lambda: float(NOW - 3600))
    clock[0] += 60
    assert check(verifier, "t1", 1) is V
    assert len(asked.asked) == 2


def test_a_time_of_zero_remembers_nothing(hooks: Any) -> None:
    asked, _, verifier = made(hooks, resolver_ttl=0, resolver_negative_ttl=0)
    for _ in range(2):
        assert (check(verifier, "t1", 1), check(verifier, "x", 1)) == (V, U)
    assert asked.asked == [["t1"], ["x"]] * 2


def test_no_more_is_remembered_than_asked_for(hooks: Any) -> None:
    """A batch of more tenants than that is judged whole; the oldest are forgotten."""
    asked, _, verifier = made(hooks, resolver_size=3)
    names = [f"t{number}" for number in range(6)]
    messages = [message(number) for number in range(6)]
    assert verifier.verify_batch(messages, endpoint=names, now=NOW).valid == 6
    assert verifier.verify_batch(messages, endpoint=names, now=NOW).valid == 6
    assert asked.asked == [names, names[:3]]
    # Names that somebody made up push no tenant out.
    unknown = [f"x{number}" for number in range(20)]
    assert not verifier.verify_batch(messages[:1] * 20, endpoint=unknown, now=NOW).valid
    assert check(verifier, "t2", 2) is V
    assert len(asked.asked) == 3


def test_forget(hooks: Any) -> None:
    asked, ring, verifier = made(hooks)
    for forget, count in [(lambda: None, 2), (lambda: ring.forget("t1"), 3), (ring.forget, 5)]:
        forget()
        assert (check(verifier, "t1", 1), check(verifier, "t2", 2)) == (V, V)
        assert len(asked.asked) == count
    ring.forget("never heard of")
    with pytest.raises(TypeError, match="an endpoint's name must be a str or None, not int"):
        ring.forget(1)
    with pytest.raises(TypeError, match="forget is for a keyring with a resolver"):
        hooks.Keyring().forget()


@pytest.mark.parametrize("forgotten", ["t1", None])
def test_what_was_asked_before_is_not_remembered_after_forget(
    hooks: Any, forgotten: str | None
) -> None:
    """A secret was retired while the resolver still read the old one."""

    def resolver(names: list[str]) -> dict[str, Any]:
        asked.append(names)
        if len(asked) == 1:
            ring.forget(forgotten)
            return {"t1": secret(1)}
        return {"t1": secret(2)}

    asked: list[list[str]] = []
    _, ring, verifier = made(hooks, resolver)
    assert check(verifier, "t1", 1) is V
    assert check(verifier, "t1", 1) is M
    assert len(asked) == 2


# Async resolvers.


async def _async(names: list[str]) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {name: secret(int(name[1:])) for name in names if name in KNOWN}


class _Async:
    async def __call__(self, names: list[str]) -> dict[str, Any]:
        return await _async(names)

    async def method(self, names: list[str]) -> dict[str, Any]:
        return await _async(names)


ASYNC: list[Callable[..., Any]] = [
    _async,
    _Async(),
    _Async().method,
    functools.partial(_async),
    functools.partial(functools.partial(_Async().method)),
]


@pytest.mark.parametrize("resolver", ASYNC)
def test_sync_calls_refuse_an_async_resolver(hooks: Any, resolver: Any) -> None:
    """Even where nothing would be asked: else it would show in production first."""
    _, _, verifier = made(hooks, resolver)
    calls: list[Callable[[], Any]] = [
        lambda: verifier.check(BODY, signed(), endpoint="own", now=NOW),
        lambda: verifier.verify(BODY, signed(), endpoint="own", now=NOW),
        lambda: verifier.verify_batch([(BODY, signed())], endpoint="own", now=NOW),
        lambda: verifier.verify_columns(None, None, [""], [b""], endpoint="own", now=NOW),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="the keyring's resolver is async: await averify"):
            call()


def test_a_coroutine_that_comes_as_a_surprise(hooks: Any) -> None:
    def resolver(names: list[str]) -> Any:
        return _async(names)

    _, _, verifier = made(hooks, resolver)
    assert verifier.check(BODY, signed(), endpoint="own", now=NOW) is V
    # A coroutine that is never awaited would be a warning, and so an error here.
    with pytest.raises(TypeError, match="the keyring's resolver is async"):
        check(verifier, "t1", 1)
    gc.collect()


@pytest.mark.parametrize("resolver", [*ASYNC, Tenants()])
def test_what_the_async_methods_build_on(hooks: Any, resolver: Any) -> None:
    """The names of a call, what the resolver says of them, and a verifier that knows it."""
    _, ring, verifier = made(hooks, resolver)

    async def batch(messages: list[Any], names: Any) -> Any:
        unheld = verifier._unheld(names, messages)
        found = await ring._resolver.aresolve(ring, unheld)
        return verifier._settled(found).verify_batch(messages, endpoint=names, now=NOW)

    async def one(name: str, number: int) -> Verdict:
        found = await ring._resolver.aresolve(ring, verifier._unheld(name))
        return check(verifier._settled(found), name, number)

    messages = [message(2), (BODY, signed()), message(1), Message(*message(3), endpoint="t3")]
    names = ["t2", "own", "x", "t9"]
    assert list(verifier._unheld(names, messages)) == ["t2", "x", "t3"]
    for _ in range(2):
        assert list(asyncio.run(batch(messages, names))) == [V, V, U, V]
        assert asyncio.run(one("t5", 5)) is V
        assert asyncio.run(one("t5", 4)) is M
        assert asyncio.run(one("x", 4)) is U
    # It never asks, so what it was not told is unknown.
    assert check(verifier._settled({}), "t5", 5) is U


# Threads, and the garbage collector.


def test_threads_share_what_is_remembered(hooks: Any) -> None:
    """Whoever asks meanwhile is answered in the end, and nobody sees half an answer."""
    asked, ring, verifier = made(hooks, resolver_size=4)
    names = [f"t{number}" for number in range(10)]
    messages = [message(number) for number in range(10)]
    wrong: list[Any] = []

    def work() -> None:
        for turn in range(50):
            result = verifier.verify_batch(messages, endpoint=names, now=NOW)
            if result.valid != len(names):
                wrong.append(list(result))
            if turn % 10 == 0:
                ring.forget()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(asked.asked) >= 5


def test_a_resolver_that_holds_its_ring_is_collected(hooks: Any) -> None:
    class Holder:
        def __call__(self, names: list[str]) -> dict[str, Any]:
            return {}

    holder = Holder()
    holder.verifier = hooks.Verifier(hooks.Keyring(resolver=holder))  # type: ignore[attr-defined]
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None
