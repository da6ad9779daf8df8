"""Mistakes of the caller where secrets, rings and verifiers are made.

Each row is a name and a call that must fail, over an implementation. ``SECRET_TEXT`` stands in
every secret that a row gives: no text may hold it.
"""

from __future__ import annotations

import array
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from hookseal import Endpoint, Scheme
from tests.implementations import BODY, NOW, SECRET, core, secret, signed, twin

SECRET_TEXT: Final = "c4narySecret"
_BASE64: Final = "whsec_" + SECRET_TEXT  # 12 characters: nine bytes

Row = Callable[[Any], Any]

TOKEN: Final = "shared-token"
UNTIMED: Final = "github"
_HEX: Final = Scheme("hex-key", signature="x-s", format="{hex}", key="hex")


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


class _Items:
    def __init__(self, items: Any) -> None:
        self._items = items

    def items(self) -> Any:
        return self._items


def ring(h: Any, *secrets: Any) -> Any:
    return h.Keyring({"acme": list(secrets) or SECRET})


def check(h: Any, body: Any = BODY, headers: Any = None, **named: Any) -> Any:
    given = signed() if headers is None else headers
    return h.Verifier(SECRET).check(body, given, **{"now": NOW, **named})


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


SECRETS: Final[dict[str, Row]] = {
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

DECODING: Final[dict[str, Row]] = {
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

VERIFIERS: Final[dict[str, Row]] = {
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


RINGS: Final[dict[str, Row]] = {
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
