"""The command where something gives way: a terminal, a pipe, a file, a signal."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from hookseal._cli import _batch, _exit, _implementation, _say, _secret, _sources, main
from hookseal._cli._ahead import Ahead
from hookseal._cli._editor import Editor, _edited
from hookseal._cli._exit import Fault
from hookseal._cli._progress import Progress
from hookseal._cli._rejects import Output
from tests.command import AS_OF_NOW, VARIABLE, line
from tests.implementations import SECRET, secret

pytest.importorskip("hookseal._core")

needs_posix = pytest.mark.skipif(os.name != "posix", reason="pipes are POSIX")

RING = f'[endpoints.a]\nscheme = "standard-webhooks"\nsecrets = [{{ value = "{secret(1)}" }}]\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, SECRET)
    return tmp_path


class Failing(io.FileIO):
    """A file that a network disk is behind."""

    def truncate(self, size: int | None = None) -> int:
        raise OSError(5, "Input/output error")

    def close(self) -> None:
        super().close()
        raise OSError(5, "Input/output error")


class Closed(io.StringIO):
    """What is left of a terminal."""

    def isatty(self) -> bool:
        raise ValueError("I/O operation on closed file")


# What is read.


def test_a_run_is_stopped_before_its_first_block() -> None:
    Path("q").write_bytes(line())
    ahead = Ahead(_sources.sources(["q"]))
    ahead.stop()
    assert list(ahead) == []


@needs_posix
def test_a_pipe_that_does_not_wait_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)

    def waits(readers: list[Any], *_: Any) -> None:
        assert [one.fileno() for one in readers] == [reader]
        os.write(writer, b"late")
        os.close(writer)

    monkeypatch.setattr("select.select", waits)
    with io.FileIO(reader) as stream:
        assert _sources.read(stream, 9) == b"late"
        assert _sources.read(stream, 9) == b""


def test_more_than_a_limit_is_not_read() -> None:
    Path("s").write_bytes(b"x" * 11)
    with pytest.raises(Fault, match="the secret of s is longer than 10 bytes"):
        _sources.whole("s", "the secret", 10)
    assert _sources.whole("s", "the secret", 11) == b"x" * 11


def test_a_disk_that_cannot_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> bytes:
        raise OSError(5, "Input/output error")

    Path("s").write_bytes(b"x")
    monkeypatch.setattr(_sources, "read", fails)
    with pytest.raises(Fault, match="cannot read the secret from s: Input/output error"):
        _sources.whole("s", "the secret")


def test_a_secret_that_nobody_types(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def end(_: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", end)
    assert main(["secret", "check"]) == 2
    assert "empty" in capsys.readouterr().err
    monkeypatch.setattr("getpass.getpass", lambda _: SECRET)
    assert _secret.entered().check("standard-webhooks") == []


# What is written.


def test_an_output_that_fails_when_it_is_closed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line that did not end stays torn, and what is wrong is said once."""
    output = Output("r", Failing("r", "w"))
    output.put(b"whole\ntorn")
    with pytest.raises(Fault, match="cannot write to r: Input/output error") as raised:
        output.close()
    assert raised.value.status == _exit.IO_ERROR
    assert Path("r").read_bytes() == b"whole\ntorn"

    Path("q").write_bytes(line() + b"broken\n")
    monkeypatch.setattr("hookseal._cli._rejects.FileIO", Failing)
    monkeypatch.setattr(Failing, "truncate", lambda *_: 0)
    assert main(["verify-batch", "q", *AS_OF_NOW, "--rejects", "r"]) == _exit.IO_ERROR
    assert "cannot write to r: Input/output error" in capsys.readouterr().err
    assert Path("r").read_bytes().startswith(b"broken\n")


@needs_posix
def test_a_pipe_that_does_not_wait_gets_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    received = bytearray()

    def waits(_: Any, writers: list[Any], *__: Any) -> None:
        assert [one.fileno() for one in writers] == [writer]
        received.extend(os.read(reader, 1_000_000))

    monkeypatch.setattr("select.select", waits)
    output = Output("pipe", io.FileIO(writer, "w"))
    sent = b"x" * 1_500_000 + b"\n"
    output.put(sent)
    output.close()
    while piece := os.read(reader, 1_000_000):
        received.extend(piece)
    os.close(reader)
    assert received == sent


def test_bytes_where_standard_output_has_no_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.StringIO()
    monkeypatch.setattr(sys, "stdout", text)
    _say.put_bytes(b"caf\xc3\xa9 \xff")
    assert text.getvalue() == "café \\xff"


def test_a_closed_stream_is_no_terminal() -> None:
    assert not _say.is_terminal(Closed())
    assert not _say.is_terminal(None)


def test_amounts() -> None:
    assert [_say.amount(10.0**power) for power in (2, 5, 8, 11, 15)] == [
        "100 B",
        "100 kB",
        "100 MB",
        "100 GB",
        "1,000.0 TB",
    ]


def test_a_bar_on_a_terminal_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar is drawn no more, and nobody notices."""

    class Bar:
        def __init__(self) -> None:
            self.drawn = 0

        def draw(self, *_: Any) -> None:
            self.drawn += 1
            raise OSError(5, "Input/output error")

        def clear(self) -> None:
            raise ValueError("I/O operation on closed file")

    bar = Bar()
    monkeypatch.setattr("hookseal._cli._progress._bar", lambda: bar)
    monkeypatch.setattr("hookseal._cli._progress._FIRST_AFTER_SECONDS", 0)
    monkeypatch.setattr("hookseal._cli._progress._AGAIN_AFTER_SECONDS", 0)
    Path("q").write_bytes(line())
    progress = Progress(_sources.sources(["q"]))
    progress.show(1, 1)
    progress.show(1, 1)
    assert bar.drawn == 1
    progress.clear()
    progress.clear()


def test_a_fault_takes_the_bar_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []

    class Bar:
        def show(self, *_: Any) -> None:
            raise Fault("cannot read on", _exit.IO_ERROR)

        def clear(self) -> None:
            said.append("clear")

    monkeypatch.setattr(_batch, "_progress", lambda _: Bar())
    Path("q").write_bytes(line())
    assert main(["verify-batch", "q", *AS_OF_NOW]) == _exit.IO_ERROR
    assert set(said) == {"clear"}
    assert "cannot read on" in capsys.readouterr().err


# Signals.


def test_a_thread_that_is_not_the_main_one_runs_without_signals(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("q").write_bytes(line())
    before = signal.getsignal(signal.SIGINT)
    statuses: list[int] = []
    thread = threading.Thread(
        target=lambda: statuses.append(main(["verify-batch", "q", *AS_OF_NOW]))
    )
    thread.start()
    thread.join()
    assert statuses == [_exit.FINE]
    assert signal.getsignal(signal.SIGINT) is before
    assert "1" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "cannot write to standard output: it is full"])
def test_a_reader_that_goes_with_ctrl_c(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends a whole pipeline: the status stays that of the signal."""

    def put(_: str) -> None:
        raise Fault(text, _exit.IO_ERROR)

    class Ctrl:
        def show(self, *_: Any) -> None:
            signal.raise_signal(signal.SIGINT)

        def clear(self) -> None: ...

    monkeypatch.setattr(_batch, "_progress", lambda _: Ctrl())
    monkeypatch.setattr(_say, "put", put)
    Path("q").write_bytes(line())
    assert main(["verify-batch", "q", *AS_OF_NOW]) == 130
    assert (text in capsys.readouterr().err) or not text


# Keyrings.


def test_a_keyring_that_goes_away_is_taken_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot look must not write again."""
    path = Path("a.toml")
    path.write_text(RING)
    path.chmod(0o600)
    editor = Editor("a.toml")
    assert editor.is_written(RING.encode())
    assert not editor.is_written(b"")
    monkeypatch.setattr("hookseal._cli._editor.MAX_KEYRING_FILE_BYTES", 10)
    assert editor.is_written(b"")
    path.unlink()
    assert editor.is_written(b"")


def test_a_layout_that_cannot_be_edited() -> None:
    assert _edited("a = [", "a", None) is None
    assert _edited("[endpoints]", "a", None) is None


def test_a_keyring_that_goes_between_two_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("a.toml")
    path.write_text(RING)
    path.chmod(0o600)

    def gone(file: str, *_: Any) -> None:
        raise FileNotFoundError(2, "No such file or directory", file)

    monkeypatch.setattr("hookseal._keyring_file.keyring_of", gone)
    assert main(["secret", "compare", "a.toml", "a.toml"]) == _exit.USAGE
    assert "cannot read the keyring a.toml: No such file" in capsys.readouterr().err


# The installation.


def test_which_implementation_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _implementation.is_core()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "hookseal._core", None)
        patch.delattr("hookseal._core", raising=False)
        assert not _implementation.is_core()

    class Broken:
        """Another module that the core needs is not there: that is no lack of a core."""

        @staticmethod
        def find_spec(name: str, *_: Any) -> None:
            if name == "hookseal._core":
                raise ModuleNotFoundError("no module 'other'", name="other")

    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "hookseal._core")
        patch.setattr(sys, "meta_path", [Broken, *sys.meta_path])
        with pytest.raises(ModuleNotFoundError, match="other"):
            _implementation.is_core()


def test_a_bug_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit.of_a_bug(RuntimeError("a secret")) == _exit.BUG
    said = capsys.readouterr().err
    assert "bug in hookseal: RuntimeError (Python" in said
    assert "a secret" not in said
