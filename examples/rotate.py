"""Rotate a secret, and take the old one away when nobody signs with it any more.

    python examples/rotate.py

A sender and a receiver in one script. Day by day the receiver drains its queue, and the counts
say which secret still matches: what decides is that evidence, not the calendar.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hookseal import Keyring, Message, Secret, Signer, Verifier

ENDPOINT = "acme/billing"
START = datetime(2026, 11, 20, 6, tzinfo=UTC)
# How many of the sender's ten machines sign with the new secret on each day.
SWITCHED = (0, 2, 7, 10, 10)
QUIET_DAYS = 2


def one_day(day: datetime, old: Signer, new: Signer, switched: int) -> list[Message]:
    """What the sender's ten machines send in a day: an event every hour."""
    messages = []
    for hour in range(24):
        at = day + timedelta(hours=hour)
        for machine in range(10):
            signer = new if machine < switched else old
            body = b'{"type":"invoice.paid","hour":%d,"machine":%d}' % (hour, machine)
            headers = signer.sign(body, timestamp=at)
            messages.append(Message(body, headers, endpoint=ENDPOINT, received_at=at))
    return messages


def main() -> None:
    """Print what the receiver sees."""
    old = Secret.generate(label="2026-05")
    new = Secret.generate(label="2026-11")
    ring = Keyring({ENDPOINT: old})
    verifier = Verifier(ring)

    # The receiver learns the new secret first. The old one ends in a month, come what may.
    ring.rotate(ENDPOINT, new, overlap=timedelta(days=30), now=START)
    print(f"rotated: {ring.labels(ENDPOINT)} are tried, in this order")

    quiet = 0
    for number, switched in enumerate(SWITCHED):
        day = START + timedelta(days=number)
        result = verifier.verify_batch(one_day(day, Signer(old), Signer(new), switched))
        counts: dict[Any, int] = result.by_secret()  # by (endpoint, label)
        matched = ", ".join(f"{label} matched {n}" for (_, label), n in counts.items())
        print(f"{day:%d %b}: {matched}, {result.invalid} refused")
        # Only a secret that was live can show a zero, so the zero is evidence.
        quiet = quiet + 1 if counts[ENDPOINT, "2026-05"] == 0 else 0
        if quiet == QUIET_DAYS:
            ring.remove(ENDPOINT, "2026-05")
            print(f"2026-05 matched nothing for {quiet} days: {ring.labels(ENDPOINT)} is left")


if __name__ == "__main__":
    main()
