"""How many claims a second each replay guard takes, and what a guard costs a batch.

    python benches/guards.py [--quick]

Prints the tables of docs/replay.md. Servers are started on the loopback, where they are installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Final

# Run as a script, Python looks beside this file, not above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import hookseal
import hookseal.pure
from benches.markdown import table
from hookseal import MemoryReplayGuard, RedisReplayGuard, SQLiteReplayGuard, Verifier
from tests import oracle
from tests.implementations import NOW, SECRET, signed
from tests.servers import Server

BATCHES: Final = (1, 100, 10_000)
TTL_SECONDS: Final = 601
_BODY_BYTES: Final = 1024


@contextmanager
def _memory(_: Path) -> Iterator[Any]:
    yield MemoryReplayGuard(max_claims=100_000_000)


@contextmanager
def _twin(_: Path) -> Iterator[Any]:
    yield hookseal.pure.MemoryReplayGuard(max_claims=100_000_000)


@contextmanager
def _sqlite(folder: Path, synchronous: Any = "FULL") -> Iterator[Any]:
    guard = SQLiteReplayGuard(folder / f"{synchronous}.db", synchronous=synchronous)
    yield guard
    guard.close()


@contextmanager
def _sqlite_normal(folder: Path) -> Iterator[Any]:
    with _sqlite(folder, "NORMAL") as guard:
        yield guard


@contextmanager
def _server(kind: str, folder: Path) -> Iterator[Any]:
    server = Server(kind, folder)
    client = server.client()
    try:
        yield RedisReplayGuard(client)
    finally:
        client.close()
        server.kill()


@contextmanager
def _redis(folder: Path) -> Iterator[Any]:
    with _server("redis", folder) as guard:
        yield guard


@contextmanager
def _valkey(folder: Path) -> Iterator[Any]:
    with _server("valkey", folder) as guard:
        yield guard


# Each with the most claims of one run: what waits for a disk takes its time.
GUARDS: Final[dict[str, tuple[Callable[[Path], Any], int]]] = {
    "`MemoryReplayGuard`": (_memory, 500_000),
    "the same of `hookseal.pure`": (_twin, 100_000),
    "`SQLiteReplayGuard`": (_sqlite, 20_000),
    '`SQLiteReplayGuard(synchronous="NORMAL")`': (_sqlite_normal, 20_000),
    "`RedisReplayGuard`, Redis with `appendfsync always`": (_redis, 20_000),
    "`RedisReplayGuard`, Valkey with `appendfsync always`": (_valkey, 20_000),
}


def claims_per_second(guard: Any, batch: int, count: int) -> float:
    """Of keys that nobody had; every one must be won."""
    names = [os.urandom(16) for _ in range(max(batch, count))]
    parts = [names[start : start + batch] for start in range(0, len(names), batch)]
    begun = perf_counter()
    won = [guard.claim(part, lease=None, ttl=TTL_SECONDS) for part in parts]
    seconds = perf_counter() - begun
    assert all(claim == 1 for claims in won for claim in claims)
    return len(names) / seconds


def guards(rounds: int, divisor: int = 1) -> Iterator[tuple[str, list[float | None]]]:
    """For each guard and size of batch the median of the rounds; None where there is no server."""
    import pytest

    for name, (opened, count) in GUARDS.items():
        rates: list[float | None] = []
        with tempfile.TemporaryDirectory() as folder:
            try:
                with opened(Path(folder)) as guard:
                    for batch in BATCHES:
                        # One at a time each waits for the store; fewer will do.
                        most = max(1, count // divisor // (20 if batch == 1 else 1))
                        found = [claims_per_second(guard, batch, most) for _ in range(rounds)]
                        rates.append(statistics.median(found))
            except pytest.skip.Exception:
                rates = [None] * len(BATCHES)
        yield name, rates


def _standard(count: int) -> tuple[dict[str, Any], list[Any]]:
    bodies = [hashlib.sha256(b"%d" % at).hexdigest().encode() * 16 for at in range(count)]
    messages = [(body, signed(body, id=f"msg_{at:027}")) for at, body in enumerate(bodies)]
    return {"secrets": SECRET}, messages


def _github(count: int) -> tuple[dict[str, Any], list[Any]]:
    bodies = [body for body, _ in _standard(count)[1]]
    headers = [{"x-hub-signature-256": oracle.sha256(b"a key", body)} for body in bodies]
    return {"secrets": "a key", "scheme": "github"}, list(zip(bodies, headers, strict=True))


SCHEMES: Final = {"`standard-webhooks`": _standard, "`github`": _github}


def cost(name: str, rounds: int, count: int) -> tuple[float, float, float]:
    """Microseconds a message without a guard and with one, and the median of the paired ratios."""
    options, messages = SCHEMES[name](count)
    plain = Verifier(**options)
    pairs = []
    for _ in range(rounds):
        guarded = Verifier(**options, replay=MemoryReplayGuard(), replay_ttl=3600)
        pair = []
        for verifier in (plain, guarded):
            begun = perf_counter()
            result = verifier.verify_batch(messages, now=NOW, threads=1)
            pair.append((perf_counter() - begun) / count * 1e6)
            assert result.valid == count
        pairs.append(pair)
    ratios = statistics.median(guarded / bare for bare, guarded in pairs)
    without, with_one = (statistics.median(each) for each in zip(*pairs, strict=True))
    return without, with_one, ratios


def cost_by_size(rounds: int, most: int) -> tuple[float, float, float]:
    """Nanoseconds a claim, of a guard that holds a thousand and of one with the most.

    In calls of 100; the third is the median of the paired ratios.
    """
    pairs = []
    large = _holding(most)
    for _ in range(rounds):
        pair = []
        for guard in (_holding(1_000), large):
            parts = [[os.urandom(16) for _ in range(100)] for _ in range(10)]
            begun = perf_counter()
            for part in parts:
                guard.claim(part, lease=None, ttl=TTL_SECONDS)
            pair.append((perf_counter() - begun) / 1_000 * 1e9)
        pairs.append(pair)
    small, big = (statistics.median(each) for each in zip(*pairs, strict=True))
    return small, big, statistics.median(big / small for small, big in pairs)


def _holding(count: int) -> MemoryReplayGuard:
    guard = MemoryReplayGuard(max_claims=100_000_000)
    for _ in range(0, count, 1_000):
        guard.claim([os.urandom(16) for _ in range(1_000)], lease=None, ttl=TTL_SECONDS)
    return guard


def _shown(rate: float | None) -> str:
    if rate is None:
        return "no server"
    # Two digits: the rest is chance.
    digits = 10 ** max(0, len(str(int(rate))) - 2)
    return f"{round(rate / digits) * digits:,}"


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small run, to try it out")
    quick = parser.parse_args(arguments).quick
    head = ["claims a second, in calls of", *(f"{batch:,}" for batch in BATCHES)]
    rows = [
        [name, *map(_shown, rates)]
        for name, rates in guards(1 if quick else 3, divisor=100 if quick else 1)
    ]
    print(table(head, rows))
    head = ["`verify_batch`, 10,000 of 1 KiB, one thread", "µs", "with a guard", "times"]
    rows = []
    for name in SCHEMES:
        without, with_one, times = cost(name, 3 if quick else 21, 1_000 if quick else 10_000)
        rows.append([name, f"{without:.2f}", f"{with_one:.2f}", f"{times:.2f}"])
    print(table(head, rows))
    most = 10_000 if quick else 1_000_000
    small, large, times = cost_by_size(3 if quick else 101, most)
    print(f"A claim in memory, in calls of 100: {small:.0f} ns beside 1,000 others, {large:.0f} ns")
    print(f"beside {most:,}: {times:.2f} times")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
