"""``hookseal verify-batch``: what it counts and says. The core and the twin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import (
    VARIABLE,
    WITH_SECRET,
    Command,
    Ran,
    batch,
    forged,
    implementation,
    line,
    words,
)
from tests.implementations import NOW, SECRET, key, secret, signed

__all__ = ["batch", "implementation"]


def test_all_valid(batch: Command) -> None:
    ran = batch(line() * 3)
    assert (ran.status, words(ran)) == (0, "")
    verdicts, secrets, total = ran.out.split("\n\n")
    assert verdicts == "verdict  messages   share\nVALID           3  100.0%"
    assert secrets.splitlines()[1].split() == [
        VARIABLE,
        "3",
        *["2023-11-14", "22:13:20Z"] * 2,
    ]
    assert total.startswith("3 messages, ")
    assert "messages/s, " in total


def test_one_message(batch: Command) -> None:
    assert "\n1 message, " in batch(line()).out


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n \n\t\n", b"\xef\xbb\xbf"])
def test_nothing(batch: Command, content: bytes) -> None:
    ran = batch(content, options=["--rejects", "r", "--reasons", "s"])
    assert ran == Ran(0, "0 messages\n", ran.err)
    assert words(ran) == ""
    assert Path("r").read_bytes() == Path("s").read_bytes() == b""


def test_refused(batch: Command) -> None:
    old = line(headers=signed(timestamp=NOW - 1000))
    ran = batch(line() + forged() + old + line(), options=["--rejects", "r", "--reasons", "s"])
    assert ran.status == 1
    assert words(ran) == ""
    assert [row.split() for row in ran.out.splitlines()[:4]] == [
        ["verdict", "messages", "share"],
        ["VALID", "2", "50.0%"],
        ["TOO_OLD", "1", "25.0%"],
        ["SIGNATURE_MISMATCH", "1", "25.0%"],
    ]
    assert Path("r").read_bytes() == forged() + old
    reasons = [json.loads(text) for text in Path("s").read_text().splitlines()]
    assert reasons == [
        {
            "file": "0.jsonl",
            "line": 2,
            "verdict": "SIGNATURE_MISMATCH",
            "error": "header 'webhook-signature' matches no live secret (1 tried)",
            "endpoint": None,
        },
        {
            "file": "0.jsonl",
            "line": 3,
            "verdict": "TOO_OLD",
            "error": "header 'webhook-timestamp' lies 700 s before the window",
            "endpoint": None,
        },
    ]


def test_json(batch: Command, implementation: str) -> None:
    late = line(headers=signed(timestamp=NOW - 1000), received_at=NOW - 900)
    content = line() + forged() + late + b"{}\n"
    told = batch(content, options=["--json"]).json
    for name in ("seconds", "messages_per_second", "bytes_per_second"):
        assert told.pop(name) > 0
    assert told == {
        "messages": 4,
        "valid": 2,
        "refused": 1,
        "broken": 1,
        "bytes": len(content),
        "verdicts": {"VALID": 2, "SIGNATURE_MISMATCH": 1},
        "endpoints": [{"endpoint": None, "valid": 2, "refused": 1}],
        "secrets": [
            {"endpoint": None, "label": VARIABLE, "matched": 2, "first": NOW - 900, "last": NOW}
        ],
        "complete": True,
        "implementation": "core" if implementation == "core" else "pure",
    }


def test_the_twin_says_so(batch: Command, implementation: str) -> None:
    assert ("plain Python" in batch(line()).err) is (implementation == "twin")


# Secrets.


def test_a_rotation(batch: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEW", secret(1))
    Path("old.secret").write_text(SECRET + "\n")
    keys = ["--secret-env", "NEW", "--secret-file", tmp_path / "old.secret", "--now", NOW]
    content = line() * 2 + line(headers=signed(key=key(1)))
    told = batch(content, options=["--json"], keys=map(str, keys)).json
    matched = [(one["label"], one["matched"]) for one in told["secrets"]]
    assert matched == [("NEW", 1), ("old.secret", 2)]


def test_a_secret_that_never_matched_is_shown(batch: Command, monkeypatch: Any) -> None:
    monkeypatch.setenv("NEW", secret(1))
    rows = batch(line(), options=["--secret-env", "NEW"]).out.splitlines()
    assert ["NEW", "0", "never", "never"] in [row.split() for row in rows]


def test_labels_that_cannot_be_are_counted(batch: Command, tmp_path: Path) -> None:
    """Two files of one name, and a name that is no label."""
    paths = [tmp_path / "a" / "key", tmp_path / "b" / "key", tmp_path / "schlüssel"]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_text(secret(number))
    options = [word for path in paths for word in ("--secret-file", path)]
    told = batch(line(), options=["--json", *options], keys=["--now", str(NOW)]).json
    assert [one["label"] for one in told["secrets"]] == ["key", "0", "1"]


KEYRING = f"""
[endpoints.acme]
secrets = [{{ env = "{VARIABLE}", label = "a" }}]
[endpoints."ini\\u001b[31mtech"]
scheme = "github"
secrets = [{{ env = "{VARIABLE}", label = "b" }}]
"""


def test_a_keyring(batch: Command) -> None:
    Path("ring.toml").write_text(KEYRING)
    content = line(endpoint="acme") + line() + line(endpoint="emca") + line(endpoint="acme")
    content += line(endpoint="ini\x1b[31mtech")
    keys = ["--keyring", "ring.toml", "--now", str(NOW)]
    told = batch(content, options=["--json", "--reasons", "s"], keys=keys).json
    assert told["verdicts"] == {"VALID": 2, "UNKNOWN_ENDPOINT": 2, "MISSING_HEADER": 1}
    assert told["endpoints"] == [
        {"endpoint": "acme", "valid": 2, "refused": 0},
        {"endpoint": None, "valid": 0, "refused": 2},
        {"endpoint": "ini\x1b[31mtech", "valid": 0, "refused": 1},
    ]
    assert [(one["endpoint"], one["matched"]) for one in told["secrets"]] == [
        ("acme", 2),
        ("ini\x1b[31mtech", 0),
    ]
    reasons = [json.loads(text) for text in Path("s").read_text().splitlines()]
    assert [one["endpoint"] for one in reasons] == [None, "emca", "ini\x1b[31mtech"]
    shown = batch(content, keys=keys).out
    assert "\x1b" not in shown
    assert r"ini\x1b[31mtech" in shown
    assert "(not in the keyring)" in shown


def test_many_endpoints_are_cut_for_a_person(batch: Command) -> None:
    names = [f"tenant-{number}" for number in range(50)]
    tables = [f"[endpoints.{name}]\nsecrets = [{{ env = '{VARIABLE}' }}]\n" for name in names]
    Path("ring.toml").write_text("".join(tables))
    content = b"".join(line(endpoint=name) for name in names)
    keys = ["--keyring", "ring.toml", "--now", str(NOW)]
    shown = batch(content, keys=keys).out
    assert shown.count("and 10 more (--json has all)") == 2
    assert (shown.count("tenant-39"), shown.count("tenant-40")) == (2, 0)
    told = batch(content, options=["--json"], keys=keys).json
    assert [one["endpoint"] for one in told["endpoints"]] == names


@pytest.mark.parametrize(
    ("tolerance", "age", "status"),
    [
        ("300", 300, 0),
        ("300", 301, 1),
        ("60,10", 60, 0),
        ("60,10", 61, 1),
        ("60,10", -10, 0),
        ("60,10", -11, 1),
        ("off", 10**6, 0),
    ],
)
def test_tolerance(batch: Command, tolerance: str, age: int, status: int) -> None:
    content = line(headers=signed(timestamp=NOW - age))
    assert batch(content, options=["--tolerance", tolerance]).status == status


def test_the_clock(batch: Command, clock: Any) -> None:
    assert batch(line(), keys=WITH_SECRET).status == 0
    clock.now += 301
    assert batch(line(), keys=WITH_SECRET).status == 1


def test_threads(batch: Command) -> None:
    assert batch(line() * 2000, options=["--threads", "1"]).status == 0
    assert batch(line() * 2000, options=["--threads", "2"]).status == 0
