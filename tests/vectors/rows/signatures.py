"""Rule 6: what a signature looks like, and which of several count."""

from collections.abc import Iterator
from itertools import count

from tests import oracle
from tests.vectors.rows.build import (
    BODY,
    ID,
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    SECRET,
    STAMP,
    TEXT_KEY,
    Pairs,
    Row,
    Text,
    concat,
    github,
    mac_hex,
    raw,
    repeat,
    row,
    standard,
    uplift,
    v1,
    verifier,
)

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_GOOD = v1()
_BAD = v1(key=OTHER_KEY)
_ED25519 = "v1a," + oracle.b64(bytes(range(64)))


def rows() -> Iterator[Row]:
    yield from _lists()
    yield from _versions()
    yield from _base64()
    yield from _hex()
    yield from _other_separators()
    yield from _presets()


def _standard(name: str, verdict: str, signature: Text, body: str = BODY) -> Row:
    return row(
        f"signature-{name}", "6", verdict, standard(body=body, signature=signature), body=body
    )


def _lists() -> Iterator[Row]:
    valid: dict[str, Text] = {
        "alone": _GOOD,
        "bad-then-good": f"{_BAD} {_GOOD}",
        "good-then-bad": f"{_GOOD} {_BAD}",
        "good-twice": f"{_GOOD} {_GOOD}",
        "junk-then-good": f"junk {_GOOD}",
        "good-then-junk": f"{_GOOD} junk",
        "no-comma-then-good": f"v1 {_GOOD}",
        "two-commas-then-good": f"v1,a,b {_GOOD}",
        "empty-version-then-good": f"v1, {_GOOD}",
        "comma-then-good": f", {_GOOD}",
        "bad-padding-then-good": f"{_GOOD[:-1]} {_GOOD}",
        "not-base64-then-good": f"v1,$$$ {_GOOD}",
        "non-ascii-then-good": f"v1,ÿ☃ {_GOOD}",
        "nul-then-good": f"v1,\0 {_GOOD}",
        "invalid-utf-8-then-good": concat(b"\xff\xfe ", _GOOD),
        "double-space-before": f"{_BAD}  {_GOOD}",
        "double-space-behind": f"{_GOOD}  {_BAD}",
        "many-spaces": f"{_BAD}{' ' * 40}{_GOOD}",
        "space-before": f" {_GOOD}",
        "space-behind": f"{_GOOD} ",
        "v1a-then-good": f"{_ED25519} {_GOOD}",
        "good-then-v1a": f"{_GOOD} {_ED25519}",
        # What a proxy leaves that joined two headers.
        "joined-good-first": f"{_GOOD}, {_BAD}",
        "joined-good-last": f"{_BAD}, {_GOOD}",
        "joined-three-good-in-the-middle": f"{_BAD}, {_GOOD}, {_BAD}",
        "joined-with-two-spaces": f"{_GOOD},  {_BAD}",
        "joined-junk": f"{_GOOD}, junk,",
        "40-candidates-good-last": concat(repeat(_BAD + " ", 39), _GOOD),
        "340-candidates-good-last": concat(repeat(_BAD + " ", 339), _GOOD),
        "8000-junk-pieces-good-last": concat(repeat("x ", 8_000), _GOOD),
        "in-bytes": _GOOD.encode(),
    }
    for name, signature in valid.items():
        yield _standard(name, "VALID", signature)
    for place in (0, 1, 6, 7):
        pieces = [_BAD, "junk", "v2," + _GOOD[3:], "v1,", "v1", _ED25519, _GOOD[:-1]]
        pieces.insert(place, _GOOD)
        yield _standard(f"among-junk-at-{place}", "VALID", " ".join(pieces))
    malformed: dict[str, Text] = {
        "prefix-alone": "v1,",
        "version-alone": "v1",
        "comma-alone": ",",
        "without-version": _GOOD[3:],
        "without-comma": "v1" + _GOOD[3:],
        "two-commas": "v1,," + _GOOD[3:],
        "space-behind-the-comma": "v1, " + _GOOD[3:],
        "space-before-the-comma": "v1 ," + _GOOD[3:],
        "third-part": _GOOD + ",x",
        "comma-at-the-end": _GOOD + ",",
        "comma-and-spaces-at-the-end": _GOOD + ",  ",
        "joined-without-space": f"{_GOOD},{_BAD}",
        "joined-by-tab": f"{_GOOD}\t{_GOOD}",
        "joined-by-comma-and-tab": f"{_GOOD},\t{_GOOD}",
        "joined-by-line-feed": f"{_GOOD}\n{_GOOD}",
        "joined-by-no-break-space": f"{_GOOD}\xa0{_GOOD}",
        "joined-by-semicolon": f"{_GOOD};{_GOOD}",
        "two-commas-then-a-space": f"{_GOOD},, junk",
        "tab-inside": _GOOD[:20] + "\t" + _GOOD[20:],
        "quoted": f'"{_GOOD}"',
        "only-commas": ", , ,",
        "equals-for-the-comma": "v1=" + _GOOD[3:],
    }
    for name, signature in malformed.items():
        yield _standard(name, "MALFORMED_SIGNATURE", signature)
    mismatch: dict[str, Text] = {
        "of-zeros": "v1," + oracle.b64(bytes(32)),
        "of-another-key": _BAD,
        "of-another-body": v1(body=BODY + " "),
        "of-the-body-alone": "v1," + oracle.b64(oracle.mac(KEY, raw(BODY))),
        "with-the-text-of-the-secret-as-key": v1(key=SECRET.encode()),
        "with-the-base64-text-as-key": v1(key=SECRET[6:].encode()),
        "two-bad": f"{_BAD} {v1(body='')}",
        "malformed-and-mismatch": f"v1,!!! {_BAD}",
        "truncated-good-beside-bad": f"{_GOOD[:-4]} {_BAD}",
        "two-commas-then-a-space-bad": f"{_GOOD},, {_BAD}",
        "340-bad": concat(repeat(_BAD + " ", 339), _BAD),
        "plain-sha-256-of-the-content": "v1," + oracle.b64(_sha256(f"{ID}.{STAMP}.{BODY}")),
        "sha-256-of-key-and-content": "v1," + oracle.b64(_sha256(KEY, f"{ID}.{STAMP}.{BODY}")),
    }
    for name, signature in mismatch.items():
        yield _standard(name, "SIGNATURE_MISMATCH", signature)


def _sha256(*parts: Text) -> bytes:
    import hashlib

    return hashlib.sha256(b"".join(raw(part) for part in parts)).digest()


def _versions() -> Iterator[Row]:
    for name, version in {
        "v1a": "v1a",
        "v2": "v2",
        "upper-case": "V1",
        "v01": "v01",
        "v": "v",
        "empty": "",
        "fullwidth": "ｖ1",
        "arabic-indic": "v١",
        "nul": "v1\0",
    }.items():
        yield _standard(f"version-{name}", "MALFORMED_SIGNATURE", f"{version},{_GOOD[3:]}")
        if name in {"v1a", "v2", "upper-case"}:
            yield _standard(f"version-{name}-then-good", "VALID", f"{version},{_GOOD[3:]} {_GOOD}")
            yield _standard(
                f"version-{name}-good-beside-bad-v1",
                "SIGNATURE_MISMATCH",
                f"{version},{_GOOD[3:]} {_BAD}",
            )
    yield _standard("version-v1a-of-64-bytes-alone", "MALFORMED_SIGNATURE", _ED25519)


def _base64() -> Iterator[Row]:
    """One text for each MAC: canonical, standard alphabet, padded."""
    # A message whose MAC holds both characters that the URL alphabet changes.
    body = next(text for n in count() if {"+", "/"} <= set(v1(body=(text := f'{{"n":{n}}}'))[3:]))
    good = v1(body=body)[3:]
    yield _standard("base64-with-plus-and-slash", "VALID", "v1," + good, body)
    last = _ALPHABET.index(good[42])
    assert last % 4 == 0
    for low in range(1, 4):
        spelled = good[:42] + _ALPHABET[last + low] + "="
        name = f"base64-trailing-bits-{low:02b}"
        yield _standard(name, "MALFORMED_SIGNATURE", "v1," + spelled, body)
    spellings: dict[str, Text] = {
        "url-safe-alphabet": good.replace("+", "-").replace("/", "_"),
        "no-padding": good[:-1],
        "two-paddings": good + "=",
        "padding-to-the-next-quantum": good + "====",
        "padding-inside": good[:20] + "=" + good[20:],
        "text-behind-the-padding": good + "AAAA",
        "character-behind-the-padding": good + "A",
        "line-feed-inside": good[:20] + "\n" + good[20:],
        "carriage-return-inside": good[:20] + "\r" + good[20:],
        "line-feed-behind": good + "\n",
        "nul-behind": good + "\0",
        "percent-encoded": good.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
        "fullwidth-character": "Ａ" + good[1:],
        "high-bit": bytes([ord(good[0]) | 0x80, *good[1:].encode()]),
        "only-padding": "====",
        "31-bytes": oracle.b64(bytes(31)),
        "33-bytes": oracle.b64(bytes(33)),
        "0-bytes": "",
        "1-byte": oracle.b64(b"\0"),
        "16-bytes": oracle.b64(bytes(16)),
        "20-bytes": oracle.b64(bytes(20)),
        "64-bytes": oracle.b64(bytes(64)),
        "truncated-mac": oracle.b64(_mac(body)[:31]),
        "mac-and-a-byte": oracle.b64(_mac(body) + b"\0"),
        "mac-twice": oracle.b64(_mac(body) * 2),
        "hex-instead": _mac(body).hex(),
        "base64-of-hex": oracle.b64(_mac(body).hex().encode()),
        "very-long": repeat("A", 16_000),
    }
    for name, other in spellings.items():
        yield _standard(f"base64-{name}", "MALFORMED_SIGNATURE", concat("v1,", other), body)
    yield _standard("base64-case-swapped", "SIGNATURE_MISMATCH", "v1," + _swapped(good), body)
    zoho = verifier("zoho-projects", TEXT_KEY)
    encoded = oracle.b64(oracle.mac(TEXT_KEY.encode(), BODY.encode()))
    name = "X-ZP-WEBHOOK-SIGNATURE"
    for how, verdict, signature in (
        ("good", "VALID", encoded),
        ("blanks-around", "VALID", f" {encoded}\t"),
        ("no-padding", "MALFORMED_SIGNATURE", encoded[:-1]),
        ("space-inside", "MALFORMED_SIGNATURE", f"{encoded[:9]} {encoded[9:]}"),
        ("two-in-one-header", "MALFORMED_SIGNATURE", f"{encoded} {encoded}"),
        ("joined", "MALFORMED_SIGNATURE", f"{encoded}, {encoded}"),
        ("with-a-version", "MALFORMED_SIGNATURE", f"v1,{encoded}"),
        ("with-a-prefix", "MALFORMED_SIGNATURE", f"sha256={encoded}"),
        ("hex", "MALFORMED_SIGNATURE", mac_hex(BODY)),
        ("of-another-key", "SIGNATURE_MISMATCH", oracle.b64(oracle.mac(b"other", BODY.encode()))),
    ):
        yield row(f"zoho-{how}", "6", verdict, [(name, signature)], verifier=zoho)


def _mac(body: str) -> bytes:
    return oracle.mac(KEY, f"{ID}.{STAMP}.{body}".encode())


def _swapped(text: str) -> str:
    # The last character stays: its case decides the trailing bits.
    return text[:42].swapcase()[:41] + text[41:]


def _hex() -> Iterator[Row]:
    plain = verifier("uplift", TEXT_KEY)
    digest = mac_hex(BODY)
    letter = next(char for char in digest if char.isalpha())
    one_upper = digest.replace(letter, letter.upper(), 1)

    def one(name: str, verdict: str, signature: Text) -> Row:
        pairs: Pairs = [("x-uplift-signature-256", signature)]
        return row(f"hex-{name}", "6", verdict, pairs, verifier=plain)

    yield one("good", "VALID", f"sha256={digest}")
    yield one("in-bytes", "VALID", f"sha256={digest}".encode())
    malformed: dict[str, Text] = {
        "upper-case": f"sha256={digest.upper()}",
        "one-upper-case-digit": f"sha256={one_upper}",
        "0x": f"sha256=0x{digest}",
        "0x-in-place": f"sha256=0x{digest[2:]}",
        "odd-length": f"sha256={digest[:-1]}",
        "odd-length-longer": f"sha256={digest}0",
        "31-bytes": f"sha256={digest[:-2]}",
        "33-bytes": f"sha256={digest}00",
        "0-bytes": "sha256=",
        "1-byte": f"sha256={digest[:2]}",
        "64-bytes": f"sha256={digest}{digest}",
        "letter-g": f"sha256={digest[:-1]}g",
        "slash-for-zero": f"sha256={digest[:-1]}/",
        "colon-for-nine": f"sha256={digest[:-1]}:",
        "space-inside": f"sha256={digest[:32]} {digest[32:]}",
        "space-behind-the-prefix": f"sha256= {digest}",
        "colons-between-bytes": "sha256=" + ":".join(digest[i : i + 2] for i in range(0, 64, 2)),
        "line-feed-behind": f"sha256={digest}\n",
        "nul-behind": f"sha256={digest}\0",
        "fullwidth-digit": f"sha256={digest[:-1]}０",
        "high-bit": f"sha256={digest[:-1]}".encode() + bytes([ord(digest[-1]) | 0x80]),
        "no-prefix": digest,
        "prefix-in-upper-case": f"SHA256={digest}",
        "prefix-with-a-colon": f"sha256:{digest}",
        "prefix-twice": f"sha256=sha256={digest}",
        "prefix-sha1": f"sha1={digest}",
        "sha1-length-under-sha256": f"sha256={digest[:40]}",
        "prefix-longer": f"xsha256={digest}",
        "two-in-one-header": f"sha256={digest} sha256={digest}",
        "joined": f"sha256={digest}, sha256={digest}",
        "comma-behind": f"sha256={digest},",
        "base64": "sha256=" + oracle.b64(bytes.fromhex(digest)),
        "surrogate": f"sha256={digest[:-1]}\udc30",
    }
    for name, signature in malformed.items():
        yield one(name, "MALFORMED_SIGNATURE", signature)
    yield one("of-zeros", "SIGNATURE_MISMATCH", "sha256=" + "0" * 64)
    yield one("of-another-key", "SIGNATURE_MISMATCH", "sha256=" + mac_hex(BODY, key="other"))
    yield one("last-digit", "SIGNATURE_MISMATCH", f"sha256={digest[:-1]}{_next(digest[-1])}")
    yield one("first-digit", "SIGNATURE_MISMATCH", f"sha256={_next(digest[0])}{digest[1:]}")
    yield one("reversed", "SIGNATURE_MISMATCH", f"sha256={digest[::-1]}")
    # Without a separator each header holds one signature; each of them counts.
    header = "x-uplift-signature-256"
    bad = "sha256=" + "0" * 64
    for name, values in {
        "two-headers-bad-then-good": [bad, f"sha256={digest}"],
        "two-headers-good-then-bad": [f"sha256={digest}", bad],
        "two-headers-malformed-then-good": ["sha1=00", f"sha256={digest}"],
        "two-headers-empty-then-good": ["", f"sha256={digest}"],
    }.items():
        pairs: Pairs = [(header, value) for value in values]
        yield row(f"hex-{name}", "6", "VALID", pairs, verifier=plain)
    yield row(
        "hex-two-headers-both-bad",
        "6",
        "SIGNATURE_MISMATCH",
        [(header, bad), (header, "sha256=" + "1" * 64)],
        verifier=plain,
    )
    any_case = verifier("test-hex-any-case", TEXT_KEY)
    mixed = "".join(char.upper() if at % 2 else char for at, char in enumerate(digest))
    for name, verdict, signature in (
        ("lower", "VALID", f"sha256={digest}"),
        ("upper", "VALID", f"sha256={digest.upper()}"),
        ("mixed", "VALID", f"sha256={mixed}"),
        ("prefix-in-upper-case", "MALFORMED_SIGNATURE", f"SHA256={digest.upper()}"),
        ("upper-case-g", "MALFORMED_SIGNATURE", f"sha256={digest[:-1]}G"),
        ("0x", "MALFORMED_SIGNATURE", f"sha256=0X{digest[2:].upper()}"),
        ("31-bytes", "MALFORMED_SIGNATURE", f"sha256={digest[:-2].upper()}"),
        ("mismatch", "SIGNATURE_MISMATCH", "sha256=" + "F" * 64),
    ):
        pairs = [("x-test-signature", signature)]
        yield row(f"hex-any-case-{name}", "6", verdict, pairs, verifier=any_case)


def _next(digit: str) -> str:
    return f"{(int(digit, 16) + 1) % 16:x}"


def _other_separators() -> Iterator[Row]:
    good, bad = "v1=" + mac_hex(BODY), "v1=" + "0" * 64

    def one(scheme: str, name: str, verdict: str, signature: Text) -> Row:
        pairs: Pairs = [("x-test-signature", signature)]
        where = verifier(scheme, TEXT_KEY)
        return row(f"{scheme[5:]}-{name}", "6", verdict, pairs, verifier=where)

    comma = "test-comma"
    yield one(comma, "alone", "VALID", good)
    yield one(comma, "good-last", "VALID", f"{bad},{good}")
    yield one(comma, "good-first", "VALID", f"{good},{bad}")
    yield one(comma, "empty-pieces", "VALID", f",,{good},")
    yield one(comma, "other-versions", "VALID", f"v0=00,{good}")
    # Blanks at the ends of the value go; inside it they belong to the pieces.
    yield one(comma, "blanks-around-the-value", "VALID", f" {bad},{good} ")
    yield one(comma, "space-behind-the-comma", "SIGNATURE_MISMATCH", f"{bad}, {good}")
    yield one(comma, "space-before-the-comma", "SIGNATURE_MISMATCH", f"{good} ,{bad}")
    yield one(comma, "space-only", "MALFORMED_SIGNATURE", f"{good} {good}")
    yield one(comma, "only-commas", "MALFORMED_SIGNATURE", ",,,")
    yield one(comma, "semicolon", "MALFORMED_SIGNATURE", f"{good};{bad}")
    yield row(
        "comma-two-headers",
        "6",
        "VALID",
        [("x-test-signature", f"{bad},junk"), ("x-test-signature", f"junk,{good}")],
        verifier=verifier(comma, TEXT_KEY),
    )
    good = oracle.b64(oracle.mac(TEXT_KEY.encode(), BODY.encode()))
    bad = oracle.b64(bytes(32))
    semicolon = "test-semicolon"
    yield one(semicolon, "good-last", "VALID", f"{bad};{good}")
    yield one(semicolon, "at-the-end", "VALID", f"{good};")
    yield one(semicolon, "space", "MALFORMED_SIGNATURE", f"{good} {good}")
    # The comma that a proxy leaves is known where the separator is SP alone.
    yield one(semicolon, "comma-stays", "MALFORMED_SIGNATURE", f"{good},;{good},")
    yield one(semicolon, "comma-and-space-stay", "MALFORMED_SIGNATURE", f"{good}, ;junk")
    good, bad = mac_hex(BODY), "0" * 64
    space = "test-space"
    yield one(space, "good-last", "VALID", f"{bad} {good}")
    yield one(space, "joined", "VALID", f"{good}, {bad}")
    yield one(space, "comma-at-the-end", "MALFORMED_SIGNATURE", f"{good},")
    yield one(space, "joined-without-space", "MALFORMED_SIGNATURE", f"{good},{bad}")


def _presets() -> Iterator[Row]:
    yield row("preset-uplift", "6", "VALID", uplift(), verifier=verifier("uplift", TEXT_KEY))
    yield row("preset-github", "6", "VALID", github(), verifier=verifier("github", TEXT_KEY))
    yield row(
        "preset-github-reads-its-own-header",
        "6",
        "MISSING_HEADER",
        [("x-hub-signature", "sha1=" + mac_hex(BODY)[:40]), *uplift()],
        verifier=verifier("github", TEXT_KEY),
    )
    yield row(
        "preset-svix",
        "6",
        "VALID",
        standard(family="svix"),
        verifier=verifier("svix", OTHER_SECRET, SECRET),
        secret=1,
        label="1",
    )
    # An alias is another way to write the name; the name is what is reported.
    alias = row(
        "preset-alias",
        "6",
        "VALID",
        standard(),
        verifier=verifier("standardwebhooks"),
        layer="python",
        id=ID,
        timestamp=int(STAMP),
        fresh=True,
        covers=["body", "id", "timestamp"],
        scheme="standard-webhooks",
    )
    yield alias
