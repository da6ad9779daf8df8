"""What ``Secret.check`` and ``Keyring.check`` report."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Self, TypeVar

    T = TypeVar("T", bound="Finding")

__all__ = ["Finding"]

_TEXTS = {
    "short": "the key has {number} bytes, fewer than the {limit} that are advised",
    "long": "the key has {number} bytes, more than the {limit} that are advised",
    "low-variety": "the key has {number} different bytes, fewer than {limit}",
    "repeated": "the key is one piece repeated; bytes of the piece: {number}",
    "common-word": "the key holds a common word",
    "dictionary-words": "{number} of the key's {limit} bytes are words of a dictionary",
    "surrounding-space": "the secret begins or ends with white space, which is part of the key",
    "wrong-alphabet": "the secret holds characters that its encoding does not have",
    "wrong-encoding": "the secret looks like one of another encoding",
    "other-provider": "the secret looks like one of another provider, or like no webhook's",
    "shared-key": "another endpoint has the same key",
}


class Finding:
    """One weakness of a secret. It never shows the secret.

    Attributes:
        code: "short", "long", "low-variety", "repeated", "common-word", "dictionary-words",
            "surrounding-space", "wrong-alphabet", "wrong-encoding", "other-provider" or
            "shared-key".
        text: The finding as a sentence.
        endpoint: The keyring endpoint, or None for a secret on its own.
        label: The secret's label, or None where it has none.
    """

    __slots__ = ("code", "endpoint", "label", "text")

    code: str
    text: str
    endpoint: str | None
    label: str | None

    # Without an __init__ there is none to call again.
    def __new__(
        cls,
        code: str,
        *,
        number: int = 0,
        limit: int = 0,
        endpoint: str | None = None,
        label: str | None = None,
    ) -> Self:
        return _made(cls, code, _TEXTS[code].format(number=number, limit=limit), endpoint, label)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Finding is frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Finding is frozen")

    def _key(self) -> tuple[object, ...]:
        return self.code, self.text, self.endpoint, self.label

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Finding) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[object, ...]:
        return _made, (type(self), self.code, self.text, self.endpoint, self.label)

    def __repr__(self) -> str:
        return f"Finding({self.code!r}, endpoint={self.endpoint!r}, label={self.label!r})"

    def __str__(self) -> str:
        where = " of ".join(repr(x) for x in (self.label, self.endpoint) if x is not None)
        return f"{where}: {self.text}" if where else self.text


def _made(cls: type[T], code: str, text: str, endpoint: str | None, label: str | None) -> T:
    finding = object.__new__(cls)
    put = object.__setattr__
    put(finding, "code", code)
    put(finding, "text", text)
    put(finding, "endpoint", endpoint)
    put(finding, "label", label)
    return finding
