"""Messages and secrets of every preset, signed by the standard library alone."""

from __future__ import annotations

from typing import Any, Final

from tests.implementations import BODY, NOW
from tests.judges import Message
from tests.messages import SCHEMES, Spec, good

MAC_SCHEMES: Final = ("standard-webhooks", "svix", "uplift", "zoho-projects", "github")
TOKEN_SCHEMES: Final = ("shared-token", "gitlab-token")
ALL_SCHEMES: Final = MAC_SCHEMES + TOKEN_SCHEMES


def secret_of(scheme: str, number: int = 0) -> str:
    """A secret as its provider shows it, one for each number."""
    text: str = Spec(number, "text").make(None, SCHEMES[scheme])
    return text


def message_of(scheme: str, body: bytes = BODY, *numbers: int, at: int = NOW) -> Message:
    """A message signed with secrets of these numbers, 0 if none is given; the signature's header
    is the first."""
    draft = good(SCHEMES[scheme], list(numbers or (0,)), body, "msg_1", at)
    return draft.body, draft.headers


def with_signature(message: Message, value: Any) -> Message:
    """The message with another value in the signature's header."""
    body, [(name, _), *others] = message
    return body, [(name, value), *others]


def signature_of(message: Message) -> str:
    """The value of the signature's header."""
    value: str = message[1][0][1]
    return value
