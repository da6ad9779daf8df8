"""``hookseal secret retire``: which secret is known to be idle, and which one stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import hookseal
from hookseal._usage import Usage
from hookseal._usage_file import merge
from tests.implementations import NOW
from tests.ring_file import DAY, RING, YES, called, comments, entries, folder

pytest.importorskip("hookseal._core")
pytest.importorskip("tomlkit")

__all__ = ["called", "folder"]


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
