"""Signs messages with the standard library alone; it shares no line with hookseal."""

import base64
import hmac


def mac(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA256 of the parts, one after the other."""
    return hmac.new(key, b"".join(parts), "sha256").digest()


def b64(raw: bytes) -> str:
    """Base64, standard alphabet, padded."""
    return base64.b64encode(raw).decode("ascii")


def v1(key: bytes, id: bytes, timestamp: bytes, body: bytes) -> str:
    """A signature of Standard Webhooks: ``v1,`` and the base64 of the MAC."""
    return "v1," + b64(mac(key, id, b".", timestamp, b".", body))


def sha256(key: bytes, body: bytes) -> str:
    """A signature of GitHub's form: ``sha256=`` and the MAC in lower-case hex."""
    return "sha256=" + mac(key, body).hex()
