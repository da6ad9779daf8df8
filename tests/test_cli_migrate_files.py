"""``hookseal migrate``: which files it takes, and what it leaves of a file."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command import COMMAND, environment
from tests.migrated import NEW, OLD, called, folder, put

__all__ = ["called", "folder"]


# Which files.


def test_below_a_folder(called: Any) -> None:
    wanted = ["a.py", "b/c.py", "b/d/e/f.py", "b/venv_tools/d.py"]
    for name in wanted:
        put(name)
    for name in (
        "b/x.txt",
        "b/x.pyi",
        ".hidden/x.py",
        "b/.x.py",
        "b/__pycache__/x.py",
        "node_modules/x.py",
        "lib/site-packages/x.py",
        "env/lib/x.py",
        "mamba/x.py",
    ):
        put(name)
    put("env/pyvenv.cfg", "")
    put("mamba/conda-meta/history", "")
    found = [one["path"] for one in called(".", "--json").json["found"]]
    assert found == [f"./{name}" for name in wanted]
    # What is named is taken, whatever it is called.
    ran = called("b/x.txt", ".hidden", "env", "--json").json["found"]
    assert [one["path"] for one in ran] == ["b/x.txt", ".hidden/x.py", "env/lib/x.py"]


def test_once(called: Any) -> None:
    put("a/b.py")
    found = called("a", "a/b.py", "./a/../a/b.py", ".", "--json").json["found"]
    assert [one["path"] for one in found] == ["a/b.py"]


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links(called: Any) -> None:
    """Below a folder they are not followed, so none leads out of it or back."""
    put("outside/a.py")
    put("inside/b.py")
    os.symlink("../inside", "inside/loop")
    os.symlink("../outside", "inside/out")
    os.symlink("../outside/a.py", "inside/link.py")
    os.symlink("nowhere", "inside/broken.py")
    found = called("inside", "--json").json["found"]
    assert [one["path"] for one in found] == ["inside/b.py"]
    # One that is named is followed, and stays a link.
    os.symlink("outside/a.py", "named.py")
    assert called("named.py", "--write").status == 1
    assert Path("named.py").is_symlink()
    assert Path("outside/a.py").read_text() == NEW


def test_a_folder_that_cannot_be_read(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.py")
    put("b/c.py")
    genuine = os.scandir

    def scandir(path: str) -> Any:
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", path)
        return genuine(path)

    monkeypatch.setattr(os, "scandir", scandir)
    ran = called(".", "--json")
    assert ran.status == 2
    assert [one["path"] for one in ran.json["found"]] == ["./a.py"]
    assert ran.json["unreadable"] == [{"path": "./b", "error": "Permission denied"}]


# What of a file stays.

BODY = "é = 'ü'\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OLD + BODY, NEW + BODY),
        (("\ufeff" + OLD + BODY).encode(), ("\ufeff" + NEW + BODY).encode()),
        ((OLD + BODY).replace("\n", "\r\n"), (NEW + BODY).replace("\n", "\r\n")),
        ((OLD + BODY).replace("\n", "\r"), (NEW + BODY).replace("\n", "\r")),
        (
            ("# coding: latin-1\n" + BODY + OLD).encode("latin-1"),
            ("# coding: latin-1\n" + BODY + NEW).encode("latin-1"),
        ),
        (
            ("# vim: set fileencoding=cp1252 :\r\n€ = '€'\r\n".replace("€ =", "x =") + OLD).encode(
                "cp1252"
            ),
            ("# vim: set fileencoding=cp1252 :\r\n€ = '€'\r\n".replace("€ =", "x =") + NEW).encode(
                "cp1252"
            ),
        ),
        (
            ("# coding: shift_jis\nx = '表ソ'; " + OLD).encode("shift_jis"),
            ("# coding: shift_jis\nx = '表ソ'; " + NEW).encode("shift_jis"),
        ),
        (OLD.rstrip("\n"), NEW.rstrip("\n")),
        ("x = '\u2028\x85\x0b\x0c'\n" + OLD + "\n\n", "x = '\u2028\x85\x0b\x0c'\n" + NEW + "\n\n"),
        ("x = 1 \t \n" + OLD + "\t\n", "x = 1 \t \n" + NEW + "\t\n"),
    ],
    ids=["utf-8", "mark", "crlf", "cr", "latin-1", "cp1252", "shift_jis", "end", "odd", "space"],
)
def test_bytes(before: str | bytes, after: str | bytes, called: Any) -> None:
    path = put("a.py", before)
    assert called("a.py", "--write").status == 1
    assert path.read_bytes() == (after.encode() if isinstance(after, str) else after)
    # The diff is the same change, byte for byte.
    put("a.py", before)
    ran = subprocess.run(
        [*COMMAND, "migrate", "a.py"], capture_output=True, check=False, env=environment()
    )
    tool = shutil.which("git")
    if tool is None:
        pytest.skip("no git to apply the diff")
    subprocess.run([tool, "apply", "--whitespace=nowarn", "-"], input=ran.stdout, check=True)
    assert path.read_bytes() == (after.encode() if isinstance(after, str) else after)


def test_an_encoding_with_two_spellings(called: Any) -> None:
    """It cannot be written back as it was, so it is left, and said."""
    before = b"# coding: utf-7\nx = '+AGE-'\n" + OLD.encode()
    put("a.py", before)
    ran = called("a.py", "--write")
    assert ran.status == 1
    assert "but look first: the file cannot be written back as it was" in ran.out
    assert Path("a.py").read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_mode_and_owner(called: Any) -> None:
    for mode in (0o644, 0o755, 0o600, 0o664):
        path = put("a.py")
        path.chmod(mode)
        before = path.stat()
        assert called("a.py", "--write").status == 1
        after = path.stat()
        assert stat.S_IMODE(after.st_mode) == mode
        assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert os.listdir() == ["a.py"]


def test_one_that_cannot_be_written(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are, and the status says that an output failed."""
    put("a.py")
    put("b.py")
    genuine = os.access
    monkeypatch.setattr(os, "access", lambda path, how: "a.py" not in path and genuine(path, how))
    ran = called(".", "--write")
    assert ran.status == 74
    assert ran.err == "hookseal: cannot write to ./a.py: Permission denied\n"
    assert (Path("a.py").read_text(), Path("b.py").read_text()) == (OLD, NEW)


def test_a_hard_link(called: Any) -> None:
    """Its other name would have the old text, and nobody would know."""
    os.link(put("a.py"), "other")
    ran = called("a.py", "--write")
    assert ran.status == 74
    assert "a hard link, which would stay as it is: it was left" in ran.err
    assert Path("a.py").read_text() == Path("other").read_text() == OLD
    assert Path("a.py").samefile("other")


def test_one_that_changes_meanwhile(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.py")
    genuine = os.access

    def access(path: str, how: int) -> bool:
        put("a.py", OLD + "# somebody was faster\n")
        return genuine(path, how)

    monkeypatch.setattr(os, "access", access)
    ran = called("a.py", "--write")
    assert (ran.status, ran.out) == (74, "")
    assert "it has changed meanwhile, and was left" in ran.err
    assert Path("a.py").read_text() == OLD + "# somebody was faster\n"


def test_a_full_disk(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.py")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ran = called("a.py", "--write")
    assert ran == (74, "", "hookseal: cannot write to a.py: No space left on device\n")
    assert os.listdir() == ["a.py"]
    assert Path("a.py").read_text() == OLD
