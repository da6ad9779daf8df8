"""The exceptions of the originals, and which of their texts a refusal has.

Where the original is loaded when an error is raised, the error is an instance of its class
too, so that ``except`` clauses with either name work. It is never imported here.
"""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from hookseal._arguments import wrong_type
from hookseal._errors import SecretError
from hookseal._verdict import Verdict

__all__ = [
    "EmptyWebhookSecretError",
    "GitHubException",
    "InvalidSecretError",
    "ValidationFailure",
    "WebhookVerificationError",
    "signing_second",
    "stated_second",
    "webhook_refusal",
    "webhook_secret",
]


class Mirrored(Exception):
    """An exception whose original is in another package."""

    # Where the original is: module and name. Not of subclasses that users write.
    _originals: ClassVar[tuple[tuple[str, str], ...]] = ()


class WebhookVerificationError(Mirrored):
    """The message is refused. Its ``__cause__`` is the ``VerificationError`` that says why."""

    _originals = (
        ("standardwebhooks.webhooks", "WebhookVerificationError"),
        ("svix.webhooks", "WebhookVerificationError"),
    )


class EmptyWebhookSecretError(Mirrored):
    """There is no key in the secret."""

    _originals = (("standardwebhooks.webhooks", "EmptyWebhookSecretError"),)


class GitHubException(Exception):
    """The base of gidgethub's exceptions."""


class ValidationFailure(Mirrored, GitHubException):
    """A signature is not the payload's."""

    _originals = (("gidgethub", "ValidationFailure"),)


class InvalidSecretError(SecretError, RuntimeError):
    """A secret cannot be a key: ``RuntimeError``, as in standardwebhooks, and ``SecretError``."""


# What tracebacks and pickles call them.
WebhookVerificationError.__module__ = "hookseal.compat.standardwebhooks"
EmptyWebhookSecretError.__module__ = "hookseal.compat.standardwebhooks.webhooks"
GitHubException.__module__ = ValidationFailure.__module__ = "hookseal.compat.github"

# One class for each set of classes that was ever loaded.
_joint: dict[tuple[type, ...], type[Mirrored]] = {}


def mirrored(cls: type[Mirrored], *args: object) -> Mirrored:
    """Makes an exception of a class and, where they are loaded, of its originals."""
    joint = _also(cls)
    try:
        return joint(*args)
    except Exception:  # An original that is made in another way: ours is the one we promise.
        return cls(*args)


def _also(cls: type[Mirrored]) -> type[Mirrored]:
    originals: list[type] = []
    for module, name in cls._originals:
        original = _loaded(module, name)
        # What stands under the name may be ours (an alias) or anything (a mock).
        if not issubclass(type(original), type) or not issubclass(original, Exception):
            continue
        is_ours = issubclass(cls, original) or issubclass(original, Mirrored)
        if not is_ours and original not in originals:
            originals.append(original)
    if not originals:
        return cls
    bases = (cls, *originals)
    found = _joint.get(bases)
    if found is None:
        names = {"__module__": cls.__module__, "__doc__": cls.__doc__, "__reduce__": _reduce}
        try:
            found = type(cls.__name__, bases, names)
        except Exception:  # Two classes that cannot be one: ours is the one we promise.
            found = cls
        # Two threads may make the same class; setdefault lets both have the same one.
        found = _joint.setdefault(bases, found)
    return found


def _loaded(module: str, name: str) -> Any:
    """What a module holds, if it is loaded. One that loads itself when it is asked is not asked."""
    try:
        return object.__getattribute__(sys.modules[module], "__dict__").get(name)
    except (KeyError, AttributeError):
        return None


def _reduce(error: Mirrored) -> tuple[Any, ...]:
    """A pickle holds our class, and finds the original again where it is loaded."""
    ours = next(base for base in type(error).__mro__ if base in _OURS)
    return mirrored, (ours, *error.args), vars(error) or None


_OURS = frozenset({WebhookVerificationError, EmptyWebhookSecretError, ValidationFailure})

# The texts of standardwebhooks, by verdict; every other refusal has the last.
_TEXTS = {
    Verdict.MISSING_HEADER: "Missing required headers",
    Verdict.MALFORMED_TIMESTAMP: "Invalid Signature Headers",
    Verdict.TOO_OLD: "Message timestamp too old",
    Verdict.TOO_NEW: "Message timestamp too new",
}
_NO_MATCH = "No matching signature found"


def webhook_refusal(verdict: int, cause: BaseException) -> Exception:
    """Makes the exception for a message that standardwebhooks' class refuses.

    Args:
        verdict: Any verdict but ``VALID`` and ``UNVERIFIED``.
        cause: The exception in our words.
    """
    error = mirrored(WebhookVerificationError, _TEXTS.get(Verdict(verdict), _NO_MATCH))
    error.__cause__ = cause
    return error


def webhook_secret(given: object, error: Exception) -> Exception:
    """Makes the exception for a secret that cannot be a key.

    Args:
        given: What was given as the secret.
        error: Why it cannot.
    """
    if not given or (isinstance(given, str) and not _has_base64(given)):
        return mirrored(EmptyWebhookSecretError, "webhook secret may not be empty")
    if isinstance(error, SecretError):
        return InvalidSecretError(f"Invalid webhook secret: {error}")
    if isinstance(error, TypeError):
        return InvalidSecretError("Invalid webhook secret")
    return error


def _has_base64(text: str) -> bool:
    rest = text.removeprefix("whsec_")
    return any(c.isascii() and (c.isalnum() or c in "+/") for c in rest) or not rest.isascii()


def signing_second(timestamp: object) -> int:
    """The Unix second of a ``datetime`` to sign at, a naive one being UTC."""
    from datetime import UTC, datetime
    from math import floor

    from hookseal._instant import seconds

    if not isinstance(timestamp, datetime):
        raise wrong_type("datetime", timestamp, "timestamp")
    if timestamp.utcoffset():
        raise ValueError("timestamp must be in UTC, or naive, which is UTC too")
    return seconds(floor(timestamp.replace(tzinfo=UTC).timestamp()), "timestamp")


def stated_second(timestamp: object) -> int:
    """The Unix second that the original signs of what its ``__verify_timestamp`` returned."""
    from datetime import UTC, datetime
    from math import floor

    if not isinstance(timestamp, datetime):
        raise wrong_type("datetime", timestamp, "what __verify_timestamp returned")
    return floor(timestamp.replace(tzinfo=UTC).timestamp())
