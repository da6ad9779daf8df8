"""Random text, from the operating system's generator alone."""

from __future__ import annotations

import os
import string
from binascii import b2a_base64

from hookseal._scheme import Scheme

_LETTERS_AND_DIGITS = string.ascii_letters + string.digits
# Those that no shell, no .env file, no TOML and no YAML takes for anything behind a letter.
_SPECIALS = "-_.+=@:^,~"
_LETTERS_DIGITS_AND_SPECIALS = _LETTERS_AND_DIGITS + _SPECIALS


def letters_and_digits(count: int) -> str:
    """``count`` characters, each uniform over 62."""
    return _drawn(_LETTERS_AND_DIGITS, count)


def mixed(count: int) -> str:
    """``count`` characters with at least one upper-case and one lower-case letter, a digit and a
    special character among them, uniform over all such texts that begin with a letter.
    """
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits, _SPECIALS)
    if count < len(kinds):
        return letters_and_digits(count)
    while True:
        text = _drawn(_LETTERS_DIGITS_AND_SPECIALS, count)
        if text[0].isalpha() and all(any(char in kind for char in text) for kind in kinds):
            return text


def _drawn(alphabet: str, count: int) -> str:
    # The largest multiple in a byte: above it a remainder would favour some characters.
    fair = 256 - 256 % len(alphabet)
    text = ""
    while len(text) < count:
        text += "".join(alphabet[byte % len(alphabet)] for byte in os.urandom(count) if byte < fair)
    return text[:count]


def message_id() -> str:
    """A new id in the form that Standard Webhooks advises."""
    return "msg_" + letters_and_digits(24)


def secret_text(scheme: Scheme) -> str:
    """A new secret in the form that the scheme asks for, of a length that it advises."""
    if scheme.secret_form == "base64":
        encoded = b2a_base64(os.urandom(_within(scheme, 32, 1)), newline=False)
        return (scheme.key_prefix or "") + encoded.decode()
    if scheme.secret_form == "hex":
        # Where the digits themselves are the key, a byte of it is half a random byte.
        return os.urandom(_within(scheme, 20, 2 if scheme.key == "utf8" else 1)).hex()
    return mixed(_within(scheme, 40, 1))


def _within(scheme: Scheme, count: int, key_bytes_each: int) -> int:
    if scheme.key_length is None:
        return count
    shortest, longest = scheme.key_length
    return min(max(count, -(-shortest // key_bytes_each)), max(1, longest // key_bytes_each))
