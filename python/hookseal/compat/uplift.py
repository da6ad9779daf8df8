"""The function that Uplift's page on webhook secrets tells its users to write, on hookseal.

https://help.uplift.ai/en/articles/7031627-webhook-secrets, as it read in 2026. What differs is
in docs/compat.md.
"""

from __future__ import annotations

from hookseal._arguments import environment, wrong_type
from hookseal._discreet import discreet
from hookseal.compat._implementation import is_signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hookseal.types import Body

__all__ = ["verify_signature"]


@discreet
def verify_signature(request_body: Body, signature_from_request_header: str | None) -> bool:
    """Whether Uplift signed a body with the secret in the environment variable ``SECRET_TOKEN``.

    Args:
        request_body: The body as it came, as text or bytes.
        signature_from_request_header: The header ``x-uplift-signature-256``; None where there
            is none.

    Raises:
        SecretError: The variable is not set, empty, white space, or not UTF-8.
        TypeError: A wrong type.
    """
    secret, _ = environment("SECRET_TOKEN")
    if signature_from_request_header is None:
        signature_from_request_header = ""
    if not isinstance(signature_from_request_header, str):
        raise wrong_type("str or None", signature_from_request_header, "the signature")
    return is_signed("uplift", request_body, signature_from_request_header, secret)
