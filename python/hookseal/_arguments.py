"""Arguments: what each must be, and the words for what it is not.

Both implementations judge and speak through this module, except where one of them has a
faster way for what is right.
"""

from __future__ import annotations

import os

from hookseal._errors import secret_error

__all__ = [
    "body_limit",
    "environment",
    "json_value",
    "thread_count",
    "unsigned_reason",
    "wrong_length",
    "wrong_type",
]

_EXPECTED = {
    "body": "bytes, bytearray, str or a C-contiguous memoryview of one-byte items",
    "headers": "a mapping, or an iterable of (name, value) pairs",
    "headers item": "a (name, value) tuple or list",
    "header name": "str or bytes",
    "header value": "str, bytes, a list or tuple of those, or None",
    "endpoint": "a str or None",
    "endpoint name": "a str",
    "endpoints": "a mapping of names to secrets",
    "item": "a Message, (body, headers), a mapping with body and headers, or an object with them",
    "messages": "an iterable of messages",
    "bodies": "an iterable of bodies",
    "ids": "a sequence of str or None",
    "received_at": "an instant, None, or a sequence or buffer of instants",
    "timestamps": "a sequence or buffer of instants",
    "scheme": "a name or a Scheme",
    "secret": "str, bytes, a Secret of this module, or an object with get_secret_value()",
    "secret text": "str",
    "label": "a str or None",
    "id": "a str or None",
    "max_body_bytes": "a whole number of bytes or None",
    "threads": "a whole number or None",
    "reason": "a str that says why nothing is verified",
    "environment name": "str",
}


def wrong_type(what: str, value: object, place: str | None = None) -> TypeError:
    """The error for an argument of a wrong type.

    Args:
        what: Which argument it is.
        value: What was given; only its type is told.
        place: What to call it, where the argument's name is not enough: "endpoint[3]".
    """
    return TypeError(f"{place or what} must be {_EXPECTED[what]}, not {type(value).__name__}")


def wrong_length(what: str, length: int, messages: int) -> ValueError:
    """The error for a sequence that does not have an element for each message."""
    return ValueError(f"{what} has {length} elements for {messages} messages")


def body_limit(value: object) -> int | None:
    """Judges ``max_body_bytes``: bytes, or None for no limit."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("max_body_bytes", value)
    if value < 0:
        raise ValueError("max_body_bytes must not be negative")
    return int(value)


def thread_count(value: object) -> int | None:
    """Judges ``threads``: at least 1, or None for as many as help."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("threads", value)
    if value < 1:
        raise ValueError("threads must be at least 1")
    return int(value)


def unsigned_reason(value: object) -> str:
    """Judges the reason for verifying nothing, and warns that it is so."""
    from warnings import warn

    if not isinstance(value, str):
        raise wrong_type("reason", value)
    if not value.strip():
        raise ValueError("reason must say why nothing is verified")
    # Level 3 is the line that called Verifier.unsigned, in the twin; the core has no
    # frame of its own, so there it is the caller's caller at worst.
    warn(f"this verifier accepts every message: {value}", UserWarning, stacklevel=2)
    return value


def environment(name: object) -> str:
    """The text of an environment variable that must be there."""
    if not isinstance(name, str):
        raise wrong_type("environment name", name)
    value = os.environ.get(name)
    if value is None:
        raise secret_error("not-set", f"environment variable {name}")
    return value


def json_value(body: bytes) -> object:
    """What the body says as JSON, read as ``json.loads`` reads it."""
    from json import loads

    return loads(body)
