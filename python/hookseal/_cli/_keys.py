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
    from collections.abc import Iterable
    from typing import Any

    # The path of a file, and what it is, for an error.
    Named = tuple[str, str]

__all__ = ["keyring", "secret_from", "secrets", "verifier"]

_NO_SECRET = "needs a secret: --secret-env NAME, --secret-file PATH"


def verifier(options: Namespace, files: list[Named] | None = None) -> Any:
    """The verifier that the options describe.

    Args:
        options: Those of the command.
        files: Receives the files that were read: keyring and secrets.

    Raises:
        Fault: The options do not go together, or a file cannot be read.
        SecretError, SchemeError: As ``Verifier``.
    """
    if options.keyring is not None:
        ring = keyring(options, files)
        return _implementation.hooks().Verifier(ring, tolerance=options.tolerance)
    if not options.secrets:
        raise Fault(f"{options.command} {_NO_SECRET} or --keyring FILE")
    if files is not None:
        files += _secret_files(name for source, name in options.secrets if source == "file")
    return _implementation.hooks().Verifier(
        secrets(options), scheme=options.scheme, tolerance=options.tolerance
    )


def keyring(options: Namespace, files: list[Named] | None = None) -> Any:
    """The keyring of ``--keyring``, which goes with neither a scheme nor secrets."""
    from hookseal._keyring_file import keyring_of

    if options.scheme is not None or options.secrets:
        raise Fault("--keyring names schemes and secrets itself: pass it without the options")
    file = options.keyring
    hooks = _implementation.hooks()
    secret_files: list[str] = []
    try:
        ring = keyring_of(file, hooks.Keyring, hooks.Secret, secret_files=secret_files)
    except OSError as error:
        if error.filename != file:  # A secret file, whose place the error knows.
            raise Fault(f"{error.strerror}: {named(error.filename)}") from None
        raise io_fault(f"cannot read the keyring {named(file)}", error, USAGE) from None
    except ValueError as error:  # SecretError and SchemeError are such
        raise Fault(str(error)) from None
    if files is not None:
        files += [(file, f"the keyring {named(file)}"), *_secret_files(secret_files)]
    return ring


def _secret_files(names: Iterable[str]) -> list[Named]:
    return [(name, f"the secret file {named(name)}") for name in names]


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
