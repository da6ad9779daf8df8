"""What the guards with a store of their own make of keys, and the token of one call."""

from __future__ import annotations

import os
from collections.abc import Iterable

from hookseal._arguments import mistake, wrong_type

__all__ = ["KEY_BYTES", "Token", "distinct", "key_texts"]

KEY_BYTES = 16
_TOKEN_BYTES = 12


def key_texts(keys: object) -> list[str]:
    """Keys as 32 hexadecimal digits: text can be read in any store.

    Raises:
        TypeError: Not a sequence, or of something that is not bytes.
        ValueError: A key that has not 16 bytes.
    """
    if isinstance(keys, (str, bytes, bytearray)) or not isinstance(keys, Iterable):
        raise wrong_type("keys", keys)
    texts = []
    for index, key in enumerate(keys):
        if not isinstance(key, bytes):
            raise wrong_type("key", key, f"keys[{index}]")
        own = bytes.__getitem__(key, slice(None))  # whatever a subclass may override
        if len(own) != KEY_BYTES:
            raise mistake("key-length", f"keys[{index}]", str(len(own)))
        texts.append(own.hex())
    return texts


class Token:
    """One call's claims: a random name, and how long they are kept once they are final.

    Nobody else has the name, so what bears it was won by this call, whatever was sent twice.
    """

    __slots__ = ("name", "ttl")

    def __init__(self, ttl: int) -> None:
        self.name = os.urandom(_TOKEN_BYTES).hex()
        self.ttl = ttl

    @staticmethod
    def of(token: object) -> Token | None:
        """Judges an argument.

        Raises:
            TypeError: It is the token of another kind of guard.
        """
        if token is not None and not isinstance(token, Token):
            raise mistake("token")
        return token


def distinct(texts: Iterable[str]) -> list[str]:
    """Each text once, in their order."""
    return list(dict.fromkeys(texts))
