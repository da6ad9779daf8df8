"""The command as a process: pipes, terminals, signals, outputs that fail. POSIX alone has them."""

from __future__ import annotations

import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.command import (
    AS_OF_NOW,
    COMMAND,
    PATIENCE_SECONDS,
    VARIABLE,
    WITHOUT_RICH,
    endless,
    environment,
    forged,
    interrupted,
    line,
    run,
    started,
    wait_for,
)

pytest.importorskip("hookseal._core")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and terminals are POSIX")

BATCH = ("verify-batch", *AS_OF_NOW)


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


# Killed.


def lines_of(data: bytes, one: bytes) -> int:
    """How many whole lines there are, all of which are the same."""
    assert data == one * data.count(b"\n")
    return data.count(b"\n")


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


# Terminals.


def on_terminal(
    *arguments: str | Path,
    command: Sequence[str] = COMMAND,
    env: dict[str, str] | None = None,
    lines: bytes = b"",
    until: bytes = b"",
    after: float = 0,
    columns: int = 120,
) -> tuple[int, str]:
    """Runs the command with a terminal as stdout and stderr; ends it once ``until`` is seen, or
    ``after`` seconds."""
    terminal, end = os.openpty()
    termios.tcsetwinsize(end, (40, columns))
    seen = b""

    def read() -> bool:
        nonlocal seen
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says so when nobody writes any more.
            piece = b""
        seen += piece
        return not piece

    with endless(lines or b"\n") as stdin:
        give = stdin if lines else subprocess.DEVNULL
        with started(
            *arguments, command=command, env=env, stdin=give, stdout=end, stderr=end
        ) as child:
            os.close(end)
            if until:
                wait_for(lambda: read() or re.search(until, seen))
            if until or after:
                time.sleep(after)
                child.send_signal(signal.SIGINT)
            wait_for(read)
            status = child.wait(PATIENCE_SECONDS)
    os.close(terminal)
    return status, seen.decode()


BAR = rb"\d messages  [\d,]+/s  [\d.]+ .B/s"


@pytest.mark.parametrize("command", [COMMAND, WITHOUT_RICH], ids=["rich", "plain"])
def test_a_bar_on_a_terminal(command: Sequence[str]) -> None:
    status, seen = on_terminal(*BATCH, "-", command=command, lines=line(), until=BAR)
    assert status == 130
    assert "100.0%" in seen
    # It is gone when the tables come.
    assert "messages/s" in seen.rpartition("VALID")[2]
    assert ("\x1b" in seen) is (command == COMMAND)


@pytest.mark.parametrize("command", [COMMAND, WITHOUT_RICH], ids=["rich", "plain"])
@pytest.mark.parametrize("columns", [20, 40, 80, 100, 200])
def test_tables_lose_nothing(tmp_path: Path, columns: int, command: Sequence[str]) -> None:
    """A terminal that is narrow shows every name and every digit."""
    names = [f"{'tenant-with-a-long-name' * n}/{n}" for n in range(3)]
    label = "rotation-of-november"
    ring = "".join(
        f'[endpoints."{name}"]\nsecrets = [{{ env = "{VARIABLE}", label = "{label}" }}]\n'
        for name in names
    )
    (tmp_path / "ring.toml").write_text(ring)
    lines = line(endpoint=names[0]) * 12_345 + line(endpoint=names[1]) + line(endpoint=names[2])
    (tmp_path / "q").write_bytes(lines)
    status, seen = on_terminal(
        *("verify-batch", tmp_path / "q", "--keyring", tmp_path / "ring.toml", *AS_OF_NOW[2:]),
        command=command,
        columns=columns,
        env=environment(NO_COLOR="1"),
    )
    assert status == 0
    assert "…" not in seen
    rows = [row.split() for row in seen.splitlines()]
    time_of = ["2023-11-14", "22:13:20Z"]
    for name, count in zip(names, ("12,345", "1", "1"), strict=True):
        assert [name, count, "0"] in rows
        assert [name, label, count, *time_of, *time_of] in rows
    # Rich draws a line under the head of a table, where that fits.
    assert ("──" in seen) is (columns >= 200 and command == COMMAND)


def test_a_bar_with_the_time_left(tmp_path: Path) -> None:
    """A sparse file is large and quickly written; blank lines are quickly judged."""
    file = tmp_path / "q"
    with file.open("wb") as stream:
        stream.truncate(40_000_000_000)
    until = rb"\] +\d+%  0 messages .* \d+:\d\d:\d\d left"
    status, seen = on_terminal(*BATCH, file, command=WITHOUT_RICH, until=until)
    assert (status, seen[-1]) == (130, "\n")


@pytest.mark.parametrize("command", [COMMAND, WITHOUT_RICH], ids=["rich", "plain"])
def test_no_colour(command: Sequence[str]) -> None:
    status, seen = on_terminal(
        *BATCH, "-", command=command, env=environment(NO_COLOR="1"), lines=line(), until=BAR
    )
    assert status == 130
    assert not re.search(r"\x1b\[[\d;]*m", seen)


def test_colour() -> None:
    _, seen = on_terminal(*BATCH, "-", lines=line(), until=BAR)
    assert re.search(r"\x1b\[[\d;]*m", seen)


@pytest.mark.parametrize("command", [COMMAND, WITHOUT_RICH], ids=["rich", "plain"])
def test_a_dumb_terminal(command: Sequence[str]) -> None:
    """It gets lines, and no bar in a time in which others get one."""
    env = environment(TERM="dumb")
    status, seen = on_terminal(*BATCH, "-", command=command, env=env, lines=line(), after=1.0)
    assert status == 130
    assert "VALID" in seen
    assert "\x1b" not in seen
    assert not re.search(r"\r[^\n]", seen)


def test_json_on_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "q"
    file.write_bytes(line())
    status, seen = on_terminal(*BATCH, file, "--json")
    assert status == 0
    assert json.loads(seen)["valid"] == 1


def test_every_command_on_a_terminal(tmp_path: Path) -> None:
    """One message, secrets, errors: plain lines."""
    body, headers = tmp_path / "body", tmp_path / "headers"
    body.write_bytes(b"{}")
    secret = AS_OF_NOW[:2]
    status, seen = on_terminal("sign", body, *secret)
    assert status == 0
    headers.write_text(seen)
    status, seen = on_terminal("verify", body, "--headers-file", headers, *secret)
    assert (status, seen.splitlines()[0]) == (
        0,
        "VALID: the signature covers body and id and timestamp",
    )
    status, seen = on_terminal("secret", "check", *secret)
    assert (status, seen) == (0, "no weakness was found\r\n")
    assert on_terminal("secret", "new")[0] == 0
    status, seen = on_terminal("secret")
    assert (status, seen) == (
        2,
        "hookseal: which command of secret? See `hookseal secret --help`\r\n",
    )


def test_a_secret_that_is_typed_is_not_shown() -> None:
    """It is asked for on the terminal, which does not repeat it."""
    pid, terminal = os.forkpty()
    if not pid:  # the child
        os.execve(
            sys.executable, [*COMMAND, "secret", "check", "--scheme", "github"], environment()
        )
    seen = b""

    def reads(wanted: bytes) -> bool:
        nonlocal seen
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            return True
        return wanted in seen

    wait_for(lambda: reads(b"secret: "))
    os.write(terminal, b"changeme\n")
    wait_for(lambda: reads(b"no such text"))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    os.close(terminal)
    assert b"common word" in seen
    assert b"changeme" not in seen
