"""Batches: what is asked before anything is hashed, and when the clock is read."""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import freezegun
import numpy as np
import pytest
import time_machine

from hookseal import Message, Verdict
from tests.implementations import BODY, NOW, SECRET, secret, signed

THREE = [(BODY, signed())] * 3
HUGE = [(bytes(1 << 26), signed())] * 10_000  # minutes of hashing, if it came to that


def _call(hooks: Any, messages: Any = THREE, **named: Any) -> Any:
    return hooks.Verifier(SECRET).verify_batch(messages, **{"now": NOW, **named})


@pytest.mark.parametrize(
    ("named", "error", "says"),
    [
        ({"received_at": [NOW, "1", NOW]}, TypeError, "received_at[1]"),
        ({"received_at": [NOW, NOW, -1]}, ValueError, "received_at[2]"),
        ({"received_at": [NOW, float("nan"), NOW]}, ValueError, "received_at[1]"),
        ({"received_at": [NOW, True, NOW]}, TypeError, "received_at[1]"),
        ({"received_at": [NOW * 1000, NOW, NOW]}, ValueError, "milliseconds"),
        ({"received_at": array.array("q", [NOW, -1, NOW])}, ValueError, "received_at[1]"),
        ({"received_at": array.array("d", [NOW, NOW, 1e30])}, ValueError, "received_at[2]"),
        ({"received_at": np.array([NOW, np.nan, NOW])}, ValueError, "received_at[1]"),
        ({"received_at": np.array([NOW, NOW, NOW * 1000])}, ValueError, "received_at[2]"),
        ({"received_at": [NOW, NOW]}, ValueError, "received_at has 2"),
        ({"received_at": (NOW,) * 4}, ValueError, "received_at has 4"),
        ({"received_at": []}, ValueError, "received_at has 0"),
        ({"received_at": np.array([NOW, NOW])}, ValueError, "received_at has 2"),
        ({"received_at": "123"}, TypeError, "received_at"),
        ({"received_at": b"123"}, TypeError, "received_at"),
        ({"received_at": bytearray(b"123")}, TypeError, "received_at"),
        ({"received_at": memoryview(b"123")}, TypeError, "received_at"),
        ({"received_at": {NOW, NOW + 1, NOW + 2}}, TypeError, "received_at"),
        ({"received_at": {0: NOW, 1: NOW, 2: NOW}}, TypeError, "received_at"),
        ({"received_at": iter([NOW] * 3)}, TypeError, "received_at"),
        ({"received_at": np.array([1, 2, 3], dtype=np.uint8)}, TypeError, "received_at"),
        ({"received_at": np.array([1, 2, 3], dtype=np.float32)}, TypeError, "received_at"),
        ({"received_at": np.full((1, 3), NOW)}, TypeError, "received_at"),
        ({"received_at": True}, TypeError, "received_at"),
        ({"received_at": object()}, TypeError, "received_at"),
        ({"received_at": -1}, ValueError, "received_at"),
        ({"now": "1"}, TypeError, "now"),
        ({"now": -1}, ValueError, "now"),
        ({"now": [NOW] * 3}, TypeError, "now"),
        ({"threads": 0}, ValueError, "threads"),
        ({"threads": -1}, ValueError, "threads"),
        ({"threads": True}, TypeError, "threads"),
        ({"threads": 1.0}, TypeError, "threads"),
        ({"threads": "2"}, TypeError, "threads"),
        ({"keep": None}, TypeError, "keep"),
        ({"keep": 1}, TypeError, "keep"),
        ({"keep": "yes"}, TypeError, "keep"),
        ({"endpoint": "a"}, TypeError, "endpoint"),
        ({"endpoint": ["a"] * 3}, TypeError, "endpoint"),
        ({"endpoint": [None] * 3}, TypeError, "endpoint"),
    ],
    ids=repr,
)
def test_wrong_arguments(hooks: Any, named: dict[str, Any], error: type, says: str) -> None:
    with pytest.raises(error) as caught:
        _call(hooks, **named)
    assert type(caught.value) is error
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("endpoint", "error", "says"),
    [
        (["a", 5, "a"], TypeError, "endpoint[1]"),
        (["a", "a", b"a"], TypeError, "endpoint[2]"),
        (["a", "a"], ValueError, "endpoint has 2"),
        ([], ValueError, "endpoint has 0"),
        (b"aaa", TypeError, "endpoint"),
        (bytearray(b"aaa"), TypeError, "endpoint"),
        ({"a", "b", "c"}, TypeError, "endpoint"),
        (iter("aaa"), TypeError, "endpoint"),
        (5, TypeError, "endpoint"),
    ],
    ids=repr,
)
def test_wrong_endpoints(hooks: Any, endpoint: Any, error: type, says: str) -> None:
    verifier = hooks.Verifier(hooks.Keyring({"a": SECRET}))
    with pytest.raises(error) as caught:
        verifier.verify_batch(THREE, endpoint=endpoint, now=NOW)
    assert type(caught.value) is error
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "messages",
    [None, "text", b"bytes", 5, {}, {"body": b"", "headers": {}}, object(), True],
    ids=repr,
)
def test_what_is_no_batch(hooks: Any, messages: Any) -> None:
    with pytest.raises(TypeError, match="messages"):
        _call(hooks, messages)


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("one", {"received_at": [NOW] * 9_999}),
        ("one", {"received_at": [NOW] * 9_999 + [-1]}),
        ("one", {"threads": 0}),
        ("one", {"keep": 1}),
        ("one", {"endpoint": "a"}),
        ("ring", {"endpoint": ["a"] * 9_999}),
        ("ring", {"endpoint": ["a"] * 9_999 + [5]}),
    ],
    ids=repr,
)
def test_nothing_is_hashed_before(hooks: Any, kind: str, named: dict[str, Any]) -> None:
    """640 GiB of bodies: a call that hashed first would not come back."""
    verifier = hooks.Verifier(SECRET if kind == "one" else hooks.Keyring({"a": SECRET}))
    with pytest.raises((TypeError, ValueError)):
        verifier.verify_batch(HUGE, now=NOW, **named)


def test_an_error_of_arguments_shows_no_value(hooks: Any) -> None:
    with pytest.raises(TypeError) as caught:
        _call(hooks, received_at=[NOW, "hunter2", NOW])
    assert "hunter2" not in str(caught.value)


# The clock.


def test_the_clock_is_read_once(hooks: Any, clock: Any) -> None:
    assert _call(hooks, now=None).valid == 3
    assert clock.looks == 1


def test_the_clock_is_read_after_the_messages_are_in_hand(hooks: Any, clock: Any) -> None:
    def slow() -> Iterator[Any]:
        yield from THREE
        clock.now = NOW + 1000

    result = _call(hooks, slow(), now=None)
    assert result.counts() == {Verdict.TOO_OLD: 3}
    assert clock.looks == 1


def test_a_clock_that_runs_is_one_instant_for_all(
    hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(NOW + 300, NOW + 400))
    monkeypatch.setattr("time.time", lambda: next(looks))
    assert _call(hooks, now=None).valid == 3
    assert next(looks) == NOW + 301


@pytest.mark.parametrize(
    ("scheme", "secrets", "named"),
    [
        ("standard-webhooks", [SECRET], {"now": NOW}),
        ("standard-webhooks", [SECRET], {"received_at": NOW}),
        ("standard-webhooks", [SECRET], {"received_at": [NOW] * 3}),
        ("github", ["text"], {}),
        ("shared-token", ["text"], {}),
    ],
)
def test_the_clock_is_not_read(
    hooks: Any, clock: Any, scheme: str, secrets: list[str], named: dict[str, Any]
) -> None:
    """Where nothing depends on it."""
    verifier = hooks.Verifier(secrets, scheme=scheme)
    verifier.verify_batch(THREE, **named)
    for body, headers in THREE:
        arguments = {**named, "received_at": None if "now" in named else NOW}
        verifier.check(body, headers, **arguments if named else {})
    assert clock.looks == 0


def test_the_clock_is_not_read_without_a_window_or_a_known_endpoint(hooks: Any, clock: Any) -> None:
    off = hooks.Verifier(SECRET, tolerance="off")
    assert off.verify_batch(THREE).valid == 3
    assert off.check(*THREE[0])
    ring = hooks.Verifier(hooks.Keyring({"a": SECRET}))
    assert ring.verify_batch(THREE).counts() == {Verdict.UNKNOWN_ENDPOINT: 3}
    assert ring.check(*THREE[0], endpoint="b") is Verdict.UNKNOWN_ENDPOINT
    assert hooks.Verifier(SECRET).verify_batch([]).valid == 0
    assert hooks.Verifier(SECRET).verify_batch([None, 5]).invalid == 2
    assert clock.looks == 0


def test_a_window_of_a_secret_reads_the_clock(hooks: Any, clock: Any) -> None:
    """Also where freshness is off, and where the scheme signs no time."""
    window = {"not_before": NOW, "not_after": NOW + 1}
    for named in ({"tolerance": "off"}, {"scheme": "github"}):
        given = SECRET if "tolerance" in named else secret(0)
        verifier = hooks.Verifier(hooks.Secret(given, **window), **named)
        verifier.verify_batch(THREE)
        assert clock.looks == 1
        verifier.verify_batch(THREE, now=NOW)
        assert clock.looks == 1
        clock.looks = 0


def test_frozen_clocks(hooks: Any) -> None:
    """freezegun and time-machine freeze what we read, as in the tests of our users."""
    verifier = hooks.Verifier(SECRET)
    verifier.verify_batch(THREE, now=NOW)  # imported and used before, as in real life
    for freeze in (
        lambda at: freezegun.freeze_time(_utc(at)),
        lambda at: time_machine.travel(at, tick=False),
    ):
        with freeze(NOW + 300):
            assert verifier.verify_batch(THREE).valid == 3
            assert verifier.check(*THREE[0])
            assert verifier.verify(*THREE[0]).fresh
        with freeze(NOW + 301):
            assert verifier.verify_batch(THREE).counts() == {Verdict.TOO_OLD: 3}
            assert verifier.check(*THREE[0]) is Verdict.TOO_OLD
        with freeze(NOW - 301):
            assert verifier.check(*THREE[0]) is Verdict.TOO_NEW
            signer = hooks.Signer(SECRET)
            assert signer.sign(b"")["webhook-timestamp"] == str(NOW - 301)


def _utc(at: int) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC)


@pytest.mark.parametrize("said", [float("nan"), -1.0, 1e30, "x", None])
def test_a_broken_clock(hooks: Any, monkeypatch: pytest.MonkeyPatch, said: Any) -> None:
    """It is an error, never a verdict, and says whose fault it is."""
    verifier, signer = hooks.Verifier(SECRET), hooks.Signer(SECRET)
    ring = hooks.Keyring({"a": SECRET})
    monkeypatch.setattr("time.time", lambda: said)
    calls: list[Callable[[], Any]] = [
        lambda: _call(hooks, now=None),
        lambda: verifier.check(*THREE[0]),
        lambda: signer.sign(b""),
        lambda: ring.rotate("a", secret(2), overlap=timedelta(1)),
    ]
    for call in calls:
        with pytest.raises((ValueError, TypeError), match=r"^time\.time\(\) must be Unix seconds"):
            call()
    assert ring.labels("a") == ["0"], "nothing has entered"


def test_instants_of_a_message_are_judged_when_it_is_made() -> None:
    for wrong, error in ((-1, ValueError), ("1", TypeError), (True, TypeError)):
        with pytest.raises(error, match="received_at"):
            Message(BODY, {}, received_at=wrong)  # type: ignore[arg-type]
