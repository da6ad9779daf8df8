"""Secrets: what a user gives, kept until a verifier, ring or signer makes a key of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias, Union, cast, final

from hookseal import schemes
from hookseal._errors import SecretError
from hookseal._finding import Finding
from hookseal._instant import seconds
from hookseal._scheme import Scheme
from hookseal.pure._decode import base64_key, hex_key, key_bytes, require_text_or_bytes
from hookseal.pure._findings import findings
from hookseal.pure._random import secret_text
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._text import own_bytes, own_str
from hookseal.types import Instant, SupportsGetSecretValue

MAX_LABEL_LENGTH = 64

SecretLike: TypeAlias = Union["Secret", str, bytes, SupportsGetSecretValue]


@final
class Secret(Sealed):
    """A secret with its label and window; it shows neither in ``repr`` nor in errors what it is."""

    __slots__ = ("_fixed", "_label", "_not_after", "_not_before", "_value")

    _value: str | bytes
    _fixed: bool
    _label: str | None
    _not_before: int | None
    _not_after: int | None

    def __new__(
        cls,
        value: SecretLike,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret:
        """Takes a secret; ``str`` is read as the scheme reads it, ``bytes`` are the key."""
        if type(value) is Secret:
            # Another label or window for the same secret; what is not given stays.
            return _make(
                value._value,
                value._fixed,
                value._label if label is None else label,
                value._not_before if not_before is None else not_before,
                value._not_after if not_after is None else not_after,
            )
        return _make(_given(value, "value"), False, label, not_before, not_after)

    @staticmethod
    def from_text(
        text: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret:
        """A secret whose UTF-8 bytes are the key, whatever the scheme."""
        return _make(_text("text", text), True, label, not_before, not_after)

    @staticmethod
    def from_base64(
        text: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret:
        """A secret given as base64 without a prefix, whatever the scheme."""
        value = _text("text", text)
        require_text_or_bytes(value, "the secret")
        key = base64_key(value, "the secret")
        return _make(key, True, label, not_before, not_after)

    @staticmethod
    def from_hex(
        text: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret:
        """A secret given as hex digits, whatever the scheme."""
        value = _text("text", text)
        require_text_or_bytes(value, "the secret")
        return _make(hex_key(value, "the secret"), True, label, not_before, not_after)

    @staticmethod
    def from_env(
        name: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret:
        """A secret whose text an environment variable holds."""
        value = os.environ.get(_text("name", name))
        if value is None:
            raise SecretError(f"the environment variable {name!r} is not set")
        return _make(value, False, label, not_before, not_after)

    @staticmethod
    def generate(scheme: Scheme | str = "standard-webhooks", *, label: str | None = None) -> Secret:
        """A new random secret in the form that the scheme asks for."""
        return _make(secret_text(scheme_of(scheme)), False, label, None, None)

    @property
    def label(self) -> str | None:
        """The label given, or None."""
        return self._label

    @property
    def not_before(self) -> int | None:
        """The second at which it becomes live, or None."""
        return self._not_before

    @property
    def not_after(self) -> int | None:
        """The second at which it stops being live, or None."""
        return self._not_after

    def check(self, scheme: Scheme | str = "standard-webhooks") -> list[Finding]:
        """What is weak about the secret in a scheme; it never raises for a weak one."""
        scheme = scheme_of(scheme)
        try:
            key = self._key(scheme, "the secret")
        except SecretError:
            return [Finding("wrong-encoding", label=self._label)]
        return findings(key, scheme, label=self._label)

    def reveal(self) -> str | bytes:
        """The secret as it was given: the one way to read it."""
        return self._value

    def _key(self, scheme: Scheme, place: str) -> bytes:
        return key_bytes(self._value, self._fixed, scheme, place)

    def __repr__(self) -> str:
        shown = f"Secret(label={self._label!r}"
        if self._not_before is not None:
            shown += f", not_before={self._not_before}"
        if self._not_after is not None:
            shown += f", not_after={self._not_after}"
        return shown + ")"


def scheme_of(scheme: Scheme | str) -> Scheme:
    """A scheme from what an argument ``scheme`` holds."""
    return scheme if isinstance(scheme, Scheme) else schemes.get(scheme)


def secrets_of(given: object, name: str, alone: str = "the secret") -> list[tuple[str, Secret]]:
    """One secret or a sequence of them, each with what a SecretError calls it.

    Args:
        given: What the user gave.
        name: The argument's name.
        alone: What an error calls a secret that is no member of a sequence.

    Raises:
        TypeError: It is neither, or one of them is no secret.
        SecretError: One of them is a secret in no scheme.
    """
    # Not any iterable: the order of secrets is their rank, and a set has none.
    several = isinstance(given, Sequence) and not isinstance(
        given, (str, bytes, bytearray, memoryview)
    )
    if not several or hasattr(given, "get_secret_value"):
        return [(alone, secret_of(given, name, alone))]
    places = [(f"{name}[{index}]", one) for index, one in enumerate(cast(Sequence[object], given))]
    return [(place, secret_of(one, place, place)) for place, one in places]


def secret_of(value: object, name: str, place: str) -> Secret:
    """One secret: as it is, or made of what is one."""
    if type(value) is Secret:
        return value
    return _make(_given(value, name), False, None, None, None, place)


def _given(value: object, name: str) -> str | bytes:
    if not isinstance(value, (str, bytes)):
        wrapped = getattr(value, "get_secret_value", None)
        if wrapped is None:
            raise TypeError(
                f"{name} must be str, bytes, a Secret of this module or an object with"
                f" get_secret_value(), not {type(value).__name__}"
            )
        value = wrapped()
        if not isinstance(value, (str, bytes)):
            raise TypeError(
                f"{name}.get_secret_value() must give str or bytes, not {type(value).__name__}"
            )
    return own_str(value) if isinstance(value, str) else own_bytes(value)


def _text(name: str, text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{name} must be str, not {type(text).__name__}")
    return own_str(text)


def _make(
    value: str | bytes,
    fixed: bool,
    label: str | None,
    not_before: Instant | None,
    not_after: Instant | None,
    place: str = "the secret",
) -> Secret:
    # What from_base64 and from_hex decoded was judged as text; its bytes may be anything.
    if isinstance(value, str) or not fixed:
        require_text_or_bytes(value, place)
    begin = None if not_before is None else seconds(not_before, "not_before")
    end = None if not_after is None else seconds(not_after, "not_after")
    if begin is not None and end is not None and end <= begin:
        raise ValueError("not_after must be later than not_before")
    secret = object.__new__(Secret)
    put(secret, "_value", value)
    put(secret, "_fixed", fixed)
    put(secret, "_label", None if label is None else _checked_label(label))
    put(secret, "_not_before", begin)
    put(secret, "_not_after", end)
    return secret


def _checked_label(label: object) -> str:
    label = _text("label", label)
    if not 1 <= len(label) <= MAX_LABEL_LENGTH or not label.isascii() or not label.isprintable():
        raise SecretError(f"label must be 1 to {MAX_LABEL_LENGTH} characters of printable ASCII")
    return label
