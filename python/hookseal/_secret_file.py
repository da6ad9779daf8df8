"""Files that hold one secret, as orchestrators mount them."""

from __future__ import annotations

import os

from hookseal._errors import SecretError

__all__ = ["MAX_SECRET_FILE_BYTES", "content", "secret_text", "secret_text_of"]

# No provider's secret comes near it, and no header could carry a token of that size.
MAX_SECRET_FILE_BYTES = 64 * 1024


def secret_text_of(path: str) -> str:
    """What a file says, without exactly one final newline (LF or CRLF).

    Everything else is part of the secret, a second newline too.

    Raises:
        OSError: The file cannot be read.
        SecretError: It is not UTF-8.
        ValueError: It is longer than any secret.
    """
    return secret_text(content(path, MAX_SECRET_FILE_BYTES)[0])


def secret_text(data: bytes) -> str:
    """The same of what a file holds.

    Raises:
        SecretError: It is not UTF-8.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = None
    # Outside the except clause: the error there holds what was read.
    if text is None:
        raise SecretError("the secret is not UTF-8: a file holds a secret as text")
    if text.endswith("\n"):
        return text[: -2 if text.endswith("\r\n") else -1]
    return text


def content(path: str, limit: int) -> tuple[bytes, int]:
    """The bytes of a file, and its mode.

    Raises:
        OSError: The file cannot be read.
        ValueError: It holds more than ``limit`` bytes, or its name holds a NUL.
    """
    with open(path, "rb") as stream:
        data, mode = stream.read(limit + 1), os.fstat(stream.fileno()).st_mode
    if len(data) > limit:
        raise ValueError(f"{path} holds more than {limit} bytes")
    return data, mode
