"""What all tests share: the profile of the properties, the two implementations, a fixed clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import profiles
from tests.implementations import BOTH, NOW
from tests.judges import WAYS, Command, Judge, Objects
from tests.vector_rows import module

profiles.load()


@pytest.fixture(params=BOTH)
def hooks(request: pytest.FixtureRequest) -> Any:
    """``hookseal`` and ``hookseal.pure``, one after the other."""
    return module(request.param)


@pytest.fixture(params=WAYS)
def judge(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Judge:
    """What judges messages: the core, the twin and the command, one after the other."""
    if request.param == "command":
        return Command(tmp_path, monkeypatch, capsys)
    if request.param == "core":
        pytest.importorskip("hookseal._core")
    return Objects(module("hookseal" if request.param == "core" else "hookseal.pure"))


class Clock:
    """What ``time.time`` says, and how often it was asked."""

    def __init__(self) -> None:
        self.now: float = NOW
        self.looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock in place of ``time.time``, which stands still at NOW."""
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock


@pytest.fixture
def steady(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The same clock in place of ``time.monotonic``."""
    monkeypatch.setattr("time.monotonic", clock)
    return clock
