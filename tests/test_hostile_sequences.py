"""Threat 39 of docs/threats.md: lists that shrink, lengths that lie, generators that raise."""

from __future__ import annotations

import gc
from collections import UserDict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from hookseal import Verdict
from tests.hostile import GOOD, RAISED, same, survived, ways
from tests.implementations import BODY, NOW, SECRET

V = Verdict


def test_threat_39_lists_that_shrink_while_they_are_read(hooks: Any) -> None:
    messages: list[Any] = []
    values: list[Any] = ["v1,x"] * 50 + [GOOD[1]["webhook-signature"]]
    pairs: list[Any] = []

    class Shrinking(UserDict[str, str]):
        def items(self) -> Any:
            messages.clear()
            values.clear()
            pairs.clear()
            gc.collect()
            return super().items()

    class Name(str):
        """A name that empties the list it stands in when it is let go."""

        def __del__(self) -> None:
            pairs.clear()

    others = {name: value for name, value in GOOD[1].items() if name != "webhook-signature"}
    pairs += [(Name("x"), "x"), *others.items(), ("webhook-signature", values)]
    messages += [(BODY, pairs), (BODY, Shrinking(GOOD[1])), (BODY, pairs), *[GOOD] * 30]
    result = hooks.Verifier(SECRET).verify_batch(messages, now=NOW)
    assert messages == []
    expected = [V.VALID, V.VALID, V.MISSING_HEADER, *[V.VALID] * 30]
    assert list(result) == expected


def test_threat_39_a_list_that_empties_itself(hooks: Any) -> None:
    """By the values that it holds, as they are let go."""

    class Fragile:
        def __init__(self, held: list[Any]) -> None:
            self.held = held

        def __del__(self) -> None:
            self.held.clear()

    for _ in range(20):
        headers: list[Any] = []
        headers += [("x-first", Fragile(headers)), *GOOD[1].items()]
        for call in ways(hooks, partial(same, headers)):
            survived(hooks, call)


class Lengthy(Sequence[Any]):
    """A sequence that says it has another length than it has, or another one each time."""

    def __init__(self, elements: list[Any], lengths: list[int]) -> None:
        self.elements, self.lengths = elements, lengths

    def __len__(self) -> int:
        return self.lengths.pop(0) if len(self.lengths) > 1 else self.lengths[0]

    def __getitem__(self, index: Any) -> Any:
        return self.elements[index]


@pytest.mark.parametrize("lengths", [[0], [3], [1, 9], [9, 1], [10**6], [5, 4, 3, 2, 1, 0]])
def test_threat_39_sequences_that_lie_about_their_length(hooks: Any, lengths: list[int]) -> None:
    verifier = hooks.Verifier(hooks.Keyring({"a": SECRET}))
    good = hooks.Verifier(SECRET)
    for call in (
        lambda: verifier.verify_batch([GOOD] * 5, endpoint=Lengthy(["a"] * 5, [*lengths]), now=NOW),
        lambda: good.verify_batch([GOOD] * 5, received_at=Lengthy([NOW] * 5, [*lengths])),
        lambda: good.verify_batch(Lengthy([GOOD] * 5, [*lengths]), now=NOW),
        lambda: good.verify_columns(
            Lengthy(["msg_1"] * 5, [*lengths]),
            Lengthy([str(NOW)] * 5, [*lengths]),
            Lengthy([GOOD[1]["webhook-signature"]] * 5, [*lengths]),
            Lengthy([BODY] * 5, [*lengths]),
            now=NOW,
        ),
        lambda: good.verify_batch([GOOD] * 5, now=NOW).partition(Lengthy([1] * 5, [*lengths])),
        lambda: hooks.Verifier(Lengthy([SECRET], [*lengths])),
        lambda: hooks.Signer(SECRET).sign_batch(Lengthy([BODY] * 5, [*lengths]), timestamps=NOW),
    ):
        answer = survived(hooks, call)
        wrong = (ValueError, MemoryError)
        assert isinstance(answer, wrong) or not isinstance(answer, BaseException), answer


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_threat_39_generators_that_raise(hooks: Any, error: BaseException) -> None:
    """An iterable of messages is an argument: what it raises passes."""

    def broken(items: list[Any]) -> Iterator[Any]:
        yield from items
        raise error

    verifier = hooks.Verifier(SECRET)
    for call in (
        lambda: verifier.verify_batch(broken([GOOD] * 20), now=NOW),
        lambda: verifier.check(BODY, broken([*GOOD[1].items()]), now=NOW),
        lambda: verifier.verify_columns(None, None, None, broken([BODY]), now=NOW),
        lambda: hooks.Signer(SECRET).sign_batch(broken([BODY]), timestamps=NOW),
    ):
        answer = survived(hooks, call)
        assert answer is error or isinstance(answer, RuntimeError)


def test_threat_39_values_that_hold_themselves(hooks: Any) -> None:
    value: list[Any] = []
    value.append(value)
    headers: dict[str, Any] = {**GOOD[1], "webhook-id": value}
    headers["headers"] = headers
    verifier = hooks.Verifier(SECRET)
    with pytest.raises(TypeError, match="webhook-id"):
        verifier.check(BODY, headers, now=NOW)
    pair: list[Any] = ["webhook-id"]
    pair.append(pair)
    assert list(verifier.verify_batch([(BODY, [pair])], now=NOW)) == [V.NOT_A_MESSAGE]
    secrets: list[Any] = []
    secrets.append(secrets)
    with pytest.raises(TypeError):
        hooks.Verifier(secrets)


def test_threat_39_very_many_headers(hooks: Any) -> None:
    verifier = hooks.Verifier(SECRET)
    others = [(f"x-{number}", "x") for number in range(100_000)]
    assert verifier.check(BODY, [*others, *GOOD[1].items()], now=NOW)
    for name in GOOD[1]:
        empty = [(name, value) for value in ("", None, " ", [], [""] * 9)] * 20_000
        assert not verifier.check(BODY, [*empty, (name, "x")], now=NOW)
    same = [pair for pair in GOOD[1].items() if pair[0] != "webhook-signature"] * 50_000
    signature = ("webhook-signature", GOOD[1]["webhook-signature"])
    assert verifier.check(BODY, [*same, signature], now=NOW)
