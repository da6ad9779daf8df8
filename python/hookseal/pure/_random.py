"""Random text, from the operating system's generator alone."""

from __future__ import annotations

import os
import string
from binascii import b2a_base64

from hookseal._scheme import Scheme

_LETTERS_AND_DIGITS = string.ascii_letters + string.digits
# The largest multiple of 62 in a byte: above it a remainder would favour some characters.
_FAIR = 256 - 256 % len(_LETTERS_AND_DIGITS)


def letters_and_digits(count: int) -> str:
    """``count`` characters, each uniform over 62."""
    text = ""
    while len(text) < count:
        fair = (byte for byte in os.urandom(count) if byte < _FAIR)
        text += "".join(_LETTERS_AND_DIGITS[byte % len(_LETTERS_AND_DIGITS)] for byte in fair)
    return text[:count]


def secret_text(scheme: Scheme) -> str:
    """A new secret in the form that the scheme asks for, of a length that it advises."""
    if scheme.secret_form == "base64":
        encoded = b2a_base64(os.urandom(_within(scheme, 32, 1)), newline=False)
        return (scheme.key_prefix or "") + encoded.decode()
    if scheme.secret_form == "hex":
        # Where the digits themselves are the key, a byte of it is half a random byte.
        return os.urandom(_within(scheme, 20, 2 if scheme.key == "utf8" else 1)).hex()
    return letters_and_digits(_within(scheme, 40, 1))


def _within(scheme: Scheme, count: int, key_bytes_each: int) -> int:
    if scheme.key_length is None:
        return count
    shortest, longest = scheme.key_length
    return min(max(count, -(-shortest // key_bytes_each)), max(1, longest // key_bytes_each))
