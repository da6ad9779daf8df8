"""Messages as columns: bodies, and beside them the values of the headers that are signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from hookseal._arguments import wrong_length, wrong_type
from hookseal.pure._arguments import is_sequence
from hookseal.pure._entries import State

# In the order of a family's headers, and of what is wrong first.
_NAMES = ("signatures", "ids", "timestamps")
_IN_ORDER = ("ids", "timestamps", "signatures")


class Row(NamedTuple):
    """One message of the columns."""

    body: object
    values: tuple[object, ...]
    """Of the signature's header, the id's and the timestamp's."""

    def headers(self, state: State | None) -> list[tuple[str, object]]:
        """The row as headers of the scheme's first family; what it does not sign is left out."""
        if state is None:
            return []
        family = state.plan.first
        return [
            (header.name.decode(), value)
            for header, value in zip(family, self.values, strict=True)
            if header is not None
        ]


def rows(columns: tuple[object, object, object], bodies: Sequence[object]) -> list[Row]:
    """The messages of some columns.

    Raises:
        TypeError: A column is no sequence.
        ValueError: It has not an element for each body.
    """
    count = len(bodies)
    named = dict(zip(_NAMES, columns, strict=True))
    read = {name: _column(name, named[name], count) for name in _IN_ORDER}
    return [
        Row(body, tuple(values))
        for body, *values in zip(bodies, *(read[name] for name in _NAMES), strict=True)
    ]


def _column(name: str, values: object, count: int) -> Sequence[Any]:
    if values is None:
        return [None] * count
    if not is_sequence(values):
        raise wrong_type("column", values, name)
    column = list(cast(Sequence[Any], values))
    if len(column) != count:
        raise wrong_length(name, len(column), count)
    return column
