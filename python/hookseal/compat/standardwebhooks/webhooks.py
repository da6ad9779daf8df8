"""The module ``standardwebhooks.webhooks`` of standardwebhooks 1.1.0."""

from __future__ import annotations

from hookseal._discreet import discreet
from hookseal.compat import _absent
from hookseal.compat._errors import EmptyWebhookSecretError, WebhookVerificationError
from hookseal.compat._implementation import StandardWebhook
from hookseal.compat._signing import hmac_data
from hookseal.compat._timestamp import verify_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hookseal.types import SecretLike, Tolerance

__all__ = ["EmptyWebhookSecretError", "Webhook", "WebhookVerificationError", "hmac_data"]


class Webhook(StandardWebhook):
    """``Webhook`` of standardwebhooks 1.1.0.

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

    # A function and no method: what is found on an object is then the same thing each time.
    _Webhook__verify_timestamp = staticmethod(verify_timestamp)
    # Where the twin sees another hmac_data, which verify would not ask.
    _hookseal_names = globals()

    _whsecret = _absent.WHSECRET
    _SECRET_PREFIX = _absent.SECRET_PREFIX

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        absent = {"_whsecret": _absent.WHSECRET, "_SECRET_PREFIX": _absent.SECRET_PREFIX}
        _absent.refuse_overrides(cls, absent)
