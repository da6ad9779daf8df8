"""The command used wrongly, and what it never does: show a secret, a traceback, or start slowly."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import hookseal
from tests.command import (
    AS_OF_NOW,
    VARIABLE,
    WITH_SECRET,
    Ran,
    environment,
    forged,
    line,
    ran_here,
    run,
)
from tests.implementations import SECRET

pytest.importorskip("hookseal._core")

CANARY = "c4naryOfTheCommandLine"
BATCH = ["verify-batch", "q"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a queue and a keyring; a secret, and some that are none, in variables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, SECRET)
    monkeypatch.setenv("HOOK_EMPTY", "")
    monkeypatch.setenv("HOOK_CANARY", f"whsec_!{CANARY}")
    monkeypatch.setenv("HOOK_TEXT", "a-text")
    monkeypatch.delenv("HOOK_ABSENT", raising=False)
    (tmp_path / "q").write_bytes(line())
    (tmp_path / "canary").write_text(f"whsec_!{CANARY}")
    (tmp_path / "ring.toml").write_text(f'[endpoints.a]\nsecrets = [{{ env = "{VARIABLE}" }}]')
    (tmp_path / "\x1b[31m.toml").write_text("wrong")
    (tmp_path / "rings").mkdir()
    (tmp_path / "rings" / "lost.toml").write_text("[endpoints.a]\nsecrets = [{ file = 'nope' }]")
    (tmp_path / "wrong.toml").write_text(f'[endpoints.a]\nsecrets = ["{CANARY}"]')
    return tmp_path


WRONG: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "which command? See `hookseal --help`"),
    "unknown command": (["verifi"], "invalid choice: 'verifi'"),
    "secret": (["secret"], "which command of secret?"),
    "unknown secret command": (["secret", "old"], "invalid choice: 'old'"),
    "no file": (["verify-batch", *WITH_SECRET], "required: FILE"),
    "no secret": (BATCH, "verify-batch needs a secret: --secret-env NAME, --secret-file PATH or"),
    "no secret to sign": (["sign"], "sign needs a secret: --secret-env NAME, --secret-file PATH"),
    "unknown option": ([*BATCH, f"--key={CANARY}"], "unknown option '--key'"),
    "unknown option with value": ([*BATCH, "--key", CANARY], "unknown option '--key'"),
    "abbreviated": ([*BATCH, "--secret-e", VARIABLE], "unknown option '--secret-e'"),
    "one body": (["sign", "a", "b"], "unknown argument 'b'"),
    "a secret": ([*BATCH, "--secret", CANARY], "a secret does not belong on the command line"),
    "a secret, joined": ([*BATCH, f"--secret={CANARY}"], "a secret does not belong on the comman"),
    "a secret alone": (["verify", f"whsec_{CANARY}"], "a secret: --secret-env"),
    "a secret as a body": (
        ["verify", f"whsec_{CANARY}", *WITH_SECRET],
        "cannot read (a secret, by its looks; it is not shown): No such file",
    ),
    "a secret as a command": ([f"whsec_{CANARY}"], "invalid choice: 'whsec_…'"),
    "a secret as a variable": ([*BATCH, "--secret-env", f"whsec_{CANARY}"], "by its looks"),
    "a secret as a path": ([*BATCH, "--secret-file", f"whsec_{CANARY}"], "by its looks"),
    "a secret as a keyring": ([*BATCH, "--keyring", f"whsec_{CANARY}"], "by its looks"),
    "a secret as an output": ([*BATCH, *WITH_SECRET, "--rejects", f"/no/whsec_{CANARY}"], "No su"),
    "a variable not set": ([*BATCH, "--secret-env", "HOOK_ABSENT"], "'HOOK_ABSENT' is not set"),
    "an empty variable": ([*BATCH, "--secret-env", "HOOK_EMPTY"], "'HOOK_EMPTY' is empty"),
    "a wrong variable": ([*BATCH, "--secret-env", "HOOK_CANARY"], "is not base64"),
    "a wrong file": ([*BATCH, "--secret-file", "canary"], "is not base64"),
    "no such file": ([*BATCH, "--secret-file", "no"], "the secret file no: No such file or dir"),
    "a folder": ([*BATCH, "--secret-file", "."], "the secret file .: Is a directory"),
    "NUL": ([*BATCH, "--secret-file", "a\0b"], r"the secret file a\x00b: embedded null byte"),
    "the same twice": ([*BATCH, *WITH_SECRET, *WITH_SECRET], "is the same key as another one"),
    "scheme": ([*BATCH, *WITH_SECRET, "--scheme", "githib"], "the nearest is 'github'"),
    "new scheme": (["secret", "new", "--scheme", "githib"], "the nearest is 'github'"),
    "untimed": (
        [*BATCH, *WITH_SECRET, "--scheme", "github", "--tolerance", "5"],
        "github signs no timestamp",
    ),
    "keyring and scheme": (
        [*BATCH, "--keyring", "ring.toml", "--scheme", "svix"],
        "--keyring names schemes and secrets itself",
    ),
    "keyring and secret": ([*BATCH, "--keyring", "ring.toml", *WITH_SECRET], "--keyring names sch"),
    "no such keyring": ([*BATCH, "--keyring", "no"], "cannot read the keyring no: No such file"),
    "wrong keyring": ([*BATCH, "--keyring", "wrong.toml"], "wrong.toml: endpoints['a'][0]: must"),
    "no secret file of a keyring": (
        [*BATCH, "--keyring", "rings/lost.toml"],
        "hookseal: rings/lost.toml: endpoints['a'][0]: file: No such file or directory: rings/nope",
    ),
    "a text for a key": (
        [*BATCH, "--secret-env", "HOOK_TEXT"],
        "is not base64 (standard alphabet, zero trailing bits): pass the secret as the provider"
        " shows it, or the base64 of a text key",
    ),
    "an escape in a keyring's name": ([*BATCH, "--keyring", "\x1b[31m.toml"], r"\x1b[31m.toml: no"),
    "endpoint": (["verify", "--endpoint", "a", *WITH_SECRET], "--endpoint and --keyring go toge"),
    "standard input twice": ([*BATCH, "-", "-", *WITH_SECRET], "can be read once"),
    "tolerance": ([*BATCH, "--tolerance", "x"], "a whole number was expected, not 'x'"),
    "tolerance: sign": ([*BATCH, "--tolerance=-1"], "a whole number was expected, not '-1'"),
    "tolerance: half": ([*BATCH, "--tolerance", "5,"], "a whole number was expected, not ''"),
    "tolerance: far": ([*BATCH, "--tolerance", "9999999"], "must lie between 0 and 2678400"),
    "now": ([*BATCH, "--now", "1_0"], "a whole number was expected, not '1_0'"),
    "now: digits": ([*BATCH, "--now", "１７"], "a whole number was expected, not '１７'"),
    "now: milliseconds": ([*BATCH, "--now", "1700000000000"], "it looks like milliseconds"),
    "now: endless": ([*BATCH, "--now", "9" * 5000], "a whole number was expected, not '999"),
    "threads": ([*BATCH, "--threads", "0"], "threads must be at least 1"),
    "threads: word": ([*BATCH, "--threads", "all"], "a whole number was expected, not 'all'"),
    "an escape": ([*BATCH, "--\x1b[31m"], r"unknown option '--\x1b[31m'"),
    "an unknown word with an escape": (["\x1b[31m"], r"\x1b[31m"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says what was expected, status 2, and no verdict."""
    arguments, words = WRONG[case]
    ran = ran_here(capsys, *arguments)
    assert (ran.status, ran.out) == (2, "")
    (said,) = ran.err.splitlines()
    assert said.startswith("hookseal: ")
    assert words in said
    assert said.isprintable()
    assert CANARY not in said


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["verify-batch"], ["verify"], ["sign"], ["secret"], ["secret", "check"]):
        ran = ran_here(capsys, *command, "--help")
        assert (ran.status, ran.err) == (0, "")
        assert ran.out.startswith("usage: hookseal")
        assert "--secret " not in ran.out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran_here(capsys, "--version") == Ran(0, f"hookseal {hookseal.__version__}\n", "")


def test_options_between_files(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p").write_bytes(forged())
    ran = ran_here(capsys, "verify-batch", "q", *AS_OF_NOW, "p", "--json", "q")
    assert (ran.json["valid"], ran.json["refused"]) == (2, 1)


def test_files_that_look_like_options(capsys: pytest.CaptureFixture[str]) -> None:
    """What follows ``--`` is no option, whatever stands before it."""
    for name in ("-x", "--json", "--", "--secret"):
        Path(name).write_bytes(forged())
    names = ["-x", "--json", "--", "--secret"]
    for before in (["q"], ["q", "--json"], ["--json"], ["--json", "q"], []):
        more = [] if "--json" in before else ["--json"]
        arguments = ["verify-batch", *AS_OF_NOW, *more, *before, "--reasons", "s"]
        ran = ran_here(capsys, *arguments, "--", *names)
        assert (ran.err, ran.json["valid"]) == ("", before.count("q"))
        told = [json.loads(text)["file"] for text in Path("s").read_text().splitlines()]
        assert told == names
    ran = ran_here(capsys, "verify-batch", *AS_OF_NOW, "q", "--", "q", "-x", "-no")
    assert ran == Ran(2, "", "hookseal: cannot read -no: No such file or directory\n")
    signed = ran_here(capsys, "sign", *WITH_SECRET, "--id", "i", "--timestamp", "5", "--", "-x")
    assert signed == ran_here(capsys, "sign", *WITH_SECRET, "--id", "i", "--timestamp", "5", "./-x")
    assert signed.status == 0
    assert "unknown argument '-y'" in ran_here(capsys, "sign", *WITH_SECRET, "--", "-x", "-y").err
    assert "invalid choice: '-x'" in ran_here(capsys, "--", "-x").err


# A bug.


@pytest.mark.parametrize("error", [KeyError(CANARY), RuntimeError(f"bug in hookseal: {CANARY}")])
def test_a_bug(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line without what the error says, which may be a body or a secret."""

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("hookseal._cli._batch.verifier", fails)
    ran = ran_here(capsys, *BATCH, *AS_OF_NOW)
    assert (ran.status, ran.out) == (70, "")
    (said,) = ran.err.splitlines()
    assert said.startswith(f"hookseal: bug in hookseal: {type(error).__name__} at tests/test_cli_")
    assert CANARY not in said


def test_a_bug_in_the_reading_thread(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr("hookseal._cli._ahead.read", fails)
    ran = ran_here(capsys, *BATCH, *AS_OF_NOW)
    assert ran.status == 70
    assert "ZeroDivisionError at tests/test_cli_usage.py:" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_no_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("hookseal._cli._ahead.read", fails)
    assert ran_here(capsys, *BATCH, *AS_OF_NOW) == Ran(70, "", "hookseal: out of memory\n")


def test_an_interrupt_before_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hookseal._cli._batch.verifier", interrupt)
    assert ran_here(capsys, *BATCH, *AS_OF_NOW) == Ran(130, "", "")


def test_handlers_are_given_back(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert ran_here(capsys, *BATCH, *AS_OF_NOW).status == 0
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


# Secrets in what it prints.


def test_no_output_shows_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    key = SECRET.removeprefix("whsec_")
    Path("many").write_bytes(line() + forged() + b"nonsense\n")
    for arguments in (
        ["verify-batch", "many", *AS_OF_NOW, "--rejects", "r", "--reasons", "s"],
        ["verify-batch", "many", *AS_OF_NOW, "--json"],
        ["verify", "q", *WITH_SECRET],
        ["sign", "q", *WITH_SECRET],
        ["secret", "check", *WITH_SECRET],
        ["secret", "check", "--keyring", "ring.toml", "--json"],
    ):
        ran = ran_here(capsys, *arguments)
        assert key not in ran.out + ran.err
    assert key not in Path("r").read_text() + Path("s").read_text()


# Start-up.

HEAVY = {
    *("asyncio", "concurrent", "dataclasses", "hashlib", "hmac", "http", "inspect", "json"),
    *(
        "logging",
        "pydoc",
        "random",
        "rich",
        "shutil",
        "socket",
        "subprocess",
        "tempfile",
        "threading",
    ),
    *("tomllib", "traceback", "typing", "typing_extensions", "unittest", "urllib"),
}


def imported(*arguments: str) -> set[str]:
    """What a command has imported when it ends, of what nobody needs to start."""
    script = (
        "import sys; before = set(sys.modules)\n"
        "from hookseal._cli import main\n"
        f"assert main({list(arguments)!r}) == 0\n"
        "print(*set(sys.modules) - before, file=sys.stderr)"
    )
    child = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, check=True
    )
    return set(child.stderr.decode().split())


def test_start_up_imports() -> None:
    package = {"hookseal.pure", "hookseal.types"}
    for arguments in (["--version"], ["--help"], ["secret", "new"], [*BATCH, *AS_OF_NOW]):
        found = imported(*arguments)
        assert "hookseal._cli._run" in found
        assert (HEAVY | package) & found == set()
    assert {"hookseal._cli._batch", "argparse"} & imported("--version") == {"argparse"}
    # What only a terminal, or who asks for it, needs.
    unused = {"hookseal._cli._progress", "hookseal._cli._rejects"}
    assert unused & imported(*BATCH, *AS_OF_NOW) == set()


def test_help_is_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    lines = ran_here(capsys, "verify-batch", "--help").out.splitlines()
    assert 40 < max(map(len, lines)) <= 50
    monkeypatch.setenv("COLUMNS", "none")
    assert 50 < max(map(len, ran_here(capsys, "verify-batch", "--help").out.splitlines())) <= 78


def test_import_hookseal_does_not_import_the_command() -> None:
    script = "import hookseal, hookseal.pure, sys; print('hookseal._cli' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert child.stdout == b"False\n"


def test_the_two_ways_to_call_it() -> None:
    script = Path(sys.executable).with_name("hookseal")
    if not script.exists():
        pytest.skip("the package is not installed")
    child = subprocess.run([script, "--version"], capture_output=True, check=True)
    assert child.stdout.decode() == run("--version").out


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """So that no terminal and no encoding changes what a program reads."""
    Path("ring.toml").write_text(f'[endpoints."schlüssel"]\nsecrets = [{{ env = "{VARIABLE}" }}]')
    Path("q").write_bytes(line(endpoint="schlüssel"))
    out = ran_here(capsys, *BATCH, "--json", "--keyring", "ring.toml", *AS_OF_NOW[2:]).out
    assert out.isascii()
    assert json.loads(out)["endpoints"][0]["endpoint"] == "schlüssel"


def test_text_where_the_encoding_cannot_show_it(tmp_path: Path) -> None:
    Path("q").write_bytes(b"nonsense\n")
    Path("q").rename("qüeue")
    env = environment(PYTHONIOENCODING="ascii")
    ran = run("verify-batch", tmp_path / "qüeue", *AS_OF_NOW, env=env)
    assert ran.status == 1
    assert r"q\xfceue, line 1: " in ran.err


# Documents.

DOCS = Path(__file__).resolve().parent.parent / "docs" / "command-line.md"


def test_every_option_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCS.read_text(encoding="utf-8")
    found = set()
    for command in (
        ["verify-batch"],
        ["verify"],
        ["sign"],
        ["secret", "new"],
        ["secret", "check"],
        ["secret", "list"],
        ["secret", "rotate"],
        ["secret", "retire"],
        ["secret", "compare"],
        ["migrate"],
    ):
        assert f"`hookseal {' '.join(command)}" in text
        found |= set(re.findall(r"--[\w-]+", ran_here(capsys, *command, "--help").out))
    assert len(found) > 15
    assert {one for one in found if f"`{one}" not in text} == set()


def test_every_key_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCS.read_text(encoding="utf-8")
    Path("q").write_bytes(forged())
    told = ran_here(capsys, *BATCH, *AS_OF_NOW, "--json", "--reasons", "s").json
    keys = {*told, *json.loads(Path("s").read_text())}
    assert {key for key in keys if f"`{key}`" not in text} == set()
    rows = {key for name in ("endpoints", "secrets") for row in told[name] for key in row}
    assert {key for key in rows if f'"{key}"' not in text} == set()
