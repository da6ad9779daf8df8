"""The module ``standardwebhooks.exceptions`` of standardwebhooks 1.1.0."""

from hookseal.compat._errors import WebhookVerificationError

__all__ = ["WebhookVerificationError"]
