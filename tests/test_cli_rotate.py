"""``hookseal secret rotate``: where the new secret is from, and what becomes of the file's text."""

from __future__ import annotations

import re
import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import hookseal
from tests.command import run
from tests.implementations import NOW, SECRET, secret
from tests.ring_file import DAY, RING, TODAY, YES, called, comments, entries, folder

pytest.importorskip("hookseal._core")
pytest.importorskip("tomlkit")

__all__ = ["called", "folder"]


def test_a_new_secret(called: Any) -> None:
    ran = called("rotate", "ring.toml", "acme/billing", *YES)
    assert (ran.status, ran.err) == (0, "")
    new, first, second = entries()
    assert set(new) == {"value", "label"}
    assert new["label"] == TODAY
    assert first == {"env": "HOOK_NEW", "label": "2026-11"}
    # Its number is written down: it would be another one from now on.
    assert second == {
        "file": "old-secret",
        "label": "0",
        "not_after": datetime(2026, 12, 1, tzinfo=UTC),
    }
    text = Path("ring.toml").read_text()
    assert comments(text) == comments(RING)
    assert "not_after = 2026-12-01T02:00:00+02:00" in text
    assert stat.S_IMODE(Path("ring.toml").stat().st_mode) == 0o600
    # What was made is shown without being told.
    assert new["value"] not in ran.out
    rows = [line.split() for line in ran.out.splitlines()]
    assert rows[1][:3] == ["new", "acme/billing", TODAY]
    assert rows[3][:3] == ["acme/billing", "0", "file"]
    # A ring reads it, and tries the new one first.
    ring = hookseal.Keyring.from_file("ring.toml")
    assert ring.labels("acme/billing") == [TODAY, "2026-11", "0"]
    headers = hookseal.Signer(new["value"]).sign(b"x")
    verified = hookseal.Verifier(ring).verify(b"x", headers, endpoint="acme/billing")
    assert verified.secret == TODAY


def test_shown_if_asked_for(called: Any) -> None:
    ran = called("rotate", "ring.toml", "forms", *YES, "--show")
    (new, _) = entries("forms")
    assert ran.out.splitlines()[-1] == new["value"]
    assert re.fullmatch("[0-9a-f]{40}", new["value"])


def test_from_the_environment(called: Any) -> None:
    ran = called("rotate", "ring.toml", "acme/billing", *YES, "--secret-env", "HOOK_NEXT")
    assert ran.status == 0
    assert entries()[0] == {"env": "HOOK_NEXT", "label": TODAY}
    assert secret(1) not in Path("ring.toml").read_text() + ran.out + ran.err


def test_from_a_file(called: Any, tmp_path: Path) -> None:
    """A relative path is one of here, and in the keyring file one of there."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "ring.toml").rename("etc/ring.toml")
    (tmp_path / "next").write_text(secret(1))
    place = ("rotate", "etc/ring.toml", "acme/billing", *YES, "--secret-file")
    assert called(*place, "next").status == 0
    assert entries(file="etc/ring.toml")[0] == {"file": "../next", "label": TODAY}
    (tmp_path / "third").write_text(secret(3))
    assert called(*place, str(tmp_path / "third")).status == 0
    assert entries(file="etc/ring.toml")[0]["file"] == str(tmp_path / "third")


def test_into_a_new_file(called: Any, tmp_path: Path) -> None:
    ran = called("rotate", "ring.toml", "acme/billing", *YES, "--new-file", "next")
    assert ran.status == 0
    assert entries()[0] == {"file": "next", "label": TODAY}
    text = Path("next").read_text()
    assert text.startswith("whsec_")
    assert text not in Path("ring.toml").read_text() + ran.out
    assert stat.S_IMODE(Path("next").stat().st_mode) == 0o600
    # Never over another one.
    ran = called("rotate", "ring.toml", "acme/billing", *YES, "--new-file", "next")
    assert (ran.status, ran.err) == (2, "hookseal: --new-file: next is there already\n")
    assert Path("next").read_text() == text
    # What is not below the keyring file's folder is named in full.
    (tmp_path / "etc").mkdir()
    (tmp_path / "ring.toml").rename("etc/ring.toml")
    place = ("rotate", "etc/ring.toml", "forms", *YES, "--new-file")
    assert called(*place, "elsewhere").status == 0
    assert entries("forms", "etc/ring.toml")[0]["file"] == str(tmp_path / "elsewhere")


def test_entered() -> None:
    """What the provider shows, through a pipe; a terminal is in the tests below."""
    place = ("secret", "rotate", "ring.toml", "acme/billing", *YES, "--enter")
    ran = run(*place, stdin=f"{secret(5)}\n".encode())
    assert (ran.status, ran.err) == (0, "")
    assert entries()[0] == {"value": secret(5), "label": TODAY}
    assert secret(5) not in ran.out


def test_the_others_end(called: Any) -> None:
    """Those that end sooner are left to."""
    Path("ring.toml").write_text(RING.replace("2026-12-01T02:00:00+02:00", "1700050000"))
    assert called("rotate", "ring.toml", "acme/billing", *YES, "--overlap-days", "2").status == 0
    _, first, second = entries()
    assert first["not_after"] == datetime.fromtimestamp(NOW + 2 * DAY, UTC)
    assert second["not_after"] == 1700050000
    assert called("rotate", "ring.toml", "acme/billing", *YES, "--overlap-days", "1").status == 0
    assert [one.get("not_after") for one in entries()[1:3]] == [
        datetime.fromtimestamp(NOW + DAY, UTC)
    ] * 2


def test_labels(called: Any) -> None:
    place = ("rotate", "ring.toml", "forms", *YES)
    assert called(*place, "--label", "mine").status == 0
    assert called(*place).status == called(*place).status == 0
    assert [one["label"] for one in entries("forms")] == [f"{TODAY}.2", TODAY, "mine", "0"]
    ran = called(*place, "--label", "mine")
    assert (ran.status, ran.out) == (2, "")
    assert "endpoints['forms'][3] has a label that another secret" in ran.err
    assert called(*place, "--label", "é").status == 2


def test_at_most_eight(called: Any) -> None:
    place = ("rotate", "ring.toml", "forms", *YES)
    for _ in range(7):
        assert called(*place).status == 0
    before = Path("ring.toml").read_text()
    ran = called(*place)
    assert ran.status == 2
    assert "is one too many: an endpoint has at most 8 secrets" in ran.err
    assert Path("ring.toml").read_text() == before


def test_the_same_key_again(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever form, and where the other one can be read."""
    place = ("rotate", "ring.toml", "acme/billing", *YES)
    for same in (SECRET, SECRET.removeprefix("whsec_"), secret(2)):
        monkeypatch.setenv("HOOK_NEXT", same)
        ran = called(*place, "--secret-env", "HOOK_NEXT")
        assert (ran.status, ran.out) == (2, "")
        assert "is the same key as another one of the endpoint" in ran.err
    assert Path("ring.toml").read_text() == RING
    Path("old-secret").unlink()
    assert called(*place, "--secret-env", "HOOK_NEXT").status == 0


def test_a_weak_one_is_said(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_NEXT", "changeme")
    ran = called("rotate", "ring.toml", "forms", *YES, "--secret-env", "HOOK_NEXT")
    assert ran.status == 0
    assert "warning: the new secret of 'forms': the key holds a common word\n" in ran.err
    assert "changeme" not in ran.err


LAYOUTS: dict[str, tuple[str, str]] = {
    "one line": (
        '[endpoints.a]\nsecrets = [{ env = "A" }, {env="B"}] # x\n',
        '[endpoints.a]\nsecrets = [{ env = "N", label = "n" },{ env = "A", label = "0" },'
        ' { env="B", label = "1" }] # x\n',
    ),
    "dotted": (
        'endpoints.a.secrets = [{ env = "A", label = "x" }]\n',
        'endpoints.a.secrets = [{ env = "N", label = "n" },{ env = "A", label = "x" }]\n',
    ),
    "inline": (
        '[endpoints]\n# c\na = { secrets = [{ env = "A", label = "x" }], scheme = "github" } # d\n',
        '[endpoints]\n# c\na = { secrets = [{ env = "N", label = "n" },{ env = "A", label = "x" }],'
        ' scheme = "github" } # d\n',
    ),
    "lines": (
        "[endpoints.a]\r\nsecrets = [\r\n\t{ env = 'A', label = 'x' }, # c\r\n]\r\n",
        '[endpoints.a]\r\nsecrets = [\r\n\t{ env = "N", label = "n" },\r\n'
        "\t{ env = 'A', label = 'x' }, # c\r\n]\r\n",
    ),
    "without a last comma": (
        '[endpoints.a]\nsecrets = [\n  # c\n  { env = "A", label = "x" }\n  # d\n]',
        '[endpoints.a]\nsecrets = [\n  # c\n  { env = "N", label = "n" },\n'
        '  { env = "A", label = "x" }\n  # d\n]',
    ),
    "tables": (
        '[[endpoints.a.secrets]]\n# c\nenv = "A"\n[[endpoints.a.secrets]]\nenv = "B" # d\n'
        '[endpoints.b]\nsecrets = [{ env = "C" }]\n',
        '[[endpoints.a.secrets]]\nenv = "N"\nlabel = "n"\n[[endpoints.a.secrets]]\n# c\n'
        'env = "A"\nlabel = "0"\n[[endpoints.a.secrets]]\nenv = "B" # d\nlabel = "1"\n'
        '[endpoints.b]\nsecrets = [{ env = "C" }]\n',
    ),
    "in pieces": (
        '[endpoints.b]\nsecrets = [{ env = "B" }]\n[defaults] # d\nscheme = "github"\n# e\n'
        '[endpoints.a]\nsecrets = [{ env = "A", label = "x" }]\n',
        '[endpoints.b]\nsecrets = [{ env = "B" }]\n[defaults] # d\nscheme = "github"\n# e\n'
        '[endpoints.a]\nsecrets = [{ env = "N", label = "n" },{ env = "A", label = "x" }]\n',
    ),
    "a mark": (
        '\ufeff# é\n[endpoints."a"]\nsecrets = [{ env = "A", label = "#" }]\n',
        '\ufeff# é\n[endpoints."a"]\nsecrets = [{ env = "N", label = "n" },'
        '{ env = "A", label = "#" }]\n',
    ),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_layouts(case: str, called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but the change stays, byte for byte, and retiring takes it back."""
    before, after = LAYOUTS[case]
    monkeypatch.setenv("N", SECRET)
    Path("l.toml").write_bytes(before.encode())
    ran = called("rotate", "l.toml", "a", *YES, "--secret-env", "N", "--label", "n")
    assert ran.status == 0, ran.err
    assert Path("l.toml").read_bytes() == after.encode()
    assert called("retire", "l.toml", "a", "n", *YES, "--force").status == 0
    left = tomllib.loads(Path("l.toml").read_text(encoding="utf-8-sig"))["endpoints"]
    wanted = tomllib.loads(before.removeprefix("\ufeff"))["endpoints"]
    for one, other in zip(left["a"]["secrets"], wanted["a"]["secrets"], strict=True):
        assert {**one, "label": ""} == {**other, "label": ""}
    assert comments(Path("l.toml").read_text()) == comments(before)


def test_text_that_needs_escapes(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = 'a"\\\n#b'
    monkeypatch.setenv(name, SECRET)
    ran = called(
        "rotate", "ring.toml", "forms", *YES, "--secret-env", name, "--label", 'it\'s "so" \\ #'
    )
    assert ran.status == 0, ran.err
    assert entries("forms")[0] == {"env": name, "label": 'it\'s "so" \\ #'}


def test_a_layout_that_cannot_be_kept(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would not be what was meant is not written."""
    import tomlkit

    monkeypatch.setattr(tomlkit, "dumps", lambda _: RING + "[endpoints.more]\n")
    ran = called("rotate", "ring.toml", "forms", *YES)
    assert ran == (2, "", "hookseal: ring.toml: its layout cannot be kept; change it by hand\n")
    assert Path("ring.toml").read_text() == RING
