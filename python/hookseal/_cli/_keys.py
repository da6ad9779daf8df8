"""What a command verifies and signs with: the options that name secrets."""

from __future__ import annotations

import os

from hookseal._cli import _implementation
from hookseal._cli._exit import USAGE, Fault, io_fault
from hookseal._cli._say import named
from hookseal._errors import SecretError, looks_secret, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

__all__ = ["keyring", "secret_from", "secrets", "verifier"]

_NO_SECRET = "needs a secret: --secret-env NAME, --secret-file PATH"


def verifier(options: Namespace) -> Any:
    """The verifier that the options describe.

    Raises:
        Fault: The options do not go together, or a file cannot be read.
        SecretError, SchemeError: As ``Verifier``.
    """
    if options.keyring is not None:
        return _implementation.hooks().Verifier(keyring(options), tolerance=options.tolerance)
    if not options.secrets:
        raise Fault(f"{options.command} {_NO_SECRET} or --keyring FILE")
    return _implementation.hooks().Verifier(
        secrets(options), scheme=options.scheme, tolerance=options.tolerance
    )


def keyring(options: Namespace) -> Any:
    """The keyring of ``--keyring``, which goes with neither a scheme nor secrets."""
    if options.scheme is not None or options.secrets:
        raise Fault("--keyring names schemes and secrets itself: pass it without the options")
    file = options.keyring
    try:
        return _implementation.hooks().Keyring.from_file(file)
    except OSError as error:
        raise io_fault(f"cannot read the keyring {named(file)}", error, USAGE) from None
    except ValueError as error:  # SecretError and SchemeError are such
        raise Fault(str(error)) from None


def secrets(options: Namespace) -> list[Any]:
    """The secrets in the order of the options.

    Each is labelled with the name of its variable or file, where that can be a label.
    """
    if not options.secrets:
        raise Fault(f"{options.command} {_NO_SECRET}")
    labels: set[str] = set()
    found = []
    for source, name in options.secrets:
        label = os.path.basename(name) if source == "file" else name
        secret = secret_from(source, name)
        if label not in labels and not looks_secret(label):
            labels.add(label)
            secret = _labelled(secret, label)
        found.append(secret)
    return found


def secret_from(source: str, name: str) -> Any:
    """The secret that an environment variable or a file holds."""
    if source == "env":
        return _implementation.hooks().Secret.from_env(name)
    from hookseal._secret_file import secret_text_of

    place = f"the secret file {named(name)}"
    if looks_secret(name):
        raise Fault(f"--secret-file: a path was expected, not {shown(name)}")
    try:
        return _implementation.hooks().Secret(secret_text_of(name))
    except OSError as error:
        raise io_fault(f"cannot read {place}", error, USAGE) from None
    except ValueError as error:
        raise Fault(f"{place}: {error}") from None


def _labelled(secret: Any, label: str) -> Any:
    try:
        return _implementation.hooks().Secret(secret, label=label)
    except SecretError:  # It cannot be a label: the secret is counted instead.
        return secret
