"""Threat 39 of docs/threats.md: mappings that raise, call back, lie, or change while read."""

from __future__ import annotations

import gc
import sys
import threading
from collections import UserDict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from hookseal import NotAMessageError, Verdict
from tests.hostile import GOOD, RAISED, Boom, survived, ways
from tests.implementations import BODY, NOW, SECRET, key, signed
from tests.profiles import IS_QUICK

V = Verdict


class RaisesIn(Mapping[str, Any]):
    """A mapping that raises in one method, and is good in all others."""

    def __init__(self, method: str, error: BaseException) -> None:
        self._method, self._error, self._good = method, error, signed()

    def _do(self, method: str) -> dict[str, str]:
        if method == self._method:
            raise self._error
        return self._good

    def __getitem__(self, name: str) -> str:
        return self._do("__getitem__")[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._do("__iter__"))

    def __len__(self) -> int:
        return len(self._do("__len__"))

    def items(self) -> Any:
        pairs = iter(self._do("items").items())
        yield next(pairs)
        self._do("in items")
        yield from pairs


@pytest.mark.parametrize("method", ["items", "in items", "__len__", "__getitem__", "__iter__"])
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_threat_39_a_mapping_that_raises(hooks: Any, method: str, error: BaseException) -> None:
    """What it raises passes; of an item of a batch, an Exception is the item's own."""
    passes = not isinstance(error, Exception) or isinstance(error, MemoryError)
    # A generator that raises StopIteration raises RuntimeError: that is Python's rule.
    is_stop = isinstance(error, StopIteration)
    for number, call in enumerate(ways(hooks, lambda: RaisesIn(method, error))):
        answer = survived(hooks, call)
        if "items" not in method:
            assert not isinstance(answer, BaseException)  # nothing but items() is asked
        elif number < 2 or passes:
            assert answer is error or (is_stop and isinstance(answer, RuntimeError))
        else:
            own = [each for each in answer.errors.values() if not isinstance(each, TypeError)]
            assert own
            assert all(each is error or is_stop for each in own)


def test_threat_39_a_mapping_that_calls_back(hooks: Any) -> None:
    """Verifying, changing the ring and collecting garbage, from inside of a call."""
    ring = hooks.Keyring({"a": SECRET})
    verifier = hooks.Verifier(ring)
    seen: list[Any] = []

    class Calling(UserDict[str, str]):
        def items(self) -> Any:
            if len(seen) < 60:
                seen.append(verifier.check(*GOOD, endpoint="a", now=NOW))
                seen.append(verifier.verify_batch([GOOD] * 13, endpoint="a", now=NOW).valid)
                ring.rotate("a", key(len(seen) + 50), now=NOW)
                ring.remove("a", ring.labels("a")[0])
                gc.collect(1)
            return super().items()

    calling = Calling(GOOD[1])
    result = verifier.verify_batch([(BODY, calling)] * 30, endpoint="a", now=NOW, threads=2)
    assert result.valid == 30
    assert verifier.check(BODY, calling, endpoint="a", now=NOW)
    assert set(seen) == {V.VALID, 13}


class Changing(dict[str, str]):
    """A mapping that changes its size whenever it is looked at."""

    def items(self) -> Any:
        for number, pair in enumerate(list(super().items())):
            self[f"x-{number}"] = "x"
            yield pair
            self.pop("webhook-id", None)


class Lying(UserDict[str, str]):
    """A mapping that says it has another length."""

    length: Any = 0

    def __len__(self) -> int:
        if isinstance(self.length, Exception):
            raise self.length
        return int(self.length)

    def items(self) -> Any:
        return LyingItems(self.data.items(), self.length)


class LyingItems:
    def __init__(self, pairs: Any, length: Any) -> None:
        self._pairs, self._length = pairs, length

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pairs)

    def __len__(self) -> int:
        if isinstance(self._length, Exception):
            raise self._length
        return int(self._length)

    def __length_hint__(self) -> int:
        return 2**40


def test_threat_39_a_mapping_that_changes_size(hooks: Any) -> None:
    for call in ways(hooks, lambda: Changing(GOOD[1])):
        answer = survived(hooks, call)
        assert not isinstance(answer, BaseException)


@pytest.mark.parametrize("length", [0, 1, 2, 99, 10**6, sys.maxsize])
def test_threat_39_a_mapping_that_lies_about_its_length(hooks: Any, length: int) -> None:
    def lying() -> Any:
        made = Lying(GOOD[1])
        made.length = length
        return made

    for call in ways(hooks, lying):
        answer = survived(hooks, call)
        # Python itself may believe the length, and say that there is no such memory.
        assert isinstance(answer, MemoryError) or not isinstance(answer, BaseException)


def test_threat_39_a_length_that_raises(hooks: Any) -> None:
    def lying() -> Any:
        made = Lying(GOOD[1])
        made.length = Boom()
        return made

    for call in ways(hooks, lying):
        answer = survived(hooks, call)
        assert isinstance(answer, Boom) or not isinstance(answer, BaseException)


def test_threat_39_a_dict_that_garbage_collection_changes(hooks: Any) -> None:
    """A text that is not UTF-8 is an exception first, whose memory may be the one that sets the
    collector off: finalizers run, and the dict under our hands is another one."""
    odd: dict[Any, Any] = {"webhook-signature": ["\ud800"] * 5, "webhook-id": "\ud800"}
    odd |= {f"x{number}\ud800": "y" for number in range(50)}
    calls = 0
    for threshold in range(1, 30):
        given = dict(odd)

        def change(*_: Any, given: dict[Any, Any] = given) -> None:
            nonlocal calls
            calls += 1
            given[f"new{calls}"] = "z"
            if calls % 3 == 0:
                given.clear()

        verifier = hooks.Verifier(SECRET)
        before = gc.get_threshold()
        gc.callbacks.append(change)
        gc.set_threshold(threshold, 1, 1)
        try:
            verdict = verifier.check(BODY, given, now=NOW)
            result = verifier.verify_batch([(BODY, given)] * 14, now=NOW)
        finally:
            gc.callbacks.remove(change)
            gc.set_threshold(*before)
        assert verdict is not V.VALID
        assert V.VALID not in list(result)
        assert {type(error) for error in result.errors.values()} <= {TypeError}
    assert calls > 0


def test_threat_39_a_dict_that_another_thread_changes(hooks: Any) -> None:
    """What is read of it is whole: the dict at one moment."""
    given = dict(GOOD[1])
    verifier = hooks.Verifier(SECRET)
    stop = threading.Event()

    def change() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            given[f"x-{number % 50}"] = "x"
            given.pop(f"x-{(number + 25) % 50}", None)

    other = threading.Thread(target=change)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    other.start()
    try:
        for _ in range(500 if IS_QUICK else 3_000):
            assert verifier.check(BODY, given, now=NOW) is V.VALID
        for _ in range(50):
            assert verifier.verify_batch([(BODY, given)] * 40, now=NOW).valid == 40
    finally:
        stop.set()
        other.join()
        sys.setswitchinterval(before)


def test_threat_39_exceptions_that_cannot_be_shown(hooks: Any) -> None:
    """An item's exception is kept as it is, and its text is not asked for."""

    class Silent(Exception):
        def __str__(self) -> str:
            raise Boom

        __repr__ = __str__

    result = hooks.Verifier(SECRET).verify_batch([(BODY, RaisesIn("items", Silent()))], now=NOW)
    with pytest.raises(NotAMessageError) as caught:
        result.verified(0)
    assert type(caught.value.__cause__) is Silent
    assert "Silent" in str(caught.value)
