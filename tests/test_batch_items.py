"""Batches: what is a message, and what becomes of what is none."""

from __future__ import annotations

import gc
import weakref
from collections import OrderedDict, UserDict, namedtuple
from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from hookseal import Message, NotAMessageError, Verdict
from tests.implementations import BODY, NOW, SECRET, secret, signed
from tests.observation import outcome

GOOD = (BODY, signed())


def judge(hooks: Any, items: Any, **named: Any) -> Any:
    return hooks.Verifier(SECRET).verify_batch(items, now=NOW, **named)


class Slots:
    __slots__ = ("body", "headers")

    def __init__(self) -> None:
        self.body, self.headers = GOOD


class Properties:
    body = property(lambda self: GOOD[0])
    headers = property(lambda self: GOOD[1])


Pair = namedtuple("Pair", "first second")
Record = namedtuple("Record", "topic body headers")


class Odd(Message):
    """A subclass is a Message too."""


PARTS: dict[str, Any] = {"body": GOOD[0], "headers": GOOD[1]}


@pytest.mark.parametrize(
    "item",
    [
        Message(*GOOD),
        Odd(*GOOD),
        GOOD,
        PARTS,
        {**PARTS, "more": 1},
        OrderedDict(PARTS),
        UserDict(PARTS),
        MappingProxyType(PARTS),
        SimpleNamespace(**PARTS),
        Slots(),
        Properties(),
        Record("orders", *GOOD),
    ],
    ids=lambda item: type(item).__name__,
)
def test_forms_of_a_message(hooks: Any, item: Any) -> None:
    result = judge(hooks, [item])
    assert list(result) == [Verdict.VALID]
    assert result.errors == {}
    assert result.verified(0).body == BODY


class Raises(Mapping[str, Any]):
    """A mapping whose every method raises what it was made with."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> Any:
        raise self.error

    def __iter__(self) -> Iterator[str]:
        raise self.error

    def __len__(self) -> int:
        raise self.error


class RaisesWhenAsked:
    headers = GOOD[1]

    def __init__(self, error: BaseException) -> None:
        self.error = error

    @property
    def body(self) -> bytes:
        raise self.error


class Boom(Exception):
    pass


_BAD_ITEMS: list[tuple[Any, type[Exception]]] = [
    (None, TypeError),
    (5, TypeError),
    ("text", TypeError),
    (b"bytes", TypeError),
    ([*GOOD], TypeError),
    ((BODY,), TypeError),
    ((*GOOD, 1), TypeError),
    ((), TypeError),
    ({}, TypeError),
    ({"body": BODY}, TypeError),
    ({"headers": {}}, TypeError),
    ({b"body": BODY, b"headers": {}}, TypeError),
    (SimpleNamespace(body=BODY), TypeError),
    (object(), TypeError),
    (Pair(*GOOD), TypeError),
    ((None, GOOD[1]), TypeError),
    ((5, GOOD[1]), TypeError),
    (({"json": 1}, GOOD[1]), TypeError),
    ((BODY, None), TypeError),
    ((BODY, 5), TypeError),
    ((BODY, "webhook-id: msg_1"), TypeError),
    ((BODY, b"webhook-id: msg_1"), TypeError),
    ((BODY, [("webhook-id",)]), TypeError),
    ((BODY, ["webhook-id"]), TypeError),
    ((BODY, [None]), TypeError),
    ((BODY, {5: "x"}), TypeError),
    ((BODY, {"webhook-id": 5}), TypeError),
    ((BODY, {"webhook-id": [5]}), TypeError),
    ((BODY, {"webhook-id": [None]}), TypeError),
    ((BODY, {"webhook-id": {"x"}}), TypeError),
    ((BODY, {"webhook-id": bytearray(b"x")}), TypeError),
    (("\ud800", GOOD[1]), ValueError),
    ({"body": "\udfff", "headers": GOOD[1]}, ValueError),
    (Message("\ud800", GOOD[1]), ValueError),
    (Message(None, GOOD[1]), TypeError),  # type: ignore[arg-type]
    (Message(*GOOD, endpoint="a"), TypeError),
    ((BODY, Raises(Boom("in headers"))), Boom),
    (Raises(Boom("in the item")), Boom),
    (RaisesWhenAsked(Boom("in a property")), Boom),
    (RaisesWhenAsked(StopIteration()), StopIteration),
    (Raises(RecursionError()), RecursionError),
    (Raises(OSError(5, "gone")), OSError),
]


@pytest.mark.parametrize(("item", "error"), _BAD_ITEMS, ids=lambda value: type(value).__name__)
def test_not_a_message(hooks: Any, item: Any, error: type[Exception]) -> None:
    """The item's own verdict, with the reason; its neighbours are judged as ever."""
    result = judge(hooks, [GOOD, item, GOOD, item])
    no = Verdict.NOT_A_MESSAGE
    assert list(result) == [Verdict.VALID, no, Verdict.VALID, no]
    assert list(result.errors) == [1, 3]
    for index in (1, 3):
        assert type(result.errors[index]) is error
        with pytest.raises(NotAMessageError) as caught:
            result.verified(index)
        assert caught.value.__cause__ is result.errors[index]
    assert result.secrets.tolist() == [0, -1, 0, -1]


def test_all_that_is_no_message_in_one_batch(hooks: Any) -> None:
    items = [item for item, _ in _BAD_ITEMS]
    result = judge(hooks, items)
    assert result.counts() == {Verdict.NOT_A_MESSAGE: len(items)}
    assert {index: type(error) for index, error in result.errors.items()} == {
        index: error for index, (_, error) in enumerate(_BAD_ITEMS)
    }


def test_a_single_check_raises_what_a_batch_reports(hooks: Any) -> None:
    verifier = hooks.Verifier(SECRET)
    for item, error in _BAD_ITEMS:
        if type(item) is tuple and len(item) == 2:
            answer = outcome(partial(verifier.check, now=NOW), *item)
            if error is ValueError:
                assert answer == ("gave", Verdict.NOT_A_MESSAGE)
            else:
                assert answer == ("raised", error)


def test_the_reason_does_not_hold_the_text(hooks: Any) -> None:
    canary = "canary-4711"
    result = judge(hooks, [(canary + "\ud800", GOOD[1]), (BODY, {"webhook-id": {canary}})])
    for error in result.errors.values():
        seen: BaseException | None = error
        while seen is not None:
            assert canary not in repr(seen) + str(seen) + repr(seen.args)
            seen = seen.__cause__ or seen.__context__


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(3), MemoryError(), GeneratorExit()]
)
@pytest.mark.parametrize("place", ["item", "headers", "property", "iterable"])
def test_what_passes(hooks: Any, error: BaseException, place: str) -> None:
    """Ctrl-C, exit and lack of memory are nobody's item."""

    def broken() -> Iterator[Any]:
        yield GOOD
        raise error

    items: Any = {
        "item": [GOOD, Raises(error)],
        "headers": [GOOD, (BODY, Raises(error))],
        "property": [GOOD, RaisesWhenAsked(error)],
        "iterable": broken() if place == "iterable" else None,
    }[place]
    with pytest.raises(type(error)) as caught:
        judge(hooks, items)
    assert caught.value is error
    assert judge(hooks, [GOOD]).valid == 1


def test_an_iterable_that_raises_raises(hooks: Any) -> None:
    """It is not an item that is wrong but the call's argument."""

    def broken() -> Iterator[Any]:
        yield GOOD
        raise Boom

    with pytest.raises(Boom):
        judge(hooks, broken())


def test_iterables_are_drained_first(hooks: Any) -> None:
    """Nothing is looked at before the last message is there."""
    looked: list[int] = []

    class Looking:
        headers = GOOD[1]

        @property
        def body(self) -> bytes:
            looked.append(drawn)
            return BODY

    drawn = 0

    def messages() -> Iterator[Any]:
        nonlocal drawn
        for _ in range(5):
            drawn += 1
            yield Looking()

    assert judge(hooks, messages()).valid == 5
    assert looked == [5] * 5


def test_a_list_that_shrinks_while_it_is_judged(hooks: Any) -> None:
    """The batch is what it was when the call began."""
    items: list[Any] = []

    class Shrinking:
        headers = GOOD[1]

        @property
        def body(self) -> bytes:
            items.clear()
            gc.collect()
            return BODY

    items += [Shrinking(), *[(bytes(BODY), dict(GOOD[1])) for _ in range(50)]]
    result = judge(hooks, items)
    assert items == []
    assert result.valid == 51


def test_a_list_that_grows_while_it_is_judged(hooks: Any) -> None:
    items: list[Any] = []

    class Growing:
        headers = GOOD[1]

        @property
        def body(self) -> bytes:
            items.append(self)
            return BODY

    items += [Growing()] * 3
    assert len(judge(hooks, items)) == 3


def test_headers_that_change_while_they_are_read(hooks: Any) -> None:
    """A mapping is read once, through ``items``."""
    calls = []

    class Counting(UserDict[str, str]):
        def items(self) -> Any:
            calls.append("items")
            return super().items()

        def __getitem__(self, key: str) -> str:
            calls.append(key)
            return super().__getitem__(key)

    assert judge(hooks, [(BODY, Counting(GOOD[1]))]).valid == 1
    assert calls.count("items") == 1
    assert calls.count("webhook-id") == 1

    class Lying(dict[str, str]):
        """A dict by its storage; its ``items`` say something else, and they count."""

        def items(self) -> Any:
            return [(name, value) for name, value in super().items() if name != "webhook-id"]

    assert list(judge(hooks, [(BODY, Lying(GOOD[1]))])) == [Verdict.MISSING_HEADER]


def test_a_message_that_verifies_while_it_is_read(hooks: Any) -> None:
    """Re-entrance: a mapping may use the same verifier."""
    verifier = hooks.Verifier(SECRET)
    seen = []

    class Nested(UserDict[str, str]):
        def items(self) -> Any:
            seen.append(verifier.verify_batch([GOOD] * 20, now=NOW).valid)
            seen.append(bool(verifier.check(*GOOD, now=NOW)))
            return super().items()

    result = verifier.verify_batch([GOOD, (BODY, Nested(GOOD[1])), GOOD], now=NOW)
    assert result.valid == 3
    assert seen == [20, True]


def test_a_ring_that_changes_while_a_batch_is_read(hooks: Any) -> None:
    """A call in progress finishes on the snapshot it began with."""
    ring = hooks.Keyring({"a": SECRET, "b": SECRET})
    verifier = hooks.Verifier(ring)

    class Changing(UserDict[str, str]):
        def items(self) -> Any:
            ring.replace("a", secret(1))
            ring.remove_endpoint("b")
            return super().items()

    items = [GOOD, (BODY, Changing(GOOD[1])), GOOD, GOOD]
    endpoints = ["a", "a", "a", "b"]
    result = verifier.verify_batch(items, endpoint=endpoints, now=NOW)
    assert result.valid == 4
    assert result.by_secret() == {("a", "0"): 3, ("b", "0"): 1}
    after = verifier.verify_batch([GOOD, GOOD], endpoint=["a", "b"], now=NOW)
    assert list(after) == [Verdict.SIGNATURE_MISMATCH, Verdict.UNKNOWN_ENDPOINT]


def test_a_batch_lets_its_messages_go(hooks: Any) -> None:
    """With ``keep=False`` nothing of a message is held, and no cycle keeps it."""

    class Held:
        def __init__(self) -> None:
            self.body, self.headers = GOOD

    items = [Held() for _ in range(3)]
    watching = [weakref.ref(item) for item in items]
    result = judge(hooks, items, keep=False)
    del items
    assert [ref() for ref in watching] == [None] * 3
    assert result.valid == 3


def test_an_unsigned_verifier_reads_items_too(hooks: Any) -> None:
    with pytest.warns(UserWarning, match="accepts every message"):
        verifier = hooks.Verifier.unsigned(reason="behind a VPN", max_body_bytes=30)
    items: list[Any] = [GOOD, (b"", {}), (b"x" * 31, {}), None, (b"", {5: ""}), ("\ud800", {})]
    result = verifier.verify_batch([*items, Message(b"", {}, endpoint="a")])
    no = Verdict.NOT_A_MESSAGE
    assert list(result) == [Verdict.VALID, Verdict.VALID, Verdict.TOO_LARGE, no, no, no, no]
    assert set(result.secrets) == {-1}
    assert result.by_secret() == {}
    assert repr(result) == "BatchResult(UNSIGNED, valid=2, invalid=5)"
    assert repr(result.verified(0)).startswith("Verified(UNSIGNED, scheme='unsigned', id=None")
