"""The verifier of svix 1.84.1: the same names, on hookseal.

>>> from hookseal.compat.svix1 import Webhook

The API client of svix is not here. What differs is in docs/compat.md.
"""

from hookseal.compat.svix1.webhooks import Webhook, WebhookVerificationError

__all__ = ["Webhook", "WebhookVerificationError"]
