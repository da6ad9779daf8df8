"""JSON as the drop-ins read it: equal to ``json.loads``, to the types of numbers and the error."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests import profiles
from tests.implementations import core


def _ours(body: bytes) -> Any:
    core()
    from hookseal._core import _json_loads

    return _json_loads(body)


def _theirs(body: bytes) -> Any:
    return json.loads(body.decode())


def _said(read: Callable[[bytes], Any], body: bytes) -> tuple[str, str]:
    """What comes of it, so that NaN is equal, and 1 is not 1.0, True or another order of keys."""
    try:
        return "value", repr(read(body))
    except RecursionError:
        return "RecursionError", ""
    except ValueError as error:
        return type(error).__name__, str(error)


def _same(body: bytes) -> None:
    assert _said(_ours, body) == _said(_theirs, body)


# Texts: JSON as programs write it, then changed by hand.

_NUMBERS = st.one_of(
    st.integers(),
    st.integers(min_value=-(10**40), max_value=10**40),
    st.floats(),
    st.sampled_from([0, -0.0, 1e400, 5e-324, 2**63 - 1, 2**63, -(2**63), 10**17, 10**18, 10**19]),
)
_TEXTS = st.text(st.characters(codec=None), max_size=40)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6), st.dictionaries(_TEXTS, inner, max_size=6)
    ),
    max_leaves=30,
)


@st.composite
def _written(draw: st.DrawFn) -> bytes:
    value = draw(_VALUES)
    indent = draw(st.sampled_from([None, None, 0, 1]))
    separators = draw(st.sampled_from([None, (",", ":"), (" , ", " :\t")]))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=indent, separators=separators)
    return text.encode("utf-8", draw(st.sampled_from(["surrogatepass", "replace"])))


@profiles.fewer(2)
@given(_written())
def test_what_json_writes(body: bytes) -> None:
    _same(body)


_PIECES = st.sampled_from(
    [
        *'{}[],:"\\/ \n\t\r\x00\x1f\x7f0123456789+-.eEu',
        "true",
        "false",
        "null",
        "NaN",
        "Infinity",
        "-Infinity",
        "\\u",
        "\\ud800",
        "\\udc00",
        "\\uD83D\\uDE00",
        "\\u0000",
        '"a":',
        "\u00e9",
        "\U0001f600",
        "\ufeff",
        "\u2028",
        "\u00a0",
        "1e5",
        "-0",
        "00",
        "'",
        "//",
        '"key"',
        '{"a":1,"a":2}',
        "[[]]",
    ]
)


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_pieces_in_any_order(text: str) -> None:
    _same(text.encode())


@profiles.fewer(2)
@given(_written(), st.data())
def test_written_and_then_damaged(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body)))
    piece = data.draw(st.one_of(_PIECES.map(str.encode), st.binary(max_size=3)))
    cut = data.draw(st.integers(0, 3))
    _same(body[:at] + piece + body[at + cut :])


@profiles.fewer()
@given(st.from_regex(r"\A-?[0-9]{0,25}(\.[0-9]{0,25})?([eE][+-]?[0-9]{0,4})?\Z"))
@example("-")
@example("-0")
@example("0.1e")
@example("1" * 4301)
@example("123456789012345678")
@example("1234567890123456789")
@example("-999999999999999999")
@example("1e309")
@example("2.2250738585072011e-308")
@example("9007199254740993.0")
def test_numbers(text: str) -> None:
    for form in (text, f"[{text}]", f'{{"a": {text} }}', f" {text}\n"):
        _same(form.encode())


@given(st.binary(max_size=40))
def test_any_bytes(body: bytes) -> None:
    _same(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b'""',
        b"{}",
        b"[]",
        b"\xef\xbb\xbf{}",
        b"{\x00}\x00",
        b"\xff\xfe{\x00}\x00",
        b"nul",
        b"nulll",
        b'{"a":1,"b":2,"a":3}',
        b'{"a":NaN,"a":Infinity}',
        b'"\\ud83d\\ude00"',
        b'"\\ude00\\ud83d"',
        b'"\\ud83dx"',
        b'"\\ud83d\\n"',
        b'"\\ud83d\\u0041"',
        b'"\\u00zz"',
        b'"\\u00+1"',
        b'"\\x"',
        b'"\x1f"',
        b'"\x7f"',
        b'"tab\there"',
        b'"open',
        b'"open\\',
        b'{"a"',
        b'{"a":',
        b'{"a":1',
        b'{"a":1,}',
        b"[1,]",
        b"[1 2]",
        b"{1:2}",
        b"tru",
        b"True",
        b"1_0",
        b"0x1",
        b".5",
        b"1.",
        b"+1",
        b"--1",
        b"1e",
        b"1e+",
        b'{"a":1}{"a":1}',
        b"[1],",
        b"1 2",
        b"\x0b1",
        b"\xa01",
        b'"\xed\xa0\x80"',
        b'"\xff"',
    ],
)
def test_edges(body: bytes) -> None:
    _same(body)


@pytest.mark.parametrize("depth", [1, 63, 64, 65, 66, 500, 100_000])
@pytest.mark.parametrize("kind", ["[]", "{}"])
def test_depth(depth: int, kind: str) -> None:
    """As deep as json.loads reads it, and no crash beyond."""
    opening = "[" if kind == "[]" else '{"a":'
    body = (opening * depth + "1" + kind[1] * depth).encode()
    kinds = {_said_kind(_ours, body), _said_kind(_theirs, body)}
    assert len(kinds) == 1
    assert _said_kind(_ours, opening.encode() * depth) == _said_kind(
        _theirs, opening.encode() * depth
    )


def _said_kind(read: Callable[[bytes], Any], body: bytes) -> tuple[str, int]:
    try:
        value, depth = read(body), 0
    except (ValueError, RecursionError) as error:
        return type(error).__name__, 0
    while isinstance(value, (list, dict)):
        value, depth = (value[0] if isinstance(value, list) else value["a"]), depth + 1
    return repr(value), depth


def test_keys_of_many_objects() -> None:
    """The names that are remembered are found again, and no other."""
    rows = [{f"key_{column}": row * column for column in range(100)} for row in range(20)]
    rows += [{"a": 1, "b": 2, "": 3, "é": 4, "x" * 500: 5, "\ud83d": 6}] * 3
    body = json.dumps(rows).encode()
    _same(body)
    # Two names of one length, and with the same first, middle and last character.
    several = [{"abcde": 1, "axcye": 2}, {"axcye": 3, "abcde": 4}]
    assert _ours(json.dumps(several).encode()) == several


def test_floats_are_the_nearest() -> None:
    for text in ("0.1", "1e23", "8.5e-324", "1.7976931348623159e308", "123456789.123456789"):
        value = _ours(text.encode())
        assert value == float(text) or math.isinf(value)
        assert repr(value) == repr(json.loads(text))


def test_the_same_types() -> None:
    value = _ours(b'{"a":[1,2.0,true,null,"x",{}]}')
    assert type(value) is dict
    assert [type(one) for one in value["a"]] == [int, float, bool, type(None), str, dict]


@profiles.fewer(20)
@given(st.dictionaries(_TEXTS, _VALUES, max_size=20))
def test_the_order_of_keys(value: dict[str, Any]) -> None:
    body = json.dumps(value).encode()
    assert [*_ours(body)] == [*_theirs(body)]
