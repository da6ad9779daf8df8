"""What can happen to a webhook between its sender and the queue, for make_queue.py.

Each way stands under the verdict that the rules call for; hookseal is not asked.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from examples.deliveries import Delivery

WINDOW_SECONDS = 300

Change = Callable[[Delivery], object]


class Way(NamedTuple):
    """What happens to a delivery of a scheme; it signs the delivery, or leaves it unsigned."""

    scheme: str
    change: Change


Ways = Mapping[str, Sequence[Way]]


def _before(change: Change) -> Change:
    """Change what the sender means, then sign it."""

    def step(delivery: Delivery) -> None:
        change(delivery)
        delivery.sign()

    return step


def _after(change: Change) -> Change:
    """Sign, then change what is sent."""

    def step(delivery: Delivery) -> None:
        delivery.sign()
        change(delivery)

    return step


def _put(name: str, value: Callable[[Delivery], Any]) -> Change:
    """Set an attribute of the delivery to what a function makes of it all."""
    return lambda delivery: setattr(delivery, name, value(delivery))


def _header(name: str, change: Callable[[Any], Any]) -> Change:
    """Set a header to what a function makes of its value."""
    return lambda delivery: delivery.headers.update({name: change(delivery.headers[name])})


def _without(name: str) -> Change:
    """Take a header away."""
    return lambda delivery: delivery.headers.pop(name)


def _renamed(old: str, new: str) -> Change:
    """Give headers that begin so another beginning."""
    return _put("headers", lambda d: {n.replace(old, new): v for n, v in d.headers.items()})


def _at_offset(seconds: int) -> Change:
    """Sign so many seconds before or after the arrival."""
    return _before(_put("sent_at", lambda delivery: delivery.received_at + seconds))


def _with_secret(secret: str) -> Change:
    """Sign with another secret than the endpoint's."""
    return _before(_put("secrets", lambda delivery: [secret]))


def _parsed_and_rendered(delivery: Delivery) -> bytes:
    """The body as a proxy leaves it that thinks it knows JSON."""
    return json.dumps(json.loads(delivery.body)).encode()


def _in_arabic_digits(number: str) -> str:
    """The number in digits that `int` reads too."""
    return "".join(chr(0x660 + int(digit)) for digit in number)


def _as_unpadded_base64url(signature: str) -> str:
    """The signature in the other alphabet."""
    return signature.rstrip("=").replace("+", "-").replace("/", "_")


def _of_other_bytes(signature: str) -> str:
    """A signature that has the form, and belongs to nothing."""
    mac = base64.b64decode(signature.removeprefix("v1,"))
    return "v1," + base64.b64encode(mac[::-1]).decode()


SW, SVIX, UPLIFT = "standard-webhooks", "svix", "uplift"
ZOHO, TOKEN = "zoho-projects", "shared-token"
ID, TIME, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
HUB, ZP, SECRET = "x-uplift-signature-256", "X-ZP-WEBHOOK-SIGNATURE", "x-webhook-secret"

# Another tenant's, whose endpoint is not in the ring.
STRANGERS = {
    SW: "whsec_SAMPLE/umbrella/standard+webhooks/26+1",
    SVIX: "whsec_SAMPLE/umbrella/svix/2026+11/0000000000",
    UPLIFT: "sample-umbrella-uplift-2026-11",
    ZOHO: "sample-umbrella-zoho-projects-2026-11",
    TOKEN: "sample-umbrella-shared-token-2026-11",
}

# Ways by verdict. The first ones are unusual, and good all the same.
GOOD: Ways = {
    "VALID": (
        Way(SW, _at_offset(-WINDOW_SECONDS)),
        Way(UPLIFT, _before(_put("body", lambda d: d.body.decode().encode("utf-16")))),
        Way(SVIX, _after(_renamed("svix-", "webhook-"))),
        Way(ZOHO, _before(_put("body", lambda d: bytes(range(256))))),
        Way(TOKEN, _after(_header(SECRET, lambda v: f"  {v}\t"))),
        Way(SW, _after(_header(SIGNATURE, lambda v: "v2,c29vbg== v1a,ZWQ= " + v))),
        Way(ZOHO, _before(_put("body", lambda d: d.body.decode().encode("latin-1", "replace")))),
        Way(SW, _at_offset(+WINDOW_SECONDS)),
        Way(UPLIFT, _before(_put("body", lambda d: b"\xff\xfe" + d.body))),
        Way(SW, _before(_put("body", lambda d: b""))),
    )
}

FORGED: Ways = {
    "SIGNATURE_MISMATCH": (
        # Signed by somebody else.
        *(Way(scheme, _with_secret(secret)) for scheme, secret in STRANGERS.items()),
        Way(ZOHO, _after(_header(ZP, lambda v: base64.b64encode(bytes(32)).decode()))),
        Way(TOKEN, _after(_header(SECRET, lambda v: v[:-1]))),
        Way(TOKEN, _after(_header(SECRET, str.upper))),
        # Signed for something else.
        Way(SW, _after(_put("body", lambda d: d.body.replace(b"EUR", b"USD", 1)))),
        Way(SW, _after(_header(ID, lambda v: v[:4] + v[:3:-1]))),
        Way(SW, _after(_header(SIGNATURE, _of_other_bytes))),
        Way(SVIX, _after(_header("svix-timestamp", lambda v: str(int(v) + 7)))),
        # Changed by a proxy that meant well.
        Way(UPLIFT, _after(_put("body", lambda d: d.body.rstrip()))),
        Way(UPLIFT, _after(_put("body", _parsed_and_rendered))),
        Way(ZOHO, _after(_put("body", _parsed_and_rendered))),
    ),
}

STALE: Ways = {
    "TOO_OLD": (
        Way(SW, _at_offset(-WINDOW_SECONDS - 1)),
        Way(SVIX, _at_offset(-20 * 60)),
        Way(SW, _at_offset(-3600)),
        Way(SW, _at_offset(-3 * 86400)),
        Way(SVIX, _at_offset(-WINDOW_SECONDS - 1)),
    ),
}

MALFORMED: Ways = {
    "UNKNOWN_ENDPOINT": (
        Way(UPLIFT, _after(_put("route", lambda d: {"endpoint": "umbrella/uplift"}))),
        Way(SW, _after(_put("route", lambda d: {"endpoint": None}))),
        Way(SVIX, _after(_put("route", lambda d: {}))),
        Way(TOKEN, _after(_put("route", lambda d: {"endpoint": "ACME/shared-token"}))),
    ),
    "TOO_LARGE": (
        Way(SW, _after(_header(SIGNATURE, lambda v: " ".join([v] * 350)))),
        Way(UPLIFT, _after(_header(HUB, lambda v: v.ljust(16 * 1024 + 1)))),
        Way(TOKEN, _after(_header(SECRET, lambda v: v + "x" * 16 * 1024))),
    ),
    "MISSING_HEADER": (
        Way(SW, _after(_without(SIGNATURE))),
        Way(UPLIFT, _after(_without(HUB))),
        Way(SW, _after(_header(ID, lambda v: " "))),
        # Half of one family and half of the other.
        Way(SVIX, _after(_renamed("svix-id", "webhook-id"))),
        Way(ZOHO, _after(_header(ZP, lambda v: None))),
        Way(SW, _after(_without(TIME))),
        Way(TOKEN, _after(_without(SECRET))),
    ),
    "AMBIGUOUS_HEADER": (
        Way(SW, _after(_header(ID, lambda v: [v, "msg_other"]))),
        Way(TOKEN, _after(_header(SECRET, lambda v: ["guess", v]))),
        Way(SW, _after(_header(TIME, lambda v: [v, str(int(v) + 1)]))),
    ),
    "MALFORMED_HEADER": (
        # A full stop in the id would let parts of the signed bytes change places.
        Way(SW, _before(_put("id", lambda d: f"{d.id}.{d.sent_at}"))),
        Way(SVIX, _before(_put("id", lambda d: "msg_naïve"))),
        Way(SW, _before(_put("id", lambda d: d.id.ljust(257, "x")))),
    ),
    "MALFORMED_TIMESTAMP": (
        Way(SW, _after(_header(TIME, lambda v: f"{int(v):e}"))),
        Way(SVIX, _after(_header("svix-timestamp", lambda v: v + ".0"))),
        Way(SW, _after(_header(TIME, lambda v: "+" + v))),
        Way(SVIX, _after(_header("svix-timestamp", _in_arabic_digits))),
        Way(SW, _after(_header(TIME, lambda v: "2026-11-20T08:00:00Z"))),
        Way(SW, _after(_header(TIME, lambda v: v.rjust(16, "0")))),
    ),
    "TOO_NEW": (
        Way(SW, _at_offset(WINDOW_SECONDS + 1)),
        Way(SW, _after(_header(TIME, lambda v: v + "000"))),  # milliseconds
        Way(SVIX, _at_offset(86400)),
    ),
    "MALFORMED_SIGNATURE": (
        Way(SW, _after(_header(SIGNATURE, lambda v: v.removeprefix("v1,")))),
        Way(UPLIFT, _after(_header(HUB, lambda v: "sha256=" + v[7:].upper()))),
        Way(SVIX, _after(_header("svix-signature", lambda v: v[:-8]))),
        Way(ZOHO, _after(_header(ZP, lambda v: base64.b64decode(v).hex()))),
        Way(SW, _after(_header(SIGNATURE, lambda v: v.replace("v1,", "v1a,")))),
        Way(UPLIFT, _after(_header(HUB, lambda v: v.replace("256", "1")))),
        Way(SW, _after(_header(SIGNATURE, _as_unpadded_base64url))),
    ),
}
