"""The verifier of svix 2.9.1: the same names, on hookseal.

>>> from hookseal.compat.svix import Webhook

The API client of svix is not here. What differs is in docs/compat.md.
"""

from hookseal.compat.svix.webhooks import Webhook, WebhookVerificationError

__all__ = ["Webhook", "WebhookVerificationError"]
