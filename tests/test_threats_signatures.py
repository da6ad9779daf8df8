"""Threats 5 to 11 of docs/threats.md: parsing signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hookseal
from hookseal import Scheme, SchemeError, Verdict, schemes
from hookseal.pure import _key
from tests import oracle
from tests.counted import instructions
from tests.implementations import BODY, KEY, NOW, key, secret, signed
from tests.judges import Judge, changed, only
from tests.presets import (
    ALL_SCHEMES,
    MAC_SCHEMES,
    message_of,
    secret_of,
    signature_of,
    with_signature,
)
from tests.profiles import IS_QUICK

V = Verdict
MAC = oracle.mac(KEY, b"msg_1.", str(NOW).encode(), b".", BODY)

# Whatever a sender, or a server between, makes of a header.
_texts = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=12),
    st.binary(max_size=12),
    st.sampled_from(["\ud800", "\0", "é", "١", "\N{FULLWIDTH DIGIT ONE}", "v1,é", "sha256=é"]),
)


@pytest.mark.parametrize("scheme", ALL_SCHEMES)
def test_threat_05_text_that_is_not_ascii(hooks: Any, scheme: str) -> None:
    """`compare_digest` and `int` raise for it elsewhere, and the answer was a 500."""
    body, headers = message_of(scheme)
    verifier = hooks.Verifier(secret_of(scheme), scheme=scheme)

    @settings(suppress_health_check=list(HealthCheck), max_examples=150)
    @given(value=_texts, name=_texts, at=st.integers(0, len(headers) - 1))
    def ask(value: Any, name: Any, at: int) -> None:
        given = [(n, value if i == at else v) for i, (n, v) in enumerate(headers)]
        verdict = verifier.check(body, [(name, value), *given], now=NOW)
        assert isinstance(verdict, Verdict)
        assert verdict is not V.VALID or value in (headers[at][1], headers[at][1].encode())

    ask()


# What stands beside a signature in the wild, and what breaks readers.
JUNK = ["v1", "v1,", ",", "v1,a,b", "v2,x", "v1a," + "A" * 88, "é", "=", "v1,!!", "V1," + "A" * 44]


@pytest.mark.parametrize("scheme", ["standard-webhooks", "svix"])
def test_threat_06_a_malformed_candidate_ends_the_search(judge: Judge, scheme: str) -> None:
    message = message_of(scheme)
    good = signature_of(message)
    lists = [[*JUNK[:at], good, *JUNK[at:]] for at in range(len(JUNK) + 1)]
    lists += [[junk, good] for junk in JUNK] + [[good, junk] for junk in JUNK]
    texts = [" ".join(pieces) for pieces in lists]
    texts += [f"  {good}  ", f"{good}  {JUNK[0]}", f"   {JUNK[0]}   {good}", f"x, {good}, y"]
    messages = [with_signature(message, text) for text in texts]
    secrets = [secret_of(scheme)]
    assert only(judge(messages, secrets=secrets, scheme=scheme)) == {V.VALID}
    alone = [with_signature(message, " ".join([*JUNK, junk])) for junk in JUNK]
    assert only(judge(alone, secrets=secrets, scheme=scheme)) == {V.MALFORMED_SIGNATURE}


def test_threat_07_only_the_first_signature_or_secret_is_tried(judge: Judge) -> None:
    """A rotation: each place in the header, under each place among the secrets."""
    candidates = [oracle.v1(key(n), b"msg_1", b"%d" % NOW, BODY) for n in range(5)]
    strangers = [oracle.v1(key(n), b"msg_1", b"%d" % NOW, BODY) for n in range(10, 14)]
    for number in range(5):
        secrets = [secret(20), secret(21), secret(22)]
        for place in range(len(secrets) + 1):
            held = [*secrets[:place], secret(number), *secrets[place:]]
            headers = [
                " ".join([*strangers[:at], candidates[number], *strangers[at:]])
                for at in range(len(strangers) + 1)
            ]
            messages = [changed(webhook_signature=header) for header in headers]
            messages += [changed(webhook_signature=[*strangers, candidates[number]])]
            assert only(judge(messages, secrets=held)) == {V.VALID}
    # The sender signs with the old and the new one; we hold the old, the new, or both.
    both = [changed(webhook_signature=f"{candidates[0]} {candidates[1]}")]
    for held in ([secret(0)], [secret(1)], [secret(1), secret(0)]):
        assert judge(both, secrets=held) == [V.VALID]


def test_threat_07_which_secret_matched_is_told(hooks: Any) -> None:
    secrets = [hooks.Secret(secret(n), label=f"k{n}") for n in range(8)]
    verifier = hooks.Verifier(secrets)
    for n in range(8):
        assert verifier.verify(BODY, signed(key=key(n)), now=NOW).secret == f"k{n}"


def _candidates(count: int) -> list[str]:
    return [oracle.v1(key(n), b"msg_1", b"%d" % NOW, BODY) for n in range(count)]


MAX_HEADER_BYTES = 16_384


def test_threat_08_unbounded_candidates(judge: Judge) -> None:
    """As many as 16 KiB hold are looked at; one byte more is refused, in one header or in many."""
    good = signed()["webhook-signature"]
    many = MAX_HEADER_BYTES // (len(good) + 1) - 1
    text = " ".join([*_candidates(many), good])
    room = MAX_HEADER_BYTES - len(text)
    full = f"{text}{' ' * room}"
    halves = [text[: len(text) // 2], text[len(text) // 2 :]]
    fitting = [
        changed(webhook_signature=full),
        changed(webhook_signature=[*_candidates(many), good]),
        changed(webhook_signature=["x" * (MAX_HEADER_BYTES - len(good)), good]),
    ]
    assert only(judge(fitting)) == {V.VALID}
    over = [
        changed(webhook_signature=full + " "),
        changed(webhook_signature=[full, "x"]),
        changed(webhook_signature=[*halves, " " * (room + 1)]),
        changed(webhook_signature="x" * 1_000_000),
        changed(webhook_signature=["x"] * 100_000),
    ]
    assert only(judge(over)) == {V.TOO_LARGE}


class _Counting:
    """Counts the MACs of the twin."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.macs = 0
        tag = _key.MacKey.tag

        def counted(key: _key.MacKey, pieces: Any) -> bytes:
            self.macs += 1
            return tag(key, pieces)

        patch.setattr(_key.MacKey, "tag", counted)


def test_threat_08_one_mac_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many candidates. The core's are counted in rust/harness/tests/macs_counted.rs."""
    verifier = hookseal.pure.Verifier([secret(n) for n in range(1_000, 1_008)])
    counting = _Counting(monkeypatch)
    for many in (1, 2, 300):
        counting.macs = 0
        message = changed(webhook_signature=" ".join(_candidates(many)))
        assert verifier.check(*message, now=NOW) is V.SIGNATURE_MISMATCH
        assert counting.macs == 8
    counting.macs = 0
    assert verifier.check(*changed(webhook_signature="x" * 20_000), now=NOW) is V.TOO_LARGE
    assert counting.macs == 0


# What a sender can make long: a script that gives it n times, for a good message's headers.
_LONG = {
    "candidates": (170, "{**good, S: ' '.join([wrong] * n)}"),
    "signature headers": (170, "[*good.items(), *[(S, wrong)] * n]"),
    "a list of signatures": (170, "{**good, S: [wrong] * n}"),
    "short pieces": (4_000, "{**good, S: 'a ' * n}"),
    "empty pieces": (4_000, "{**good, S: ' ' * n}"),
    "commas": (4_000, "{**good, S: ', ' * n}"),
    "empty values": (2_000, "[*good.items(), *[(S, '')] * n]"),
    "one long piece": (4_000, "{**good, S: 'v1,' + 'A' * n}"),
    "ids": (2_000, "[*good.items(), *[('webhook-id', 'msg_1')] * n]"),
    "a long id": (50_000, "{**good, 'webhook-id': 'x' * n}"),
    "timestamps": (2_000, "[*good.items(), *[('webhook-timestamp', str(NOW))] * n]"),
    "a long timestamp": (50_000, "{**good, 'webhook-timestamp': '1' * n}"),
    "other headers": (2_000, "{**{f'x-{k:05}': 'x' for k in range(n)}, **good}"),
    "other values": (50_000, "{**good, 'x-other': 'x' * n}"),
}


@pytest.mark.skipif(IS_QUICK, reason="a second under valgrind is a minute")
@pytest.mark.parametrize("name", ["hookseal", "hookseal.pure"])
def test_threat_08_work_that_grows_faster_than_the_header(name: str, tmp_path: Path) -> None:
    """Twice as much of anything takes at most 2.1 times the instructions."""
    script = """
    S = "webhook-signature"
    good = dict(signed(b"body"))
    wrong = "v1," + "A" * 43 + "="
    verifier = Verifier([KEY, b"k" * 32])
    """
    for n, headers in _LONG.values():
        for size in (n, 2 * n):
            script += f"""
    n = {size}
    headers = {headers}
    count(lambda: verifier.check(b"body", headers, now=NOW))
    """
    costs = instructions(script, name, tmp_path)
    assert len(costs) == 2 * len(_LONG)
    for what, once, twice in zip(_LONG, costs[::2], costs[1::2], strict=True):
        assert twice <= 2.1 * once, (what, once, twice)
    # The control: there is something to be seen growing.
    assert costs[1] > 1.2 * costs[0]


# What decoders let through, or mend.
def _spellings(mac: bytes) -> list[str]:
    text = oracle.b64(mac)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(text[-2]) & ~3
    other = [text[:-2] + alphabet[last + bits] + "=" for bits in range(4)]
    other += [text.rstrip("="), text + "=", text[:-1], text + "====", "=" + text]
    other += [text.replace("+", "-").replace("/", "_"), text + "AAAA"]
    other += [base64.b64encode(mac + b"\0").decode(), base64.b64encode(mac[:-1]).decode()]
    for space in ("\n", "\r", "\t", "\v", "\f", "\0", "!", "-", ".", "é"):
        other += [text[:at] + space + text[at:] for at in range(1, len(text))]
        other += [f"{text}{space}", f"{space}{text}"]
    return [one for one in other if one.strip(" \t") != text]


def test_threat_09_non_canonical_base64(judge: Judge) -> None:
    """Of all spellings of one MAC, one is taken."""
    # A MAC whose text has both characters that the URL alphabet writes otherwise.
    body = next(b for n in range(9_999) if {"+", "/"} <= set(_text_of(b := b"%d" % n)))
    good = signed(body)
    assert judge([(body, good)]) == [V.VALID]
    spellings = _spellings(base64.b64decode(_text_of(body)))
    assert len(set(spellings)) > 400
    wrong = [(body, {**good, "webhook-signature": "v1," + one}) for one in spellings]
    assert only(judge(wrong)) == {V.MALFORMED_SIGNATURE}
    zoho = next(
        message
        for n in range(9_999)
        if {"+", "/"} <= set(signature_of(message := message_of("zoho-projects", b"%d" % n)))
    )
    value = signature_of(zoho)
    wrong = [with_signature(zoho, one) for one in _spellings(base64.b64decode(value))]
    verdicts = judge([zoho, *wrong], secrets=[secret_of("zoho-projects")], scheme="zoho-projects")
    assert verdicts[0] is V.VALID
    assert only(verdicts[1:]) == {V.MALFORMED_SIGNATURE}


def _text_of(body: bytes) -> str:
    return signed(body)["webhook-signature"].removeprefix("v1,")


@pytest.mark.parametrize("scheme", ["github", "uplift"])
def test_threat_10_another_spelling_of_hex(judge: Judge, scheme: str) -> None:
    message = message_of(scheme)
    value = signature_of(message)
    prefix, digits = value[:7], value[7:]
    wrong = [digits.upper(), digits.swapcase(), digits.title(), digits[:-1], digits + "0"]
    wrong += ["0x" + digits, digits + "h", digits + "=junk", digits + "==", f"{digits},{digits}"]
    wrong += [" " + digits, digits[:32] + " " + digits[32:], digits[:32] + ":" + digits[32:]]
    wrong += [
        digits[:32] + "_" + digits[32:],
        digits[:-1] + "g",
        digits[:-1] + "\uff10",
        "=" + digits,
    ]
    wrong += [":".join(digits[at : at + 2] for at in range(0, 64, 2)), "-" + digits, "+" + digits]
    texts = [prefix + one for one in wrong] + [digits, prefix * 2 + digits, prefix.upper() + digits]
    messages = [with_signature(message, one) for one in texts]
    verdicts = judge([message, *messages], secrets=[secret_of(scheme)], scheme=scheme)
    assert verdicts[0] is V.VALID
    assert only(verdicts[1:]) == {V.MALFORMED_SIGNATURE}


_OTHERS = sorted(hashlib.algorithms_guaranteed - {"sha256", "shake_128", "shake_256"})


@pytest.mark.parametrize("scheme", MAC_SCHEMES)
def test_threat_11_another_algorithm(judge: Judge, scheme: str) -> None:
    """Its right MAC, whole, cut and filled up to 32 bytes, in every encoding, under every name."""
    body, [(name, value), *others] = message = message_of(scheme)
    known = schemes.get(scheme)
    id, time = ("msg_1", str(NOW)) if known.signs_timestamp else ("", "")
    parts = {"{id}": id, "{timestamp}": time, "{body}": body.decode()}
    text = known.signed
    for mark, part in parts.items():
        text = text.replace(mark, part)
    secret_text = secret_of(scheme)
    raw_key = (
        base64.b64decode(secret_text.removeprefix("whsec_"))
        if known.key == "base64"
        else secret_text.encode()
    )
    assert known.algorithm == "hmac-sha256"
    values = []
    for other in _OTHERS:
        mac = hmac.new(raw_key, text.encode(), other).digest()
        for form in (mac, mac[:32], mac[-32:], mac.ljust(32, b"\0")[:32]):
            for shown in (oracle.b64(form), form.hex()):
                names = ["", known.prefix, f"{other}=", f"{other},", "v1,", "v1a,", "v2,", "v0="]
                values += [before + shown for before in names]
    # A keyless digest, a key in place of the message, and the right MAC under another name.
    digest = hashlib.sha256(raw_key + text.encode()).digest()
    values += [known.prefix + oracle.b64(digest), known.prefix + digest.hex()]
    right = value.removeprefix(known.prefix)
    for before in ("sha1=", "sha512=", "SHA256=", "Sha256=", "v2,", "v1a,", "V1,", "v01,", "md5="):
        values.append(before + right)
    if known.prefix:
        values.append(right)
    wrong = [(body, [(name, one), *others]) for one in values]
    # Beside the header of the scheme, and in its place, another one's.
    wrong.append((body, [("x-hub-signature", f"sha1={right}"), *others]))
    verdicts = judge([message, *wrong], secrets=[secret_text], scheme=scheme)
    assert verdicts[0] is V.VALID
    assert V.VALID not in only(verdicts[1:])


def test_threat_11_the_algorithm_is_the_schemes() -> None:
    for name in schemes.names():
        known = schemes.get(name)
        weak = known.algorithm not in ("hmac-sha256", "hmac-sha384", "hmac-sha512", "token")
        assert not weak or known.algorithm.removeprefix("hmac-") in name, name
    with pytest.raises(SchemeError):
        Scheme("mine", signature="x", algorithm="none")
