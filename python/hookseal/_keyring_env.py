"""Keyrings from environment variables, as platforms hand secrets to a process.

``HOOK_ACME`` is the secret of the endpoint ``ACME`` under the prefix ``HOOK_``, and
``HOOK_ACME__2026`` another one, with the label ``2026``. Both implementations read through
this module.
"""

from __future__ import annotations

import os

from hookseal._arguments import mistake, variable, wrong_type
from hookseal._errors import secret_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from hookseal._scheme import Scheme

__all__ = ["endpoints_of"]

_BEFORE_LABEL = "__"
# What the settings of a service are as keys, and what platforms put beside them: Kubernetes
# sets HOOK_SERVICE_PORT=8080 for a service named "hook". Whoever guesses one can sign with it.
_GUESSABLE = frozenset({"short", "low-variety", "repeated", "common-word", "dictionary-words"})
_OF_AN_ADDRESS = "://"


def endpoints_of(
    prefix: object, secret: Any, scheme: Scheme, endpoints: object = None
) -> dict[str, list[Any]]:
    """The secrets of each endpoint, those without a label first, then by label.

    Args:
        prefix: What the names of the variables begin with.
        secret: The class ``Secret`` of the implementation that asks.
        scheme: What makes keys of the secrets.
        endpoints: The names of the endpoints; None for all, as long as none can be guessed.

    Raises:
        SecretError: A variable that holds no secret, or whose label is none; one that can be
            guessed, unless its endpoint was named; a named endpoint that has no variable.
        TypeError: ``prefix`` is no text, or ``endpoints`` no sequence of texts.
        ValueError: The prefix is empty, or no variable begins with it; a wrong name, or none.
    """
    if not isinstance(prefix, str):
        raise wrong_type("str", prefix, "prefix")
    if not prefix:
        raise mistake("blank-prefix")
    named = None if endpoints is None else _named(endpoints)
    held: dict[str, list[Any]] = {} if named is None else {name: [] for name in named}
    # "A" sorts before "A__x", and both before any other endpoint's only by chance: so by pairs.
    found = (
        (*name.removeprefix(prefix).partition(_BEFORE_LABEL), name)
        for name in os.environ
        if name.startswith(prefix) and name != prefix
    )
    for endpoint, mark, label, name in sorted(found):
        if named is not None and endpoint not in held:
            continue
        one = secret.from_env(name, label=label if mark else None)
        if named is None:
            _require_unguessable(name, one, scheme)
        held.setdefault(endpoint, []).append(one)
    for endpoint, secrets in held.items():
        if not secrets:
            raise secret_error("not-set", variable(f"{prefix}{endpoint}"))
    if not held:
        raise mistake("no-variable", prefix)
    return held


def _named(endpoints: object) -> list[str]:
    if not isinstance(endpoints, (list, tuple)):
        raise wrong_type("endpoint names", endpoints, "endpoints")
    named: list[str] = []
    for index, name in enumerate(endpoints):
        if not isinstance(name, str):
            raise wrong_type("str", name, f"endpoints[{index}]")
        endpoint = str.__str__(name)
        if not endpoint:
            raise mistake("blank-name")
        if _BEFORE_LABEL in endpoint:
            raise mistake("name-with-label", endpoint)
        if endpoint in named:
            raise mistake("name-twice", endpoint)
        named.append(endpoint)
    if not named:
        raise mistake("no-name")
    return named


def _require_unguessable(name: str, secret: Any, scheme: Scheme) -> None:
    weak = any(found.code in _GUESSABLE for found in secret.check(scheme))
    if weak or _OF_AN_ADDRESS in secret.reveal():
        raise secret_error("guessable", variable(name))
