"""Threats 1 to 4, 12 and 13 of docs/threats.md: comparing signatures, and their length."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

import hookseal
from hookseal import Verdict, schemes
from hookseal.pure import _key
from tests import oracle
from tests.implementations import BODY, KEY, NOW, SECRET, signed
from tests.judges import Judge, changed, only
from tests.presets import (
    ALL_SCHEMES,
    MAC_SCHEMES,
    TOKEN_SCHEMES,
    message_of,
    secret_of,
    signature_of,
    with_signature,
)
from tests.vector_rows import ROOT, load

V = Verdict


@pytest.mark.parametrize("scheme", ALL_SCHEMES)
def test_threat_01_comparison_cut_at_the_shorter_length(judge: Judge, scheme: str) -> None:
    """RUSTSEC-2024-0010: `v1,` alone, or any beginning of the right signature, passed."""
    message = message_of(scheme)
    value = signature_of(message).encode()
    raw = oracle.mac(KEY, BODY)
    # A blank at an end is no extension: HTTP drops it.
    more = [bytes([byte]) for byte in range(256) if byte not in b" \t"]
    wrong = [value[:length] for length in range(len(value))]
    wrong += [value[at:] for at in range(1, len(value) + 1)]
    wrong += [value + one for one in more] + [one + value for one in more]
    wrong += [value + value, b"v1,", b"sha256=", *(raw[:length] for length in range(33))]
    messages = [message, *(with_signature(message, one) for one in wrong)]
    good, *others = judge(messages, secrets=[secret_of(scheme)], scheme=scheme)
    assert good is V.VALID
    assert only(others) <= {V.MISSING_HEADER, V.MALFORMED_SIGNATURE, V.SIGNATURE_MISMATCH}


@pytest.mark.parametrize("scheme", ALL_SCHEMES)
def test_threat_02_no_signature_at_all(judge: Judge, scheme: str) -> None:
    """CVE-2026-33143, CVE-2026-39969: what carries none is not waved through."""
    body, [(name, _), *others] = message_of(scheme)
    absent: list[Any] = [[], None, "", " ", "\t \t", b"", ["", " "], [None][:0]]
    blank = [(body, [(name, one), *others]) for one in absent[1:]]
    messages = [(body, others), *blank, (body, []), (body, {})]
    assert only(judge(messages, secrets=[secret_of(scheme)], scheme=scheme)) == {V.MISSING_HEADER}
    prefix = schemes.get(scheme).prefix
    if prefix and scheme in MAC_SCHEMES:
        forms = [prefix, f" {prefix} ", prefix.strip("=,"), f"{prefix} {prefix}"]
        bare = [(body, [(name, one), *others]) for one in forms]
        verdicts = judge(bare, secrets=[secret_of(scheme)], scheme=scheme)
        assert only(verdicts) == {V.MALFORMED_SIGNATURE}


def test_threat_03_comparison_with_an_early_exit() -> None:
    """CVE-2022-43411 and its like: one place compares, over the whole length. That it does so
    in constant time is for `make constant-time` to show."""
    compared = []
    for crate in ("lanes", "engine", "lines", "binding"):
        for file in sorted((ROOT / "rust" / crate / "src").rglob("*.rs")):
            if "ConstantTimeEq" in file.read_text(encoding="utf-8"):
                compared.append(file.relative_to(ROOT).as_posix())
    assert compared == ["rust/engine/src/compare.rs"]
    twin = ROOT / "python/hookseal/pure"
    uses = {f.name for f in twin.glob("*.py") if "compare_digest" in f.read_text(encoding="utf-8")}
    assert uses == {"_key.py"}


def test_threat_03_every_candidate_is_compared_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the twin: behind the right candidate too, and never with less than the MAC."""
    asked: list[tuple[int, int]] = []

    def noted(one: bytes, other: bytes) -> bool:
        asked.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(_key, "compare_digest", noted)
    wrong = "v1," + oracle.b64(bytes(32))
    header = f"{wrong} {signed()['webhook-signature']} {wrong} {wrong}"
    message = changed(webhook_signature=header)
    assert hookseal.pure.Verifier(SECRET).check(*message, now=NOW) is V.VALID
    assert asked == [(32, 32)] * 4


def test_threat_04_the_compiler_undoes_it() -> None:
    """RUSTSEC-2026-0003: what is watched is the build that is shipped, with every kernel."""
    tool = (ROOT / "tools/constant_time.py").read_text(encoding="utf-8")
    assert '"--release"' in tool
    page = (ROOT / "docs/constant-time.md").read_text(encoding="utf-8")
    outcome = page.partition("### Outcome")[2]
    for case in ("compare", "token", "verify-token", "base64", "hex", "endpoint"):
        assert f" {case} " in outcome, case
    for kernel in ("portable", "single", "avx2", "shani2", "avx512"):
        for case in ("mac", "macs", "verify", "batch"):
            assert f" {case}-{kernel} " in outcome, (case, kernel)
    assert outcome.count(" 0 problems") == 3


@pytest.mark.parametrize("scheme", MAC_SCHEMES)
def test_threat_12_a_truncated_tag(judge: Judge, scheme: str) -> None:
    message = message_of(scheme)
    known = schemes.get(scheme)
    shown = signature_of(message).removeprefix(known.prefix)
    mac = base64.b64decode(shown) if known.encoding == "base64" else bytes.fromhex(shown)
    assert len(mac) == 32
    cut = [mac[:length] for length in range(32)] + [mac[at:] for at in range(1, 32)]
    texts = [oracle.b64(one) if known.encoding == "base64" else one.hex() for one in cut]
    wrong = [with_signature(message, known.prefix + text) for text in texts]
    verdicts = judge([message, *wrong], secrets=[secret_of(scheme)], scheme=scheme)
    assert verdicts[0] is V.VALID
    assert V.VALID not in only(verdicts[1:])


def test_threat_12_the_short_tags_of_wycheproof(hooks: Any) -> None:
    """What counts as valid there, cut to 128 bits, is no signature here."""
    short = [row for row in load("wycheproof.json") if row["valid"] and len(row["tag"]) == 32]
    assert len(short) == 33
    for row in short:
        verifier = hooks.Verifier(bytes.fromhex(row["key"]), scheme="github")
        message = bytes.fromhex(row["data"])
        headers = {"x-hub-signature-256": "sha256=" + row["tag"]}
        assert verifier.check(message, headers) is V.MALFORMED_SIGNATURE


@pytest.mark.parametrize("scheme", TOKEN_SCHEMES)
def test_threat_13_the_length_of_a_token(judge: Judge, scheme: str) -> None:
    """Every wrong token, of whatever length, is answered alike."""
    message = message_of(scheme)
    token = signature_of(message)
    wrong = [token[:-1], token + "x", token[::-1], "x", token.upper(), token * 2, "x" * 16_000]
    wrong += ["x" * length for length in range(1, 130)] + [oracle.b64(token.encode())]
    wrong += [hashlib.sha256(token.encode()).hexdigest()]
    messages = [with_signature(message, one) for one in wrong if one != token]
    verdicts = judge([message, *messages], secrets=[token], scheme=scheme)
    assert verdicts[0] is V.VALID
    assert only(verdicts[1:]) == {V.SIGNATURE_MISMATCH}


def test_threat_13_tokens_are_compared_as_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one length, whatever the token's."""
    lengths = set()

    def noted(one: bytes, other: bytes) -> bool:
        lengths.add((len(one), len(other)))
        return one == other

    verifier = hookseal.pure.Verifier("a token", scheme="shared-token")
    monkeypatch.setattr(_key, "compare_digest", noted)
    for length in range(1, 200):
        verifier.check(b"", {"x-webhook-secret": "x" * length})
    assert lengths == {(32, 32)}
    source = (ROOT / "rust/engine/src/key.rs").read_text(encoding="utf-8")
    assert "Token(Mac)" in source
    assert "Algorithm::Token => Self::Token(sha256(bytes))" in source
