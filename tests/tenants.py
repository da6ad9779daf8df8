"""A store of tenants that a ring asks, and messages for them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hookseal import Verdict
from tests.implementations import BODY, NOW, SECRET, key, secret, signed

V, U, M = Verdict.VALID, Verdict.UNKNOWN_ENDPOINT, Verdict.SIGNATURE_MISMATCH


class Tenants:
    """A resolver that knows ``t0`` to ``t9`` and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, names: list[str]) -> dict[str, Any]:
        self.asked.append(names)
        return {name: secret(int(name[1:])) for name in names if name in KNOWN}


KNOWN = {f"t{number}" for number in range(10)}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, to be moved by hand."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def made(hooks: Any, resolver: Any = None, **named: Any) -> tuple[Any, Any, Any]:
    """A resolver, the ring that asks it, and a verifier with that ring."""
    asked = Tenants() if resolver is None else resolver
    ring = hooks.Keyring({"own": SECRET}, resolver=asked, **named)
    return asked, ring, hooks.Verifier(ring)


def message(number: int, **named: Any) -> tuple[bytes, dict[str, str]]:
    """A message that the tenant of that number gets."""
    return BODY, signed(key=key(number), **named)


def check(verifier: Any, name: str, number: int) -> Verdict:
    """What is said of the message of a number, at the endpoint of a name."""
    verdict: Verdict = verifier.check(*message(number), endpoint=name, now=NOW)
    return verdict
