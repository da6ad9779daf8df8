"""Text and bytes: encoding, trimming, and the strict decoding of base64 and hex.

Nothing here raises, so no exception can carry a secret or a body in its context: what
cannot be encoded or decoded is None.
"""

from __future__ import annotations

import binascii

# RFC 9110 §5.5: a field value loses leading and trailing SP and HTAB.
_OPTIONAL_WHITE_SPACE = b" \t"
# What C's isspace knows: white space where people paste.
WHITE_SPACE = b"\t\n\v\f\r "


def utf8(text: str) -> bytes | None:
    """The UTF-8 bytes of a text, or None if it holds a lone surrogate."""
    try:
        return str.encode(text, "utf-8")
    except UnicodeEncodeError:
        return None


def header_bytes(text: str | bytes) -> bytes:
    """The bytes of a header's name or value.

    A lone surrogate becomes its three bytes, which no rule accepts: not an error, since
    the sender can make a server produce one.
    """
    if isinstance(text, str):
        return str.encode(text, "utf-8", "surrogatepass")
    return own_bytes(text)


def own_bytes(data: bytes) -> bytes:
    """An exact ``bytes`` of the same contents, whatever a subclass may override."""
    return data if type(data) is bytes else bytes.__getitem__(data, slice(None))


def own_str(text: str) -> str:
    """An exact ``str`` of the same contents, whatever a subclass may override."""
    return text if type(text) is str else str.__str__(text)


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def trim(value: bytes) -> bytes:
    return value.strip(_OPTIONAL_WHITE_SPACE)


def base64_bytes(text: bytes) -> bytes | None:
    """Decodes canonical base64, or gives None.

    Canonical: standard alphabet, padded, and zero in the bits that the last character
    leaves over (RFC 4648 §3.5). ``b64decode(validate=True)`` does not look at those
    bits; that encoding gives the same text again decides all three.
    """
    try:
        data = binascii.a2b_base64(text)
    except binascii.Error:
        return None
    return data if binascii.b2a_base64(data, newline=False) == text else None


def hex_bytes(text: bytes, *, any_case: bool) -> bytes | None:
    """Decodes hex digits, or gives None; lower case alone unless ``any_case``."""
    try:
        data = binascii.unhexlify(text)
    except binascii.Error:
        return None
    return data if any_case or data.hex().encode() == text else None
