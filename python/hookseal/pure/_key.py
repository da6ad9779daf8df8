"""Keys: hash states that have absorbed the secret, and the one comparison."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import TypeAlias

# RFC 2104 §2, with B = 64 for SHA-256.
_BLOCK_BYTES = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))


class MacKey:
    """HMAC-SHA256 with the key already absorbed: a message costs no block for it."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        # RFC 2104 §3: a key longer than a block is hashed first.
        short = sha256(key).digest() if len(key) > _BLOCK_BYTES else key
        block = short.ljust(_BLOCK_BYTES, b"\0")
        self._inner = sha256(block.translate(_INNER_PAD))
        self._outer = sha256(block.translate(_OUTER_PAD))

    def tag(self, pieces: Iterable[bytes]) -> bytes:
        inner = self._inner.copy()
        for piece in pieces:
            inner.update(piece)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


class TokenKey:
    """A token's digest. It signs nothing, so its tag is the same for every message."""

    __slots__ = ("_digest",)

    def __init__(self, token: bytes) -> None:
        self._digest = sha256(token).digest()

    def tag(self, pieces: Iterable[bytes]) -> bytes:
        return self._digest


Key: TypeAlias = MacKey | TokenKey


def matches(tag: bytes, candidates: Iterable[bytes]) -> bool:
    """Whether a tag is one of the candidates: all are compared, each in constant time."""
    found = False
    for candidate in candidates:
        found |= compare_digest(tag, candidate)
    return found


def same_key(one: Key, other: Key) -> bool:
    """Whether two keys have equal states, for which equal tags of nothing stand."""
    return type(one) is type(other) and compare_digest(one.tag(()), other.tag(()))
