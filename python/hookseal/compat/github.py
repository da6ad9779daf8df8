"""``validate_event`` of gidgethub 6.0.0 (``gidgethub.sansio``), on hookseal.

What differs is in docs/compat.md.
"""

from __future__ import annotations

from hookseal._arguments import wrong_type
from hookseal._discreet import discreet
from hookseal.compat._errors import GitHubException, ValidationFailure, mirrored
from hookseal.compat._implementation import is_signed

__all__ = ["GitHubException", "ValidationFailure", "validate_event"]


@discreet
def validate_event(payload: bytes, *, signature: str, secret: str) -> None:
    """Validates the signature of a webhook from GitHub.

    Args:
        payload: The body as it came.
        signature: The header ``X-Hub-Signature-256``.
        secret: The secret's text.

    Raises:
        ValidationFailure: The signature is not the payload's.
        SecretError: The secret is empty or white space.
        TypeError: A wrong type.
    """
    if not isinstance(signature, str):
        raise wrong_type("str", signature, "signature")
    if not signature.startswith(("sha256=", "sha1=")):
        raise mirrored(ValidationFailure, "signature does not start with 'sha256=' or 'sha1='")
    given: object = payload
    if isinstance(given, str):  # text would be encoded, and no original takes it
        raise wrong_type("payload", given)
    if not is_signed("github", payload, signature, secret):
        raise mirrored(ValidationFailure, "payload's signature does not align with the secret")
