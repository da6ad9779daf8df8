"""The schemes that hookseal knows: one row of data each, built on first use.

``schemes.UPLIFT``, ``schemes.get("uplift")`` and ``Verifier(…, scheme="uplift")`` are
the same scheme.
"""

from __future__ import annotations

from hookseal._arguments import wrong_type
from hookseal._errors import SchemeError, shown
from hookseal._scheme import Scheme

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    GITHUB: Scheme
    GITLAB_TOKEN: Scheme
    SHARED_TOKEN: Scheme
    STANDARD_WEBHOOKS: Scheme
    SVIX: Scheme
    UPLIFT: Scheme
    ZOHO_PROJECTS: Scheme

__all__ = [
    "GITHUB",
    "GITLAB_TOKEN",
    "SHARED_TOKEN",
    "STANDARD_WEBHOOKS",
    "SVIX",
    "UPLIFT",
    "ZOHO_PROJECTS",
    "get",
    "names",
]

# Standard Webhooks 1.0: "{id}.{timestamp}.{body}", a space-separated list of "v1,<base64>",
# keys of 24 to 64 bytes as whsec_ + base64.
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
_STANDARD_WEBHOOKS_ROW: dict[str, Any] = {
    "format": "v1,{base64}",
    "separator": " ",
    "signed": "{id}.{timestamp}.{body}",
    "key": "base64",
    "key_prefix": "whsec_",
    "tolerance": (300, 300),
    "key_length": (24, 64),
    "secret_form": "base64",
}

_ROWS: dict[str, dict[str, Any]] = {
    "standard-webhooks": {
        **_STANDARD_WEBHOOKS_ROW,
        "signature": "webhook-signature",
        "id": "webhook-id",
        "timestamp": "webhook-timestamp",
        "aliases": ("standardwebhooks",),
    },
    # Svix sends its own names, and the standard ones to those who ask for them.
    "svix": {
        **_STANDARD_WEBHOOKS_ROW,
        "signature": ("svix-signature", "webhook-signature"),
        "id": ("svix-id", "webhook-id"),
        "timestamp": ("svix-timestamp", "webhook-timestamp"),
    },
    "uplift": {
        "signature": "x-uplift-signature-256",
        "format": "sha256={hex}",
    },
    # Zoho Projects: base64 over the raw body; its page asks for keys of 16 to 128 characters.
    "zoho-projects": {
        "signature": "X-ZP-WEBHOOK-SIGNATURE",
        "format": "{base64}",
        "key_length": (16, 128),
        "secret_form": "mixed",
    },
    "shared-token": {
        "signature": "x-webhook-secret",
        "format": "{token}",
        "signed": "",
        "algorithm": "token",
    },
    # https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
    "github": {
        "signature": "X-Hub-Signature-256",
        "format": "sha256={hex}",
    },
    # https://docs.gitlab.com/user/project/integrations/webhooks/
    "gitlab-token": {
        "signature": "X-Gitlab-Token",
        "format": "{token}",
        "signed": "",
        "algorithm": "token",
    },
}

_ALIASES = {alias: name for name, row in _ROWS.items() for alias in row.get("aliases", ())}
_built: dict[str, Scheme] = {}


def get(name: str) -> Scheme:
    """The scheme of that name or alias.

    Raises:
        SchemeError: There is none; the text names the nearest one.
        TypeError: ``name`` is not a str.
    """
    if not isinstance(name, str):
        raise wrong_type("scheme", name)
    name = _ALIASES.get(name, name)
    scheme = _built.get(name)
    if scheme is None:
        row = _ROWS.get(name)
        if row is None:
            raise SchemeError(_unknown(name))
        # Two threads may build the same row; setdefault lets both have the same object.
        scheme = _built.setdefault(name, Scheme(name, **row))
    return scheme


def names() -> tuple[str, ...]:
    """The names of all schemes, sorted."""
    return tuple(sorted(_ROWS))


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [*_ROWS, *_ALIASES], n=1, cutoff=0.0)
    return f"no scheme is called {shown(name)}; the nearest is {near[0]!r}"


if not TYPE_CHECKING:  # a type checker is to know the names above, and no other

    def __getattr__(name: str) -> Scheme:
        row = name.lower().replace("_", "-")
        if name.isupper() and row in _ROWS:
            return get(row)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
