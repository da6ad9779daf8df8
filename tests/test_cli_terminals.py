"""The command on a terminal: bars, tables, colours, a secret that is typed. POSIX alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.command import (
    AS_OF_NOW,
    BATCH,
    COMMAND,
    PATIENCE_SECONDS,
    VARIABLE,
    WITHOUT_RICH,
    endless,
    environment,
    line,
    started,
    wait_for,
)

pytest.importorskip("hookseal._core")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="terminals are POSIX")


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
