"""What calls of the drop-ins are drawn from: ids, times, texts, and what is of a wrong type."""

from __future__ import annotations

import json
import random
from typing import Any, Final

from tests.implementations import NOW

IDS: Final = ["msg_1", "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj", "a", "id with space", "x" * 256]
ODD_IDS: Final = ["a.b", "é", "x" * 257, "a\nb", " a", "a ", "\ta", "\ud800", "", " ", "\x00", "."]
ODD_TIMES: Final = [
    "",
    " ",
    "0",
    "-5",
    "abc",
    "nan",
    "inf",
    "1e400",
    "0x65",
    str(NOW * 1000),
    f"{NOW}.0",
    f"{NOW}.9",
    f"+{NOW}",
    f" {NOW}",
    f"{NOW}\t",
    f"0{NOW}",
    "1_700_000_000",
    "1.7e9",
    "٥",
    "9" * 15,
    "9" * 16,
    "9" * 4000,
    "253402300799",
    "253402300800",
    "2023-11-14T22:13:20Z",
    f"\u00a0{NOW}",
    f"{NOW}\n",
    f"{NOW}.9999999",
    "\ud800",
]
_TEXTS: Final = [
    b"",
    b"{}",
    b'{"a":1}',
    b"null",
    b"[1,2.5,-0,1e400]",
    b'{"a":1,"a":2}',
    b"NaN",
    b"-Infinity",
    b"1" * 30,
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b"\xef\xbb\xbf{}",
    b"not json",
    b'{"a":',
    b"[1,]",
    b' {"a" : [ ] } ',
    '{"a":"\u00e9\U0001f600"}'.encode(),
    b'"\n"',
    b"[" * 70 + b"]" * 70,
    b"01",
    b"1.",
    b"'a'",
    b"\xff",
    b"\xff\xfe{\x00}\x00",
    b'{"a":1}.',
]
WRONG: Final[list[Any]] = [
    None,
    0,
    1,
    5,
    True,
    False,
    NOW,
    float(NOW),
    b"",
    b"x",
    str(NOW).encode(),
    [],
    ["x"],
    (),
    {},
    {"a"},
    object,
    bytearray(b"x"),
    "x",
]


class Choice:
    """What is drawn from one seed."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(f"tests.compat_calls {seed}")

    def of(self, *several: Any) -> Any:
        """One of them."""
        return several[self.random.randrange(len(several))]

    def body(self) -> bytes:
        """A body, often JSON."""
        if self.random.random() < 0.5:
            return bytes(self.of(*_TEXTS))
        length = self.of(0, 1, 5, 60, 300)
        value = {
            "type": "invoice.paid",
            "n": self.random.randrange(-(10**20), 10**20),
            "x": self.random.random(),
            "text": "".join(self.of('é"\\/\n😀a b') for _ in range(length)),
            "list": [None, True, {}, [], "", 0],
        }
        return json.dumps(value, ensure_ascii=self.random.random() < 0.5).encode()

    def maybe(self, chance: float) -> bool:
        """True as often as that."""
        return self.random.random() < chance
