"""``hookseal verify-batch``: files, and those that fail. The core and the twin."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command, batch, forged, implementation, line, words
from tests.implementations import SECRET

__all__ = ["batch", "implementation"]

needs_posix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices are POSIX")


def test_several_files(batch: Command) -> None:
    """In the order given; line numbers begin anew; a last line without an end stays one."""
    bad = forged().rstrip()
    ran = batch(
        line() + bad, b"", line() + bad, line(), options=["--rejects", "r", "--reasons", "s"]
    )
    assert ran.status == 1
    reasons = [json.loads(text) for text in Path("s").read_text().splitlines()]
    assert [(one["file"], one["line"]) for one in reasons] == [("0.jsonl", 2), ("2.jsonl", 2)]
    assert Path("r").read_bytes() == bad + b"\n" + bad
    assert "\n5 messages, " in ran.out


def test_rejects_are_a_queue(batch: Command) -> None:
    content = line() + forged() + b"nonsense\n"
    batch(content, options=["--rejects", "r"])
    again = batch(Path("r").read_bytes(), options=["--json"]).json
    assert (again["refused"], again["broken"], again["valid"]) == (1, 1, 0)


def test_lines_across_blocks(batch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (line(b"x" * 300) + forged() + b"nonsense\r\n") * 4
    whole = batch(content, options=["--rejects", "whole", "--json"]).json
    assert whole["valid"] == whole["refused"] == whole["broken"] == 4
    for size in (1, 7, 100, 1000):
        monkeypatch.setattr("hookseal._cli._ahead.BLOCK_BYTES", size)
        told = batch(content, options=["--rejects", "r", "--json"]).json
        for name in ("messages", "verdicts", "endpoints", "secrets", "bytes"):
            assert told[name] == whole[name]
        assert Path("r").read_bytes() == Path("whole").read_bytes()


def test_rejects_replace_what_was_there(batch: Command) -> None:
    for name in ("r", "s"):
        Path(name).write_text("yesterday's\n" * 1000)
    batch(forged(), options=["--rejects", "r", "--reasons", "s"])
    assert Path("r").read_bytes() == forged()
    assert Path("s").read_text().count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--rejects", "0.jsonl"],
        ["--reasons", "./0.jsonl"],
        ["--rejects", "link"],
        ["--rejects", "x", "--reasons", "x"],
        ["--rejects", "-"],
        ["--rejects", "."],
        ["--rejects", "no/such/folder"],
        ["--rejects", "a\0b"],
        ["--rejects", "fine", "--reasons", "0.jsonl"],
    ],
)
def test_outputs_that_cannot_be(batch: Command, options: list[str]) -> None:
    """Nothing is judged, and nothing that was there is lost."""
    content = line() + forged()
    Path("0.jsonl").touch()
    os.link("0.jsonl", "link")
    Path("fine").write_text("yesterday's")
    ran = batch(content, options=options)
    assert (ran.status, ran.out) == (2, "")
    assert words(ran).startswith("hookseal: ")
    assert len(words(ran).splitlines()) == 1
    assert Path("0.jsonl").read_bytes() == content
    assert Path("fine").read_text() == "yesterday's"


def test_outputs_that_hold_secrets(batch: Command) -> None:
    """Neither the keyring nor a secret file is emptied, by whatever name it is called."""
    ring = '[endpoints.a]\nsecrets = [{ file = "ring.key" }]'
    contents = {"ring/ring.toml": ring, "ring/ring.key": SECRET, "own.key": SECRET}
    Path("ring").mkdir()
    for name, content in contents.items():
        Path(name).write_text(content)
    os.link("own.key", "link")
    with_ring = ["--keyring", "ring/ring.toml"]
    for keys, output, what in (
        (with_ring, "ring/ring.toml", "the keyring ring/ring.toml"),
        (with_ring, "ring/../ring/ring.key", "the secret file ring/ring.key"),
        (["--secret-file", "own.key"], "link", "the secret file own.key"),
    ):
        for option in ("--rejects", "--reasons"):
            ran = batch(forged(), keys=keys, options=[option, output])
            assert (ran.status, ran.out) == (2, "")
            assert words(ran) == f"hookseal: {output} is also {what}: nothing was written\n"
    assert {name: Path(name).read_text() for name in contents} == contents


@pytest.mark.parametrize("wrong", ["new", "no/such/folder", "0.jsonl", "-"])
def test_outputs_that_cannot_be_leave_no_new_file(batch: Command, wrong: str) -> None:
    ran = batch(forged(), options=["--rejects", "new", "--reasons", wrong])
    assert ran.status == 2
    assert not Path("new").exists()


@needs_posix
def test_the_null_device_may_be_both(batch: Command) -> None:
    assert batch(forged(), options=["--rejects", os.devnull, "--reasons", os.devnull]).status == 1


@pytest.mark.parametrize("name", ["no.jsonl", ".", "a\0b", ""])
def test_an_input_that_cannot_be_read(batch: Command, name: str) -> None:
    """Before any verdict, though it comes second."""
    ran = batch(line(), options=[name, "--rejects", "r"])
    assert (ran.status, ran.out) == (2, "")
    assert words(ran).startswith("hookseal: cannot read ")
    assert not Path("r").exists()


def test_a_file_that_vanished(batch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was there when the run began."""
    from hookseal._cli._ahead import Ahead

    begin = Ahead.__init__

    def vanishing(self: Ahead, *arguments: Any) -> None:
        Path("1.jsonl").unlink()
        begin(self, *arguments)

    monkeypatch.setattr(Ahead, "__init__", vanishing)
    ran = batch(forged(), line(), line(), options=["--json", "--rejects", "r"])
    assert ran.status == 74
    assert "cannot read on in 1.jsonl: No such file or directory" in ran.err
    # What was judged until then counts.
    assert (ran.json["refused"], ran.json["valid"], ran.json["complete"]) == (1, 0, False)
    assert Path("r").read_bytes() == forged()


def test_a_disk_that_fails(batch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from hookseal._cli._sources import read

    monkeypatch.setattr("hookseal._cli._ahead.BLOCK_BYTES", len(forged()))
    calls = iter(range(100))

    def failing(*arguments: Any) -> bytes:
        if next(calls) == 2:
            raise OSError(5, "Input/output error")
        return read(*arguments)

    monkeypatch.setattr("hookseal._cli._ahead.read", failing)
    ran = batch(forged() * 5, options=["--json", "--rejects", "r"])
    assert ran.status == 74
    assert "cannot read on in 0.jsonl: Input/output error" in ran.err
    assert ran.json["messages"] == 2
    assert Path("r").read_bytes() == forged() * 2


@needs_posix
def test_a_full_disk(batch: Command) -> None:
    """/dev/full takes nothing. The counts are shown all the same."""
    for option in ("--rejects", "--reasons"):
        ran = batch(forged(), options=[option, "/dev/full", "--json"])
        assert ran.status == 74
        assert words(ran) == "hookseal: cannot write to /dev/full: No space left on device\n"
        assert (ran.json["refused"], ran.json["complete"]) == (1, False)


@needs_posix
def test_an_output_that_fails_takes_nothing_from_the_other(batch: Command) -> None:
    """It ends the run, after what was judged until then is in the other file."""
    content = (forged() + b"nonsense\n") * 30
    ran = batch(content, options=["--rejects", "/dev/full", "--reasons", "s", "--json"])
    assert ran.status == 74
    assert len(Path("s").read_text().splitlines()) == ran.json["messages"] == 60
    failed, *told = words(ran).splitlines()
    assert failed == "hookseal: cannot write to /dev/full: No space left on device"
    assert len(told) == 21
    assert told[-1] == "hookseal: and 10 more broken lines"
    for end in (b"", b"nonsense"):
        ran = batch(content + end, options=["--rejects", "r", "--reasons", "/dev/full"])
        assert ran.status == 74
        assert Path("r").read_bytes() == content
        assert words(ran).endswith("hookseal: and 10 more broken lines\n")
    # The last line of a file is whole without a line end, too.
    ran = batch(b"nonsense", options=["--rejects", "r", "--reasons", "/dev/full"])
    assert (ran.status, Path("r").read_bytes()) == (74, b"nonsense")
