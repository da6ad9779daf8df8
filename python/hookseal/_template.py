"""What schemes are made of: header names, and the parts of the signed bytes."""

from __future__ import annotations

from hookseal._errors import SchemeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

__all__ = ["PLACEHOLDERS", "Family", "Part", "ascii_or_none", "header_names", "split_template"]

PLACEHOLDERS: Final = ("{id}", "{timestamp}", "{body}")

# RFC 9110 §5.6.2: what a header name is made of.
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
# The core keeps the signed bytes around a body on the stack.
_MAX_TEMPLATE_BYTES = 512
# Each is looked for in every message.
_MAX_FAMILIES = 8


class Family(tuple["str | None", ...]):
    """The three headers that belong together: signature, id, timestamp; lower case."""

    __slots__ = ()

    @property
    def signature(self) -> str:
        name = self[0]
        assert name is not None
        return name

    @property
    def id(self) -> str | None:
        return self[1]

    @property
    def timestamp(self) -> str | None:
        return self[2]


class Part(str):
    """A piece of the signed bytes: ``{id}``, ``{timestamp}``, or a literal."""

    __slots__ = ()

    @property
    def is_placeholder(self) -> bool:
        return self in PLACEHOLDERS


def ascii_or_none(argument: str, value: str | None) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be str, not {type(value).__name__}")
    if not value.isascii() or not value.isprintable():
        raise SchemeError(f"{argument} must be printable ASCII")
    return value


def header_names(argument: str, names: str | Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    result = []
    for name in (names,) if isinstance(names, str) else tuple(names):
        if not isinstance(name, str):
            raise TypeError(f"{argument} must be str, not {type(name).__name__}")
        # isascii first: only then does lower() fold A-Z and nothing else.
        if not name or not name.isascii() or not _TOKEN.issuperset(name.lower()):
            raise SchemeError(f"{argument} is not a header name: {name!r}")
        result.append(name.lower())
    if len(result) > _MAX_FAMILIES:
        raise SchemeError(f"{argument} names more than {_MAX_FAMILIES} headers")
    return tuple(result)


def split_template(signed: str) -> tuple[Part, ...]:
    ascii_or_none("signed", signed)
    if len(signed) > _MAX_TEMPLATE_BYTES:
        raise SchemeError(f"signed must have at most {_MAX_TEMPLATE_BYTES} characters")
    parts: list[Part] = []
    rest = signed
    while rest:
        mark = next((mark for mark in PLACEHOLDERS if rest.startswith(mark)), None)
        if mark is None:
            end = rest.find("{", 1) if not rest.startswith("{") else -1
            mark = rest if end < 0 else rest[:end]
            if "{" in mark or "}" in mark:
                raise SchemeError("signed may hold {id}, {timestamp}, {body} and literals")
        parts.append(Part(mark))
        rest = rest[len(mark) :]
    return tuple(parts)
