"""The command as a process: pipes, and outputs that fail. POSIX alone has them."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from tests.command import (
    BATCH,
    COMMAND,
    PATIENCE_SECONDS,
    endless,
    environment,
    forged,
    line,
    lines_of,
    run,
    started,
    wait_for,
)

pytest.importorskip("hookseal._core")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="such pipes and limits are POSIX")


def test_through_pipes() -> None:
    ran = run(*BATCH, "-", stdin=line() + forged())
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith("verdict             messages  share\nVALID ")
    assert "\x1b" not in ran.out
    assert run(*BATCH, "-").out == "0 messages\n"
    told = run(*BATCH, "-", "--json", stdin=line()).json
    assert told["valid"] == 1


def test_a_file_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "q").write_bytes(forged())
    ran = run(*BATCH, tmp_path / "q", "-", "--reasons", tmp_path / "s", stdin=forged())
    assert ran.status == 1
    names = [json.loads(text)["file"] for text in (tmp_path / "s").read_text().splitlines()]
    assert names == [str(tmp_path / "q"), "-"]


def test_a_named_pipe(tmp_path: Path) -> None:
    """It can be opened once: to look whether it is there would be the end of it."""
    os.mkfifo(tmp_path / "pipe")
    with started(*BATCH, tmp_path / "pipe", "--json", stdout=subprocess.PIPE) as child:
        (tmp_path / "pipe").write_bytes(line() * 1000)
        out, _ = child.communicate(timeout=PATIENCE_SECONDS)
    assert json.loads(out)["valid"] == 1000


def test_a_line_is_judged_when_it_is_there(tmp_path: Path) -> None:
    """A pipe that stays open holds nothing back."""
    rejects = tmp_path / "r"
    arguments: list[str | Path] = [*BATCH, "-", "--rejects", rejects]
    with started(*arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        assert child.stdin is not None
        for count in (1, 2, 3):
            child.stdin.write(forged())
            child.stdin.flush()
            wait_for(lambda n=count: rejects.exists() and rejects.read_bytes() == forged() * n)
        child.stdin.close()
        assert child.wait(PATIENCE_SECONDS) == 1


def test_standard_input_that_does_not_wait() -> None:
    """Who shares a pipe can make it so: "nothing there yet" is not its end."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    with started(*BATCH, "-", "--json", stdin=read, stdout=subprocess.PIPE) as child:
        os.close(read)
        os.write(write, line())
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.3)
        os.write(write, line())
        os.close(write)
        out, _ = child.communicate(timeout=PATIENCE_SECONDS)
    assert json.loads(out)["valid"] == 2


# Outputs that fail.


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    """Rejects end with the last line that found room whole."""
    limit = 100_000
    bad = forged()
    assert limit % len(bad)
    rejects = tmp_path / "r"

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with (
        endless(bad) as stdin,
        started(
            *BATCH,
            *("-", "--json", "--rejects", rejects),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=little_room,
        ) as child,
    ):
        out, err = child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 74
    assert err.decode() == f"hookseal: cannot write to {rejects}: File too large\n"
    assert lines_of(rejects.read_bytes(), bad) == limit // len(bad)
    assert json.loads(out)["complete"] is False


def test_a_disk_that_fills_up_in_a_line_that_is_too_long(tmp_path: Path) -> None:
    """Rejects hold none of it, though its first pieces found room."""
    rejects = tmp_path / "r"

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (75_000_000, 75_000_000))

    with (
        endless(b"x" * 65_000) as stdin,
        started(
            *BATCH,
            *("-", "--json", "--rejects", rejects),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=little_room,
        ) as child,
    ):
        out, _ = child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 74
    assert rejects.read_bytes() == b""
    assert json.loads(out)["messages"] == 0


def test_rejects_whose_reader_goes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (
        endless(forged()) as stdin,
        started(
            *BATCH,
            *("-", "--json", "--rejects", tmp_path / "pipe"),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as child,
    ):
        reader = os.open(tmp_path / "pipe", os.O_RDONLY)
        os.read(reader, 10)
        os.close(reader)
        _, err = child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 74
    assert err.decode() == f"hookseal: cannot write to {tmp_path / 'pipe'}: Broken pipe\n"


@pytest.mark.parametrize(
    "arguments", [[*BATCH, os.devnull], ["secret", "new"], ["--version"], ["--help"]]
)
def test_standard_output_that_nobody_reads(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    with started(*arguments, stdout=write, stderr=subprocess.PIPE) as child:
        os.close(write)
        _, err = child.communicate(timeout=PATIENCE_SECONDS)
    assert (child.returncode, err) == (74, b"")


@pytest.mark.parametrize("arguments", [[*BATCH, os.devnull], ["secret", "new"], ["--version"]])
def test_standard_output_that_is_full(arguments: list[str]) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        started(*arguments, stdout=full, stderr=subprocess.PIPE) as child,
    ):
        _, err = child.communicate(timeout=PATIENCE_SECONDS)
    expected = b"hookseal: cannot write to standard output: No space left on device\n"
    assert (child.returncode, err) == (74, expected)


@pytest.mark.parametrize(
    ("closed", "status"), [("<&-", 2), (">&-", 74), ("2>&-", 0), ("<&- >&- 2>&-", 2)]
)
def test_streams_that_are_closed(closed: str, status: int) -> None:
    words = " ".join([*COMMAND, *BATCH, "-"])
    child = subprocess.run(
        ["sh", "-c", f"{words} {closed}"],
        env=environment(),
        input=b"",
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert child.returncode == status
    assert len(child.stderr.splitlines()) == (status > 0 and "2>" not in closed)


def test_standard_output_is_no_place_for_rejects(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (
        out.open("wb") as stream,
        started(
            *BATCH, os.devnull, "--rejects", out, stdout=stream, stderr=subprocess.PIPE
        ) as child,
    ):
        _, err = child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 2
    assert b"is also standard output" in err


@pytest.mark.parametrize("option", ["--rejects", "--reasons"])
def test_a_pipe_that_is_standard_output_is_no_place_for_rejects(option: str) -> None:
    """Tables and lines would be mixed."""
    ran = run(*BATCH, "-", option, "/dev/stdout", stdin=forged())
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "hookseal: /dev/stdout is also standard output: nothing was written\n"
    ran = run(*BATCH, "-", option, "/dev/stderr", stdin=forged())
    assert (ran.status, ran.err.count("\n")) == (1, 1)


def test_standard_output_and_rejects_that_nobody_wants() -> None:
    with started(
        *BATCH, "-", "--rejects", os.devnull, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as child:
        assert child.wait(PATIENCE_SECONDS) == 0
