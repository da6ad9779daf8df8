"""Headers: the forms they come in, and the values that a scheme looks at."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TypeAlias

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
            raise TypeError(f"a header's name must be str or bytes, not {type(name).__name__}")
        if folded in wanted:
            found.setdefault(folded, []).extend(_values(value, folded))
    return found


def _pairs(headers: object) -> Iterable[tuple[object, object]]:
    if type(headers) is dict:
        return headers.items()
    if headers is None or isinstance(headers, (str, bytes)):
        raise TypeError(f"headers must be a mapping or pairs, not {type(headers).__name__}")
    items = getattr(headers, "items", None)
    if items is not None:
        headers = items()
    if not hasattr(headers, "__iter__") and not hasattr(headers, "__getitem__"):
        raise TypeError(f"headers must be a mapping or pairs, not {type(headers).__name__}")
    return [_pair(item, index) for index, item in enumerate(list(headers))]  # type: ignore[call-overload]


def _pair(item: object, index: int) -> tuple[object, object]:
    pair = _members(item)
    if pair is None or len(pair) != 2:
        what = type(item).__name__ if pair is None else f"{len(pair)} values"
        raise TypeError(f"headers[{index}] must be a tuple or list of name and value, not {what}")
    return pair[0], pair[1]


def _values(value: object, name: bytes) -> list[bytes]:
    if isinstance(value, (str, bytes)):
        return [header_bytes(value)]
    if value is None:
        return []
    members = _members(value)
    if members is None:
        raise _wrong_value(value, name)
    values = []
    for member in members:
        if not isinstance(member, (str, bytes)):
            raise _wrong_value(member, name)
        values.append(header_bytes(member))
    return values


def _members(value: object) -> list[object] | None:
    # The iterators of list and tuple themselves: a subclass may have another.
    if isinstance(value, tuple):
        return list(tuple.__iter__(value))
    if isinstance(value, list):
        return list(list.__iter__(value))
    return None


def _wrong_value(value: object, name: bytes) -> TypeError:
    return TypeError(
        f"header {name.decode()!r} must be str, bytes, a list or tuple of those, or None,"
        f" not {type(value).__name__}"
    )
