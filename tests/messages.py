"""Strategies for the properties: schemes, secrets, and messages that are good, damaged or hostile.

A message is signed here by the standard library alone and then damaged in up to three
places. What it became is not known, and need not be: core and twin must say the same.
"""

from __future__ import annotations

import re
from collections import UserDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from hookseal import Scheme, schemes
from tests import oracle
from tests.implementations import NOW
from tests.vectors.test_schemes import TEST_SCHEMES

SCHEMES = {
    **{name: schemes.get(name) for name in schemes.names()},
    **{name: Scheme(name, **row) for name, row in TEST_SCHEMES.items()},
}
scheme_names = st.sampled_from(sorted(SCHEMES))

# A value, a name: whatever the wire, or a careless framework, can bring.
hostile_texts = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "\t \t",
            "\0",
            "v1,",
            "v1",
            "sha256=",
            "x" * 16_384,
            "x" * 16_385,
            "\ud800",
            "١٧٠٠٠٠٠٠٠٠",
            "1" * 5_000,
            "+1700000000",
            "0",
            "017",
            "1700000000\n",
            "\xa01700000000",
            "a.b",
            "\r\nx: y",
            "id\x7f",
            b"\xff\xfe",
            b"\x80",
        ]
    ),
    st.text(max_size=8),
    st.binary(max_size=8),
)


@dataclass
class Draft:
    """A message on its way to damage: the body, and headers as pairs."""

    body: Any
    headers: list[tuple[Any, Any]]
    shape: Callable[[list[tuple[Any, Any]]], Any] = list
    received_at: Any = None
    now: Any = NOW
    endpoint: Any = None

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of ``verify``."""
        given = {"received_at": self.received_at, "now": self.now, "endpoint": self.endpoint}
        return {name: value for name, value in given.items() if value is not None}

    def shaped(self) -> Any:
        """The headers in their shape; anew for each reader, since some are read once."""
        return self.shape(list(self.headers))


@dataclass(frozen=True)
class Spec:
    """A secret as one of the forms in which users give it, for either implementation."""

    number: int
    form: str
    named: dict[str, Any] = field(default_factory=dict)

    def make(self, hooks: Any, scheme: Scheme) -> Any:
        key = key_of(self.number, scheme)
        if self.form == "text" and scheme.key == "base64":
            text = (scheme.key_prefix or "") + oracle.b64(key)
        elif self.form == "text" and scheme.key == "hex":
            text = key.hex()
        elif self.form == "text":
            text = key.decode()
        elif self.form == "hex":
            return hooks.Secret.from_hex(key.hex().upper(), **self.named)
        elif self.form == "base64":
            return hooks.Secret.from_base64(oracle.b64(key).rstrip("="), **self.named)
        else:
            return hooks.Secret(key, **self.named) if self.named else key
        return hooks.Secret(text, **self.named) if self.named else text


def key_of(number: int, scheme: Scheme) -> bytes:
    """The key of that number: text where the scheme reads text, else any bytes."""
    digest = oracle.mac(b"tests.messages", b"%d" % number)
    return digest.hex()[:40].encode() if scheme.key == "utf8" else digest


def signatures(
    scheme: Scheme, keys: list[bytes], body: bytes, id: bytes, timestamp: bytes
) -> list[str]:
    """One signature for each key, made from the scheme's template by the standard library."""
    parts = {b"{body}": body, b"{id}": id, b"{timestamp}": timestamp}
    pieces = re.split(rb"(\{\w+\})", scheme.signed.encode())
    message = b"".join(parts.get(piece, piece) for piece in pieces)
    before, encoding = re.fullmatch(r"(.*)\{(.*)\}", scheme.format, re.DOTALL).groups()  # type: ignore[union-attr]
    if encoding == "token":
        return [before + key.decode() for key in keys]
    macs = [oracle.mac(key, message) for key in keys]
    return [before + (oracle.b64(mac) if encoding == "base64" else mac.hex()) for mac in macs]


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    """The window of a secret: mostly none, else one with an edge near NOW."""
    edge = st.integers(NOW - 2, NOW + 2)
    return draw(
        st.one_of(
            st.just({}),
            st.just({}),
            st.builds(lambda at: {"not_before": at}, edge),
            st.builds(lambda at: {"not_after": at}, edge),
            st.builds(lambda at: {"not_before": at, "not_after": at + 2}, edge),
        )
    )


@st.composite
def specs(draw: st.DrawFn, most: int = 8) -> list[Spec]:
    """One to eight different secrets with labels and windows."""
    numbers = draw(st.lists(st.integers(0, 9), min_size=1, max_size=most, unique=True))
    given = []
    for number in numbers:
        named = draw(windows())
        label = draw(st.sampled_from([None, None, f"k{number}", str(number), f"0{number}"]))
        if label is not None:
            named["label"] = label
        form = draw(st.sampled_from(["text", "text", "bytes", "hex", "base64"]))
        given.append(Spec(number, form, named))
    return given


def good(scheme: Scheme, numbers: list[int], body: bytes, id: str, at: int) -> Draft:
    """A message that those keys signed."""
    family = scheme.families[0]
    text = str(at * 1000 if scheme.unit == "ms" else at)
    keys = [key_of(number, scheme) for number in numbers]
    made = signatures(scheme, keys, body, id.encode(), text.encode())
    headers = [(family.signature, (scheme.separator or "").join(made))]
    if family.id is not None:
        headers.append((family.id, id))
    if family.timestamp is not None:
        headers.append((family.timestamp, text))
    return Draft(body, list(headers))


ids = st.one_of(
    st.just("msg_1"), st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
)
bodies = st.one_of(
    st.just(b'{"type":"paid"}'), st.binary(max_size=80), st.binary(min_size=250, max_size=300)
)


@st.composite
def drafts(draw: st.DrawFn, scheme: Scheme, given: list[Spec], damages: int = 3) -> Draft:
    """A message signed by a few of the secrets, or strangers, with up to so many damages."""
    most = 3 if scheme.separator else 1
    known = [spec.number for spec in given]
    numbers = draw(st.lists(st.sampled_from([*known, *known, 10]), min_size=1, max_size=most))
    edges = [-300, -301, 300, 301, -60, -61, 30, 31, 10**9]
    at = NOW + draw(st.sampled_from([*[0] * 12, *edges]))
    draft = good(scheme, numbers, draw(bodies), draw(ids), at)
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, damages]))):
        draw(st.sampled_from(DAMAGES))(draw, draft, scheme)
    draft.body = draw(st.sampled_from(BODY_FORMS))(draft.body)
    draft.shape = draw(st.sampled_from(SHAPES))
    draft.received_at = draw(st.sampled_from([*[None] * 8, *INSTANTS]))
    draft.now = draw(st.sampled_from([*[NOW] * 8, None, None, *INSTANTS]))
    # At most one mistake of the caller's: which of two is told first, nobody promises.
    wrong = draw(st.integers(0, 39))
    if wrong == 38:
        draft.received_at = draw(st.sampled_from(WRONG_INSTANTS))
    elif wrong == 39:
        draft.now = draw(st.sampled_from(WRONG_INSTANTS))
    return draft


INSTANTS: list[Any] = [NOW, NOW + 0.5, NOW - 1, NOW + 1, NOW - 0.01, 0, 10**11]
WRONG_INSTANTS: list[Any] = [-1, 10**11 + 1, True, "0", float("nan")]


def _some(draw: st.DrawFn, draft: Draft) -> int:
    return draw(st.integers(0, len(draft.headers) - 1)) if draft.headers else -1


def _changed(draw: st.DrawFn, draft: Draft, change: Callable[[Any], Any]) -> None:
    index = _some(draw, draft)
    if index >= 0 and isinstance(draft.headers[index][1], str):
        name, value = draft.headers[index]
        draft.headers[index] = name, change(value)


def flip_body(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    if draft.body:
        bit = draw(st.integers(0, 8 * len(draft.body) - 1))
        flipped = bytearray(draft.body)
        flipped[bit // 8] ^= 1 << bit % 8
        draft.body = bytes(flipped)


def stretch_body(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    draft.body = draw(st.sampled_from([draft.body[:-1], draft.body + b"\0", draft.body + b".1"]))


def flip_value(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    def flip(value: str) -> str:
        if not value:
            return value
        at = draw(st.integers(0, len(value) - 1))
        return (
            value[:at] + chr(ord(value[at]) ^ draw(st.sampled_from([1, 2, 32]))) + value[at + 1 :]
        )

    _changed(draw, draft, flip)


def cut_or_extend(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    changes: list[Callable[[str], str]] = [
        lambda value: value[:-1],
        lambda value: value[: len(value) // 2],
        lambda value: value + "=",
        lambda value: value + "A",
        lambda value: value + "0",
        lambda value: value.rstrip("="),
        lambda value: "0" + value,
        str.upper,
        str.lower,
        str.swapcase,
    ]
    _changed(draw, draft, draw(st.sampled_from(changes)))


def white_space(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    space = st.sampled_from(["", " ", "\t", " \t ", "\n", "\x0b", "\xa0", "\u2028"])
    _changed(draw, draft, lambda value: draw(space) + value + draw(space))


def junk(draw: st.DrawFn, draft: Draft, scheme: Scheme) -> None:
    separator = draw(st.sampled_from([scheme.separator or " ", " ", ", ", ",", ";"]))
    piece = st.sampled_from(["", "v1", "v1,", "v2,AAAA", "v1,!!", "sha256=00", "é", scheme.prefix])
    _changed(draw, draft, lambda value: separator.join([draw(piece), value, draw(piece)]))


def replace_value(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    _changed(draw, draft, lambda value: draw(hostile_texts))


def drop(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    if (index := _some(draw, draft)) >= 0:
        del draft.headers[index]


def again(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    if (index := _some(draw, draft)) >= 0 and isinstance(draft.headers[index][0], str):
        name, value = draft.headers[index]
        spelled = draw(st.sampled_from([str.upper, str.title, str.lower]))(name)
        other = draw(st.sampled_from([value, value, "", "x", f" {value}\t", None]))
        draft.headers.insert(draw(st.integers(0, len(draft.headers))), (spelled, other))


def reorder(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    draft.headers = draw(st.permutations(draft.headers))


def rename(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    if (index := _some(draw, draft)) >= 0 and isinstance(draft.headers[index][0], str):
        name, value = draft.headers[index]
        forms: list[Callable[[str], Any]] = [
            str.upper,
            str.title,
            lambda text: text.encode("utf-8", "surrogatepass"),
            lambda text: text.upper().encode("utf-8", "surrogatepass"),
            lambda text: text.replace("k", "\u212a"),
            lambda text: text + " ",
            lambda text: text.replace("webhook", "svix").replace("svix", "webhook"),
            lambda text: "\ud800",
            lambda text: 5,
        ]
        draft.headers[index] = draw(st.sampled_from(forms))(name), value


def other_family(draw: st.DrawFn, draft: Draft, scheme: Scheme) -> None:
    family = draw(st.sampled_from(scheme.families))
    name = draw(st.sampled_from([name for name in family if name is not None]))
    draft.headers.append((name, draw(hostile_texts)))


def reform(draw: st.DrawFn, draft: Draft, _: Scheme) -> None:
    forms: list[Callable[[str], Any]] = [
        str.encode,
        lambda value: [value],
        lambda value: (value, value),
        lambda value: [value.encode(), None],
        lambda value: [],
        lambda value: [value, "other"],
        lambda value: {value},
        lambda value: 5,
        type("Text", (str,), {"encode": None, "strip": None}),
    ]
    _changed(draw, draft, draw(st.sampled_from(forms)))


DAMAGES: list[Callable[[st.DrawFn, Draft, Scheme], None]] = [
    flip_body,
    stretch_body,
    flip_value,
    cut_or_extend,
    white_space,
    junk,
    replace_value,
    drop,
    again,
    reorder,
    rename,
    other_family,
    reform,
]


def _text(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


BODY_FORMS: list[Callable[[bytes], Any]] = [
    *[lambda body: body] * 20,
    _text,
    bytearray,
    memoryview,
    lambda body: memoryview(bytearray(body)),
    type("Bytes", (bytes,), {"__len__": lambda self: 0}),
    lambda body: "\ud800",
    lambda body: memoryview(body + body)[::2],
    lambda body: None,
    list,
]


class Listed(list[Any]):
    """A list with ``items``, as some multi-dicts are."""

    def items(self) -> Iterator[Any]:
        return iter(self)


def _dict(pairs: list[tuple[Any, Any]]) -> Any:
    try:
        return dict(pairs)
    except TypeError:
        return pairs


def _user_dict(pairs: list[tuple[Any, Any]]) -> Any:
    return UserDict(dict(pairs))


SHAPES: list[Callable[[list[tuple[Any, Any]]], Any]] = [
    *[_dict] * 8,
    *[list] * 4,
    tuple,
    iter,
    _user_dict,
    Listed,
    lambda pairs: [list(pair) for pair in pairs],
    lambda pairs: [*pairs, ("x-other", 5)],
    lambda pairs: [*pairs, ("one",)],
    lambda pairs: None,
    lambda pairs: "text",
]


def tolerances(scheme: Scheme) -> st.SearchStrategy[Any]:
    """Every form of a tolerance, and now and then one that is none."""
    wrong: list[Any] = [-1, True, 1.5, "on", (1,), 2_678_401] if scheme.signs_timestamp else [300]
    right: list[Any] = [None, None, "off"]
    if scheme.signs_timestamp:
        right += [300, 0, (10**6, 0), (0, 10**6), 2_678_400]
    return st.integers(0, 19).flatmap(lambda n: st.sampled_from(wrong if n == 19 else right))
