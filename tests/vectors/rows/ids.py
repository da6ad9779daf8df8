"""Rule 4: 1 to 256 bytes of 0x20-0x7E, without what separates the signed parts."""

from collections.abc import Iterator
from typing import Any

from tests import oracle
from tests.vectors.rows.build import (
    NOW,
    STAMP,
    TEXT_KEY,
    Pairs,
    Row,
    Text,
    concat,
    expand,
    mac_hex,
    raw,
    repeat,
    row,
    standard,
    v1,
    verifier,
)

_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


def rows() -> Iterator[Row]:
    yield from _characters()
    yield from _shifting()
    yield from _other_templates()


def _characters() -> Iterator[Row]:
    good: dict[str, Text] = {
        "of-1-byte": "x",
        "of-255-bytes": repeat("x", 255),
        "of-256-bytes": repeat("x", 256),
        "of-256-bytes-and-blanks-around": concat(" ", repeat("x", 256), "\t"),
        "with-a-space-inside": "msg 1",
        "with-0x21": "!",
        "with-0x7e": "~",
        "every-character": "[" + _PRINTABLE.replace(".", "") + "]",
        "that-is-a-number": "0",
        "with-commas": "a,b",
        "in-bytes": b"msg_1",
    }
    for name, id in good.items():
        text = expand(id)
        shown = text.decode() if isinstance(text, bytes) else text
        yield row(f"id-{name}", "4", "VALID", standard(id), id=shown.strip(" \t"))
    bad: dict[str, Text] = {
        "of-257-bytes": repeat("x", 257),
        "of-257-bytes-with-a-space-inside": concat(repeat("x", 255), " x"),
        "of-1-mib": repeat("x", 1 << 20),
        "with-0x1f": "msg\x1f1",
        "with-0x7f": "msg\x7f1",
        "with-0x80": b"msg\x801",
        "with-0xff": b"msg\xff",
        "with-nul": "msg\0",
        "with-a-tab-inside": "msg\t1",
        "with-a-line-feed-inside": "msg\n1",
        "non-ascii": "mög",
        "non-ascii-bytes": "mög".encode(),
        "latin-1": "mög".encode("latin-1"),
        "of-128-two-byte-characters": repeat("é", 128),
        "fullwidth": "ｍｓｇ",
        "emoji": "😀",
        "with-a-full-stop": "msg.1",
        "that-begins-with-a-full-stop": ".msg",
        "that-ends-with-a-full-stop": "msg.",
        "that-is-a-full-stop": ".",
        "surrogate": "\udc80",
        "surrogate-pair": "\ud83d\ude00",
    }
    for name, id in bad.items():
        yield row(f"id-{name}", "4", "MALFORMED_HEADER", standard(id))
    yield row("id-of-another-message", "4", "SIGNATURE_MISMATCH", standard("msg_2", signature=v1()))
    yield row("id-in-another-case", "4", "SIGNATURE_MISMATCH", standard("MSG_1", signature=v1()))
    yield row(
        "id-equal-ones-that-are-malformed",
        "4",
        "MALFORMED_HEADER",
        [*standard("msg.1"), ("webhook-id", "msg.1")],
    )


def _shifting() -> Iterator[Row]:
    """The boundary shift: one MAC, two readings of the signed bytes."""
    later = str(NOW + 1)
    body = f"y.{later}.z"
    signature = v1("x", STAMP, body)
    yield row("shift-the-message-itself", "4", "VALID", standard("x", body=body), body=body, id="x")
    yield row(
        "shift-body-into-id",
        "4",
        "MALFORMED_HEADER",
        standard(f"x.{STAMP}.y", later, signature=signature),
        body="z",
    )
    yield row(
        "shift-body-into-id-same-time",
        "4",
        "MALFORMED_HEADER",
        standard(f"x.{STAMP}.y", signature=v1("x", STAMP, f"y.{STAMP}.z")),
        body="z",
    )
    yield row(
        "shift-id-into-timestamp",
        "4",
        "MALFORMED_TIMESTAMP",
        standard("x", f"{STAMP}.y.{later}", signature=signature),
        body="z",
    )
    yield row(
        "shift-timestamp-into-body",
        "4",
        "MALFORMED_TIMESTAMP",
        standard("x", "y", signature=v1("x", "y", body)),
        body=body,
    )


def _test(
    scheme: str, id: Text | None, stamp: Text | None, signature: str, key: Text = TEXT_KEY
) -> tuple[Row, Pairs]:
    pairs: Pairs = [("x-test-signature", signature)]
    if id is not None:
        pairs.append(("x-test-id", id))
    if stamp is not None:
        pairs.append(("x-test-timestamp", stamp))
    return verifier(scheme, key), pairs


def _id(verdict: str, id: str) -> dict[str, Any]:
    return {"id": id} if verdict == "VALID" else {}


def _other_templates() -> Iterator[Row]:
    """Where something stands behind the body, the reader comes from the right."""
    body = '{"a":1}'

    def suffix(name: str, verdict: str, stamp: str, signed: str, body: str = body) -> Row:
        where, pairs = _test("test-suffix", None, stamp, "sha256=" + mac_hex(signed))
        return row(f"suffix-{name}", "4", verdict, pairs, verifier=where, body=body)

    yield suffix("good", "VALID", STAMP, f"{body}.{STAMP}")
    yield suffix("body-alone-signed", "SIGNATURE_MISMATCH", STAMP, body)
    yield suffix("timestamp-in-front-signed", "SIGNATURE_MISMATCH", STAMP, f"{STAMP}.{body}")
    yield suffix("body-ends-with-a-time", "VALID", STAMP, f"z.1.{STAMP}", "z.1")
    yield suffix(
        "shift-body-into-timestamp", "MALFORMED_TIMESTAMP", f"1.{STAMP}", f"z.1.{STAMP}", "z"
    )
    yield suffix("shift-digits", "SIGNATURE_MISMATCH", STAMP, f"{body}1.{STAMP}")
    for total in (55, 56, 64, 120):
        fill = "b" * (total - len(STAMP) - 1)
        yield suffix(f"ends-at-byte-{total}", "VALID", STAMP, f"{fill}.{STAMP}", fill)

    def behind(name: str, verdict: str, id: str, signed: str, body: str = body) -> Row:
        signature = oracle.b64(oracle.mac(raw(TEXT_KEY), signed.encode()))
        where, pairs = _test("test-id-behind", id, STAMP, signature)
        return row(
            f"id-behind-{name}", "4", verdict, pairs, verifier=where, body=body, **_id(verdict, id)
        )

    yield behind("good", "VALID", "e1", f"{STAMP}:{body}#e1")
    yield behind("may-hold-a-full-stop", "VALID", "e.1", f"{STAMP}:{body}#e.1")
    yield behind("may-hold-a-colon", "VALID", "e:1", f"{STAMP}:{body}#e:1")
    yield behind("may-not-hold-its-mark", "MALFORMED_HEADER", "e#1", f"{STAMP}:{body}#e#1")
    yield behind("body-may-hold-the-mark", "VALID", "e1", f"{STAMP}:a#b#e1", "a#b")
    yield behind("shift-body-into-id", "MALFORMED_HEADER", "b#e1", f"{STAMP}:a#b#e1", "a")
    yield behind("shift-id-into-body", "SIGNATURE_MISMATCH", "b", f"{STAMP}:a#b", "a#b")

    def between(name: str, verdict: str, id: str, signed: str, body: str = body) -> Row:
        where, pairs = _test("test-id-between", id, STAMP, mac_hex(signed))
        return row(
            f"id-between-{name}", "4", verdict, pairs, verifier=where, body=body, **_id(verdict, id)
        )

    yield between("good", "VALID", "e1", f"{body}|e1.{STAMP}")
    yield between("may-not-hold-the-mark-before", "MALFORMED_HEADER", "e|1", f"{body}|e|1.{STAMP}")
    yield between("may-not-hold-the-mark-behind", "MALFORMED_HEADER", "e.1", f"{body}|e.1.{STAMP}")
    yield between("shift-body-into-id", "MALFORMED_HEADER", "b|e1", f"a|b|e1.{STAMP}", "a")

    def literals(name: str, verdict: str, id: str, signed: str) -> Row:
        where, pairs = _test("test-literals", id, STAMP, mac_hex(signed))
        return row(
            f"literals-{name}", "4", verdict, pairs, verifier=where, body=body, **_id(verdict, id)
        )

    yield literals("good", "VALID", "e1", f"<{STAMP}|e1:{body}>")
    yield literals(
        "id-may-not-hold-what-follows", "MALFORMED_HEADER", "e:1", f"<{STAMP}|e:1:{body}>"
    )
    yield literals("id-may-hold-what-stands-before", "VALID", "e|1", f"<{STAMP}|e|1:{body}>")
    yield literals("without-the-first", "SIGNATURE_MISMATCH", "e1", f"{STAMP}|e1:{body}>")
    yield literals("without-the-last", "SIGNATURE_MISMATCH", "e1", f"<{STAMP}|e1:{body}")

    before, behind_body = "a" * 300, "z" * 189
    for name, long_id, some in (
        ("short", "e", ""),
        ("id-of-256-bytes", "e" * 256, "{}"),
        ("body-of-a-block", "e" * 256, "b" * 64),
    ):
        signed = f"{before}{long_id}.{STAMP}.{some}{behind_body}"
        where, pairs = _test("test-long-template", long_id, STAMP, mac_hex(signed))
        yield row(
            f"template-of-512-{name}", "4", "VALID", pairs, verifier=where, body=some, id=long_id
        )

    where, pairs = _test("test-ambiguous", "e1", STAMP, mac_hex(f"e1{STAMP}{body}"))
    yield row("ambiguous-good", "4", "VALID", pairs, verifier=where, body=body, id="e1")
    where, pairs = _test("test-ambiguous", "e.1", STAMP, mac_hex(f"e.1{STAMP}{body}"))
    yield row("ambiguous-forbids-nothing", "4", "VALID", pairs, verifier=where, body=body, id="e.1")

    where, pairs = _test("test-id-only", "e1", None, mac_hex(f"e1.{body}"))
    yield row("id-without-a-time", "4", "VALID", pairs, verifier=where, body=body, id="e1")
    where, pairs = _test("test-id-only", "e.1", None, mac_hex(f"e.1.{body}"))
    yield row(
        "id-without-a-time-full-stop", "4", "MALFORMED_HEADER", pairs, verifier=where, body=body
    )
    # A header that the scheme does not name is not read, whatever stands in it.
    where, pairs = _test("test-id-only", "e1", "stale", mac_hex(f"e1.{body}"))
    yield row(
        "id-without-a-time-stray-time", "4", "VALID", pairs, verifier=where, body=body, id="e1"
    )
