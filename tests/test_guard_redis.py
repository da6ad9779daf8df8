"""The guards in Redis and Valkey: what is sent twice, what fails, kills, clusters, asyncio."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hookseal import (
    AsyncRedisReplayGuard,
    Claim,
    ClaimLostError,
    RedisReplayGuard,
    ReplayStoreError,
)
from tests.guards import DONE, PENDING, WON, claim, key, keys
from tests.profiles import IS_FULL
from tests.servers import KINDS, Server, server

__all__ = ["server"]


class Wire:
    """A client whose pipelines can be made to go wrong: they call ``send`` to be executed."""

    def __init__(self, client: Any, send: Callable[[Any, bool], Any]) -> None:
        self._client = client
        self._send = send

    def pipeline(self, transaction: Any = True) -> Any:
        pipeline = self._client.pipeline(transaction=transaction)
        execute = pipeline.execute

        def wired(raise_on_error: bool = True) -> Any:
            return self._send(execute, raise_on_error)

        pipeline.execute = wired
        return pipeline


def test_what_lies_in_the_server(server: Server) -> None:
    client = server.client(decode_responses=True)
    guard = RedisReplayGuard(client, prefix="acme:")
    claim(guard, [1], ttl=601)
    claim(guard, [2], lease=60, ttl=601)
    names = [f"acme:{key(number).hex()}" for number in (1, 2)]
    assert sorted(client.keys("*")) == sorted(names)
    # A second more than was asked for: the server rounds by a clock of its own.
    assert 601_000 < client.pttl(names[0]) <= 602_000
    assert 59 <= client.ttl(names[1]) <= 60
    guard.commit(keys(2))
    assert 601_000 < client.pttl(names[1]) <= 602_000
    # A client that decodes answers, or not, sees the same.
    other = server.client()
    assert claim(RedisReplayGuard(other, prefix="acme:"), [1, 2]) == (DONE, DONE)
    assert claim(guard, [1, 2]) == (DONE, DONE)
    # Another prefix is another guard.
    assert claim(RedisReplayGuard(other, prefix="initech:"), [1]) == (WON,)
    assert repr(guard) == "RedisReplayGuard(prefix='acme:')"
    client.close()
    other.close()


def test_a_command_that_is_sent_twice_wins(server: Server) -> None:
    """Clients try again when an answer does not arrive; the first try has won by then."""
    client = server.client()

    def twice(execute: Any, raises: bool) -> Any:
        pipeline = execute.__self__
        commands = list(pipeline.command_stack)
        execute(raises)
        pipeline.command_stack = commands
        return execute(raises)

    guard = RedisReplayGuard(Wire(client, twice))
    first = claim(guard, [1, 2], lease=60)
    assert first == (WON, WON)
    guard.commit(keys(1), token=first.token)
    guard.release(keys(2), token=first.token)
    assert claim(guard, [1, 2, 2]) == (DONE, WON, DONE)
    client.close()


def test_what_fails_half_way_is_given_back(server: Server) -> None:
    client = server.client()
    calls = []

    def breaks(execute: Any, raises: bool) -> Any:
        calls.append(1)
        answers = execute(raises)
        if len(calls) == 1:
            raise ConnectionResetError("the answer did not arrive")
        return answers

    with pytest.raises(ConnectionResetError):
        claim(RedisReplayGuard(Wire(client, breaks)), [1, 2])
    assert client.dbsize() == 0
    # What is not its own it leaves alone.
    plain = RedisReplayGuard(client)
    claim(plain, [1])
    calls.clear()
    with pytest.raises(ConnectionResetError):
        claim(RedisReplayGuard(Wire(client, breaks)), [1, 2])
    assert claim(plain, [1, 2]) == (DONE, WON)
    # So is what was won for a lease, and no other's lease.
    claim(plain, [6], lease=60)
    calls.clear()
    with pytest.raises(ConnectionResetError):
        claim(RedisReplayGuard(Wire(client, breaks)), [5, 6], lease=60)
    assert claim(plain, [5, 6]) == (WON, PENDING)
    client.close()


def test_a_server_that_is_full_claims_nothing(server: Server) -> None:
    """With ``noeviction``, what does not fit is an error and forgets nobody."""
    client = server.client()
    guard = RedisReplayGuard(client)
    assert set(claim(guard, range(100))) == {WON}
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1")
    with pytest.raises(server.package().exceptions.ResponseError, match="maxmemory"):
        claim(guard, range(90, 200))
    client.config_set("maxmemory", "0")
    assert claim(guard, range(200)) == (DONE,) * 100 + (WON,) * 100
    client.close()


def test_a_value_that_is_no_claim(server: Server) -> None:
    client = server.client()
    client.set(f"hookseal:replay:{key(2).hex()}", "a session")
    client.lpush(f"hookseal:replay:{key(3).hex()}", "a list")
    guard = RedisReplayGuard(client)
    with pytest.raises(ReplayStoreError, match=r"holds something that is no claim: give the"):
        claim(guard, [1, 2])
    with pytest.raises(server.package().exceptions.ResponseError, match="WRONGTYPE"):
        claim(guard, [1, 3])
    assert client.dbsize() == 2
    for token in (None, claim(guard, [4], lease=60).token):
        with pytest.raises(ClaimLostError):
            guard.commit(keys(2), token=token)
        guard.release(keys(2), token=token)
    assert client.get(f"hookseal:replay:{key(2).hex()}") == b"a session"
    client.close()


def test_killed_and_started_again(server: Server) -> None:
    client = server.client()
    guard = RedisReplayGuard(client)
    token = claim(guard, range(50), lease=60).token
    guard.commit(keys(*range(25)), token=token)
    server.kill()
    errors = server.package().exceptions.ConnectionError
    for call in (
        lambda: claim(guard, [1, 99]),
        lambda: guard.commit(keys(30), token=token),
        lambda: guard.release(keys(30), token=token),
    ):
        with pytest.raises(errors):
            call()
    server.start()
    assert claim(guard, range(51)) == (DONE,) * 25 + (PENDING,) * 25 + (WON,)
    client.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_cluster(kind: str, tmp_path: Path) -> None:
    """Keys of one call lie in different slots: each is asked for by itself."""
    node = Server(kind, tmp_path, cluster=True)
    try:
        single = node.client()
        single.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        for _ in range(400):
            if re.search(r"cluster_state\W+ok", str(single.execute_command("CLUSTER INFO"))):
                break
            time.sleep(0.05)
        single.close()
        package = node.package()
        name = {"redis": "RedisCluster", "valkey": "ValkeyCluster"}[kind]
        client = getattr(package, name)(host="127.0.0.1", port=node.port)
        guard = RedisReplayGuard(client)
        first = claim(guard, range(100), lease=60)
        assert set(first) == {WON}
        guard.commit(keys(*range(50)), token=first.token)
        guard.release(keys(*range(50, 75)), token=first.token)
        assert claim(guard, range(100)) == (DONE,) * 50 + (WON,) * 25 + (PENDING,) * 25
        client.close()

        async def work() -> None:
            module = sys.modules[kind].asyncio
            other = getattr(module, name)(host="127.0.0.1", port=node.port)
            guard = AsyncRedisReplayGuard(other)
            found = await guard.claim(keys(1, 99, 100), lease=None, ttl=60)
            assert found == (DONE, PENDING, WON)
            await guard.release(keys(99))
            assert await guard.claim(keys(99), lease=None, ttl=60) == (WON,)
            await other.aclose()

        asyncio.run(work())
    finally:
        node.kill()


# asyncio.


def run(server: Server, work: Callable[[Any, Any], Awaitable[None]]) -> None:
    """Runs a coroutine with a guard and its client."""

    async def whole() -> None:
        client = server.async_client()
        try:
            await work(AsyncRedisReplayGuard(client), client)
        finally:
            await client.aclose()

    asyncio.run(whole())


def test_async(server: Server) -> None:
    async def work(guard: Any, client: Any) -> None:
        assert await guard.claim(keys(1, 1, 2), lease=None, ttl=60) == (WON, DONE, WON)
        first = await guard.claim(keys(1, 3, 4), lease=60, ttl=60)
        assert first == (DONE, WON, WON)
        await guard.commit(keys(3), token=first.token)
        await guard.release(keys(4), token=first.token)
        second = await guard.claim(keys(3, 4), lease=60, ttl=60)
        assert second == (DONE, WON)
        with pytest.raises(ClaimLostError):
            await guard.commit(keys(4), token=first.token)
        # Both kinds of guard see the same claims.
        plain = server.client()
        assert claim(RedisReplayGuard(plain), [1, 4, 5]) == (DONE, PENDING, WON)
        plain.close()
        await guard.close()
        with pytest.raises(ValueError, match="closed"):
            await guard.claim(keys(9), lease=None, ttl=60)

    run(server, work)


def test_of_64_tasks_one_wins(server: Server) -> None:
    ids = 1_000 if IS_FULL else 100

    async def work(guard: Any, client: Any) -> None:
        async def one(seed: int) -> list[int]:
            order = [(number * 7 + seed * 31) % ids for number in range(ids)]
            won = []
            for start in range(0, ids, 50):
                numbers = order[start : start + 50]
                claims = await guard.claim(keys(*numbers), lease=None, ttl=60)
                won += [
                    number
                    for number, said in zip(numbers, claims, strict=True)
                    if said is Claim.WON
                ]
            return won

        found = await asyncio.gather(*map(one, range(64)))
        assert sorted(number for won in found for number in won) == list(range(ids))

    run(server, work)


@pytest.mark.parametrize("lease", [None, 60])
def test_a_task_that_is_cancelled_gives_back_what_it_won(server: Server, lease: Any) -> None:
    async def work(guard: Any, client: Any) -> None:
        gave_up: list[int] = []

        def slow(execute: Any, raises: bool) -> Any:
            async def late() -> Any:
                answers = await execute(raises)
                if not gave_up:
                    gave_up.append(1)
                    await asyncio.sleep(60)
                return answers

            return late()

        wire = Wire(client, slow)
        wire.execute_command = client.execute_command  # type: ignore[attr-defined]
        task = asyncio.create_task(
            AsyncRedisReplayGuard(wire).claim(keys(1, 2), lease=lease, ttl=60)
        )
        while not gave_up:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await client.dbsize() == 0

    run(server, work)


def test_what_fails_half_way_is_given_back_if_it_can_be(server: Server) -> None:
    async def work(guard: Any, client: Any) -> None:
        calls: list[str] = []

        def wired(answer: Callable[[], Awaitable[Any]]) -> AsyncRedisReplayGuard:
            def send(execute: Any, raises: bool) -> Any:
                calls.append("sent")
                return answer()

            wire = Wire(client, send)
            wire.execute_command = client.execute_command  # type: ignore[attr-defined]
            return AsyncRedisReplayGuard(wire)

        async def gone() -> Any:
            raise ConnectionResetError("gone")

        async def never() -> Any:
            await asyncio.get_running_loop().create_future()

        # A second failure hides nothing.
        for lease in (None, 60):
            calls.clear()
            with pytest.raises(ConnectionResetError, match="gone"):
                await wired(gone).claim(keys(1), lease=lease, ttl=60)
            assert len(calls) == 2
        # What is closed cannot wait for an answer.
        calls.clear()
        begun = wired(never).claim(keys(1), lease=None, ttl=60)
        begun.send(None)
        begun.close()
        assert len(calls) == 1

    run(server, work)


# Clients, and what is imported.


def test_wrong_clients(server: Server) -> None:
    made: Any = RedisReplayGuard
    async_made: Any = AsyncRedisReplayGuard
    client = server.client()
    for wrong in (None, "redis://127.0.0.1", object()):
        for cls in (made, async_made):
            text = r"^client must be a client of the package redis or valkey, not "
            with pytest.raises(TypeError, match=text):
                cls(wrong)
    with pytest.raises(TypeError, match=r"are not coroutines: pass it to RedisReplayGuard$"):
        async_made(client)
    with pytest.raises(TypeError, match=r"are coroutines: pass it to AsyncRedisReplayGuard$"):
        made(server.async_client())
    with pytest.raises(TypeError, match=r"^prefix must be a str, not bytes$"):
        made(client, prefix=b"x")
    client.close()


def test_nothing_is_imported_before_it_is_used() -> None:
    script = """
import sys, hookseal, hookseal.pure
class Client:
    def pipeline(self, transaction): raise KeyError
hookseal.RedisReplayGuard(Client())
print(sorted({"redis", "valkey", "sqlite3", "asyncio"} & set(sys.modules)))
hookseal.SQLiteReplayGuard("not-opened.db")
print(sorted({"redis", "valkey", "sqlite3", "asyncio"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n['sqlite3']\n"
    assert not Path("not-opened.db").exists()
