"""``hookseal migrate`` on what few files hold, and where a file gives way."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

import pytest

from hookseal._cli import main
from hookseal._cli._migrate import _command
from hookseal._cli._migrate._advice import advice
from hookseal._cli._migrate._checks import checks
from hookseal._cli._migrate._source import Edit, Source, Unreadable
from tests.migrated import OLD

pytest.importorskip("hookseal._core")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(OLD)
    return tmp_path


def said(text: str) -> list[str]:
    """The words on every check of a source."""
    found = (advice(check) for check in checks(ast.parse(text)))
    return ["\n".join([one.text, *one.lines]) for one in found if one is not None]


def check(expression: str, *, header: str = "X-Signature", algorithm: str = "'sha256'") -> str:
    return (
        "import hashlib, hmac\n"
        "def f(request, body, key):\n"
        f"    mac = hmac.new(key, {expression}, {algorithm}).hexdigest()\n"
        f"    return hmac.compare_digest(mac, request.headers[{header!r}])\n"
    )


def test_a_digest_that_nobody_can_tell() -> None:
    """Given by a name of the program's own: it is taken for SHA-256."""
    (text,) = said(check("body", algorithm="chosen()"))
    assert 'format="{hex}"' in text


def test_a_known_header_with_another_algorithm() -> None:
    """It is no scheme's, so none is named."""
    (text,) = said(check("body", header="X-Hub-Signature-256", algorithm="hashlib.sha1"))
    assert "hookseal has no scheme with hmac-sha1" in text


def test_a_mac_under_the_header_of_a_token() -> None:
    (text,) = said(check("body", header="X-Gitlab-Token"))
    assert 'scheme="gitlab' not in text


def test_a_token_that_is_no_schemes() -> None:
    text = (
        "import hmac\n"
        "def f(request, key):\n"
        "    return hmac.compare_digest(key, request.headers['X-Hub-Signature-256'])\n"
    )
    assert said(text) == []


def test_pieces_that_are_joined() -> None:
    joined = said(check("b'.'.join([request.id, request.time, body])"))
    assert "a Scheme can describe it" in joined[0]
    written = said(check("'{}.{}'.format(request.time, body).encode()"))
    assert "a Scheme can describe it" in written[0]
    assert "a Scheme can describe it" not in said(check("b'.'.join(pieces)"))[0]
    assert "a Scheme can describe it" not in said(check("b'{}'.strip(body)"))[0]


def test_helpers_of_helpers_without_end() -> None:
    """So deep nobody looks."""
    # The last one first, so that each round of looking finds one more.
    text = "import hmac\n"
    text += "".join(f"def f{n}(b):\n    return f{n - 1}(b)\n" for n in range(59, 0, -1))
    text += "def f0(b):\n    return hmac.new(K, b, 'sha256').hexdigest()\n"
    text += "def g(r, b):\n    return hmac.compare_digest(f{}(b), r.headers['X-Signature'])\n"
    assert said(text.replace("f{}", "f0"))
    assert not any("X-Signature" in one for one in said(text.replace("f{}", "f59")))


def test_a_name_of_a_pattern_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    """What `match` gives the name of the import keeps the import from being changed."""
    Path("a.py").write_text(
        "from svix.webhooks import Webhook\n"
        "def f(value):\n"
        "    match value:\n"
        "        case {'a': 1, **Webhook}:\n"
        "            return Webhook\n"
    )
    main(["migrate", "a.py"])
    capsys.readouterr()
    assert "case {'a': 1, **Webhook}" in Path("a.py").read_text()


def test_an_import_that_may_fail(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text(f"try:\n    {OLD}except:\n    Webhook = None\n")
    assert main(["migrate", "a.py"]) in (0, 1)
    assert "+" not in capsys.readouterr().out.partition("@@")[2]


def test_an_edit_that_changes_more_than_imports() -> None:
    source = Source("a.py", b"x = 1\n")
    assert source.edited([Edit(0, 5, "x = 2")]) is None
    assert source.edited([Edit(0, 5, "x = ")]) is None
    assert source.edited([Edit(0, 0, "import os\n")]) is None
    source = Source("a.py", b"import sys\nx = 1\ny = 2\n")
    assert source.edited([Edit(0, 10, "import os")]) == b"import os\nx = 1\ny = 2\n"
    assert source.edited([Edit(11, 16, "x = 2")]) is None
    assert source.edited([Edit(11, 17, "")]) is None


def test_a_source_too_deep_for_python(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def deep(*_: Any) -> Any:
        raise RecursionError

    with monkeypatch.context() as patch:
        patch.setattr(ast, "parse", deep)
        with pytest.raises(Unreadable, match="nested too deeply"):
            Source("a.py", b"x = 1\n")
    monkeypatch.setattr(_command, "checks", deep)
    assert main(["migrate", "a.py"]) == 2
    assert "a.py: it is nested too deeply to be read" in capsys.readouterr().err


def test_no_python_source() -> None:
    half_a_pair = b"# coding: utf-7\nx = '+2AA-'\n"
    for data in (b"x = 1\0\n", b"x = " + b"9" * 5_000 + b"\n", half_a_pair):
        with pytest.raises(Unreadable, match=r"it is no Python source|syntax error"):
            Source("a.py", data)


@pytest.mark.parametrize("looked", [1, 2])
def test_a_file_that_goes_away_while_it_is_judged(
    looked: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    genuine, looks = os.stat, [0]

    def stat(path: Any, **named: Any) -> os.stat_result:
        if path == "a.py":
            looks[0] += 1
            if looks[0] > looked:
                raise FileNotFoundError(2, "No such file or directory")
        return genuine(path, **named)

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os.path, "isdir", lambda _: False)
    assert main(["migrate", "a.py"]) == 2
    assert "a.py: No such file or directory" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="FIFOs are POSIX")
def test_a_file_that_becomes_none_before_it_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def access(path: str, _: int) -> bool:
        os.unlink(path)
        os.mkfifo(path)
        return True

    monkeypatch.setattr(os, "access", access)
    assert main(["migrate", "a.py", "--write"]) == 74
    assert "a.py: it is no file" in capsys.readouterr().err


def test_a_path_on_another_drive(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Windows has no way from one to the other."""

    def no_way(_: str) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", no_way)
    assert main(["migrate", "a.py"]) == 1
    assert "+from hookseal.compat.standardwebhooks import Webhook" in capsys.readouterr().out
