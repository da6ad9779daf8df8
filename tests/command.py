"""The command ``hookseal``, run in this process or in one of its own."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import pytest

from hookseal._cli import main
from tests.implementations import BODY, NOW, SECRET, signed

# The variable that holds the secret; what the tests pass to verify with it, as of NOW.
VARIABLE: Final = "HOOK_SECRET"
WITH_SECRET: Final = ("--secret-env", VARIABLE)
AS_OF_NOW: Final = (*WITH_SECRET, "--now", str(NOW))
BATCH: Final = ("verify-batch", *AS_OF_NOW)

COMMAND: Final = (sys.executable, "-m", "hookseal")
# As a child without rich, whatever is installed.
WITHOUT_RICH: Final = (
    sys.executable,
    "-c",
    "import sys; sys.modules['rich'] = None; from hookseal._cli import main; sys.exit(main())",
)

# What a child may take for anything; it takes milliseconds.
PATIENCE_SECONDS: Final = 20.0


class Ran(NamedTuple):
    """What a run left."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command: TypeAlias = Callable[..., Ran]


def line(body: bytes = BODY, **changed: Any) -> bytes:
    """A line of a queue that is valid as of NOW; keys that are None are left out."""
    message: dict[str, Any] = {
        "headers": signed(body),
        "body_b64": base64.b64encode(body).decode(),
        **changed,
    }
    kept = {name: value for name, value in message.items() if value is not None}
    return json.dumps(kept).encode() + b"\n"


def forged(body: bytes = BODY) -> bytes:
    """A line whose signature is another message's."""
    return line(body, headers=signed(body + b"!"))


def lines_of(data: bytes, one: bytes) -> int:
    """How many whole lines there are, all of which are the same."""
    assert data == one * data.count(b"\n")
    return data.count(b"\n")


# How terminals look, and that stdout is not buffered: what was written then waits for nothing.
_LEFT_OUT: Final = {"NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "LINES", "PYTHONUNBUFFERED"}


def environment(**more: str) -> dict[str, str]:
    """A child's environment, with the secret."""
    kept = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    return {**kept, VARIABLE: SECRET, "TERM": "xterm-256color", **more}


def run(*arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None) -> Ran:
    """Runs the command through pipes, in a process of its own."""
    child = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        env=env or environment(),
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return Ran(child.returncode, child.stdout.decode(), child.stderr.decode())


def ran_here(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    """Runs the command in this process."""
    capsys.readouterr()
    status = main(list(map(str, arguments)))
    return Ran(status, *capsys.readouterr())


@contextmanager
def started(
    *arguments: str | Path,
    command: Sequence[str] = COMMAND,
    env: dict[str, str] | None = None,
    **named: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """The command under way; it is gone when the block ends."""
    child = subprocess.Popen([*command, *map(str, arguments)], env=env or environment(), **named)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def endless(lines: bytes) -> Iterator[int]:
    """A pipe in which the lines come again and again until nobody reads on."""
    read, write = os.pipe()
    many = lines * (1 + 65536 // len(lines))

    def feed() -> None:
        try:
            while True:
                os.write(write, many)
        except OSError:
            os.close(write)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield read
    finally:
        os.close(read)
        thread.join(PATIENCE_SECONDS)


def wait_for(what: Any) -> None:
    """Waits until a call says something true."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def interrupted(child: subprocess.Popen[bytes], number: int = signal.SIGINT) -> int:
    """Sends a signal and gives the exit status."""
    child.send_signal(number)
    return child.wait(PATIENCE_SECONDS)


@pytest.fixture(params=["core", "twin"], autouse=True)
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The command with the core, and as it is where there is no binary."""
    name = str(request.param)
    if name == "core":
        pytest.importorskip("hookseal._core")
    monkeypatch.setattr("hookseal._cli._implementation.is_core", lambda: name == "core")
    return name


@pytest.fixture
def batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs ``verify-batch`` over files of these contents, named 0.jsonl, 1.jsonl, …"""
    monkeypatch.setenv(VARIABLE, SECRET)
    monkeypatch.chdir(tmp_path)

    def run(*contents: bytes, options: Any = (), keys: Any = AS_OF_NOW) -> Ran:
        names = []
        for number, content in enumerate(contents):
            names.append(f"{number}.jsonl")
            Path(names[-1]).write_bytes(content)
        return ran_here(capsys, "verify-batch", *names, *keys, *options)

    return run


def words(ran: Ran) -> str:
    """Standard error without the warning that there is no compiled module."""
    return "".join(
        line for line in ran.err.splitlines(keepends=True) if "no compiled module" not in line
    )
