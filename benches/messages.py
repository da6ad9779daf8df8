"""Message sets to time: signed with the standard library alone, current when they are made.

All ``str`` objects of a set are distinct, the names of headers too: a web server decodes each
request on its own, so no contender may gain from strings that are shared or interned.
"""

from __future__ import annotations

import base64
import hmac
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Message = tuple[bytes, dict[str, str]]

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()

# What Standard Webhooks, and so every contender, allows a timestamp to differ from the clock.
TOLERANCE_SECONDS = 300
# Timestamps lie up to this far in the past. The rest of the window is what one case may take.
SPREAD_SECONDS = 30

KIB = 1024
SIZES = (128, KIB, 4 * KIB, 16 * KIB, 64 * KIB)

_SEED = 20_240_229


def h5(number: int, size: int, id: str, timestamp: str, signature: str) -> dict[str, str]:
    """2 common headers and the 3 of the signature, lower case, as ASGI servers give them."""
    return _distinct(
        {
            "content-type": "application/json",
            "content-length": str(size),
            "webhook-id": id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature,
        }
    )


def h12(number: int, size: int, id: str, timestamp: str, signature: str) -> dict[str, str]:
    """9 common headers and the 3 of the signature, Title-Case, as WSGI frameworks give them."""
    return _distinct(
        {
            "Host": "hooks.example.com",
            "User-Agent": "Example-Webhooks/2.7 (+https://example.com/docs/webhooks)",
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate, br",
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(size),
            "X-Forwarded-For": f"203.0.113.{number % 256}",
            "X-Forwarded-Proto": "https",
            "X-Request-Id": f"{number:032x}",
            "Webhook-Id": id,
            "Webhook-Timestamp": timestamp,
            "Webhook-Signature": signature,
        }
    )


HeaderSet = Callable[[int, int, str, str, str], dict[str, str]]
HEADER_SETS: dict[str, HeaderSet] = {"H5": h5, "H12": h12}


@dataclass(frozen=True)
class MessageSet:
    """Messages, the bytes each signature covers, and how many of them are to be accepted."""

    messages: list[Message]
    signed: list[bytes]
    valid: int

    def __len__(self) -> int:
        return len(self.messages)

    def shuffled(self) -> MessageSet:
        """The same objects in another order: neighbours in the list are not so in memory."""
        order = list(range(len(self)))
        random.Random(_SEED).shuffle(order)
        return MessageSet(
            [self.messages[index] for index in order],
            [self.signed[index] for index in order],
            self.valid,
        )

    def batches(self, count: int) -> list[list[Message]]:
        """The messages in lists of ``count``; the last one may be shorter."""
        return [self.messages[at : at + count] for at in range(0, len(self), count)]


def make(headers: str, size: int, count: int, *, keys: Sequence[bytes] | None = None) -> MessageSet:
    """Makes ``count`` good messages with bodies of ``size`` bytes, signed a moment ago.

    All are signed with ``KEY``, or each with its own of the ``keys``.
    """
    chance = random.Random(_SEED)
    now = int(time.time())
    messages, signed = [], []
    for number in range(count):
        body = _body(chance, number, size)
        key = KEY if keys is None else keys[number]
        message, covered = _signed(headers, number, now - number % SPREAD_SECONDS, body, key)
        messages.append(message)
        signed.append(covered)
    return MessageSet(messages, signed, count)


def make_mixed(headers: str, size: int, count: int) -> MessageSet:
    """As ``make``, but of every 20 messages one is forged and one is an hour old."""
    good = make(headers, size, count)
    messages, signed = good.messages, good.signed
    for number in range(0, count, 20):
        messages[number] = forged(messages[number])
    old = int(time.time()) - 3600
    for number in range(10, count, 20):
        messages[number], signed[number] = _signed(headers, number, old, messages[number][0])
    spoiled = len(range(0, count, 20)) + len(range(10, count, 20))
    return MessageSet(messages, signed, count - spoiled)


def forged(message: Message) -> Message:
    """The message with one bit of its body flipped (in its last brace)."""
    body, headers = message
    return body[:-1] + bytes([body[-1] ^ 1]), headers


def bad_ones(headers: str, size: int) -> Sequence[Message]:
    """One message for each check that a contender must make."""
    now = int(time.time())
    body = _body(random.Random(_SEED), 0, size)

    def good() -> Message:
        return _signed(headers, 0, now, body)[0]

    def without(ending: str) -> Message:
        return body, {
            name: value for name, value in good()[1].items() if not name.lower().endswith(ending)
        }

    old, _ = _signed(headers, 0, now - TOLERANCE_SECONDS - 60, body)
    new, _ = _signed(headers, 0, now + TOLERANCE_SECONDS + 60, body)
    other_id = good()
    for name in other_id[1]:
        if name.lower() == "webhook-id":
            other_id[1][name] += "0"
    other_version = good()
    for name, value in other_version[1].items():
        if name.lower() == "webhook-signature":
            other_version[1][name] = value.replace("v1,", "v2,")
    missing = [without("-" + part) for part in ("id", "timestamp", "signature")]
    return [forged(good()), old, new, other_id, other_version, *missing]


def _body(chance: random.Random, number: int, size: int) -> bytes:
    # An envelope of a few fields and one long text: cheap to parse for its length, so that
    # the contender that parses JSON is not made slow by our choice of body.
    head = b'{"type":"invoice.paid","id":"evt_%08d","data":{"amount":%d,"note":"' % (
        number,
        chance.randrange(10_000),
    )
    tail = b'"}}'
    room = size - len(head) - len(tail)
    return head + chance.randbytes(room // 2 + 1).hex().encode()[:room] + tail


def _signed(
    headers: str, number: int, timestamp: int, body: bytes, key: bytes = KEY
) -> tuple[Message, bytes]:
    id = f"msg_{number:024d}"
    covered = b"%b.%d.%b" % (id.encode(), timestamp, body)
    mac = hmac.digest(key, covered, "sha256")
    signature = "v1," + base64.b64encode(mac).decode()
    return (body, HEADER_SETS[headers](number, len(body), id, str(timestamp), signature)), covered


def _distinct(headers: dict[str, str]) -> dict[str, str]:
    return {_copy(name): _copy(value) for name, value in headers.items()}


def _copy(text: str) -> str:
    return text.encode().decode()
