"""The arguments that hold one value for all messages, or one for each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from hookseal._instant import seconds
from hookseal.types import Instant

T = TypeVar("T")

# Both forms of a native 64-bit integer: array.array says "q", NumPy on Unix says "l".
_BUFFER_FORMATS = {"q": "q", "l": "q", "d": "d"}
_NATIVE_ORDER = "@=<" if sys.byteorder == "little" else "@=>!"
_ITEM_BYTES = 8


def drained(values: object, name: str) -> Sequence[Any]:
    """All items of an iterable; an exact tuple is taken as it is.

    Raises:
        TypeError: It is not iterable, or something whose items cannot be meant.
    """
    if type(values) is tuple:
        return values
    if values is None or isinstance(values, (str, bytes, Mapping)):
        raise TypeError(f"{name} must be an iterable, not {type(values).__name__}")
    if not hasattr(values, "__iter__") and not hasattr(values, "__getitem__"):
        raise TypeError(f"{name} must be an iterable, not {type(values).__name__}")
    return list(cast(Iterable[Any], values))


def each(values: object, name: str, count: int, read: Callable[[Any, str], T]) -> list[T | None]:
    """A sequence with one entry or None for each message, read by ``read(entry, name)``.

    Raises:
        TypeError: It is not a sequence, or an entry has a wrong type.
        ValueError: It has another length, or an entry is out of range.
    """
    if isinstance(values, (str, bytes, bytearray, memoryview)) or not isinstance(values, Sequence):
        raise TypeError(f"{name} must be a sequence, not {type(values).__name__}")
    entries = list(values)
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
    if values is None or isinstance(values, (int, float, datetime)):
        one = None if values is None else seconds(values, name)
        return [one] * count
    numbers = _buffer(values, name)
    if numbers is not None:
        _require_length(name, len(numbers), count)
        return [seconds(number, f"{name}[{index}]") for index, number in enumerate(numbers)]
    if isinstance(values, Sequence) and not isinstance(values, str):
        return each(values, name, count, seconds)
    # What is left is an instant of another type, such as NumPy's integers, or an error.
    return [seconds(cast(Instant, values), name)] * count


def limit(max_body_bytes: object) -> int | None:
    if max_body_bytes is None:
        return None
    if isinstance(max_body_bytes, bool) or not isinstance(max_body_bytes, int):
        raise TypeError(f"max_body_bytes must be an int, not {type(max_body_bytes).__name__}")
    if max_body_bytes < 0:
        raise ValueError("max_body_bytes must not be negative")
    return int(max_body_bytes)


def require_threads(threads: object) -> None:
    """Checks the number of threads, which plain Python has no use for."""
    if threads is None:
        return
    if isinstance(threads, bool) or not isinstance(threads, int):
        raise TypeError(f"threads must be an int or None, not {type(threads).__name__}")
    if threads < 1:
        raise ValueError("threads must be at least 1")


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
        raise TypeError(f"{name} as a buffer must be one row of int64 or float64")
    return memoryview(view.tobytes()).cast(code)  # type: ignore[call-overload, no-any-return]


def _require_length(name: str, entries: int, count: int) -> None:
    if entries != count:
        raise ValueError(f"{name} has {entries} entries for {count} messages")
