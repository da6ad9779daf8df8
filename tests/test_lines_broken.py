"""Every kind of broken line, with the words for it: the same from both implementations."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from hookseal import _errors
from tests.implementations import NOW, SECRET
from tests.lines import GOOD, OUT, judge_of, line, run

NOT_JSON = "the line is not JSON"
NOT_UTF8 = "the line is not UTF-8"
TOO_DEEP = "the line is nested more than 16 levels deep"
NOT_OBJECT = "the line is not a JSON object"
HALF_PAIR = "a string holds half of a surrogate pair, which is no character"
HEADERS = "headers must be an object, or an array of [name, value] pairs"
LATE = "received_at must be Unix seconds between 0 and 10**11; it looks like milliseconds"
RANGE = "received_at must be Unix seconds between 0 and 10**11"
NOT_BASE64 = "body_b64 is not base64 (standard alphabet, padded, zero trailing bits)"
KEYS = "a line has headers, body or body_b64, received_at and endpoint"
TWO_BODIES = "body and body_b64 are both there: a line has one of them"

# One value of each kind, as JSON writes it.
KINDS = {
    "null": "null",
    "true": "true",
    "false": "false",
    "zero": "0",
    "number": "-1.5e3",
    "string": '"x"',
    "empty string": '""',
    "array": "[]",
    "array of one": '["x"]',
    "object": "{}",
    "object of one": '{"x": "y"}',
}


def with_member(key: str, text: str) -> bytes:
    """A good line in which one key has that text for its value."""
    members = {name: json.dumps(value) for name, value in GOOD.items()} | {key: text}
    if key == "body_b64":
        del members["body"]
    return b"{%s}" % ", ".join(f'"{name}": {value}' for name, value in members.items()).encode()


def not_json() -> Iterator[bytes]:
    good = line()
    # Cut short anywhere: inside a key, an escape, a number, behind a colon or a comma.
    rich = with_member("body", '"a\\"b\\u00e9\\ud83d\\ude00"').replace(
        b"{", b'{"received_at": 1.5e+2, ', 1
    )
    yield from (rich[:length] for length in range(1, len(rich), 5))
    yield rich[:-1]
    for more in (b"x", b"}", b",", b"{}", b" null", b'""', b"0", b"\x00"):
        yield good + more
    for before in (
        b",",
        b"]",
        b"x",
        b"\xc2\xa0",
        b"\x0b",
        b"\x0c",
        b"\xe2\x80\xa8",
        b"#",
        b"//",
    ):
        yield before + good
    for text in (
        "'x'", "x", "nul", "nulL", "NULL", "True", "tru", "fals", "undefined", "NaN", "Infinity",
        "-Infinity", "-", "+1", "01", "-01", "1.", ".5", "1.e3", "1e", "1e+", "1E-", "0x10",
        "1_000", "--1", "1 2", "1,", '"', '"\\', '"\\"', '"\\x41"', '"\\u12"', '"\\u12g4"',
        '"\\u 123"', '"\\u+123"', '"\\U0041"', '"\\\'"', '"\\ud83d\\u"', '"\\ud83d\\uzzzz"',
        '"a\tb"', '"a\x00b"', '"a\x1fb"', '"a\rb"', '"' + "x" * 63 + '\x01"',
        '"' + "x" * 64 + '\\q"', "[", "[1", "[1,", "[1,]", "[,1]", "[1 1]", "[1}", "{", "{]",
        '{"a"', '{"a":', '{"a" 1}', '{"a":1', '{"a":1,', '{"a":1,}', '{,"a":1}', "{1:1}", "{a:1}",
        "{'a':1}", '{"a":1 "b":2}', '{"a"::1}', '{"a":1]', "]", "}", ":", ",", "", "/**/1", "1//",
    ):  # fmt: skip
        yield with_member("received_at", text)
        yield with_member("unknown", text)


def not_utf8() -> Iterator[bytes]:
    bad = (
        b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc3", b"\xc3\x28", b"\xe0\x80\x80",
        b"\xe2\x82", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\x80", b"\xf0\x9f\x98",
        b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xfe", b"\xff",
    )  # fmt: skip
    for byte in bad:
        yield with_member("body", '"@"').replace(b"@", byte)
        yield byte + line()
        yield line(unknown="@").replace(b"@", byte)
        yield byte


def table() -> Iterator[tuple[bytes, str]]:
    """Lines, and what is said of them."""
    yield from ((broken, NOT_JSON) for broken in not_json())
    yield from ((broken, NOT_UTF8) for broken in not_utf8())

    for depth in (17, 18, 200, 5_000, 200_000):
        yield b"[" * depth, TOO_DEEP
        yield b"[" * depth + b"]" * depth, TOO_DEEP
        yield b'{"a":' * depth, TOO_DEEP
        yield with_member("headers", "[" * depth + "]" * depth), TOO_DEEP
    yield with_member("body", "[" * 16 + "]" * 16), TOO_DEEP
    yield b"x" + b"{" * 17, TOO_DEEP
    yield with_member("body", "[" * 15 + "]" * 15), "body must be a string"
    yield b"[" * 16 + b"]" * 16, NOT_OBJECT
    yield b"[" * 16, NOT_JSON
    yield b'"' + b"[" * 40, NOT_JSON
    yield b'"\\"' + b"[" * 40 + b'"', NOT_OBJECT

    for half in ("\\ud800", "\\uDBFF", "\\udc00", "\\uDfFf", "\\ud800\\ud800", "\\ud800x\\udc00"):
        yield with_member("body", f'"a{half}b"'), HALF_PAIR
        yield with_member("endpoint", f'"{half}"'), HALF_PAIR
        yield with_member("unknown", f'[{{"a{half}": 1}}]'), HALF_PAIR
        yield with_member("headers", f'{{"{half}": "x"}}'), HALF_PAIR
        yield f'"{half}"'.encode(), HALF_PAIR
    yield with_member("body", '"' + "x" * 61 + '\\ud83d\\u0041"'), HALF_PAIR
    yield with_member("body", '"\\ude00\\ud83d"'), HALF_PAIR

    for kind, text in KINDS.items():
        if "object" not in kind:
            yield text.encode(), NOT_OBJECT
            yield f"\t{text} \r".encode(), NOT_OBJECT
        if "object" not in kind and kind != "array":
            told = "headers[0] must be a [name, value] pair" if "array" in kind else HEADERS
            yield with_member("headers", text), told
        if "string" not in kind:
            yield with_member("body", text), "body must be a string"
            yield with_member("body_b64", text), "body_b64 must be a string"
            told = "headers[0] must have a string for its name"
            yield with_member("headers", f'[[{text}, "x"]]'), told
        if "string" not in kind and kind != "null":
            yield with_member("endpoint", text), "endpoint must be a string or null"
        if kind not in ("zero", "number"):
            told = "received_at must be a number of Unix seconds"
            yield with_member("received_at", text), told
        if "string" not in kind and kind not in ("null", "array", "array of one"):
            told = "the value of header 'x' must be a string, an array of strings, or null"
            yield with_member("headers", f'{{"x": {text}}}'), told
            yield with_member("headers", f'[["x", {text}]]'), told
            yield with_member("headers", f'{{"x": ["y", {text}]}}'), told
        if "array" not in kind:
            told = "headers[1] must be a [name, value] pair"
            yield with_member("headers", f'[["a", "b"], {text}]'), told
        yield with_member("unknown", text), f"key 'unknown' is unknown: {KEYS}"
    for wrong in ('{"x": [null]}', '{"x": [[]]}', '[["x", ["y", ["z"]]]]'):
        told = "the value of header 'x' must be a string, an array of strings, or null"
        yield with_member("headers", wrong), told
    for pair in (
        "[]",
        '["x"]',
        '["x", "y", "z"]',
        "[1]",
        '[1, 2, "z"]',
        '["x", 1, 2]',
        '{"x": "y"}',
    ):
        yield with_member("headers", f"[{pair}]"), "headers[0] must be a [name, value] pair"

    for key, shown in (
        ("", "''"),
        ("Body", "'Body'"),
        ("body ", "'body '"),
        ("body\\u0000", "'body\\x00'"),
        ("b\\u00f6dy", "'bödy'"),
        ("\\ud83d\\ude00", "'😀'"),
        ("it's", '"it\'s"'),
        ("k" * 64, f"'{'k' * 64}'"),
        ("k" * 65, f"'{'k' * 64}…'"),
        ("k" * 9_999, f"'{'k' * 64}…'"),
        ("whsec_abc", "(a secret, by its looks; it is not shown)"),
    ):
        yield with_member(key, "1"), f"key {shown} is unknown: {KEYS}"
        told = f"the value of header {shown} must be a string, an array of strings, or null"
        yield with_member("headers", f'{{"{key}": 1}}'), told
    for key in ("headers", "body", "body_b64", "received_at", "endpoint"):
        for value in ('""', "1", "[["):
            twice = with_member(key, "null" if key == "endpoint" else "1")
            good = json.dumps(GOOD.get(key, "" if key == "body_b64" else 1))
            if key == "endpoint":
                good = "null"
            twice = with_member(key, good)[:-1] + f', "{key}": {value}}}'.encode()
            yield twice, NOT_JSON if value == "[[" else f"key '{key}' stands twice"
    yield with_member("body", '"x", "b\\u006fdy": "y"'), "key 'body' stands twice"

    for number in (
        "100000000001",
        "1e12",
        "1e400",
        "9" * 5_000,
        "1700000000000",
        "1" + "0" * 400 + ".5",
    ):
        yield with_member("received_at", number), LATE
    for number in ("-1", "-0.5", "-1e400", "-" + "9" * 5_000):
        yield with_member("received_at", number), RANGE

    for text in (
        "=", "A", "AA", "AAA", "AAA==", "AA=", "AA===", "A===", "AAAA=", "AB==", "AAB=",
        "AA==AAAA", "AAAA AAAA", " AAAA", "AAAA\\n", "AA-_", "A\\u00e9==", "AAAAA", "====",
        "AA=A", "A" * 63, "A" * 64 + "=",
    ):  # fmt: skip
        yield with_member("body_b64", f'"{text}"'), NOT_BASE64

    yield line(headers=OUT), "headers is missing"
    yield line(body=OUT), "body is missing, and so is body_b64"
    yield line(body_b64=base64.b64encode(b"x").decode()), TWO_BODIES
    yield line(body_b64="not base64"), TWO_BODIES
    yield b"{}", "headers is missing"
    yield b'{"body": "x"}', "headers is missing"
    yield b'{"headers": {}}', "body is missing, and so is body_b64"
    yield line(endpoint="x"), "endpoint is for a keyring; there is none"
    yield line(endpoint=""), "endpoint is for a keyring; there is none"
    yield line(body=OUT, body_b64="=", endpoint="x"), "endpoint is for a keyring; there is none"
    # The first one in the line, of those that stand at a key.
    yield b'{"a": 1, "body": 1, "headers": 1}', f"key 'a' is unknown: {KEYS}"
    yield b'{"body": 1, "a": 1, "headers": 1}', "body must be a string"
    yield (
        b'{"headers": {"x": 1, "y": [2]}, "body": 1}',
        ("the value of header 'x' must be a string, an array of strings, or null"),
    )
    yield (
        b'{"headers": [["x", 1], 3], "body": 1}',
        ("the value of header 'x' must be a string, an array of strings, or null"),
    )


TABLE = list(dict(table()).items())


def test_the_table_is_long_and_says_everything() -> None:
    """Each fault that has words is reached; "too-long" is in tests/test_lines.py."""
    assert len(TABLE) > 400
    said = {text for _, text in TABLE}
    for fault, words in _errors._LINE_FAULTS.items():
        pattern = re.escape(words).replace(re.escape("{0}"), ".+")
        reached = any(re.fullmatch(pattern, text) for text in said)
        assert reached is (fault != "too-long"), fault


def test_each(hooks: Any) -> None:
    """One by one, so that each is the first line of a file."""
    make, verifier = judge_of(hooks), hooks.Verifier(SECRET)
    for broken, text in TABLE:
        judge = make(verifier, now=NOW, keep_rejects=True)
        assert run(judge, broken) == ([(1, None, text, None)], broken), broken[:200]
        assert (judge.messages, judge.broken, judge.bytes) == (1, 1, len(broken))
        assert judge.counts() == {}


@pytest.mark.parametrize("threads", [1, 4])
def test_all_in_one_file(hooks: Any, threads: int) -> None:
    """None of them spoils its neighbours, whatever comes between."""
    make, verifier = judge_of(hooks), hooks.Verifier(SECRET)
    good, stream, expected, number = line(), b"", [], 0
    for broken, text in TABLE:
        stream += good + b"\r\n" + broken + b"\n \n"
        number += 3
        expected.append((number - 1, None, text, None))
    judge = make(verifier, now=NOW, threads=threads, keep_rejects=True)
    refusals, rejected = run(judge, stream)
    assert refusals == expected
    assert rejected == b"".join(broken + b"\n" for broken, _ in TABLE)
    assert judge.messages == 2 * len(TABLE)
    assert judge.broken == len(TABLE)
    assert judge.bytes == len(stream)
    assert judge.endpoints() == [(None, len(TABLE), 0)]
