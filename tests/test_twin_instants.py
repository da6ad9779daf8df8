"""Core against twin: every form of an instant, alone and in numbers."""

from __future__ import annotations

import array
import decimal
import enum
import fractions
from collections import UserList, deque
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from tests.implementations import BODY, NOW, SECRET, core, signed, twin
from tests.observation import outcome

pytest.importorskip("hookseal._core")


class Index:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __index__(self) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class Number(enum.IntEnum):
    NOW = NOW


class Float:
    def __float__(self) -> float:
        return float(NOW)


class Int(int):
    def __int__(self) -> int:
        return 0

    def __index__(self) -> int:
        return 0


class Own(Sequence[Any]):
    def __init__(self, *values: Any) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]


class Shrinking(Own):
    """Says three, and has two."""

    def __len__(self) -> int:
        return 3


class LenAndItem:
    """Neither a Sequence nor iterable but in the old way."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> int:
        return [NOW, NOW, NOW][index]


ONE: dict[str, Any] = {
    "int": NOW,
    "float": NOW + 0.999,
    "float below": NOW - 0.001,
    "-0.0": -0.0,
    "latest": 10**11,
    "later": 10**11 + 1,
    "latest and a bit": 10**11 + 0.5,
    "huge": 10**400,
    "negative": -1,
    "nearly 0": -1e-9,
    "nan": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
    "bool": True,
    "IntEnum": Number.NOW,
    "int that lies": Int(NOW),
    "__index__": Index(NOW),
    "__index__ of bool": Index(True),
    "__index__ of str": Index("5"),
    "__index__ that raises": Index(LookupError()),
    "__index__ negative": Index(-1),
    "__float__": Float(),
    "Decimal": decimal.Decimal(NOW),
    "Fraction": fractions.Fraction(NOW),
    "complex": complex(NOW),
    "str": str(NOW),
    "bytes": b"1700000000",
    "bytearray": bytearray(b"123"),
    "aware": datetime.fromtimestamp(NOW, UTC),
    "aware elsewhere": datetime.fromtimestamp(NOW + 0.9, timezone(timedelta(hours=-9.5))),
    "naive": datetime(2023, 11, 14),
    "year 1": datetime.min.replace(tzinfo=UTC),
    "year 9999": datetime.max.replace(tzinfo=UTC),
    "date": date(2023, 11, 14),
    "timedelta": timedelta(seconds=NOW),
    "np.int64": np.int64(NOW),
    "np.uint32": np.uint32(NOW),
    "np.float64": np.float64(NOW + 0.5),
    "np.float32": np.float32(NOW),
    "np.nan": np.float64("nan"),
    "np.bool": np.bool_(True),
    "np.datetime64": np.datetime64(NOW, "s"),
    "0-d array": np.array(NOW),
    "0-d array of float": np.array(float(NOW)),
    "object": object(),
}


@pytest.mark.parametrize("kind", ONE)
@pytest.mark.parametrize("argument", ["now", "received_at"])
def test_one_instant(kind: str, argument: str) -> None:
    instant = ONE[kind]

    def ask(hooks: Any) -> Any:
        verifier = hooks.Verifier(SECRET, tolerance=(0, 0))
        return [
            outcome(lambda: verifier.check(BODY, signed(), **{argument: instant})),
            outcome(lambda: verifier.verify(BODY, signed(), **{argument: instant}), show=repr),
            outcome(
                lambda: verifier.verify_batch([(BODY, signed())], **{argument: instant}), show=list
            ),
            outcome(lambda: hooks.Signer(SECRET).sign(BODY, id="x", timestamp=instant)),
        ]

    assert ask(core()) == ask(twin())


MANY: dict[str, Any] = {
    "list": [NOW, None, NOW],
    "tuple": (NOW, NOW + 0.5, None),
    "deque": deque([NOW] * 3),
    "UserList": UserList([NOW] * 3),
    "Sequence": Own(NOW, None, NOW),
    "range": range(NOW, NOW + 3),
    "Nones": [None] * 3,
    "mixed": [Index(NOW), np.int64(NOW), datetime.fromtimestamp(NOW, UTC)],
    "with bool": [NOW, True, NOW],
    "with nan": [NOW, float("nan"), NOW],
    "nested": [[NOW]] * 3,
    "too short": [NOW] * 2,
    "too long": [NOW] * 4,
    "a Sequence that shrinks": Shrinking(NOW, NOW),
    "set": {NOW, NOW + 1, NOW + 2},
    "dict": dict.fromkeys([NOW, NOW + 1, NOW + 2]),
    "dict values": dict.fromkeys("abc", NOW).values(),
    "iterator": iter([NOW] * 3),
    "length and item": LenAndItem(),
    "bytes": b"abc",
    "memoryview of bytes": memoryview(b"abc"),
    "memoryview of q": memoryview(array.array("q", [NOW] * 3)),
    "every second": memoryview(array.array("q", [NOW, 0] * 3))[::2],
    "array q": array.array("q", [NOW] * 3),
    "array d": array.array("d", [NOW + 0.5] * 3),
    "array i": array.array("i", [NOW] * 3),
    "array Q": array.array("Q", [NOW] * 3),
    "array f": array.array("f", [NOW] * 3),
    "array B": array.array("B", [1, 2, 3]),
    "int64": np.full(3, NOW),
    "float64": np.full(3, NOW + 0.5),
    "float64 with nan": np.array([NOW, np.nan, NOW]),
    "int32": np.full(3, NOW, dtype=np.int32),
    "uint64": np.full(3, NOW, dtype=np.uint64),
    "float32": np.full(3, NOW, dtype=np.float32),
    "bool": np.full(3, True),
    "big endian": np.full(3, NOW, dtype=">i8"),
    "datetime64": np.full(3, NOW, dtype="datetime64[s]"),
    "objects": np.array([NOW, None, NOW], dtype=object),
    "strings": np.array(["a", "b", "c"]),
    "two rows": np.full((3, 1), NOW),
    "two columns": np.full((1, 3), NOW),
    "backwards": np.arange(NOW, NOW + 3)[::-1],
    "empty": np.array([], dtype=np.int64),
    "one": np.array([NOW]),
}


@pytest.mark.parametrize("kind", MANY)
def test_many_instants(kind: str) -> None:
    """What is a buffer but not of int64 or float64 in one row, and what is no sequence, is
    refused; it is not read in another way."""

    def ask(hooks: Any) -> Any:
        many = iter([NOW] * 3) if kind == "iterator" else MANY[kind]
        messages = [(BODY, signed())] * 3
        verifier = hooks.Verifier(SECRET, tolerance=(1, 1))
        return [
            outcome(lambda: verifier.verify_batch(messages, received_at=many, now=NOW), show=list),
            outcome(
                lambda: hooks.Signer(SECRET).sign_batch(
                    [b""] * 3, ids=["a", "b", "c"], timestamps=many
                )
            )
            if "None" not in repr(many) and kind not in {"list", "tuple"}
            else None,
        ]

    assert ask(core()) == ask(twin())
