"""How what was given as a secret becomes the bytes of a key."""

from __future__ import annotations

from hookseal._errors import secret_error
from hookseal._scheme import Scheme
from hookseal.pure._text import WHITE_SPACE, base64_bytes, hex_bytes, is_utf8, utf8

STANDARD_PREFIX = "whsec_"

# What is mistaken for a Standard Webhooks secret, and the fault it is.
MISTAKEN = {"v1,whsec_": "versioned", "whsk_": "private-key", "whpk_": "public-key"}
_MOST_PADDING = 2


def require_text_or_bytes(value: str | bytes, place: str) -> None:
    """Refuses what is a secret in no scheme: nothing, white space, text that is no UTF-8."""
    data = utf8(value) if isinstance(value, str) else value
    if data is None:
        raise secret_error("not-utf8", place)
    if not data:
        raise secret_error("empty", place)
    if not data.strip(WHITE_SPACE):
        raise secret_error("blank", place)


def is_text_key(value: str | bytes, fixed: bool, scheme: Scheme) -> bool:
    """Whether the key is the text itself."""
    return isinstance(value, str) and (fixed or scheme.key == "utf8")


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
            raise secret_error("text-as-bytes", place)
    elif is_text_key(value, fixed, scheme):
        key = value.encode()
    elif scheme.key == "base64":
        key = base64_key(_without_prefix(value, scheme.key_prefix, place), place)
    else:
        key = hex_key(value, place)
    if scheme.algorithm == "token" and not is_utf8(key):
        raise secret_error("token-not-utf8", place)
    return key


def base64_key(text: str, place: str) -> bytes:
    """Strict base64, whose padding may be absent: all of it or none."""
    data = _encoded(text, place)
    bare = data.rstrip(b"=")
    if not bare:
        raise secret_error("nothing-left", place)
    padding = len(data) - len(bare) or -len(bare) % 4
    key = base64_bytes(bare + b"=" * padding) if padding <= _MOST_PADDING else None
    if key is None:
        raise secret_error("not-base64", place)
    return key


def hex_key(text: str, place: str) -> bytes:
    """Hexadecimal digits of both cases, two to a byte."""
    key = hex_bytes(_encoded(text, place), any_case=True)
    if key is None:
        raise secret_error("not-hex", place)
    return key


def _without_prefix(text: str, prefix: str | None, place: str) -> str:
    if not prefix:
        return text
    if prefix == STANDARD_PREFIX:
        for start, fault in MISTAKEN.items():
            if text.startswith(start):
                raise secret_error(fault, place)
    rest = text.removeprefix(prefix)
    if rest != text and rest.startswith(prefix):
        raise secret_error("prefix-twice", place)
    return rest


def _encoded(text: str, place: str) -> bytes:
    data = text.encode("ascii", "replace")  # "?" is in no alphabet
    if any(byte in WHITE_SPACE for byte in data):
        raise secret_error("white-space", place)
    return data
