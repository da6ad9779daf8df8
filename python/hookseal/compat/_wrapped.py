"""Secrets that other objects hold, such as pydantic's ``SecretStr``."""

from __future__ import annotations

from typing import Any

__all__ = ["unwrapped"]


class _Told:
    """What an object said when it was asked."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def get_secret_value(self) -> object:
        """The secret."""
        return self._value


def unwrapped(whsecret: Any) -> Any:
    """Asks each object that holds a secret, once.

    A drop-in has one exception for all that cannot be a secret. What a store of secrets raises
    is another matter, and its own: so it is asked before the secrets are read.

    Args:
        whsecret: What ``Webhook`` was given.

    Returns:
        The same, with what was said in the place of who said it.
    """
    from hookseal.pure._arguments import is_sequence

    if is_sequence(whsecret) and not hasattr(whsecret, "get_secret_value"):
        return [_asked(one) for one in whsecret]
    return _asked(whsecret)


def _asked(secret: Any) -> Any:
    ask = None if isinstance(secret, (str, bytes)) else getattr(secret, "get_secret_value", None)
    return secret if ask is None else _Told(ask())
