"""A ring that changes while others verify: each call sees all of a change, or nothing of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hookseal import Verdict
from tests.implementations import NOW, key, secret, signed

THREADS, TURNS = 4, 100
V, M = Verdict.VALID, Verdict.SIGNATURE_MISMATCH


@pytest.mark.parametrize("times", [4, 200])
def test_a_ring_is_swapped_while_others_verify(hooks: Any, times: int) -> None:
    """Small batches and large ones: never an endpoint without a secret, nor between two."""
    names = ["a", "b"]
    ring = hooks.Keyring({name: secret(0) for name in names})
    verifier = hooks.Verifier(ring)
    messages = [(b"", signed(b"", key=key(number))) for number in (0, 1)] * times
    each = [name for name in names for _ in messages]

    seen: set[tuple[Verdict, ...]] = set()
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            verdicts = list(verifier.verify_batch(messages * 2, endpoint=each, now=NOW))
            # Of each endpoint either the one secret, all through the batch, or the other.
            for said in (verdicts[: len(messages)], verdicts[len(messages) :]):
                assert said in ([V, M] * times, [M, V] * times)
                seen.add(tuple(said[:2]))

    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(work) for _ in range(THREADS)]
        turn = 0
        while (turn < TURNS or len(seen) < 2) and not any(one.done() for one in running):
            turn += 1
            for name in names:
                ring.replace(name, secret(turn % 2))
            # Others come and go, so that everything is moved.
            ring.replace(f"other {turn}", secret(2))
            if turn % 3:
                ring.remove_endpoint(f"other {turn}")
        is_over.set()
        for one in running:
            one.result()

    assert seen == {(V, M), (M, V)}
    assert ring.endpoints()[:2] == names
    assert len(ring) == 2 + turn // 3
