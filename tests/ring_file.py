"""The file of a key ring that ``hookseal secret`` changes, and what stands in it afterwards."""

from __future__ import annotations

import re
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command, ran_here
from tests.implementations import NOW, SECRET, secret

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
    """Where the tests are: with the ring, and all that it names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOK_NEW", SECRET)
    monkeypatch.setenv("HOOK_NEXT", secret(1))
    Path("old-secret").write_text(secret(2) + "\n")
    Path("ring.toml").write_text(RING)
    Path("ring.toml").chmod(0o600)
    return tmp_path


@pytest.fixture
def called(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs ``hookseal secret`` in this process."""
    return partial(ran_here, capsys, "secret")


def entries(endpoint: str = "acme/billing", file: str = "ring.toml") -> list[dict[str, Any]]:
    """The secrets of an endpoint, as the file has them."""
    found: list[dict[str, Any]] = tomllib.loads(Path(file).read_text())["endpoints"][endpoint][
        "secrets"
    ]
    return found


def comments(text: str) -> list[str]:
    """All comments of a file, in their order."""
    return re.findall("#[^\r\n]*", text)
