"""Memory: nothing is lost with time, and a message of a batch costs what it says."""

from __future__ import annotations

import sys

import pytest

from tests.processes import measured

pytest.importorskip("hookseal._core")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/statm")


def test_cycles_are_collected() -> None:
    """A result holds the exceptions of its items, and their tracebacks hold frames."""
    (grown,) = measured(
        """
        verifier = Verifier(KEY)
        class Broken(dict):
            def items(self):
                mine = kept = [bytearray(1 << 16)]
                kept.append(self)
                raise ValueError
        def work():
            for _ in range(200):
                item = [b"", Broken()]
                result = verifier.verify_batch([tuple(item)], now=NOW)
                item[1].result = result
                result.errors[0].result = result
        import gc
        for _ in range(4):
            work()
            gc.collect()
        before = resident()
        for _ in range(10):
            work()
            # How long garbage waits for its collector is another matter, and differs by version.
            gc.collect()
        print(resident() - before)
        """
    )
    # 125 MiB if nothing is collected.
    assert grown < 16 << 20


# A result of n messages holds, for each: with keep=False a code and a secret's position; with
# keep=True also the outcome and two references. Measured over results that are held at once, so
# that what a call needs on its way, and gives back, does not count; the page size and the
# allocator's rounding are the slack.
_MESSAGES = 200_000
_RESULTS = 5
_SLACK_BYTES = 2


@pytest.mark.parametrize(("keep", "most"), [(False, 16), (True, 64)])
@pytest.mark.parametrize("is_ring", [False, True])
def test_memory_of_a_message(keep: bool, most: int, is_ring: bool) -> None:
    (each,) = measured(
        f"""
        verifier = Verifier(Keyring({{"a": KEY}}) if {is_ring} else KEY)
        named = {{"endpoint": "a"}} if {is_ring} else {{}}
        messages = tuple([(b"body", signed(b"body"))] * {_MESSAGES})
        def batch():
            return verifier.verify_batch(messages, now=NOW, keep={keep}, **named)
        held = [batch()]
        before = resident()
        held += [batch() for _ in range({_RESULTS})]
        print((resident() - before) / {_RESULTS} / {_MESSAGES})
        """
    )
    assert each <= most + _SLACK_BYTES


def test_a_ring_of_ten_thousand_tenants() -> None:
    """Keyed states, names, labels, and the table that finds them."""
    (grown, shown) = measured(
        """
        import hashlib
        def key(number):
            return hashlib.sha256(b"%d" % number).digest()
        endpoints = {f"acct_{n:05d}": [key(2 * n), key(2 * n + 1)] for n in range(10_000)}
        # The first ring finds memory that the start has left over.
        first = Keyring(endpoints)
        before = resident()
        ring = Keyring(endpoints)
        print(resident() - before, len(ring))
        """
    )
    assert shown == 10_000
    assert grown < 4_000_000


def test_a_ring_of_twenty_thousand_endpoints() -> None:
    """Keys that are weak, and so have findings, take more."""
    (grown, shown) = measured(
        """
        names = [f"acct_{number}" for number in range(20_000)]
        secrets = [number.to_bytes(4, "big") * 8 for number in range(20_000)]
        endpoints = dict(zip(names, secrets))
        Keyring({"a": KEY})
        before = resident()
        ring = Keyring(endpoints)
        print(resident() - before, len(ring))
        """
    )
    assert shown == 20_000
    assert grown < 16 << 20
