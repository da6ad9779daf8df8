"""``hookseal secret rotate`` and ``retire``: when they refuse, or are stopped."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import hookseal
from hookseal import _atomic_file
from hookseal._cli import main
from tests.command import COMMAND, PATIENCE_SECONDS, environment, run, started, wait_for
from tests.implementations import NOW, SECRET, secret
from tests.ring_file import AT, DAY, RING, TODAY, YES, called, entries, folder

pytest.importorskip("hookseal._core")
pytest.importorskip("tomlkit")

__all__ = ["called", "folder"]


@pytest.mark.parametrize("command", [["rotate"], ["retire"]])
def test_a_dry_run(command: list[str], called: Any) -> None:
    more = ["2026-11", "--force"] if command == ["retire"] else ["--new-file", "next"]
    ran = called(*command, "ring.toml", "acme/billing", *more, *AT, "--dry-run")
    assert (ran.status, ran.err) == (0, "hookseal: nothing was changed: this was a dry run\n")
    assert "2026-11" in ran.out
    assert Path("ring.toml").read_text() == RING
    assert sorted(os.listdir()) == ["old-secret", "ring.toml"]


WRONG = {
    "no file": (["rotate", "no.toml", "a", *YES], "cannot read the keyring no.toml: No such file"),
    "no endpoint": (["rotate", "ring.toml", "a", *YES], "ring.toml has no endpoint 'a'"),
    "no label": (
        ["retire", "ring.toml", "forms", "x", *YES, "--force"],
        "ring.toml has no secret 'x' of 'forms'",
    ),
    "no TOML": (["rotate", "old-secret", "a", *YES], "old-secret: not TOML"),
    "nobody to ask": (["rotate", "ring.toml", "forms", *AT], "nobody can be asked: --yes"),
    "two secrets": (
        ["rotate", "ring.toml", "forms", *YES, "--secret-env", "A", "--secret-env", "B"],
        "one new secret",
    ),
    "two sources": (
        ["rotate", "ring.toml", "forms", *YES, "--secret-env", "A", "--enter"],
        "one new secret",
    ),
    "one in a variable that is not set": (
        ["rotate", "ring.toml", "forms", *YES, "--secret-env", "HOOK_ABSENT"],
        "'HOOK_ABSENT' is not set",
    ),
    "one on the command line": (
        ["rotate", "ring.toml", "forms", *YES, "--secret", SECRET],
        "does not belong on the command line",
    ),
    "one that is no key": (
        ["rotate", "ring.toml", "acme/billing", *YES, "--secret-file", "no-key"],
        "the new secret of 'acme/billing' holds white space",
    ),
    "days": (["rotate", "ring.toml", "forms", *YES, "--overlap-days", "x"], "a whole number"),
    "a folder that is not there": (
        ["rotate", "ring.toml", "forms", *YES, "--new-file", "no/next"],
        "cannot write to no/next",
    ),
    "too many arguments": (["compare", "a", "b", "c"], "unknown argument 'c'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong(case: str, called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_ABSENT", raising=False)
    monkeypatch.setattr(sys, "stdin", StringIO())
    Path("no-key").write_text("no key")
    arguments, words = WRONG[case]
    ran = called(*arguments)
    assert ran.status in (2, 74)
    assert words in ran.err
    assert SECRET not in ran.err
    assert Path("ring.toml").read_text() == RING
    assert not Path("ring.toml.lock").exists()


def test_without_tomlkit(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tomlkit", None)
    words = "hookseal: to change a keyring needs tomlkit: pip install 'hookseal[cli]'\n"
    assert called("rotate", "ring.toml", "forms", *YES) == (2, "", words)
    assert called("retire", "ring.toml", "acme/billing", "0", *YES, "--force").err == words
    assert Path("ring.toml").read_text() == RING
    # To look at one needs nothing.
    assert called("list", "ring.toml").status == 0
    assert called("compare", "ring.toml", "ring.toml").status == 0


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_mode_that_was_wider(called: Any) -> None:
    Path("ring.toml").chmod(0o640)
    ran = called("rotate", "ring.toml", "forms", *YES)
    assert ran.err == "hookseal: warning: ring.toml had the mode 0640, and has 0600 now\n"
    assert stat.S_IMODE(Path("ring.toml").stat().st_mode) == 0o600


def test_a_change_meanwhile(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written over it, and no new secret file is left."""
    genuine = _atomic_file.locked

    def late(path: str) -> Any:
        Path("ring.toml").write_text(RING + "# somebody was faster\n")
        return genuine(path)

    monkeypatch.setattr("hookseal._cli._editor.locked", late)
    ran = called("rotate", "ring.toml", "forms", *YES, "--new-file", "next", "--show")
    assert ran.status == 1
    assert ran.err == "hookseal: ring.toml has changed meanwhile: nothing was written\n"
    assert Path("ring.toml").read_text() == RING + "# somebody was faster\n"
    assert not Path("next").exists()
    assert "whsec_" not in ran.out


def test_an_interrupt_when_it_is_written(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the keyring names already is not taken away."""
    genuine = os.replace

    def interrupted(before: str, after: str) -> None:
        genuine(before, after)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    ran = called("rotate", "ring.toml", "forms", *YES, "--new-file", "next")
    assert ran.status == 130
    assert entries("forms")[0]["file"] == "next"
    assert Path("next").exists()
    assert hookseal.Keyring.from_file("ring.toml").labels("forms") == [TODAY, "0"]


def test_a_disk_that_is_full_for_a_new_file(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ran = called("rotate", "ring.toml", "forms", *YES, "--new-file", "next")
    assert (ran.status, ran.err) == (
        74,
        "hookseal: cannot write to next: No space left on device\n",
    )
    assert Path("ring.toml").read_text() == RING
    assert sorted(os.listdir()) == ["old-secret", "ring.toml"]


def test_a_disk_that_is_full(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    ran = called("rotate", "ring.toml", "forms", *YES)
    assert (ran.status, ran.err) == (
        74,
        "hookseal: cannot change ring.toml: No space left on device\n",
    )
    assert Path("ring.toml").read_text() == RING
    assert sorted(os.listdir()) == ["old-secret", "ring.toml", "ring.toml.lock"]


# As a process.


def answered(answer: bytes | None, *arguments: str) -> tuple[int, str]:
    """Runs a command on a terminal, and answers its question; None interrupts it there."""
    import pty

    master, slave = pty.openpty()
    shown = b""
    with started("secret", *arguments, stdin=slave, stdout=slave, stderr=slave) as child:
        os.close(slave)
        while not shown.rstrip().endswith((b"[y/N]", b"secret:")):
            shown += os.read(master, 4096)
        if answer is None:
            child.send_signal(signal.SIGINT)
        else:
            os.write(master, answer)
        status = child.wait(PATIENCE_SECONDS)
        os.set_blocking(master, False)
        try:
            while more := os.read(master, 65536):
                shown += more
        except OSError:
            pass
    os.close(master)
    return status, shown.decode()


@pytest.mark.skipif(os.name != "posix", reason="terminals are POSIX")
@pytest.mark.parametrize(
    ("answer", "is_yes"),
    [
        (b"y\n", True),
        (b"YES\n", True),
        (b"n\n", False),
        (b"\n", False),
        (b"yess\n", False),
        (b"\x04", False),
    ],
)
def test_asked_on_a_terminal(answer: bytes, is_yes: bool) -> None:
    status, shown = answered(answer, "rotate", "ring.toml", "forms", *AT)
    assert status == (0 if is_yes else 1)
    assert "change ring.toml? [y/N]" in shown
    assert (Path("ring.toml").read_text() == RING) is not is_yes
    assert ("nothing was changed" in shown) is not is_yes
    if not is_yes:
        assert sorted(os.listdir()) == ["old-secret", "ring.toml"]


@pytest.mark.skipif(os.name != "posix", reason="terminals are POSIX")
def test_interrupted_at_the_question() -> None:
    status, _ = answered(None, "rotate", "ring.toml", "forms", *AT, "--new-file", "next")
    assert status == 130
    assert Path("ring.toml").read_text() == RING
    assert not Path("next").exists()


@pytest.mark.skipif(os.name != "posix", reason="terminals are POSIX")
def test_entered_on_a_terminal() -> None:
    """What is typed is not shown."""
    text = f"{secret(5)}\n".encode()
    status, shown = answered(text, "rotate", "ring.toml", "acme/billing", *YES, "--enter")
    assert status == 0
    assert entries()[0]["value"] == secret(5)
    assert secret(5) not in shown


def test_two_at_once() -> None:
    """Each change is there at the end, or was refused: none is lost."""
    command = [*COMMAND, "secret", "rotate", "ring.toml", "forms", *AT, "--yes", "--label"]
    for round_ in range(3):
        children = [
            subprocess.Popen(
                [*command, f"{round_}-{number}"],
                env=environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            for number in range(2)
        ]
        told = [child.communicate(timeout=PATIENCE_SECONDS)[1].decode() for child in children]
        labels = [one["label"] for one in entries("forms")]
        for number, child in enumerate(children):
            is_there = f"{round_}-{number}" in labels
            assert child.returncode == (0 if is_there else 1), told[number]
            assert is_there or "has changed meanwhile" in told[number]
        assert len(labels) == len(set(labels))
    assert hookseal.Keyring.from_file("ring.toml").labels("forms") == labels


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_killed_at_any_time() -> None:
    """The file is a keyring at every moment, with all its secrets or one more."""
    for round_ in range(6):
        Path("ring.toml").write_text(RING)
        before = Path("ring.toml").stat().st_ino
        arguments = ("secret", "rotate", "ring.toml", "forms", *YES)
        with started(*arguments, stdout=subprocess.DEVNULL) as child:
            wait_for(
                lambda old=before, more=round_: (
                    Path("ring.toml").stat().st_ino != old
                    or (Path("ring.toml.lock").exists() and more % 2)
                    or child.poll() is not None
                )
            )
            child.send_signal(signal.SIGKILL)
            child.wait(PATIENCE_SECONDS)
        assert len(hookseal.Keyring.from_file("ring.toml").labels("forms")) in (1, 2)
        Path("ring.toml.lock").unlink(missing_ok=True)
    assert run("secret", "rotate", "ring.toml", "acme/billing", *YES).status == 0
    assert sorted(os.listdir()) == ["old-secret", "ring.toml", "ring.toml.lock"]


def test_the_whole_way(called: Any) -> None:
    """Rotate, see the old one fall idle in what ``verify-batch`` wrote down, retire it."""
    from tests.command import line
    from tests.implementations import key, signed

    Path("r.toml").write_text('[endpoints.a]\nsecrets = [{ env = "HOOK_NEW" }]\n')
    Path("r.toml").chmod(0o600)
    new = ("--secret-env", "HOOK_NEXT", "--label", "new")
    assert called("rotate", "r.toml", "a", *YES, *new).status == 0

    def queue(by_key: bytes, days: int) -> None:
        at = NOW + days * DAY
        headers = signed(key=by_key, timestamp=at)
        Path("q").write_bytes(line(headers=headers, endpoint="a", received_at=at))
        arguments = ["verify-batch", "q", "--keyring", "r.toml", "--usage", "u.json"]
        assert main(arguments) == 0

    from tests.implementations import KEY

    queue(KEY, 1)
    queue(key(1), 2)
    retire = ("retire", "r.toml", "a", "0", "--yes", "--usage", "u.json", "--now")
    assert called(*retire, str(NOW + 3 * DAY)).status == 1
    queue(key(1), 9)
    assert called(*retire, str(NOW + 9 * DAY)).status == 0
    assert entries("a", "r.toml") == [{"env": "HOOK_NEXT", "label": "new"}]
