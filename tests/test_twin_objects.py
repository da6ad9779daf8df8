"""Core against twin: secrets, verifiers, rings, signers. The same object, or the same class of
error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hookseal import Endpoint, Scheme, schemes
from hookseal._common_words import WORDS
from tests import messages, oracle
from tests.implementations import NOW, core, key, twin
from tests.messages import SCHEMES
from tests.observation import outcome
from tests.profiles import fewer

pytest.importorskip("hookseal._core")

_B64 = oracle.b64(key(0))

# Texts that are secrets, that are nearly, and that are not.
secret_texts = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "\t\n",
            "\x1c",
            "\xa0",
            "\ud800",
            "a\0b",
            "whsec_",
            "whsec_" + _B64,
            "whsec_" + _B64.rstrip("="),
            "whsec_whsec_" + _B64,
            "WHSEC_" + _B64,
            "v1,whsec_" + _B64,
            "v1,",
            "whsk_" + _B64,
            "whpk_" + _B64,
            "sk_sk_AAAA",
            "sk_AAAA",
            "sk_whsk_AA",
            _B64 + "=",
            _B64[:-2] + "=",
            _B64 + " ",
            _B64 + "\n",
            _B64 + "\xa0",
            "AB==",
            "AA==",
            "AA",
            "AAA",
            "A",
            "====",
            "A===",
            "AA=A",
            "-_-_",
            "é" * 3,
            "0xff",
            "abc",
            "ABCDEF01" * 4,
            "ab cd",
            "password" * 4,
            "K" + "a" * 20,
            " padded with spaces ",
        ]
    ),
    st.text(max_size=12),
    st.text("0123456789abcdefABCDEF", max_size=12),
    st.text("AQgw/+=", max_size=12),
    st.binary(max_size=24).map(oracle.b64),
    st.binary(max_size=70).map(lambda data: "whsec_" + oracle.b64(data)),
    st.builds(lambda piece, times: piece * times, st.text(max_size=3), st.integers(1, 12)),
    st.text("0123456789abcdefABCDEF", min_size=30, max_size=34),
    st.lists(
        st.one_of(
            st.sampled_from(WORDS.split()),
            st.sampled_from(WORDS.split()).map(str.title),
            st.sampled_from(["-", " ", "x", "7", "whsec_", "ghp_", "AKIA", "\n", "é"]),
            st.text(max_size=2),
        ),
        max_size=9,
    ).map("".join),
)
secret_bytes = st.one_of(
    st.sampled_from([b"", b" ", b"whsec_AAAA", b"sk_AAAA", b"\xff\xfe", b" k ", b"\x1c", b"k\n"]),
    st.binary(max_size=70),
)
secret_values = st.one_of(secret_texts, secret_texts, secret_bytes)

labels = st.one_of(
    st.sampled_from(["", "x", "0", "5", "05", "999999999", "1000000000", "x" * 64, "x" * 65]),
    st.sampled_from([" ", "a b", "é", "\x7f", "\n", "\ud800", "٣", 5, b"x"]),
)
instants = st.sampled_from(
    [
        0,
        NOW,
        NOW + 1,
        NOW + 0.999,
        10**11,
        10**11 + 0.5,
        10**11 + 1,
        -1,
        -0.5,
        -0.0,
        10**30,
        float("inf"),
        float("nan"),
        True,
        "1",
        b"1",
        1j,
        datetime.fromtimestamp(NOW, UTC),
        datetime(2026, 1, 1),
        datetime.min.replace(tzinfo=UTC),
        timedelta(1),
    ]
)


def shown(secret: Any) -> Any:
    value = secret.reveal()
    return (
        repr(secret),
        type(value),
        value,
        secret.label,
        secret.not_before,
        secret.not_after,
    )


def same(call: Any, show: Any = repr) -> Any:
    ours, theirs = (outcome(call, hooks, show=show) for hooks in (core(), twin()))
    assert ours == theirs
    return ours


@given(secret_values)
def test_secret(value: str | bytes) -> None:
    same(lambda h: h.Secret(value), shown)
    for made in ("from_text", "from_base64", "from_hex"):
        same(partial(_make, made, value), shown)


def _make(made: str, value: Any, hooks: Any) -> Any:
    return getattr(hooks.Secret, made)(value)


@fewer()
@given(st.sampled_from([None, 5, [], {}, bytearray(b"k"), memoryview(b"k"), object(), True]))
def test_secret_of_no_type(value: Any) -> None:
    for made in ("from_text", "from_base64", "from_hex", "from_env"):
        assert same(partial(_make, made, value))[1] is TypeError
    assert same(lambda h: h.Secret(value))[1] is TypeError


@fewer()
@given(labels)
def test_label(label: Any) -> None:
    same(lambda h: h.Secret("k", label=label), shown)
    same(lambda h: h.Secret.from_hex("00", label=label), shown)
    same(lambda h: h.Secret(h.Secret("k", label="first"), label=label), shown)


@fewer()
@given(instants, instants)
def test_window(begin: Any, end: Any) -> None:
    same(lambda h: h.Secret("k", not_before=begin), shown)
    same(lambda h: h.Secret("k", not_after=end), shown)
    same(lambda h: h.Secret(h.Secret("k", not_before=NOW, label="x"), not_after=end), shown)
    for instant in (begin, end):
        if outcome(partial(core().Secret, "k", not_before=instant))[0] == "raised":
            return
    same(lambda h: h.Secret("k", not_before=begin, not_after=end), shown)


@given(secret_values, messages.scheme_names)
@example("whsec_AAAA", "github")
@example(b"whsec_AAAA", "github")
@example(" space ", "github")
@example(b" space ", "github")
@example("whsec_" + oracle.b64(b" space at the ends of a key "), "standard-webhooks")
def test_findings(value: str | bytes, name: str) -> None:
    """Every finding of a key, in its order and with its text, under every scheme."""

    def findings(hooks: Any, make: Any) -> Any:
        found = make(hooks).check(SCHEMES[name])
        return [(one.code, one.text, one.label, one.endpoint, str(one)) for one in found]

    same(lambda h: findings(h, lambda h: h.Secret(value, label="x")), list)
    if isinstance(value, str):
        same(lambda h: findings(h, lambda h: h.Secret.from_text(value)), list)
        same(lambda h: findings(h, lambda h: h.Secret.from_base64(value)), list)
        same(lambda h: findings(h, lambda h: h.Secret.from_hex(value)), list)


@given(st.lists(secret_values, min_size=1, max_size=3), messages.scheme_names)
def test_verifier_of_values(values: list[str | bytes], name: str) -> None:
    same(lambda h: h.Verifier(values[0], scheme=SCHEMES[name]))
    same(lambda h: h.Verifier(tuple(values), scheme=SCHEMES[name]))
    same(lambda h: h.Keyring({"a": values}, scheme=SCHEMES[name]).labels("a"))
    same(
        lambda h: h.Keyring({"a": values}, scheme=SCHEMES[name]).check(),
        lambda f: list(map(str, f)),
    )
    same(lambda h: h.Signer(values, scheme=SCHEMES[name]))


@fewer()
@given(st.lists(st.one_of(st.none(), labels), max_size=9))
@example([None, "5", None])
@example([None, "0", None])
@example(["0", None, "1", None])
@example(["999999999", None])
@example(["1000000000", None, "05", None])
def test_labels_in_order(given: list[Any]) -> None:
    def ring(hooks: Any) -> Any:
        secrets = [
            key(number) if label is None else hooks.Secret(key(number), label=label)
            for number, label in enumerate(given)
        ]
        return hooks.Keyring({"a": secrets}).labels("a")

    same(ring)


_WRONG: list[Any] = [None, 5, "", "github", "no-such", b"github", [], {}, object(), True, 1.5]


_CONSTRUCTORS: dict[str, Callable[[Any, Any], Any]] = {
    "Verifier(secrets)": lambda h, value: h.Verifier(value),
    "Verifier(scheme)": lambda h, value: h.Verifier(key(0), scheme=value),
    "Verifier(tolerance)": lambda h, value: h.Verifier(key(0), tolerance=value),
    "Verifier(max_body_bytes)": lambda h, value: h.Verifier(key(0), max_body_bytes=value),
    "Verifier.unsigned(reason)": lambda h, value: h.Verifier.unsigned(reason=value),
    "Keyring(endpoints)": lambda h, value: h.Keyring(value),
    "Keyring(secrets)": lambda h, value: h.Keyring({"a": value}),
    "Keyring(scheme)": lambda h, value: h.Keyring({"a": key(0)}, scheme=value),
    "Keyring(name)": lambda h, value: h.Keyring({value: key(0)}),
    "Endpoint(secrets)": lambda h, value: h.Keyring({"a": Endpoint(value)}),
    "Endpoint(scheme)": lambda h, value: h.Keyring({"a": Endpoint(key(0), scheme=value)}),
    "Signer(secrets)": lambda h, value: h.Signer(value),
    "Signer(scheme)": lambda h, value: h.Signer(key(0), scheme=value),
    "Secret.check": lambda h, value: h.Secret("k").check(value),
    "Secret.generate": lambda h, value: h.Secret.generate(value),
}


@pytest.mark.parametrize("value", _WRONG, ids=repr)
@pytest.mark.parametrize("constructor", _CONSTRUCTORS)
@pytest.mark.filterwarnings("ignore:this verifier accepts every message", "ignore:UNSIGNED")
def test_arguments_of_constructors(constructor: str, value: Any) -> None:
    same(lambda h: _CONSTRUCTORS[constructor](h, value))


def test_sequences_of_secrets() -> None:
    """Any sequence but text; a set has no order, and a generator no second reading."""
    from collections import UserList, deque

    def answer(secrets: Any) -> Any:
        return same(lambda h: h.Verifier(secrets))

    two = [key(0), key(1)]
    for sequence in (list(two), tuple(two), deque(two), UserList(two)):
        assert answer(sequence)[0] == "gave"
    for other in (set(two), frozenset(two), iter(two), dict.fromkeys(two), bytearray(key(0))):
        assert answer(other) == ("raised", TypeError)
    assert answer(memoryview(key(0))) == ("raised", TypeError)


sent_ids = st.one_of(
    st.none(),
    messages.ids,
    st.sampled_from(["a.b", "", " ", " a", "a\t", "é", "\ud800", "x" * 256, "x" * 257, 5, b"id"]),
)


@given(st.data(), messages.scheme_names)
def test_signer(data: st.DataObject, name: str) -> None:
    """The same headers, from the secrets that are live at the timestamp."""
    scheme = SCHEMES[name]
    specs = data.draw(messages.specs(most=3 if scheme.separator else 1))
    body = data.draw(st.sampled_from(messages.BODY_FORMS))(data.draw(messages.bodies))
    at = data.draw(st.one_of(st.none(), st.integers(NOW - 2, NOW + 2), instants))
    id = data.draw(sent_ids)
    # Where nothing is given, something is made up: that cannot be compared.
    if scheme.id is not None and id is None:
        id = "msg_1"
    if at is None and (scheme.timestamp is not None or any(spec.named for spec in specs)):
        at = NOW
    # One mistake at a time: which of two is told first, nobody promises.
    if outcome(lambda: core().Secret("k", not_before=at))[0] == "raised":
        body, id = b"", None if scheme.id is None else "msg_1"
    elif not isinstance(body, bytes) and id is not None:
        id = "msg_1"

    def sign(hooks: Any) -> Any:
        signer = hooks.Signer([spec.make(hooks, scheme) for spec in specs], scheme=scheme)
        headers = signer.sign(body, id=id, timestamp=at)
        assert (
            signer.sign_batch(
                [body, body],
                ids=None if id is None else [id] * 2,
                timestamps=None if at is None else [at] * 2,
            )
            == [headers] * 2
        )
        return list(headers.items())

    same(sign)


@given(st.data(), messages.scheme_names)
def test_what_a_signer_signs_a_verifier_accepts(data: st.DataObject, name: str) -> None:
    scheme = SCHEMES[name]
    numbers = [0, 1] if scheme.separator else [0]
    body, at = data.draw(messages.bodies), NOW + data.draw(st.integers(-30, 30))
    named: dict[str, Any] = {} if scheme.timestamp is None else {"timestamp": at}
    keys = [messages.key_of(number, scheme) for number in numbers]
    for signs, verifies in ((core(), twin()), (twin(), core())):
        headers = signs.Signer(keys, scheme=scheme).sign(body, **named)
        for number in numbers:
            verifier = verifies.Verifier(keys[number], scheme=scheme)
            assert verifier.check(body, headers, now=NOW)


@st.composite
def templates(draw: st.DrawFn) -> Scheme:
    """A scheme with a template of its own."""
    literal = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7A), max_size=3)
    parts = draw(
        st.permutations(
            [
                "{body}",
                *draw(st.sampled_from([[], ["{id}"], ["{timestamp}"], ["{id}", "{timestamp}"]])),
            ]
        )
    )
    signed = draw(literal) + "".join(part + draw(literal) for part in parts)
    encoding = draw(st.sampled_from(["{hex}", "{base64}", "{hex-any-case}"]))
    return Scheme(
        "drawn",
        signature="x-s",
        id="x-i" if "{id}" in parts else None,
        timestamp="x-t" if "{timestamp}" in parts else None,
        signed=signed,
        format=draw(st.sampled_from(["", "v1,", "sha256=", "t=x,"])) + encoding,
        separator=draw(st.sampled_from([None, " ", ";", "|"])),
        unit=draw(st.sampled_from(["s", "ms"])),
        ambiguous=True,
    )


@given(templates(), messages.bodies, messages.ids)
def test_templates(scheme: Scheme, body: bytes, id: str) -> None:
    """Any template: the signed bytes are those of the standard library."""
    named: dict[str, Any] = {}
    if scheme.id is not None:
        named["id"] = id
    if scheme.timestamp is not None:
        named["timestamp"] = NOW
    made = same(lambda h: h.Signer(key(0), scheme=scheme).sign(body, **named), dict)
    if made[0] == "gave":
        stamp = str(NOW * 1000 if scheme.unit == "ms" else NOW).encode()
        wanted = messages.signatures(scheme, [key(0)], body, id.encode(), stamp)
        assert made[1]["x-s"] == wanted[0]
        for hooks in (core(), twin()):
            assert hooks.Verifier(key(0), scheme=scheme).check(body, made[1], now=NOW)
    else:
        assert set(id) & set(scheme.id_forbidden) or id != id.strip(" ") or not id


def test_presets_are_one_object_for_both() -> None:
    for name in schemes.names():
        assert core().schemes.get(name) is twin().schemes.get(name)
