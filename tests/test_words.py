"""Mistakes of the caller: the core and its twin raise the same class with the same words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

import hookseal.pure
from hookseal import Endpoint, Message, Scheme, SchemeError, SecretError, VerificationError
from tests.implementations import BODY, SECRET, core, twin
from tests.mistakes import DECODING, RINGS, SECRET_TEXT, SECRETS, VERIFIERS, Row
from tests.mistakes_calls import BATCHES, COPIES, GOOD, SIGNERS

pytest.importorskip("hookseal._core")

_ALL: dict[str, Row] = {
    f"{part}: {name}": row
    for part, rows in {
        "Secret": SECRETS,
        "secrets": DECODING,
        "Verifier": VERIFIERS,
        "Keyring": RINGS,
        "batch": BATCHES,
        "Signer": SIGNERS,
        "a copy": COPIES,
    }.items()
    for name, row in rows.items()
}


def words(h: Any, row: Row) -> tuple[type[Exception], str, list[str]]:
    """What a row raises: its class, its words, its notes."""
    try:
        row(h)
    except Exception as error:
        return type(error), str(error), getattr(error, "__notes__", [])
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("name", _ALL)
def test_one_set_of_words(name: str) -> None:
    ours, theirs = (words(h, _ALL[name]) for h in (core(), twin()))
    assert ours == theirs
    assert issubclass(ours[0], (TypeError, ValueError, KeyError, IndexError, VerificationError)), (
        ours
    )
    assert SECRET_TEXT not in ours[1]
    assert SECRET.removeprefix("whsec_") not in ours[1]


# The places, as they read.
_READS: dict[str, str] = {
    "Secret: empty": "the secret is empty: pass the secret that the provider shows",
    "Secret: no secret": (
        "the secret must be str, bytes, a Secret of this module, or an object with"
        " get_secret_value(), not int"
    ),
    "Secret: wrapped: empty": (
        "get_secret_value() of the secret is empty: pass the secret that the provider shows"
    ),
    "Secret: wrapped: third": "get_secret_value() of secrets[2] must be str or bytes, not int",
    "Secret: from_env: not set": "environment variable 'WORDS_NO_SUCH' is not set",
    "Secret: from_env: empty": (
        "environment variable 'WORDS_SECRET' is empty: pass the secret that the provider shows"
    ),
    "secrets: base64: white space": (
        "the secret holds white space, which no encoding has: pass it without, or"
        " Secret.from_text for a text key"
    ),
    "secrets: same key": "secrets[2] is the same key as another one of the endpoint",
    "secrets: nine": "secrets[8] is one too many: an endpoint has at most 8 secrets",
    "secrets: no secret": "secrets holds no secret: pass at least one",
    "secrets: one in a list": (
        "secrets[0] is not base64 (standard alphabet, zero trailing bits): pass the secret as"
        " the provider shows it, or Secret.from_text for a text key"
    ),
    "Keyring: secret: none": "endpoints['acme'] holds no secret: pass at least one",
    "Keyring: secret: same key": (
        "endpoints['acme'][1] is the same key as another one of the endpoint"
    ),
    "Keyring: secret: None": (
        'endpoints["it\'s"] must be str, bytes, a Secret of this module, or an object with'
        " get_secret_value(), not NoneType"
    ),
    "Keyring: rotate: ninth": "the new secret is one too many: an endpoint has at most 8 secrets",
    "Keyring: remove: last": (
        "endpoints['acme'] would lose its last secret: replace it, or remove the endpoint"
    ),
    "Keyring: labels: unknown": "\"the keyring has no endpoint 'emca'\"",
    "Keyring: remove: unknown label": "\"endpoint 'acme' has no secret labelled '1'\"",
    "Keyring: endpoints: twice": "endpoints names 'acme' twice",
    "Verifier: headers: three": "headers[0] must be a (name, value) tuple or list, not tuple of 3",
    "Verifier: headers: value": (
        "header 'webhook-id' must be str, bytes, a list or tuple of those, or None, not int"
    ),
    "batch: received_at: an element": (
        "received_at[1] must be Unix seconds or an aware datetime, not str"
    ),
    "batch: received_at: buffer: other order": (
        "received_at as a buffer must be one row of int64 or float64, in native order"
    ),
    "batch: result: no message": "this is not a message (TypeError)",
    "batch: keep: number": "keep must be True or False, not int",
    "Signer: batch: surrogate": ("bodies[1] cannot be encoded as UTF-8: it holds a lone surrogate"),
    "Signer: id: two forbidden": (
        "id must be 1 to 256 characters of printable ASCII, without white space at an end and"
        " without '.' or ';'"
    ),
    "Signer: none live": "the signer has no secret that is live at the time of signing",
}


@pytest.mark.parametrize("name", _READS)
def test_how_it_reads(name: str) -> None:
    assert words(core(), _ALL[name])[1] == _READS[name]


def test_classes() -> None:
    """One of each class where the class is what a handler asks for."""
    assert words(core(), _ALL["Secret: from_env: not set"])[0] is SecretError
    assert words(core(), _ALL["Signer: two for one signature"])[0] is SchemeError
    assert words(core(), _ALL["Keyring: endpoints: twice"])[0] is ValueError
    assert words(core(), _ALL["Keyring: labels: empty"])[0] is KeyError
    assert words(core(), _ALL["batch: result: large index"])[0] is IndexError


@pytest.mark.parametrize(
    "named",
    [{"threads": 0}, {"keep": 1}, {"now": "now"}, {"endpoint": "acme"}, {"endpoint": ["acme"]}],
    ids=repr,
)
def test_a_wrong_argument_loses_no_queue(named: dict[str, Any]) -> None:
    """What can be judged without the messages is judged before they are drained."""
    for hooks in (core(), twin()):
        queue = iter([GOOD])
        with pytest.raises((TypeError, ValueError)):
            hooks.Verifier(SECRET).verify_batch(queue, **named)
        assert next(queue)


def test_headers_are_read_before_they_are_judged() -> None:
    """A mapping or an iterable that is no exact dict is drained first."""
    for hooks in (core(), twin()):
        drawn: list[int] = []

        def pairs(drawn: list[int] = drawn) -> Iterator[Any]:
            for number in range(3):
                drawn.append(number)
                yield ("a", "b") if number else "no pair"

        with pytest.raises(TypeError, match=r"headers\[0\]"):
            hooks.Verifier(SECRET).check(BODY, pairs())
        assert drawn == [0, 1, 2]


def test_version_of_the_twin() -> None:
    assert hookseal.pure.__version__ == hookseal.__version__
    assert set(hookseal.pure.__all__) == set(hookseal.__all__)


def test_frozen_for_good() -> None:
    """The constructor called again changes nothing, and no state is handed out."""
    scheme = Scheme("mine", signature="x-s", format="{hex}")
    message = Message(BODY, {}, endpoint="acme")
    endpoint = Endpoint(SECRET, tolerance=5)
    finding = core().Secret("k").check()[0]
    for one, arguments in (
        (scheme, ("other",)),
        (message, (b"", {})),
        (endpoint, ("other",)),
        (finding, ("long",)),
    ):
        before = repr(one)
        with contextlib.suppress(TypeError, AttributeError):
            type(one).__init__(one, *arguments)
        assert repr(one) == before
    assert message.body == BODY
    with pytest.raises(TypeError):
        endpoint.__getstate__()
