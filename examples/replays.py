"""Take each event once, though its sender repeats itself and the work sometimes fails.

    python examples/replays.py

A worker drains a queue in batches. What it has taken is in a file, which other workers open too;
what it could not do goes back to the queue, and is taken again.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hookseal import Message, Secret, Signer, SQLiteReplayGuard, Verified, Verifier

START = datetime(2026, 11, 20, 6, tzinfo=UTC)
EVENTS, PER_BATCH = 100, 60
# The longest that a delivery waits before a worker sees it.
BACKLOG = timedelta(hours=1)


def deliveries(signer: Signer) -> list[Message]:
    """What comes in: every third event twice, every tenth once more."""
    messages = []
    for number in range(EVENTS):
        at = START + timedelta(seconds=number)
        body = b'{"type":"invoice.paid","number":%d}' % number
        headers = signer.sign(body, id=f"msg_{number}", timestamp=at)
        copies = 1 + (number % 3 == 0) + (number % 10 == 0)
        # A provider tries again after some seconds, and whoever saw the request could as well.
        arrivals = [at + timedelta(seconds=40 * copy) for copy in range(copies)]
        messages += [Message(body, headers, received_at=arrival) for arrival in arrivals]
    return sorted(messages, key=lambda message: str(message.received_at))


def work(event: Verified, booked: Counter[int], failed: set[int]) -> bool:
    """Books an invoice; the first try of every tenth fails."""
    number = event.json()["number"]
    if number % 10 == 0 and number not in failed:
        failed.add(number)
        return False
    booked[number] += 1
    return True


def main() -> None:
    """Print what became of each batch."""
    secret = Secret.generate()
    queue = deliveries(Signer(secret))
    booked: Counter[int] = Counter()
    failed: set[int] = set()
    now = START + timedelta(minutes=30)
    # Each batch could be another process: all of them would share the file.
    with tempfile.TemporaryDirectory() as folder:
        guard = SQLiteReplayGuard(Path(folder) / "claims.db")
        remembered = 601 + int(BACKLOG.total_seconds())
        verifier = Verifier(secret, replay=guard, replay_ttl=remembered, lease=300)
        while queue:
            batch, queue = queue[:PER_BATCH], queue[PER_BATCH:]
            result = verifier.verify_batch(batch, now=now)
            undone = [i for i, event in result.accepted() if not work(event, booked, failed)]
            # What failed is given back, to the guard and to the queue; all else is done.
            result.release(undone)
            result.commit()
            queue += [batch[i] for i in undone]
            done = result.valid - len(undone)
            print(f"{done} done, {len(undone)} failed, {result.invalid} taken before")
        guard.close()
    print(
        f"{len(booked)} of {EVENTS} invoices are booked, at most {max(booked.values())} time each"
    )


if __name__ == "__main__":
    main()
