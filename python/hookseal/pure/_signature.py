"""Signatures: the candidates that a header holds, and the form of our own."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterator
from hashlib import sha256

from hookseal._scheme import Scheme
from hookseal._verdict import Verdict
from hookseal.pure._judgement import Refused
from hookseal.pure._text import base64_bytes, hex_bytes, is_utf8

MAC_BYTES = 32


def candidates(values: list[bytes], scheme: Scheme, header: str) -> list[bytes]:
    """The decoded MACs of the header's values, or the digest of its token.

    Raises:
        Refused: There is none.
    """
    prefix = scheme.prefix.encode()
    decoded = (
        _decode(piece[len(prefix) :], scheme.encoding)
        for value in values
        for piece in _pieces(value, scheme.separator)
        if piece.startswith(prefix)
    )
    usable = [mac for mac in decoded if mac is not None and len(mac) == MAC_BYTES]
    if not usable:
        raise Refused(Verdict.MALFORMED_SIGNATURE, header)
    return usable


def render(mac: bytes, scheme: Scheme) -> str:
    """One signature as the scheme writes it."""
    text = b2a_base64(mac, newline=False).decode() if scheme.encoding == "base64" else mac.hex()
    return scheme.prefix + text


def _pieces(value: bytes, separator: str | None) -> Iterator[bytes]:
    if separator is None:
        yield value
        return
    *followed, last = value.split(separator.encode())
    for piece in followed:
        # A proxy that joins two headers writes ", " between them: one comma directly
        # before an SP is not part of the piece.
        own = piece.removesuffix(b",") if separator == " " else piece
        if own:
            yield own
    if last:
        yield last


def _decode(text: bytes, encoding: str) -> bytes | None:
    if encoding == "base64":
        return base64_bytes(text)
    if encoding == "token":
        # Digests have one length, so that comparing them does not leak the token's.
        return sha256(text).digest() if is_utf8(text) else None
    return hex_bytes(text, any_case=encoding == "hex-any-case")
