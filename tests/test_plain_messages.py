"""Most messages of a batch are read by ways of their own: they get what one alone gets."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

import hookseal
from hookseal import Message, Verdict
from tests.implementations import BODY, NOW, SECRET, key, secret, signed

# More than are judged one by one.
MANY = 40


GOOD = signed()


class Odd(Message):
    """A subclass may have attributes of its own, so it is asked for each."""


class Text(str):
    """Equal to its text, but not exact."""


PAIRS = list(GOOD.items())
OTHER = [("content-type", "application/json"), ("Host", "hooks.example.com")]
BROKEN = [(name, "!" if name == "webhook-signature" else value) for name, value in PAIRS]

HEADERS: dict[str, Any] = {
    "dict": GOOD,
    "tuples": [*OTHER, *PAIRS],
    "lists": [[*pair] for pair in [*PAIRS, *OTHER]],
    "both": [[*PAIRS[0]], *PAIRS[1:]],
    "a tuple of tuples": tuple(PAIRS),
    "upper case": [(name.upper(), value) for name, value in PAIRS],
    "bytes": [(name.encode(), value.encode()) for name, value in PAIRS],
    "a subclass of str": [(Text(name), Text(value)) for name, value in PAIRS],
    "one twice": [*PAIRS, ("webhook-id", GOOD["webhook-id"])],
    "ambiguous": [*PAIRS, ("Webhook-Id", "msg_other")],
    "one of another family": [*PAIRS, ("svix-id", "msg_other")],
    "a missing one": PAIRS[1:],
    "no signature": BROKEN,
    "a name that is not UTF-8": [("\ud800", "a"), *PAIRS],
    "a value that is not UTF-8": [*PAIRS[1:], (PAIRS[0][0], "\ud800")],
    "another value that is not UTF-8": [*PAIRS, ("host", "\ud800")],
    "values in a list": [(name, [value]) for name, value in PAIRS],
    "a number": [*PAIRS[1:], (PAIRS[0][0], 5)],
    "another number": [*PAIRS, ("host", 5)],
    "a name that is a number": [*PAIRS, (5, "a")],
    "one": [*PAIRS, ("a",)],
    "one in a list": [*PAIRS, ["a"]],
    "three": [*PAIRS, ("host", "a", "b")],
    "three in a list": [*PAIRS, ["host", "a", "b"]],
    "none": [*PAIRS, None],
    "text": "webhook-id",
    "empty": [],
}


def judged(result: Any) -> Any:
    errors = {index: (type(error), str(error)) for index, error in result.errors.items()}
    kept = [
        (proof.body, proof.id, proof.timestamp, proof.endpoint) for _, proof in result.accepted()
    ]
    return list(result), list(result.secrets), errors, kept


def many(alone: Any) -> Any:
    verdicts, secrets, errors, kept = alone
    return (
        verdicts * MANY,
        secrets * MANY,
        {index: error for index in range(MANY) for error in errors.values()},
        kept * MANY,
    )


@pytest.mark.parametrize("shape", HEADERS)
def test_headers(hooks: Any, shape: str) -> None:
    headers = HEADERS[shape]
    verify_batch = hooks.Verifier(SECRET, scheme="svix").verify_batch
    for make in (Message, Odd, lambda *parts: parts):
        alone = judged(verify_batch([make(BODY, headers)], now=NOW))
        assert judged(verify_batch([make(BODY, headers)] * MANY, now=NOW)) == many(alone)


@pytest.mark.parametrize("shape", ["dict", "tuples", "lists", "both", "upper case"])
def test_good_headers_are_good(hooks: Any, shape: str) -> None:
    result = hooks.Verifier(SECRET).verify_batch([(BODY, HEADERS[shape])] * MANY, now=NOW)
    assert set(result) == {Verdict.VALID}


ENDPOINTS = ["a", Text("a"), "b", "\ud800", "", None]
INSTANTS = [None, NOW, float(NOW), NOW - 9_000, datetime.fromtimestamp(NOW, UTC)]


@pytest.mark.parametrize("endpoint", ["a", None])
def test_what_messages_state(hooks: Any, endpoint: str | None) -> None:
    """Each by itself, and all of them in one batch, in both orders."""
    verifier = hooks.Verifier(hooks.Keyring({"a": SECRET}))
    stated: list[dict[str, Any]] = [
        {"endpoint": name, "received_at": at} for name, at in product(ENDPOINTS, INSTANTS)
    ]
    for make in (Message, Odd):
        items = [make(BODY, GOOD, **named) for named in stated]
        alone = [judged(verifier.verify_batch([it], endpoint=endpoint, now=NOW)) for it in items]
        expected = [verdicts[0] for verdicts, *_ in alone]
        assert list(verifier.verify_batch(items, endpoint=endpoint, now=NOW)) == expected
        turned = list(verifier.verify_batch(items[::-1], endpoint=endpoint, now=NOW))
        assert turned == expected[::-1]
        assert Verdict.VALID in expected
        for item, one in zip(items, alone, strict=True):
            several = verifier.verify_batch([item] * MANY, endpoint=endpoint, now=NOW)
            assert judged(several) == many(one)


# The first three begin and end with the same eight bytes; the last differs in its first eight.
ALIKE = [
    "tenant-a-eu-hooks/one",
    "tenant-a-us-hooks/one",
    "tenant-a-hooks/one",
    "tenant-b-hooks/one",
]


def test_endpoints_whose_names_are_alike(hooks: Any) -> None:
    """Each finds its own secrets, whichever of them was found before."""
    ring = hooks.Keyring({name: secret(number) for number, name in enumerate(ALIKE)})
    verifier = hooks.Verifier(ring)
    unknown = ["tenant-a-xx-hooks/one", "tenant-aooks/one", "tenant-a", "\ud800ant-a-hooks/one"]
    rows = [
        (Message(BODY, signed(key=key(number)), endpoint=name), name, number)
        for name in (*ALIKE, *unknown)
        for number in range(len(ALIKE))
    ]
    expected = [
        Verdict.UNKNOWN_ENDPOINT
        if name in unknown
        else (Verdict.VALID if name == ALIKE[number] else Verdict.SIGNATURE_MISMATCH)
        for _, name, number in rows
    ]
    for step in (1, 3, 5, 7):
        order = [at * step % len(rows) for at in range(4 * len(rows))]
        result = verifier.verify_batch([rows[at][0] for at in order], now=NOW)
        assert list(result) == [expected[at] for at in order]
        assert [proof.endpoint for _, proof in result.accepted()] == [
            rows[at][1] for at in order if expected[at] is Verdict.VALID
        ]


@pytest.mark.parametrize("shape", ["dict", "lists", "one twice", "one of another family"])
@pytest.mark.parametrize("count", [1, MANY])
def test_what_is_refused_is_let_go(shape: str, count: int) -> None:
    """A result holds the body and the id of what is good, and of nothing else."""
    verifier = hookseal.Verifier(SECRET, scheme="svix")
    for is_good in (True, False):
        # Made here: what stands in the program's text is held by others, too.
        id = str(b"msg_1", "ascii")
        body = bytes(bytearray(BODY if is_good else BODY + b" "))
        given = HEADERS[shape].items() if shape == "dict" else HEADERS[shape]
        headers: Any = [[name, id if value == "msg_1" else value] for name, value in given]
        headers = dict(headers) if shape == "dict" else headers
        messages = [(body, headers)] * count
        before = sys.getrefcount(id), sys.getrefcount(body)
        result = verifier.verify_batch(messages, now=NOW)
        after = sys.getrefcount(id), sys.getrefcount(body)
        held = count if is_good else 0
        assert (result.valid, after) == (held, (before[0] + held, before[1] + held))


def test_groups_of_every_mixture(hooks: Any) -> None:
    """What lies ahead of a group is asked for by what is in it: pairs, `Message`s, some of both."""
    verifier = hooks.Verifier(hooks.Keyring({"a": SECRET, "b": secret(1)}))
    numbers = random.Random(16)
    makes: list[Any] = [
        lambda at: (BODY, signed(id=f"msg_{at}")),
        lambda at: Message(BODY, signed(id=f"msg_{at}"), endpoint="a"),
        lambda at: Message(BODY, signed(id=f"msg_{at}", key=key(1)), endpoint="b"),
        lambda at: Odd(BODY, signed(id=f"msg_{at}"), endpoint="b"),
        lambda at: Message(b"", signed(id=f"msg_{at}")),
        lambda at: at,
    ]
    items: list[Any] = []
    while len(items) < 600:
        # Groups have sixteen; runs of one kind begin and end anywhere.
        make = numbers.choice(makes)
        items += [make(len(items) + at) for at in range(numbers.choice([1, 7, 16, 33, 50]))]
    result = verifier.verify_batch(items, endpoint="a", now=NOW)
    alone = [verifier.verify_batch([item], endpoint="a", now=NOW) for item in items]
    assert list(result) == [verdict for one in alone for verdict in one]
    assert {*result} == {Verdict.VALID, Verdict.SIGNATURE_MISMATCH, Verdict.NOT_A_MESSAGE}
    assert [(at, proof.id, proof.endpoint) for at, proof in result.accepted()] == [
        (at, proof.id, proof.endpoint)
        for at, one in enumerate(alone)
        for _, proof in one.accepted()
    ]
