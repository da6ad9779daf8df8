"""Arguments: texts, and those that hold one value for all messages or one for each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from hookseal._arguments import mistake, wrong_length, wrong_type
from hookseal._instant import seconds
from hookseal.pure._text import own_str
from hookseal.types import Instant

T = TypeVar("T")

# The forms of a native 64-bit integer: array.array says "q", NumPy on Unix says "l".
_BUFFER_FORMATS = {"q": "q", "l": "q", "n": "q", "d": "d"}
_NATIVE_ORDER = "@=<" if sys.byteorder == "little" else "@=>!"
_ITEM_BYTES = 8


def text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise wrong_type("str", value, place)
    return own_str(value)


def text_or_none(value: object, place: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise wrong_type("str or None", value, place)
    return own_str(value)


def flag(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise wrong_type("bool", value, place)
    return value


def is_sequence(values: object) -> bool:
    """Whether it is a sequence of things, not of characters or bytes."""
    return isinstance(values, Sequence) and not isinstance(
        values, (str, bytes, bytearray, memoryview)
    )


def drained(values: object, name: str) -> Sequence[Any]:
    """All items of an iterable; an exact tuple is taken as it is.

    Raises:
        TypeError: It is not iterable, or something whose items cannot be meant.
    """
    if type(values) is tuple:
        return values
    is_iterable = hasattr(values, "__iter__") or hasattr(values, "__getitem__")
    if not is_iterable or isinstance(values, (str, bytes, Mapping)):
        raise wrong_type(name, values)
    return list(cast(Iterable[Any], values))


def each(values: object, name: str, count: int, read: Callable[[Any, str], T]) -> list[T | None]:
    """A sequence with one entry or None for each message, read by ``read(entry, place)``.

    Raises:
        TypeError: It is not a sequence, or an entry has a wrong type.
        ValueError: It has another length, or an entry is out of range.
    """
    if not is_sequence(values):
        raise wrong_type(name, values)
    entries = list(cast(Sequence[Any], values))
    _require_length(name, len(entries), count)
    return [
        None if entry is None else read(entry, f"{name}[{index}]")
        for index, entry in enumerate(entries)
    ]


def instants(values: object, name: str, count: int) -> list[int | None]:
    """One instant for all, a buffer of int64 or float64, or a sequence of instants.

    Raises:
        TypeError, ValueError: As for ``each``.
    """
    if values is None:
        return [None] * count
    if isinstance(values, (str, bytes, bytearray)):
        raise wrong_type("instants", values, name)
    numbers = None if isinstance(values, (int, float)) else _buffer(values, name)
    if numbers is not None:
        _require_length(name, len(numbers), count)
        return [seconds(number, f"{name}[{index}]") for index, number in enumerate(numbers)]
    if is_sequence(values):
        return each(values, name, count, seconds)
    # What is left is one instant, in any of its forms, or an error.
    return [seconds(cast(Instant, values), name)] * count


def _buffer(values: object, name: str) -> memoryview | None:
    try:
        view = memoryview(values)  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        return None
    if view.ndim == 0:  # one of NumPy's numbers
        return None
    order = view.format[:1] if view.format[:1] in "@=<>!" else "@"
    code = _BUFFER_FORMATS.get(view.format.removeprefix(order))
    if code is None or order not in _NATIVE_ORDER or view.itemsize != _ITEM_BYTES or view.ndim != 1:
        raise mistake("buffer", name)
    return memoryview(view.tobytes()).cast(code)  # type: ignore[call-overload, no-any-return]


def _require_length(name: str, entries: int, count: int) -> None:
    if entries != count:
        raise wrong_length(name, entries, count)
