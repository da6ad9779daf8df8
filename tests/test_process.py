"""Threads that share the core, each test in a Python of its own. What else a process must survive
is in test_threats_process.py."""

from __future__ import annotations

import pytest

from tests.children import run

pytest.importorskip("hookseal._core")


@pytest.mark.parametrize("threads", [1, 2])
def test_other_threads_run_while_a_batch_hashes(threads: int) -> None:
    """The longest pause of a thread that only sleeps, during two GiB of hashing."""
    said = run(
        f"""
        import threading, time
        body = bytes(1 << 24)
        messages = [(body, signed(b""))] * 128
        longest, ticks, stop = 0.0, 0, False
        def tick():
            global longest, ticks
            last = time.perf_counter()
            while not stop:
                time.sleep(0.002)
                now = time.perf_counter()
                longest, ticks, last = max(longest, now - last), ticks + 1, now
        other = threading.Thread(target=tick)
        other.start()
        begun = time.perf_counter()
        Verifier(KEY).verify_batch(messages, now=NOW, threads={threads})
        took = time.perf_counter() - begun
        stop = True
        other.join()
        print(took, ticks, longest)
        """
    )
    took, ticks, longest = map(float, said.split())
    assert took > 0.2
    assert ticks > 10
    assert longest < took / 2


def test_single_verifies_of_large_bodies_let_others_run() -> None:
    """Four threads, each with its own large body: their results are taken, not only awaited."""
    said = run(
        """
        from concurrent.futures import ThreadPoolExecutor
        verifier = Verifier(KEY)
        bodies = [bytes([number]) * (1 << 22) for number in range(4)]
        headers = [signed(body) for body in bodies]
        def work(number):
            good = [verifier.verify(bodies[number], headers[number], now=NOW) for _ in range(8)]
            bad = [verifier.check(bodies[number], headers[number - 1], now=NOW) for _ in range(8)]
            return all(one.body is bodies[number] for one in good) and not any(bad)
        with ThreadPoolExecutor(4) as pool:
            print(list(pool.map(work, range(4))))
        """
    )
    assert said == "[True, True, True, True]\n"


def test_a_ring_that_changes_under_verifying_threads() -> None:
    """Every answer is that of one snapshot: each message fits the old secret or the new one."""
    said = run(
        """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        old, new = bytes(range(32)), bytes(range(32, 64))
        ring = Keyring({"a": old})
        verifier = Verifier(ring)
        by_old = Signer(old).sign(b"", timestamp=NOW)
        by_new = Signer(new).sign(b"", timestamp=NOW)
        messages = [(b"", by_old), (b"", by_new)] * 10
        stop = threading.Event()
        def change():
            for number in range(2_000):
                ring.replace("a", old if number % 2 else new)
            stop.set()
            return "changed"
        def watch(_):
            seen = set()
            while not stop.is_set():
                result = verifier.verify_batch(messages, endpoint="a", now=NOW)
                seen.add(result.codes.tobytes())
            return seen
        with ThreadPoolExecutor(4) as pool:
            change, *watching = pool.submit(change), *[pool.submit(watch, n) for n in range(3)]
            print(change.result(30))
            seen = set().union(*[one.result(30) for one in watching])
        assert seen <= {b"\\1\\14" * 10, b"\\14\\1" * 10}, seen
        """
    )
    assert said == "changed\n"
