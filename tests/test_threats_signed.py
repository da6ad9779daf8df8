"""Threats 21 to 27 of docs/threats.md: what is signed."""

from __future__ import annotations

import itertools
import json
import mmap
from array import array
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import Scheme, SchemeError, Verdict, schemes
from tests import oracle
from tests.implementations import BODY, KEY, NOW, SECRET, signed
from tests.judges import Judge, Message, changed, only
from tests.presets import ALL_SCHEMES, MAC_SCHEMES, TOKEN_SCHEMES, message_of, secret_of

V = Verdict


def v1(id: str, time: str, body: bytes) -> str:
    """A signature over these bytes, whatever they are."""
    return oracle.v1(KEY, id.encode(), time.encode(), body)


def test_threat_21_parts_that_change_places(judge: Judge) -> None:
    """A signature over id `a`, body `<now>.x` was good for id `a.<now>`, body `x`."""
    theirs = signed(f"{NOW}.x".encode(), id="a")
    shifted = (b"x", {**theirs, "webhook-id": f"a.{NOW}"})
    assert judge([(f"{NOW}.x".encode(), theirs), shifted]) == [V.VALID, V.MALFORMED_HEADER]
    # Were the id read up to its last full stop, or the time behind the first.
    for id in ("a.b", ".", "a.", ".a", f"a.{NOW}", "1.2.3"):
        assert judge([changed(webhook_id=id, webhook_signature=v1(id, str(NOW), BODY))]) == [
            V.MALFORMED_HEADER
        ]


def test_threat_21_an_id_is_visible_ascii(judge: Judge) -> None:
    for id in (
        "a\x00",
        "a\n",
        "a\r\nx: y",
        "a\x7f",
        "é",
        "a\u2028b",
        "\u00a0",
        "a" * 257,
        "\t\x0b",
    ):
        message = changed(webhook_id=id, webhook_signature=v1(id.strip(" \t"), str(NOW), BODY))
        assert judge([message]) == [V.MALFORMED_HEADER]
    for id in ("a b", "~", "!", "a" * 256, "{id}", "/etc/", "'\"`$"):
        assert judge([changed(webhook_id=id, webhook_signature=v1(id, str(NOW), BODY))]) == [
            V.VALID
        ]


@given(
    one=st.tuples(st.text("a1. ", min_size=1), st.text("01", min_size=1), st.text("a1.")),
    other=st.tuples(st.text("a1. ", min_size=1), st.text("01", min_size=1), st.text("a1.")),
)
def test_threat_21_no_two_messages_have_the_same_signed_bytes(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """Of those whose id is taken; test_no_shifting.py says it of every scheme."""
    standard = schemes.get("standard-webhooks")
    if not set(one[0] + other[0]) & set(standard.id_forbidden):
        assert (".".join(one) == ".".join(other)) == (one == other)
    with pytest.raises(SchemeError, match="ambiguous"):
        Scheme("mine", signature="x", signed="{id}{body}", id="y")


def _flipped(message: Message) -> Iterator[tuple[str, Message]]:
    body, headers = message
    for bit in range(8 * len(body)):
        other = bytearray(body)
        other[bit // 8] ^= 1 << bit % 8
        yield "body", (bytes(other), headers)
    for at, (name, value) in enumerate(headers):
        for bit in range(7 * len(value)):
            code = ord(value[bit // 7]) ^ 1 << bit % 7
            other = value[: bit // 7] + chr(code) + value[bit // 7 + 1 :]
            yield name, (body, [*headers[:at], (name, other), *headers[at + 1 :]])


@pytest.mark.parametrize("scheme", ALL_SCHEMES)
def test_threat_22_a_part_that_no_signature_covers(judge: Judge, scheme: str) -> None:
    """One bit of anything that a scheme says it covers."""
    message = message_of(scheme)
    covers = schemes.get(scheme).covers
    assert judge([message], secrets=[secret_of(scheme)], scheme=scheme) == [V.VALID]
    flipped = list(_flipped(message))
    verdicts = judge([one for _, one in flipped], secrets=[secret_of(scheme)], scheme=scheme)
    for (part, _), verdict in zip(flipped, verdicts, strict=True):
        if part == "body" and "body" not in covers:
            assert verdict is V.VALID  # a token signs nothing, and says so
        else:
            assert verdict is not V.VALID, part


def test_threat_22_what_is_covered_is_told(hooks: Any) -> None:
    nothing, all_three = set[str](), {"body", "id", "timestamp"}
    expected = {scheme: {"body"} for scheme in MAC_SCHEMES}
    expected |= dict.fromkeys(TOKEN_SCHEMES, nothing)
    expected |= dict.fromkeys(("standard-webhooks", "svix"), all_three)
    for scheme, covers in expected.items():
        verifier = hooks.Verifier(secret_of(scheme), scheme=scheme)
        proof = verifier.verify(*message_of(scheme), now=NOW)
        assert proof.covers == covers
        assert (proof.id is None) == ("id" not in covers)
        assert (proof.timestamp is None) == ("timestamp" not in covers)
        assert proof.fresh is ("timestamp" in covers)
    # A header of another scheme beside it is not taken for one that was signed.
    stray = [("webhook-id", "msg_1"), ("webhook-timestamp", "1"), *message_of("github")[1]]
    proof = hooks.Verifier(secret_of("github"), scheme="github").verify(BODY, stray)
    assert (proof.id, proof.timestamp) == (None, None)


ALIASES = [
    f"0{NOW}",
    f"+{NOW}",
    f"{NOW}.0",
    f"{NOW}e0",
    f"{NOW // 10}e1",
    f"{NOW}.9",
    f"{NOW:_}",
    f"{NOW:,}",
    hex(NOW),
    f" {NOW}\u00a0",
    f"{NOW}\n",
    "１７００００００００",
]


@pytest.mark.parametrize("alias", ALIASES)
def test_threat_23_the_timestamp_rendered_again(judge: Judge, alias: str) -> None:
    """One signature was good for every spelling that reads as the same number."""
    assert judge([changed(webhook_timestamp=alias)]) != [V.VALID]
    # What was signed counts, and a spelling that is digits may be signed.
    own = changed(webhook_timestamp=alias, webhook_signature=v1("msg_1", alias, BODY))
    expected = V.VALID if alias.isascii() and alias.isdigit() else V.MALFORMED_TIMESTAMP
    assert judge([own]) == [expected]


BODIES = [b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf{}", b"\xed\xa0\x80", bytes(range(256)), b"\r\n"]


def test_threat_24_the_body_rendered_again(judge: Judge) -> None:
    """The bytes that came are hashed, be they text or not."""
    assert only(judge([(body, signed(body)) for body in BODIES])) == {V.VALID}
    compact = b'{"a":1,"b":[2]}'
    parsed = json.loads(compact)
    again = [json.dumps(parsed).encode(), json.dumps(parsed, indent=1).encode()]
    again += [
        compact + b"\n",
        b" " + compact,
        compact.decode().encode("utf-16"),
        b'{"b":[2],"a":1}',
    ]
    again += [compact.replace(b"1", b"1.0"), b'{"a":1,"b":[2]}'.replace(b"a", b"\\u0061")]
    assert only(judge([(body, signed(compact)) for body in again])) == {V.SIGNATURE_MISMATCH}


def test_threat_24_a_body_that_was_parsed(hooks: Any) -> None:
    verifier = hooks.Verifier(SECRET)
    for parsed in ({"a": 1}, [1], None, 5, object(), iter(b"x")):
        with pytest.raises(TypeError, match=r"body must be bytes, bytearray, str or .* not \w+"):
            verifier.verify(parsed, signed(), now=NOW)


def test_threat_24_64_mib(hooks: Any) -> None:
    body = bytes(64 << 20)
    verifier = hooks.Verifier(SECRET)
    headers = signed(body)
    assert verifier.verify(body, headers, now=NOW).body is body
    assert verifier.check(body[:-1], headers, now=NOW) is V.SIGNATURE_MISMATCH


def _spread(name: str, one: str, other: str) -> list[list[tuple[str, Any]]]:
    """Two values of one header, in every form in which a request can bring them."""
    forms: list[list[tuple[str, Any]]] = []
    for first, second in ((one, other), (other, one)):
        forms += [
            [(name, first), (name, second)],
            [(name.upper(), first), (name, second)],
            [(name, first), (name.title(), second)],
            [(name, [first, second])],
            [(name, (first,)), (name, second)],
            [(name, [first]), (name.upper(), [second])],
        ]
    return forms


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp"])
def test_threat_25_a_header_that_comes_twice(judge: Judge, header: str) -> None:
    """Which of two is the first to us may be the last to the one who acts on it."""
    good = signed()
    others = [(name, value) for name, value in good.items() if name != header]
    for other in ("msg_2", "1", str(NOW + 1), "", " ", good[header] + "0"):
        forms = _spread(header, good[header], other)
        assert only(judge([(BODY, [*form, *others]) for form in forms])) == {V.AMBIGUOUS_HEADER}
    for same in (good[header], f" {good[header]}\t"):
        forms = _spread(header, good[header], same)
        assert only(judge([(BODY, [*others, *form]) for form in forms])) == {V.VALID}
    # What a proxy made of two is one value that is none.
    joined = {**good, header: f"{good[header]}, {good[header]}"}
    assert judge([(BODY, joined)]) != [V.VALID]


@pytest.mark.parametrize("scheme", TOKEN_SCHEMES)
def test_threat_25_a_token_that_comes_twice(judge: Judge, scheme: str) -> None:
    body, [(name, token)] = message_of(scheme)
    messages = [(body, form) for form in _spread(name, token, "x")]
    verdicts = judge(messages, secrets=[token], scheme=scheme)
    assert only(verdicts) == {V.AMBIGUOUS_HEADER}


def test_threat_25_signatures_add_up(judge: Judge) -> None:
    """The one header of which all values count, in whatever order."""
    good, bad = signed()["webhook-signature"], signed(b"x")["webhook-signature"]
    others = [(name, value) for name, value in signed().items() if name != "webhook-signature"]
    forms = _spread("webhook-signature", good, bad) + _spread("webhook-signature", good, "junk")
    assert only(judge([(BODY, [*form, *others]) for form in forms])) == {V.VALID}


def test_threat_26_a_mixture_of_two_families(judge: Judge) -> None:
    """Of all eight: only headers of one family are put together."""
    parts = ("id", "timestamp", "signature")
    values = {part: signed()[f"webhook-{part}"] for part in parts}
    for families in itertools.product(("svix", "webhook"), repeat=3):
        given = {f"{f}-{p}": values[p] for f, p in zip(families, parts, strict=True)}
        expected = V.VALID if len(set(families)) == 1 else V.MISSING_HEADER
        assert judge([(BODY, given)], scheme="svix") == [expected]
    # Where one is whole, what is there of the other changes nothing.
    whole = {f"svix-{part}": values[part] for part in parts}
    strays = [{f"webhook-{part}": "x" for part in some} for some in (parts, parts[:1], parts[1:])]
    assert only(judge([(BODY, {**stray, **whole}) for stray in strays], scheme="svix")) == {V.VALID}
    second = {f"webhook-{part}": values[part] for part in parts}
    strays = [{"svix-id": "x"}, {"svix-signature": values["signature"]}, {"svix-timestamp": "1"}]
    messages = [(BODY, {**stray, **second}) for stray in strays]
    assert only(judge(messages, scheme="svix")) == {V.VALID}
    # Whole and wrong: the second family is not asked.
    wrong = {**second, "svix-id": "m", "svix-timestamp": str(NOW), "svix-signature": "v1,x"}
    assert judge([(BODY, wrong)], scheme="svix") == [V.MALFORMED_SIGNATURE]


def test_threat_27_one_thing_verified_and_another_used(hooks: Any) -> None:
    """The proof hands out the bytes that were hashed, whatever becomes of the buffer."""
    verifier = hooks.Verifier(SECRET)
    memory = mmap.mmap(-1, len(BODY))
    memory[:] = BODY
    owners: list[Any] = [bytearray(BODY), array("B", BODY), memory]
    for owner in owners:
        body = owner if isinstance(owner, bytearray) else memoryview(owner)
        headers = dict(signed())
        proof = verifier.verify(body, headers, now=NOW)
        result = verifier.verify_batch([(body, headers)] * 12, now=NOW)
        owner[0] ^= 1
        headers["webhook-id"] = "other"
        for one in (proof, *(one for _, one in result.accepted())):
            assert (one.body, type(one.body), one.id) == (BODY, bytes, "msg_1")
            assert one.json() == json.loads(BODY)
        assert not verifier.check(body, signed(), now=NOW)
    del body
    memory.close()
