"""``hookseal secret new`` and ``hookseal secret check``."""

from __future__ import annotations

import sys

from hookseal._cli import _exit, _implementation, _say
from hookseal._cli._keys import keyring, secret_from
from hookseal._cli._sources import STDIN, whole
from hookseal._secret_file import MAX_SECRET_FILE_BYTES, secret_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from hookseal._finding import Finding

__all__ = ["check", "entered", "new"]

_STANDARD = "standard-webhooks"


def new(options: Namespace) -> int:
    """Prints a new secret; returns the exit status."""
    _say.put(f"{_implementation.hooks().Secret.generate(options.scheme or _STANDARD).reveal()}\n")
    return _exit.FINE


def check(options: Namespace) -> int:
    """Prints what is weak about secrets; the exit status says whether something is."""
    if options.keyring is not None:
        found = [("", finding) for finding in keyring(options).check()]
    else:
        scheme = options.scheme or _STANDARD
        given = [(_place(*one), secret_from(*one)) for one in options.secrets]
        found = [
            (place, finding)
            for place, secret in given or [("standard input", entered())]
            for finding in secret.check(scheme)
        ]
    if options.json:
        from json import dumps

        _say.put(dumps([_told(place, finding) for place, finding in found]) + "\n")
    else:
        lines = [f"{place}: {finding}" if place else str(finding) for place, finding in found]
        text = "".join(f"{_say.printable(line)}\n" for line in lines)
        _say.put(text or "no weakness was found\n")
    return _exit.REFUSED if found else _exit.FINE


def _place(source: str, name: str) -> str:
    return f"environment variable {name}" if source == "env" else f"file {name}"


def entered() -> Any:
    """The secret on standard input; a terminal does not show what is typed."""
    if sys.stdin is not None and sys.stdin.isatty():
        from getpass import getpass

        try:
            text = getpass("secret: ")
        except EOFError:
            text = ""
    else:
        text = secret_text(whole(STDIN, "the secret", MAX_SECRET_FILE_BYTES))
    return _implementation.hooks().Secret(text)


def _told(place: str, finding: Finding) -> dict[str, str | None]:
    told = {name: getattr(finding, name) for name in ("code", "text", "endpoint", "label")}
    return {"source": place or None, **told}
