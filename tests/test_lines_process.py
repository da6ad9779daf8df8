"""Streams of JSON Lines in a process: Ctrl-C, fork, memory. Each test has a Python of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable

import pytest

from tests.children import run, script

pytest.importorskip("hookseal._core")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, fork and /proc")

# What Ctrl-C may take. The claim is 0.2 s; the margin is for machines that do other things.
MOST_SECONDS_TO_INTERRUPT = 1.0

_PRELUDE = """
import json, os, time
from hookseal._core import LineJudge
def line(body, **more):
    return json.dumps({"headers": signed(body.encode()), "body": body, **more}).encode() + b"\\n"
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
"""

_WORKS = {
    # Eight secrets, the last of which matches.
    "hashed": "block = line('x' * 4_000) * 100_000",
    # No line says anything.
    "blank": "block = b'\\n' * 250_000_000",
    # One line, half of it escapes.
    "one": "block = line('\\n' * 30_000_000)",
    # Every line is refused, and none is hashed.
    "refused": 'block = b\'{"headers": {}, "body": ""}\\n\' * 4_000_000',
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("work", _WORKS)
def test_ctrl_c(
    work: str,
    threads: int,
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It ends the call, and the block was never fed."""
    text = f"""
    verifier = Verifier([*(b"%032d" % n for n in range(7)), KEY])
    {_WORKS[work]}
    judge = LineJudge(verifier, now=NOW, threads={threads})
    small = line("small")
    judge.feed(small)
    print("ready", flush=True)
    begun = time.monotonic()
    try:
        while True:
            before = judge.messages, judge.bytes
            report = judge.feed(block)
            judge = LineJudge(verifier, now=NOW, threads={threads})
            judge.feed(small)
    except KeyboardInterrupt:
        print(time.monotonic())
    assert (judge.messages, judge.bytes) in (before, (0, 0)), (before, judge)
    judge.feed(small)
    assert judge.counts()[Verdict.VALID] == judge.messages
    """
    with subprocess.Popen(
        script(_PRELUDE + textwrap.dedent(text)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.25)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        said = child.stdout.read()
        assert (child.wait(30), child.stderr.read()) == (0, "")
    # CLOCK_MONOTONIC is one clock for all processes.
    seconds = float(said) - sent
    record_property("seconds_to_interrupt", seconds)
    with capsys.disabled():
        print(f" [{seconds * 1000:.0f} ms]", end="")
    assert seconds < MOST_SECONDS_TO_INTERRUPT


def test_a_line_of_100_mb() -> None:
    """It is counted, the next one is judged, and memory holds no more than the limit."""
    said = run(
        _PRELUDE
        + textwrap.dedent(
            """
            good, block = line("x"), b"x" * (1 << 20)
            judges = [
                LineJudge(Verifier(KEY), now=NOW, threads=2, max_line_bytes=1 << 22),
                LineJudge(Verifier(KEY), now=NOW, threads=2),
            ]
            for judge in judges:
                judge.feed(good)
                before = most = resident()
                for _ in range(100):
                    assert judge.feed(block).refusals == []
                    most = max(most, resident())
                (row,) = judge.feed(b"\\n" + good).refusals
                assert row[0] == 2 and judge.messages == 3
                assert judge.bytes == 100 * len(block) + 1 + 2 * len(good)
                print(most - before)
            """
        )
    )
    small, usual = map(int, said.split())
    assert small < 10 << 20
    assert usual < 80 << 20


def test_memory_is_flat() -> None:
    """The last 300 MB of a stream take no more than the first 30, refusals included."""
    said = run(
        _PRELUDE
        + textwrap.dedent(
            """
            lines = [line("x\\n" * n) for n in range(400)] + [b"x\\n", line("x", unknown=1)]
            block = b"".join(lines)
            block *= (1 << 20) // len(block) + 1
            ring = Keyring({"a": KEY})
            for verifier in (Verifier(KEY), Verifier(ring)):
                judge = LineJudge(verifier, now=NOW, threads=2, keep_rejects=True)
                def feed(times):
                    for _ in range(times):
                        report = judge.feed(block)
                        report.refusals, report.rejected
                feed(30)
                before = resident()
                feed(300)
                print(resident() - before)
            """
        )
    )
    assert all(int(grown) < 4 << 20 for grown in said.split()), said


def test_fork_between_blocks() -> None:
    """The threads end with the block: a child finds a judge that works."""
    said = run(
        _PRELUDE
        + textwrap.dedent(
            """
            block = line("x" * 1_000) * 2_000
            judge = LineJudge(Verifier(KEY), now=NOW, threads=2)
            judge.feed(block + b"{")
            child = os.fork()
            if child == 0:
                judge.feed(b"}\\n" + block)
                os._exit(judge.messages % 251)
            judge.feed(b"}\\n" + block)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == judge.messages % 251)
            """
        )
    )
    assert said == "True\n"
