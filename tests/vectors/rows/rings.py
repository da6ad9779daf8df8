"""Rule 8: the endpoint chooses secrets, scheme and window; nothing else is tried."""

from collections.abc import Iterator
from typing import Any

from tests.vectors.rows.build import (
    BODY,
    KEY,
    NOW,
    OTHER_KEY,
    OTHER_SECRET,
    SECRET,
    STAMP,
    TEXT_KEY,
    Pairs,
    Row,
    Text,
    mac_hex,
    repeat,
    ring,
    row,
    standard,
    uplift,
    v1,
    verifier,
)

_PLAIN = ring(("acct_1", {"secrets": [SECRET]}), ("acct_2", {"secrets": [OTHER_SECRET]}))


def rows() -> Iterator[Row]:
    yield from _endpoints()
    yield from _schemes()
    yield from _windows()
    yield from _limits()


def _endpoints() -> Iterator[Row]:
    def one(name: str, verdict: str, endpoint: Text | None, key: bytes, where: Row = _PLAIN) -> Row:
        pairs = standard(key=key)
        return row(f"ring-{name}", "8", verdict, pairs, verifier=where, endpoint=endpoint)

    yield one("first", "VALID", "acct_1", KEY)
    yield one("second", "VALID", "acct_2", OTHER_KEY)
    yield one("secret-of-the-second-at-the-first", "SIGNATURE_MISMATCH", "acct_1", OTHER_KEY)
    yield one("secret-of-the-first-at-the-second", "SIGNATURE_MISMATCH", "acct_2", KEY)
    unknown: dict[str, Text | None] = {
        "none": None,
        "unknown": "acct_3",
        "empty": "",
        "case": "ACCT_1",
        "space": "acct_1 ",
        "prefix": "acct_",
        "extension": "acct_11",
        "nul": "acct_1\0",
        "name-of-a-scheme": "standard-webhooks",
        "surrogate": "\ud800",
    }
    for name, endpoint in unknown.items():
        yield one(f"endpoint-{name}", "UNKNOWN_ENDPOINT", endpoint, KEY)
    yield one("without-endpoints", "UNKNOWN_ENDPOINT", "acct_1", KEY, ring())
    yield one("without-endpoints-none", "UNKNOWN_ENDPOINT", None, KEY, ring())
    odd = ring(("büro 東京", {"secrets": [SECRET]}), ("Zoe\u0308", {"secrets": [OTHER_SECRET]}))
    yield one("name-non-ascii", "VALID", "büro 東京", KEY, odd)
    yield one("name-is-not-normalised", "UNKNOWN_ENDPOINT", "Zoë", OTHER_KEY, odd)
    # A message without an endpoint is not looked at.
    yield row(
        "ring-unknown-before-missing-headers",
        "8",
        "UNKNOWN_ENDPOINT",
        [],
        verifier=_PLAIN,
        endpoint="acct_3",
    )
    yield row(
        "ring-unknown-before-large-headers",
        "8",
        "UNKNOWN_ENDPOINT",
        standard(signature=repeat("x", 16_385)),
        verifier=_PLAIN,
        endpoint="acct_3",
    )
    shared = ring(("a", {"secrets": [SECRET]}), ("b", {"secrets": [SECRET, OTHER_SECRET]}))
    yield one("one-key-at-two-endpoints-first", "VALID", "a", KEY, shared)
    yield one("one-key-at-two-endpoints-second", "VALID", "b", KEY, shared)
    labels = ring(
        ("a", {"secrets": [{"value": SECRET, "label": "new"}, OTHER_SECRET]}),
        ("b", {"secrets": [OTHER_SECRET, {"value": SECRET, "label": "new"}]}),
    )
    for endpoint, key, secret, label in (
        ("a", KEY, 0, "new"),
        ("a", OTHER_KEY, 1, "0"),
        ("b", OTHER_KEY, 0, "0"),
        ("b", KEY, 1, "new"),
    ):
        yield row(
            f"ring-labels-{endpoint}-{label}",
            "8",
            "VALID",
            standard(key=key),
            verifier=labels,
            endpoint=endpoint,
            secret=secret,
            label=label,
        )
    retired = ring(
        ("a", {"secrets": [{"value": SECRET, "not_after": NOW}]}), ("b", {"secrets": [SECRET]})
    )
    yield one("retired-at-one-endpoint", "SIGNATURE_MISMATCH", "a", KEY, retired)
    yield one("retired-at-the-other-endpoint", "VALID", "b", KEY, retired)


def _schemes() -> Iterator[Row]:
    mixed = ring(
        ("std", {"secrets": [SECRET]}),
        ("uplift", {"secrets": [TEXT_KEY], "scheme": "uplift"}),
        ("svix", {"secrets": [SECRET], "scheme": "svix"}),
        ("token", {"secrets": ["tok"], "scheme": "shared-token"}),
    )
    cases: list[tuple[str, str, Pairs, str]] = [
        ("std", "std", standard(), "VALID"),
        ("uplift", "uplift", uplift(), "VALID"),
        ("svix", "svix", standard(family="svix"), "VALID"),
        ("token", "token", [("x-webhook-secret", "tok")], "VALID"),
        ("std-message-at-uplift", "uplift", standard(), "MISSING_HEADER"),
        ("uplift-message-at-std", "std", uplift(), "MISSING_HEADER"),
        ("svix-message-at-std", "std", standard(family="svix"), "MISSING_HEADER"),
        ("all-headers-at-uplift", "uplift", [*standard(key=OTHER_KEY), *uplift()], "VALID"),
        ("all-headers-at-token", "token", [*standard(), *uplift()], "MISSING_HEADER"),
    ]
    for name, endpoint, pairs, verdict in cases:
        yield row(f"ring-scheme-{name}", "8", verdict, pairs, verifier=mixed, endpoint=endpoint)
    plain = ring(("a", {"secrets": [TEXT_KEY]}), scheme="uplift")
    yield row("ring-scheme-of-the-ring", "8", "VALID", uplift(), verifier=plain, endpoint="a")
    custom = ring(
        ("a", {"secrets": [TEXT_KEY], "scheme": "test-suffix"}),
        ("b", {"secrets": [TEXT_KEY]}),
        scheme="test-window",
    )
    yield row(
        "ring-scheme-custom-of-the-endpoint",
        "8",
        "VALID",
        [
            ("x-test-timestamp", STAMP),
            ("x-test-signature", "sha256=" + mac_hex(f"{BODY}.{STAMP}")),
        ],
        verifier=custom,
        endpoint="a",
    )
    yield row(
        "ring-scheme-custom-of-the-ring",
        "8",
        "VALID",
        [("x-test-timestamp", STAMP), ("x-test-signature", mac_hex(f"{STAMP}.{BODY}"))],
        verifier=custom,
        endpoint="b",
    )


def _windows() -> Iterator[Row]:
    """An endpoint's own tolerance, else the verifier's, else the scheme's."""

    def one(name: str, verdict: str, own: Any, verifiers: Any, offset: int, **more: Any) -> Row:
        where = ring(("a", {"secrets": [SECRET], "tolerance": own}), tolerance=verifiers)
        if verdict == "VALID":
            more = {"timestamp": NOW + offset, **more}
        return row(
            f"ring-window-{name}",
            "8",
            verdict,
            standard(stamp=str(NOW + offset)),
            verifier=where,
            endpoint="a",
            **more,
        )

    yield one("scheme", "VALID", None, None, -300)
    yield one("scheme-past", "TOO_OLD", None, None, -301)
    yield one("verifier", "VALID", None, 600, -600)
    yield one("verifier-past", "TOO_OLD", None, 600, -601)
    yield one("verifier-smaller", "TOO_OLD", None, 10, -11)
    yield one("endpoint", "VALID", 600, None, -600)
    yield one("endpoint-past", "TOO_OLD", 600, None, -601)
    yield one("endpoint-before-verifier", "VALID", 600, 10, -600)
    yield one("endpoint-before-verifier-past", "TOO_OLD", 10, 600, -11)
    yield one("endpoint-zero-before-verifier", "TOO_NEW", 0, 600, 1)
    yield one("endpoint-pair-before-verifier", "VALID", [5, 60], 10, 60)
    yield one("endpoint-off-before-verifier", "VALID", "off", 10, -9_999, fresh=False)
    yield one("endpoint-before-verifier-off", "TOO_OLD", 10, "off", -11)
    yield one("endpoint-before-verifier-off-fresh", "VALID", 10, "off", -10)
    yield one("verifier-off", "VALID", None, "off", 9_999, fresh=False)
    both = ring(
        ("std", {"secrets": [SECRET]}),
        ("uplift", {"secrets": [TEXT_KEY], "scheme": "uplift"}),
        ("window", {"secrets": [TEXT_KEY], "scheme": "test-window"}),
        tolerance=600,
    )
    yield row(
        "ring-window-verifier-where-a-time-is-signed",
        "8",
        "VALID",
        standard(stamp=str(NOW - 600)),
        verifier=both,
        endpoint="std",
        timestamp=NOW - 600,
    )
    yield row(
        "ring-window-verifier-where-none-is-signed",
        "8",
        "VALID",
        uplift(),
        verifier=both,
        endpoint="uplift",
    )
    stamp = str(NOW - 600)
    yield row(
        "ring-window-verifier-before-the-endpoints-scheme",
        "8",
        "VALID",
        [("x-test-timestamp", stamp), ("x-test-signature", mac_hex(f"{stamp}.{BODY}"))],
        verifier=both,
        endpoint="window",
        timestamp=NOW - 600,
    )
    off = ring(("a", {"secrets": [TEXT_KEY], "scheme": "uplift", "tolerance": "off"}))
    yield row(
        "ring-window-off-where-none-is-signed", "8", "VALID", uplift(), verifier=off, endpoint="a"
    )
    yield row(
        "ring-window-at-arrival",
        "8",
        "VALID",
        standard(stamp=str(NOW - 9_999)),
        verifier=_PLAIN,
        endpoint="acct_1",
        received_at=NOW - 9_999,
        timestamp=NOW - 9_999,
    )


def _limits() -> Iterator[Row]:
    """Rule 9: ``max_body_bytes``, and the verifier that verifies nothing."""
    for length, verdict in ((len(BODY), "VALID"), (len(BODY) - 1, "TOO_LARGE"), (0, "TOO_LARGE")):
        where = ring(("a", {"secrets": [SECRET]}), max_body_bytes=length)
        yield row(f"ring-max-body-{length}", "8", verdict, standard(), verifier=where, endpoint="a")

    bodies: list[tuple[str, Text, int, str]] = [
        ("edge", "x" * 10, 10, "VALID"),
        ("past", "x" * 11, 10, "TOO_LARGE"),
        ("zero-empty", "", 0, "VALID"),
        ("zero-one-byte", "x", 0, "TOO_LARGE"),
        ("str-edge-in-bytes", "éé", 4, "VALID"),
        ("str-past-in-bytes", "éé", 3, "TOO_LARGE"),
        ("big-edge", repeat("x", 65_536), 65_536, "VALID"),
        ("big-past", repeat("x", 65_537), 65_536, "TOO_LARGE"),
        ("above-i32", "x", 2**40, "VALID"),
    ]
    for name, body, limit, verdict in bodies:
        yield row(
            f"max-body-{name}",
            "9",
            verdict,
            standard(body=body),
            verifier=verifier(max_body_bytes=limit),
            body=body,
        )
        if not name.endswith(("edge", "past")):
            continue
        unsigned = {"unsigned": "tests", "max_body_bytes": limit}
        yield row(
            f"unsigned-max-body-{name}",
            "9",
            verdict,
            [],
            verifier=unsigned,
            body=body,
            secret=-1,
            label=None,
        )
    yield row(
        "max-body-before-the-signature",
        "9",
        "TOO_LARGE",
        standard(signature=v1(key=OTHER_KEY)),
        verifier=verifier(max_body_bytes=1),
    )
    nothing = {"unsigned": "behind a mesh", "max_body_bytes": None}
    anything: dict[str, tuple[Pairs, Text]] = {
        "good": (standard(), BODY),
        "bad-signature": (standard(key=OTHER_KEY), BODY),
        "stale": (standard(stamp="1"), BODY),
        "no-headers": ([], BODY),
        "empty-body": ([], b""),
        "invalid-utf-8": ([], b"\xff"),
        "large-headers": (standard(signature=repeat("x", 16_385)), BODY),
        "malformed-everything": (standard("\x7f", "x", signature="x"), BODY),
        "ambiguous": ([*standard(), ("webhook-id", "msg_2")], BODY),
    }
    for name, (pairs, some) in anything.items():
        yield row(
            f"unsigned-{name}",
            "9",
            "VALID",
            pairs,
            verifier=nothing,
            body=some,
            secret=-1,
            label=None,
        )
    yield row("unsigned-surrogate-body", "9", "NOT_A_MESSAGE", [], verifier=nothing, body="\ud800")
