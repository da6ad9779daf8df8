"""Rule 2: any bytes are a body, and they are hashed as they came."""

from collections.abc import Iterator

from tests.vectors.rows.build import (
    BODY,
    KEY,
    TEXT_KEY,
    Row,
    Text,
    raw,
    repeat,
    row,
    standard,
    uplift,
    v1,
    verifier,
)

# What a keyed SHA-256 sees: 55 bytes and the padding fill a block, 56 take another.
_EDGES = (1, 55, 56, 63, 64, 65, 119, 120, 127, 128)
_PREFIX_BYTES = len("msg_1.1700000000.")


def rows() -> Iterator[Row]:
    plain = verifier("uplift", TEXT_KEY)
    bodies: dict[str, Text] = {
        "empty": b"",
        "empty-str": "",
        "nul": b"\0",
        "nul-inside": b'{"a":1}\0{"b":2}',
        "invalid-utf-8": b"\xff\xfe\x80\xc0",
        "overlong-utf-8": b"\xc0\xaf",
        "surrogate-bytes": b"\xed\xa0\x80",
        "bom": b'\xef\xbb\xbf{"a":1}',
        "str-non-ascii": '{"name":"Zoë ☃ 日本 😀"}',
        "line-ends": b"a=1\r\nb=2\n",
        "trailing-space": b' {"a":1} \n',
        "not-json": b"{{not json",
        "every-byte": bytes(range(256)),
    }
    for name, body in bodies.items():
        yield row(f"body-{name}", "2", "VALID", uplift(body), verifier=plain, body=body)
    for length in _EDGES:
        body = repeat("a", length)
        yield row(f"body-of-{length}-bytes", "2", "VALID", uplift(body), verifier=plain, body=body)
    for total in (55, 56, 63, 64, 65, 119, 120, 128):
        body = repeat("b", total - _PREFIX_BYTES)
        yield row(
            f"body-that-ends-at-byte-{total}-behind-its-prefix",
            "2",
            "VALID",
            standard(body=body),
            body=body,
        )
    long = repeat("0123456789abcdef", 4096)
    yield row("body-of-64-kib", "2", "VALID", standard(body=long), body=long)
    # A str and its UTF-8 are one body; another rendering of the same JSON is another.
    text = '{"name":"Zoë"}'
    yield row("body-str-signed-as-utf-8", "2", "VALID", standard(body=raw(text)), body=text)
    yield row("body-bytes-of-str", "2", "VALID", standard(body=text), body=raw(text))
    others: dict[str, Text] = {
        "with-a-space-more": '{"type": "paid"}',
        "with-a-newline-more": BODY + "\n",
        "with-a-nul-more": BODY + "\0",
        "with-a-bom-more": b"\xef\xbb\xbf" + raw(BODY),
        "with-an-escape": '{"type":"p\\u0061id"}',
        "cut-by-one": BODY[:-1],
        "empty": "",
    }
    for name, body in others.items():
        yield row(f"body-{name}-is-another", "2", "SIGNATURE_MISMATCH", standard(), body=body)
    yield row(
        "body-normalised-is-another",
        "2",
        "SIGNATURE_MISMATCH",
        standard(body="Zoe\u0308"),
        body="Zoë",
    )
    yield row(
        "body-latin-1-is-not-its-str",
        "2",
        "SIGNATURE_MISMATCH",
        standard(signature=v1(body="Zoë".encode("latin-1"), key=KEY)),
        body="Zoë",
    )
    surrogates = {
        "high": "\ud800",
        "low": '{"a":"\udfff"}',
        "pair": "\ud83d\ude00",
        "escaped-byte": "caf\udce9",
    }
    for name, body in surrogates.items():
        yield row(f"body-str-surrogate-{name}", "2", "NOT_A_MESSAGE", standard(), body=body)
