"""What can be asked of a BatchResult."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

import hookseal
from hookseal import Endpoint, Message, Verdict, VerificationError
from tests.implementations import BODY, NOW, SECRET, key, secret, signed

V, M = Verdict.VALID, Verdict.SIGNATURE_MISMATCH
# Valid, mismatch, valid, not a message, too old, valid.
MESSAGES: list[Any] = [
    (BODY, signed()),
    (b"other", signed()),
    (BODY, signed(key=key(1), id="msg_2")),
    None,
    (BODY, signed(timestamp=NOW - 400)),
    ('{"é":1}', signed('{"é":1}'.encode())),
]
CODES = [V, M, V, Verdict.NOT_A_MESSAGE, Verdict.TOO_OLD, V]


@pytest.fixture
def verifier(hooks: Any) -> Any:
    return hooks.Verifier([SECRET, hooks.Secret(secret(1), label="next"), secret(2)])


@pytest.fixture
def result(verifier: Any) -> Any:
    return verifier.verify_batch(MESSAGES, now=NOW)


def test_codes_and_secrets(result: Any) -> None:
    for view, values in ((result.codes, CODES), (result.secrets, [0, -1, 1, -1, -1, 0])):
        assert type(view) is memoryview
        assert (view.format, view.readonly, view.itemsize, view.ndim) == ("b", True, 1, 1)
        assert view.tolist() == values
        with pytest.raises(TypeError):
            view[0] = 1
        column = np.asarray(view)
        assert column.dtype == np.int8
        assert not column.flags.writeable
        assert column.tolist() == values


def test_views_outlive_the_result(verifier: Any) -> None:
    codes = verifier.verify_batch(MESSAGES, now=NOW).codes
    bytearray(10_000)
    assert codes.tolist() == CODES


def test_counts(result: Any) -> None:
    assert (result.valid, result.invalid, len(result)) == (3, 3, 6)
    counts = result.counts()
    assert list(counts.items()) == [
        (Verdict.VALID, 3),
        (Verdict.NOT_A_MESSAGE, 1),
        (Verdict.TOO_OLD, 1),
        (Verdict.SIGNATURE_MISMATCH, 1),
    ]
    assert all(type(verdict) is Verdict for verdict in counts)
    assert result.valid_indices() == [0, 2, 5]
    assert result.invalid_indices() == [1, 3, 4]


def test_by_secret_counts_zeros(result: Any) -> None:
    assert list(result.by_secret().items()) == [("0", 2), ("next", 1), ("1", 0)]


def test_by_secret_of_nothing(verifier: Any) -> None:
    """A verifier without a ring is always one endpoint."""
    assert verifier.verify_batch([]).by_secret() == {"0": 0, "next": 0, "1": 0}


def test_by_secret_of_a_ring(hooks: Any) -> None:
    """Endpoints in the order of first appearance; those that no message named are not there."""
    ring = hooks.Keyring({"a": [SECRET, secret(1)], "b": secret(2), "c": secret(3)})
    good = (BODY, signed())
    endpoints = ["b", "zz", "a", "b", None, "a"]
    result = hooks.Verifier(ring).verify_batch([good] * 6, endpoint=endpoints, now=NOW)
    assert list(result.by_secret().items()) == [(("b", "0"), 0), (("a", "0"), 2), (("a", "1"), 0)]
    assert hooks.Verifier(ring).verify_batch([], now=NOW).by_secret() == {}


def test_by_secret_where_nothing_is_a_message(hooks: Any) -> None:
    """An endpoint that was named for items that are no messages had none."""
    verifier = hooks.Verifier(hooks.Keyring({"a": SECRET}))
    wrong = (BODY, {**signed(), "webhook-id": 5})
    for count in (1, 30):
        result = verifier.verify_batch([wrong] * count, endpoint="a", now=NOW)
        assert result.counts() == {Verdict.NOT_A_MESSAGE: count}
        assert result.by_secret() == {}
        result = verifier.verify_batch([wrong] * count + [(BODY, {})], endpoint="a", now=NOW)
        assert result.by_secret() == {("a", "0"): 0}


def test_by_secret_with_windows(hooks: Any) -> None:
    """A secret with a window is there if it was live for at least one of the messages."""
    given = [
        hooks.Secret(secret(0), label="past", not_after=NOW - 100),
        hooks.Secret(secret(1), label="now", not_before=NOW, not_after=NOW + 1),
        hooks.Secret(secret(2), label="future", not_before=NOW + 1),
        secret(3),
    ]
    verifier = hooks.Verifier(given, tolerance="off")
    good = (BODY, signed(key=key(1)))
    assert verifier.verify_batch([], now=NOW).by_secret() == {"0": 0}
    result = verifier.verify_batch([good], now=NOW)
    assert list(result.by_secret().items()) == [("now", 1), ("0", 0)]
    assert list(verifier.verify_batch([good], now=NOW + 1)) == [M]
    later = verifier.verify_batch([good, good], received_at=[NOW - 101, NOW])
    assert list(later.by_secret().items()) == [("past", 0), ("now", 1), ("0", 0)]
    # Also where the message is refused before a secret is tried.
    refused = verifier.verify_batch([(BODY, {})], now=NOW + 5)
    assert list(refused.by_secret().items()) == [("future", 0), ("0", 0)]


def test_a_rotation_is_seen(hooks: Any) -> None:
    """The zero is the evidence: nobody signs with the old secret any more."""
    ring = hooks.Keyring({"a": hooks.Secret(secret(0), label="old")})
    ring.rotate("a", hooks.Secret(secret(1), label="new"), overlap=timedelta(hours=1), now=NOW)
    verifier = hooks.Verifier(ring)
    before = [(BODY, signed(key=key(0)))] * 3
    after = [(BODY, signed(key=key(1)))] * 3
    mixed = verifier.verify_batch([*before, *after], endpoint="a", now=NOW)
    assert mixed.by_secret() == {("a", "new"): 3, ("a", "old"): 3}
    assert verifier.verify_batch(after, endpoint="a", now=NOW).by_secret()["a", "old"] == 0
    at = NOW + 3600
    gone = verifier.verify_batch([(BODY, signed(key=key(0), timestamp=at))], endpoint="a", now=at)
    assert list(gone) == [M]
    assert gone.by_secret() == {("a", "new"): 0}


def test_verified(result: Any) -> None:
    proof = result.verified(2)
    assert (proof.id, proof.timestamp, proof.secret, proof.endpoint) == ("msg_2", NOW, "next", None)
    assert (proof.scheme, proof.fresh) == ("standard-webhooks", True)
    assert proof.covers == {"body", "id", "timestamp"}
    assert proof.json() == {"type": "invoice.paid"}
    assert result.verified(5).body == '{"é":1}'.encode()
    assert result.verified(-1).body == '{"é":1}'.encode()
    assert type(result.verified(-1).body) is bytes


@pytest.mark.parametrize("index", [1, 3, 4, -2, -5])
def test_verified_of_a_refused_message(result: Any, index: int) -> None:
    for _ in range(2):
        with pytest.raises(VerificationError) as caught:
            result.verified(index)
        assert caught.value.verdict is CODES[index]


def test_a_verified_message_in_a_ring(hooks: Any) -> None:
    ring = hooks.Keyring({"a": secret(0), "é": Endpoint(secret(1), tolerance="off")})
    messages = [
        Message(BODY, signed(key=key(0)), endpoint="a"),
        Message(BODY, signed(key=key(1), timestamp=5), endpoint="é"),
    ]
    result = hooks.Verifier(ring).verify_batch(messages, now=NOW)
    assert [proof.endpoint for _, proof in result.accepted()] == ["a", "é"]
    assert [proof.fresh for _, proof in result.accepted()] == [True, False]
    assert repr(result.verified(1)) == (
        "Verified(scheme='standard-webhooks', id='msg_1', timestamp=5, secret='0',"
        " endpoint='é', fresh=False)"
    )


def test_accepted(result: Any) -> None:
    accepted = result.accepted()
    assert iter(accepted) is iter(accepted)
    assert [(index, proof.id) for index, proof in accepted] == [
        (0, "msg_1"),
        (2, "msg_2"),
        (5, "msg_1"),
    ]
    assert list(accepted) == []
    assert len(list(result.accepted())) == 3


def test_partition(result: Any) -> None:
    good, bad = result.partition(MESSAGES)
    assert good == [MESSAGES[0], MESSAGES[2], MESSAGES[5]]
    assert bad == [MESSAGES[1], MESSAGES[3], MESSAGES[4]]
    assert result.partition(range(6)) == ([0, 2, 5], [1, 3, 4])
    assert type(good) is type(bad) is list


@pytest.mark.parametrize("messages", [[], MESSAGES[:5], [*MESSAGES, None]], ids=len)
def test_partition_of_another_length(result: Any, messages: Any) -> None:
    with pytest.raises(ValueError, match="messages"):
        result.partition(messages)


def test_raise_for_invalid(result: Any, verifier: Any) -> None:
    with pytest.raises(hookseal.SignatureMismatchError) as caught:
        result.raise_for_invalid()
    notes = " ".join(caught.value.__notes__)
    assert all(number in notes for number in ("1", "3", "6"))
    assert verifier.verify_batch(MESSAGES[:1], now=NOW).raise_for_invalid() is None
    assert verifier.verify_batch([]).raise_for_invalid() is None
    with pytest.raises(hookseal.NotAMessageError) as not_a_message:
        verifier.verify_batch([None]).raise_for_invalid()
    assert type(not_a_message.value.__cause__) is TypeError


def test_raise_for_invalid_does_not_pile_up_notes(result: Any) -> None:
    for _ in range(3):
        with pytest.raises(hookseal.SignatureMismatchError) as caught:
            result.raise_for_invalid()
        assert len(caught.value.__notes__) == 1


def test_a_sequence_of_verdicts(result: Any) -> None:
    assert list(result) == CODES
    assert [result[index] for index in range(-6, 6)] == CODES * 2
    assert all(type(verdict) is Verdict for verdict in result)
    for one in (slice(None), slice(1, 4), slice(None, None, -1), slice(10, 20), slice(-2, None, 3)):
        assert result[one] == CODES[one]
        assert type(result[one]) is list
    assert V in result
    assert list(reversed(result)) == CODES[::-1]
    assert result[np.int64(1)] is M


@pytest.mark.parametrize("index", [6, -7, 10**6, 2**63, -(2**63) - 1, 10**30])
def test_no_such_index(result: Any, index: int) -> None:
    with pytest.raises(IndexError):
        result[index]
    with pytest.raises(IndexError):
        result.verified(index)


@pytest.mark.parametrize("index", ["0", 1.0, None, (0,)], ids=repr)
def test_what_is_no_index(result: Any, index: Any) -> None:
    with pytest.raises(TypeError):
        result[index]
    with pytest.raises(TypeError):
        result.verified(index)


def test_neither_true_nor_false(result: Any) -> None:
    with pytest.raises(TypeError, match=r"truth|true"):
        bool(result)
    with pytest.raises(TypeError):
        assert not result


def test_errors_is_a_copy(result: Any) -> None:
    result.errors.clear()
    result.counts().clear()
    result.by_secret().clear()
    result.valid_indices().clear()
    assert list(result.errors) == [3]
    assert len(result.counts()) == 4
    assert len(result.by_secret()) == 3


def test_repr(result: Any) -> None:
    assert repr(result) == "BatchResult(valid=3, invalid=3)"


def test_keep_false(verifier: Any) -> None:
    """Verdicts as ever; what ``verified`` needs is not there."""
    result = verifier.verify_batch(MESSAGES, now=NOW, keep=False)
    assert list(result) == CODES
    assert result.secrets.tolist() == [0, -1, 1, -1, -1, 0]
    assert result.by_secret() == {"0": 2, "next": 1, "1": 0}
    assert list(result.errors) == [3]
    assert len(result.partition(MESSAGES)[0]) == 3
    for index in (0, 2, 5, -1):
        with pytest.raises(ValueError, match="keep=False") as caught:
            result.verified(index)
        assert type(caught.value) is ValueError
    for index in (1, 3, 4):
        with pytest.raises(VerificationError) as refused:
            result.verified(index)
        assert refused.value.verdict is CODES[index]
        assert not any(character.isdigit() for character in str(refused.value))
    with pytest.raises(hookseal.NotAMessageError) as not_a_message:
        result.verified(3)
    assert not_a_message.value.__cause__ is result.errors[3]
    with pytest.raises(ValueError, match="keep=False"):
        list(result.accepted())
    with pytest.raises(hookseal.SignatureMismatchError):
        result.raise_for_invalid()
    with pytest.raises(IndexError):
        result.verified(6)


def test_keep_false_says_so_whatever_was_accepted(verifier: Any) -> None:
    """``accepted`` of such a result is a mistake of the program, not of this batch."""
    with pytest.raises(ValueError, match="keep=False"):
        list(verifier.verify_batch(MESSAGES[1:2], now=NOW, keep=False).accepted())


def test_a_result_is_sealed(result: Any) -> None:
    for change in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            change(result)
    with pytest.raises(AttributeError):
        result.valid = 6
    with pytest.raises(TypeError):
        type(result)()
    with pytest.raises(TypeError):
        type(result).__new__(type(result))  # type: ignore[call-overload]


def test_json_of_a_body_that_is_none(hooks: Any) -> None:
    body = b"\xff{"
    proof = hooks.Verifier(SECRET).verify(body, signed(body), now=NOW)
    with pytest.raises(ValueError):  # noqa: PT011 - json's own
        proof.json()
    body = json.dumps({"n": [1, None]}).encode("utf-16")
    assert hooks.Verifier(SECRET).verify(body, signed(body), now=NOW).json() == {"n": [1, None]}
