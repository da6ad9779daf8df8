"""Headers: the forms they come in, and the values that a scheme looks at."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TypeAlias, cast

from hookseal._arguments import wrong_type
from hookseal.pure._text import header_bytes

Found: TypeAlias = dict[bytes, list[bytes]]
"""The values of the headers that were looked for, as they came, by lower-case name."""


def read_headers(headers: object, wanted: Container[bytes]) -> Found:
    """Reads headers once, whole, and keeps the values of those that are wanted.

    Raises:
        TypeError: The headers, an item, a name, or the value of a wanted header has a
            wrong type.
    """
    found: Found = {}
    for name, value in _pairs(headers):
        if isinstance(name, (str, bytes)):
            # bytes.lower folds A to Z and nothing else; str.lower would make a "k" of
            # U+212A KELVIN SIGN. Two spellings of a name are two values of one header.
            folded = header_bytes(name).lower()
        else:
            raise wrong_type("header name", name)
        if folded in wanted:
            found.setdefault(folded, []).extend(_values(value, folded.decode()))
    return found


def _pairs(headers: object) -> Iterable[tuple[object, object]]:
    if type(headers) is dict:
        # A copy: while it is read, another thread may change the dict.
        return headers.copy().items()
    if headers is None or isinstance(headers, (str, bytes)):
        raise wrong_type("headers", headers)
    items = getattr(headers, "items", None)
    pairs = headers if items is None else items()
    if not hasattr(pairs, "__iter__") and not hasattr(pairs, "__getitem__"):
        raise wrong_type("headers", headers)
    # All of them before the first is looked at: what is iterated may change meanwhile.
    every = list(cast(Iterable[object], pairs))
    return (_pair(item, index) for index, item in enumerate(every))


def _pair(item: object, index: int) -> tuple[object, object]:
    pair = _members(item)
    if pair is None or len(pair) != 2:
        raise wrong_type("headers item", item, f"headers[{index}]")
    return pair[0], pair[1]


def _values(value: object, name: str) -> list[bytes]:
    if isinstance(value, (str, bytes)):
        return [header_bytes(value)]
    if value is None:
        return []
    members = _members(value)
    if members is None:
        raise wrong_type("header value", value, f"header '{name}'")
    values = []
    for member in members:
        if not isinstance(member, (str, bytes)):
            raise wrong_type("header value", member, f"header '{name}'")
        values.append(header_bytes(member))
    return values


def _members(value: object) -> list[object] | None:
    # The iterators of list and tuple themselves: a subclass may have another.
    if isinstance(value, tuple):
        return list(tuple.__iter__(value))
    if isinstance(value, list):
        return list(list.__iter__(value))
    return None
