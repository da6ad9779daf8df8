"""A simulated rotation under load: senders switch one by one, and threads verify all along."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from hookseal import Message, Verdict
from tests.implementations import BODY, NOW, secret, signed, twin
from tests.implementations import key as secret_key
from tests.profiles import IS_FULL, IS_QUICK

MESSAGES = 1_000_000 if IS_FULL else 10_000 if IS_QUICK else 40_000
THREADS, BATCH, MACHINES = 4, 500, 10
ENDPOINT, OTHER = "acme", "initech"
OVERLAP_SECONDS = 3600
ENDS = NOW + OVERLAP_SECONDS
OLD, NEW, THEIRS = 1, 2, 3


class Sent(NamedTuple):
    """What one message is signed with, to whom and when it is sent."""

    secret: int
    endpoint: str
    at: int


class Phase(NamedTuple):
    """A stretch of the sender's time, and how many of its machines have switched at its end."""

    begins: int
    ends: int
    switched: int


# Before the rotation, in the overlap, when its end is near, while the old secret is taken away, and
# after that. Some machines are forgotten: they sign with the old secret on either side of the end.
BEFORE = Phase(NOW - OVERLAP_SECONDS, NOW, 0)
INSIDE = Phase(NOW, ENDS - 10, MACHINES - 1)
ENDING = Phase(ENDS - 10, ENDS + 10, MACHINES // 2)
REMOVING = Phase(ENDS + 10, ENDS + 100, MACHINES)
AFTER = Phase(ENDS + 100, ENDS + OVERLAP_SECONDS, MACHINES // 2)
PHASES = (BEFORE, INSIDE, ENDING, REMOVING, AFTER)


def sent(phase: Phase, count: int) -> Iterator[Sent]:
    """What is sent in a phase, evenly over its time."""
    for number in range(count):
        at = phase.begins + (phase.ends - phase.begins) * number // count
        # In the overlap one machine after the other switches.
        switched = phase.switched
        if phase is INSIDE:
            switched = switched * number // count
        if number % 7 == 6:
            yield Sent(THEIRS, OTHER, at)
        elif number % 101 == 100:
            # Another tenant's secret is no use, whenever.
            yield Sent(OLD, OTHER, at)
        else:
            yield Sent(NEW if number % MACHINES < switched else OLD, ENDPOINT, at)


def message(one: Sent, number: int) -> Message:
    headers = signed(key=secret_key(one.secret), id=f"msg_{number}", timestamp=one.at)
    return Message(BODY, headers, endpoint=one.endpoint, received_at=one.at)


@pytest.mark.parametrize("overlap", [timedelta(seconds=OVERLAP_SECONDS), None])
def test_no_message_is_lost_and_no_old_secret_passes_after_it(
    hooks: Any, overlap: timedelta | None
) -> None:
    """The old secret ends with the overlap, or where none is stated when it is taken away."""
    count = (MESSAGES if hooks is not twin() else MESSAGES // 20) // len(PHASES)
    labelled = {OLD: (ENDPOINT, "old"), NEW: (ENDPOINT, "new"), THEIRS: (OTHER, "theirs")}
    made = {
        number: hooks.Secret(secret(number), label=label) for number, (_, label) in labelled.items()
    }
    ends = AFTER.begins if overlap is None else ENDS
    ring = hooks.Keyring({ENDPOINT: [made[OLD]], OTHER: [made[THEIRS]]})
    counted: Counter[Any] = Counter()
    wanted: Counter[Any] = Counter()
    judged: Counter[Verdict] = Counter()
    lock = threading.Lock()

    def verdict_of(one: Sent) -> Verdict:
        is_theirs = labelled[one.secret][0] == one.endpoint
        is_live = one.secret != OLD or one.at < ends
        return Verdict.VALID if is_theirs and is_live else Verdict.SIGNATURE_MISMATCH

    def verify(batch: list[Sent], first: int) -> None:
        """One thread's batch; every verifier shares the ring."""
        messages = [message(one, first + at) for at, one in enumerate(batch)]
        verdicts = list(map(verdict_of, batch))
        verifier = hooks.Verifier(ring)
        result = verifier.verify_batch(messages, threads=1)
        assert list(result) == verdicts
        for alone, verdict in zip(messages[::100], verdicts[::100], strict=True):
            said = verifier.check(
                alone.body, alone.headers, endpoint=alone.endpoint, received_at=alone.received_at
            )
            assert said is verdict
        with lock:
            counted.update(result.by_secret())
            judged.update(result.counts())
            for one, verdict in zip(batch, verdicts, strict=True):
                wanted[labelled[one.secret]] += bool(verdict)

    running: list[Any] = []

    def load(pool: ThreadPoolExecutor, *phases: Phase) -> None:
        for phase in phases:
            all_sent = list(sent(phase, count))
            first = PHASES.index(phase) * count
            for start in range(0, count, BATCH):
                batch = all_sent[start : start + BATCH]
                running.append(pool.submit(verify, batch, first + start))

    def drain() -> None:
        for one in running:
            one.result()
        running.clear()

    with ThreadPoolExecutor(THREADS) as pool:
        # What came before is still being verified while the ring is rotated. The sender has the new
        # secret when that is done, and not earlier.
        load(pool, BEFORE)
        ring.rotate(ENDPOINT, made[NEW], overlap=overlap, now=NOW)
        load(pool, INSIDE, ENDING)
        # The evidence is in: only who was forgotten still signs with the old one.
        drain()
        load(pool, REMOVING)
        ring.remove(ENDPOINT, "old")
        load(pool, AFTER)
        drain()

    assert sum(judged.values()) == count * len(PHASES)
    assert {key: number for key, number in counted.items() if number} == wanted
    assert sum(counted.values()) == judged[Verdict.VALID]
    # All three were in use, and the old one was tried in vain.
    assert min(wanted.values()) > count // 2
    assert judged[Verdict.SIGNATURE_MISMATCH] > count // 4
    assert ring.labels(ENDPOINT) == ["new"]
    late = message(Sent(OLD, ENDPOINT, BEFORE.begins), 0)
    assert set(hooks.Verifier(ring).verify_batch([late] * 20)) == {Verdict.SIGNATURE_MISMATCH}
    for endpoint, label in (labelled[NEW], labelled[THEIRS]):
        usage = ring.usage()[endpoint, label]
        assert usage.count >= wanted[endpoint, label]
        assert NOW < usage.last_matched < AFTER.ends
