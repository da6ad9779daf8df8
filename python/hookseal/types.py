"""Names for the types that the functions of hookseal take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, Union

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from hookseal._core import Secret
    from hookseal._message import Message
    from hookseal.pure import Secret as PureSecret

__all__ = [
    "AnySecret",
    "Body",
    "HeaderName",
    "HeaderValue",
    "Headers",
    "Instant",
    "Instants",
    "MessageLike",
    "SecretLike",
    "SupportsGetSecretValue",
    "SupportsMessage",
    "SupportsPipeline",
    "Tolerance",
]


class SupportsGetSecretValue(Protocol):
    """A wrapped secret, such as pydantic's ``SecretStr``."""

    def get_secret_value(self) -> str | bytes: ...


class SupportsMessage(Protocol):
    """Anything with a body and headers, such as a framework's request."""

    @property
    def body(self) -> Body: ...
    @property
    def headers(self) -> Headers: ...


class SupportsPipeline(Protocol):
    """A client of the packages ``redis`` or ``valkey``, sync or async."""

    # Their own types differ between versions, clusters and single servers.
    def pipeline(self, transaction: Any = ...) -> Any: ...


Body: TypeAlias = bytes | bytearray | memoryview | str
"""The bytes of a request. ``str`` is encoded as UTF-8."""

HeaderName: TypeAlias = str | bytes
"""A header's name; A to Z are folded, nothing else."""

HeaderValue: TypeAlias = (
    str | bytes | Sequence[str] | Sequence[bytes] | Sequence[str | bytes] | None
)
"""One header's value, or a list or tuple of values; None stands for an absent header."""

Headers: TypeAlias = (
    Mapping[str, Any]
    | Mapping[bytes, Any]
    | Mapping[str | bytes, Any]
    | Iterable[tuple[HeaderName, HeaderValue]]
    | Iterable[tuple[str, str]]
    | Iterable[tuple[bytes, bytes]]
)
"""A mapping of ``HeaderName`` to ``HeaderValue``, or pairs of them.

The values of a mapping are ``Any`` here because ``Mapping`` is invariant in its key and
the mappings of the web frameworks all differ; they are checked when they are read.
"""

Instant: TypeAlias = int | float | datetime
"""A point in time: Unix seconds, or an aware ``datetime``. Floored to seconds."""

Instants: TypeAlias = Union[Instant, Sequence[Instant | None], "Buffer", None]
"""One instant for all messages, one for each, or a buffer of int64 or float64."""

Tolerance: TypeAlias = int | tuple[int, int] | Literal["off"] | None
"""Seconds both ways, or (past, future); "off"; or None for the scheme's own window."""

SecretLike: TypeAlias = Union["Secret", str, bytes, SupportsGetSecretValue]
"""A secret as the core takes it."""

AnySecret: TypeAlias = Union["Secret", "PureSecret", str, bytes, SupportsGetSecretValue]
"""A secret of the core or of its twin; each takes its own alone."""

MessageLike: TypeAlias = Union["Message", tuple[Body, Headers], Mapping[str, Any], SupportsMessage]
"""A ``Message``, an exact (body, headers) tuple, a mapping with the keys "body" and
"headers", or an object with those attributes."""
