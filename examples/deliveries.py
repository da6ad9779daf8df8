"""A webhook on its way from its sender into a queue, for make_queue.py.

`standardwebhooks` and `svix` sign for their schemes. The other systems publish no package:
`hmac` signs for them, for Uplift in the format that `gidgethub` checks.
"""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import standardwebhooks
import svix.webhooks

from examples.events import letters, write_body

_PACKAGES = {"standard-webhooks": standardwebhooks, "svix": svix.webhooks}
_FAMILY = {"standard-webhooks": "webhook", "svix": "svix"}
# The headers that a system sends besides its signature.
_AGENTS = {
    "standard-webhooks": "Acme-Billing/3.2 (+https://billing.example/webhooks)",
    "svix": "Svix-Webhooks/1.86.0 (sender-9YMgn; +https://www.svix.com/http-sender/)",
    "uplift": "Uplift-Hookshot/7f3a2c1",
    "zoho-projects": "ZohoProjects",
    "shared-token": "Go-http-client/2.0",
}


class Delivery:
    """First what the sender means, then, once signed, the headers it sends."""

    def __init__(
        self, endpoint: str, scheme: str, secrets: list[str], received_at: int, rng: Random
    ):
        self.scheme = scheme
        self.secrets = secrets
        self.received_at = received_at
        self.sent_at = received_at - rng.choice((0, 0, 1, 1, 2, 4))
        self.id = "msg_" + letters(rng, 24)
        self.body = write_body(scheme, self.sent_at, rng).encode()
        self.headers: dict[str, Any] = {}
        # What the receiver's edge knows of it: where it came in, and so whose it is.
        self.tenant = endpoint.partition("/")[0]
        self.route: dict[str, Any] = {"endpoint": endpoint}

    def sign(self) -> None:
        """Add the headers that the scheme asks for, and the common ones."""
        self.headers = {
            "Host": f"hooks.{self.tenant}.example",
            "User-Agent": _AGENTS[self.scheme],
            "Content-Type": "application/json",
            "Content-Length": str(len(self.body)),
        }
        if self.scheme in _PACKAGES:
            at, text = datetime.fromtimestamp(self.sent_at, UTC), self.body.decode()
            family, package = _FAMILY[self.scheme], _PACKAGES[self.scheme]
            signatures = [
                package.Webhook(secret).sign(self.id, at, text) for secret in self.secrets
            ]
            self.headers |= {
                f"{family}-id": self.id,
                f"{family}-timestamp": str(self.sent_at),
                f"{family}-signature": " ".join(signatures),
            }
        elif self.scheme == "uplift":
            mac = hmac.digest(self.secrets[0].encode(), self.body, "sha256")
            self.headers["x-uplift-signature-256"] = "sha256=" + mac.hex()
        elif self.scheme == "zoho-projects":
            mac = hmac.digest(self.secrets[0].encode(), self.body, "sha256")
            self.headers["X-ZP-WEBHOOK-SIGNATURE"] = base64.b64encode(mac).decode()
        else:
            self.headers["x-webhook-secret"] = self.secrets[0]


def write_line(delivery: Delivery, rng: Random, *, dated: bool = True) -> str:
    """The delivery as the tenant's receiver queued it; not `dated`: without its arrival."""
    arrival: dict[str, float] = {"received_at": delivery.received_at} if dated else {}
    hops = {
        "X-Forwarded-For": f"203.0.113.{rng.randrange(1, 255)}, 198.51.100.{rng.randrange(1, 255)}",
        "X-Forwarded-Proto": "https",
    }
    trace = f"{rng.getrandbits(96):024x}"
    match delivery.tenant:
        case "acme":  # A gateway that sends its event to SQS: names in Title-Case, ASCII alone.
            sent = delivery.headers | hops
            sent["X-Amzn-Trace-Id"] = f"Root=1-{delivery.received_at:08x}-{trace}"
            headers: Any = {name.title(): value for name, value in sent.items()}
            line = {"headers": headers, **_body(delivery), **arrival, **delivery.route}
            return json.dumps(line)
        case "globex":  # An ASGI application that writes to Kafka: pairs, names in lower case.
            sent = {**delivery.headers, "Accept-Encoding": "gzip", **hops}
            sent["traceparent"] = f"00-{trace}{trace[:8]}-{trace[:16]}-01"
            pairs = [(name.lower(), values) for name, values in sent.items()]
            headers = [[name, value] for name, values in pairs for value in _each(values)]
            # Some of its topics carry bytes.
            body = _body(delivery, as_base64=rng.random() < 0.2)
            line = {**delivery.route, **arrival, "headers": headers, **body}
            return json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        case _:  # A script behind nginx that fills a stream: names as they came, milliseconds.
            arrival = {name: at + rng.randrange(1000) / 1000 for name, at in arrival.items()}
            sent = {**delivery.headers, "Accept": "*/*", **hops, "X-Request-Id": trace}
            line = {**arrival, **delivery.route, "headers": sent, **_body(delivery)}
            return json.dumps(line, ensure_ascii=False)


def _body(delivery: Delivery, *, as_base64: bool = False) -> dict[str, str]:
    """What is not UTF-8 can go as base64 alone."""
    if not as_base64:
        try:
            return {"body": delivery.body.decode()}
        except UnicodeDecodeError:
            pass
    return {"body_b64": base64.b64encode(delivery.body).decode()}


def _each(values: Any) -> list[str]:
    """The values of a header, which pairs hold one by one."""
    return values if isinstance(values, list) else [] if values is None else [values]
