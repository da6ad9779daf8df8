"""Verifiers with the stores that outlive a process: forgeries, kills, restarts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hookseal import RedisReplayGuard, SQLiteReplayGuard, Verdict
from tests.conftest import Clock
from tests.guards import IN_MEMORY, SHARED, opener
from tests.implementations import BODY, NOW, SECRET, signed, twin
from tests.profiles import IS_FULL, IS_QUICK
from tests.servers import KINDS, Server, server

__all__ = ["server"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")

FORGED = 5_000 if IS_QUICK else 100_000


@pytest.mark.parametrize("kind", [*IN_MEMORY, *SHARED])
def test_forged_messages_leave_every_store_empty(kind: str, hooks: Any, tmp_path: Path) -> None:
    """They neither fill it nor take the place of the message that they would be."""
    count = FORGED if hooks is not twin() or IS_FULL else FORGED // 20
    headers = signed()
    signature = {"webhook-signature": "v1," + "A" * 43 + "="}
    for opened in opener(kind, tmp_path):
        guard = opened()
        ours = hooks.Verifier(SECRET, replay=guard)
        forged = [
            (BODY, {**headers, "webhook-id": f"msg_{number}", **signature})
            for number in range(count)
        ]
        assert ours.verify_batch(forged, now=NOW).valid == 0
        for message in forged[:1000]:
            assert not ours.check(*message, now=NOW)
        if isinstance(guard, RedisReplayGuard):
            assert guard._client.dbsize() == 0  # type: ignore[attr-defined]
        else:
            assert guard.count() == 0
        assert ours.check(BODY, signed(id="msg_7"), now=NOW)
        guard.close()


@pytest.mark.parametrize("kind", [*IN_MEMORY, *SHARED])
def test_a_clock_set_back_an_hour_frees_nothing(
    kind: str, hooks: Any, tmp_path: Path, clock: Clock
) -> None:
    """Not in a server either, whose clock is its own: an hour ago the message was of tomorrow."""
    for opened in opener(kind, tmp_path):
        guard = opened()
        ours = hooks.Verifier(SECRET, replay=guard)
        early = signed(id="early", timestamp=NOW + 250)
        assert ours.check(BODY, early)
        clock.now = NOW - 3600
        again = signed(timestamp=NOW - 3600)
        assert ours.check(BODY, again)
        for back in (3600, 1800, 49, 0):
            clock.now = NOW - back
            verdict = Verdict.REPLAYED if back < 50 else Verdict.TOO_NEW
            assert ours.check(BODY, early) is verdict
            verdict = Verdict.REPLAYED if back == 3600 else Verdict.TOO_OLD
            assert ours.check(BODY, again) is verdict
        guard.close()


@pytest.mark.parametrize("mode", ["raise", "reject"])
def test_a_server_killed_and_started_again(hooks: Any, server: Server, mode: str) -> None:
    """While it is away nobody is let in; before and after, each message once."""
    client = server.client()
    ours = hooks.Verifier(SECRET, replay=RedisReplayGuard(client), on_store_error=mode)
    errors = server.package().exceptions.ConnectionError
    messages = [(BODY, signed(id=f"msg_{number}")) for number in range(60)]
    valid: list[int] = []

    def batch(numbers: range) -> None:
        result = ours.verify_batch([messages[number] for number in numbers], now=NOW)
        valid.extend(numbers[index] for index in result.valid_indices())

    batch(range(20))
    server.kill()
    if mode == "raise":
        with pytest.raises(errors):
            batch(range(10, 40))
        with pytest.raises(errors):
            ours.check(*messages[30], now=NOW)
    else:
        batch(range(10, 40))
        assert ours.check(*messages[30], now=NOW) is Verdict.REPLAYED
        with pytest.raises(hooks.ReplayedError) as caught:
            ours.verify(*messages[30], now=NOW)
        assert caught.value.status_hint == 503
        assert isinstance(caught.value.__cause__, errors)
    assert valid == list(range(20))
    server.start()
    batch(range(60))
    batch(range(60))
    assert sorted(valid) == list(range(60))
    client.close()


# Verifies one message, says so, and is killed before it can do anything with it.
WORKER = """
import sys, time, hookseal
{imported}
guard = {guard}
verifier = hookseal.Verifier({secret!r}, replay=guard, lease={lease})
with verifier.verify({body!r}, {headers!r}, now={now}).processing():
    print("claimed", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["sqlite", *KINDS])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """How a worker opens its guard, and the guard of another one."""
    kind = request.param
    if kind == "sqlite":
        file = tmp_path / "claims.db"
        guard: Any = SQLiteReplayGuard(file)
        yield "", f"hookseal.SQLiteReplayGuard({str(file)!r})", guard
        guard.close()
        return
    server = Server(kind, tmp_path)
    client = server.client()
    opened = f"hookseal.RedisReplayGuard({kind}.Redis(port={server.port}))"
    yield f"import {kind}", opened, RedisReplayGuard(client)
    client.close()
    server.kill()


@pytest.mark.parametrize("lease", [None, 1, 600])
def test_a_worker_that_dies_between_claim_and_commit(store: Any, lease: int | None) -> None:
    """With a lease its redelivery is let in once that has lapsed; without one never."""
    import hookseal

    imported, opened, guard = store
    text = WORKER.format(
        imported=imported,
        guard=opened,
        secret=SECRET,
        lease=lease,
        body=BODY,
        headers=signed(),
        now=NOW,
    )
    worker = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"claimed\n"
    worker.kill()
    worker.communicate()
    ours = hookseal.Verifier(SECRET, replay=guard, lease=lease)
    if lease == 1:
        # In a file a lease ends with a whole second.
        time.sleep(2.1 if isinstance(guard, SQLiteReplayGuard) else 1.1)
        with ours.verify(BODY, signed(), now=NOW).processing():
            pass
    with pytest.raises(hookseal.ReplayedError) as caught:
        ours.verify(BODY, signed(), now=NOW)
    assert caught.value.status_hint == (409 if lease == 600 else 200)


@pytest.mark.parametrize("kind", KINDS)
def test_an_asyncio_worker(kind: str, tmp_path: Path, hooks: Any) -> None:
    import asyncio

    from hookseal import AsyncRedisReplayGuard

    server = Server(kind, tmp_path)

    async def work() -> None:
        client = server.async_client()
        ours = hooks.Verifier(SECRET, replay=AsyncRedisReplayGuard(client), lease=600)
        messages = [(BODY, signed(id=f"msg_{number % 80}")) for number in range(100)]
        results = await asyncio.gather(
            *(ours.averify_batch(messages, now=NOW) for _ in range(8)),
            *(ours.acheck(*message, now=NOW) for message in messages[:40]),
        )
        won = sum(result.valid for result in results[:8]) + sum(map(bool, results[8:]))
        assert won == 80
        event = await ours.averify(BODY, signed(id="new"), now=NOW)
        async with event.processing():
            pass
        with pytest.raises(hooks.ReplayedError, match="taken before"):
            await ours.averify(BODY, signed(id="new"), now=NOW)
        await client.aclose()

    try:
        asyncio.run(work())
    finally:
        server.kill()


def test_two_verifiers_share_what_a_guard_knows(tmp_path: Path, hooks: Any) -> None:
    """Of one scheme and without a ring: give each its own guard, or endpoints to one ring."""
    for opened in opener("sqlite", tmp_path):
        guard = opened()
        for verdict in (Verdict.VALID, Verdict.REPLAYED):
            ours = hooks.Verifier(SECRET, replay=guard)
            assert ours.check(BODY, signed(), now=NOW) is verdict
        guard.close()
