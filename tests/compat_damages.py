"""What may happen to a good call of ``verify``, one damage after the other."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any, Final

from tests.compat_choices import WRONG, Choice
from tests.compat_rows import Decodes
from tests.implementations import NOW
from tests.mirrors import mac

# Each changes the headers in place, and gives the body.
Damage = Callable[[Choice, dict[Any, Any], str, Any, str], Any]


def _drop(choice: Choice, given: dict[Any, Any], family: str, data: Any, good: str) -> Any:
    given.pop(f"{family}-{choice.of('id', 'timestamp', 'signature')}", None)
    return data


def _other_value(choice: Choice, given: dict[Any, Any], family: str, data: Any, good: str) -> Any:
    given[f"{family}-{choice.of('id', 'timestamp', 'signature')}"] = choice.of(*WRONG)
    return data


def _spelled(choice: Choice, given: dict[Any, Any], family: str, data: Any, good: str) -> Any:
    part = choice.of("id", "timestamp", "signature")
    name = f"{family}-{part}"
    value = given.get(name, "")
    spelled = choice.of(
        name.upper(),
        name.title(),
        name.replace("k", "\u212a"),
        name.encode(),
        f"{name} ",
        f"HTTP_{name.upper().replace('-', '_')}",
        5,
        None,
    )
    if choice.maybe(0.5):
        given.pop(name, None)
    given[spelled] = choice.of(value, value, "other", "", None, good)
    if choice.maybe(0.3) and name in given:
        given[name] = given.pop(name)
    return data


def _in_a_list(choice: Choice, given: dict[Any, Any], family: str, data: Any, good: str) -> Any:
    bad = mac(b"forged")
    piece = choice.of(
        "v1",
        "v1,",
        "",
        "v1,!!!",
        "v2,AAAA",
        "x",
        "v1,AAAA,",
        "v1a,AAAA",
        bad,
        bad[:-1],
        "V1" + good[2:],
        "v1,é",
        "v1,$$$$",
        good + "x",
        "\ud800",
        "v01" + good[2:],
        good.replace("v1,", "v1,,"),
        "\t",
    )
    glue = choice.of(" ", " ", " ", "  ", ", ", ",", "\t", "\n")
    given[f"{family}-signature"] = glue.join(
        choice.of([good, piece], [piece, good], [piece], [piece, bad])
    )
    return data


def _respelled(choice: Choice, given: dict[Any, Any], family: str, data: Any, good: str) -> Any:
    at = choice.random.randrange(len(good))
    given[f"{family}-signature"] = choice.of(
        good[:-1],
        good + "=",
        good + "==",
        good + "A",
        good + " ",
        good + "\n",
        good + "\t",
        " " + good,
        "\t" + good,
        good[:at] + "!" + good[at:],
        good[:at] + "\n" + good[at:],
        good[:at],
        good.upper(),
        good[:at] + choice.of(*"AZaz09+/-_=,. ") + good[at + 1 :],
        good[:-2] + "B=",
        good.replace("+", "-"),
        good + " " + "v1,AAAA " * 4000,
    )
    return data


def _stray(choice: Choice, given: dict[Any, Any], family: str, data: Any, good: str) -> Any:
    other = "webhook" if family == "svix" else "svix"
    for part in choice.random.sample(["id", "timestamp", "signature"], choice.of(1, 1, 2, 3)):
        value = given.get(f"{family}-{part}", "")
        given[f"{other}-{part}"] = choice.of(value, value, "", None, "other", good)
        if choice.maybe(0.5):
            given.pop(f"{family}-{part}", None)
    return data


def _other_body(choice: Choice, given: dict[Any, Any], family: str, data: Any, good: str) -> Any:
    if not isinstance(data, bytes):
        return data
    text = data.decode("utf-8", "replace")
    return choice.of(
        text,
        text,
        bytearray(data),
        memoryview(data),
        data + b" ",
        data[:-1],
        text + "\ud800",
        Decodes(),
        array.array("B", data),
        *WRONG,
    )


def _shift(choice: Choice, given: dict[Any, Any], family: str, data: Any, good: str) -> Any:
    if not isinstance(data, bytes):
        return data
    whole = b"y.%d.%b" % (NOW, data)
    given[f"{family}-signature"] = mac(whole, "x")
    given[f"{family}-id"] = f"x.{NOW}.y"
    given[f"{family}-timestamp"] = str(NOW)
    return data


def _rotation(choice: Choice, given: dict[Any, Any], family: str, data: Any, good: str) -> Any:
    given[f"{family}-signature"] = " ".join(
        choice.random.sample([good, mac(b"", "x"), mac(b"y")], choice.of(2, 3))
    )
    return data


DAMAGES: Final[list[Damage]] = [
    _drop,
    _other_value,
    _spelled,
    _in_a_list,
    _in_a_list,
    _respelled,
    _respelled,
    _stray,
    _other_body,
    _shift,
    _rotation,
]
