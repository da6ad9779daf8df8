"""How what was given as a secret becomes the bytes of a key."""

from __future__ import annotations

from hookseal._errors import SecretError
from hookseal._scheme import Scheme
from hookseal.pure._text import base64_bytes, hex_bytes, is_utf8, utf8

_STANDARD_PREFIX = "whsec_"

# What is mistaken for a Standard Webhooks secret, and what is to be done about it.
_MISTAKEN = (
    ("v1,whsec_", 'begins with "v1,": pass what stands after the comma'),
    ("whsk_", 'begins with "whsk_", an asymmetric private key: pass the whsec_ secret'),
    ("whpk_", 'begins with "whpk_", an asymmetric public key: pass the whsec_ secret'),
)


def require_text_or_bytes(value: str | bytes, place: str) -> None:
    """Refuses what is a secret in no scheme: nothing, white space, text that is no UTF-8."""
    data = utf8(value) if isinstance(value, str) else value
    if data is None:
        raise SecretError(f"{place} cannot be encoded as UTF-8")
    if not data:
        raise SecretError(f"{place} is empty: pass the secret that the provider shows")
    if data.isspace():
        raise SecretError(f"{place} is white space: pass the secret that the provider shows")


def key_bytes(value: str | bytes, fixed: bool, scheme: Scheme, place: str) -> bytes:
    """The key of a secret in a scheme.

    Args:
        value: Text, or the bytes of the key.
        fixed: Whether its reading was fixed by ``Secret.from_text``, ``from_base64`` or
            ``from_hex``, so that the scheme has no say.
        scheme: Says how text is read.
        place: What an error calls the secret.

    Raises:
        SecretError: It cannot be a key of this scheme.
    """
    if isinstance(value, bytes):
        key = value
        prefix = scheme.key_prefix
        if not fixed and scheme.key == "base64" and prefix and key.startswith(prefix.encode()):
            raise SecretError(f"{place} is bytes that begin with {prefix!r}: pass the text as str")
    elif fixed or scheme.key == "utf8":
        key = value.encode()
    elif scheme.key == "base64":
        key = base64_key(_without_prefix(value, scheme.key_prefix, place), place)
    else:
        key = hex_key(value, place)
    if scheme.algorithm == "token" and not is_utf8(key):
        raise SecretError(f"{place} is not valid UTF-8, which a token must be")
    return key


def base64_key(text: str, place: str) -> bytes:
    """Strict base64, whose padding may be absent: all of it or none."""
    _refuse_white_space(text, place)
    if not text:
        raise SecretError(f"{place} has nothing after its prefix: pass the whole secret")
    data = text.encode("ascii", "replace")  # "?" is in no alphabet
    padding = b"=" * (-len(data) % 4) if b"=" not in data else b""
    key = base64_bytes(data + padding)
    if key is None:
        raise SecretError(
            f"{place} is not base64 (standard alphabet, zero trailing bits):"
            " pass the secret as the provider shows it, or Secret.from_text for a text key"
        )
    return key


def hex_key(text: str, place: str) -> bytes:
    """Hex digits of both cases, two to a byte."""
    _refuse_white_space(text, place)
    key = hex_bytes(text.encode("ascii", "replace"), any_case=True)
    if not key:
        raise SecretError(f"{place} is not hex: pass an even number of hex digits")
    return key


def _without_prefix(text: str, prefix: str | None, place: str) -> str:
    if not prefix:
        return text
    if prefix == _STANDARD_PREFIX:
        for start, advice in _MISTAKEN:
            if text.startswith(start):
                raise SecretError(f"{place} {advice}")
    rest = text.removeprefix(prefix)
    if rest != text and rest.startswith(prefix):
        raise SecretError(f"{place} begins with {prefix!r} twice: pass it once")
    return rest


def _refuse_white_space(text: str, place: str) -> None:
    if any(character.isspace() for character in text):
        raise SecretError(f"{place} holds white space: pass the secret without it")
