"""Every replay guard there is, and what the tests of all of them say again and again."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from hookseal import Claim, RedisReplayGuard, SQLiteReplayGuard
from tests.conftest import Clock
from tests.servers import Server
from tests.vector_rows import module

WON, PENDING, DONE = Claim.WON, Claim.PENDING, Claim.DONE

# What `makers` can make. Those in memory are one process's; the others more than one may open.
IN_MEMORY: Final = ("memory", "twin")
SHARED: Final = ("sqlite", "redis", "valkey")
# Those whose clock can be simulated.
CLOCKED: Final = (*IN_MEMORY, "sqlite")


def key(number: int) -> bytes:
    """A key, one for each number."""
    return hashlib.sha256(b"key %d" % number).digest()[:16]


def keys(*numbers: int) -> list[bytes]:
    """The keys of these numbers."""
    return [key(number) for number in numbers]


def is_held(lock: Any) -> bool:
    """Whether a thread has an ``RLock``: asked by another one, for this one could have it twice."""
    held: list[bool] = []

    def ask() -> None:
        is_free = lock.acquire(blocking=False)
        held.append(not is_free)
        if is_free:
            lock.release()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return held[0]


def memory(kind: str, **options: Any) -> Any:
    """A guard in memory, of the core or of the twin."""
    return module({"memory": "hookseal", "twin": "hookseal.pure"}[kind]).MemoryReplayGuard(
        **options
    )


def clocked(which: str, folder: Path) -> Iterator[Any]:
    """One of `CLOCKED`, closed afterwards: what a fixture yields."""
    if which == "sqlite":
        made: Any = SQLiteReplayGuard(folder / "claims.db", synchronous="NORMAL")
    else:
        made = memory(which)
    yield made
    made.close()


def opener(kind: str, folder: Path) -> Iterator[Callable[[], Any]]:
    """How to open a guard of that kind: each time it is the same store."""
    if kind in IN_MEMORY:
        guard = memory(kind)
        yield lambda: guard
    elif kind == "sqlite":
        yield lambda: SQLiteReplayGuard(folder / "claims.db", timeout=60)
    else:
        server = Server(kind, folder)
        client = server.client()
        try:
            yield lambda: RedisReplayGuard(client)
        finally:
            client.close()
            server.kill()


@pytest.fixture(params=[*IN_MEMORY, *SHARED])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of guard, one after the other."""
    return str(request.param)


@pytest.fixture
def guard(
    kind: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Any]:
    """A guard of each kind, without a claim; those with a clock of ours have a simulated one."""
    monkeypatch.setattr("time.monotonic", clock)
    for opened in opener(kind, tmp_path):
        made = opened()
        yield made
        made.close()


@pytest.fixture
def wait(guard: Any, clock: Clock) -> Callable[[], None]:
    """Lets what lasts a second end."""

    def passes() -> None:
        clock.now += 2.2
        if not isinstance(guard, RedisReplayGuard):
            return
        # A server's clock goes on by itself: what it is about to drop it drops at once. What is
        # final it is told to keep for a second more than a guard was asked for.
        client: Any = guard._client
        for name in client.keys("*"):
            if client.pttl(name) <= 2000:
                client.pexpire(name, 1)
        time.sleep(0.02)

    return passes


def claim(guard: Any, numbers: Sequence[int], lease: int | None = None, ttl: int = 60) -> Any:
    """Claims the keys of these numbers."""
    return guard.claim(keys(*numbers), lease=lease, ttl=ttl)
