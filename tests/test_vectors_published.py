"""Vectors that others published, and sweeps against the standard library."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hookseal import SecretError, Verdict, schemes
from tests import oracle, vector_rows
from tests.vector_rows import Row, each_implementation

_PUBLISHED = vector_rows.load("published.json")
_RFC4231 = vector_rows.load("rfc4231.json")
_WYCHEPROOF = vector_rows.load("wycheproof.json")

NOW = 1_700_000_000
KEY = bytes(range(1, 33))
SECRET = "whsec_" + oracle.b64(KEY)
TEXT_KEY = "correct horse battery staple"
ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
BODY = b'{"type":"invoice.paid","amount":12.50}'

Pairs = list[tuple[str, str]]


@each_implementation
@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in _PUBLISHED])
def test_published(implementation: str, row: Row) -> None:
    hooks = vector_rows.module(implementation)
    verifier = hooks.Verifier(row["secret"], scheme=row["scheme"])
    headers = [tuple(pair) for pair in row["headers"]]
    body = vector_rows.body(row)
    assert verifier.check(body, headers, now=row["now"]) is Verdict[row["verdict"]]
    assert verifier.check(body, dict(headers), now=row["now"]) is Verdict[row["verdict"]]


def _with_id(family: str) -> Callable[[str, dict[str, str], bytes], str]:
    def made(secret: str, headers: dict[str, str], body: bytes) -> str:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        id, timestamp = headers[f"{family}-id"], headers[f"{family}-timestamp"]
        return oracle.v1(key, id.encode(), timestamp.encode(), body)

    return made


# How each provider's page says a signature is made: of secret, headers (lower case) and body.
_MADE: dict[str, Callable[[str, dict[str, str], bytes], str]] = {
    "github": lambda secret, headers, body: oracle.sha256(secret.encode(), body),
    "standard-webhooks": _with_id("webhook"),
    "svix": _with_id("svix"),
    "zoho-projects": lambda secret, headers, body: oracle.b64(oracle.mac(secret.encode(), body)),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in _PUBLISHED])
def test_published_recomputed(row: Row) -> None:
    """The standard library makes the same signature, or another one where one was altered."""
    headers = {name.lower(): value for name, value in row["headers"]}
    body = vector_rows.body(row)
    raw = body.encode() if isinstance(body, str) else body
    expected = _MADE[row["scheme"]](row["secret"], headers, raw)
    pieces = {piece for value in headers.values() for piece in (value, *value.split(" "))}
    fresh_or_not = {"VALID", "TOO_OLD", "TOO_NEW"}
    assert (expected in pieces) == (row["verdict"] in fresh_or_not)


def test_published_names_are_unique_and_have_a_source() -> None:
    names = [row["name"] for row in _PUBLISHED]
    assert len(set(names)) == len(names)
    provenance = (vector_rows.VECTORS / "PROVENANCE.md").read_text(encoding="utf-8")
    for source in {row["source"] for row in _PUBLISHED} | {
        "rfc4231",
        "wycheproof",
        "nist",
        "folded",
    }:
        assert f"## {source}\n" in provenance


def test_every_provider_that_publishes_a_vector_is_held_to_it() -> None:
    """A token is its own vector, and nobody published one of Uplift's."""
    without = {"gitlab-token", "shared-token", "uplift"}
    assert {row["scheme"] for row in _PUBLISHED} == set(schemes.names()) - without


@each_implementation
@pytest.mark.parametrize("row", _RFC4231, ids=lambda row: f"case-{row['case']}")
def test_rfc_4231(implementation: str, row: Row) -> None:
    hooks = vector_rows.module(implementation)
    key, data = bytes.fromhex(row["key"]), bytes.fromhex(row["data"])
    full = oracle.mac(key, data).hex()
    assert full.startswith(row["tag"])
    # The keys of cases 1 and 5 are bytes that ASCII counts as white space, which is
    # refused as blank; HMAC pads with zero bytes, so one more is the same key.
    if key.isspace():
        with pytest.raises(SecretError):
            hooks.Verifier(key, scheme="uplift")
        key += b"\0"
    verifier = hooks.Verifier(key, scheme="uplift")

    def check(tag: str) -> Verdict:
        verdict: Verdict = verifier.check(data, {"x-uplift-signature-256": f"sha256={tag}"})
        return verdict

    assert check(full) is Verdict.VALID
    # Case 5 publishes the first 128 bits alone: a truncated tag is no tag.
    truncated = len(row["tag"]) < 64
    assert truncated == (row["case"] == 5)
    assert check(row["tag"]) is (Verdict.MALFORMED_SIGNATURE if truncated else Verdict.VALID)
    assert check(full[:32]) is Verdict.MALFORMED_SIGNATURE


@each_implementation
def test_wycheproof(implementation: str) -> None:
    """A tag that is cut short is no tag, even where it is right as far as it goes."""
    hooks = vector_rows.module(implementation)
    found = []
    for row in _WYCHEPROOF:
        verifier = hooks.Verifier(bytes.fromhex(row["key"]), scheme="uplift")
        headers = {"x-uplift-signature-256": f"sha256={row['tag']}"}
        verdict = verifier.check(bytes.fromhex(row["data"]), headers)
        if len(row["tag"]) < 64:
            expected = Verdict.MALFORMED_SIGNATURE
        else:
            expected = Verdict.VALID if row["valid"] else Verdict.SIGNATURE_MISMATCH
        assert verdict is expected, row["case"]
        found.append((len(row["tag"]) * 4, row["valid"]))
    assert Counter(found) == {(256, True): 33, (256, False): 54, (128, True): 33, (128, False): 54}


# --- Every length: 0 to 300, and the edges of every power of two up to 64 KiB.

_LENGTHS = sorted({*range(301), *(2**n + offset for n in range(8, 17) for offset in (-1, 0, 1))})


def _uplift(body: bytes) -> Pairs:
    return [("x-uplift-signature-256", oracle.sha256(TEXT_KEY.encode(), body))]


def _standard(body: bytes, id: str = ID, stamp: str = str(NOW)) -> Pairs:
    return [
        ("webhook-id", id),
        ("webhook-timestamp", stamp),
        ("webhook-signature", oracle.v1(KEY, id.encode(), stamp.encode(), body)),
    ]


def _svix(body: bytes) -> Pairs:
    return [(name.replace("webhook", "svix"), value) for name, value in _standard(body)]


def _github(body: bytes) -> Pairs:
    return [("x-hub-signature-256", oracle.sha256(TEXT_KEY.encode(), body))]


def _zoho(body: bytes) -> Pairs:
    return [("x-zp-webhook-signature", oracle.b64(oracle.mac(TEXT_KEY.encode(), body)))]


_PRESETS: dict[str, tuple[str, Callable[[bytes], Pairs]]] = {
    "uplift": (TEXT_KEY, _uplift),
    "standard-webhooks": (SECRET, _standard),
    "svix": (SECRET, _svix),
    "github": (TEXT_KEY, _github),
    "zoho-projects": (TEXT_KEY, _zoho),
}
each_preset = pytest.mark.parametrize("preset", _PRESETS)
each_flipped = pytest.mark.parametrize("preset", ["uplift", "standard-webhooks"])


def _verifier(implementation: str, preset: str) -> Any:
    return vector_rows.module(implementation).Verifier(_PRESETS[preset][0], scheme=preset)


def _verdicts(verifier: Any, messages: list[tuple[bytes, list[tuple[str, Any]]]]) -> list[Verdict]:
    assert messages
    return list(verifier.verify_batch(messages, now=NOW))


def _text_of_length(length: int) -> bytes:
    return bytes((7 * n + length) % 256 for n in range(length))


@each_implementation
@each_flipped
def test_every_length(implementation: str, preset: str) -> None:
    verifier, sign = _verifier(implementation, preset), _PRESETS[preset][1]
    bodies = [_text_of_length(length) for length in _LENGTHS]
    good = [(body, sign(body)) for body in bodies]
    assert set(_verdicts(verifier, good)) == {Verdict.VALID}
    # The same signatures with the last byte changed, and with one byte more.
    changed = [(body[:-1] + bytes([body[-1] ^ 1]), sign(body)) for body in bodies if body]
    longer = [(body + b"\0", sign(body)) for body in bodies]
    assert set(_verdicts(verifier, changed + longer)) == {Verdict.SIGNATURE_MISMATCH}


@each_implementation
@each_flipped
def test_every_length_one_by_one(implementation: str, preset: str) -> None:
    verifier, sign = _verifier(implementation, preset), _PRESETS[preset][1]
    for length in _LENGTHS:
        body = _text_of_length(length)
        assert verifier.check(body, sign(body), now=NOW) is Verdict.VALID, length


# --- RUSTSEC-2024-0010: a comparison that stops at the shorter length.


@each_implementation
@each_preset
def test_every_prefix_and_extension_is_refused(implementation: str, preset: str) -> None:
    verifier, sign = _verifier(implementation, preset), _PRESETS[preset][1]
    *others, (name, good) = sign(BODY)

    def message(value: bytes) -> tuple[bytes, list[tuple[str, Any]]]:
        return BODY, [*others, (name, value)]

    raw = good.encode()
    assert _verdicts(verifier, [message(raw)]) == [Verdict.VALID]
    prefixes = [raw[:length] for length in range(len(raw))]
    assert _verdicts(verifier, [message(b"")]) == [Verdict.MISSING_HEADER]
    assert set(_verdicts(verifier, list(map(message, prefixes[1:])))) == {
        Verdict.MALFORMED_SIGNATURE
    }
    suffixes = [raw[at:] for at in range(1, len(raw))]
    assert set(_verdicts(verifier, list(map(message, suffixes)))) == {Verdict.MALFORMED_SIGNATURE}
    # A blank at an end is trimmed, so it is no extension.
    extra = [bytes([byte]) for byte in range(256) if byte not in b" \t"]
    extended = [raw + one for one in extra] + [one + raw for one in extra]
    assert set(_verdicts(verifier, list(map(message, extended)))) == {Verdict.MALFORMED_SIGNATURE}
    inserted = [raw[:at] + one + raw[at:] for at in (1, 7, 20, len(raw) - 1) for one in extra]
    assert Verdict.VALID not in _verdicts(verifier, list(map(message, inserted)))


@each_implementation
@pytest.mark.parametrize("preset", ["standard-webhooks", "svix"])
def test_every_prefix_in_a_list_is_refused(implementation: str, preset: str) -> None:
    verifier, sign = _verifier(implementation, preset), _PRESETS[preset][1]
    *others, (name, good) = sign(BODY)
    _, bad = sign(BODY + b" ")[-1]
    for before, behind in ((f"{bad} ", ""), ("", f" {bad}"), (f"{bad} ", f" {bad}")):
        values = [before + good[:length] + behind for length in range(len(good))]
        values += [f"{before}{good}{chr(extra)}{behind}" for extra in range(0x21, 0x7F)]
        messages = [(BODY, [*others, (name, value)]) for value in values]
        verdicts = _verdicts(verifier, messages)
        # "good," before a space is the good one: that comma is the proxy's.
        joined = f"{before}{good},{behind}"
        for value, verdict in zip(values, verdicts, strict=True):
            expected = value == joined and behind
            assert verdict is (Verdict.VALID if expected else Verdict.SIGNATURE_MISMATCH), value


# --- CVE-2025-53548 and its like: every bit counts.


def _flips(data: bytes) -> Iterator[bytes]:
    for at in range(len(data)):
        for bit in range(8):
            yield data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


@each_implementation
@each_flipped
def test_every_bit_of_the_body_counts(implementation: str, preset: str) -> None:
    verifier, sign = _verifier(implementation, preset), _PRESETS[preset][1]
    headers = sign(BODY)
    verdicts = _verdicts(verifier, [(body, list(headers)) for body in _flips(BODY)])
    assert set(verdicts) == {Verdict.SIGNATURE_MISMATCH}
    assert len(verdicts) == 8 * len(BODY)


@each_implementation
@each_flipped
def test_every_bit_of_the_headers_counts(implementation: str, preset: str) -> None:
    verifier, sign = _verifier(implementation, preset), _PRESETS[preset][1]
    headers = sign(BODY)
    for at, (name, value) in enumerate(headers):
        messages: list[tuple[bytes, list[tuple[str, Any]]]] = [
            (BODY, [*headers[:at], (name, flipped), *headers[at + 1 :]])
            for flipped in _flips(value.encode())
        ]
        verdicts = _verdicts(verifier, messages)
        assert len(verdicts) == 8 * len(value)
        assert Verdict.VALID not in verdicts, name
        for message, verdict in zip(messages[::8], verdicts[::8], strict=True):
            assert verifier.check(*message, now=NOW) is verdict


@each_implementation
@each_flipped
def test_every_bit_of_the_secret_counts(implementation: str, preset: str) -> None:
    hooks = vector_rows.module(implementation)
    key = KEY if preset == "standard-webhooks" else TEXT_KEY.encode()
    headers = _PRESETS[preset][1](BODY)
    assert hooks.Verifier(key, scheme=preset).check(BODY, headers, now=NOW) is Verdict.VALID
    for other in _flips(key):
        verifier = hooks.Verifier(other, scheme=preset)
        assert verifier.check(BODY, headers, now=NOW) is Verdict.SIGNATURE_MISMATCH
