"""The class ``Message`` in plain Python, for where there is no binary."""

from __future__ import annotations

from hookseal._arguments import wrong_type
from hookseal._instant import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

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

    __slots__ = ("_parts",)

    _parts: tuple[Body, Headers, str | None, Instant | None, str | None, str | None]

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
        parts = (body, headers, endpoint, received_at, url, method)
        object.__setattr__(message, "_parts", parts)
        return message

    @property
    def body(self) -> Body:
        """The request's bytes, as they were given."""
        return self._parts[0]

    @property
    def headers(self) -> Headers:
        """The request's headers, as they were given."""
        return self._parts[1]

    @property
    def endpoint(self) -> str | None:
        """The keyring endpoint that the message arrived at, if it was stated."""
        return self._parts[2]

    @property
    def received_at(self) -> Instant | None:
        """When it arrived, if it was stated."""
        return self._parts[3]

    @property
    def url(self) -> str | None:
        """The full URL of the request, if it was stated."""
        return self._parts[4]

    @property
    def method(self) -> str | None:
        """The HTTP method of the request, if it was stated."""
        return self._parts[5]

    # The others have no setter; what a subclass adds is its own affair.
    def __setattr__(self, name: str, value: object) -> None:
        self._refuse_parts(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse_parts(name)
        super().__delattr__(name)

    def _refuse_parts(self, name: str) -> None:
        if name == "_parts":
            raise AttributeError("a Message is frozen", name=name, obj=self)

    def __repr__(self) -> str:
        # Neither body nor headers: a message in a log must not carry what it carries.
        return f"Message(endpoint={self.endpoint!r}, received_at={self.received_at!r})"

    # A copy is no subclass, but states what one says of itself.
    def __reduce__(self) -> tuple[object, ...]:
        from hookseal._message import _message

        named = {name: getattr(self, name) for name in ("endpoint", "received_at", "url", "method")}
        return _message, (self.body, self.headers, named)
