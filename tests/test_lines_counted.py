"""Streams of JSON Lines: what was counted of endpoints, secrets and messages."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from hookseal import Endpoint, Verdict
from tests.conftest import Clock
from tests.implementations import NOW, SECRET, key, secret, signed
from tests.lines import FORGED, judge, judge_of, line, run


def test_endpoints_and_secrets(hooks: Any) -> None:
    ring = hooks.Keyring(
        {
            "a": [hooks.Secret(secret(1), label="new"), hooks.Secret(secret(2), label="old")],
            "b": secret(3),
            "c": [
                hooks.Secret("text", label="past", not_after=NOW),
                hooks.Secret("else", label="now", not_before=NOW, not_after=NOW + 10),
                hooks.Secret("more", label="next", not_before=NOW + 10),
            ],
            "unused": secret(4),
        }
    )
    ring.replace("c", Endpoint(hooks.Secret("text", label="k"), scheme="shared-token"))
    ring.rotate("c", hooks.Secret("next", label="n", not_before=NOW + 10))
    one = judge_of(hooks)(hooks.Verifier(ring), now=NOW, keep_rejects=True)
    # A ring that changes later is another ring.
    ring.remove_endpoint("a")
    rows = [
        line(endpoint="b", headers=signed(key=key(3))),
        line(endpoint="a", headers=signed(key=key(2)), received_at=NOW + 5),
        line(endpoint="nobody"),
        line(endpoint="a", headers=signed(key=key(2)), received_at=NOW - 5),
        line(endpoint="a", headers=FORGED, received_at=NOW + 7),
        line(endpoint="a", headers=signed(key=key(3))),
        line(endpoint="c", headers={"x-webhook-secret": "text"}, received_at=NOW + 1.5),
        line(endpoint="", headers={}),
        line(headers={}),
        line(endpoint="\0é", headers={}),
    ]
    refusals, rejected = run(one, b"\n".join(rows))
    with pytest.raises(hooks.UnknownEndpointError) as unknown:
        hooks.Verifier(ring).verify(b"", {}, endpoint="nobody")
    mismatch = "header 'webhook-signature' matches no live secret (2 tried)"
    assert refusals == [
        (3, Verdict.UNKNOWN_ENDPOINT, str(unknown.value), "nobody"),
        (6, Verdict.SIGNATURE_MISMATCH, mismatch, "a"),
        (8, Verdict.UNKNOWN_ENDPOINT, str(unknown.value), ""),
        (9, Verdict.UNKNOWN_ENDPOINT, str(unknown.value), None),
        (10, Verdict.UNKNOWN_ENDPOINT, str(unknown.value), "\0é"),
    ]
    assert rejected == b"\n".join(rows[row[0] - 1] for row in refusals)
    assert one.endpoints() == [("b", 1, 0), ("a", 3, 1), (None, 0, 4), ("c", 1, 0)]
    assert one.secrets() == [
        ("b", "0", 1, NOW, NOW),
        ("a", "new", 1, NOW + 7, NOW + 7),
        ("a", "old", 2, NOW - 5, NOW + 5),
        ("c", "k", 1, NOW + 1, NOW + 1),
    ]


def test_a_secret_with_a_window_counts_once_it_was_live(hooks: Any) -> None:
    verifier = hooks.Verifier(
        [
            hooks.Secret(secret(1), label="later", not_before=NOW + 10),
            hooks.Secret(SECRET, label="always"),
        ]
    )
    one = judge_of(hooks)(verifier, now=NOW)
    assert one.secrets() == [(None, "always", 0, None, None)]
    assert one.endpoints() == [(None, 0, 0)]
    one.feed(line() + b"\n")
    assert one.secrets() == [(None, "always", 1, NOW, NOW)]
    one.feed(line(received_at=NOW + 10) + b"\n")
    rows = [(None, "later", 0, None, None), (None, "always", 2, NOW, NOW + 10)]
    assert one.secrets() == rows


def test_unknown_endpoints_take_no_room(hooks: Any) -> None:
    """The names are the sender's: a million of them are one entry."""
    one = judge_of(hooks)(hooks.Verifier(hooks.Keyring({"a": SECRET})), now=NOW)
    one.feed(b"".join(line(endpoint=f"e{n}") + b"\n" for n in range(500)))
    assert one.endpoints() == [(None, 0, 500)]
    assert one.secrets() == []


def test_unsigned(hooks: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        verifier = hooks.Verifier.unsigned(reason="a test", max_body_bytes=4)
    one = judge_of(hooks)(verifier, now=NOW)
    refusals, _ = run(one, line(body="1234", headers={}) + b"\n" + line(body="12345", headers={}))
    with pytest.raises(hooks.TooLargeError) as refused:
        verifier.verify(b"12345", {})
    assert refusals == [(2, Verdict.TOO_LARGE, str(refused.value), None)]
    assert (one.endpoints(), one.secrets()) == ([(None, 1, 1)], [])


def test_the_clock_is_read_once(hooks: Any, clock: Clock) -> None:
    one = judge_of(hooks)(hooks.Verifier(SECRET))
    assert clock.looks == 1
    clock.now = NOW + 10_000
    one.feed(line() + b"\n")
    assert one.secrets() == [(None, "0", 1, NOW, NOW)]
    judge(hooks)
    assert clock.looks == 1
