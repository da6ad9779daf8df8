"""Rule 6, tokens: the header's one value is the secret."""

from collections.abc import Iterator

from tests.vectors.rows.build import BODY, Pairs, Row, Text, repeat, row, verifier

_TOKEN = "s3cr3t-T0ken/with=chars"
_HEADER = "x-webhook-secret"


def rows() -> Iterator[Row]:
    def one(name: str, verdict: str, value: Text, secret: Text = _TOKEN) -> Row:
        pairs: Pairs = [(_HEADER, value)]
        where = verifier("shared-token", secret)
        return row(f"token-{name}", "6", verdict, pairs, verifier=where)

    yield one("equal", "VALID", _TOKEN)
    yield one("bytes-for-str", "VALID", _TOKEN.encode())
    yield one("secret-in-bytes", "VALID", _TOKEN, _TOKEN.encode())
    yield one("blanks-around", "VALID", f"\t {_TOKEN} ")
    yield one("non-ascii", "VALID", "пароль-ключ", "пароль-ключ")
    yield one("non-ascii-bytes", "VALID", "пароль-ключ".encode(), "пароль-ключ")
    yield one("emoji", "VALID", "😀-token", "😀-token")
    yield one("with-spaces-inside", "VALID", "two words", "two words")
    yield one("of-one-character", "VALID", "x", "x")
    for length in (55, 56, 64, 1_000, 16_384):
        yield one(f"of-{length}-bytes", "VALID", repeat("k", length), repeat("k", length))
    different: dict[str, Text] = {
        "prefix": _TOKEN[:-1],
        "first-character": _TOKEN[0],
        "extension": _TOKEN + "x",
        "twice": _TOKEN * 2,
        "upper-case": _TOKEN.upper(),
        "lower-case": _TOKEN.lower(),
        "last-character": _TOKEN[:-1] + "S",
        "line-feed-behind": _TOKEN + "\n",
        "nul-behind": _TOKEN + "\0",
        "nul-before": "\0" + _TOKEN,
        "bom-before": "\ufeff" + _TOKEN,
        "no-break-space-behind": _TOKEN + "\xa0",
        "quoted": f'"{_TOKEN}"',
        "bearer": f"Bearer {_TOKEN}",
        "joined": f"{_TOKEN}, {_TOKEN}",
        "asterisks": "***",
        "percent": "%",
        "very-long": repeat("x", 16_384),
    }
    for name, value in different.items():
        yield one(name, "SIGNATURE_MISMATCH", value)
    yield one("too-long", "TOO_LARGE", repeat("x", 16_385))
    yield one("empty", "MISSING_HEADER", "")
    yield one("blank", "MISSING_HEADER", " \t ")
    yield one("normal-form-differs", "SIGNATURE_MISMATCH", "Zoe\u0308", "Zoë")
    # The value loses its blanks, the secret keeps them: such a secret never matches.
    yield one("secret-with-blanks-around", "SIGNATURE_MISMATCH", f" {_TOKEN} ", f" {_TOKEN} ")
    yield one("secret-with-a-line-feed", "VALID", f"{_TOKEN}\n", f"{_TOKEN}\n")
    malformed: dict[str, Text] = {
        "latin-1": "Zoë".encode("latin-1"),
        "invalid-utf-8": b"\xff\xfe",
        "cut-character": "Zoë".encode()[:-1],
        "overlong": b"\xc0\xaf",
        "surrogate-bytes": b"\xed\xa0\xbd\xed\xb8\x80",
        "above-unicode": b"\xf4\x90\x80\x80",
        "good-and-a-bad-byte": _TOKEN.encode() + b"\x80",
        "surrogate": "\ud800",
        "surrogate-pair": "\ud83d\ude00",
    }
    for name, value in malformed.items():
        secret = "😀" if name.startswith("surrogate") else "Zoë"
        yield one(name, "MALFORMED_SIGNATURE", value, secret)

    where = verifier("shared-token", _TOKEN)
    several: dict[str, tuple[str, list[Text]]] = {
        "twice-equal": ("VALID", [_TOKEN, _TOKEN]),
        "twice-equal-after-trimming": ("VALID", [f" {_TOKEN}", _TOKEN.encode()]),
        "good-then-bad": ("AMBIGUOUS_HEADER", [_TOKEN, "x"]),
        "bad-then-good": ("AMBIGUOUS_HEADER", ["x", _TOKEN]),
        "both-bad": ("AMBIGUOUS_HEADER", ["x", "y"]),
        "empty-beside": ("AMBIGUOUS_HEADER", [_TOKEN, ""]),
        "malformed-beside": ("AMBIGUOUS_HEADER", [_TOKEN, b"\xff"]),
        "malformed-twice": ("MALFORMED_SIGNATURE", [b"\xff", b"\xff"]),
    }
    for name, (verdict, values) in several.items():
        pairs: Pairs = [(_HEADER, value) for value in values]
        yield row(f"tokens-{name}", "6", verdict, pairs, verifier=where)
    yield row(
        "tokens-two-spellings-differ",
        "6",
        "AMBIGUOUS_HEADER",
        [(_HEADER, _TOKEN), ("X-Webhook-Secret", "x")],
        verifier=where,
    )
    yield row("tokens-list", "6", "VALID", [(_HEADER, [_TOKEN, _TOKEN])], verifier=where)
    yield row(
        "tokens-list-differs", "6", "AMBIGUOUS_HEADER", [(_HEADER, [_TOKEN, "x"])], verifier=where
    )
    both = verifier("shared-token", "first-token", {"value": "second-token", "label": "old"})
    yield row(
        "token-second-secret",
        "6",
        "VALID",
        [(_HEADER, "second-token")],
        verifier=both,
        secret=1,
        label="old",
    )
    yield row(
        "token-both-secrets-at-once",
        "6",
        "SIGNATURE_MISMATCH",
        [(_HEADER, "first-tokensecond-token")],
        verifier=both,
    )
    # A token covers nothing: the body may be any.
    yield row("token-any-body", "6", "VALID", [(_HEADER, _TOKEN)], verifier=where, body=BODY * 3)
    yield row(
        "token-gitlab",
        "6",
        "VALID",
        [("X-Gitlab-Token", _TOKEN), ("X-Gitlab-Event", "Push Hook")],
        verifier=verifier("gitlab-token", _TOKEN),
    )
    yield row(
        "token-gitlab-in-another-header",
        "6",
        "MISSING_HEADER",
        [(_HEADER, _TOKEN)],
        verifier=verifier("gitlab-token", _TOKEN),
    )
    yield row(
        "token-off",
        "6",
        "VALID",
        [(_HEADER, _TOKEN)],
        verifier=verifier("shared-token", _TOKEN, tolerance="off"),
    )
    prefixed = verifier("test-token-prefix", _TOKEN)
    for name, verdict, value in (
        ("with", "VALID", f"token={_TOKEN}"),
        ("with-blanks-around", "VALID", f" token={_TOKEN} "),
        ("without", "MALFORMED_SIGNATURE", _TOKEN),
        ("in-upper-case", "MALFORMED_SIGNATURE", f"TOKEN={_TOKEN}"),
        ("alone", "SIGNATURE_MISMATCH", "token="),
        ("twice", "SIGNATURE_MISMATCH", f"token=token={_TOKEN}"),
        ("space-behind", "SIGNATURE_MISMATCH", f"token= {_TOKEN}"),
    ):
        yield row(
            f"token-prefix-{name}", "6", verdict, [("x-test-signature", value)], verifier=prefixed
        )
