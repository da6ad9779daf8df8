"""Rule 3: names, values, repeats, the limit."""

from collections.abc import Iterator

from tests.vectors.rows.build import (
    BODY,
    ID,
    OTHER_KEY,
    STAMP,
    TEXT_KEY,
    Pairs,
    Row,
    Text,
    concat,
    mac_hex,
    raw,
    repeat,
    row,
    standard,
    uplift,
    v1,
    verifier,
)

_BAD = v1(key=OTHER_KEY)
_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")
_GOOD: dict[str, str] = dict(zip(_NAMES, (ID, STAMP, v1()), strict=True))


def rows() -> Iterator[Row]:
    yield from _names()
    yield from _unknown()
    yield from _trimming()
    yield from _missing()
    yield from _repeats()
    yield from _python_values()
    yield from _surrogates()
    yield from _limit()


def _renamed(*names: Text) -> Pairs:
    return list(zip(names, _GOOD.values(), strict=True))


def _replaced(name: str, *values: Text) -> Pairs:
    """A good message in which one header has these values."""
    pairs: Pairs = []
    for each, good in _GOOD.items():
        pairs += [(each, value) for value in values] if each == name else [(each, good)]
    return pairs


def _names() -> Iterator[Row]:
    spellings: dict[str, tuple[Text, Text, Text]] = {
        "title-case": ("Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"),
        "upper-case": ("WEBHOOK-ID", "WEBHOOK-TIMESTAMP", "WEBHOOK-SIGNATURE"),
        "mixed-case": ("wEbHoOk-iD", "webhook-TIMEstamp", "WEBHOOK-signature"),
        "bytes": (b"webhook-id", b"webhook-timestamp", b"webhook-signature"),
        "bytes-title-case": (b"Webhook-Id", b"Webhook-Timestamp", b"Webhook-Signature"),
        "str-and-bytes": ("webhook-id", b"WEBHOOK-TIMESTAMP", "Webhook-Signature"),
    }
    for name, three in spellings.items():
        yield row(f"name-{name}", "3", "VALID", _renamed(*three))
    yield row("name-order-of-headers", "3", "VALID", list(reversed(standard())))
    yield row(
        "name-of-a-preset-in-upper-case",
        "3",
        "VALID",
        [("X-UPLIFT-SIGNATURE-256", "sha256=" + mac_hex(BODY))],
        verifier=verifier("uplift", TEXT_KEY),
    )
    others: dict[str, Text] = {
        "kelvin-sign": "webhoo\u212a-id",
        "kelvin-sign-in-bytes": "webhoo\u212a-id".encode(),
        "dotless-i": "webhook-\u0131d",
        "dotted-capital-i": "webhook-\u0130D",
        "fullwidth": "ｗebhook-id",
        "underscore": "webhook_id",
        "wsgi": "HTTP_WEBHOOK_ID",
        "trailing-space": "webhook-id ",
        "leading-tab": "\twebhook-id",
        "trailing-nul": "webhook-id\0",
        "colon": "webhook-id:",
        "one-short": "webhook-i",
        "one-long": "webhook-id2",
        "empty": "",
        # Folding by setting bit 0x20 of every byte would make this name right.
        "carriage-return-for-hyphen": b"webhook\rid",
        "bytes-utf-16": "webhook-id".encode("utf-16-le"),
    }
    for name, other in others.items():
        pairs = _renamed(other, "webhook-timestamp", "webhook-signature")
        yield row(f"name-{name}", "3", "MISSING_HEADER", pairs)
    yield row(
        "name-long-s",
        "3",
        "MISSING_HEADER",
        _renamed("webhook-id", "webhook-timestamp", "webhook-\u017fignature"),
    )
    yield row(
        "name-kelvin-sign-beside-the-right-one",
        "3",
        "VALID",
        [*standard(), ("webhoo\u212a-id", "msg_2")],
    )


def _unknown() -> Iterator[Row]:
    strange: list[tuple[str, Text, Text]] = [
        ("plain", "content-type", "application/json"),
        ("suffix-of-ours", "id", "msg_2"),
        ("ours-with-a-prefix", "x-webhook-id", "msg_2"),
        ("of-another-scheme", "svix-id", "msg_2"),
        ("signature-of-another-scheme", "x-hub-signature-256", "sha256=00"),
        ("invalid-utf-8-name", b"\xff\xfe", "x"),
        ("nul-name", "\0", "x"),
        ("empty-name", "", "x"),
        ("empty-value", "x-empty", ""),
        ("invalid-utf-8-value", "x-odd", b"\xff"),
        ("long-value", "cookie", repeat("c", 20_000)),
        ("long-name", repeat("n", 20_000), "x"),
        ("surrogate-name", "\ud800", "x"),
        ("surrogate-value", "x-odd", "\udfff"),
    ]
    for name, header, value in strange:
        yield row(f"unknown-header-{name}", "3", "VALID", [(header, value), *standard()])
    yield row("unknown-header-none", "3", "VALID", [("x-none", None), *standard()])
    yield row("unknown-header-list", "3", "VALID", [("x-list", ["a", "b"]), *standard()])
    yield row(
        "unknown-headers-many", "3", "VALID", [(f"x-{i}", str(i)) for i in range(100)] + standard()
    )


def _trimming() -> Iterator[Row]:
    for name in _NAMES:
        for place, form in (
            ("space-before", " {}"),
            ("tab-behind", "{}\t"),
            ("both-mixed", " \t {}\t \t"),
        ):
            pairs = _replaced(name, form.format(_GOOD[name]))
            yield row(f"trim-{place}-{name}", "3", "VALID", pairs)
    yield row("trim-bytes-value", "3", "VALID", _replaced("webhook-id", b"\t " + raw(ID) + b" "))
    verdicts = dict(
        zip(
            _NAMES,
            ("MALFORMED_HEADER", "MALFORMED_TIMESTAMP", "MALFORMED_SIGNATURE"),
            strict=True,
        )
    )
    blanks: dict[str, str] = {
        "carriage-return": "\r",
        "line-feed": "\n",
        "crlf": "\r\n",
        "vertical-tab": "\v",
        "form-feed": "\f",
        "nul": "\0",
        "file-separator": "\x1c",
        "next-line": "\x85",
        "no-break-space": "\xa0",
        "em-space": "\u2003",
        "zero-width-space": "\u200b",
        "bom": "\ufeff",
    }
    for name, verdict in verdicts.items():
        # All of them on the timestamp, those that a careless trim takes on the others.
        careless = {"line-feed", "vertical-tab", "no-break-space", "nul"}
        for blank, char in blanks.items():
            if name != "webhook-timestamp" and blank not in careless:
                continue
            # Both sides on the timestamp, one side each on the others.
            before = char if name != "webhook-id" else ""
            behind = char if name != "webhook-signature" else ""
            pairs = _replaced(name, f"{before}{_GOOD[name]}{behind}")
            yield row(f"trim-not-{blank}-{name}", "3", verdict, pairs)
    yield row(
        "trim-stops-at-line-feed",
        "3",
        "MALFORMED_TIMESTAMP",
        _replaced("webhook-timestamp", f"{STAMP} \n "),
    )


def _missing() -> Iterator[Row]:
    for name in _NAMES:
        absent = [pair for pair in standard() if pair[0] != name]
        yield row(f"missing-{name}", "3", "MISSING_HEADER", absent)
        yield row(f"missing-empty-{name}", "3", "MISSING_HEADER", _replaced(name, ""))
        yield row(f"missing-blank-{name}", "3", "MISSING_HEADER", _replaced(name, " \t "))
        yield row(f"missing-twice-empty-{name}", "3", "MISSING_HEADER", _replaced(name, "", b" "))
        yield row(f"missing-none-{name}", "3", "MISSING_HEADER", [*absent, (name, None)])
        yield row(f"missing-empty-list-{name}", "3", "MISSING_HEADER", [*absent, (name, [])])
        yield row(f"missing-blank-list-{name}", "3", "MISSING_HEADER", [*absent, (name, ["", " "])])
    plain = verifier("uplift", TEXT_KEY)
    yield row("missing-uplift-signature", "3", "MISSING_HEADER", [], verifier=plain)
    yield row(
        "missing-uplift-empty-signature",
        "3",
        "MISSING_HEADER",
        [("x-uplift-signature-256", "")],
        verifier=plain,
    )
    yield row(
        "missing-line-feed-is-not-empty",
        "3",
        "MALFORMED_HEADER",
        _replaced("webhook-id", "\n"),
    )


def _repeats() -> Iterator[Row]:
    other: dict[str, Text] = {"webhook-id": "msg_2", "webhook-timestamp": "1700000001"}
    for name, second in other.items():
        good = _GOOD[name]
        yield row(f"repeat-equal-{name}", "3", "VALID", _replaced(name, good, good))
        yield row(
            f"repeat-equal-after-trimming-{name}",
            "3",
            "VALID",
            _replaced(name, f" {good}", f"{good}\t"),
        )
        yield row(f"repeat-str-and-bytes-{name}", "3", "VALID", _replaced(name, good, raw(good)))
        different = {
            "good-first": (good, second),
            "good-last": (second, good),
            "third": (good, good, second),
            "between": (good, second, good),
            "empty-behind": (good, ""),
            "empty-before": ("", good),
            "blank-beside": (" \t", good),
        }
        for how, values in different.items():
            pairs = _replaced(name, *values)
            yield row(f"repeat-different-{how}-{name}", "3", "AMBIGUOUS_HEADER", pairs)
    yield row(
        "repeat-case-of-ids-differs",
        "3",
        "AMBIGUOUS_HEADER",
        _replaced("webhook-id", ID, ID.upper()),
    )
    yield row(
        "repeat-leading-zero-differs",
        "3",
        "AMBIGUOUS_HEADER",
        _replaced("webhook-timestamp", STAMP, "0" + STAMP),
    )
    title = ("Webhook-Id", ID)
    yield row("spelling-second-equal", "3", "VALID", [*standard(), title])
    yield row("spelling-bytes-equal", "3", "VALID", [*standard(), (b"WEBHOOK-ID", ID)])
    yield row(
        "spelling-second-different", "3", "AMBIGUOUS_HEADER", [*standard(), ("Webhook-Id", "msg_2")]
    )
    yield row(
        "spelling-first-different", "3", "AMBIGUOUS_HEADER", [("Webhook-Id", "msg_2"), *standard()]
    )
    yield row(
        "spelling-empty-beside-value", "3", "AMBIGUOUS_HEADER", [*standard(), (b"Webhook-ID", b"")]
    )
    signature = "webhook-signature"
    good = _GOOD[signature]
    for how, values in {
        "bad-then-good": (_BAD, good),
        "good-then-bad": (good, _BAD),
        "malformed-then-good": ("v1,!!!", good),
        "empty-then-good": ("", good),
        "good-then-blank": (good, " \t"),
        "equal": (good, good),
    }.items():
        yield row(f"signatures-{how}", "3", "VALID", _replaced(signature, *values))
    yield row(
        "signatures-two-spellings",
        "3",
        "VALID",
        [*_replaced(signature, _BAD), ("Webhook-Signature", good)],
    )
    # A piece ends with its header: two halves are no signature.
    yield row(
        "signatures-in-halves",
        "3",
        "MALFORMED_SIGNATURE",
        _replaced(signature, good[:20], good[20:]),
    )


def _python_values() -> Iterator[Row]:
    one = {name: [value] for name, value in _GOOD.items()}
    yield row("list-of-one", "3", "VALID", list(one.items()))
    yield row("list-of-bytes", "3", "VALID", [(n, [raw(v)]) for n, v in _GOOD.items()])
    absent = standard()[1:]
    for how, value, verdict in (
        ("equal", [ID, raw(ID)], "VALID"),
        ("different", [ID, "msg_2"], "AMBIGUOUS_HEADER"),
        ("different-good-last", ["msg_2", ID], "AMBIGUOUS_HEADER"),
        ("empty-beside", [ID, ""], "AMBIGUOUS_HEADER"),
    ):
        pairs: Pairs = [("webhook-id", value), *absent]
        yield row(f"list-of-ids-{how}", "3", verdict, pairs)
    yield row(
        "list-of-signatures",
        "3",
        "VALID",
        [*standard()[:2], ("webhook-signature", [_BAD, v1()])],
    )
    yield row("none-beside-a-value", "3", "VALID", [("webhook-id", None), *standard()])
    yield row("empty-list-beside-a-value", "3", "VALID", [*standard(), ("webhook-id", [])])
    yield row(
        "list-beside-another-spelling",
        "3",
        "AMBIGUOUS_HEADER",
        [("Webhook-Id", [ID, ID]), ("webhook-id", "msg_2"), *absent],
    )


def _surrogates() -> Iterator[Row]:
    yield row("surrogate-in-id", "3", "MALFORMED_HEADER", _replaced("webhook-id", "msg_\ud800"))
    yield row(
        "surrogate-in-timestamp",
        "3",
        "MALFORMED_TIMESTAMP",
        _replaced("webhook-timestamp", STAMP + "\udc80"),
    )
    yield row(
        "surrogate-in-signature",
        "3",
        "MALFORMED_SIGNATURE",
        _replaced("webhook-signature", v1()[:-1] + "\udcff"),
    )
    yield row(
        "surrogate-beside-a-good-signature",
        "3",
        "VALID",
        _replaced("webhook-signature", "v1,\ud83d\ude00 " + v1()),
    )
    yield row(
        "surrogate-in-a-name-of-ours",
        "3",
        "MISSING_HEADER",
        _renamed("webhook-id\ud800", *_NAMES[1:]),
    )


def _limit() -> Iterator[Row]:
    """MAX_HEADER_BYTES: 16,384, over all values of all the signature headers, untrimmed."""
    good = v1()
    free = 16_384 - len(good)
    signature = "webhook-signature"
    at_edge: dict[str, tuple[Text, ...]] = {
        "junk-before": (concat(repeat("x", free - 1), " ", good),),
        "spaces-behind": (concat(good, repeat(" ", free)),),
        "two-values": (good, repeat("x", free)),
        "many-values": (*(repeat("x", 1_000),) * 16, good, repeat("x", free - 16_000)),
        "two-byte-characters": (good, concat(repeat("é", free // 2), "x" * (free % 2))),
        "blank-value": (repeat(" ", free), good),
        "empty-values": (good, "", repeat("x", free), ""),
    }
    for how, values in at_edge.items():
        yield row(f"limit-edge-{how}", "3", "VALID", _replaced(signature, *values))
        over = (concat(values[0], " "), *values[1:])
        yield row(f"limit-past-{how}", "3", "TOO_LARGE", _replaced(signature, *over))
    yield row(
        "limit-edge-nothing-of-the-form",
        "3",
        "MALFORMED_SIGNATURE",
        _replaced(signature, repeat("v", 16_384)),
    )
    yield row("limit-past-only-spaces", "3", "TOO_LARGE", _replaced(signature, repeat(" ", 16_385)))
    yield row(
        "limit-edge-only-spaces", "3", "MISSING_HEADER", _replaced(signature, repeat(" ", 16_384))
    )
    yield row("limit-far-past", "3", "TOO_LARGE", _replaced(signature, repeat("v1,x ", 200_000)))
    yield row(
        "limit-two-spellings",
        "3",
        "TOO_LARGE",
        [*standard(), ("Webhook-Signature", repeat("x", free + 1))],
    )
    yield row(
        "limit-not-for-the-id",
        "3",
        "MALFORMED_HEADER",
        _replaced("webhook-id", repeat("i", 20_000)),
    )
    yield row(
        "limit-not-for-the-timestamp",
        "3",
        "MALFORMED_TIMESTAMP",
        _replaced("webhook-timestamp", repeat("1", 20_000)),
    )
    # A lone surrogate counts as its three bytes.
    some = free // 3
    rest = free - 3 * some
    yield row(
        "limit-edge-surrogates",
        "3",
        "VALID",
        _replaced(signature, good, concat(repeat("\ud800", some), "x" * rest)),
    )
    yield row(
        "limit-past-surrogates",
        "3",
        "TOO_LARGE",
        _replaced(signature, good, concat(repeat("\ud800", some), "x" * (rest + 1))),
    )
    yield row(
        "limit-edge-list", "3", "VALID", [*standard()[:2], (signature, [good, repeat("x", free)])]
    )
    yield row(
        "limit-past-list",
        "3",
        "TOO_LARGE",
        [*standard()[:2], (signature, [good, repeat("x", free + 1)])],
    )
    plain = verifier("uplift", TEXT_KEY)
    ((name, hex_signature),) = uplift()
    assert isinstance(hex_signature, str)
    rest = 16_384 - len(hex_signature)
    yield row(
        "limit-edge-uplift",
        "3",
        "VALID",
        [(name, concat(hex_signature, repeat(" ", rest)))],
        verifier=plain,
    )
    yield row(
        "limit-past-uplift",
        "3",
        "TOO_LARGE",
        [(name, concat(hex_signature, repeat(" ", rest + 1)))],
        verifier=plain,
    )
