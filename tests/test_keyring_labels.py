"""Labels and windows of secrets: §7 of docs/strict-reading.md."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hookseal import Endpoint, SchemeError, SecretError, Verdict
from tests import oracle
from tests.implementations import BODY, NOW, SECRET, key, secret, signed
from tests.observation import calls


def labels_of(hooks: Any, *given: str | None) -> list[str]:
    secrets = [
        secret(number) if label is None else hooks.Secret(secret(number), label=label)
        for number, label in enumerate(given)
    ]
    labels: list[str] = hooks.Keyring({"a": secrets}).labels("a")
    return labels


# Labels.


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([None], ["0"]),
        ([None, None, None], ["0", "1", "2"]),
        (["x", None, "y", None], ["x", "0", "y", "1"]),
        # Given labels are reserved first; a number that is given moves the counter past itself.
        ([None, "5", None], ["0", "5", "6"]),
        ([None, "0", None], ["1", "0", "2"]),
        (["1", None, None], ["1", "2", "3"]),
        ([None, None, "0"], ["1", "2", "0"]),
        (["0", None, "1", None], ["0", "2", "1", "3"]),
        # What only looks like a number of ours.
        (["05", None], ["05", "0"]),
        (["٣", None], None),
        (["999999999", None], ["999999999", "1000000000"]),
        (["1000000000", None], ["1000000000", "0"]),
        (["-1", None], ["-1", "0"]),
        (["5 ", None], ["5 ", "0"]),
    ],
)
def test_labels(hooks: Any, given: list[str | None], expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(SecretError):
            labels_of(hooks, *given)
    else:
        assert labels_of(hooks, *given) == expected


@pytest.mark.parametrize("label", ["", "x" * 65, "é", "a\n", "\x7f", "\0", "\ud800", "٣"])
def test_what_is_no_label(hooks: Any, label: str) -> None:
    for make in (hooks.Secret, hooks.Secret.from_text):
        with pytest.raises(SecretError, match="1 to 64 characters of printable ASCII"):
            make("k", label=label)
    with pytest.raises(SecretError, match="1 to 64 characters of printable ASCII"):
        hooks.Secret.generate(label=label)


def test_labels_at_the_edge(hooks: Any) -> None:
    for label in ("x", " ", "x" * 64, "a b", "~", "'\""):
        assert hooks.Secret("k", label=label).label == label
    for wrong in (5, b"x", True, ["x"]):
        with pytest.raises(TypeError):
            hooks.Secret("k", label=wrong)


def test_a_label_twice(hooks: Any) -> None:
    with pytest.raises(SecretError, match="label"):
        labels_of(hooks, "x", "x")
    ring = hooks.Keyring({"a": hooks.Secret(secret(0), label="x"), "b": secret(0)})
    with pytest.raises(SecretError, match="label"):
        ring.rotate("a", hooks.Secret(secret(1), label="x"))
    assert ring.rotate("b", hooks.Secret(secret(1), label="x")) == "x"


def test_a_number_is_never_given_twice(hooks: Any) -> None:
    """Not after rotate, replace and remove: a log of last year still means the same secret."""
    ring = hooks.Keyring({"a": secret(0)})
    assert ring.rotate("a", secret(1)) == "1"
    assert ring.rotate("a", secret(2)) == "2"
    assert ring.labels("a") == ["2", "1", "0"]
    ring.remove("a", "2")
    assert ring.rotate("a", secret(2)) == "3"
    ring.replace("a", [secret(4), secret(5)])
    assert ring.labels("a") == ["4", "5"]
    ring.replace("a", Endpoint(secret(6), scheme="github"))
    assert ring.labels("a") == ["6"]
    assert ring.rotate("a", hooks.Secret("k", label="9")) == "9"
    assert ring.rotate("a", "j") == "10"
    # A new endpoint of the same name is a new endpoint.
    ring.remove_endpoint("a")
    ring.replace("a", secret(0))
    assert ring.labels("a") == ["0"]


def test_a_failed_change_counts_nothing(hooks: Any) -> None:
    ring = hooks.Keyring({"a": secret(0)})
    for change in calls(
        lambda: ring.rotate("a", secret(0)),
        lambda: ring.rotate("a", "whsec_"),
        lambda: ring.replace("a", [secret(1), secret(1)]),
        lambda: ring.replace("a", []),
        lambda: ring.replace("a", Endpoint(secret(1), scheme="no-such")),
        lambda: ring.replace("a", Endpoint(secret(1), scheme="github", tolerance=5)),
    ):
        with pytest.raises((SecretError, SchemeError)):
            change()
        assert ring.labels("a") == ["0"]
    assert ring.rotate("a", secret(1)) == "1"


# Windows.


def test_a_window_is_judged_at_the_instant_of_judgement(hooks: Any) -> None:
    """Never at a time the message states: else a leaked, retired secret dates itself back."""
    retired = hooks.Secret(secret(0), not_after=NOW)
    verifier = hooks.Verifier([retired, secret(1)], tolerance="off")
    back_dated = signed(key=key(0), timestamp=NOW - 100)
    assert verifier.check(BODY, back_dated, now=NOW) is Verdict.SIGNATURE_MISMATCH
    assert verifier.check(BODY, back_dated, now=NOW - 1)
    assert verifier.check(BODY, back_dated, received_at=NOW - 1, now=NOW + 9)
    assert not verifier.check(BODY, back_dated, received_at=NOW, now=NOW - 9)


@pytest.mark.parametrize(
    ("window", "live"),
    [
        ({}, [True] * 5),
        ({"not_before": NOW}, [False, False, True, True, True]),
        ({"not_after": NOW}, [True, True, False, False, False]),
        ({"not_before": NOW - 1, "not_after": NOW + 1}, [False, True, True, False, False]),
        ({"not_before": NOW + 0.9}, [False, False, True, True, True]),
        ({"not_after": datetime.fromtimestamp(NOW, UTC)}, [True, True, False, False, False]),
    ],
)
def test_edges_of_a_window(hooks: Any, window: dict[str, Any], live: list[bool]) -> None:
    verifier = hooks.Verifier(hooks.Secret("key", **window), scheme="github")
    headers = {"x-hub-signature-256": oracle.sha256(b"key", BODY)}
    seen = [bool(verifier.check(BODY, headers, now=NOW + step)) for step in range(-2, 3)]
    assert seen == live
    result = verifier.verify_batch(
        [(BODY, headers)] * 5, received_at=[NOW + s for s in range(-2, 3)]
    )
    assert [bool(verdict) for verdict in result] == live


def test_no_secret_is_live(hooks: Any) -> None:
    verifier = hooks.Verifier(hooks.Secret("key", not_after=NOW), scheme="github")
    headers = {"x-hub-signature-256": oracle.sha256(b"key", BODY)}
    assert verifier.check(BODY, headers, now=NOW) is Verdict.SIGNATURE_MISMATCH
    signer = hooks.Signer(hooks.Secret("key", not_after=NOW), scheme="github")
    with pytest.raises(SecretError, match="live"):
        _at(signer, NOW)
    token = hooks.Signer(hooks.Secret("key", not_before=NOW), scheme="shared-token")
    with pytest.raises(SecretError, match="live"):
        _at(token, NOW - 1)
    assert _at(token, NOW) == {"x-webhook-secret": "key"}


def _at(signer: Any, at: int) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: float(at))
        return signer.sign(BODY)


@pytest.mark.parametrize(
    "window", [{"not_before": 5, "not_after": 5}, {"not_before": 5.9, "not_after": 5.2}]
)
def test_a_window_that_ends_before_it_begins(hooks: Any, window: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not_after must be later"):
        hooks.Secret("k", **window)
    first = hooks.Secret("k", not_before=window["not_before"])
    with pytest.raises(ValueError, match="not_after must be later"):
        hooks.Secret(first, not_after=window["not_after"])


def test_a_secret_of_a_secret(hooks: Any) -> None:
    """What is given here wins; what is not given stays."""
    first = hooks.Secret(SECRET, label="a", not_before=5, not_after=9)
    assert repr(hooks.Secret(first)) == repr(first)
    assert repr(hooks.Secret(first, label="b", not_after=8)) == (
        "Secret(label='b', not_before=5, not_after=8)"
    )
    hexed = hooks.Secret(hooks.Secret.from_hex("00ff"), label="hex")
    assert hexed.reveal() == b"\0\xff"
