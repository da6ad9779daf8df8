"""Rule 7: how a secret becomes a key, which one matches, and when it is live."""

from collections.abc import Iterator
from typing import Any

from tests import oracle
from tests.vectors.rows.build import (
    BODY,
    KEY,
    NOW,
    OTHER_KEY,
    OTHER_SECRET,
    SECRET,
    TEXT_KEY,
    Pairs,
    Row,
    Text,
    mac_hex,
    raw,
    repeat,
    row,
    standard,
    uplift,
    v1,
    verifier,
)


def rows() -> Iterator[Row]:
    yield from _readings()
    yield from _lengths()
    yield from _several()
    yield from _labels()
    yield from _windows()


def _readings() -> Iterator[Row]:
    def standard_key(name: str, secret: Text, key: bytes) -> Row:
        where = verifier("standard-webhooks", secret)
        return row(f"key-{name}", "7", "VALID", standard(key=key), verifier=where)

    yield standard_key("base64-with-prefix", SECRET, KEY)
    yield standard_key("base64-without-prefix", SECRET[6:], KEY)
    yield standard_key("base64-without-padding", SECRET.rstrip("="), KEY)
    yield standard_key("base64-of-25-bytes-padded", "whsec_" + oracle.b64(KEY[:25]), KEY[:25])
    yield standard_key("base64-of-25-bytes", oracle.b64(KEY[:25]).rstrip("="), KEY[:25])
    yield standard_key("base64-of-24-bytes", "whsec_" + oracle.b64(KEY[:24]), KEY[:24])
    yield standard_key(
        "base64-with-plus-and-slash", "whsec_" + oracle.b64(b"\xfb\xff" * 12), b"\xfb\xff" * 12
    )
    yield standard_key("base64-of-white-space", "whsec_" + oracle.b64(b" " * 24), b" " * 24)
    yield standard_key("bytes", KEY, KEY)
    yield standard_key(
        "bytes-that-are-base64-text", oracle.b64(KEY).encode(), oracle.b64(KEY).encode()
    )
    yield standard_key("bytes-that-are-not-utf-8", b"\xff\xfe" * 12, b"\xff\xfe" * 12)
    yield row(
        "key-bytes-are-not-decoded",
        "7",
        "SIGNATURE_MISMATCH",
        standard(),
        verifier=verifier("standard-webhooks", SECRET[6:].encode()),
    )

    def text_key(name: str, verdict: str, secret: Text, key: Text) -> Row:
        pairs = uplift(key=key)
        return row(f"key-{name}", "7", verdict, pairs, verifier=verifier("uplift", secret))

    yield text_key("text", "VALID", TEXT_KEY, TEXT_KEY)
    yield text_key("text-in-bytes", "VALID", TEXT_KEY.encode(), TEXT_KEY)
    yield text_key("text-non-ascii", "VALID", "пароль ключ 😀", "пароль ключ 😀")
    yield text_key("text-with-blanks", "VALID", f" {TEXT_KEY}\n", f" {TEXT_KEY}\n")
    yield text_key("text-with-blanks-keeps-them", "SIGNATURE_MISMATCH", f"{TEXT_KEY}\n", TEXT_KEY)
    yield text_key("text-that-is-hex", "VALID", "00ff" * 8, "00ff" * 8)
    yield text_key("text-that-is-hex-stays-text", "SIGNATURE_MISMATCH", "00ff" * 8, b"\0\xff" * 8)
    yield text_key("text-that-begins-with-whsec", "VALID", SECRET, SECRET)
    yield text_key("text-that-begins-with-whsec-stays", "SIGNATURE_MISMATCH", SECRET, KEY)
    yield text_key("bytes-that-begin-with-whsec", "VALID", SECRET.encode(), SECRET)
    yield text_key("text-case-counts", "SIGNATURE_MISMATCH", TEXT_KEY.upper(), TEXT_KEY)
    yield text_key("text-of-one-character", "VALID", "x", "x")

    def other_key(scheme: str, name: str, verdict: str, secret: Text, key: Text) -> Row:
        pairs: Pairs = [("x-test-signature", mac_hex(BODY, key=key))]
        where = verifier(scheme, secret)
        return row(f"key-{scheme[9:]}-{name}", "7", verdict, pairs, verifier=where)

    hex_key = bytes(range(0xA0, 0xC0))
    scheme = "test-key-hex"
    yield other_key(scheme, "lower-case", "VALID", hex_key.hex(), hex_key)
    yield other_key(scheme, "upper-case", "VALID", hex_key.hex().upper(), hex_key)
    yield other_key(
        scheme, "mixed-case", "VALID", "aBcDeF0123456789" * 2, bytes.fromhex("abcdef0123456789" * 2)
    )
    yield other_key(scheme, "of-one-byte", "VALID", "7f", b"\x7f")
    yield other_key(scheme, "bytes-are-the-key", "VALID", hex_key.hex().encode(), hex_key.hex())
    yield other_key(
        scheme, "text-is-not-the-key", "SIGNATURE_MISMATCH", hex_key.hex(), hex_key.hex()
    )
    scheme = "test-key-base64"
    yield other_key(scheme, "padded", "VALID", oracle.b64(KEY), KEY)
    yield other_key(scheme, "unpadded", "VALID", oracle.b64(KEY).rstrip("="), KEY)
    yield other_key(scheme, "bytes-may-begin-with-whsec", "VALID", SECRET.encode(), SECRET)
    scheme = "test-key-prefix"
    yield other_key(scheme, "with", "VALID", "sk_" + oracle.b64(KEY), KEY)
    yield other_key(scheme, "without", "VALID", oracle.b64(KEY), KEY)
    yield other_key(scheme, "bytes", "VALID", KEY, KEY)


def _lengths() -> Iterator[Row]:
    """HMAC pads a key to a block of 64 bytes and hashes what is longer."""
    for length in (1, 32, 63, 64, 65, 128, 1_000):
        key = repeat("k", length)
        where = verifier("uplift", key)
        yield row(f"key-of-{length}-bytes", "7", "VALID", uplift(key=key), verifier=where)
    # So these are two texts of one key.
    long = "k" * 65
    where = verifier("uplift", "k\0")
    yield row("key-and-a-zero-byte-are-one", "7", "VALID", uplift(key="k"), verifier=where)
    hashed = _sha256(raw(long))
    where = verifier("uplift", hashed)
    yield row("key-of-65-bytes-is-its-hash", "7", "VALID", uplift(key=long), verifier=where)


def _sha256(data: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(data).digest()


def _several() -> Iterator[Row]:
    keys = [bytes([n]) * 32 for n in range(1, 9)]
    eight = verifier("standard-webhooks", *("whsec_" + oracle.b64(key) for key in keys))
    for at, key in enumerate(keys):
        yield row(
            f"secrets-8-position-{at}",
            "7",
            "VALID",
            standard(key=key),
            verifier=eight,
            secret=at,
            label=str(at),
        )
    yield row("secrets-8-none", "7", "SIGNATURE_MISMATCH", standard(), verifier=eight)
    good = [v1(key=key) for key in keys]
    yield row(
        "secrets-8-with-8-signatures",
        "7",
        "VALID",
        standard(signature=" ".join(reversed(good))),
        verifier=eight,
    )
    yield row(
        "secrets-8-with-the-last-two",
        "7",
        "VALID",
        standard(signature=f"{good[7]} {good[6]}"),
        verifier=eight,
        secret=6,
        label="6",
    )
    two = verifier("standard-webhooks", OTHER_SECRET, SECRET)
    pair = (v1(key=KEY), v1(key=OTHER_KEY))
    for name, signature, secret in (
        ("both-signed", " ".join(pair), 0),
        ("both-signed-other-order", " ".join(reversed(pair)), 0),
        ("second-signed", pair[0], 1),
        ("second-signed-behind-bad", f"{v1(body='')} {pair[0]}", 1),
        ("first-signed", pair[1], 0),
    ):
        yield row(
            f"secrets-{name}",
            "7",
            "VALID",
            standard(signature=signature),
            verifier=two,
            secret=secret,
            label=str(secret),
        )
    tokens = verifier("uplift", "first", "second", "third")
    for at, word in enumerate(("first", "second", "third")):
        yield row(
            f"secrets-uplift-position-{at}",
            "7",
            "VALID",
            uplift(key=word),
            verifier=tokens,
            secret=at,
            label=str(at),
        )


def _labels() -> Iterator[Row]:
    """A secret without a label gets a number; ``None`` stands for one without."""
    cases: dict[str, tuple[list[str | None], list[str]]] = {
        "given": (["new", "old"], ["new", "old"]),
        "first-given": (["new", None, None], ["new", "0", "1"]),
        "second-given": ([None, "old", None], ["0", "old", "1"]),
        "number-in-front": (["3", None], ["3", "4"]),
        "number-between": ([None, "7", None], ["0", "7", "8"]),
        "number-smaller": ([None, None, None, "1x", None], ["0", "1", "2", "1x", "3"]),
        "number-next": ([None, "1", None], ["0", "1", "2"]),
        "zero-given": (["0", None], ["0", "1"]),
        "zero-given-behind": ([None, "0", None], ["1", "0", "2"]),
        "one-given-behind": ([None, None, "1"], ["0", "2", "1"]),
        "leading-zero-does-not-count": (["07", None], ["07", "0"]),
        "two-zeros-do-not-count": (["00", None], ["00", "0"]),
        "nine-digits-count": (["999999999", None], ["999999999", "1000000000"]),
        "ten-digits-do-not-count": (["1000000000", None], ["1000000000", "0"]),
        "sign-does-not-count": (["+5", None], ["+5", "0"]),
        "space-is-printable": ([" ", None], [" ", "0"]),
        "of-64-characters": (["x" * 64, None], ["x" * 64, "0"]),
        "case-counts": (["a", "A"], ["a", "A"]),
    }
    keys = [f"key number {n}" for n in range(5)]
    for name, (given, expected) in cases.items():
        secrets = [
            key if label is None else {"value": key, "label": label}
            for key, label in zip(keys, given, strict=False)
        ]
        where = verifier("uplift", *secrets)
        for at, label in enumerate(expected):
            if given[at] is None or name in {"given", "space-is-printable", "of-64-characters"}:
                yield row(
                    f"label-{name}-{at}",
                    "7",
                    "VALID",
                    uplift(key=keys[at]),
                    verifier=where,
                    secret=at,
                    label=label,
                )


def _windows() -> Iterator[Row]:
    """A secret is live while not_before <= t < not_after."""

    def one(name: str, verdict: str, window: dict[str, int], at: int, **more: Any) -> Row:
        where = verifier("uplift", {"value": TEXT_KEY, **window})
        return row(f"live-{name}", "7", verdict, uplift(), verifier=where, now=at, **more)

    live, dead = "VALID", "SIGNATURE_MISMATCH"
    yield one("not-before-edge", live, {"not_before": NOW}, NOW)
    yield one("not-before-edge-minus-1", dead, {"not_before": NOW}, NOW - 1)
    yield one("not-before-later", live, {"not_before": NOW}, 10**11)
    yield one("not-before-zero", live, {"not_before": 0}, 0)
    yield one("not-after-edge-minus-1", live, {"not_after": NOW}, NOW - 1)
    yield one("not-after-edge", dead, {"not_after": NOW}, NOW)
    yield one("not-after-edge-plus-1", dead, {"not_after": NOW}, NOW + 1)
    yield one("not-after-at-zero", live, {"not_after": NOW}, 0)
    second = {"not_before": NOW, "not_after": NOW + 1}
    yield one("one-second", live, second, NOW)
    yield one("one-second-before", dead, second, NOW - 1)
    yield one("one-second-behind", dead, second, NOW + 1)
    # At the arrival, where it is known.
    yield one("at-arrival", live, second, NOW + 9_999, received_at=NOW)
    yield one("not-now-but-at-arrival-too-late", dead, second, NOW, received_at=NOW + 1)
    yield one("not-now-but-at-arrival-too-early", dead, second, NOW, received_at=NOW - 1)
    yield one("at-arrival-zero", live, {"not_after": 1}, NOW, received_at=0)
    # Never at a time that the message states.
    retired = verifier("standard-webhooks", SECRET[6:], {"value": OTHER_SECRET, "not_after": NOW})
    early = str(NOW - 1)
    back_dated = standard(stamp=early, key=OTHER_KEY)
    yield row(
        "live-while-not-retired",
        "7",
        "VALID",
        back_dated,
        verifier=retired,
        now=NOW - 1,
        secret=1,
        label="1",
        timestamp=NOW - 1,
    )
    yield row(
        "live-not-by-back-dating", "7", "SIGNATURE_MISMATCH", back_dated, verifier=retired, now=NOW
    )
    yield row(
        "live-not-by-back-dating-off",
        "7",
        "SIGNATURE_MISMATCH",
        standard(stamp="1", key=OTHER_KEY),
        verifier={**retired, "tolerance": "off"},
        now=NOW,
    )
    yield row(
        "live-off-is-judged-at-arrival",
        "7",
        "VALID",
        standard(stamp="1", key=OTHER_KEY),
        verifier={**retired, "tolerance": "off"},
        now=NOW,
        received_at=NOW - 1,
        secret=1,
        label="1",
        timestamp=1,
        fresh=False,
    )
    future = verifier("standard-webhooks", {"value": SECRET, "not_before": NOW + 10})
    yield row(
        "live-not-by-post-dating",
        "7",
        "SIGNATURE_MISMATCH",
        standard(stamp=str(NOW + 10)),
        verifier=future,
    )
    yield row(
        "live-stated-before-it-was",
        "7",
        "VALID",
        standard(),
        verifier=future,
        now=NOW + 10,
    )
    # Secrets that are not live are passed over; positions and labels stay.
    first_dead = verifier(
        "standard-webhooks", {"value": OTHER_SECRET, "not_after": 1, "label": "old"}, SECRET
    )
    yield row(
        "live-second-when-first-is-not",
        "7",
        "VALID",
        standard(),
        verifier=first_dead,
        secret=1,
        label="0",
    )
    yield row(
        "live-first-is-not", "7", "SIGNATURE_MISMATCH", standard(key=OTHER_KEY), verifier=first_dead
    )
    yield row(
        "live-both-signed-only-second-live",
        "7",
        "VALID",
        standard(signature=f"{v1(key=OTHER_KEY)} {v1()}"),
        verifier=first_dead,
        secret=1,
        label="0",
    )
    none = verifier(
        "standard-webhooks",
        {"value": SECRET, "not_after": NOW},
        {"value": OTHER_SECRET, "not_before": NOW + 1},
    )
    yield row("live-none", "7", "SIGNATURE_MISMATCH", standard(), verifier=none)
    yield row("live-none-other", "7", "SIGNATURE_MISMATCH", standard(key=OTHER_KEY), verifier=none)
    yield row(
        "live-none-and-malformed",
        "7",
        "MALFORMED_SIGNATURE",
        standard(signature="x"),
        verifier=none,
    )
    token = verifier(
        "shared-token", {"value": "tok", "not_after": NOW}, {"value": "new", "label": "n"}
    )
    for name, verdict, at, value in (
        ("last-second", "VALID", NOW - 1, "tok"),
        ("retired", "SIGNATURE_MISMATCH", NOW, "tok"),
    ):
        yield row(
            f"live-token-{name}",
            "7",
            verdict,
            [("x-webhook-secret", value)],
            verifier=token,
            now=at,
        )
    yield row(
        "live-token-of-the-other",
        "7",
        "VALID",
        [("x-webhook-secret", "new")],
        verifier=token,
        secret=1,
        label="n",
    )
