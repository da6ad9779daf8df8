"""Mistakes of the caller: the core and its twin raise the same class with the same words.

Each row is a name and a call that must fail, over an implementation. ``SECRET_TEXT`` stands in
every secret that a row gives: no text may hold it.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import copy
import pickle
import warnings
from collections import UserDict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pytest

import hookseal.pure
from hookseal import Endpoint, Message, Scheme, SchemeError, SecretError, VerificationError
from tests.implementations import BODY, NOW, SECRET, core, secret, signed, twin

pytest.importorskip("hookseal._core")

SECRET_TEXT: Final = "c4narySecret"
_BASE64: Final = "whsec_" + SECRET_TEXT  # 12 characters: nine bytes

Row = Callable[[Any], Any]

TOKEN: Final = "shared-token"
UNTIMED: Final = "github"
_HEX: Final = Scheme("hex-key", signature="x-s", format="{hex}", key="hex")
_TAIL_ID: Final = Scheme(
    "tail-id", signature="x-s", id="x-i", signed="{id}{body}", format="{hex}", ambiguous=True
)
_MIDDLE_ID: Final = Scheme(
    "middle-id", signature="x-s", id="x-i", signed="{body};{id}.", format="{hex}"
)


class Wrapped:
    """As pydantic's ``SecretStr``."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def get_secret_value(self) -> Any:
        return self.value


class Pairs(Mapping[Any, Any]):
    """A mapping whose ``items`` are what they are, names twice and all."""

    def __init__(self, *pairs: tuple[Any, Any]) -> None:
        self.pairs = pairs

    def __getitem__(self, name: Any) -> Any:
        return dict(self.pairs)[name]

    def __iter__(self) -> Iterator[Any]:
        return (name for name, _ in self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def items(self) -> Any:
        return self.pairs


def ring(h: Any, *secrets: Any) -> Any:
    return h.Keyring({"acme": list(secrets) or SECRET})


GOOD: Final = (BODY, signed())


def batch(h: Any, messages: Any = (GOOD,), **named: Any) -> Any:
    return h.Verifier(SECRET).verify_batch(messages, now=NOW, **named)


def ring_batch(h: Any, endpoint: Any, messages: Any = ((BODY, {}),)) -> Any:
    return h.Verifier(ring(h)).verify_batch(messages, endpoint=endpoint)


def columns(h: Any, **named: Any) -> Any:
    headers = [[value] for value in signed().values()]
    return h.Verifier(SECRET).verify_columns(*headers, [BODY], **{"now": NOW, **named})


def awaited(h: Any, **named: Any) -> Any:
    ours = h.Verifier(SECRET)
    return asyncio.run(ours.averify_batch([GOOD], **{"now": NOW, **named}))


def item_error(h: Any, item: Any) -> None:
    """What ``errors`` holds of an item that is no message."""
    raise batch(h, [item]).errors[0]


def check(h: Any, body: Any = BODY, headers: Any = None, **named: Any) -> Any:
    given = signed() if headers is None else headers
    return h.Verifier(SECRET).check(body, given, **{"now": NOW, **named})


def signer(h: Any, scheme: Any = "standard-webhooks") -> Any:
    return h.Signer(SECRET if scheme != TOKEN else "text", scheme=scheme)


def unsigned(h: Any, **named: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return h.Verifier.unsigned(**named)


def environment(value: str, made: Row) -> Row:
    def row(h: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("WORDS_SECRET", value)
            return made(h)

    return row


_LIVE_LATER: Final = {"not_before": NOW + 1}

_SECRETS: dict[str, Row] = {
    "no secret": lambda h: h.Secret(5),
    "a bytearray": lambda h: h.Secret(bytearray(b"k")),
    "the other's secret": lambda h: h.Verifier((twin if h is core() else core)().Secret("k")),
    "empty": lambda h: h.Secret(""),
    "empty bytes": lambda h: h.Secret(b""),
    "white space": lambda h: h.Secret(" \t\n\v\f\r"),
    "no UTF-8": lambda h: h.Secret(SECRET_TEXT + "\ud800"),
    "wrapped: empty": lambda h: h.Verifier(Wrapped("")),
    "wrapped: no secret": lambda h: h.Secret(Wrapped(None)),
    "wrapped: no UTF-8": lambda h: h.Secret(Wrapped("\ud800")),
    "wrapped: third": lambda h: h.Verifier([SECRET, secret(1), Wrapped(5)]),
    "wrapped: undecodable": lambda h: h.Verifier(Wrapped(SECRET_TEXT + "!")),
    "from_text: bytes": lambda h: h.Secret.from_text(b"k"),
    "from_text: empty": lambda h: h.Secret.from_text(""),
    "from_base64: bytes": lambda h: h.Secret.from_base64(b"k"),
    "from_base64: alphabet": lambda h: h.Secret.from_base64(SECRET_TEXT + "-_-_"),
    "from_base64: length": lambda h: h.Secret.from_base64(SECRET_TEXT + "A"),
    "from_base64: trailing bits": lambda h: h.Secret.from_base64(SECRET_TEXT + "AB=="),
    "from_base64: white space": lambda h: h.Secret.from_base64(SECRET_TEXT + "\n"),
    "from_base64: padding alone": lambda h: h.Secret.from_base64("===="),
    "from_base64: other white space": lambda h: h.Secret.from_base64(SECRET_TEXT + "\xa0"),
    "from_hex: odd": lambda h: h.Secret.from_hex("abc"),
    "from_hex: no digits": lambda h: h.Secret.from_hex(SECRET_TEXT),
    "from_hex: white space": lambda h: h.Secret.from_hex("ab cd"),
    "from_hex: None": lambda h: h.Secret.from_hex(None),
    "from_env: no name": lambda h: h.Secret.from_env(5),
    "from_env: not set": lambda h: h.Secret.from_env("WORDS_NO_SUCH"),
    "from_env: no name of any": lambda h: h.Secret.from_env("\ud800"),
    "from_env: empty": environment("", lambda h: h.Secret.from_env("WORDS_SECRET")),
    "from_env: blank": environment(" ", lambda h: h.Secret.from_env("WORDS_SECRET")),
    "label: no str": lambda h: h.Secret("k", label=5),
    "label: empty": lambda h: h.Secret("k", label=""),
    "label: long": lambda h: h.Secret("k", label="x" * 65),
    "label: surrogate": lambda h: h.Secret("k", label="\ud800"),
    "label before the window": lambda h: h.Secret("k", label="", not_before=-1),
    "not_before: early": lambda h: h.Secret("k", not_before=-1),
    "not_after: naive": lambda h: h.Secret("k", not_after=datetime(2026, 1, 1)),
    "window: empty": lambda h: h.Secret("k", not_before=2, not_after=2),
    "window: inherited": lambda h: h.Secret(h.Secret("k", not_before=2), not_after=1),
    "check: no scheme": lambda h: h.Secret("k").check(None),
    "check: unknown scheme": lambda h: h.Secret("k").check("standard-webhook"),
    "generate: None": lambda h: h.Secret.generate(None),
    "generate: unknown": lambda h: h.Secret.generate("no-such"),
}

_DECODING: dict[str, Row] = {
    "base64: white space": lambda h: h.Verifier(_BASE64 + " "),
    "base64: alphabet": lambda h: h.Verifier(_BASE64 + "????"),
    "base64: prefix twice": lambda h: h.Verifier("whsec_" + _BASE64),
    "base64: prefix alone": lambda h: h.Verifier("whsec_"),
    "base64: versioned": lambda h: h.Verifier("v1," + _BASE64),
    "base64: private key": lambda h: h.Verifier("whsk_" + SECRET_TEXT),
    "base64: public key": lambda h: h.Verifier("whpk_" + SECRET_TEXT),
    "base64: text as bytes": lambda h: h.Verifier(_BASE64.encode()),
    "token: no UTF-8": lambda h: h.Verifier(b"\xff" + SECRET_TEXT.encode(), scheme=TOKEN),
    "hex: no digits": lambda h: h.Verifier(SECRET_TEXT, scheme=_HEX),
    "second": lambda h: h.Verifier([SECRET, "!"]),
    "one in a list": lambda h: h.Verifier(["!"]),
    "no secret": lambda h: h.Verifier([]),
    "nine": lambda h: h.Verifier([secret(n) for n in range(9)]),
    "same key": lambda h: h.Verifier([SECRET, secret(1), SECRET]),
    "same key, other text": lambda h: h.Verifier(["k", b"k\0"], scheme=UNTIMED),
    "label twice": lambda h: h.Verifier(
        [h.Secret(secret(1), label="x"), h.Secret(secret(2), label="x")]
    ),
    "label before the key": lambda h: h.Verifier(
        [h.Secret(secret(1), label="x"), h.Secret("!", label="x")]
    ),
    "key before a later label": lambda h: h.Verifier(
        [h.Secret("!", label="x"), h.Secret(secret(2), label="x")]
    ),
    "a set": lambda h: h.Verifier({SECRET}),
    "a generator": lambda h: h.Verifier(iter([SECRET])),
    "a number in a tuple": lambda h: h.Verifier((SECRET, 5)),
}

_VERIFIERS: dict[str, Row] = {
    "scheme: number": lambda h: h.Verifier(SECRET, scheme=5),
    "scheme: unknown": lambda h: h.Verifier(SECRET, scheme="githob"),
    "scheme: with a ring": lambda h: h.Verifier(ring(h), scheme=UNTIMED),
    "tolerance: float": lambda h: h.Verifier(SECRET, tolerance=1.5),
    "tolerance: word": lambda h: h.Verifier(SECRET, tolerance="on"),
    "tolerance: large": lambda h: h.Verifier(SECRET, tolerance=10**7),
    "tolerance: untimed": lambda h: h.Verifier(SECRET, scheme=UNTIMED, tolerance=300),
    "max_body_bytes: bool": lambda h: h.Verifier(SECRET, max_body_bytes=True),
    "max_body_bytes: negative": lambda h: h.Verifier(SECRET, max_body_bytes=-1),
    "unsigned: no reason": lambda h: unsigned(h, reason=None),
    "unsigned: blank": lambda h: unsigned(h, reason=" "),
    "unsigned: limit": lambda h: unsigned(h, reason="x", max_body_bytes="1"),
    "endpoint without a ring": lambda h: check(h, endpoint="acme"),
    "endpoint: number": lambda h: h.Verifier(ring(h)).check(BODY, {}, endpoint=5),
    "body: None": lambda h: check(h, None),
    "body: items of two bytes": lambda h: check(h, memoryview(array.array("h", [1]))),
    "body: with gaps": lambda h: check(h, memoryview(b"abcd")[::2]),
    "headers: None": lambda h: h.Verifier(SECRET).check(BODY, None),
    "headers: text": lambda h: check(h, BODY, "a: b"),
    "headers: number": lambda h: check(h, BODY, 5),
    "headers: no pair": lambda h: check(h, BODY, [("a", "b"), "cd"]),
    "headers: three": lambda h: check(h, BODY, [("a", "b", "c")]),
    "headers: items of a number": lambda h: check(h, BODY, _Items(5)),
    "headers: name": lambda h: check(h, BODY, {5: "x"}),
    "headers: value": lambda h: check(h, BODY, {"Webhook-ID": 5}),
    "headers: None in a list": lambda h: check(h, BODY, {b"webhook-id": ["a", None]}),
    "headers: number in a list": lambda h: check(h, BODY, {b"webhook-id": ["a", 5]}),
    "received_at: text": lambda h: check(h, received_at="now"),
    "now: milliseconds": lambda h: check(h, now=NOW * 1000),
    "endpoint before received_at": lambda h: check(h, endpoint=5, received_at="now"),
    "received_at before now": lambda h: check(h, received_at="now", now="now"),
    "now before the body": lambda h: check(h, 5, now="now"),
}


class _Items:
    def __init__(self, items: Any) -> None:
        self._items = items

    def items(self) -> Any:
        return self._items


_RINGS: dict[str, Row] = {
    "endpoints: None": lambda h: h.Keyring(None),
    "endpoints: pairs": lambda h: h.Keyring([("acme", SECRET)]),
    "endpoints: items alone": lambda h: h.Keyring(_Items([("acme", SECRET)])),
    "endpoints: twice": lambda h: h.Keyring(Pairs(("acme", SECRET), ("acme", secret(1)))),
    "scheme: None": lambda h: h.Keyring(scheme=None),
    "name: number": lambda h: h.Keyring({5: SECRET}),
    "name: empty": lambda h: h.Keyring({"": SECRET}),
    "name: surrogate": lambda h: h.Keyring({"\ud800": SECRET}),
    "secret: alone": lambda h: h.Keyring({"acme": "!"}),
    "secret: None": lambda h: h.Keyring({"it's": None}),
    "secret: second": lambda h: h.Keyring({"acme": [SECRET, _BASE64 + "-"]}),
    "secret: same key": lambda h: h.Keyring({"acme": [SECRET, SECRET]}),
    "secret: none": lambda h: h.Keyring({"acme": []}),
    "secret: nine": lambda h: h.Keyring({"acme": [secret(n) for n in range(9)]}),
    "Endpoint: scheme": lambda h: h.Keyring({"acme": Endpoint(SECRET, scheme="no-such")}),
    "Endpoint: untimed": lambda h: h.Keyring(
        {"acme": Endpoint(SECRET, scheme=UNTIMED, tolerance=1)}
    ),
    "Endpoint: its scheme before its secret": lambda h: h.Keyring(
        {"acme": Endpoint(5, scheme="no-such")}
    ),
    "Endpoint: alone": lambda h: h.Keyring({"acme": Endpoint("!")}),
    "Endpoint: secret": lambda h: h.Keyring({"acme": Endpoint([SECRET, 5])}),
    "labels: unknown": lambda h: ring(h).labels("emca"),
    "labels: empty": lambda h: ring(h).labels(""),
    "labels: surrogate": lambda h: ring(h).labels("\ud800"),
    "labels: number": lambda h: ring(h).labels(5),
    "rotate: number": lambda h: ring(h).rotate(5, secret(1)),
    "rotate: unknown": lambda h: ring(h).rotate("emca", secret(1)),
    "rotate: secret": lambda h: ring(h).rotate("acme", "!"),
    "rotate: type": lambda h: ring(h).rotate("acme", [SECRET]),
    "rotate: wrapped": lambda h: ring(h).rotate("acme", Wrapped(b"")),
    "rotate: same key": lambda h: ring(h).rotate("acme", SECRET),
    "rotate: label": lambda h: ring(h).rotate("acme", h.Secret(secret(1), label="0")),
    "rotate: ninth": lambda h: ring(h, *map(secret, range(8))).rotate("acme", SECRET),
    "rotate: overlap": lambda h: ring(h).rotate("acme", secret(1), overlap=60),
    "rotate: overlap negative": lambda h: ring(h).rotate(
        "acme", secret(1), overlap=timedelta(-1), now=NOW
    ),
    "rotate: overlap long": lambda h: ring(h).rotate(
        "acme", secret(1), overlap=timedelta.max, now=NOW
    ),
    "rotate: now": lambda h: ring(h).rotate("acme", secret(1), now="now"),
    "replace: alone": lambda h: ring(h).replace("acme", "!"),
    "replace: second": lambda h: ring(h).replace("acme", [secret(1), 5]),
    "replace: none": lambda h: ring(h).replace("acme", []),
    "replace: name": lambda h: ring(h).replace("", SECRET),
    "replace: Endpoint": lambda h: ring(h).replace("acme", Endpoint(["!"])),
    "replace: Endpoint: alone": lambda h: ring(h).replace("acme", Endpoint("!")),
    "remove: number": lambda h: ring(h).remove(5, "0"),
    "remove: unknown endpoint": lambda h: ring(h).remove("emca", "0"),
    "remove: unknown label": lambda h: ring(h).remove("acme", "1"),
    "remove: odd label": lambda h: ring(h).remove("acme", "\ud800"),
    "remove: no label": lambda h: ring(h).remove("acme", None),
    "remove: last": lambda h: ring(h).remove("acme", "0"),
    "remove: unknown label before the last": lambda h: ring(h).remove("acme", "zero"),
    "remove_endpoint: unknown": lambda h: ring(h).remove_endpoint("it's"),
    "remove_endpoint: number": lambda h: ring(h).remove_endpoint(5),
}

_INSTANTS: dict[str, Any] = {
    "text": "now",
    "bytes": b"now",
    "a set": {NOW},
    "a dict": {0: NOW},
    "a generator": iter([NOW]),
    "an object": object(),
    "an element": [NOW, "now"],
    "an element early": [NOW, -1],
    "too few": [NOW],
    "buffer: bytes": memoryview(b"12"),
    "buffer: int32": np.array([NOW, NOW], dtype=np.int32),
    "buffer: other order": np.array([NOW, NOW], dtype=np.dtype(np.int64).newbyteorder()),
    "buffer: two rows": np.array([[NOW], [NOW]]),
    "buffer: too few": np.array([NOW]),
    "buffer: NaN": np.array([NOW, np.nan]),
    "buffer: early": array.array("q", [NOW, -1]),
    "buffer: a float alone": np.array(1.5),
}


def _received(given: Any) -> Row:
    return lambda h: batch(h, [GOOD] * 2, received_at=given)


def _timestamps(given: Any) -> Row:
    return lambda h: signer(h).sign_batch([b""] * 2, timestamps=given)


# What a call over many messages refuses, whichever it is.
_WRONG: dict[str, dict[str, Any]] = {
    "threads: none": {"threads": 0},
    "threads: float": {"threads": 1.0},
    "keep": {"keep": 1},
    "now": {"now": "now"},
    "received_at": {"received_at": "now"},
    "endpoint": {"endpoint": ["acme"]},
}


def _of_many(call: Callable[..., Any], named: dict[str, Any]) -> Row:
    return lambda h: call(h, **named)


_BATCHES: dict[str, Row] = {
    "messages: None": lambda h: batch(h, None),
    "messages: bytes": lambda h: batch(h, b"ab"),
    "messages: one message": lambda h: batch(h, {"body": BODY, "headers": {}}),
    "threads: none": lambda h: batch(h, threads=0),
    "threads: float": lambda h: batch(h, threads=1.0),
    "keep: number": lambda h: batch(h, keep=1),
    "keep: None": lambda h: batch(h, keep=None),
    "endpoint without a ring": lambda h: batch(h, endpoint=["acme"]),
    "endpoint: bytes": lambda h: ring_batch(h, b"acme"),
    "endpoint: number": lambda h: ring_batch(h, 5),
    "endpoint: element": lambda h: ring_batch(h, [b"acme"]),
    "endpoint: too many": lambda h: ring_batch(h, ["acme"] * 2),
    "item: None": lambda h: item_error(h, None),
    "item: one": lambda h: item_error(h, (BODY,)),
    "item: list": lambda h: item_error(h, [BODY, {}]),
    "item: mapping": lambda h: item_error(h, UserDict({"body": BODY})),
    "item: body": lambda h: item_error(h, (5, {})),
    "item: surrogate": lambda h: item_error(h, ("\ud800", {})),
    "item: headers": lambda h: item_error(h, (BODY, {5: ""})),
    "item: endpoint": lambda h: item_error(h, Message(BODY, {}, endpoint="acme")),
    "result: truth": lambda h: bool(batch(h)),
    "result: index": lambda h: batch(h)[1],
    "result: index from the end": lambda h: batch(h).verified(-2),
    "result: large index": lambda h: batch(h)[10**30],
    "result: no index": lambda h: batch(h)["0"],
    "result: verified of no index": lambda h: batch(h).verified(None),
    "result: partition": lambda h: batch(h).partition([]),
    "result: partition of nothing": lambda h: batch(h).partition(5),
    "result: not kept": lambda h: batch(h, keep=False).verified(0),
    "result: none accepted": lambda h: batch(h, [(b"", {})], keep=False).accepted(),
    "result: refused": lambda h: batch(h, [(b"", {})]).verified(0),
    "result: refused, not kept": lambda h: batch(h, [(b"", {})], keep=False).verified(0),
    "result: no message": lambda h: batch(h, [None]).verified(0),
    "result: no message, not kept": lambda h: batch(h, [None], keep=False).verified(0),
    "result: raise_for_invalid": lambda h: batch(h, [(b"", {}), 5]).raise_for_invalid(),
    **{f"received_at: {name}": _received(given) for name, given in _INSTANTS.items()},
    **{f"columns: {name}": _of_many(columns, named) for name, named in _WRONG.items()},
    **{f"awaited: {name}": _of_many(awaited, named) for name, named in _WRONG.items()},
}


def _token_later(h: Any) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: NOW)
        return h.Signer(h.Secret("text", **_LIVE_LATER), scheme=TOKEN).sign(b"")


_SIGNERS: dict[str, Row] = {
    "no secret": lambda h: h.Signer([]),
    "number": lambda h: h.Signer(5),
    "scheme: None": lambda h: h.Signer(SECRET, scheme=None),
    "two for one signature": lambda h: h.Signer(["a", "b"], scheme=UNTIMED),
    "token: control character": lambda h: h.Signer(SECRET_TEXT + "\n", scheme=TOKEN),
    "token: space": lambda h: h.Signer([" " + SECRET_TEXT], scheme=TOKEN),
    "none live": lambda h: h.Signer(h.Secret(SECRET, **_LIVE_LATER)).sign(b"", timestamp=NOW),
    "token: none live": _token_later,
    "body: None": lambda h: signer(h).sign(None),
    "body: surrogate": lambda h: signer(h).sign("\ud800"),
    "id: number": lambda h: signer(h).sign(b"", id=5),
    "id: empty": lambda h: signer(h).sign(b"", id=""),
    "id: full stop": lambda h: signer(h).sign(b"", id="a.b"),
    "id: space": lambda h: signer(h).sign(b"", id=" a"),
    "id: surrogate": lambda h: signer(h).sign(b"", id="\ud800"),
    "id: nothing forbidden": lambda h: signer(h, _TAIL_ID).sign(b"", id="é"),
    "id: two forbidden": lambda h: signer(h, _MIDDLE_ID).sign(b"", id="a;b"),
    "id: not signed": lambda h: signer(h, UNTIMED).sign(b"", id="a"),
    "timestamp: not signed": lambda h: signer(h, UNTIMED).sign(b"", timestamp=NOW),
    "timestamp: text": lambda h: signer(h).sign(b"", timestamp="now"),
    "batch: bodies": lambda h: signer(h).sign_batch("ab"),
    "batch: body": lambda h: signer(h).sign_batch([b"", None]),
    "batch: surrogate": lambda h: signer(h).sign_batch([b"", "\ud800"]),
    "batch: ids": lambda h: signer(h).sign_batch([b""], ids="a"),
    "batch: too many ids": lambda h: signer(h).sign_batch([b""], ids=["a", "b"]),
    "batch: id": lambda h: signer(h).sign_batch([b""] * 2, ids=[None, 5]),
    "batch: id refused": lambda h: signer(h).sign_batch([b""] * 2, ids=[None, "."]),
    "batch: ids not signed": lambda h: signer(h, TOKEN).sign_batch([b""], ids=[None]),
    "batch: times not signed": lambda h: signer(h, TOKEN).sign_batch([b""], timestamps=NOW),
    **{f"timestamps: {name}": _timestamps(given) for name, given in _INSTANTS.items()},
}


_COPIES: dict[str, Row] = {
    "Secret": lambda h: copy.copy(h.Secret(SECRET)),
    "Keyring": lambda h: copy.deepcopy(ring(h)),
    "Verifier": lambda h: pickle.dumps(h.Verifier(SECRET)),
    "Signer": lambda h: pickle.dumps(signer(h), 0),
    "Verified": lambda h: pickle.dumps(batch(h).verified(0), 0),
    "BatchResult": lambda h: pickle.dumps(batch(h), 1),
}

_ALL: dict[str, Row] = {
    f"{part}: {name}": row
    for part, rows in {
        "Secret": _SECRETS,
        "secrets": _DECODING,
        "Verifier": _VERIFIERS,
        "Keyring": _RINGS,
        "batch": _BATCHES,
        "Signer": _SIGNERS,
        "a copy": _COPIES,
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
