"""Rule 3, families: the first family whose headers are all there is used, alone."""

from collections.abc import Iterator
from itertools import product

from tests.vectors.rows.build import (
    BODY,
    KEY,
    NOW,
    OTHER_KEY,
    SECRET,
    TEXT_KEY,
    Pairs,
    Row,
    Text,
    concat,
    mac_hex,
    repeat,
    row,
    standard,
    v1,
    verifier,
)

_FIELDS = ("id", "timestamp", "signature")


def rows() -> Iterator[Row]:
    svix = verifier("svix", SECRET)
    first, second = standard(family="svix"), standard(family="webhook")
    for chosen in product(("svix", "webhook"), repeat=3):
        headers = [
            (f"{family}-{field}", value)
            for family, field, (_, value) in zip(chosen, _FIELDS, first, strict=True)
        ]
        verdict = "VALID" if len(set(chosen)) == 1 else "MISSING_HEADER"
        name = "-".join(chosen)
        yield row(f"family-{name}", "3", verdict, headers, verifier=svix)

    other = standard("msg_2", family="webhook")
    bad = standard(family="svix", key=OTHER_KEY)
    yield row("family-both-same", "3", "VALID", first + second, verifier=svix)
    yield row("family-both-first-wins", "3", "VALID", other + first, verifier=svix)
    yield row(
        "family-first-refused-second-not-tried",
        "3",
        "SIGNATURE_MISMATCH",
        bad + second,
        verifier=svix,
    )
    changes: dict[str, Pairs] = {
        "stale-timestamp": [("webhook-timestamp", "1")],
        "bad-id": [("webhook-id", "msg.1")],
        "ambiguous-id": [("webhook-id", "a"), ("webhook-id", "b")],
        "malformed-signature": [("webhook-signature", "v1,x")],
        "all-malformed": [
            ("webhook-id", "\x7f"),
            ("webhook-timestamp", "x"),
            ("webhook-signature", "x"),
        ],
    }
    for name, extra in changes.items():
        yield row(
            f"family-second-{name}-changes-nothing", "3", "VALID", first + extra, verifier=svix
        )
    for index, field in enumerate(_FIELDS):
        lacking = [pair for at, pair in enumerate(first) if at != index]
        for how, value in (("absent", None), ("empty", ""), ("blank", " \t")):
            extra = [] if value is None else [(f"svix-{field}", value)]
            yield row(
                f"family-first-{how}-{field}-so-second",
                "3",
                "VALID",
                lacking + extra + second,
                verifier=svix,
            )
        stray: Pairs = [(f"svix-{field}", "stray")]
        yield row(
            f"family-stray-{field}-changes-nothing", "3", "VALID", stray + second, verifier=svix
        )
    # The first family is there as soon as each of its headers has a value.
    yield row(
        "family-first-ambiguous-second-not-tried",
        "3",
        "AMBIGUOUS_HEADER",
        [("svix-id", "msg_2"), *first, *second],
        verifier=svix,
    )
    yield row(
        "family-first-empty-beside-value-is-ambiguous",
        "3",
        "AMBIGUOUS_HEADER",
        [("svix-id", ""), *first, *second],
        verifier=svix,
    )
    yield row(
        "family-first-malformed-second-not-tried",
        "3",
        "MALFORMED_SIGNATURE",
        [*standard(family="svix", signature="v1,x"), *second],
        verifier=svix,
    )
    yield row(
        "family-first-stale-second-not-tried",
        "3",
        "TOO_OLD",
        [*standard(stamp=str(NOW - 301), family="svix"), *second],
        verifier=svix,
    )
    # Candidates come from the family that is used.
    yield row(
        "family-signature-of-the-other-does-not-count",
        "3",
        "SIGNATURE_MISMATCH",
        [*standard(family="svix", key=OTHER_KEY), ("webhook-signature", v1(key=KEY))],
        verifier=svix,
    )
    yield row(
        "family-names-fold",
        "3",
        "VALID",
        [("Svix-Id", "msg_1"), ("SVIX-TIMESTAMP", str(NOW)), (b"svix-Signature", v1())],
        verifier=svix,
    )
    yield row("family-none-at-all", "3", "MISSING_HEADER", [], verifier=svix)
    yield row("family-svix-is-not-standard", "3", "MISSING_HEADER", first)
    yield from _limit(svix, first, second)
    yield from _two_names()


def _limit(svix: Row, first: Pairs, second: Pairs) -> Iterator[Row]:
    """The signature headers of both families count, also of the one that is not used."""
    free = 16_384 - len(v1())
    junk = repeat("x", free)
    yield row(
        "family-limit-edge", "3", "VALID", [*first, ("webhook-signature", junk)], verifier=svix
    )
    yield row(
        "family-limit-past",
        "3",
        "TOO_LARGE",
        [*first, ("webhook-signature", concat(junk, "x"))],
        verifier=svix,
    )
    yield row(
        "family-limit-edge-second-used",
        "3",
        "VALID",
        [("svix-signature", junk), *second],
        verifier=svix,
    )
    yield row(
        "family-limit-past-second-used",
        "3",
        "TOO_LARGE",
        [("svix-signature", concat(junk, " ")), *second],
        verifier=svix,
    )
    yield row(
        "family-limit-not-of-another-scheme",
        "3",
        "VALID",
        [*second, ("svix-signature", concat(junk, "x"))],
    )


def _two_names() -> Iterator[Row]:
    """Families without id and timestamp."""
    both = verifier("test-two-names", TEXT_KEY)
    good, bad = mac_hex(BODY), mac_hex(BODY, key="another")
    cases: dict[str, tuple[str, list[tuple[Text, Text]]]] = {
        "first": ("VALID", [("x-new-signature", good)]),
        "second": ("VALID", [("x-old-signature", good)]),
        "both": ("VALID", [("x-old-signature", bad), ("x-new-signature", good)]),
        "first-bad": ("SIGNATURE_MISMATCH", [("x-old-signature", good), ("x-new-signature", bad)]),
        "first-empty": ("VALID", [("x-old-signature", good), ("x-new-signature", "")]),
        "none": ("MISSING_HEADER", [("x-older-signature", good)]),
    }
    for name, (verdict, pairs) in cases.items():
        yield row(f"family-two-names-{name}", "3", verdict, list(pairs), verifier=both)
