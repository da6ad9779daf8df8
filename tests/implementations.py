"""The two implementations, and what the tests of this folder say again and again."""

from __future__ import annotations

from typing import Any, Final

from tests import oracle
from tests.vector_rows import each_implementation, module

# The parameters of ``each_implementation``, for fixtures.
BOTH: Final[list[Any]] = list(each_implementation.mark.args[1])

NOW: Final = 1_700_000_000
KEY: Final = bytes(range(1, 33))
SECRET: Final = "whsec_" + oracle.b64(KEY)
BODY: Final = b'{"type":"invoice.paid"}'


def core() -> Any:
    """The compiled implementation."""
    return module("hookseal")


def twin() -> Any:
    """The implementation in plain Python."""
    return module("hookseal.pure")


def key(number: int) -> bytes:
    """A key, one for each number."""
    return oracle.mac(b"tests", b"key %d" % number)


def secret(number: int) -> str:
    """The key of that number as Standard Webhooks writes it."""
    return "whsec_" + oracle.b64(key(number))


def signed(
    body: bytes = BODY, *, key: bytes = KEY, id: str = "msg_1", timestamp: int = NOW
) -> dict[str, str]:
    """The headers of Standard Webhooks, made by the standard library alone."""
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": oracle.v1(key, id.encode(), str(timestamp).encode(), body),
    }
