"""Bodies: the very bytes that are hashed."""

from __future__ import annotations

from hookseal.pure._text import own_bytes, utf8

# What a body that is text but no UTF-8 is told, wherever it is an error of its own.
NOT_UTF8 = "the body's text cannot be encoded as UTF-8"


def read_body(body: object, name: str = "body") -> bytes | None:
    """The bytes of a body, or None for text that cannot be encoded.

    Raises:
        TypeError: It is none of bytes, bytearray, memoryview and str, or a memoryview
            that is not C-contiguous with items of one byte.
    """
    if isinstance(body, bytes):
        return own_bytes(body)
    if isinstance(body, str):
        return utf8(body)
    if isinstance(body, bytearray):
        # Another thread may resize it while it is hashed, hence a copy. The slice is
        # bytearray's own; bytes(body) would ask the subclass.
        return bytes(bytearray.__getitem__(body, slice(None)))
    if isinstance(body, memoryview):
        if not body.c_contiguous or body.itemsize != 1:
            raise TypeError(f"{name} as a memoryview must be C-contiguous, of one-byte items")
        return body.tobytes()
    raise TypeError(
        f"{name} must be bytes, bytearray, memoryview or str, not {type(body).__name__}"
    )
