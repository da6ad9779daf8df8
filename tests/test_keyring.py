"""Rings: §8 of docs/strict-reading.md."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from hookseal import Endpoint, SchemeError, SecretError, Verdict
from tests import oracle
from tests.implementations import BODY, NOW, SECRET, key, secret, signed
from tests.observation import calls

HOUR = timedelta(hours=1)


def test_endpoints(hooks: Any) -> None:
    ring = hooks.Keyring(MappingProxyType({"b": secret(0), "é": [secret(1)], "A": secret(0)}))
    assert ring.endpoints() == ["b", "é", "A"]
    assert len(ring) == 3
    for name, known in {"b": True, "é": True, "a": False, "": False, "\ud800": False}.items():
        assert (name in ring) is known
    assert 5 not in ring
    assert b"b" not in ring
    ring.replace("z", secret(2))
    ring.replace("b", secret(3))
    assert ring.endpoints() == ["b", "é", "A", "z"]
    ring.remove_endpoint("b")
    ring.replace("b", secret(3))
    assert ring.endpoints() == ["é", "A", "z", "b"]
    empty = hooks.Keyring()
    assert (len(empty), empty.endpoints(), empty.check()) == (0, [], [])
    assert hooks.Verifier(empty).check(BODY, signed(), endpoint="a", now=NOW) == 3


@pytest.mark.parametrize("name", [None, 5, b"a", ("a",)], ids=repr)
def test_names_of_no_type(hooks: Any, name: Any) -> None:
    ring = hooks.Keyring({"a": SECRET})
    for call in calls(
        lambda: hooks.Keyring({name: SECRET}),
        lambda: ring.replace(name, SECRET),
        lambda: ring.rotate(name, SECRET),
        lambda: ring.remove(name, "0"),
        lambda: ring.remove("a", name),
        lambda: ring.remove_endpoint(name),
        lambda: ring.labels(name),
    ):
        with pytest.raises(TypeError):
            call()
    assert ring.labels("a") == ["0"]


@pytest.mark.parametrize("name", ["", "\ud800", "a\udfff"], ids=repr)
def test_names_that_cannot_be(hooks: Any, name: str) -> None:
    ring = hooks.Keyring({"a": SECRET})
    with pytest.raises(ValueError, match="endpoint"):
        hooks.Keyring({name: SECRET})
    with pytest.raises(ValueError, match="endpoint"):
        ring.replace(name, SECRET)
    assert ring.endpoints() == ["a"]


@pytest.mark.parametrize("name", ["b", "A", "a ", "", "\ud800"], ids=repr)
def test_unknown_names_are_key_errors(hooks: Any, name: str) -> None:
    """Those that cannot be a name are unknown as well."""
    ring = hooks.Keyring({"a": SECRET})
    for call in calls(
        lambda: ring.rotate(name, secret(1)),
        lambda: ring.remove(name, "0"),
        lambda: ring.remove_endpoint(name),
        lambda: ring.labels(name),
        lambda: ring.remove("a", name),
    ):
        with pytest.raises(KeyError):
            call()
    assert ring.labels("a") == ["0"]
    assert hooks.Verifier(ring).check(BODY, signed(), endpoint=name, now=NOW) == 3


@pytest.mark.parametrize("count", [15, 16, 17, 18, 40])
def test_each_of_many_endpoints_is_found(hooks: Any, count: int) -> None:
    """More than a table's first slots have room for, and other names between."""
    ring = hooks.Keyring({f"e{number}": secret(number) for number in range(count)})
    numbers = [number * 7 % (count + 1) for number in range(3 * count)]
    result = hooks.Verifier(ring).verify_batch(
        [(BODY, signed(key=key(number))) for number in numbers],
        endpoint=[f"e{number}" for number in numbers],
        now=NOW,
    )
    expected = [Verdict.VALID if number < count else Verdict.UNKNOWN_ENDPOINT for number in numbers]
    assert list(result) == expected
    found = [proof.endpoint for _, proof in result.accepted()]
    assert found == [f"e{number}" for number in numbers if number < count]
    other = [f"e{(number + 1) % count}" for number in numbers]
    wrong = hooks.Verifier(ring).verify_batch(
        [(BODY, signed(key=key(number))) for number in numbers], endpoint=other, now=NOW
    )
    assert set(wrong) == {Verdict.SIGNATURE_MISMATCH}


def test_rotate(hooks: Any, clock: Any) -> None:
    ring = hooks.Keyring({"a": [secret(0), hooks.Secret(secret(1), not_after=NOW + 60)]})
    verifier = hooks.Verifier(ring)
    # Without an overlap the others stay as they are, and no clock is read.
    assert ring.rotate("a", hooks.Secret(secret(2), label="new")) == "new"
    assert clock.looks == 0
    assert ring.labels("a") == ["new", "0", "1"]
    assert ring.rotate("a", secret(3), overlap=HOUR) == "2"
    assert clock.looks == 1

    def live(at: int) -> list[bool]:
        messages = [(BODY, signed(key=key(number), timestamp=at)) for number in range(4)]
        result = verifier.verify_batch(messages, endpoint="a", now=at)
        return [bool(verdict) for verdict in result]

    assert live(NOW + 59) == [True, True, True, True]
    assert live(NOW + 60) == [True, False, True, True]
    assert live(NOW + 3599) == [True, False, True, True]
    assert live(NOW + 3600) == [False, False, False, True]


def test_an_overlap_shortens_and_never_lengthens(hooks: Any) -> None:
    ring = hooks.Keyring({"a": SECRET})
    ring.rotate("a", secret(1), overlap=timedelta(0), now=NOW)
    ring.rotate("a", secret(2), overlap=timedelta(days=9), now=NOW)
    verifier = hooks.Verifier(ring)
    assert not verifier.check(BODY, signed(), endpoint="a", now=NOW)
    assert verifier.check(BODY, signed(key=key(1)), endpoint="a", now=NOW)
    assert verifier.check(BODY, signed(timestamp=NOW - 1), endpoint="a", now=NOW - 1)


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ({"overlap": 3600}, TypeError),
        ({"overlap": 1.5}, TypeError),
        ({"overlap": np.timedelta64(1, "h")}, TypeError),
        ({"overlap": timedelta(seconds=-1)}, ValueError),
        ({"overlap": timedelta(microseconds=-1)}, ValueError),
        ({"overlap": timedelta.max}, ValueError),
        ({"overlap": HOUR, "now": "x"}, TypeError),
        ({"overlap": HOUR, "now": -1}, ValueError),
        ({"overlap": HOUR, "now": datetime(2026, 1, 1)}, TypeError),
        ({"now": -1}, ValueError),
    ],
    ids=repr,
)
def test_wrong_overlaps(hooks: Any, named: dict[str, Any], error: type) -> None:
    ring = hooks.Keyring({"a": SECRET})
    with pytest.raises(error):
        ring.rotate("a", secret(1), **named)
    assert ring.labels("a") == ["0"]


def test_overlaps_are_whole_seconds(hooks: Any) -> None:
    ring = hooks.Keyring({"a": SECRET})
    at = datetime.fromtimestamp(NOW, timezone(HOUR)) + timedelta(seconds=0.9)
    ring.rotate("a", secret(1), overlap=timedelta(seconds=10.9), now=at)
    verifier = hooks.Verifier(ring)
    assert verifier.check(BODY, signed(), endpoint="a", now=NOW + 9)
    assert not verifier.check(BODY, signed(), endpoint="a", now=NOW + 10)


def test_a_ninth_secret(hooks: Any) -> None:
    ring = hooks.Keyring({"a": [secret(number) for number in range(8)]})
    with pytest.raises(SecretError, match="8"):
        ring.rotate("a", secret(8))
    ring.remove("a", "3")
    assert ring.rotate("a", secret(8)) == "8"


def test_remove(hooks: Any) -> None:
    ring = hooks.Keyring({"a": [secret(0), secret(1)]})
    ring.remove("a", "0")
    assert ring.labels("a") == ["1"]
    with pytest.raises(SecretError, match="last"):
        ring.remove("a", "1")
    with pytest.raises(KeyError):
        ring.remove("a", "0")
    ring.remove_endpoint("a")
    assert "a" not in ring
    with pytest.raises(KeyError):
        ring.remove_endpoint("a")


def test_replace_keeps_what_an_endpoint_is(hooks: Any) -> None:
    """Bare secrets leave scheme and tolerance; an ``Endpoint`` replaces both."""
    ring = hooks.Keyring({"a": Endpoint(secret(0), tolerance="off")})
    verifier = hooks.Verifier(ring)
    old = signed(key=key(1), timestamp=5)
    ring.replace("a", secret(1))
    assert verifier.check(BODY, old, endpoint="a", now=NOW)
    ring.replace("a", Endpoint(secret(1)))
    assert verifier.check(BODY, old, endpoint="a", now=NOW) is Verdict.TOO_OLD
    ring.replace("a", Endpoint("text", scheme="github"))
    github = {"x-hub-signature-256": oracle.sha256(b"text", BODY)}
    assert verifier.verify(BODY, github, endpoint="a").scheme == "github"
    ring.replace("a", "other")
    github = {"x-hub-signature-256": oracle.sha256(b"other", BODY)}
    assert verifier.check(BODY, github, endpoint="a")
    ring.rotate("a", "third")
    assert verifier.check(BODY, github, endpoint="a")


def test_whose_window_counts(hooks: Any) -> None:
    """The endpoint's, else the verifier's, else the scheme's."""
    ring = hooks.Keyring(
        {
            "own": Endpoint(SECRET, tolerance=(50, 5)),
            "none": SECRET,
            "off": Endpoint(SECRET, tolerance="off"),
            "timeless": Endpoint("k", scheme="github"),
        }
    )
    for tolerance, edges in (
        (None, (50, 300, 10**8)),
        (9, (50, 9, 10**8)),
        ("off", (50, 10**8, 10**8)),
    ):
        verifier = hooks.Verifier(ring, tolerance=tolerance)
        for name, edge in zip(("own", "none", "off"), edges, strict=True):
            assert verifier.check(BODY, signed(timestamp=NOW - edge), endpoint=name, now=NOW)
            if edge < 10**8:
                late = verifier.check(
                    BODY, signed(timestamp=NOW - edge - 1), endpoint=name, now=NOW
                )
                assert late is Verdict.TOO_OLD
        headers = {"x-hub-signature-256": oracle.sha256(b"k", BODY)}
        assert not verifier.verify(BODY, headers, endpoint="timeless").fresh
    with pytest.raises(SchemeError):
        hooks.Keyring({"a": Endpoint("k", scheme="github", tolerance=5)})
    with pytest.raises(SchemeError):
        hooks.Keyring({"a": Endpoint("k", tolerance=5)}, scheme="github")
    assert hooks.Keyring({"a": Endpoint("k", scheme="github", tolerance="off")})


def test_rings_and_other_arguments(hooks: Any) -> None:
    ring = hooks.Keyring({"a": SECRET})
    with pytest.raises(TypeError, match="scheme"):
        hooks.Verifier(ring, scheme="github")
    with pytest.raises(TypeError):
        hooks.Verifier([ring])
    with pytest.raises(TypeError):
        hooks.Signer(ring)
    with pytest.raises(TypeError, match="endpoint"):
        hooks.Verifier(SECRET).check(BODY, signed(), endpoint="a")
    for wrong in ([("a", SECRET)], SECRET, None, 5, {"a"}):
        with pytest.raises(TypeError):
            hooks.Keyring(wrong)


def test_check(hooks: Any) -> None:
    """Endpoints in their order, secrets in theirs, then each key that an earlier endpoint has."""
    ring = hooks.Keyring(
        {
            "a": [secret(0), "whsec_AAAA"],
            "b": [hooks.Secret(secret(1), label="x"), secret(0)],
            "c": Endpoint("secret", scheme="github"),
            "d": [secret(1), b"secret"],
        }
    )
    found = [(one.endpoint, one.label, one.code) for one in ring.check()]
    assert found == [
        ("a", "1", "short"),
        ("a", "1", "low-variety"),
        ("a", "1", "repeated"),
        ("c", "0", "short"),
        ("c", "0", "low-variety"),
        ("c", "0", "common-word"),
        ("d", "1", "short"),
        ("d", "1", "low-variety"),
        ("d", "1", "common-word"),
        ("b", "0", "shared-key"),
        ("d", "0", "shared-key"),
        ("d", "1", "shared-key"),
    ]


def test_a_secret_that_enters_later_is_checked_too(hooks: Any) -> None:
    ring = hooks.Keyring({"a": secret(0), "b": secret(1)})
    assert ring.rotate("a", "whsec_AAAA") == "1"
    ring.replace("b", [secret(2), "whsec_AQEB"])
    assert [(one.endpoint, one.label, one.code) for one in ring.check()] == [
        ("a", "1", "short"),
        ("a", "1", "low-variety"),
        ("a", "1", "repeated"),
        ("b", "2", "short"),
        ("b", "2", "low-variety"),
        ("b", "2", "repeated"),
    ]
    ring.rotate("b", b"BBBB")
    assert {(one.endpoint, one.label) for one in ring.check()} == {
        ("a", "1"),
        ("b", "3"),
        ("b", "2"),
    }


def test_a_rotation_keeps_scheme_and_window(hooks: Any) -> None:
    """A leaked message is no fresher because a secret was added."""
    ring = hooks.Keyring({"a": Endpoint(secret(1), scheme="svix", tolerance=(10, 5))})
    verifier = hooks.Verifier(ring, tolerance=(1000, 1000))
    ring.rotate("a", secret(2), overlap=HOUR, now=NOW)
    for number in (1, 2):
        for at, verdict in [
            (NOW - 11, Verdict.TOO_OLD),
            (NOW - 10, Verdict.VALID),
            (NOW + 5, Verdict.VALID),
            (NOW + 6, Verdict.TOO_NEW),
        ]:
            headers = signed(key=key(number), timestamp=at)
            headers = {name.replace("webhook", "svix"): text for name, text in headers.items()}
            assert verifier.check(BODY, headers, endpoint="a", now=NOW) is verdict
