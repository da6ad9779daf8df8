"""Guards that remember what they were asked, and verifiers that ask them."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from hookseal import Claim
from tests.guards import DONE, IN_MEMORY, WON, memory
from tests.implementations import SECRET


class Recorder:
    """A guard that anybody could write: it remembers for ever, and what it was asked."""

    def __init__(self) -> None:
        self.held: dict[bytes, Claim] = {}
        self.calls: list[tuple[str, list[bytes], Any]] = []
        self.error: Exception | None = None

    def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> list[Claim]:
        self.calls.append(("claim", list(keys), (lease, ttl)))
        if self.error is not None:
            raise self.error
        claims = [self.held.get(key, WON) for key in keys]
        taken = Claim.DONE if lease is None else Claim.PENDING
        self.held |= {key: taken for key in keys if key not in self.held}
        return claims

    def commit(self, keys: Sequence[bytes]) -> None:
        self.calls.append(("commit", list(keys), None))
        self.held |= dict.fromkeys(keys, DONE)

    def release(self, keys: Sequence[bytes]) -> None:
        self.calls.append(("release", list(keys), None))
        for key in keys:
            if self.held.get(key) is Claim.PENDING:
                del self.held[key]

    def close(self) -> None:
        pass


class AsyncRecorder:
    """A guard whose methods are coroutines."""

    def __init__(self) -> None:
        self.inner = Recorder()
        self.threads: list[str] = []

    async def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> Any:
        self.threads.append(threading.current_thread().name)
        await asyncio.sleep(0)
        return self.inner.claim(keys, lease=lease, ttl=ttl)

    async def commit(self, keys: Sequence[bytes]) -> None:
        await asyncio.sleep(0)
        self.inner.commit(keys)

    async def release(self, keys: Sequence[bytes]) -> None:
        await asyncio.sleep(0)
        self.inner.release(keys)

    async def close(self) -> None:
        pass


def expected_key(scheme: str, endpoint: str, told: bytes) -> bytes:
    """A message's key, as docs/replay.md says."""

    def sized(data: bytes) -> bytes:
        return len(data).to_bytes(8, "big") + data

    start = sized(scheme.encode()) + sized(endpoint.encode())
    start += bytes(-len(start) % 64)
    return hashlib.sha256(start + sized(told)).digest()[:16]


def verifier(hooks: Any, guard: Any, **options: Any) -> Any:
    return hooks.Verifier(SECRET, replay=guard, **options)


@pytest.fixture(params=[*IN_MEMORY, "recorder"])
def guard(request: pytest.FixtureRequest) -> Any:
    """Guards that are asked in different ways."""
    return Recorder() if request.param == "recorder" else memory(request.param)
