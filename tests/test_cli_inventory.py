"""``hookseal secret list`` and ``compare``, and what ``verify-batch --usage`` writes down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hookseal._usage import Usage
from hookseal._usage_file import merge, read
from tests.command import (
    AS_OF_NOW,
    COMMAND,
    PATIENCE_SECONDS,
    VARIABLE,
    Command,
    Ran,
    endless,
    environment,
    forged,
    interrupted,
    line,
    ran_here,
    run,
    started,
    wait_for,
)
from tests.implementations import NOW, SECRET, secret, signed

pytest.importorskip("hookseal._core")

RING = f"""\
[defaults]
scheme = "standard-webhooks"
[endpoints."acme/billing"]
secrets = [{{ env = "{VARIABLE}", label = "new" }}, {{ file = "old", not_after = 1800000000 }}]
[endpoints.forms]
scheme = "uplift"
secrets = [{{ value = "{secret(9)}", not_before = 2020-01-01T00:00:00Z }}]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, SECRET)
    Path("old").write_text(secret(2))
    Path("a.toml").write_text(RING)
    Path("a.toml").chmod(0o600)
    return tmp_path


@pytest.fixture
def called(capsys: pytest.CaptureFixture[str]) -> Command:
    return partial(ran_here, capsys)


# list


def test_listed(called: Command) -> None:
    ran = called("secret", "list", "a.toml")
    assert (ran.status, ran.err) == (0, "")
    rows = [tuple(row.split("  ")) for row in ran.out.splitlines()]
    assert ran.out.splitlines()[0].split() == ["endpoint", "secret", "from", "begins", "ends"]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows[1:]]
    assert cells[:3] == [
        ["acme/billing", "new", f"env {VARIABLE}"],
        ["acme/billing", "0", "file old", "2027-01-15 08:00:00Z"],
        ["forms", "0", "the file itself", "2020-01-01 00:00:00Z"],
    ]
    assert "whsec_" not in ran.out


def test_listed_for_programs(called: Command) -> None:
    merge("u.json", {("forms", "0"): Usage(3, NOW, NOW - 5)})
    told = called("secret", "list", "a.toml", "--json", "--usage", "u.json").json
    assert told[0] == {
        "endpoint": "acme/billing",
        "label": "new",
        "scheme": "standard-webhooks",
        "source": "env",
        "name": VARIABLE,
        "not_before": None,
        "not_after": None,
        "usage": None,
    }
    assert told[1]["not_after"] == 1800000000
    assert (told[2]["source"], told[2]["name"], told[2]["scheme"]) == ("value", None, "uplift")
    assert told[2]["usage"] == {"count": 3, "first_matched": NOW - 5, "last_matched": NOW}
    assert "usage" not in called("secret", "list", "a.toml", "--json").json[0]


def test_listed_with_use(called: Command) -> None:
    """Unknown is not never."""
    merge("u.json", {("acme/billing", "new"): Usage(1234, NOW, 1), ("forms", "0"): Usage(0)})
    out = called("secret", "list", "a.toml", "--usage", "u.json").out
    new, old, forms = out.splitlines()[1:4]
    assert new.split()[-3:] == ["1,234", "2023-11-14", "22:13:20Z"]
    assert old.split()[-1] == "unknown"
    assert forms.split()[-2:] == ["0", "never"]


def test_one_endpoint(called: Command) -> None:
    told = called("secret", "list", "a.toml", "--json", "--endpoint", "forms").json
    assert [one["endpoint"] for one in told] == ["forms"]
    ran = called("secret", "list", "a.toml", "--endpoint", "no")
    assert (ran.status, ran.err) == (2, "hookseal: a.toml has no endpoint 'no'\n")


def test_listed_without_its_secrets(called: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is read where neither the variables nor the files are."""
    monkeypatch.delenv(VARIABLE)
    Path("old").unlink()
    assert called("secret", "list", "a.toml").status == 0


WRONG = {
    "no keyring": ("x = 1", "unknown key 'x'"),
    "a label twice": (
        RING.replace('label = "new"', 'label = "0" }, { env = "C", label = "0"'),
        "1]",
    ),
    "no secret": ("[endpoints.a]\nsecrets = []", "endpoints['a'] holds no secret"),
    "nine": (
        "[endpoints.a]\nsecrets = [" + "{ env = 'A' }, " * 9 + "]",
        "endpoints['a'][8] is one too many",
    ),
    "an empty value": (
        '[endpoints.a]\nsecrets = [{ value = "" }]',
        "['a'][0]: value: the secret is",
    ),
    "a window": (RING.replace("1800000000", "1, not_before = 2"), "not_after must be later"),
    "a secret for a name": (RING.replace('"old"', f'"{SECRET}"'), "a secret, by its looks"),
    "a secret for a variable": (RING.replace(f'"{VARIABLE}"', f'"{SECRET}"'), "by its looks"),
    "no name": ('[endpoints.""]\nsecrets = [{ env = "A" }]', "name must not be empty"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_keyrings(case: str, called: Command) -> None:
    """What a ring would refuse, a list does; it is said where."""
    text, words = WRONG[case]
    Path("w.toml").write_text(text)
    ran = called("secret", "list", "w.toml")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("hookseal: w.toml: ")
    assert words in ran.err
    assert SECRET not in ran.err


def test_wrong_usage_files(called: Command) -> None:
    Path("u.json").write_text("{")
    ran = called("secret", "list", "a.toml", "--usage", "u.json")
    assert ran.status == 2
    assert ran.err.startswith("hookseal: u.json: not JSON")
    ran = called("secret", "list", "a.toml", "--usage", "no.json")
    assert ran == (
        2,
        "",
        "hookseal: cannot read the usage file no.json: No such file or directory\n",
    )


# compare


def states(ran: Ran) -> dict[tuple[str, str], tuple[str, str]]:
    return {(one["endpoint"], one["label"]): (one["state"], one["detail"]) for one in ran.json}


def compared(called: Command, text: str) -> Ran:
    Path("b.toml").write_text(text)
    Path("b.toml").chmod(0o600)
    ran = called("secret", "compare", "a.toml", "b.toml", "--json")
    for shown in (SECRET, secret(2), secret(9)):
        assert shown not in ran.out + ran.err
    result: Ran = ran
    return result


def test_the_same(called: Command) -> None:
    """However the secrets are named and written."""
    Path("elsewhere").write_text(SECRET.removeprefix("whsec_") + "\n")
    for same in (
        RING,
        RING.replace(f'env = "{VARIABLE}"', 'file = "elsewhere"'),
        RING.replace('file = "old"', f'label = "0", value = "{secret(2).rstrip("=")}"'),
    ):
        ran = compared(called, same)
        assert (ran.status, ran.err) == (0, "")
        assert set(states(ran).values()) == {("same", "")}
    out = called("secret", "compare", "a.toml", "b.toml").out
    assert out.splitlines()[1].split() == ["acme/billing", "new", "same"]


@pytest.mark.parametrize(
    ("before", "after", "key", "state"),
    [
        (secret(9), secret(8), ("forms", "0"), ("different", "")),
        ('"new" }', '"mine" }', ("acme/billing", "new"), ("missing", "in the second file")),
        ('"new" }', '"mine" }', ("acme/billing", "mine"), ("missing", "in the first file")),
        ("[endpoints.forms]", "[endpoints.x]", ("forms", "0"), ("missing", "in the second file")),
        ("1800000000", "1800000001", ("acme/billing", "0"), ("same", "another not_after")),
        (
            'scheme = "uplift"',
            'scheme = "github"\n',
            ("forms", "0"),
            ("same", "another scheme"),
        ),
        (
            '[endpoints."acme/billing"]',
            '[endpoints."acme/billing"]\ntolerance = 5',
            ("acme/billing", "new"),
            ("same", "another tolerance"),
        ),
    ],
)
def test_not_the_same(
    before: str, after: str, key: tuple[str, str], state: tuple[str, str], called: Command
) -> None:
    ran = compared(called, RING.replace(before, after))
    assert ran.status == 1
    assert states(ran)[key] == state


def test_one_changed_alone_is_said(called: Command) -> None:
    ran = compared(called, RING.replace(secret(9), secret(8)))
    others = {key: state for key, state in states(ran).items() if key != ("forms", "0")}
    assert set(others.values()) == {("same", "")}


def test_what_cannot_be_read(called: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said of a half."""
    monkeypatch.delenv(VARIABLE)
    ran = called("secret", "compare", "a.toml", "a.toml")
    assert (ran.status, ran.out) == (2, "")
    assert f"environment variable '{VARIABLE}' is not set" in ran.err
    assert called("secret", "compare", "a.toml", "no.toml").status == 2
    monkeypatch.setenv(VARIABLE, secret(2))  # the same key twice
    assert called("secret", "compare", "a.toml", "a.toml").status == 2
    monkeypatch.setenv(VARIABLE, SECRET)
    Path("old").unlink()
    ran = called("secret", "compare", "a.toml", "a.toml")
    assert (ran.status, ran.out) == (2, "")
    assert "file: No such file or directory: old" in ran.err


def test_digests_mean_nothing_in_another_run() -> None:
    """Two runs over the same secret have nothing in common that could be written down."""
    script = (
        "from hookseal._cli import _inventory as i\n"
        "print(i._Key(b'k', {}).digest.hex(), i._Key(b'k', {}).digest == i._Key(b'k', {}).digest)"
    )
    command = [sys.executable, "-c", script]
    runs = [subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2)]
    assert runs[0] != runs[1]
    assert all(one.split()[1] == b"True" for one in runs)


# verify-batch --usage

BATCH = ("verify-batch", "q", "--keyring", "a.toml", "--now", str(NOW), "--usage", "u.json")


def queued(*at: int, endpoint: str = "acme/billing") -> None:
    lines = (line(headers=signed(timestamp=one), received_at=one, endpoint=endpoint) for one in at)
    Path("q").write_bytes(b"".join(lines) + forged() + b"nonsense\n")


def test_written_down(called: Command) -> None:
    queued(NOW + 9, NOW + 5)
    assert called(*BATCH).status == 1
    assert read("u.json") == {
        ("acme/billing", "new"): Usage(2, NOW + 9, NOW + 5),
        ("acme/billing", "0"): Usage(0),
    }
    queued(NOW - 7)
    assert called(*BATCH, "--json").status == 1
    assert read("u.json")["acme/billing", "new"] == Usage(3, NOW + 9, NOW - 7)
    # Endpoints that no message named are unknown, which is not "never used".
    assert ("forms", "0") not in read("u.json")


def test_usage_needs_names(called: Command) -> None:
    queued(NOW)
    ran = called("verify-batch", "q", *AS_OF_NOW, "--usage", "u.json")
    assert ran.status == 2
    assert "--usage needs --keyring" in ran.err
    assert not Path("u.json").exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"my notes\n"])
def test_a_file_that_is_another(content: bytes, called: Command) -> None:
    """It is found out before a line is judged, and nothing is written over."""
    queued(NOW)
    Path("u.json").write_bytes(content)
    Path("r").write_bytes(b"kept")
    ran = called(*BATCH, "--rejects", "r")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("hookseal: u.json: ")
    assert (Path("u.json").read_bytes(), Path("r").read_bytes()) == (content, b"kept")
    ran = called(*BATCH[:-1], "no/u.json")
    assert (ran.status, ran.out) == (2, "")
    assert "cannot write the usage file no/u.json" in ran.err
    for other in ("q", "a.toml", "old"):
        before = Path(other).read_bytes()
        assert called(*BATCH[:-1], other).status == 2
        assert Path(other).read_bytes() == before


def test_the_usage_file_is_no_other_output(called: Command) -> None:
    queued(NOW)
    ran = called(*BATCH, "--rejects", "u.json")
    assert ran.status == 2
    assert "u.json is also the usage file u.json: nothing was written" in ran.err


def test_a_usage_file_that_fails_in_the_end(
    called: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result is printed all the same."""

    def fails(path: str, seen: Any) -> None:
        merge("no/u.json" if seen else path, seen)

    monkeypatch.setattr("hookseal._cli._evidence.merge", fails)
    queued(NOW)
    ran = called(*BATCH)
    assert ran.status == 74
    assert "cannot write the usage file u.json: No such file or directory\n" in ran.err
    assert "VALID" in ran.out
    assert "not everything was judged" not in ran.out


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_run_that_is_interrupted() -> None:
    """What was judged until then is written down."""
    message = line(endpoint="acme/billing")
    arguments = ["verify-batch", "-", *BATCH[2:], "--json"]
    with (
        endless(message) as pipe,
        started(*arguments, stdin=pipe, stdout=subprocess.PIPE, env=environment()) as child,
    ):
        wait_for(Path("u.json").exists)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.5)
        assert interrupted(child, signal.SIGINT) == 130
        assert child.stdout is not None
        told = Ran(130, child.stdout.read().decode(), "").json
    assert told["complete"] is False
    assert read("u.json")["acme/billing", "new"] == Usage(told["valid"], NOW, NOW)
    assert told["valid"] > 0


def test_several_runs_at_once() -> None:
    queued(NOW, NOW + 1, NOW + 2)
    children = [
        subprocess.Popen(
            [*COMMAND, *BATCH],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]
    assert [child.wait(PATIENCE_SECONDS) for child in children] == [1] * 4
    assert read("u.json")["acme/billing", "new"] == Usage(12, NOW + 2, NOW)
    assert run("secret", "list", "a.toml", "--usage", "u.json").status == 0
