"""standardwebhooks 1.1.0: the same names, on hookseal.

>>> from hookseal.compat.standardwebhooks import Webhook

What differs is in docs/compat.md.
"""

from hookseal.compat.standardwebhooks.exceptions import WebhookVerificationError
from hookseal.compat.standardwebhooks.webhooks import Webhook

__all__ = ["Webhook", "WebhookVerificationError"]
