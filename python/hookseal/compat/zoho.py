"""The function that Zoho Projects' page on webhook security tells its users to write, on hookseal.

The signature is that of the header ``X-ZP-WEBHOOK-SIGNATURE``. Zoho Payments and Zoho Books
sign in other ways, which are not here. What differs is in docs/compat.md.
"""

from __future__ import annotations

from hookseal._arguments import wrong_type
from hookseal._discreet import discreet
from hookseal.compat._implementation import is_signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hookseal.types import Body

__all__ = ["verify_signature"]


@discreet
def verify_signature(payload: Body, signature: str | None, secret: str) -> bool:
    """Whether Zoho Projects signed a body.

    Args:
        payload: The body as it came, as text or bytes.
        signature: The header ``X-ZP-WEBHOOK-SIGNATURE``; None where there is none.
        secret: The secret's text.

    Raises:
        SecretError: The secret is empty or white space.
        TypeError: A wrong type.
    """
    if signature is None:
        signature = ""
    if not isinstance(signature, str):
        raise wrong_type("str or None", signature, "signature")
    return is_signed("zoho-projects", payload, signature, secret)
