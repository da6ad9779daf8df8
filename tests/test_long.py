"""What is long: a few bodies that fill no chunk, and headers that fit no buffer."""

from __future__ import annotations

from typing import Any

import pytest

from hookseal import Verdict
from tests.implementations import NOW, SECRET, signed
from tests.vector_rows import each_implementation, module


@each_implementation
@pytest.mark.parametrize("count", [1, 2, 9, 10, 11])
@pytest.mark.parametrize("size", [6_000, 7_000, 70_000, 300_000])
def test_a_few_long_bodies(implementation: str, count: int, size: int) -> None:
    """Around the bounds between one by one and side by side: item i is what check says of it."""
    verifier = module(implementation).Verifier(SECRET)
    messages: list[Any] = []
    for number in range(count):
        body = bytes([number]) * (size + number)
        messages.append((body + b"x" * (number % 2), signed(body, id=f"msg_{number}")))
    expected = [verifier.check(*message, now=NOW) for message in messages]
    assert expected[:2] == [Verdict.VALID, Verdict.SIGNATURE_MISMATCH][:count]
    for threads in (1, 2):
        assert list(verifier.verify_batch(messages, now=NOW, threads=threads)) == expected


@each_implementation
def test_headers_longer_than_any_buffer(implementation: str) -> None:
    """A long value spoils its own message, wherever its header stands, and no other."""
    verifier = module(implementation).Verifier(SECRET)
    good = signed()
    long = "x" * 300_000
    rows: list[tuple[dict[str, Any], Verdict]] = [
        (good, Verdict.VALID),
        ({**good, "webhook-signature": long}, Verdict.TOO_LARGE),
        ({**good, "webhook-signature": [long, good["webhook-signature"]]}, Verdict.TOO_LARGE),
        ({**good, "webhook-id": long}, Verdict.MALFORMED_HEADER),
        ({**good, "webhook-timestamp": long}, Verdict.MALFORMED_TIMESTAMP),
        ({**good, "webhook-id": " " * 300_000 + good["webhook-id"]}, Verdict.VALID),
        ({**good, "webhook-id": [long, long + "y"]}, Verdict.AMBIGUOUS_HEADER),
        (good, Verdict.VALID),
    ] * 3
    body = b'{"type":"invoice.paid"}'
    messages = [(body, headers) for headers, _ in rows]
    expected = [verdict for _, verdict in rows]
    assert [verifier.check(*message, now=NOW) for message in messages] == expected
    assert list(verifier.verify_batch(messages, now=NOW)) == expected
