"""What a message is known by, in a batch: keys are made side by side, whatever they are made of."""

from __future__ import annotations

import random
from typing import Any

from hookseal import Verdict
from tests import oracle
from tests.implementations import KEY, NOW, SECRET, signed
from tests.test_replay import Recorder, expected_key

# Names for which what all keys of an endpoint begin with has one block, two, and six.
NAMES = ("a", "b" * 40, "c" * 300)


def test_keys_of_a_batch_of_all_kinds(hooks: Any) -> None:
    """Ids and whole messages, short and long, with bytes behind the body, and forgeries between."""
    around = hooks.Scheme(
        "around",
        signature="x-s",
        format="{hex}",
        signed="v0:{timestamp}:{body}:end",
        timestamp="x-time",
    )
    chance = random.Random(6)
    secrets: dict[str, Any] = {}
    for name in NAMES:
        secrets["id " + name] = SECRET
        secrets["body " + name] = hooks.Endpoint(KEY, scheme="github")
        secrets["both " + name] = hooks.Endpoint(KEY, scheme=around)
    messages, endpoints, expected = [], [], []
    # More than are made together, and twice; bodies about the length of a block, and long ones.
    sizes = [*range(130), *(chance.randrange(3_000) for _ in range(500)), 8_192, 200_000, 5_000_000]
    chance.shuffle(sizes)
    for number, size in enumerate(sizes):
        kind, name = chance.choice(("id", "body", "both")), chance.choice(NAMES)
        endpoint, body = f"{kind} {name}", chance.randbytes(size)
        stamp = str(NOW - number % 300)
        if kind == "id":
            id = f"msg_{number}" + "x" * chance.randrange(100)
            told, headers = id.encode(), signed(body, id=id)
        elif kind == "body":
            # A body of its own, for two empty ones are one message.
            body += b"%d" % number
            told, headers = body, {"x-hub-signature-256": oracle.sha256(KEY, body)}
        else:
            told = b"v0:%s:%b%d:end" % (stamp.encode(), body, number)
            body += b"%d" % number
            headers = {"x-time": stamp, "x-s": oracle.mac(KEY, told).hex()}
        if number % 7 == 0:
            body += b"!"
        else:
            scheme = {"id": "standard-webhooks", "body": "github", "both": "around"}[kind]
            expected.append(expected_key(scheme, endpoint, told))
        messages.append((body, headers))
        endpoints.append(endpoint)
    guard = Recorder()
    ours = hooks.Verifier(hooks.Keyring(secrets), replay=guard, replay_ttl=7_000)
    result = ours.verify_batch(messages, endpoint=endpoints, now=NOW)
    ((_, asked, _),) = guard.calls
    assert asked == expected
    assert result.counts() == {
        Verdict.VALID: len(expected),
        Verdict.SIGNATURE_MISMATCH: len(messages) - len(expected),
    }
