"""Streams of JSON Lines: what is a message, what is a line, what is handed back."""

from __future__ import annotations

import base64
import copy
import inspect
import json
import pickle
import signal
import sys
import threading
from typing import Any

import pytest

from hookseal import Verdict
from tests.implementations import BODY, KEY, NOW, SECRET, key, secret, signed
from tests.lines import FORGED, OUT, judge, judge_of, line, run, told

MISMATCH = "header 'webhook-signature' matches no live secret (1 tried)"
BOM = b"\xef\xbb\xbf"

# What a message is.

ACCEPTED = {
    "plain": line(),
    "a list of pairs": line(headers=[[name, value] for name, value in signed().items()]),
    "lists of values": line(headers={name: [value] for name, value in signed().items()}),
    "pairs with lists": line(headers=[[name, [value]] for name, value in signed().items()]),
    "upper case": line(headers={name.upper(): value for name, value in signed().items()}),
    "null and empty list": line(headers={**signed(), "a": None, "b": []}),
    "the same value twice": b'{"headers": {%s, %s}, "body": %s}'
    % (
        json.dumps(signed())[1:-1].encode(),
        json.dumps(signed())[1:-1].encode(),
        json.dumps(BODY.decode()).encode(),
    ),
    "base64": line(body=OUT, body_b64=base64.b64encode(BODY).decode()),
    "base64 with escapes": line(body=OUT, body_b64=base64.b64encode(BODY).decode()).replace(
        b"eyJ0", b"\\u0065yJ0"
    ),
    "null endpoint": line(endpoint=None),
    "int arrival": line(received_at=NOW),
    "float arrival": line(received_at=NOW + 0.99),
    "arrival with exponent": line(received_at=0).replace(b": 0", b": 1.7E+9"),
    "arrival of many digits": line(received_at=0).replace(b": 0", b": %d.%s" % (NOW, b"9" * 5_000)),
    "spaces": b" \t" + line().replace(b": ", b"\t :\r ") + b" \r",
    "every byte escaped": line().replace(
        json.dumps(BODY.decode()).encode(), b'"%s"' % b"".join(b"\\u%04X" % byte for byte in BODY)
    ),
    "escaped keys": line()
    .replace(b'"headers"', b'"\\u0068eaders"')
    .replace(b'"body"', b'"bod\\u0079"'),
    "escaped header": line()
    .replace(b"webhook-id", b"\\u0057ebhook\\u002did")
    .replace(b"msg_1", b"msg\\u005f1"),
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_accepted(hooks: Any, what: str) -> None:
    one = judge(hooks)
    assert run(one, ACCEPTED[what]) == ([], b"")
    assert one.counts() == {Verdict.VALID: 1}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\0",
        "a" * 63 + '"',
        "a" * 64 + "\\" + "b" * 64,
        '\\"' * 200,
        '"' * 129,
        "\\" * 127,
        '\b\f\n\r\t/\\"',
        "é☃😀\x7f\u2028",
        "x" * 31 + "\n" + "x" * 32 + "\n" + "x" * 33 + "\n" + "x" * 1_000,
        "😀" * 50,
        *(("ab\n" * 50)[:length] for length in range(60, 70)),
    ],
)
def test_bodies(hooks: Any, body: str) -> None:
    """As UTF-8, as escapes of every kind, and as base64: the same bytes are hashed."""
    headers = signed(body.encode())
    halves = body.encode("utf-16-be").hex()
    every = "".join(f"\\u{halves[at : at + 4]}" for at in range(0, len(halves), 4))
    for text in (json.dumps(body), json.dumps(body, ensure_ascii=False), f'"{every}"'):
        for end in ("}", ', "endpoint": null}', " " * 100 + "}"):
            one = judge(hooks)
            stream = f'{{"headers": {json.dumps(headers)}, "body": {text}{end}'.encode()
            assert run(one, stream) == ([], b"")
            assert one.counts() == {Verdict.VALID: 1}
    one = judge(hooks)
    run(one, line(headers=headers, body=OUT, body_b64=base64.b64encode(body.encode()).decode()))
    assert one.counts() == {Verdict.VALID: 1}


def test_values_that_differ_are_ambiguous(hooks: Any) -> None:
    """An object with one name twice has two values, as a request with two headers has."""
    two = line().replace(b'"webhook-id"', b'"webhook-id": "msg_2", "webhook-id"')
    refusals, _ = run(judge(hooks), two)
    assert [row[1] for row in refusals] == [Verdict.AMBIGUOUS_HEADER]


def test_the_arrival_is_the_instant_of_judgement(hooks: Any) -> None:
    late = NOW + 301
    one = judge(hooks, now=late)
    stream = b"\n".join([line(), line(received_at=NOW + 300.9), line(received_at=late)])
    refusals, _ = run(one, stream)
    words = "header 'webhook-timestamp' lies 1 s before the window"
    assert refusals == [(n, Verdict.TOO_OLD, words, None) for n in (1, 3)]
    assert one.secrets() == [(None, "0", 1, NOW + 300, NOW + 300)]


# What a line is.


def test_lines_and_their_numbers(hooks: Any) -> None:
    bad = line(headers=FORGED)
    stream = BOM + b"\n".join(
        [b" ", b"x\r", b"", b"\r", line() + b"\r", bad, b"\t \r", BOM + line()]
    )
    one = judge(hooks)
    refusals, rejected = run(one, stream)
    assert refusals == [
        (2, None, "the line is not JSON", None),
        (6, Verdict.SIGNATURE_MISMATCH, MISMATCH, None),
        (8, None, "the line is not JSON", None),
    ]
    assert rejected == b"x\r\n" + bad + b"\n" + BOM + line()
    assert (one.messages, one.broken, one.bytes) == (4, 2, len(stream))
    assert one.counts() == {Verdict.VALID: 1, Verdict.SIGNATURE_MISMATCH: 1}


def test_several_files(hooks: Any) -> None:
    """Each begins at line 1, may have a byte order mark, and may lack its last line end."""
    one = judge(hooks)
    for _ in range(3):
        refusals, rejected = run(one, BOM + line() + b"\nx\n\ny")
        assert [row[0] for row in refusals] == [2, 4]
        assert rejected == b"x\ny"
    refusals, rejected = run(one, BOM + b"x")
    assert ([row[0] for row in refusals], rejected) == ([1], BOM + b"x")
    assert run(one, b"") == ([], b"")
    assert (one.messages, one.broken) == (10, 7)


STREAM = b"\r\n".join(
    [
        BOM + line(),
        line(headers=FORGED, body="\u00e9\n"),
        b'{"a": 1}',
        b"",
        line(received_at=NOW + 999),
        b"\xc3\xa9" * 300,
        line(body=OUT, body_b64="="),
        line(),
    ]
)


@pytest.mark.parametrize("limit", [1_000, 500, 300, 60])
def test_cut_at_every_position(hooks: Any, limit: int) -> None:
    """However a stream is cut into blocks, the reports joined are the same."""
    whole = judge(hooks, max_line_bytes=limit)
    expected = run(whole, STREAM)
    for cut in range(len(STREAM) + 1):
        one = judge(hooks, max_line_bytes=limit)
        assert run(one, STREAM, [cut]) == expected, cut
        assert told(one) == told(whole)
    for step in (1, 2, 3, 7, 64, 257):
        one = judge(hooks, max_line_bytes=limit)
        assert run(one, STREAM, list(range(0, len(STREAM), step))) == expected, step
        assert told(one) == told(whole)


def test_the_longest_line(hooks: Any) -> None:
    """The limit counts what stands before the LF; at the limit a line is judged."""
    limit = len(line())
    text = f"the line has more than {limit} bytes"
    for end in (b"\n", b""):
        for more, is_good in ((b"", True), (b" ", False), (b"\r", False)):
            for cuts in ([], [5], [limit - 1], [limit], [limit + 1], list(range(limit + 2))):
                one = judge(hooks, max_line_bytes=limit)
                stream = line() + more + end
                refusals, rejected = run(one, stream + end + line() if end else stream, cuts)
                assert refusals == ([] if is_good else [(1, None, text, None)])
                assert rejected == (b"" if is_good else stream)
    blank = judge(hooks, max_line_bytes=3)
    text = "the line has more than 3 bytes"
    assert run(blank, b"   \n    \n") == ([(2, None, text, None)], b"    \n")


def test_the_default_limit(hooks: Any) -> None:
    limit = inspect.signature(judge_of(hooks)).parameters["max_line_bytes"].default
    one = judge(hooks, keep_rejects=False)
    at, past = b" " * limit + b"\n", b" " * (limit + 1) + b"\n"
    assert one.feed(at).refusals == []
    assert [row[2] for row in one.feed(past).refusals] == [f"the line has more than {limit} bytes"]


def test_pieces_of_a_long_line_pass(hooks: Any) -> None:
    one = judge(hooks, max_line_bytes=10)
    assert one.feed(b"123456").rejected == b""
    assert one.feed(b"7890").rejected == b""
    report = one.feed(b"1")
    assert (report.refusals, report.rejected) == ([], b"12345678901")
    report = one.feed(b"2345")
    assert (report.refusals, report.rejected, one.messages) == ([], b"2345", 0)
    report = one.feed(b"6\n7\n")
    assert [row[0] for row in report.refusals] == [1, 2]
    assert report.rejected == b"6\n7\n"


def test_rejects_are_kept_on_demand(hooks: Any) -> None:
    one = judge(hooks, keep_rejects=False, max_line_bytes=400)
    refusals, rejected = run(one, STREAM)
    assert (len(refusals), rejected) == (5, b"")


# Many lines, many threads.


def big_stream() -> tuple[bytes, list[bytes]]:
    """About 3 MB: valid, forged, stale and broken lines, and bodies of every size."""
    lines = []
    for number in range(3_000):
        body = (b'{"n":%d,"text":"' % number) + b"x\\n" * (number * 7 % 400) + b'"}'
        headers = signed(body, id=f"msg_{number}", key=KEY if number % 5 else key(2))
        late = NOW + 9_999 if number % 7 == 0 else NOW + number % 3
        lines.append(line(headers=headers, body=body.decode(), received_at=late))
        if number % 11 == 0:
            lines.append(b"broken %d" % number)
        if number % 500 == 0:
            big = "y" * 300_000
            lines.append(line(headers=signed(big.encode()), body=big))
    return b"".join(one + b"\n" for one in lines), lines


def test_threads_give_the_same(hooks: Any) -> None:
    stream, lines = big_stream()
    expected = None
    for threads in (1, 2, 3, 4, None):
        for size in (len(stream), 1 << 20, 100_000):
            one = judge(hooks, threads=threads)
            refusals, rejected = run(one, stream, list(range(size, len(stream), size)))
            assert [row[0] for row in refusals] == sorted(row[0] for row in refusals)
            assert rejected == b"".join(lines[row[0] - 1] + b"\n" for row in refusals)
            found = refusals, rejected, told(one)
            expected = expected or found
            assert found == expected
            if hooks.__name__ == "hookseal.pure":
                return
    assert expected is not None
    assert len(expected[0]) > 1_000


# What goes wrong.


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="POSIX signals")
@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupted_block_was_never_fed(hooks: Any, threads: int) -> None:
    """The same block, fed again, gives what it would have given."""
    lines = [line(received_at=NOW + n) for n in range(300)] + [b"x"]
    block = b"\n".join(lines * (8 if hooks.__name__ == "hookseal.pure" else 700)) + b"\nrest"
    verifier = hooks.Verifier([*map(secret, range(1, 8)), SECRET])
    make = judge_of(hooks)
    whole, one = (make(verifier, now=NOW, threads=threads, keep_rejects=True) for _ in range(2))
    for each in (whole, one):
        each.feed(b'{"headers"')
    expected = whole.feed(block)

    class Stop(Exception):
        pass

    def stop(*_: object) -> None:
        # Not from inside: a handler finds the judge at work.
        with pytest.raises(RuntimeError, match="at work in another call"):
            one.feed(b"")
        raise Stop

    before = told(one)
    old = signal.signal(signal.SIGALRM, stop)
    stopped = 0
    try:
        for _ in range(20):
            signal.setitimer(signal.ITIMER_REAL, 0.004)
            try:
                one.feed(block)
            except Stop:
                stopped += 1
                assert told(one) == before
                break
            # It was faster than the signal: from the start again.
            signal.setitimer(signal.ITIMER_REAL, 0)
            one = make(verifier, now=NOW, threads=threads, keep_rejects=True)
            one.feed(b'{"headers"')
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert stopped
    report = one.feed(block)
    assert (report.refusals, report.rejected) == (expected.refusals, expected.rejected)
    assert told(one) == told(whole)
    assert one.finish().refusals == whole.finish().refusals


def test_one_thread_at_a_time(hooks: Any) -> None:
    """Never two blocks mixed: a call beside another one is refused, or comes after it."""
    one = judge(hooks)
    block = line() + b"\n"
    done, busy = [], []

    def work() -> None:
        for _ in range(200):
            try:
                one.feed(block)
                done.append(1)
            except RuntimeError as error:
                busy.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(done) + len(busy) == 800
    assert one.counts() == {Verdict.VALID: len(done)}
    assert set(busy) <= {"this LineJudge is at work in another call"}


def test_wrong_arguments(hooks: Any) -> None:
    make, verifier = judge_of(hooks), hooks.Verifier(SECRET)
    for wrong in (None, SECRET, hooks.Keyring({}), object()):
        with pytest.raises(TypeError, match=r"^verifier must be a Verifier of this module, not "):
            make(wrong)
    for name, value, error, text in (
        ("threads", 0, ValueError, "threads must be at least 1"),
        ("threads", True, TypeError, "threads must be a whole number or None, not bool"),
        ("max_line_bytes", 0, ValueError, "max_line_bytes must be at least 1"),
        ("max_line_bytes", None, TypeError, "max_line_bytes must be a whole number of bytes, not"),
        ("max_line_bytes", 1.0, TypeError, "max_line_bytes must be a whole number of bytes, not"),
        ("keep_rejects", 1, TypeError, "keep_rejects must be True or False, not int"),
        ("keep_rejects", None, TypeError, "keep_rejects must be True or False, not NoneType"),
        ("now", "1", TypeError, "now must be Unix seconds or an aware datetime, not str"),
        ("now", -1, ValueError, "now must be Unix seconds between 0 and 10"),
    ):
        arguments: dict[str, Any] = {name: value}
        with pytest.raises(error, match=f"^{text}"):
            make(verifier, **arguments)
    assert make(verifier, max_line_bytes=10**30, threads=10**30).messages == 0
    one = make(verifier, now=NOW)
    for wrong in ("x", bytearray(b"x"), memoryview(b"x"), None, 1):
        with pytest.raises(TypeError, match=r"^block must be bytes, not "):
            one.feed(wrong)
    assert one.finish().refusals == []


def test_both_classes_stay_here(hooks: Any) -> None:
    one = judge(hooks)
    report = one.feed(b"x\n")
    assert repr(report) == "LineReport(refusals=1, rejected=2)"
    assert repr(one) == "LineJudge(messages=1, broken=1)"
    for thing in (one, report):
        with pytest.raises(
            TypeError, match=f"^a {type(thing).__name__} cannot be pickled or copied$"
        ):
            pickle.dumps(thing)
        with pytest.raises(TypeError):
            copy.copy(thing)
        with pytest.raises(AttributeError):
            thing.broken = 1
        with pytest.raises(TypeError):
            type("Mine", (type(thing),), {})
    with pytest.raises(TypeError):
        type(report)()
    report.refusals.clear()
    assert len(report.refusals) == 1
    assert all(type(row) is tuple for row in report.refusals)
