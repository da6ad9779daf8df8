"""Secrets: what is refused and in which words, and what is made of the rest."""

from __future__ import annotations

import string
from typing import Any

import pytest
from pydantic import SecretBytes, SecretStr

import hookseal
import hookseal.pure
from hookseal import Endpoint, Scheme, SchemeError, SecretError, schemes
from tests import oracle
from tests.implementations import BODY, KEY, NOW, SECRET, secret, signed
from tests.observation import calls

BARE = oracle.b64(KEY)

HEX_KEY = Scheme("hex-key", signature="x-s", format="{hex}", key="hex")
SK = Scheme("sk", signature="x-s", format="{hex}", key="base64", key_prefix="sk_")
TOKEN = "shared-token"


@pytest.mark.parametrize(
    ("value", "scheme", "says"),
    [
        # In every scheme.
        ("", "github", "is empty"),
        (b"", "github", "is empty"),
        ("", "standard-webhooks", "is empty"),
        (" ", "github", "white space"),
        ("\t\r\n", "standard-webhooks", "white space"),
        (b" \n", "github", "white space"),
        ("\x0b\x0c", "shared-token", "white space"),
        ("k\ud800", "github", "UTF-8"),
        ("whsec_\udfff", "standard-webhooks", "UTF-8"),
        # Standard Webhooks, svix.
        ("v1,whsec_" + BARE, "standard-webhooks", "v1,"),
        ("v1,whsec_" + BARE, "svix", "v1,"),
        ("whsk_" + BARE, "standard-webhooks", "private key"),
        ("whpk_" + BARE, "standard-webhooks", "public key"),
        ("whsec_whsec_" + BARE, "standard-webhooks", "twice"),
        ("whsec_", "standard-webhooks", "no key"),
        ("whsec_====", "standard-webhooks", "no key|base64"),
        (" " + SECRET, "standard-webhooks", "white space"),
        (SECRET + "\n", "standard-webhooks", "white space"),
        ("whsec_" + BARE[:9] + " " + BARE[9:], "standard-webhooks", "white space"),
        ("whsec_-_-_-_-_", "standard-webhooks", "base64"),
        ("whsec_!!!!", "standard-webhooks", "base64"),
        ("my secret", "standard-webhooks", "white space"),
        ("my-secret", "standard-webhooks", "base64"),
        ("WHSEC_" + BARE, "standard-webhooks", "base64"),
        ("whsec_" + BARE + "=", "standard-webhooks", "base64"),
        ("whsec_AA=", "standard-webhooks", "base64"),
        ("whsec_A", "standard-webhooks", "base64"),
        ("whsec_AB==", "standard-webhooks", "base64"),
        ("whsec_AB", "standard-webhooks", "base64"),
        ("whsec_AAB=", "standard-webhooks", "base64"),
        ("whsec_AA==AA==", "standard-webhooks", "base64"),
        ("whsec_é", "standard-webhooks", "base64"),
        (b"whsec_" + BARE.encode(), "standard-webhooks", "bytes"),
        # Another prefix: the special words are not for it.
        ("sk_sk_AAAA", SK, "twice"),
        ("sk_", SK, "no key"),
        ("whsk_" + BARE, SK, "base64"),
        (b"sk_AAAA", SK, "bytes"),
        # Hex.
        ("abc", HEX_KEY, "hex"),
        ("0xff", HEX_KEY, "hex"),
        ("ab cd", HEX_KEY, "white space"),
        ("gg", HEX_KEY, "hex"),
        ("é", HEX_KEY, "hex"),
        # Tokens.
        (b"\xff", TOKEN, "UTF-8"),
        (b"\xed\xa0\x80", "gitlab-token", "UTF-8"),
    ],
)
def test_refused(hooks: Any, value: str | bytes, scheme: Any, says: str) -> None:
    """By a verifier, a ring and a signer alike."""
    for make in calls(
        lambda: hooks.Verifier(value, scheme=scheme),
        lambda: hooks.Verifier([b"another", value], scheme=scheme),
        lambda: hooks.Keyring({"a": value}, scheme=scheme),
        lambda: hooks.Keyring().replace("a", Endpoint(value, scheme=scheme)),
        lambda: hooks.Signer(value, scheme=scheme),
    ):
        with pytest.raises(SecretError, match=says) as caught:
            make()
        text = str(caught.value)
        if value and not value.isspace():
            assert str(value) not in text
            assert BARE not in text


@pytest.mark.parametrize(
    ("value", "scheme", "made_of"),
    [
        (SECRET, "standard-webhooks", KEY),
        (BARE, "standard-webhooks", KEY),
        (SECRET.rstrip("="), "standard-webhooks", KEY),
        (KEY, "standard-webhooks", KEY),
        (b" whsec_", "standard-webhooks", b" whsec_"),
        ("whsec_AA==", "standard-webhooks", b"\0"),
        ("whsec_AA", "svix", b"\0"),
        (SECRET, "github", SECRET.encode()),
        (" k ", "github", b" k "),
        ("é", "zoho-projects", "é".encode()),
        ("v1,whsec_x", "github", b"v1,whsec_x"),
        ("sk_AAAA", SK, b"\0\0\0"),
        ("AAAA", SK, b"\0\0\0"),
        (b"whsec_AAAA", SK, b"whsec_AAAA"),
        ("aBfF", HEX_KEY, b"\xab\xff"),
        (b"\xff\0", "github", b"\xff\0"),
        ("x" * 5000, "github", b"x" * 5000),
    ],
)
def test_accepted(hooks: Any, value: str | bytes, scheme: Any, made_of: bytes) -> None:
    """Weak as it may be: what a provider issued is its key. Against the standard library."""
    headers = hooks.Signer(value, scheme=scheme).sign(BODY)
    chosen = schemes.get(scheme) if isinstance(scheme, str) else scheme
    family = chosen.families[0]
    stated = [headers.get(name or "", "").encode() for name in (family.id, family.timestamp)]
    message = BODY if family.id is None else b".".join([*stated, BODY])
    mac = oracle.mac(made_of, message)
    assert headers[family.signature].removeprefix(chosen.prefix) in {oracle.b64(mac), mac.hex()}
    assert hooks.Verifier(value, scheme=scheme, tolerance="off").check(BODY, headers)


def test_fixed_readings(hooks: Any) -> None:
    """``from_text``, ``from_base64``, ``from_hex``: whatever the scheme."""
    text = "plain text of a key"
    made = {
        hooks.Secret.from_text(text): text.encode(),
        hooks.Secret.from_text(SECRET): SECRET.encode(),
        hooks.Secret.from_base64(BARE): KEY,
        hooks.Secret.from_base64(BARE.rstrip("=")): KEY,
        hooks.Secret.from_hex(KEY.hex().upper()): KEY,
        hooks.Secret.from_hex("2020"): b"  ",
        hooks.Secret.from_base64(oracle.b64(b"whsec_x")): b"whsec_x",
    }
    for one, key_bytes in made.items():
        headers = signed(key=key_bytes)
        assert hooks.Verifier(one).check(BODY, headers, now=NOW)
        headers = {"x-hub-signature-256": oracle.sha256(key_bytes, BODY)}
        assert hooks.Verifier(one, scheme="github").check(BODY, headers)


@pytest.mark.parametrize(
    ("made", "value", "says"),
    [
        ("from_base64", "", "empty"),
        ("from_base64", " ", "white space"),
        ("from_base64", SECRET, "base64"),
        ("from_base64", "AB==", "base64"),
        ("from_base64", "A A=", "white space"),
        ("from_base64", "====", "no key|base64"),
        ("from_hex", "", "empty"),
        ("from_hex", "abc", "hex"),
        ("from_hex", "ab\n", "white space"),
        ("from_text", "", "empty"),
        ("from_text", " ", "white space"),
        ("from_text", "\ud800", "UTF-8"),
    ],
)
def test_fixed_readings_refuse_at_once(hooks: Any, made: str, value: str, says: str) -> None:
    with pytest.raises(SecretError, match=says):
        getattr(hooks.Secret, made)(value)


def test_a_scheme_decodes_later(hooks: Any) -> None:
    """A ``Secret`` of text is not yet anyone's key."""
    one = hooks.Secret("my secret!")
    assert hooks.Verifier(one, scheme="github").check(BODY, {}) == 5
    with pytest.raises(SecretError, match="white space"):
        hooks.Verifier(one)


def test_from_env(hooks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setenv("HOOK_EMPTY", "")
    monkeypatch.delenv("HOOK_NONE", raising=False)
    one = hooks.Secret.from_env("HOOK_SECRET", label="env", not_after=NOW + 1)
    assert (one.label, one.not_after, one.reveal()) == ("env", NOW + 1, SECRET)
    assert hooks.Verifier(one).check(BODY, signed(), now=NOW)
    with pytest.raises(SecretError, match="HOOK_NONE"):
        hooks.Secret.from_env("HOOK_NONE")
    with pytest.raises(SecretError, match="empty"):
        hooks.Secret.from_env("HOOK_EMPTY")
    with pytest.raises(TypeError):
        hooks.Secret.from_env(b"HOOK_SECRET")


def test_reveal(hooks: Any) -> None:
    """What was given: text or bytes."""
    assert hooks.Secret(SECRET).reveal() == SECRET
    assert hooks.Secret(KEY).reveal() == KEY
    assert hooks.Secret.from_text("é").reveal() == "é"
    assert hooks.Secret.from_base64(BARE).reveal() == KEY
    assert hooks.Secret.from_hex("ff00").reveal() == b"\xff\0"
    assert hooks.Secret(SecretStr(SECRET)).reveal() == SECRET
    assert hooks.Secret(SecretBytes(KEY)).reveal() == KEY
    assert hooks.Secret(hooks.Secret(SECRET)).reveal() == SECRET
    for value in (type("Text", (str,), {})(SECRET), type("Bytes", (bytes,), {})(KEY)):
        revealed = hooks.Secret(value).reveal()
        assert revealed == value
        assert type(revealed) in {str, bytes}


@pytest.mark.parametrize("scheme", schemes.names())
def test_generate(hooks: Any, scheme: str) -> None:
    """In the provider's form, nothing to find fault with, and never twice."""
    made = [hooks.Secret.generate(scheme, label="new") for _ in range(20)]
    texts = {one.reveal() for one in made}
    assert len(texts) == 20
    for one in made:
        text = one.reveal()
        assert one.label == "new"
        assert one.check(scheme) == []
        if scheme in {"standard-webhooks", "svix"}:
            assert text.startswith("whsec_")
            assert len(text) == 6 + 44
        elif scheme == "zoho-projects":
            assert len(text) == 40
            specials = set(text) - set(string.ascii_letters + string.digits)
            assert specials
            assert specials <= set("-_.+=@:^,~")
            assert text[0] in string.ascii_letters
            for kind in (string.ascii_uppercase, string.ascii_lowercase, string.digits):
                assert set(text) & set(kind)
        else:
            assert len(text) == 40
            assert set(text) <= set("0123456789abcdef")
        headers = hooks.Signer(one, scheme=scheme).sign(BODY)
        assert hooks.Verifier(one, scheme=scheme, tolerance="off").check(BODY, headers)


def test_generate_mixed_of_any_length(hooks: Any) -> None:
    """Few characters have room for one of each kind, and fewer for letters and digits."""
    for length in (1, 3, 4, 5, 16, 128):
        scheme = Scheme("mine", signature="x-s", key_length=(length, length), secret_form="mixed")
        text = hooks.Secret.generate(scheme).reveal()
        assert len(text) == length
        assert (set(text) & set("-_.+=@:^,~") != set()) is (length >= 4)


B64_SCHEMES = ("standard-webhooks", "svix")

# The secret, the scheme, and the findings beyond "short" and "low-variety".
FINDINGS: list[tuple[Any, str, list[str]]] = [
    (SECRET, "standard-webhooks", []),
    (KEY.hex(), "github", []),
    # Words.
    ("thisisthesamplekeyfortestingpurposes", "zoho-projects", ["common-word", "dictionary-words"]),
    ("CorrectHorseBatteryStaple", "github", ["dictionary-words"]),
    ("correct-horse-battery", "gitlab-token", ["dictionary-words"]),
    ("stonext" + "q7J2" * 4, "github", []),  # 7 of 23: stone and next share a letter
    ("welcomehome" + "q7J2xK8w3Zp", "github", []),  # 11 of 22, one letter short of 12
    ("welcomehomes" + "q7J2xK8w3Z", "github", []),  # still 11: of homes no more is a word
    ("welcomeworld" + "q7J2xK8w3ZpL", "github", ["dictionary-words"]),  # 12 of 24
    ("welcomeworld" + "q7J2xK8w3ZpLm", "github", []),  # 12 of 25
    (b"welcome to the house of horse", "github", ["dictionary-words"]),
    ("whsec_" + oracle.b64(b"welcome to the house of horse!!"), "svix", ["dictionary-words"]),
    # The alphabet.
    ("whsec_-_-_-_-_" * 3, "standard-webhooks", ["wrong-alphabet"]),
    (BARE + " ", "standard-webhooks", ["wrong-alphabet"]),
    ("é" * 24, "standard-webhooks", ["wrong-alphabet"]),
    ("sch\u00fcssel-mit-z8Qv2JxW", "github", ["wrong-alphabet"]),
    ("a\x00b7Kq2JxW9pLmZ3vR8", "github", ["wrong-alphabet"]),
    (" a7Kq2JxW9pLmZ3vR8t\n", "github", ["surrounding-space"]),
    (" a7Kq2\tJxW9pLmZ3vR8t", "github", ["surrounding-space", "wrong-alphabet"]),
    ("sch\u00fcssel-mit-z8Qv2JxW".encode(), "github", []),
    # Another encoding.
    (KEY.hex(), "standard-webhooks", ["wrong-encoding"]),
    ("whsec_" + KEY.hex().upper(), "svix", ["wrong-encoding"]),
    (KEY.hex()[:28], "standard-webhooks", []),
    (KEY.hex()[:32], "standard-webhooks", ["wrong-encoding"]),
    (BARE[:-2] + "=", "standard-webhooks", ["wrong-encoding"]),
    (SECRET.encode(), "standard-webhooks", ["wrong-encoding"]),
    ("v1," + SECRET, "standard-webhooks", ["wrong-encoding"]),
    ("whsk_" + BARE, "standard-webhooks", ["wrong-encoding"]),
    ("whsec_" + SECRET, "standard-webhooks", ["wrong-encoding"]),
    # Another provider.
    (SECRET, "github", ["other-provider"]),
    ("whsk_" + BARE, "uplift", ["other-provider"]),
    ("sk_live_a7Kq2JxW9pLmZ3vR8t", "github", ["other-provider"]),
    ("ghp_a7Kq2JxW9pLmZ3vR8tU5nB1cD4eF6gH0iJ", "github", ["other-provider"]),
    ("glpat-a7Kq2JxW9pLmZ3vR8t", "gitlab-token", ["other-provider"]),
    ("shpss_a7Kq2JxW9pLmZ3vR8t", "standard-webhooks", ["wrong-alphabet", "other-provider"]),
    ("AKIAJ7KQ2JXW9PLMZ3VR", "standard-webhooks", ["other-provider"]),
    ("Ghp_a7Kq2JxW9pLmZ3vR8t", "github", []),
    ("x" + SECRET, "github", []),
    (b"ghp_a7Kq2JxW9pLmZ3vR8t", "github", []),
]


@pytest.mark.parametrize(("value", "scheme", "codes"), FINDINGS)
def test_findings(hooks: Any, value: Any, scheme: str, codes: list[str]) -> None:
    found = hooks.Secret(value).check(scheme)
    assert [one.code for one in found if one.code not in {"short", "low-variety"}] == codes
    for one in found:
        assert str(value) not in f"{one} {one!r} {one.text}"


def test_findings_of_a_fixed_reading(hooks: Any) -> None:
    """What is text by ``from_text`` has its prefix in any scheme."""
    for scheme in ("github", *B64_SCHEMES):
        codes = [one.code for one in hooks.Secret.from_text("sk_live_" + BARE).check(scheme)]
        assert codes == ["other-provider"]
    assert hooks.Secret.from_text(SECRET).check("svix") == []
    assert hooks.Secret.from_hex(KEY.hex()).check("svix") == []


def test_numbers_of_findings(hooks: Any) -> None:
    (found,) = hooks.Secret("CorrectHorseBatteryStaple").check("github")
    assert found.text == "25 of the key's 25 bytes are words of a dictionary"


def test_generate_by_default(hooks: Any) -> None:
    one = hooks.Secret.generate()
    assert one.label is None
    assert hooks.Verifier(one)
    mine = Scheme("mine", signature="x-s", key="hex", key_length=(64, 64), secret_form="hex")
    assert len(hooks.Secret.generate(mine).reveal()) == 128
    with pytest.raises(SchemeError, match="'github'"):
        hooks.Secret.generate("githib")


def test_wrapped_secrets(hooks: Any) -> None:
    """An object with ``get_secret_value()``, such as pydantic's."""
    for wrapped in (SecretStr(SECRET), SecretBytes(KEY)):
        assert hooks.Verifier(wrapped).check(BODY, signed(), now=NOW)
        assert hooks.Verifier([wrapped, secret(1)]).check(BODY, signed(), now=NOW)
        assert hooks.Keyring({"a": wrapped}).labels("a") == ["0"]
        assert hooks.Signer(wrapped).sign(b"", timestamp=NOW)
    with pytest.raises(SecretError, match="empty"):
        hooks.Verifier(SecretStr(""))


class Wrapped:
    def __init__(self, value: Any) -> None:
        self.value = value

    def get_secret_value(self) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class WrappedList(list[str]):
    """Both a sequence and a wrapped secret: it is one secret."""

    def get_secret_value(self) -> str:
        return SECRET


def test_odd_wrapped_secrets(hooks: Any) -> None:
    assert hooks.Verifier(WrappedList()).check(BODY, signed(), now=NOW)
    for wrong in (None, 5, bytearray(KEY), [SECRET], SecretStr(SECRET)):
        with pytest.raises(TypeError) as caught:
            hooks.Verifier(Wrapped(wrong))
        assert BARE not in str(caught.value)
    with pytest.raises(LookupError, match="vault"):
        hooks.Verifier(Wrapped(LookupError("the vault is closed")))


@pytest.mark.parametrize("wrong", [None, 5, 1.5, True, bytearray(KEY), memoryview(KEY), object()])
def test_wrong_types(hooks: Any, wrong: Any) -> None:
    for make in calls(
        lambda: hooks.Secret(wrong),
        lambda: hooks.Verifier(wrong),
        lambda: hooks.Verifier([SECRET, wrong]),
        lambda: hooks.Keyring({"a": wrong}),
        lambda: hooks.Keyring({"a": [wrong]}),
        lambda: hooks.Keyring({"a": SECRET}).rotate("a", wrong),
        lambda: hooks.Keyring({"a": SECRET}).replace("a", wrong),
        lambda: hooks.Signer(wrong),
    ):
        with pytest.raises(TypeError):
            make()


def test_how_many(hooks: Any) -> None:
    nothing: list[Any] = [[], ()]
    for none in nothing:
        with pytest.raises(SecretError):
            hooks.Verifier(none)
        with pytest.raises(SecretError):
            hooks.Keyring({"a": none})
    eight = [secret(number) for number in range(8)]
    assert repr(hooks.Verifier(eight)) == "Verifier(scheme='standard-webhooks', secrets=8)"
    with pytest.raises(SecretError, match="8"):
        hooks.Verifier([*eight, secret(8)])


def test_the_same_key_twice(hooks: Any) -> None:
    """In whatever form: equal states are equal keys."""
    for other in (SECRET, BARE, KEY, hooks.Secret(KEY, label="x"), KEY + b"\0", KEY + bytes(32)):
        with pytest.raises(SecretError, match="same key"):
            hooks.Verifier([SECRET, other])
        with pytest.raises(SecretError, match="same key"):
            hooks.Keyring({"a": SECRET}).rotate("a", other)
    long = b"x" * 65
    hashed = __import__("hashlib").sha256(long).digest()
    with pytest.raises(SecretError, match="same key"):
        hooks.Verifier([long, hashed], scheme="github")
    assert hooks.Verifier([b"x" * 64, b"x" * 63], scheme="github")
    assert hooks.Verifier(["token", b"token\0"], scheme=TOKEN)
    with pytest.raises(SecretError, match="same key"):
        hooks.Verifier(["token", b"token"], scheme=TOKEN)
    assert hooks.Keyring({"a": SECRET, "b": SECRET})


def test_identity(hooks: Any) -> None:
    one, other = hooks.Secret(SECRET), hooks.Secret(SECRET)
    assert one == one  # noqa: PLR0124
    assert one != other
    assert len({one, other}) == 2


def test_core_and_twin_do_not_mix() -> None:
    pytest.importorskip("hookseal._core")
    pairs: list[tuple[Any, Any]] = [(hookseal, hookseal.pure), (hookseal.pure, hookseal)]
    for mine, theirs in pairs:
        _refuses(mine, theirs.Secret(SECRET), theirs)


def _refuses(mine: Any, foreign: Any, theirs: Any) -> None:
    for make in calls(
        lambda: mine.Verifier(foreign),
        lambda: mine.Verifier([foreign]),
        lambda: mine.Signer(foreign),
        lambda: mine.Secret(foreign),
        lambda: mine.Keyring({"a": foreign}),
        lambda: mine.Keyring({"a": Endpoint([foreign])}),
        lambda: mine.Verifier(theirs.Keyring({"a": SECRET})),
        lambda: mine.Verifier(theirs.Verifier(SECRET)),
    ):
        with pytest.raises(TypeError):
            make()
