"""One line of a JSON Lines file: the parts of a message, or the fault that it has.

::

    line    = { "headers": headers, ("body": text / "body_b64": base64),
                ["received_at": Unix seconds,] ["endpoint": text / null] }
    headers = { name: values, … } / [ [name, values], … ]
    values  = text / [ text, … ] / null
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, NoReturn, cast

from hookseal._errors import line_fault
from hookseal._instant import LATEST_INSTANT
from hookseal.pure._text import base64_bytes, utf8

# A good line needs three levels; the rest is for the error to be about the right thing.
MAX_DEPTH: Final = 16


class Line(NamedTuple):
    """The parts of a message."""

    headers: list[tuple[str, str]]
    body: bytes
    received_at: int | None
    endpoint: str | None


class Broken(Exception):
    """A line is no message; the text says why."""

    def __init__(self, fault: str, told: str | int = "") -> None:
        super().__init__(line_fault(fault, told))


def read_line(line: bytes, *, has_ring: bool) -> Line:
    """Reads a line.

    Of several faults the first in the order of this function is told, and of those that stand
    at a key the first in the line.

    Raises:
        Broken: The line is no message.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise Broken("not-utf8") from None
    if _is_too_deep(text):
        raise Broken("too-deep")
    try:
        value = _DECODER.decode(text)
    except ValueError:
        raise Broken("not-json") from None
    if not all(utf8(string) is not None for string in _strings(value)):
        raise Broken("half-pair")
    if not isinstance(value, _Object):
        raise Broken("not-object")
    seen: dict[str, Any] = {}
    for key, member in value:
        if key not in _READERS:
            raise Broken("unknown-key", key)
        if key in seen:
            raise Broken("key-twice", key)
        seen[key] = _READERS[key](member)
    if "headers" not in seen:
        raise Broken("no-headers")
    if "body" not in seen and "body_b64" not in seen:
        raise Broken("no-body")
    if "body" in seen and "body_b64" in seen:
        raise Broken("two-bodies")
    if seen.get("endpoint") is not None and not has_ring:
        raise Broken("no-ring")
    if "body" in seen:
        body = seen["body"].encode()
    else:
        body = base64_bytes(seen["body_b64"].encode())
        if body is None:
            raise Broken("not-base64")
    return Line(seen["headers"], body, seen.get("received_at"), seen.get("endpoint"))


class _Object(list[tuple[str, Any]]):
    """A JSON object with all its members: a dict would forget those that stand twice."""


class _Number(str):
    """A JSON number as it stands in the line, however long."""


def _refuse(constant: str) -> NoReturn:
    # Python reads NaN and Infinity; RFC 8259 does not.
    raise ValueError(constant)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number, parse_constant=_refuse
)

# A string, with its end or without; or one bracket.
_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)


def _is_too_deep(text: str) -> bool:
    """Whether a text opens too many arrays and objects, be it JSON or not."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
        elif match[0] in "]}":
            depth = max(0, depth - 1)
        if depth > MAX_DEPTH:
            return True
    return False


def _strings(value: object) -> Iterator[str]:
    """Every string of a value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, _Object):
        for key, member in value:
            yield key
            yield from _strings(member)
    elif isinstance(value, list):
        for element in value:
            yield from _strings(element)


def _is_string(value: object) -> bool:
    return type(value) is str  # A number is a _Number.


def _headers(value: object) -> list[tuple[str, str]]:
    if isinstance(value, _Object):
        return [pair for name, values in value for pair in _values(name, values)]
    if not isinstance(value, list):
        raise Broken("headers")
    pairs: list[tuple[str, str]] = []
    for index, pair in enumerate(value):
        if not isinstance(pair, list) or isinstance(pair, _Object) or len(pair) != 2:
            raise Broken("header-pair", index)
        name, values = pair
        if not _is_string(name):
            raise Broken("header-name", index)
        pairs += _values(name, values)
    return pairs


def _values(name: str, values: object) -> Iterator[tuple[str, str]]:
    if values is None:
        return
    is_array = isinstance(values, list) and not isinstance(values, _Object)
    for value in cast(list[object], values) if is_array else [values]:
        if not _is_string(value):
            raise Broken("header-value", name)
        yield name, cast(str, value)


def _text(key: str) -> Callable[[object], object]:
    def read(value: object) -> object:
        if not _is_string(value):
            raise Broken("body", key)
        return value

    return read


def _received_at(value: object) -> int:
    if not isinstance(value, _Number):
        raise Broken("received-at")
    # A double holds each whole number in range, so a text of any length has one answer.
    seconds = float(value)
    if seconds > LATEST_INSTANT:
        raise Broken("received-at-late")
    if seconds < 0:
        raise Broken("received-at-range")
    return int(seconds)


def _endpoint(value: object) -> object:
    if value is not None and not _is_string(value):
        raise Broken("endpoint")
    return value


_READERS: Final[dict[str, Callable[[object], object]]] = {
    "headers": _headers,
    "body": _text("body"),
    "body_b64": _text("body_b64"),
    "received_at": _received_at,
    "endpoint": _endpoint,
}
