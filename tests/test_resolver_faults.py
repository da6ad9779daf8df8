"""Resolvers that raise, answer nonsense, or were not asked for. Both implementations."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from hookseal import Endpoint, Message, Verdict
from tests.implementations import BODY, NOW, SECRET, secret, signed
from tests.tenants import M, Tenants, U, V, check, clock, made, message

__all__ = ["clock"]


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
