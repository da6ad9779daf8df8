"""``hookseal migrate``: a folder to run it in, what it finds in a text, what it makes of that."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from hookseal._cli._migrate._found import Found
from hookseal._cli._migrate._imports import imports
from hookseal._cli._migrate._mirrors import Versions
from hookseal._cli._migrate._source import Source
from tests.command import Command, ran_here

OLD = "from standardwebhooks import Webhook\n"
NEW = "from hookseal.compat.standardwebhooks import Webhook\n"


def found(text: str, svix: str | None = None) -> tuple[Source, list[Found]]:
    """A text as the source of a file, and what is found in it."""
    source = Source("a.py", text.encode())
    return source, list(imports(source, Versions(svix)))


def rewritten(text: str, svix: str | None = None) -> str:
    """A text with everything that is found in it rewritten, of which nothing may be left over."""
    source, all_found = found(text, svix)
    assert all_found
    assert all(one.edits for one in all_found), [one.text for one in all_found]
    after = source.edited([edit for one in all_found for edit in one.edits])
    assert after is not None
    return after.decode()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def called(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs ``hookseal migrate`` in this process."""
    return partial(ran_here, capsys, "migrate")


def put(name: str, text: str | bytes = OLD) -> Path:
    """A file with this text, and the folders above it."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path
