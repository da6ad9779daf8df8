"""Secrets: what a user gives, kept until a verifier, ring or signer makes a key of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias, Union, cast, final

from hookseal import schemes
from hookseal._arguments import environment, mistake, wrong_type
from hookseal._discreet import discreet
from hookseal._errors import SecretError, secret_error
from hookseal._finding import Finding
from hookseal._instant import seconds
from hookseal._random import secret_text
from hookseal._scheme import Scheme
from hookseal.pure._arguments import is_sequence, text_or_none
from hookseal.pure._arguments import text as text_argument
from hookseal.pure._decode import (
    base64_key,
    hex_key,
    key_bytes,
    require_text_or_bytes,
)
from hookseal.pure._findings import findings
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._text import own_bytes, own_str
from hookseal.types import Instant, SupportsGetSecretValue

MAX_LABEL_LENGTH = 64

# What an error calls a secret that is no member of anything.
THE_SECRET: Final = "the secret"

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

    @discreet
    def __new__(
        cls,
        value: SecretLike,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret:
        """Takes a secret; ``str`` is read as the scheme reads it, ``bytes`` are the key."""
        return _dressed(secret_of(value, THE_SECRET), label, not_before, not_after)

    @staticmethod
    @discreet
    def from_text(
        text: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret:
        """A secret whose UTF-8 bytes are the key, whatever the scheme."""
        value = _judged(text_argument(text, "text"), THE_SECRET)
        return _dressed(_made(value, True), label, not_before, not_after)

    @staticmethod
    @discreet
    def from_base64(
        text: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret:
        """A secret given as base64 without a prefix, whatever the scheme."""
        value = text_argument(text, "text")
        require_text_or_bytes(value, THE_SECRET)
        return _dressed(_made(base64_key(value, THE_SECRET), True), label, not_before, not_after)

    @staticmethod
    @discreet
    def from_hex(
        text: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret:
        """A secret given as hex digits, whatever the scheme."""
        value = text_argument(text, "text")
        require_text_or_bytes(value, THE_SECRET)
        return _dressed(_made(hex_key(value, THE_SECRET), True), label, not_before, not_after)

    @staticmethod
    @discreet
    def from_env(
        name: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret:
        """A secret whose text an environment variable holds."""
        return _dressed(secret_of(*environment(name)), label, not_before, not_after)

    @staticmethod
    def generate(scheme: Scheme | str = "standard-webhooks", *, label: str | None = None) -> Secret:
        """A new random secret in the form that the scheme asks for."""
        return _dressed(_made(secret_text(scheme_of(scheme)), False), label)

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
            key = self._key(scheme, THE_SECRET)
        except SecretError:
            key = None
        return self._findings(key, scheme, None, self._label)

    def reveal(self) -> str | bytes:
        """The secret as it was given: the one way to read it."""
        return self._value

    def _key(self, scheme: Scheme, place: str) -> bytes:
        return key_bytes(self._value, self._fixed, scheme, place)

    def _findings(
        self, key: bytes | None, scheme: Scheme, endpoint: str | None, label: str | None
    ) -> list[Finding]:
        return findings(self._value, self._fixed, key, scheme, endpoint=endpoint, label=label)

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


class Given(NamedTuple):
    """What was given as the secrets of an endpoint, and what an error calls each of them.

    Attributes:
        secrets: The secrets, in order.
        place: What they are called together: "secrets", "endpoints['acme']".
        alone: What the one secret is called that is no member of a sequence; None for
            a sequence.
    """

    secrets: tuple[Secret, ...]
    place: str
    alone: str | None

    def place_of(self, position: int) -> str:
        return f"{self.place}[{position}]" if self.alone is None else self.alone


def secrets_of(given: object, place: str = "secrets", alone: str = THE_SECRET) -> Given:
    """One secret or a sequence of them.

    Raises:
        TypeError: It is neither, or one of them is no secret.
        SecretError: One of them is a secret in no scheme.
    """
    # Not any iterable: the order of secrets is their rank, and a set has none.
    if not is_sequence(given) or hasattr(given, "get_secret_value"):
        return Given((secret_of(given, alone),), place, alone)
    several = enumerate(cast(Sequence[object], given))
    secrets = tuple(secret_of(one, f"{place}[{index}]") for index, one in several)
    return Given(secrets, place, None)


def secret_of(value: object, place: str) -> Secret:
    """One secret: as it is, or made of what is one."""
    if type(value) is Secret:
        return value
    if isinstance(value, (str, bytes)):
        return _made(_judged(value, place), False)
    ask = getattr(value, "get_secret_value", None)
    if ask is None:
        raise wrong_type("secret", value, place)
    wrapped, place = ask(), f"get_secret_value() of {place}"
    if not isinstance(wrapped, (str, bytes)):
        raise wrong_type("secret value", wrapped, place)
    return _made(_judged(wrapped, place), False)


def _judged(value: str | bytes, place: str) -> str | bytes:
    own = own_str(value) if isinstance(value, str) else own_bytes(value)
    require_text_or_bytes(own, place)
    return own


def _made(value: str | bytes, fixed: bool) -> Secret:
    secret = object.__new__(Secret)
    put(secret, "_value", value)
    put(secret, "_fixed", fixed)
    for name in ("_label", "_not_before", "_not_after"):
        put(secret, name, None)
    return secret


def _dressed(
    bare: Secret,
    label: str | None,
    not_before: Instant | None = None,
    not_after: Instant | None = None,
) -> Secret:
    """The same secret with a label and a window; what is not given stays."""
    secret = _made(bare._value, bare._fixed)
    put(secret, "_label", bare._label if label is None else _checked_label(label))
    begin = bare._not_before if not_before is None else seconds(not_before, "not_before")
    end = bare._not_after if not_after is None else seconds(not_after, "not_after")
    if begin is not None and end is not None and end <= begin:
        raise mistake("window")
    put(secret, "_not_before", begin)
    put(secret, "_not_after", end)
    return secret


def _checked_label(label: object) -> str:
    # None is allowed to the one who asks, so the words say so.
    label = text_or_none(label, "label") or ""
    if not 1 <= len(label) <= MAX_LABEL_LENGTH or not label.isascii() or not label.isprintable():
        raise secret_error("label")
    return label
