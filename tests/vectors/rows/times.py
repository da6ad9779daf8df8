"""Rule 5: what a timestamp is, and the window it has to lie in."""

from collections.abc import Iterator
from typing import Any

from tests.vectors.rows.build import (
    BODY,
    KEY,
    NOW,
    SECRET,
    STAMP,
    TEXT_KEY,
    Pairs,
    Row,
    Text,
    mac_hex,
    repeat,
    row,
    standard,
    uplift,
    v1,
    verifier,
)

_LATEST = 10**11


def rows() -> Iterator[Row]:
    yield from _forms()
    yield from _windows()
    yield from _instants()
    yield from _units()


def _forms() -> Iterator[Row]:
    malformed: dict[str, Text] = {
        "of-16-digits": "1" * 16,
        "of-16-digits-with-zeros-before": STAMP.zfill(16),
        "of-19-digits": "9223372036854775807",
        "of-20-digits-that-wrap-to-now": str(2**64 + NOW),
        "of-4301-digits": repeat("1", 4_301),
        "of-4301-zeros": repeat("0", 4_301),
        "plus": "+" + STAMP,
        "minus": "-1",
        "minus-zero": "-0",
        "space-inside": "17000 00000",
        "tab-inside": "17000\t00000",
        "underscore": "1_700_000_000",
        "comma": "1,700,000,000",
        "exponent": "1.7e9",
        "fraction": STAMP + ".0",
        "point-at-the-end": STAMP + ".",
        "point-before": "." + STAMP,
        "hexadecimal": "0x6553f100",
        "hex-digits": "6553f100",
        "letter-behind": STAMP + "s",
        "iso-8601": "2023-11-14T22:13:20Z",
        "nan": "nan",
        "infinity": "inf",
        "nul-behind": STAMP + "\0",
        "arabic-indic": STAMP.translate({48 + n: 0x660 + n for n in range(10)}),
        "fullwidth": STAMP.translate({48 + n: 0xFF10 + n for n in range(10)}),
        "one-arabic-indic-digit": "1٧00000000",
        "invalid-utf-8": b"170000000\xb0",
        # The neighbours of the digits, and their other bits.
        "slash": "1700/00000",
        "colon": "1700:00000",
        "digits-with-the-high-bit": bytes(byte | 0x80 for byte in STAMP.encode()),
        "surrogate": "\ud835\udfcf",
        "two-joined": f"{STAMP}, {STAMP}",
        "quoted": f'"{STAMP}"',
    }
    for name, stamp in malformed.items():
        yield row(f"timestamp-{name}", "5", "MALFORMED_TIMESTAMP", standard(stamp=stamp))
    yield row("timestamp-in-bytes", "5", "VALID", standard(stamp=STAMP.encode()))
    yield row("timestamp-13-digits", "5", "TOO_NEW", standard(stamp=STAMP + "000"))
    yield row("timestamp-15-nines", "5", "TOO_NEW", standard(stamp="9" * 15))
    yield row("timestamp-zero", "5", "TOO_OLD", standard(stamp="0"))
    yield row("timestamp-of-15-zeros", "5", "TOO_OLD", standard(stamp="0" * 15))
    # Signed as they came, read as a number.
    for width in (11, 15):
        stamp = STAMP.zfill(width)
        name = f"timestamp-of-{width}-digits-with-zeros"
        yield row(f"{name}-before", "5", "VALID", standard(stamp=stamp))
        yield row(
            f"{name}-signed-without",
            "5",
            "SIGNATURE_MISMATCH",
            standard(stamp=stamp, signature=v1()),
        )
    yield row(
        "timestamp-signed-with-zeros-sent-without",
        "5",
        "SIGNATURE_MISMATCH",
        standard(signature=v1(stamp="0" + STAMP)),
    )
    yield row(
        "timestamp-of-another-second",
        "5",
        "SIGNATURE_MISMATCH",
        standard(stamp=str(NOW + 1), signature=v1()),
    )
    off = verifier(tolerance="off")
    for name, stamp in {
        "1-digit": "1",
        "zero": "0",
        "15-digits": "9" * 15,
        "13-digits": STAMP + "000",
        "15-zeros": "0" * 15,
    }.items():
        yield row(
            f"timestamp-off-{name}",
            "5",
            "VALID",
            standard(stamp=stamp),
            verifier=off,
            timestamp=int(stamp),
            fresh=False,
        )
    yield row("timestamp-off-now", "5", "VALID", standard(), verifier=off, fresh=False)
    for name in ("of-16-digits", "plus", "fraction", "arabic-indic", "iso-8601"):
        yield row(
            f"timestamp-off-{name}",
            "5",
            "MALFORMED_TIMESTAMP",
            standard(stamp=malformed[name]),
            verifier=off,
        )
    yield row(
        "timestamp-off-missing",
        "5",
        "MISSING_HEADER",
        [pair for pair in standard() if pair[0] != "webhook-timestamp"],
        verifier=off,
    )
    yield row(
        "timestamp-off-is-still-signed",
        "5",
        "SIGNATURE_MISMATCH",
        standard(stamp="1", signature=v1()),
        verifier=off,
    )
    plain = verifier("uplift", TEXT_KEY, tolerance="off")
    yield row("off-where-no-time-is-signed", "5", "VALID", uplift(), verifier=plain)


def _windows() -> Iterator[Row]:
    month = 2_678_400
    windows: dict[str, tuple[Any, int, int]] = {
        "default": (None, 300, 300),
        "600-past-5-future": ([600, 5], 600, 5),
        "0": (0, 0, 0),
        "0-past-60-future": ([0, 60], 0, 60),
        "60-past-0-future": ([60, 0], 60, 0),
        "31-days": (month, month, month),
    }
    for name, (tolerance, past, future) in windows.items():
        yield from _edges(f"window-{name}", verifier(tolerance=tolerance), past, future)
    scheme = "test-window"
    for name, tolerance, past, future in (
        ("of-the-scheme", None, 60, 30),
        ("before-the-scheme's", 10, 10, 10),
    ):
        where = verifier(scheme, TEXT_KEY, tolerance=tolerance)
        for offset, verdict in _offsets(past, future):
            stamp = str(NOW + offset)
            yield row(
                f"window-{name.replace(chr(39), '')}-{_sign(offset)}",
                "5",
                verdict,
                [("x-test-timestamp", stamp), ("x-test-signature", mac_hex(f"{stamp}.{BODY}"))],
                verifier=where,
                **_stated(verdict, NOW + offset),
            )


def _edges(name: str, where: Row, past: int, future: int, at: int = NOW) -> Iterator[Row]:
    for offset, verdict in _offsets(past, future):
        yield row(
            f"{name}-{_sign(offset)}",
            "5",
            verdict,
            standard(stamp=str(at + offset)),
            verifier=where,
            now=at,
            **_stated(verdict, at + offset),
        )


def _offsets(past: int, future: int) -> list[tuple[int, str]]:
    return [
        (-past - 1, "TOO_OLD"),
        *((offset, "VALID") for offset in sorted({-past, future})),
        (future + 1, "TOO_NEW"),
    ]


def _sign(offset: int) -> str:
    return f"plus-{offset}" if offset >= 0 else f"minus-{-offset}"


def _stated(verdict: str, timestamp: int) -> dict[str, Any]:
    return {"timestamp": timestamp} if verdict == "VALID" else {}


def _instants() -> Iterator[Row]:
    """At which instant freshness is judged."""
    hour = 3_600
    cases: list[tuple[str, int | None, int, int, str]] = [
        # name, received_at, now, the message's time, verdict
        ("received-at-wins-when-now-is-late", NOW, NOW + hour, NOW, "VALID"),
        ("received-at-wins-when-now-is-early", NOW, NOW - hour, NOW, "VALID"),
        ("received-at-late", NOW + hour, NOW, NOW, "TOO_OLD"),
        ("received-at-early", NOW - hour, NOW, NOW, "TOO_NEW"),
        ("received-at-edge", NOW + 300, 0, NOW, "VALID"),
        ("received-at-past-edge", NOW + 301, 0, NOW, "TOO_OLD"),
        ("received-at-future-edge", NOW - 300, 0, NOW, "VALID"),
        ("received-at-past-future-edge", NOW - 301, 0, NOW, "TOO_NEW"),
        # Zero is an instant, not an absence.
        ("received-at-zero", 0, NOW, 0, "VALID"),
        ("received-at-zero-too-new", 0, NOW, NOW, "TOO_NEW"),
        ("now-zero", None, 0, 0, "VALID"),
        ("now-zero-future-edge", None, 0, 300, "VALID"),
        ("now-zero-past-future-edge", None, 0, 301, "TOO_NEW"),
        ("now-smaller-than-the-window", None, 299, 0, "VALID"),
        ("now-300-edge", None, 300, 0, "VALID"),
        ("now-301-past-edge", None, 301, 0, "TOO_OLD"),
        ("latest-now", None, _LATEST, _LATEST + 300, "VALID"),
        ("latest-now-past-future-edge", None, _LATEST, _LATEST + 301, "TOO_NEW"),
        ("latest-now-past-edge", None, _LATEST, _LATEST - 301, "TOO_OLD"),
        ("latest-received-at", _LATEST, NOW, _LATEST - 300, "VALID"),
    ]
    for name, received_at, now, stamp, verdict in cases:
        yield row(
            f"instant-{name}",
            "5",
            verdict,
            standard(stamp=str(stamp)),
            received_at=received_at,
            now=now,
            **_stated(verdict, stamp),
        )
    yield row(
        "instant-off-depends-on-none",
        "5",
        "VALID",
        standard(),
        verifier=verifier(tolerance="off"),
        received_at=0,
        now=_LATEST,
        fresh=False,
    )
    # The whole past of a big window lies before 1970.
    yield row(
        "instant-window-reaches-below-zero",
        "5",
        "VALID",
        standard(stamp="0"),
        verifier=verifier("standard-webhooks", SECRET, tolerance=2_678_400),
        now=2_678_400,
        timestamp=0,
    )


def _units() -> Iterator[Row]:
    """Milliseconds are cut to seconds first, and signed as they came."""

    def ms(name: str, verdict: str, stamp: str, tolerance: Any = None, **more: Any) -> Row:
        pairs: Pairs = [
            ("x-test-timestamp", stamp),
            ("x-test-signature", "t1=" + mac_hex(f"{stamp}.{BODY}", key=KEY)),
        ]
        where = verifier("test-ms", KEY, tolerance=tolerance)
        return row(f"ms-{name}", "5", verdict, pairs, verifier=where, **more)

    yield ms("now", "VALID", f"{NOW}000")
    yield ms("fraction-is-cut", "VALID", f"{NOW}999")
    yield ms("past-edge", "VALID", f"{NOW - 300}000", timestamp=NOW - 300)
    yield ms("before-past-edge", "TOO_OLD", f"{NOW - 301}999")
    yield ms("future-edge", "VALID", f"{NOW + 300}999", timestamp=NOW + 300)
    yield ms("behind-future-edge", "TOO_NEW", f"{NOW + 301}000")
    yield ms("zero-tolerance", "VALID", f"{NOW}001", tolerance=0)
    yield ms("zero-tolerance-before", "TOO_OLD", f"{NOW - 1}999", tolerance=0)
    yield ms("zero-tolerance-behind", "TOO_NEW", f"{NOW + 1}000", tolerance=0)
    yield ms("seconds-are-too-old", "TOO_OLD", STAMP)
    yield ms("15-digits", "TOO_NEW", "9" * 15)
    yield ms("16-digits", "MALFORMED_TIMESTAMP", f"{NOW}000000")
    yield ms("fraction", "MALFORMED_TIMESTAMP", f"{NOW}000.5")
    yield ms("leading-zeros", "VALID", f"00{NOW}000")
    yield ms("off-999", "VALID", "999", tolerance="off", timestamp=0, fresh=False)
    yield ms("off-1000", "VALID", "1000", tolerance="off", timestamp=1, fresh=False)
    yield ms(
        "off-15-nines", "VALID", "9" * 15, tolerance="off", timestamp=999_999_999_999, fresh=False
    )
    yield row(
        "ms-signed-as-seconds",
        "5",
        "SIGNATURE_MISMATCH",
        [
            ("x-test-timestamp", f"{NOW}000"),
            ("x-test-signature", "t1=" + mac_hex(f"{STAMP}.{BODY}", key=KEY)),
        ],
        verifier=verifier("test-ms", KEY),
    )
