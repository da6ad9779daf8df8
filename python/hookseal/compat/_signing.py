"""What standardwebhooks signs with, under its name."""

from __future__ import annotations

import hmac

from hookseal._discreet import discreet

__all__ = ["hmac_data"]


@discreet
def hmac_data(key: bytes, data: bytes) -> bytes:
    """The HMAC-SHA-256 of some bytes.

    It is here because the original has it. Do not compare it with what a sender wrote:
    ``Webhook.verify`` does, and in constant time.
    """
    return hmac.new(key, data, "sha256").digest()
