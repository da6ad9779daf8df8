"""``hookseal secret rotate`` and ``retire``: what they make of a file, and when they refuse."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import hookseal
from hookseal import _atomic_file
from hookseal._cli import main
from hookseal._usage import Usage
from hookseal._usage_file import merge
from tests.command import COMMAND, PATIENCE_SECONDS, Ran, environment, run, started, wait_for
from tests.implementations import NOW, SECRET, secret

pytest.importorskip("hookseal._core")
pytest.importorskip("tomlkit")

DAY = 24 * 60 * 60
TODAY = "2023-11-14"  # NOW
AT = ("--now", str(NOW))
YES = (*AT, "--yes")

RING = f"""\
# the ring of the tests
[defaults]
scheme = "standard-webhooks" # all but one

[endpoints."acme/billing"]  # money
tolerance = 600
secrets = [
    # first
    {{ env = "HOOK_NEW", label = "2026-11" }},   # from the vault
    {{ file = "old-secret", not_after = 2026-12-01T02:00:00+02:00 }}, # goes
    # end
]

[endpoints.forms]
scheme = "uplift"
secrets = [{{ value = "{secret(9)}" }}] # in place
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOK_NEW", SECRET)
    monkeypatch.setenv("HOOK_NEXT", secret(1))
    Path("old-secret").write_text(secret(2) + "\n")
    Path("ring.toml").write_text(RING)
    Path("ring.toml").chmod(0o600)
    return tmp_path


@pytest.fixture
def called(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        return Ran(main(["secret", *arguments]), *capsys.readouterr())

    return call


def entries(endpoint: str = "acme/billing", file: str = "ring.toml") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(Path(file).read_text())["endpoints"][endpoint][
        "secrets"
    ]
    return found


def comments(text: str) -> list[str]:
    return re.findall("#[^\r\n]*", text)


# rotate


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


# retire


def seen(records: dict[str, Usage], endpoint: str = "acme/billing") -> None:
    Path("usage.json").unlink(missing_ok=True)
    merge("usage.json", {(endpoint, label): usage for label, usage in records.items()})


RETIRE = ("retire", "ring.toml", "acme/billing", "0", *YES, "--usage", "usage.json")
BEFORE, WITHIN = NOW - 30 * DAY, NOW - DAY
OTHER = Usage(9, WITHIN, BEFORE)


def test_an_idle_one_goes(called: Any) -> None:
    seen({"2026-11": OTHER, "0": Usage(3, NOW - 7 * DAY, BEFORE)})
    ran = called(*RETIRE)
    assert (ran.status, ran.err) == (0, "hookseal: its file old-secret is still there\n")
    assert entries() == [{"env": "HOOK_NEW", "label": "2026-11"}]
    assert ran.out.split("\n")[2].split()[:2] == ["gone", "0"]
    text = Path("ring.toml").read_text()
    assert comments(text) == [one for one in comments(RING) if one != "# goes"]
    assert Path("old-secret").exists()


def test_one_that_never_matched_goes(called: Any) -> None:
    seen({"2026-11": OTHER, "0": Usage(0)})
    assert called(*RETIRE).status == 0


NOT_IDLE: dict[str, tuple[dict[str, Usage], str]] = {
    "no record": ({"2026-11": OTHER}, "the usage file has no record of it"),
    "no record at all": ({}, "the usage file has no record of it"),
    "it matched": (
        {"2026-11": OTHER, "0": Usage(3, NOW - 7 * DAY + 1, BEFORE)},
        "it matched at 2023-11-07 22:13:21Z, and has not been idle for 7 days",
    ),
    "it will match": ({"2026-11": OTHER, "0": Usage(3, NOW + DAY, BEFORE)}, "has not been idle"),
    "no message since": (
        {"2026-11": Usage(9, NOW - 8 * DAY, BEFORE), "0": Usage(0)},
        "shows no message of the endpoint within 7 days",
    ),
    "no message ever": ({"2026-11": Usage(0), "0": Usage(0)}, "shows no message of the endpoint"),
    "a young file": (
        {"2026-11": Usage(9, NOW, NOW - 60), "0": Usage(0)},
        "goes back to 2023-11-14 22:12:20Z, which is less than 7 days",
    ),
}


@pytest.mark.parametrize("case", NOT_IDLE)
def test_one_that_is_not_known_to_be_idle(case: str, called: Any) -> None:
    records, words = NOT_IDLE[case]
    seen(records)
    ran = called(*RETIRE)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("hookseal: '0' of 'acme/billing' stays: ")
    assert words in ran.err
    assert Path("ring.toml").read_text() == RING
    # Another endpoint's traffic is no evidence.
    merge("usage.json", {("forms", "2026-11"): OTHER, ("forms", "0"): Usage(0)})
    assert called(*RETIRE).status == 1
    # Who forces it is told what speaks against it.
    ran = called(*RETIRE, "--force")
    assert ran.status == 0
    assert words in ran.err
    assert len(entries()) == 1


def test_days(called: Any) -> None:
    seen({"2026-11": OTHER, "0": Usage(3, NOW - 2 * DAY, BEFORE)})
    assert called(*RETIRE, "--idle-days", "3").status == 1
    assert called(*RETIRE, "--dry-run", "--idle-days", "2").status == 0
    # None asks for a record, and for no match in the future.
    seen({"0": Usage(3, NOW, NOW)})
    assert called(*RETIRE, "--dry-run", "--idle-days", "0").status == 0
    seen({"0": Usage(3, NOW + 1, NOW)})
    assert called(*RETIRE, "--dry-run", "--idle-days", "0").status == 1
    assert called(*RETIRE, "--idle-days", "-1").status == 2
    assert called(*RETIRE, "--idle-days", "100000").status == 2


def test_evidence_is_asked_for(called: Any) -> None:
    ran = called("retire", "ring.toml", "acme/billing", "0", *YES)
    assert ran.status == 2
    assert "needs --usage FILE" in ran.err
    assert called(*RETIRE[:-1], "no.json").status == 2
    Path("usage.json").write_text("{}")
    ran = called(*RETIRE, "--force")
    assert (ran.status, ran.out) == (2, "")
    assert "usage.json: a usage file must have exactly the keys" in ran.err
    assert Path("ring.toml").read_text() == RING


def test_the_last_secret(called: Any) -> None:
    """It goes with its endpoint, and only if that is said."""
    place = ("retire", "ring.toml", "forms", "0", *YES, "--force")
    ran = called(*place)
    assert ran.status == 1
    assert "is the last one there: --with-endpoint removes the endpoint" in ran.err
    assert Path("ring.toml").read_text() == RING
    # It is for nothing else, and does not take the place of evidence.
    ran = called("retire", "ring.toml", "acme/billing", "0", *YES, "--force", "--with-endpoint")
    assert ran.status == 2
    assert "--with-endpoint is for a last secret" in ran.err
    assert called(*place[:-1], "--with-endpoint").status == 2
    ran = called(*place, "--with-endpoint")
    assert (ran.status, ran.out) == (0, "without the endpoint forms\n")
    assert hookseal.Keyring.from_file("ring.toml").endpoints() == ["acme/billing"]
    assert comments(Path("ring.toml").read_text()) == comments(RING)[:-1]
    # A file without endpoints is none.
    Path("one.toml").write_text('[endpoints.a]\nsecrets = [{ env = "A" }]\n')
    ran = called("retire", "one.toml", "a", "0", *YES, "--force", "--with-endpoint")
    assert ran.status == 2
    assert "'a' is its only endpoint: without one it is no keyring" in ran.err


def test_the_last_that_is_live(called: Any) -> None:
    """Without it every message would be refused."""
    later = f"not_before = {NOW + 1}, "
    Path("ring.toml").write_text(RING.replace("{ env", f"{{ {later}env"))
    seen({"2026-11": OTHER, "0": Usage(0)})
    ran = called(*RETIRE)
    assert ran.status == 1
    assert "without it none there is live now" in ran.err
    assert called(*RETIRE, "--force").status == 0


def test_a_number_stays_with_its_secret(called: Any) -> None:
    """Of two that are counted the second is "1", also when the first is gone."""
    Path("l.toml").write_text('[endpoints.a]\nsecrets = [{ env = "A" }, { env = "B" }]\n')
    assert called("retire", "l.toml", "a", "0", *YES, "--force").status == 0
    assert entries("a", "l.toml") == [{"env": "B", "label": "1"}]


# Both.


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
