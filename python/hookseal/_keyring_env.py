"""Keyrings from environment variables, as platforms hand secrets to a process.

``HOOK_ACME`` is the secret of the endpoint ``ACME`` under the prefix ``HOOK_``, and
``HOOK_ACME__2026`` another one, with the label ``2026``. Both implementations read through
this module.
"""

from __future__ import annotations

import os

from hookseal._arguments import mistake, wrong_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["endpoints_of"]

_BEFORE_LABEL = "__"


def endpoints_of(prefix: object, secret: Any) -> dict[str, list[Any]]:
    """The secrets of each endpoint, those without a label first, then by label.

    Args:
        prefix: What the names of the variables begin with.
        secret: The class ``Secret`` of the implementation that asks.

    Raises:
        SecretError: A variable that holds no secret, or whose label is none.
        TypeError: ``prefix`` is no text.
        ValueError: It is empty, or no variable begins with it.
    """
    if not isinstance(prefix, str):
        raise wrong_type("str", prefix, "prefix")
    if not prefix:
        raise mistake("blank-prefix")
    endpoints: dict[str, list[Any]] = {}
    # "A" sorts before "A__x", and both before any other endpoint's only by chance: so by pairs.
    found = (
        (*name.removeprefix(prefix).partition(_BEFORE_LABEL), name)
        for name in os.environ
        if name.startswith(prefix) and name != prefix
    )
    for endpoint, mark, label, name in sorted(found):
        held = secret.from_env(name, label=label if mark else None)
        endpoints.setdefault(endpoint, []).append(held)
    if not endpoints:
        raise mistake("no-variable", prefix)
    return endpoints
