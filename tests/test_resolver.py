"""Resolvers: endpoints that a ring does not hold, and asks for. Both implementations."""

from __future__ import annotations

import asyncio
import functools
import gc
import re
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from hookseal import Endpoint, Message, Verdict
from tests.implementations import BODY, NOW, SECRET, key, secret, signed

V, U, M = Verdict.VALID, Verdict.UNKNOWN_ENDPOINT, Verdict.SIGNATURE_MISMATCH


class Tenants:
    """A resolver that knows ``t0`` to ``t9`` and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, names: list[str]) -> dict[str, Any]:
        self.asked.append(names)
        return {name: secret(int(name[1:])) for name in names if name in KNOWN}


KNOWN = {f"t{number}" for number in range(10)}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, to be moved by hand."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def made(hooks: Any, resolver: Any = None, **named: Any) -> tuple[Any, Any, Any]:
    asked = Tenants() if resolver is None else resolver
    ring = hooks.Keyring({"own": SECRET}, resolver=asked, **named)
    return asked, ring, hooks.Verifier(ring)


def message(number: int, **named: Any) -> tuple[bytes, dict[str, str]]:
    return BODY, signed(key=key(number), **named)


def check(verifier: Any, name: str, number: int) -> Verdict:
    verdict: Verdict = verifier.check(*message(number), endpoint=name, now=NOW)
    return verdict


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


# What goes wrong.


def test_what_the_resolver_raises_passes(hooks: Any) -> None:
    class Broken(Exception):
        pass

    def resolver(names: list[str]) -> Any:
        raise Broken

    _, _, verifier = made(hooks, resolver)
    good = (BODY, signed())
    for _ in range(2):
        with pytest.raises(Broken):
            check(verifier, "t1", 1)
        # The other messages of the batch are not reported valid either.
        with pytest.raises(Broken):
            verifier.verify_batch([good, message(1)], endpoint=["own", "t1"], now=NOW)
    assert verifier.verify_batch([good], endpoint="own", now=NOW).valid == 1


class Pairs(Mapping[Any, Any]):
    """A mapping whose items are what they are."""

    def __init__(self, pairs: Sequence[tuple[Any, Any]]) -> None:
        self.pairs = pairs

    def __getitem__(self, name: Any) -> Any:
        raise KeyError(name)

    def __iter__(self) -> Any:
        return iter([name for name, _ in self.pairs])

    def __len__(self) -> int:
        return len(self.pairs)

    def items(self) -> Any:
        return self.pairs


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (
            None,
            TypeError,
            "resolver answer must be a mapping of names to secrets or None, not None",
        ),
        ([("t1", SECRET)], TypeError, "resolver answer must be a mapping .*, not list"),
        (SECRET, TypeError, "resolver answer must be a mapping .*, not str"),
        ({1: SECRET}, TypeError, "a name in what the resolver returned must be a str, not int"),
        (Pairs([("t1", SECRET), ("t1", None)]), ValueError, "the resolver returned 't1' twice"),
        ({"t1": 5}, TypeError, r"resolver\(\)\['t1'\] must be str, bytes, a Secret .*, not int"),
        ({"t1": [SECRET, 5]}, TypeError, r"resolver\(\)\['t1'\]\[1\] must be .*, not int"),
    ],
)
def test_nonsense(hooks: Any, answer: Any, error: type[Exception], text: str) -> None:
    asked: list[list[str]] = []

    def resolver(names: list[str]) -> Any:
        asked.append(names)
        return answer

    _, _, verifier = made(hooks, resolver)
    for count in (1, 2):
        with pytest.raises(error, match=text) as caught:
            verifier.verify_batch([(BODY, signed()), message(1)], endpoint=["own", "t1"], now=NOW)
        assert SECRET.removeprefix("whsec_") not in str(caught.value)
        # Nothing of a wrong answer is remembered.
        assert len(asked) == count


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("", r"resolver\(\)\['t1'\] is empty"),
        ("not base64!", r"resolver\(\)\['t1'\] "),
        ([], r"resolver\(\)\['t1'\] holds no secret"),
        ([SECRET, SECRET], r"resolver\(\)\['t1'\]\[1\] is the same key"),
        (Endpoint(SECRET, scheme="no-such"), "no-such"),
        (Endpoint(SECRET, scheme="github", tolerance=5), "github signs no timestamp"),
    ],
)
@pytest.mark.parametrize("count", [2, 40])
def test_one_tenants_nonsense_stops_nobody_else(
    hooks: Any, clock: list[float], given: Any, text: str, count: int
) -> None:
    """Whoever names that tenant could stop all others, and wear out the store, at will."""
    asked: list[list[str]] = []

    def resolver(names: list[str]) -> Any:
        asked.append(names)
        return {name: given if name == "t1" else secret(2) for name in names}

    _, _, verifier = made(hooks, resolver, resolver_negative_ttl=5)
    messages, names = [message(1), message(2)] * count, ["t1", "t2"] * count
    with pytest.warns(RuntimeWarning) as warned:
        result = verifier.verify_batch(messages, endpoint=names, now=NOW)
    assert list(result) == [U, V] * count
    (warning,) = warned
    words = str(warning.message)
    assert words.startswith("no message is valid for endpoint 't1': ")
    assert re.search(text, words)
    assert SECRET.removeprefix("whsec_") not in words
    assert "not base64!" not in words
    # It is remembered, and neither asked for nor said again until it may have been put right.
    clock[0] += 4.9
    assert check(verifier, "t1", 1) is U
    assert asked == [["t1", "t2"]]
    clock[0] += 0.1
    for _ in range(2):
        with pytest.warns(RuntimeWarning, match="no message is valid for endpoint 't1'"):
            assert check(verifier, "t1", 1) is U
        clock[0] += 5
    assert asked == [["t1", "t2"], ["t1"], ["t1"]]


def test_warnings_that_are_errors(hooks: Any) -> None:
    """Then the call fails, and what was learnt is remembered all the same."""
    asked: list[list[str]] = []

    def resolver(names: list[str]) -> Any:
        asked.append(names)
        return {"t1": "", "t2": secret(2)}

    _, _, verifier = made(hooks, resolver)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="'t1'"):
            verifier.verify_batch([message(1), message(2)], endpoint=["t1", "t2"], now=NOW)
    assert (check(verifier, "t1", 1), check(verifier, "t2", 2)) == (U, V)
    assert len(asked) == 1


def test_what_was_not_asked_for_is_left_alone(hooks: Any) -> None:
    """A database that folds case answers a name which a sender has made up with another one."""
    told = {"t1": secret(1), "own": secret(1), "T2": secret(2)}
    _, ring, verifier = made(hooks, lambda names: told)
    with pytest.warns(RuntimeWarning, match="the resolver returned '.*', which it was not") as said:
        result = verifier.verify_batch([message(1)] * 3, endpoint=["T1", "t1", "own"], now=NOW)
    assert list(result) == [U, V, M]
    assert len(said) == 1
    told.pop("t1")
    with pytest.warns(RuntimeWarning, match="which it was not asked for"):
        assert check(verifier, "t2", 2) is U
    assert ring.endpoints() == ["own"]


def test_the_resolver_cannot_change_what_was_asked(hooks: Any) -> None:
    def resolver(names: list[str]) -> dict[str, Any]:
        names.append("other")
        return {"other": secret(1)}

    _, _, verifier = made(hooks, resolver)
    with pytest.warns(RuntimeWarning, match="'other', which it was not asked for"):
        assert check(verifier, "t1", 1) is U
    with pytest.warns(RuntimeWarning, match="'other', which it was not asked for"):
        assert check(verifier, "t3", 1) is U


def test_names_are_the_text_alone(hooks: Any) -> None:
    """A str that compares and hashes as it likes is no way to another tenant."""

    class Odd(str):
        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return hash("t1")

        def __str__(self) -> str:
            return "t1"

    asked, _, verifier = made(hooks)
    assert check(verifier, "t1", 1) is V
    assert check(verifier, Odd("x"), 1) is U
    result = verifier.verify_batch([message(1)] * 20, endpoint=[Odd("y")] * 20, now=NOW)
    assert not result.valid
    assert asked.asked == [["t1"], ["x"], ["y"]]
    assert {type(name) for names in asked.asked for name in names} == {str}


def test_a_message_whose_endpoint_cannot_be_read(hooks: Any) -> None:
    class Broken(Message):
        def __getattribute__(self, name: str) -> Any:
            if name == "endpoint":
                raise RuntimeError("no endpoint")
            return super().__getattribute__(name)

    asked, _, verifier = made(hooks)
    result = verifier.verify_batch([Broken(*message(1)), message(1)], endpoint="t1", now=NOW)
    assert list(result) == [Verdict.NOT_A_MESSAGE, V]
    assert asked.asked == [["t1"]]


def test_wrong_arguments(hooks: Any) -> None:
    wrong: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"resolver": 5}, TypeError, "resolver must be a function of a list of names, not int"),
        ({"resolver_ttl": "5"}, TypeError, "resolver_ttl must be a number of seconds, not str"),
        ({"resolver_ttl": True}, TypeError, "resolver_ttl must be .*, not bool"),
        ({"resolver_ttl": None}, TypeError, "resolver_ttl must be .*, not None"),
        ({"resolver_ttl": -1}, ValueError, "resolver_ttl must be 0 to 2678400 seconds"),
        ({"resolver_ttl": float("nan")}, ValueError, "resolver_ttl must be 0 to 2678400 seconds"),
        ({"resolver_negative_ttl": 1e9}, ValueError, "resolver_negative_ttl must be 0 to"),
        ({"resolver_size": 1.5}, TypeError, "resolver_size must be a whole number of endpoints"),
        ({"resolver_size": 0}, ValueError, "resolver_size must be at least 1"),
    ]
    for named, error, text in wrong:
        for resolver in ({}, {"resolver": Tenants()}):
            with pytest.raises(error, match=text):
                hooks.Keyring(**resolver | named)


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


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_is_no_fault_of_a_message_passes(hooks: Any, error: type[BaseException]) -> None:
    class Short(Message):
        def __getattribute__(self, name: str) -> Any:
            if name == "endpoint":
                raise error
            return super().__getattribute__(name)

    asked, _, verifier = made(hooks)
    with pytest.raises(error):
        verifier.verify_batch([Short(*message(1))], endpoint="t1", now=NOW)
    assert asked.asked == []
