"""The written differences: each row of the tables of docs/compat.md, as calls and as a predicate.

A row is of one of two kinds. REFUSED: the original lets it through, and we refuse. ANSWERED: the
original ends in an exception that its documentation does not know, and we answer. There is no
third kind: what an original refuses, no drop-in accepts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from tests.implementations import BODY, NOW
from tests.mirrors import WEBHOOKS, Call, headers, mac

REFUSED: Final = "refused"
ANSWERED: Final = "answered"


class Row(NamedTuple):
    """A difference that is meant.

    Attributes:
        name: What docs/compat.md calls it.
        kind: REFUSED or ANSWERED.
        functions: The calls that it is about.
        examples: Calls that show it.
        applies: Whether a call falls under it.
    """

    name: str
    kind: str
    functions: tuple[str, ...]
    examples: list[Call]
    applies: Callable[[dict[str, Any]], bool]


class Decodes:
    """Something that is no bytes and yet has ``decode``."""

    def decode(self) -> str:
        return BODY.decode()


# What the predicates ask of a call.


def _pairs(arguments: dict[str, Any]) -> list[tuple[Any, Any]]:
    items = getattr(arguments["headers"], "items", None)
    return [] if items is None else [pair for pair in items() if len(pair) == 2]


def _values(arguments: dict[str, Any], part: str) -> list[Any]:
    names = {f"webhook-{part}", f"svix-{part}"}
    return [
        value
        for name, value in _pairs(arguments)
        if isinstance(name, str) and name.lower() in names
    ]


def _every_value(arguments: dict[str, Any]) -> list[Any]:
    parts = ("id", "timestamp", "signature")
    return [value for part in parts for value in _values(arguments, part)]


def _texts(arguments: dict[str, Any], part: str) -> list[str]:
    return [value for value in _values(arguments, part) if isinstance(value, str)]


def trimmed(text: str) -> str:
    """The text without what HTTP drops around a value."""
    return text.strip(" \t")


def _plain_time(text: str) -> bool:
    return re.fullmatch("0|[1-9][0-9]{0,14}", trimmed(text)) is not None


def _pieces(arguments: dict[str, Any]) -> list[str]:
    return [piece for text in _texts(arguments, "signature") for piece in text.split(" ")]


_CANONICAL = re.compile("v1,[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


def is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bytes_are_utf8(data: Any) -> bool:
    try:
        bytes(data).decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_text_names(arguments: dict[str, Any]) -> bool:
    return all(isinstance(name, (str, bytes)) for name, _ in _pairs(arguments))


def call(function: str, fraction: float = 0.5, **arguments: Any) -> Call:
    return Call(function, arguments, fraction)


def _verify(function: str, data: Any = BODY, family: str = "webhook", **changed: Any) -> Call:
    signed = data if isinstance(data, bytes) else BODY
    given = headers(signed, family=family, **changed)
    return call(function, data=data, headers=given)


def _everywhere(make: Callable[[str], list[Call]]) -> list[Call]:
    return [call for function in WEBHOOKS for call in make(function)]


_NO_BODIES: Final[list[Any]] = [memoryview(BODY), {"a": 1}, None, 5, []]
_SVIX_NAMES: Final = {"svix-id", "svix-timestamp", "svix-signature"}

_OTHER_TIMES = [
    f"{NOW}.9",
    f"+{NOW}",
    f"0{NOW}",
    f"{NOW}\n",
    f"\u00a0{NOW}",
    "1_700_000_000",
    "1.7e9",
    "".join(chr(0x660 + int(digit)) for digit in str(NOW)),
]


def _time_examples(function: str) -> list[Call]:
    # Signed as the original renders what it read.
    good = headers(BODY)
    return [
        call(function, data=BODY, headers=good | {"webhook-timestamp": text})
        for text in _OTHER_TIMES
    ]


def _other_spelling(good: str) -> list[str]:
    return [good[:9] + "!" + good[9:], good[:5] + "\n" + good[5:], good + "=", good + "x"]


def _next_letter(good: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return good[:-2] + alphabet[alphabet.index(good[-2]) + 1] + "="


def _shifted(function: str) -> Call:
    cut = b"x.%d.y" % NOW
    whole = b"y.%d.%b" % (NOW, BODY)
    signature = mac(whole, "x")
    return call(
        function, data=BODY, headers=headers(BODY) | _three(cut.decode(), str(NOW), signature)
    )


def _three(id: Any, stamp: Any, signature: Any, family: str = "webhook") -> dict[Any, Any]:
    parts = {"id": id, "timestamp": stamp, "signature": signature}
    return {f"{family}-{part}": value for part, value in parts.items()}


class Items:
    """Headers as a multi-dict has them."""

    def __init__(self, pairs: list[tuple[Any, Any]]) -> None:
        self._pairs = pairs

    def items(self) -> list[tuple[Any, Any]]:
        return self._pairs

    def __repr__(self) -> str:
        return f"Items({self._pairs!r})"


VERIFY_ROWS: Final = [
    Row(
        "timestamp-spelling",
        REFUSED,
        WEBHOOKS,
        _everywhere(_time_examples),
        lambda a: any(not _plain_time(text) for text in _texts(a, "timestamp")),
    ),
    Row(
        "value-not-str",
        REFUSED,
        WEBHOOKS,
        _everywhere(
            lambda f: [
                _verify(f, timestamp=NOW),
                _verify(f, timestamp=float(NOW)),
                _verify(f, timestamp=str(NOW).encode()),
                call(f, data=BODY, headers=_three(5, str(NOW), mac(BODY, "5"))),
                call(f, data=BODY, headers=_three(b"a", str(NOW), mac(BODY, "b'a'"))),
            ]
        ),
        lambda a: any(value and not isinstance(value, str) for value in _every_value(a)),
    ),
    Row(
        "id-full-stop",
        REFUSED,
        WEBHOOKS,
        _everywhere(lambda f: [_shifted(f), call(f, data=BODY, headers=headers(BODY, id="msg.1"))]),
        lambda a: any("." in text for text in _texts(a, "id")),
    ),
    Row(
        "id-characters",
        REFUSED,
        WEBHOOKS,
        _everywhere(
            lambda f: [
                call(f, data=BODY, headers=headers(BODY, id=id))
                for id in ("é", "x" * 257, "a\x7fb", "a\nb", " a", "a\t", " ")
            ]
        ),
        lambda a: any(
            re.fullmatch("[ -~]{1,256}", text) is None or trimmed(text) != text
            for text in _texts(a, "id")
        ),
    ),
    Row(
        "base64-spelling",
        REFUSED,
        WEBHOOKS,
        _everywhere(
            lambda f: [
                _verify(f, signature=text)
                for text in (*_other_spelling(mac(BODY)), _next_letter(mac(BODY)))
            ]
        ),
        lambda a: any(
            piece.startswith("v1,") and _CANONICAL.fullmatch(piece) is None for piece in _pieces(a)
        ),
    ),
    Row(
        "two-values",
        REFUSED,
        WEBHOOKS,
        _everywhere(
            lambda f: (
                [
                    call(f, data=BODY, headers={f"Webhook-{part}": "other"} | headers(BODY))
                    for part in ("Id", "Timestamp", "Signature")
                ]
                + [
                    call(
                        f, data=BODY, headers=Items([("webhook-id", "x"), *headers(BODY).items()])
                    ),
                    call(f, data=BODY, headers={"WEBHOOK-ID": None} | headers(BODY)),
                ]
            )
        ),
        lambda a: any(
            len({repr(v) for v in _values(a, part)}) > 1
            for part in ("id", "timestamp", "signature")
        ),
    ),
    Row(
        "signature-header-size",
        REFUSED,
        WEBHOOKS,
        _everywhere(lambda f: [_verify(f, signature=" ".join([mac(BODY), *["v1,AAAA"] * 3000]))]),
        lambda a: sum(len(text) for text in _texts(a, "signature")) > 16 * 1024,
    ),
    Row(
        "name-folding",
        REFUSED,
        WEBHOOKS,
        _everywhere(
            lambda f: [
                call(
                    f,
                    data=BODY,
                    headers={n.replace("k", "\u212a"): v for n, v in headers(BODY).items()},
                )
            ]
        ),
        lambda a: any(
            isinstance(n, str) and not n.isascii() and n.lower().isascii() for n, _ in _pairs(a)
        ),
    ),
    Row(
        "families-mixed",
        REFUSED,
        ("svix", "svix1"),
        [
            call(
                f,
                data=BODY,
                headers={
                    n.replace("webhook", "svix") if part in n else n: v
                    for n, v in headers(BODY).items()
                },
            )
            for f in ("svix", "svix1")
            for part in ("id", "timestamp", "signature")
        ],
        lambda a: (
            0
            < len({n.lower() for n, _ in _pairs(a) if isinstance(n, str)} & _SVIX_NAMES)
            < len(_SVIX_NAMES)
        ),
    ),
    Row(
        "data-decodes",
        REFUSED,
        WEBHOOKS,
        _everywhere(lambda f: [_verify(f, data=Decodes())]),
        lambda a: isinstance(a["data"], Decodes),
    ),
    Row(
        "signature-pieces",
        ANSWERED,
        WEBHOOKS,
        _everywhere(
            lambda f: [
                _verify(f, signature=text)
                for text in (
                    f"v1 {mac(BODY)}",
                    f" {mac(BODY)}",
                    f"{mac(BODY)}, {mac(BODY)}",
                    "v1",
                    f"junk {mac(BODY)}",
                    f"v1,AAAA  {mac(BODY)}",
                    mac(b"forged") + " ",
                )
            ]
        ),
        lambda a: any(piece.count(",") != 1 for piece in _pieces(a)),
    ),
    Row(
        "signature-undecodable",
        ANSWERED,
        WEBHOOKS,
        _everywhere(
            lambda f: [
                _verify(f, signature=text)
                for text in (f"v1,AAA {mac(BODY)}", mac(BODY)[:-1], "v1,é", "v1,é " + mac(BODY))
            ]
        ),
        lambda a: any(
            piece.startswith("v1,") and _CANONICAL.fullmatch(piece) is None for piece in _pieces(a)
        ),
    ),
    Row(
        "signature-not-str",
        ANSWERED,
        WEBHOOKS,
        _everywhere(
            lambda f: [_verify(f, signature=v) for v in (mac(BODY).encode(), [mac(BODY)], 5)]
        ),
        lambda a: any(value and not isinstance(value, str) for value in _values(a, "signature")),
    ),
    Row(
        "body-not-utf8",
        ANSWERED,
        WEBHOOKS,
        [
            *_everywhere(lambda f: [_verify(f, data=b"\xff", id_="other")]),
            _verify("svix", data=b"\xff"),
            call("standard", data=b"\xff", headers=headers(b"\xff"), json_parse=False),
        ],
        lambda a: isinstance(a["data"], (bytes, bytearray)) and not _bytes_are_utf8(a["data"]),
    ),
    Row(
        "lone-surrogate",
        ANSWERED,
        WEBHOOKS,
        _everywhere(
            lambda f: [
                _verify(f, data='"\ud800"'),
                _verify(f, id="\ud800"),
                _verify(f, id_="\udfff"),
            ]
        ),
        lambda a: (
            (isinstance(a["data"], str) and not is_utf8(a["data"]))
            or not all(is_utf8(text) for text in _texts(a, "id"))
        ),
    ),
    Row(
        "data-type",
        ANSWERED,
        WEBHOOKS,
        _everywhere(lambda f: [_verify(f, data=data) for data in _NO_BODIES]),
        lambda a: not isinstance(a["data"], (bytes, bytearray, str, Decodes)),
    ),
    Row(
        "headers-type",
        ANSWERED,
        WEBHOOKS,
        _everywhere(
            lambda f: [
                call(f, data=BODY, headers=given)
                for given in (None, list(headers(BODY).items()), "x", {5: "x"}, {None: "x"})
            ]
        ),
        lambda a: not hasattr(a["headers"], "items") or not _has_text_names(a),
    ),
]
