"""A message, as it is handed to ``verify_batch``."""

from __future__ import annotations

from hookseal._arguments import wrong_type
from hookseal._instant import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Self

    from hookseal.types import Body, Headers, Instant

__all__ = ["Message"]


class Message:
    """One received message: the only form that states its own endpoint and arrival time.

    Args:
        body: The request's bytes as they came; ``str`` is encoded as UTF-8.
        headers: The request's headers.
        endpoint: The keyring endpoint that the message arrived at.
        received_at: When it arrived: Unix seconds or an aware datetime, from the
            broker's own metadata, never from the message.
        url: The full URL of the request, for schemes that sign it.
        method: The HTTP method of the request, for schemes that sign it.

    Raises:
        TypeError: ``endpoint``, ``url`` or ``method`` is not a str, or
            ``received_at`` is not an instant.
        ValueError: ``received_at`` is out of range.

    A message is frozen. Body and headers are checked when it is verified, so that one
    bad message does not keep a batch from being built.
    """

    __slots__ = ("body", "endpoint", "headers", "method", "received_at", "url")

    body: Body
    headers: Headers
    endpoint: str | None
    received_at: Instant | None
    url: str | None
    method: str | None

    # Without an __init__ there is none to call again.
    def __new__(
        cls,
        body: Body,
        headers: Headers,
        *,
        endpoint: str | None = None,
        received_at: Instant | None = None,
        url: str | None = None,
        method: str | None = None,
    ) -> Self:
        for name, value in (("endpoint", endpoint), ("url", url), ("method", method)):
            if value is not None and not isinstance(value, str):
                raise wrong_type("str or None", value, name)
        if received_at is not None:
            seconds(received_at, "received_at")
        message = object.__new__(cls)
        put = object.__setattr__
        put(message, "body", body)
        put(message, "headers", headers)
        put(message, "endpoint", endpoint)
        put(message, "received_at", received_at)
        put(message, "url", url)
        put(message, "method", method)
        return message

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Message is frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Message is frozen")

    def __repr__(self) -> str:
        # Neither body nor headers: a message in a log must not carry what it carries.
        return f"Message(endpoint={self.endpoint!r}, received_at={self.received_at!r})"

    def __reduce__(self) -> tuple[object, ...]:
        named = {name: getattr(self, name) for name in ("endpoint", "received_at", "url", "method")}
        return _message, (self.body, self.headers, named)


def _message(body: Body, headers: Headers, named: dict[str, object]) -> Message:
    return Message(body, headers, **named)  # type: ignore[arg-type]
