"""Rule 1: the first row of the table that applies decides."""

from collections.abc import Iterator
from itertools import combinations

from tests.vectors.rows.build import (
    BODY,
    KEY,
    NOW,
    OTHER_KEY,
    SECRET,
    Pairs,
    Row,
    ring,
    row,
    standard,
    v1,
    verifier,
)

_LONE_SURROGATE = "{\ud800}"
_LONG_BODY = BODY + " "
_SHORT = len(BODY)
_OLD, _NEW = str(NOW - 301), str(NOW + 301)

# One fault for each verdict; what it does to a good message is in `_message`.
_ORDER = (
    "NOT_A_MESSAGE",
    "UNKNOWN_ENDPOINT",
    "TOO_LARGE",
    "MISSING_HEADER",
    "AMBIGUOUS_HEADER",
    "MALFORMED_HEADER",
    "MALFORMED_TIMESTAMP",
    "TOO_OLD",
    "TOO_NEW",
    "MALFORMED_SIGNATURE",
    "SIGNATURE_MISMATCH",
)
# One timestamp has one fault.
_ONE_TIMESTAMP = {"MALFORMED_TIMESTAMP", "TOO_OLD", "TOO_NEW"}


def rows() -> Iterator[Row]:
    yield row("order-no-fault", "1", "VALID", standard())
    for fault in _ORDER:
        yield _row(f"order-{_kebab(fault)}-alone", fault)
    for first, second in combinations(_ORDER, 2):
        if not {first, second} <= _ONE_TIMESTAMP:
            yield _row(f"order-{_kebab(first)}-before-{_kebab(second)}", first, second)
    yield from _within_a_verdict()


def _row(name: str, *faults: str) -> Row:
    body = BODY
    if "NOT_A_MESSAGE" in faults:
        body = _LONE_SURROGATE
    elif "TOO_LARGE" in faults and "UNKNOWN_ENDPOINT" in faults:
        body = _LONG_BODY
    secret: object = SECRET
    if {"MALFORMED_SIGNATURE", "SIGNATURE_MISMATCH"} <= set(faults):
        secret = {"value": SECRET, "not_after": NOW}  # no secret is live
    limit = _SHORT if body == _LONG_BODY else None
    if "UNKNOWN_ENDPOINT" in faults:
        where = ring(("acct_1", {"secrets": [secret]}), max_body_bytes=limit)
    else:
        where = verifier("standard-webhooks", secret, max_body_bytes=limit)
    return row(
        name,
        "1",
        faults[0],
        _headers(set(faults), body),
        verifier=where,
        body=body,
        endpoint="acct_2" if "UNKNOWN_ENDPOINT" in faults else None,
    )


def _headers(faults: set[str], body: str) -> Pairs:
    id, stamp = "msg_1", str(NOW)
    if "MALFORMED_HEADER" in faults:
        id = "msg.1"
    if "MALFORMED_TIMESTAMP" in faults:
        stamp = "+1700000000"
    elif "TOO_OLD" in faults:
        stamp = _OLD
    elif "TOO_NEW" in faults:
        stamp = _NEW
    key = OTHER_KEY if "SIGNATURE_MISMATCH" in faults else KEY
    signature = v1(id, stamp, "" if body == _LONE_SURROGATE else body, key=key)
    if "MALFORMED_SIGNATURE" in faults:
        signature = signature[:-4]
    headers = standard(id, stamp, signature=signature)
    if "TOO_LARGE" in faults and body != _LONG_BODY:
        headers.append(("webhook-signature", {"repeat": ["x", 16_384]}))
    if "AMBIGUOUS_HEADER" in faults:
        # In the header that has no other fault, where there is one.
        timestamp = bool(faults & {"MISSING_HEADER", "MALFORMED_HEADER"})
        headers.append(("webhook-timestamp", "1") if timestamp else ("webhook-id", "msg_2"))
    if "MISSING_HEADER" in faults:
        missing = "webhook-id" if "MALFORMED_HEADER" not in faults else "webhook-timestamp"
        headers = [pair for pair in headers if pair[0] != missing]
    return headers


def _kebab(verdict: str) -> str:
    return verdict.lower().replace("_", "-")


def _within_a_verdict() -> Iterator[Row]:
    """Both columns of one row of the table, and a fault that hides another."""
    yield row(
        "order-too-large-body-and-too-large-headers",
        "1",
        "TOO_LARGE",
        standard(signature={"repeat": ["x", 16_385]}),
        verifier=verifier(max_body_bytes=_SHORT - 1),
    )
    yield row("order-all-headers-missing", "1", "MISSING_HEADER", [])
    yield row(
        "order-id-and-timestamp-ambiguous",
        "1",
        "AMBIGUOUS_HEADER",
        [*standard(), ("webhook-id", "msg_2"), ("webhook-timestamp", "1")],
    )
    yield row(
        "order-ambiguous-before-malformed-in-one-header",
        "1",
        "AMBIGUOUS_HEADER",
        [*standard("msg.1"), ("webhook-id", "msg.2")],
    )
    yield row(
        "order-a-good-signature-does-not-save-a-stale-message",
        "1",
        "TOO_OLD",
        standard(stamp=_OLD),
    )
