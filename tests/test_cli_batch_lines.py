"""``hookseal verify-batch``: broken lines, long lines and line ends. The core and the twin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command, batch, forged, implementation, line, words
from tests.implementations import BODY, signed

__all__ = ["batch", "implementation"]


def test_a_broken_line_is_named(batch: Command) -> None:
    ran = batch(line() + b"nonsense\n" + line() + b"[]\n")
    assert ran.status == 1
    first, second = words(ran).splitlines()
    assert first.startswith("hookseal: 0.jsonl, line 2: ")
    assert second.startswith("hookseal: 0.jsonl, line 4: ")
    assert ["broken", "lines", "2", "50.0%"] in [row.split() for row in ran.out.splitlines()]


def test_many_broken_lines_are_not_all_named(batch: Command) -> None:
    ran = batch((b"nonsense\n" + forged()) * 25)
    assert words(ran).count(", line ") == 20
    assert words(ran).endswith("hookseal: and 5 more broken lines; --reasons FILE would name all\n")
    ran = batch(b"nonsense\n" * 21, options=["--reasons", "s"])
    assert words(ran).endswith("hookseal: and 1 more broken line; --reasons names all\n")
    assert len(Path("s").read_text().splitlines()) == 21


def _broken() -> Iterator[bytes]:
    """Lines that are no message, of two hundred kinds."""
    good = json.loads(line())
    values: list[Any] = [None, True, False, 0, -1, 1.5, "", "x", [], [1], {}, {"a": 1}, [[]]]
    for name, right in (
        ("headers", (dict,)),
        ("body_b64", (str,)),
        ("endpoint", (str, type(None))),
        ("received_at", (int, float, type(None))),
    ):
        for value in values:
            no_headers = name == "headers" and value == []
            if not no_headers and (not isinstance(value, right) or isinstance(value, bool)):
                yield json.dumps({**good, name: value}).encode()
    pairs: list[list[Any]] = [
        [["a"]],
        [["a", "b", "c"]],
        [[1, "b"]],
        [["a", 1]],
        ["ab"],
        [None],
        [{}],
    ]
    for wrong in pairs:
        yield json.dumps({**good, "headers": wrong}).encode()
    for value in (1, True, 1.5, {}, [1], [None], [[]], ["a", 1]):
        yield json.dumps({**good, "headers": {"a": value}}).encode()
    for text in (
        "A",
        "AA",
        "AAA",
        "AA=",
        "A===",
        "AB==",
        "A A=",
        "AA==AA==",
        "AA\n==",
        "-_==",
        "é",
    ):
        yield json.dumps({**good, "body_b64": text}).encode()
    for value in (-1, 1e12, 1e400, 10**30, 10**11 + 1, "1", [1]):
        yield json.dumps({**good, "received_at": value}).encode()
    yield json.dumps({**good, "body": "x"}).encode()
    yield json.dumps({"headers": {}}).encode()
    yield json.dumps({"body": "x"}).encode()
    for name in (
        "Headers",
        "",
        "body_hex",
        "id",
        "receivedAt",
        "BODY",
        "body ",
        "x" * 1000,
        "\x1b[2J",
        "\u202e",
    ):
        yield json.dumps({**good, name: 1}).encode()
    for name in good:
        yield line()[:-2] + f', "{name}": {json.dumps(good[name])}}}'.encode()
    whole = line()[:-1]
    for at in range(1, len(whole), len(whole) // 60):
        yield whole[:at]
    for junk in (b"x", b"}", b",", b"{}", b"\x00", b"\xff", b" 1", b"//", b"\xc2\xa0"):
        yield whole + junk
        if junk != b"\xc2\xa0":
            yield junk + whole
    for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xe2\x82"):
        yield whole.replace(b"msg_1", b"msg" + bad)
    for bad in (b"\x00", b"\x1f", b"\t", b"\\x", b"\\u12", b"\\"):
        yield whole.replace(b"msg_1", b"msg" + bad)
    for text in ("NaN", "Infinity", "-Infinity", "1.", ".5", "01", "+1", "0x1", "1e", "--1"):
        yield whole[:-1] + f', "received_at": {text}}}'.encode()
    yield from (b"null", b"true", b"1", b'"x"', b"[]", b"nan", b"[" * 10**5, b'{"a":' * 10**5)
    yield b"{" + b'"headers": {}, ' * 3 + b'"body": "x"}'
    yield b"'headers'"
    yield b"\xef\xbb\xbf\xef\xbb\xbf" + whole


BROKEN = list(_broken())


def test_two_hundred_kinds_of_broken_line(batch: Command) -> None:
    assert len(set(BROKEN)) >= 200
    content = b"".join(line() + one + b"\n" for one in BROKEN)
    ran = batch(content, options=["--json", "--rejects", "r", "--reasons", "s"])
    assert ran.status == 1
    reasons = [json.loads(text) for text in Path("s").read_text().splitlines()]
    # An answer for each, and each is that it is no message.
    assert [one["line"] for one in reasons] == [2 * n + 2 for n in range(len(BROKEN))]
    assert ran.json["valid"] == len(BROKEN)
    assert {one["verdict"] for one in reasons} == {None}
    assert ran.json["broken"] == len(BROKEN)
    assert Path("r").read_bytes() == b"".join(one + b"\n" for one in BROKEN)
    assert all(text.isprintable() for text in ran.err.splitlines())


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_line_ends(batch: Command, end: bytes) -> None:
    """A last line needs none, and rejects keep those that came."""
    good, bad = line().rstrip(), forged().rstrip()
    crlf = end if end else b"\n"
    content = good + crlf + bad + crlf + good + crlf + bad + end
    ran = batch(content, options=["--json", "--rejects", "r"])
    assert (ran.json["valid"], ran.json["refused"]) == (2, 2)
    assert Path("r").read_bytes() == bad + crlf + bad + end


def test_a_byte_order_mark(batch: Command) -> None:
    ran = batch(b"\xef\xbb\xbf" + line(), b"\xef\xbb\xbf" + forged(), options=["--rejects", "r"])
    assert ran.status == 1
    assert "broken" not in ran.out
    assert Path("r").read_bytes() == b"\xef\xbb\xbf" + forged()
    marked = b"\xef\xbb\xbf" + forged()
    ran = batch(marked, marked, options=["--rejects", "r"])
    assert Path("r").read_bytes() == marked * 2
    again = batch(marked * 2, options=["--json"]).json
    assert (again["refused"], again["broken"]) == (1, 1)


def test_a_line_of_100_megabytes(batch: Command, implementation: str) -> None:
    """It is broken; those around it are judged; its bytes are rejected as they are."""
    count = 100_000_000
    long = b'{"headers": {}, "body": "' + b"x" * count + b'"}\n'
    ran = batch(line() + long + line(), options=["--json", "--rejects", "r"])
    assert (ran.json["valid"], ran.json["broken"]) == (2, 1)
    assert "0.jsonl, line 2: " in ran.err
    assert Path("r").read_bytes() == long
    Path("0.jsonl").unlink()
    Path("r").unlink()


def test_body_forms(batch: Command) -> None:
    text = {"headers": signed(), "body": BODY.decode()}
    pairs = {"headers": list(signed().items()), "body": BODY.decode()}
    content = b"".join(json.dumps(one).encode() + b"\n" for one in (text, pairs))
    assert batch(content + line()).status == 0
