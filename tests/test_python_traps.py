"""What plain Python gets wrong with hostile text, and that neither implementation is caught.

Each test first springs the trap in plain Python, so that we would see if a new Python mended it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any

import pytest

from hookseal import MalformedSignatureError, MalformedTimestampError, SecretError, Verdict
from tests import oracle
from tests.implementations import BODY, KEY, NOW, SECRET, signed

V = Verdict


def check(hooks: Any, body: Any = BODY, **changed: Any) -> Verdict:
    headers = {**signed(), **{name.replace("_", "-"): value for name, value in changed.items()}}
    verdict: Verdict = hooks.Verifier(SECRET).check(body, headers, now=NOW)
    return verdict


def other_tails(text: str) -> list[str]:
    """Base64 of 32 bytes leaves four bits over: the other fifteen spellings... of which three
    differ in unused bits alone."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    step = alphabet.index(text[-2])
    assert step % 4 == 0
    return [text[:-2] + alphabet[step + unused] + "=" for unused in (1, 2, 3)]


def test_b64decode_takes_tails_that_are_not_canonical(hooks: Any) -> None:
    mac = signed()["webhook-signature"].removeprefix("v1,")
    for tail in other_tails(mac):
        assert base64.b64decode(tail, validate=True) == base64.b64decode(mac)
        assert check(hooks, webhook_signature="v1," + tail) is V.MALFORMED_SIGNATURE
        zoho = {"x-zp-webhook-signature": oracle.b64(oracle.mac(b"k", BODY))}
        verifier = hooks.Verifier("k", scheme="zoho-projects")
        assert verifier.check(BODY, zoho)
        zoho["x-zp-webhook-signature"] = other_tails(zoho["x-zp-webhook-signature"])[0]
        assert verifier.check(BODY, zoho) is V.MALFORMED_SIGNATURE


def test_b64decode_takes_such_secrets_too(hooks: Any) -> None:
    for tail in other_tails(oracle.b64(KEY)):
        assert base64.b64decode(tail, validate=True) == KEY
        with pytest.raises(SecretError, match="base64"):
            hooks.Verifier("whsec_" + tail)
        with pytest.raises(SecretError, match="base64"):
            hooks.Secret.from_base64(tail)


def test_b64decode_drops_what_is_no_base64(hooks: Any) -> None:
    mac = signed()["webhook-signature"].removeprefix("v1,")
    for dirty in (mac[:9] + "!" + mac[9:], mac[:9] + "\n" + mac[9:], mac + "=", mac + "==AAAA"):
        assert base64.b64decode(dirty)[:32] == base64.b64decode(mac)
        assert check(hooks, webhook_signature="v1," + dirty) is V.MALFORMED_SIGNATURE


def test_b64decode_raises_where_padding_is_gone(hooks: Any) -> None:
    mac = signed()["webhook-signature"].removeprefix("v1,")
    for broken in (mac.rstrip("="), mac[:-2], "A"):
        with pytest.raises(binascii.Error):
            base64.b64decode(broken, validate=True)
        assert check(hooks, webhook_signature="v1," + broken) is V.MALFORMED_SIGNATURE
    good = signed()["webhook-signature"]
    assert check(hooks, webhook_signature=f"v1,A {good}") is V.VALID


def test_b64decode_raises_for_other_characters(hooks: Any) -> None:
    for text in ("é", "١", "\ud800"):
        with pytest.raises(ValueError):  # noqa: PT011 - two kinds of it
            base64.b64decode(text)
        assert check(hooks, webhook_signature="v1," + text) is V.MALFORMED_SIGNATURE


OTHER_DIGITS = ["١٧٠٠٠٠٠٠٠٠", "１７００００００００", "𝟏𝟕𝟎𝟎𝟎𝟎𝟎𝟎𝟎𝟎", "۱۷۰۰۰۰۰۰۰۰"]


@pytest.mark.parametrize("text", OTHER_DIGITS)
def test_isdigit_and_int_know_other_scripts(hooks: Any, text: str) -> None:
    assert text.isdigit()
    assert int(text) == NOW
    mac = oracle.v1(KEY, b"msg_1", text.encode(), BODY)
    assert check(hooks, webhook_timestamp=text, webhook_signature=mac) is V.MALFORMED_TIMESTAMP
    with pytest.raises(MalformedTimestampError):
        hooks.Verifier(SECRET).verify(BODY, {**signed(), "webhook-timestamp": text}, now=NOW)


def test_isdigit_is_not_what_int_takes(hooks: Any) -> None:
    """Superscripts are digits that int() refuses."""
    assert "²".isdigit()
    with pytest.raises(ValueError, match="invalid literal"):
        int("²")
    assert check(hooks, webhook_timestamp="²") is V.MALFORMED_TIMESTAMP


@pytest.mark.parametrize(
    "text", ["+1700000000", "1_700_000_000", "1700000000\xa0", "\x0b1700000000"]
)
def test_int_takes_signs_underscores_and_spaces(hooks: Any, text: str) -> None:
    assert int(text) == NOW
    mac = oracle.v1(KEY, b"msg_1", text.encode(), BODY)
    assert check(hooks, webhook_timestamp=text, webhook_signature=mac) is V.MALFORMED_TIMESTAMP
    number = oracle.v1(KEY, b"msg_1", b"%d" % NOW, BODY)
    assert check(hooks, webhook_timestamp=text, webhook_signature=number) is V.MALFORMED_TIMESTAMP


def test_int_raises_past_4300_digits(hooks: Any) -> None:
    text = "1" * 4_301
    with pytest.raises(ValueError, match="4300"):
        int(text)
    assert check(hooks, webhook_timestamp=text) is V.MALFORMED_TIMESTAMP
    assert check(hooks, webhook_timestamp="0" * 4_301) is V.MALFORMED_TIMESTAMP


def test_a_number_is_rendered_without_its_zeros(hooks: Any) -> None:
    """What is signed is the header's text: leading zeros are part of it."""
    text = f"000{NOW}"
    assert str(int(text)) != text
    as_sent = oracle.v1(KEY, b"msg_1", text.encode(), BODY)
    assert check(hooks, webhook_timestamp=text, webhook_signature=as_sent) is V.VALID
    assert check(hooks, webhook_timestamp=text) is V.SIGNATURE_MISMATCH


def test_lower_folds_the_kelvin_sign(hooks: Any) -> None:
    assert "webhoo\u212a-id".lower() == "webhook-id"
    headers = signed()
    headers["webhoo\u212a-id"] = headers.pop("webhook-id")
    assert hooks.Verifier(SECRET).check(BODY, headers, now=NOW) is V.MISSING_HEADER
    # Beside the real one it is another header, not a second value.
    both = {**signed(), "webhoo\u212a-id": "other", "WEBHOOK-\u0130D": "other"}
    assert hooks.Verifier(SECRET).check(BODY, both, now=NOW) is V.VALID


def test_upper_and_casefold_know_more_letters(hooks: Any) -> None:
    """ſ (U+017F) is S to both; ı (U+0131) is I to upper()."""
    assert "ſvix-id".casefold() == "svix-id"
    assert "svıx-ıd".upper() == "SVIX-ID"
    headers = {name.replace("webhook", "svix"): value for name, value in signed().items()}
    verifier = hooks.Verifier(SECRET, scheme="svix")
    assert verifier.check(BODY, headers, now=NOW)
    for name in ("ſvix-id", "svıx-ıd"):
        odd = {**headers, name: headers["svix-id"]}
        del odd["svix-id"]
        assert verifier.check(BODY, odd, now=NOW) is V.MISSING_HEADER


def test_compare_digest_raises_for_text_that_is_not_ascii(hooks: Any) -> None:
    with pytest.raises(TypeError):
        hmac.compare_digest("é", "e")
    for text in ("é", "\ud800", "\0", "v1,é", "sha256=é"):
        for scheme in ("standard-webhooks", "github", "zoho-projects", "shared-token", "svix"):
            verifier = hooks.Verifier(b"k" * 24, scheme=scheme, tolerance="off")
            family = hooks.schemes.get(scheme).families[0]
            stated = {name: "1" for name in family if name is not None}
            for value in (text, text.encode("utf-8", "surrogatepass"), [text]):
                verdict = verifier.check(BODY, {**stated, family.signature: value})
                assert verdict in {V.MALFORMED_SIGNATURE, V.SIGNATURE_MISMATCH}


def test_compare_digest_tells_lengths_apart_early(hooks: Any) -> None:
    """Tokens are compared as digests: every prefix and extension is simply another token."""
    token = "token-é"
    verifier = hooks.Verifier(token, scheme="shared-token")
    for given in (token[:-1], token + "x", token[::-1], "x"):
        assert not hmac.compare_digest(given.encode(), token.encode())
        assert verifier.check(b"", {"x-webhook-secret": given}) is V.SIGNATURE_MISMATCH
    assert verifier.check(b"", {"x-webhook-secret": token})


def test_bytes_fromhex_skips_spaces(hooks: Any) -> None:
    assert bytes.fromhex("ab cd") == b"\xab\xcd"
    digits = oracle.sha256(b"k", BODY).removeprefix("sha256=")
    spaced = digits[:10] + " " + digits[10:]
    assert bytes.fromhex(spaced) == bytes.fromhex(digits)
    verifier = hooks.Verifier("k", scheme="github")
    for text in (spaced, digits[:10] + "\n" + digits[10:], "0x" + digits, digits.upper()):
        headers = {"x-hub-signature-256": "sha256=" + text}
        assert verifier.check(BODY, headers) is V.MALFORMED_SIGNATURE


def test_strip_takes_more_than_http(hooks: Any) -> None:
    """A field value loses SP and HTAB, and nothing else."""
    for space in ("\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\xa0", "\u2003"):
        assert f"{space}x{space}".strip() == "x"
        assert check(hooks, webhook_timestamp=f"{NOW}{space}") is V.MALFORMED_TIMESTAMP
        assert check(hooks, webhook_id=f"msg_1{space}") is V.MALFORMED_HEADER
        assert check(hooks, webhook_id=space) is V.MALFORMED_HEADER
    assert check(hooks, webhook_timestamp=f"\t {NOW} \t") is V.VALID


def test_split_without_a_separator_takes_every_space(hooks: Any) -> None:
    good = signed()["webhook-signature"]
    for space in ("\n", "\t", "\xa0", "\u2003"):
        assert good in f"v2,x{space}{good}".split()
        assert check(hooks, webhook_signature=f"v2,x{space}{good}") is V.MALFORMED_SIGNATURE


def test_splitlines_and_dollar(hooks: Any) -> None:
    """A pattern's ``$`` matches before a final line break; ours have none."""
    import re

    assert re.match(r"^[0-9]+$", f"{NOW}\n")
    assert check(hooks, webhook_timestamp=f"{NOW}\n") is V.MALFORMED_TIMESTAMP
    with pytest.raises(SecretError):
        hooks.Secret("k", label="x\n")


# Subclasses: their overridden methods are never asked.


def _never(*_: Any, **__: Any) -> Any:
    raise AssertionError("an overridden method was called")


_HOSTILE = dict.fromkeys(
    [
        "__len__",
        "__iter__",
        "__getitem__",
        "__contains__",
        "__eq__",
        "__bytes__",
        "__str__",
        "__bool__",
        "__buffer__",
        "lower",
        "upper",
        "strip",
        "split",
        "startswith",
        "endswith",
        "encode",
        "decode",
        "isdigit",
        "isascii",
        "isspace",
        "translate",
        "count",
        "find",
        "partition",
        "removeprefix",
        "rstrip",
        "lstrip",
        "replace",
        "hex",
        "join",
        "items",
        "tobytes",
    ],
    _never,
) | {"__hash__": lambda self: 0}


def hostile(value: Any) -> Any:
    """The same value, of a subclass that overrides everything."""
    base = type(value)
    namespace = {name: method for name, method in _HOSTILE.items() if hasattr(base, name)}
    return type(f"Hostile{base.__name__}", (base,), namespace)(value)


def test_subclasses_lie_in_plain_python() -> None:
    for value in ("text", b"bytes"):
        with pytest.raises(AssertionError):
            len(hostile(value))
        with pytest.raises(AssertionError):
            hostile(value).strip()


def test_overridden_methods_are_not_called(hooks: Any) -> None:
    """Bodies, names, values, secrets, endpoints, ids: read by the types' own methods."""
    text = '{"é":1}'
    for body in (text.encode(), text, bytearray(text.encode())):
        headers = signed(text.encode())
        pairs = [(hostile(name), hostile(value)) for name, value in headers.items()]
        verifier = hooks.Verifier(hostile(SECRET))
        proof = verifier.verify(hostile(body), pairs, now=NOW)
        assert (proof.body, type(proof.body)) == (text.encode(), bytes)
        assert (proof.id, type(proof.id)) == ("msg_1", str)
        encoded = [(hostile(n.encode()), hostile(v.encode())) for n, v in headers.items()]
        assert verifier.check(hostile(body), encoded, now=NOW)
        assert verifier.verify_batch([(hostile(body), pairs)], now=NOW).verified(0).id == "msg_1"
    ring = hooks.Keyring({"a": hostile(KEY)})
    verifier = hooks.Verifier(ring)
    proof = verifier.verify(BODY, signed(), endpoint=hostile_name("a"), now=NOW)
    assert (proof.endpoint, type(proof.endpoint)) == ("a", str)
    made = hooks.Signer(hostile(KEY)).sign(hostile(BODY), id=hostile("x"), timestamp=NOW)
    assert made == signed(id="x")
    assert all(type(value) is str for value in made.values())
    assert type(hooks.Secret(hostile("k"), label=hostile("x")).label) is str


def hostile_name(name: str) -> Any:
    """A name for which only ``__eq__`` and ``__hash__`` are its own: a lookup needs those."""
    namespace = {k: v for k, v in _HOSTILE.items() if k not in {"__hash__", "__eq__"}}
    own = {k: v for k, v in namespace.items() if hasattr(str, k)}
    return type("HostileName", (str,), own)(name)


def test_bytes_of_an_object_asks_it(hooks: Any) -> None:
    """``bytes(x)`` honours ``__bytes__``; a body's own memory is what is hashed."""

    class Lying(bytes):
        def __bytes__(self) -> bytes:
            return b"forged"

    class LyingArray(bytearray):
        def __bytes__(self) -> bytes:
            return b"forged"

    for lying in (Lying(BODY), LyingArray(BODY)):
        assert bytes(lying) == b"forged"
        assert hooks.Verifier(SECRET).verify(lying, signed(), now=NOW).body == BODY
        assert not hooks.Verifier(SECRET).check(lying, signed(b"forged"), now=NOW)
    for number in (5, [1, 2], (1, 2), range(3)):
        assert isinstance(bytes(number), bytes)
        with pytest.raises(TypeError):
            hooks.Verifier(SECRET).check(number, signed(), now=NOW)


def test_a_bool_is_an_int(hooks: Any) -> None:
    assert isinstance(True, int)
    for named in ({"now": True}, {"received_at": False}):
        with pytest.raises(TypeError):
            hooks.Verifier(SECRET).check(BODY, signed(), **named)
    for constructor in ({"tolerance": True}, {"max_body_bytes": True}):
        with pytest.raises(TypeError):
            hooks.Verifier(SECRET, **constructor)


def test_nan_compares_false_with_everything(hooks: Any) -> None:
    nan = float("nan")
    assert not nan < 0
    assert not nan > 10**11
    with pytest.raises(ValueError, match="now"):
        hooks.Verifier(SECRET).check(BODY, signed(), now=nan)
    with pytest.raises(TypeError):
        hooks.Verifier(SECRET, tolerance=nan)


def test_a_refusal_is_a_refusal(hooks: Any) -> None:
    """None of these traps leaves as the exception that plain Python raised."""
    for value in ("v1,é", "v1,A", "v1,\ud800", "v1", "v1,,", ",", "v1,A v1,é", "\0"):
        headers = {**signed(), "webhook-signature": value}
        with pytest.raises(MalformedSignatureError):
            hooks.Verifier(SECRET).verify(BODY, headers, now=NOW)
