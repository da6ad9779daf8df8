"""Bodies: the very bytes that are hashed."""

from __future__ import annotations

from hookseal._arguments import mistake, wrong_type
from hookseal.pure._text import own_bytes, utf8


def read_body(body: object, place: str = "body") -> bytes | None:
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
    if isinstance(body, memoryview) and body.c_contiguous and body.itemsize == 1:
        return body.tobytes()
    raise wrong_type("body", body, place)


def encodable(data: bytes | None, place: str = "body") -> bytes:
    """What ``read_body`` gave, where text that cannot be encoded is an error of its own."""
    if data is None:
        raise mistake("body-not-utf8", place)
    return data
