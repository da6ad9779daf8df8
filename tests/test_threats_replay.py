"""Threats 35 to 37 of docs/threats.md: replays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hookseal
from hookseal import ReplayStoreFullError, SQLiteReplayGuard, Verdict
from tests.conftest import Clock
from tests.counted import instructions
from tests.implementations import BODY, NOW, SECRET, key, secret, signed
from tests.judges import changed
from tests.profiles import IS_FULL, IS_QUICK

V = Verdict
HOUR = 3600


@pytest.fixture
def steady(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock in place of ``time.monotonic``, which nobody can set."""
    steady = Clock()
    monkeypatch.setattr("time.monotonic", steady)
    return steady


@pytest.fixture(params=["memory", "sqlite"])
def guard(request: pytest.FixtureRequest, hooks: Any, steady: Clock, tmp_path: Path) -> Any:
    """The guard in memory of each module, and the one in a file."""
    if request.param == "memory":
        return hooks.MemoryReplayGuard()
    return SQLiteReplayGuard(tmp_path / "claims.db", synchronous="NORMAL")


def test_threat_35_the_clock_steps_back(
    hooks: Any, guard: Any, clock: Clock, steady: Clock
) -> None:
    """By an hour, at any moment of a message's life: no claim is freed, no copy let in."""
    verifier = hooks.Verifier(SECRET, replay=guard)
    assert verifier.check(BODY, signed()) is V.VALID
    for passed in (0, 1, 299, 300):
        for step in (-HOUR, -passed, -301, 0):
            clock.now, steady.now = NOW + passed + step, NOW + passed
            expected = V.REPLAYED if abs(passed + step) <= 300 else V.TOO_NEW
            assert verifier.check(BODY, signed()) is expected
            assert list(verifier.verify_batch([(BODY, signed())] * 3)) == [expected] * 3
            assert guard.count() == 1


def test_threat_35_the_clock_jumps_ahead_and_back(hooks: Any, clock: Clock, steady: Clock) -> None:
    """A claim in memory ends when both clocks have passed its end."""
    guard = hooks.MemoryReplayGuard()
    verifier = hooks.Verifier(SECRET, replay=guard)
    assert verifier.check(BODY, signed()) is V.VALID
    clock.now = NOW + 24 * HOUR
    for number in range(100):
        assert verifier.check(BODY, signed(id=f"m{number}", timestamp=NOW + 24 * HOUR))
    clock.now = NOW + 5
    assert verifier.check(BODY, signed()) is V.REPLAYED
    assert guard.count() == 101


def test_threat_36_an_id_remembered_before_its_signature_is_checked(hooks: Any, guard: Any) -> None:
    """GHSA-cmwq-5829-xw24: forgeries filled the memory, and took the ids of what was to come."""
    verifier = hooks.Verifier(SECRET, replay=guard, max_body_bytes=1000)
    times = 100_000 if hooks is hookseal or IS_FULL else 10_000
    wrong = "v1," + "A" * 43 + "="
    forged = [(BODY, {**signed(id=f"msg_{n}"), "webhook-signature": wrong}) for n in range(5)]
    stranger = {"webhook-timestamp": str(NOW), "webhook-signature": wrong}
    forged += [(BODY, {**stranger, "webhook-id": f"msg_{n}"}) for n in range(times)]
    assert verifier.verify_batch(forged).counts() == {V.SIGNATURE_MISMATCH: times + 5}
    # Good signatures of messages that are refused for something else.
    refused = [
        (BODY, signed(timestamp=NOW - 301)),
        (BODY, signed(timestamp=NOW + 301)),
        (bytes(1001), signed(bytes(1001))),
        changed(webhook_id=["msg_1", "msg_2"]),
        changed(webhook_timestamp=...),
    ]
    for message in (*forged[:20], *refused):
        assert not verifier.check(*message)
    assert verifier.verify_batch(refused).valid == 0
    assert guard.count() == 0
    assert verifier.check(BODY, signed()) is V.VALID
    assert guard.count() == 1


def test_threat_37_an_id_burnt_before_the_work_is_done(
    hooks: Any, guard: Any, clock: Clock, steady: Clock
) -> None:
    """hookaido #260: the retry of what had failed was refused for good."""
    verifier = hooks.Verifier(SECRET, replay=guard, lease=60)
    event = verifier.verify(BODY, signed())
    with pytest.raises(LookupError), event.processing():
        raise LookupError("the work failed")
    died = verifier.verify(BODY, signed())  # the retry, whose worker does nothing any more
    assert verifier.check(BODY, signed()) is V.REPLAYED
    clock.now = steady.now = NOW + 62
    event = verifier.verify(BODY, signed())
    with event.processing():
        # Nor can the one that was given up spoil it.
        with pytest.raises(hookseal.ClaimLostError), died.processing():
            pass
        assert verifier.check(BODY, signed()) is V.REPLAYED
    clock.now = steady.now = NOW + 299
    assert verifier.check(BODY, signed()) is V.REPLAYED
    # The same for a batch, of which a part failed.
    result = verifier.verify_batch([(BODY, signed(id=f"msg_{n}")) for n in range(2, 22)])
    result.release(range(5))
    result.commit()
    again = verifier.verify_batch([(BODY, signed(id=f"msg_{n}")) for n in range(2, 22)])
    assert list(again) == [V.VALID] * 5 + [V.REPLAYED] * 15


def test_threat_37_an_id_that_is_evicted(hooks: Any, clock: Clock, steady: Clock) -> None:
    """nucleus #2375: who sends enough messages of his own pushes out the one to be replayed."""
    guard = hooks.MemoryReplayGuard(max_claims=100)
    verifier = hooks.Verifier(SECRET, replay=guard)
    messages = [(BODY, signed(id=f"msg_{n}")) for n in range(100)]
    assert verifier.verify_batch(messages).valid == 100
    other = (BODY, signed(id="one more"))
    calls: list[Callable[[], Any]] = [
        lambda: verifier.verify(*other),
        lambda: verifier.verify_batch([other] * 20),
    ]
    for call in calls:
        with pytest.raises(ReplayStoreFullError):
            call()
    assert set(verifier.verify_batch(messages)) == {V.REPLAYED}
    # Room comes with time alone.
    clock.now = steady.now = NOW + 602
    assert verifier.check(BODY, signed(id="one more", timestamp=NOW + 602)) is V.VALID


def test_threat_37_an_id_that_is_raced_for(hooks: Any, guard: Any) -> None:
    """Of 64 threads one wins, and the others are told that it is a copy."""
    verifier = hooks.Verifier(SECRET, replay=guard)
    gate = threading.Barrier(64)
    seen: list[Verdict] = []

    def race() -> None:
        gate.wait()
        for number in range(5):
            message = (BODY, signed(id=f"msg_{number}"))
            seen.append(verifier.check(*message))
            seen.extend(verifier.verify_batch([message] * 2))

    threads = [threading.Thread(target=race) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(seen) == 64 * 15
    assert (seen.count(V.VALID), seen.count(V.REPLAYED)) == (5, 64 * 15 - 5)
    assert guard.count() == 5


def test_threat_37_a_copy_that_is_written_otherwise(hooks: Any, guard: Any) -> None:
    """An id counts as it was signed, with its endpoint: not the text of its header."""
    ring = hooks.Keyring({"a": [secret(1), secret(2)], "b": secret(1)})
    verifier = hooks.Verifier(ring, replay=guard)
    one, two = (signed(key=key(n))["webhook-signature"] for n in (1, 2))
    good = {**signed(), "webhook-signature": one}
    assert verifier.check(BODY, {**good, "webhook-signature": f"{one} {two}"}, endpoint="a")
    copies: list[Any] = [
        good,
        {**good, "webhook-signature": two},
        {**good, "webhook-signature": f"{two} {one}"},
        {**good, "webhook-id": " msg_1\t"},
        {name.upper(): value for name, value in good.items()},
        {name.encode(): value.encode() for name, value in good.items()},
        [*good.items(), ("webhook-id", "msg_1")],
        {**good, "webhook-timestamp": f" {NOW}"},
    ]
    for copy in copies:
        assert verifier.check(BODY, copy, endpoint="a") is V.REPLAYED
    # Another tenant's message of that name is another one.
    assert verifier.check(BODY, good, endpoint="b") is V.VALID
    assert guard.count() == 2


@pytest.mark.skipif(IS_QUICK, reason="a second under valgrind is a minute")
def test_threat_37_claims_that_cost_more_with_every_one(tmp_path: Path) -> None:
    """One beside very many takes at most 1.5 times the instructions of one beside a thousand."""
    pytest.importorskip("hookseal._core")
    script = f"""
    def name(number):
        return number.to_bytes(16, "big")
    for size in (1_000, {1_000_000 if IS_FULL else 100_000}):
        guard = MemoryReplayGuard()
        for start in range(0, size, 1_000):
            guard.claim([name(n) for n in range(start, start + 1_000)], lease=None, ttl=601)
        fresh = map(name, range(10**7, 10**8))
        count(lambda: guard.claim([next(fresh)], lease=None, ttl=601))
        count(lambda: guard.claim([name(5)], lease=None, ttl=601))
    """
    few, known_of_few, many, known_of_many = instructions(script, "hookseal", tmp_path)
    assert many <= 1.5 * few
    assert known_of_many <= 1.5 * known_of_few


def test_threat_37_claims_last_for_as_long_as_a_copy_is_fresh(
    hooks: Any, guard: Any, clock: Clock, steady: Clock
) -> None:
    """What was swept too early could come again in its last second."""
    verifier = hooks.Verifier(SECRET, replay=guard)
    early = signed(timestamp=NOW + 300)
    assert verifier.check(BODY, early) is V.VALID
    for passed in (1, 300, 599, 600):
        clock.now = steady.now = NOW + passed
        # Every claim sweeps some of what has ended.
        assert verifier.check(BODY, signed(id=f"m{passed}", timestamp=NOW + passed))
        assert verifier.check(BODY, early) is V.REPLAYED
    clock.now = steady.now = NOW + 601
    assert verifier.check(BODY, early) is V.TOO_OLD
