"""Files that change as a whole, and locks that keep writers apart."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from hookseal import _atomic_file
from hookseal._atomic_file import locked, replace
from tests.command import PATIENCE_SECONDS, wait_for

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and signals are POSIX")


def test_replaced(tmp_path: Path) -> None:
    file = tmp_path / "f"
    replace(str(file), b"new")
    assert file.read_bytes() == b"new"
    replace(str(file), b"newer")
    assert file.read_bytes() == b"newer"
    replace(str(file), b"")
    assert file.read_bytes() == b""
    assert os.listdir(tmp_path) == ["f"]


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with locked("f"):
        replace("f", b"x")
    assert sorted(os.listdir()) == ["f", "f.lock"]


@posix
def test_modes(tmp_path: Path) -> None:
    def mode() -> int:
        return stat.S_IMODE((tmp_path / "f").stat().st_mode)

    before = os.umask(0o027)
    try:
        replace(str(tmp_path / "f"), b"new")
        assert mode() == 0o640
        replace(str(tmp_path / "f"), b"as it was")
        assert mode() == 0o640
        replace(str(tmp_path / "f"), b"given", mode=0o600)
        assert mode() == 0o600
        replace(str(tmp_path / "f"), b"given wider", mode=0o666)
        assert mode() == 0o666
    finally:
        os.umask(before)


@posix
def test_nobody_else_can_read_it_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is to be private is so from its first byte."""
    seen = []

    def chmod(descriptor: int, mode: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))

    monkeypatch.setattr(os, "fchmod", chmod)
    replace(str(tmp_path / "f"), b"secret", mode=0o600)
    assert seen == [0o600]


@posix
def test_the_owner_stays(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    file = tmp_path / "f"
    file.write_bytes(b"old")
    os.chown(file, 1234, 4321)
    replace(str(file), b"new", mode=0o600)
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 4321)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_owner_that_cannot_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Better no change than one that takes the file away from who reads it."""
    file = tmp_path / "f"
    file.write_bytes(b"old")
    genuine = os.fstat

    def other(descriptor: int) -> Any:
        told = list(genuine(descriptor))
        told[4] += 1  # st_uid
        return os.stat_result(told)

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fstat", other)
    monkeypatch.setattr(os, "fchown", refused, raising=False)
    with pytest.raises(PermissionError):
        replace(str(file), b"new")
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


@posix
def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "f").write_bytes(b"old")
    (tmp_path / "link").symlink_to("there/f")
    with locked(str(tmp_path / "link")):
        replace(str(tmp_path / "link"), b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "f").read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path / "there")) == ["f", "f.lock"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_fails_leaves_no_trace(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"old")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fails)
    with pytest.raises(OSError, match="No space"):
        replace(str(file), b"new")
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_it_is_on_the_disk_before_it_has_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename that reaches the disk before the content leaves an empty file behind a crash."""
    steps = []
    sync, rename = os.fsync, os.replace

    def noted_sync(descriptor: int) -> None:
        steps.append("sync")
        sync(descriptor)

    def noted_rename(before: str, after: str) -> None:
        steps.append("rename")
        rename(before, after)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_rename)
    replace(str(tmp_path / "f"), b"new")
    # The folder is synced too, where that can be done.
    assert steps[:2] == ["sync", "rename"]
    assert os.name != "posix" or steps[2:] == ["sync"]


WRITER = """
import sys
from hookseal._atomic_file import locked, replace
print("ready", flush=True)
contents = [b"a" * 300_000, b"b" * 500_000]
while True:
    for content in contents:
        with locked(sys.argv[1]):
            replace(sys.argv[1], content)
"""


@posix
def test_killed_at_any_time(tmp_path: Path) -> None:
    """The file is always one content or the other, and the next writer tidies up."""
    file = tmp_path / "f"
    file.write_bytes(b"a" * 300_000)
    for round_ in range(12):
        command = [sys.executable, "-c", WRITER, str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            begin = file.stat().st_ino
            for _ in range(round_ * 3):
                assert file.read_bytes() in (b"a" * 300_000, b"b" * 500_000)
            wait_for(lambda old=begin: file.stat().st_ino != old)
            child.send_signal(signal.SIGKILL)
            child.wait(PATIENCE_SECONDS)
        assert file.read_bytes() in (b"a" * 300_000, b"b" * 500_000)
    (tmp_path / ".f.0123456789abcdef.new").write_bytes(b"left")
    (tmp_path / ".f.other.new").write_bytes(b"somebody's")
    with locked(str(file)):  # Nobody holds it any more.
        replace(str(file), b"end")
    assert sorted(os.listdir(tmp_path)) == [".f.other.new", "f", "f.lock"]


def test_two_threads(tmp_path: Path) -> None:
    """Read, change and write under the lock: no change is lost."""
    file = tmp_path / "f"
    file.write_bytes(b"0")

    def count() -> None:
        for _ in range(50):
            with locked(str(file)):
                replace(str(file), b"%d" % (int(file.read_bytes()) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert file.read_bytes() == b"200"


def test_who_waits_in_vain(tmp_path: Path) -> None:
    file = str(tmp_path / "f")
    refused = pytest.raises(TimeoutError, match="another process is changing it")
    with locked(file), refused, locked(file, 0.0):
        raise AssertionError("the lock was given twice")
    with locked(file, 0.0):
        pass


@posix
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_process_that_was_forked_meanwhile(tmp_path: Path) -> None:
    """It has the lock's file open too, and may live for long: that must not keep writers away."""
    file = str(tmp_path / "f")
    inside, go = threading.Event(), threading.Event()

    def write() -> None:
        with locked(file):
            inside.set()
            go.wait()

    thread = threading.Thread(target=write)
    thread.start()
    inside.wait()
    stay, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(end)
        os.read(stay, 1)
        os._exit(0)
    go.set()
    thread.join()
    try:
        with locked(file, 0.0):
            pass
    finally:
        os.close(end)
        os.close(stay)
        os.waitpid(child, 0)


@posix
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_process_that_was_forked_inside(tmp_path: Path) -> None:
    """What it does at its end opens nothing for the one that holds the lock."""
    file = str(tmp_path / "f")
    child = -1
    with locked(file):
        child = os.fork()
        if child != 0:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            with pytest.raises(TimeoutError), locked(file, 0.0):
                raise AssertionError("the lock was given twice")
    if child == 0:
        os._exit(0)


def test_a_process_that_ends_the_work_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same seen from inside: what does not hold the lock does not give it back."""
    given_back: list[int] = []
    monkeypatch.setattr(_atomic_file, "_unlock", given_back.append)
    with locked(str(tmp_path / "f")):
        monkeypatch.setattr(os, "getpid", lambda: -1)
    assert given_back == []


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(str(tmp_path / "no" / "f")):
        raise AssertionError("there was no lock")


@posix
def test_the_lock_is_no_way_to_another_file(tmp_path: Path) -> None:
    """Where others may write too, a link in the place of the lock file leads nowhere."""
    (tmp_path / "f.lock").symlink_to(tmp_path / "created-elsewhere")
    with pytest.raises(OSError, match=r"f\.lock"), locked(str(tmp_path / "f")):
        raise AssertionError("the link was followed")
    assert not (tmp_path / "created-elsewhere").exists()


def test_waiting_has_an_end() -> None:
    assert 1 <= _atomic_file.PATIENCE_SECONDS <= 60
