"""``hookseal verify``, ``sign`` and ``secret``: one message, one secret. The core and the twin."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

import hookseal.pure
from hookseal import Verdict
from hookseal._cli import main
from tests.command import VARIABLE, WITH_SECRET, Command, Ran, implementation, ran_here
from tests.implementations import BODY, NOW, SECRET, secret, signed

__all__ = ["implementation"]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command in a folder with a body; ``stdin`` are the bytes of its input."""
    monkeypatch.setenv(VARIABLE, SECRET)
    monkeypatch.chdir(tmp_path)
    Path("body").write_bytes(BODY)

    def run(*arguments: Any, stdin: bytes = b"") -> Ran:
        Path("stdin").write_bytes(stdin)
        with Path("stdin").open(encoding="latin-1") as stream:
            monkeypatch.setattr("sys.stdin", stream)
            return ran_here(capsys, *arguments)

    return run


def options(headers: dict[str, str]) -> list[str]:
    return [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]


AT = ("--now", str(NOW))

# verify


def test_valid(command: Command) -> None:
    ran = command("verify", "body", *options(signed()), *WITH_SECRET, *AT)
    assert ran == Ran(
        0,
        "VALID: the signature covers body and id and timestamp\n"
        "  scheme: standard-webhooks\n"
        f"  secret: {VARIABLE}\n"
        "  id: msg_1\n"
        f"  timestamp: {NOW}\n",
        "",
    )


def test_valid_as_json(command: Command) -> None:
    told = command("verify", "body", *options(signed()), *WITH_SECRET, *AT, "--json").json
    assert told == {
        "verdict": "VALID",
        "valid": True,
        "error": None,
        "scheme": "standard-webhooks",
        "endpoint": None,
        "secret": VARIABLE,
        "id": "msg_1",
        "timestamp": NOW,
        "fresh": True,
        "covers": ["body", "id", "timestamp"],
    }


def test_refused(command: Command) -> None:
    late = ["verify", "body", *options(signed()), *WITH_SECRET, "--now", NOW + 301]
    words = "header 'webhook-timestamp' lies 1 s before the window"
    assert command(*late) == Ran(1, f"TOO_OLD: {words}\n", "")
    told = {"verdict": "TOO_OLD", "valid": False, "error": words}
    assert command(*late, "--json") == Ran(1, json.dumps(told) + "\n", "")
    # Had it waited in a queue, it would be good.
    assert command(*late, "--received-at", NOW).status == 0
    assert command(*late, "--tolerance", "off").out.endswith("  its age was not judged\n")


def test_the_body_on_standard_input(command: Command) -> None:
    given = ["verify", *options(signed()), *WITH_SECRET, *AT]
    assert command(*given, stdin=BODY).status == 0
    assert command(*given, "-", stdin=BODY).status == 0
    # Every byte counts, the last newline too.
    assert command(*given, stdin=BODY + b"\n").status == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_of_headers(command: Command, newline: str, mark: bytes) -> None:
    lines = ["", *(f"{name}:{value} " for name, value in signed().items()), " ", "Host:x", "a: "]
    Path("headers").write_bytes(mark + newline.join(lines).encode() + b"\nX-Latin: \xe9")
    given = ["verify", "body", *WITH_SECRET, *AT]
    assert command(*given, "--headers-file", "headers").status == 0
    assert command(*given, "--headers-file", "-", stdin=Path("headers").read_bytes()).status == 0
    both = command(*given, "--headers-file", "headers", "--header", "Webhook-Id: other")
    assert both.out.startswith("AMBIGUOUS_HEADER: ")


@pytest.mark.parametrize(
    "wrong", ["none", "", ": x", "a b: x", " a: x", "a : x", "a\t: c4nary", "c4nary"]
)
def test_headers_that_are_none(command: Command, wrong: str) -> None:
    """The text does not repeat what may be a token."""
    given = ["verify", "body", *WITH_SECRET]
    ran = command(*given, "--header", "a: b", "--header", wrong)
    assert (ran.status, ran.err) == (2, "hookseal: --header 2: 'Name: value' was expected\n")
    if wrong:
        Path("headers").write_text(f"a: b\n\n{wrong}\n")
        ran = command(*given, "--headers-file", "headers")
        expected = "hookseal: --headers-file: line 3: 'Name: value' was expected\n"
        assert (ran.status, ran.err) == (2, expected)


def test_one_standard_input(command: Command) -> None:
    ran = command("verify", *WITH_SECRET, "--headers-file", "-")
    assert (ran.status, ran.out) == (2, "")
    assert "standard input is either the body or the headers" in ran.err


def test_a_keyring(command: Command) -> None:
    Path("ring.toml").write_text(f'[endpoints."a\\u001b"]\nsecrets = [{{ env = "{VARIABLE}" }}]')
    given = ["verify", "body", *options(signed()), *AT, "--keyring", "ring.toml"]
    ran = command(*given, "--endpoint", "a\x1b")
    assert ran.status == 0
    assert "  endpoint: a\\x1b\n" in ran.out
    assert command(*given, "--endpoint", "b").out.startswith("UNKNOWN_ENDPOINT: ")
    assert "--endpoint and --keyring go together" in command(*given).err


def test_a_keyring_that_others_can_read(command: Command) -> None:
    file = Path("ring.toml")
    file.write_text(f'[endpoints.a]\nsecrets = [{{ value = "{SECRET}" }}]')
    file.chmod(0o644)
    given = ["verify", "body", *options(signed()), *AT, "--keyring", file, "--endpoint", "a"]
    ran = command(*given)
    assert ran.status == 0
    if os.name == "posix":
        assert ran.err.startswith("hookseal: warning: ring.toml holds a secret, and others can ")
        assert len(ran.err.splitlines()) == 1


def test_what_a_sender_wrote_does_not_act_on_a_terminal(command: Command) -> None:
    """The id is any printable ASCII; a token scheme has none, and bytes beyond are refused."""
    headers = {**signed(), "webhook-id": "\x1b[2J"}
    ran = command("verify", "body", *options(headers), *WITH_SECRET, *AT)
    assert ran.out.startswith("MALFORMED_HEADER: ")
    assert all(line.isprintable() for line in ran.out.splitlines())


@pytest.mark.parametrize("name", ["no-body", ".", "a\0b"])
def test_a_body_that_cannot_be_read(command: Command, name: str) -> None:
    for verb in ("verify", "sign"):
        ran = command(verb, name, *WITH_SECRET)
        assert (ran.status, ran.out) == (2, "")
        assert ran.err.startswith("hookseal: cannot read ")


# sign


def test_sign(command: Command) -> None:
    ran = command("sign", "body", *WITH_SECRET, "--id", "msg_1", "--timestamp", NOW)
    assert ran == Ran(0, "".join(f"{n}: {v}\n" for n, v in signed().items()), "")
    ran = command("sign", *WITH_SECRET, "--id", "msg_1", "--timestamp", NOW, "--json", stdin=BODY)
    assert ran.json == signed()


@pytest.mark.parametrize("scheme", hookseal.schemes.names())
def test_what_was_signed_is_valid(command: Command, scheme: str) -> None:
    keys = ["--secret-file", "key", "--scheme", scheme]
    Path("key").write_text(command("secret", "new", "--scheme", scheme).out)
    ran = command("sign", "body", *keys)
    assert ran.status == 0
    Path("headers").write_text(ran.out)
    ran = command("verify", "body", *keys, "--headers-file", "headers")
    assert ran.status == 0
    is_token = hookseal.schemes.get(scheme).signed == ""
    assert ran.out.startswith(
        "VALID: nothing is signed: the token is right\n" if is_token else "VALID: the signature "
    )
    assert command("verify", *keys, "--headers-file", "headers", stdin=b"x").status == (
        0 if is_token else 1
    )


def test_signed_with_two_secrets(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW", secret(1))
    told = command("sign", "body", "--secret-env", "NEW", *WITH_SECRET, "--json").json
    assert told["webhook-signature"].count("v1,") == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--id", "a.b"], "id must be 1 to 256 characters"),
        (["--id", "a\r\nb: c"], "id must be 1 to 256 characters"),
        (["--scheme", "github", "--id", "x"], "github signs no id"),
        (["--scheme", "github", "--timestamp", "5"], "github signs no timestamp"),
    ],
)
def test_what_cannot_be_signed(command: Command, given: list[str], words: str) -> None:
    ran = command("sign", "body", *WITH_SECRET, *given)
    assert (ran.status, ran.out) == (2, "")
    assert words in ran.err


# secret new, secret check


def test_a_new_secret(command: Command) -> None:
    first, second = (command("secret", "new").out for _ in range(2))
    assert first != second
    assert first.startswith("whsec_")
    verifier = hookseal.pure.Verifier(first[:-1])
    headers = hookseal.pure.Signer(first[:-1]).sign(BODY)
    assert verifier.check(BODY, headers) is Verdict.VALID
    assert command("secret", "check", stdin=first.encode()) == Ran(0, "no weakness was found\n", "")


WEAK = [
    "the key has 8 bytes, fewer than the 16 that are advised",
    "the key has 7 different bytes, fewer than 8",
    "the key holds a common word",
]


def test_a_weak_secret(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["secret", "check", "--scheme", "github"]
    ran = command(*given, stdin=b"changeme\n")
    assert ran == Ran(1, "".join(f"standard input: {text}\n" for text in WEAK), "")
    Path("key").write_text("changeme\n")
    ran = command(*given, "--secret-file", "key", *WITH_SECRET)
    assert ran.out.startswith(f"file key: {WEAK[0]}\n")
    monkeypatch.setenv("WEAK", "changeme")
    told = command(*given, "--secret-env", "WEAK", "--json")
    assert told.status == 1
    assert told.json[0] == {
        "source": "environment variable WEAK",
        "code": "short",
        "text": WEAK[0],
        "endpoint": None,
        "label": None,
    }
    assert command("secret", "check", *WITH_SECRET, "--json") == Ran(0, "[]\n", "")


def test_a_secret_of_another_encoding(command: Command) -> None:
    ran = command("secret", "check", stdin=b"not base64!")
    assert (ran.status, ran.err) == (1, "")
    assert (
        ran.out == "standard input: the secret holds characters that its encoding does not have\n"
    )


@pytest.mark.parametrize("stdin", [b"", b"\n", b"  \n", b"\xff\xfe", b"x" * 70_000])
def test_no_secret_at_all(command: Command, stdin: bytes) -> None:
    ran = command("secret", "check", stdin=stdin)
    assert (ran.status, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1


def test_a_ring_of_weak_secrets(command: Command) -> None:
    Path("ring.toml").write_text(
        '[defaults]\nscheme = "github"\n'
        '[endpoints.a]\nsecrets = [{ value = "changeme", label = "l" }]\n'
        '[endpoints.b]\nsecrets = [{ value = "changeme", label = "l" }]\n'
    )
    Path("ring.toml").chmod(0o600)
    ran = command("secret", "check", "--keyring", "ring.toml")
    assert ran.status == 1
    assert f"'l' of 'a': {WEAK[0]}\n" in ran.out
    assert ran.out.endswith("'l' of 'b': another endpoint has the same key\n")
    told = command("secret", "check", "--keyring", "ring.toml", "--json").json
    assert told[-1]["source"] is None
    assert (told[-1]["code"], told[-1]["endpoint"]) == ("shared-key", "b")


def test_standard_input_that_is_no_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As an embedding program has it: an error, and no traceback."""
    for stream in (None, io.StringIO(SECRET)):
        monkeypatch.setattr("sys.stdin", stream)
        assert main(["secret", "check"]) == 2
        assert capsys.readouterr().err.startswith("hookseal: cannot read -: ")
