"""The module ``svix.webhooks`` of svix 2.9.1."""

from __future__ import annotations

from hookseal._discreet import discreet
from hookseal.compat import _absent
from hookseal.compat._errors import WebhookVerificationError
from hookseal.compat._implementation import SvixWebhook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hookseal.types import SecretLike, Tolerance

__all__ = ["Webhook", "WebhookVerificationError"]


class Webhook(SvixWebhook):
    """``Webhook`` of svix 2.9.1.

    Args:
        whsecret: The secret as the provider shows it; ``bytes`` are the key. Beyond the
            original it may be a ``hookseal.Secret``, an object with ``get_secret_value()``,
            or a sequence of up to 8 secrets, which are tried in order.
        tolerance: Beyond the original: as of a ``hookseal.Verifier``; None for 300 s both ways.

    Raises:
        EmptyWebhookSecretError: There is no key in the secret.
        RuntimeError: The secret cannot be a key; a ``hookseal.SecretError`` too.
        TypeError, ValueError: The tolerance is none.
    """

    @discreet
    def __init__(
        self, whsecret: SecretLike | Sequence[SecretLike], *, tolerance: Tolerance = None
    ) -> None:
        super().__init__(whsecret, tolerance=tolerance)

    _inner = _absent.INNER

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        _absent.refuse_overrides(cls, {"_inner": _absent.INNER})
