"""The command when it is interrupted or killed: what it has judged by then is told. POSIX alone."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.command import (
    BATCH,
    COMMAND,
    PATIENCE_SECONDS,
    endless,
    forged,
    interrupted,
    line,
    lines_of,
    started,
    wait_for,
)

pytest.importorskip("hookseal._core")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_interrupted_under_load(tmp_path: Path, number: int, status: int) -> None:
    """All files end with the last line judged, and the counts are those of them."""
    rejects, reasons = tmp_path / "r", tmp_path / "s"
    arguments: list[str | Path] = [
        *BATCH,
        "-",
        "--json",
        "--rejects",
        rejects,
        "--reasons",
        reasons,
    ]
    bad = forged()
    with (
        endless(bad) as stdin,
        started(*arguments, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child,
    ):
        wait_for(lambda: reasons.exists() and reasons.stat().st_size)
        assert interrupted(child, number) == status
        out, err = child.communicate(timeout=PATIENCE_SECONDS)
    told = json.loads(out)
    assert err == b""
    assert told["complete"] is False
    assert told["messages"] == told["refused"] == lines_of(rejects.read_bytes(), bad) > 0
    written = [json.loads(text)["line"] for text in reasons.read_text().splitlines()]
    assert written == list(range(1, told["messages"] + 1))


def test_interrupted_while_it_waits(tmp_path: Path) -> None:
    rejects = tmp_path / "r"
    arguments: list[str | Path] = [*BATCH, "-", "--rejects", rejects]
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
    with started(*arguments, **pipes) as child:
        assert child.stdin is not None
        # The line that is not whole is not judged.
        child.stdin.write(forged() + forged()[:50])
        child.stdin.flush()
        wait_for(lambda: rejects.exists() and rejects.stat().st_size)
        assert interrupted(child) == 130
        assert child.stdout is not None
        out = child.stdout.read().decode()
        assert child.stderr is not None
        assert child.stderr.read() == b""
    assert rejects.read_bytes() == forged()
    assert "not everything was judged" in out
    assert "\n1 message, " in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_interrupted_in_a_line_that_is_too_long(tmp_path: Path, number: int) -> None:
    """Its first pieces were rejected when they came; they are no line, and go again."""
    rejects, reasons = tmp_path / "r", tmp_path / "s"
    arguments: list[str | Path] = [*BATCH, "-", "--json", "--rejects", rejects]
    with started(
        *arguments, "--reasons", reasons, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        child.stdin.write(b"nonsense\n" + b"x" * 80_000_000)
        child.stdin.flush()
        wait_for(lambda: rejects.stat().st_size > 64 * 1024 * 1024)
        child.send_signal(number)
        assert child.stdout is not None
        told = json.loads(child.stdout.read())
        assert child.wait(PATIENCE_SECONDS) == 128 + number
    assert rejects.read_bytes() == b"nonsense\n"
    assert told["messages"] == told["broken"] == reasons.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_a_second_signal_ends_at_once(tmp_path: Path, number: int) -> None:
    """Where the first one waits for an output that nobody reads."""
    os.mkfifo(tmp_path / "pipe")
    arguments: list[str | Path] = [*BATCH, "-", "--rejects", tmp_path / "pipe"]
    with (
        endless(forged()) as stdin,
        started(*arguments, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child,
    ):
        reader = os.open(tmp_path / "pipe", os.O_RDONLY)
        writer = os.open(tmp_path / "pipe", os.O_WRONLY)
        # A full pipe: the command waits for its reader, or will with the next block.
        wait_for(lambda: not select.select([], [writer], [], 0)[1])
        time.sleep(0.1)
        child.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.3)
        assert interrupted(child, number) == 128 + number
        assert child.communicate()[1] == b""
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_a_signal_to_a_pipeline(tmp_path: Path, number: int) -> None:
    """It ends the reader of standard output, too: that is no fault of its own."""
    rejects = tmp_path / "r"
    arguments: list[str | Path] = [*BATCH, "-", "--rejects", rejects]
    read, write = os.pipe()
    with (
        endless(forged()) as stdin,
        started(*arguments, stdin=stdin, stdout=write, stderr=subprocess.PIPE) as child,
    ):
        os.close(write)
        wait_for(lambda: rejects.exists() and rejects.stat().st_size)
        os.close(read)
        assert interrupted(child, number) == 128 + number
        assert child.communicate()[1] == b""


def test_killed(tmp_path: Path) -> None:
    """What is there is the beginning of what would have been."""
    rejects = tmp_path / "r"
    bad = forged()
    with (
        endless(bad) as stdin,
        started(*BATCH, "-", "--rejects", rejects, stdin=stdin, stdout=subprocess.PIPE) as child,
    ):
        wait_for(lambda: rejects.exists() and rejects.stat().st_size)
        assert interrupted(child, signal.SIGKILL) == -signal.SIGKILL
    data = rejects.read_bytes()
    assert (bad * (len(data) // len(bad) + 1)).startswith(data)


def test_an_ignored_signal_stays_ignored() -> None:
    """As ``nohup`` and a shell's ``&`` ask for."""
    ignoring = (
        *COMMAND[:1],
        "-c",
        "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from hookseal._cli import main; sys.exit(main())",
    )
    with started(
        *BATCH, "-", "--json", command=ignoring, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        child.stdin.write(line())
        child.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.3)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(line(), timeout=PATIENCE_SECONDS)
    assert json.loads(out)["valid"] == 2
