"""Guards that many claim from at once: threads, processes, forks; and processes that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hookseal import Claim, SQLiteReplayGuard
from tests.guards import IN_MEMORY, SHARED, claim, key, opener
from tests.profiles import IS_FULL, IS_QUICK
from tests.servers import Server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are POSIX")

THREADS, PROCESSES = 64, 8
# What a disk or a server is asked for 72 times over takes its time; in memory it does not.
SHARED_IDS = 100_000 if IS_FULL else 1_000
MEMORY_IDS = 100_000 if IS_FULL else 10_000 if IS_QUICK else 20_000
TWIN_IDS = 100_000 if IS_FULL else 5_000
KILLS = 200 if IS_FULL else 4 if IS_QUICK else 20
# Behind a server a client that dies has no file to harm.
CLIENT_KILLS = 40 if IS_FULL else 4

NAMES = [key(number) for number in range(100_000)]


@pytest.fixture(params=[*IN_MEMORY, *SHARED])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """How to open a guard of each kind."""
    yield from opener(request.param, tmp_path)


def _won(guard: Any, ids: int, seed: int, batch: int) -> list[int]:
    """Claims all ids in an order of its own; returns those that were won."""
    order = list(range(ids))
    random.Random(seed).shuffle(order)
    won = []
    for start in range(0, ids, batch):
        numbers = order[start : start + batch]
        claims = guard.claim([NAMES[number] for number in numbers], lease=None, ttl=3600)
        won += [number for number, said in zip(numbers, claims, strict=True) if said is Claim.WON]
        assert {Claim.WON, Claim.DONE} >= set(claims)
    return won


def test_of_64_threads_one_wins(opened: Callable[[], Any], request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.params["opened"]
    ids = MEMORY_IDS if kind == "memory" else TWIN_IDS if kind == "twin" else SHARED_IDS
    guard = opened()
    won: list[int] = []
    errors: list[Exception] = []
    begin = threading.Barrier(THREADS)

    def work(seed: int) -> None:
        try:
            begin.wait()
            won.extend(_won(guard, ids, seed, batch=500))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(won) == list(range(ids))
    guard.close()


def _program(kind: str, folder: Path, port: int | None) -> str:
    if kind == "sqlite":
        made = f"hookseal.SQLiteReplayGuard({str(folder / 'claims.db')!r}, timeout=60)"
    else:
        made = f"hookseal.RedisReplayGuard({kind}.Redis(port={port}))"
    imported = "" if kind == "sqlite" else f"import {kind}\n"
    return (
        f"import sys, os, hashlib, random, hookseal\n{imported}guard = {made}\n"
        "def key(number): return hashlib.sha256(b'key %d' % number).digest()[:16]\n"
    )


CLAIM_ALL = """
order = list(range({ids}))
random.Random(int(sys.argv[1])).shuffle(order)
for start in range(0, len(order), 250):
    numbers = order[start : start + 250]
    claims = guard.claim([key(number) for number in numbers], lease=None, ttl=3600)
    for number, said in zip(numbers, claims):
        if said is hookseal.Claim.WON:
            print(number)
"""


@pytest.mark.parametrize("kind", SHARED)
def test_of_8_processes_one_wins(kind: str, tmp_path: Path) -> None:
    server = None if kind == "sqlite" else Server(kind, tmp_path)
    try:
        text = _program(kind, tmp_path, None if server is None else server.port)
        text += CLAIM_ALL.format(ids=SHARED_IDS)
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", text, str(seed)], stdout=subprocess.PIPE, text=True
            )
            for seed in range(PROCESSES)
        ]
        won = []
        for process in processes:
            output, _ = process.communicate(timeout=3600)
            assert process.returncode == 0
            won += [int(line) for line in output.split()]
        assert sorted(won) == list(range(SHARED_IDS))
    finally:
        if server is not None:
            server.kill()


# Claims and says so, until it is killed: what it says it has won. A line is one write, and whole.
UNTIL_KILLED = """
draw = random.Random(int(sys.argv[1]))
os.write(1, b"begin\\n")
while True:
    numbers = draw.sample(range({ids}), draw.choice([1, 5, 50]))
    claims = guard.claim([key(number) for number in numbers], lease=None, ttl=3600)
    won = [str(n) for n, said in zip(numbers, claims) if said is hookseal.Claim.WON]
    os.write(1, (" ".join(won) + "\\n").encode())
"""


@pytest.mark.parametrize("kind", SHARED)
def test_writers_that_are_killed_leave_no_id_to_win_twice(kind: str, tmp_path: Path) -> None:
    """Two at a time are killed at random points; what one said it had won, nobody wins again."""
    server = None if kind == "sqlite" else Server(kind, tmp_path)
    ids = 50_000
    try:
        text = _program(kind, tmp_path, None if server is None else server.port)
        text += UNTIL_KILLED.format(ids=ids)
        draw = random.Random(5)
        won: Counter[int] = Counter()
        kills = KILLS if server is None else CLIENT_KILLS
        for round in range(kills // 2):
            writers = [
                subprocess.Popen(
                    [sys.executable, "-c", text, str(2 * round + at)], stdout=subprocess.PIPE
                )
                for at in range(2)
            ]
            for writer in writers:
                assert writer.stdout is not None
                assert writer.stdout.readline() == b"begin\n"
            for writer in writers:
                try:
                    writer.wait(draw.uniform(0, 0.05))
                except subprocess.TimeoutExpired:
                    writer.kill()
            for writer in writers:
                output, _ = writer.communicate()
                assert writer.returncode == -signal.SIGKILL
                won.update(int(number) for number in output.split())
        assert max(won.values(), default=0) == 1
        for guard in _opened_again(kind, tmp_path, server):
            # What was said is held, and the store works.
            held = guard.claim([key(number) for number in won], lease=None, ttl=60)
            assert set(held) <= {Claim.DONE}
            assert claim(guard, [ids + 1]) == (Claim.WON,)
            guard.close()
    finally:
        if server is not None:
            server.kill()


def _opened_again(kind: str, folder: Path, server: Server | None) -> Iterator[Any]:
    from hookseal import RedisReplayGuard

    if server is None:
        import sqlite3

        database = sqlite3.connect(folder / "claims.db")
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.close()
        yield SQLiteReplayGuard(folder / "claims.db")
    else:
        client = server.client()
        yield RedisReplayGuard(client)
        client.close()


@pytest.mark.parametrize("kind", [*IN_MEMORY, "sqlite"])
def test_fork_while_threads_claim(kind: str, tmp_path: Path) -> None:
    """A child finds no lock that nobody opens, and no connection that is another's."""
    text = """
        import os, signal, sys, threading
        from pathlib import Path
        from tests.guards import keys, opener
        (opened,) = opener(sys.argv[1], Path(sys.argv[2]))
        guard = opened()
        stop = threading.Event()
        def work(first):
            number = first
            while not stop.is_set():
                assert guard.claim(keys(number, number + 1), lease=None, ttl=600)[0] == 1
                number += 2
        threads = [threading.Thread(target=work, args=(at * 10**6,)) for at in range(1, 4)]
        for thread in threads:
            thread.start()
        won = 0
        for round in range(12):
            child = os.fork()
            if child == 0:
                signal.alarm(100)
                claims = guard.claim(keys(-1, -2 - round), lease=None, ttl=600)
                os._exit(10 + sum(claim == 1 for claim in claims))
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert status in (11, 12), status
            won += status - 10
        stop.set()
        for thread in threads:
            thread.join()
        print(won, guard.claim(keys(-1), lease=None, ttl=600)[0])
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text), kind, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore::DeprecationWarning"},
    )
    assert (run.returncode, run.stderr) == (0, "")
    # In a file the twelve children meet; in memory each has its own, and the parent none of theirs.
    assert run.stdout == ("13 3\n" if kind == "sqlite" else "24 1\n")
