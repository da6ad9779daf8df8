"""The sample queue of examples/ through `verify_batch`, and through the standard library.

All systems and mixed sizes, several secrets an endpoint, each message judged at its arrival. The
lines are read beforehand, so that neither way is timed with JSON.
"""

from __future__ import annotations

import base64
import hmac
import json
import tomllib
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

import hookseal
from benches import paired
from benches.contenders import HOOKSEAL, STDLIB, Work
from benches.messages import TOLERANCE_SECONDS
from benches.paired import Rounds

FOLDER = Path(__file__).resolve().parent.parent / "examples"
ROUNDS = 101
BUDGET_SECONDS = 15

DEFAULT_SCHEME = "standard-webhooks"
_PARTS = ("id", "timestamp", "signature")
_IDS = {
    "standard-webhooks": ("webhook",),
    "svix": ("svix", "webhook"),
}
_ONE_HEADER = {
    "uplift": "x-uplift-signature-256",
    "zoho-projects": "x-zp-webhook-signature",
    "shared-token": "x-webhook-secret",
}

# The headers that any of the schemes names.
NAMES = [
    *(f"{family}-{part}" for family in ("webhook", "svix") for part in _PARTS),
    *_ONE_HEADER.values(),
]

# As docs/strict-reading.md has them: the same checks for both.
MAX_ID_BYTES = 256
MAX_HEADER_BYTES = 16 * 1024

# A key, and the last second at which it is in use, or None.
Key = tuple[bytes, float | None]
Headers = Mapping[str, Any]
Record = tuple[bytes, Any, str | None, float | None]


@dataclass(frozen=True)
class SampleQueue:
    """The messages as a consumer of the queue has them, and what is known of them."""

    records: list[Record]
    keyring: Path
    now: int
    valid: int

    @classmethod
    def read(cls, folder: Path = FOLDER) -> SampleQueue:
        """The queue of that folder."""
        keyring = folder / "keyring.toml"
        # Git keeps no modes, and hookseal warns where others can read a file with secrets in it.
        with suppress(OSError):
            keyring.chmod(0o600)
        records = []
        for line in (folder / "queue.jsonl").read_bytes().splitlines():
            item = json.loads(line)
            body = item["body"].encode() if "body" in item else base64.b64decode(item["body_b64"])
            place = (item.get("endpoint"), item.get("received_at"))
            records.append((body, item["headers"], *place))
        expected = json.loads((folder / "queue.expected.json").read_bytes())
        return cls(records, keyring, expected["now"], expected["verdicts"]["VALID"])


def measure(queue: SampleQueue, *, quick: bool) -> Rounds:
    """Both in turns, one thread each."""
    rounds = 2 if quick else ROUNDS
    works = {HOOKSEAL: hookseal_work(queue), STDLIB: stdlib_work(queue)}
    until = monotonic() + BUDGET_SECONDS
    return paired.run(works, len(queue.records), queue.valid, rounds, until)


def hookseal_work(queue: SampleQueue) -> Work:
    """One call."""
    ring = hookseal.Keyring.from_file(queue.keyring)
    verify_batch, now = hookseal.Verifier(ring).verify_batch, queue.now
    messages = _messages(queue)

    def work() -> int:
        return verify_batch(messages, now=now, threads=1).valid

    return work


def _messages(queue: SampleQueue) -> list[hookseal.Message]:
    return [
        hookseal.Message(body, headers, endpoint=endpoint, received_at=received_at)
        for body, headers, endpoint, received_at in queue.records
    ]


def stdlib_work(queue: SampleQueue) -> Work:
    """The loop with the standard library, written as well as it can be."""
    endpoints = tomllib.loads(queue.keyring.read_text(encoding="utf-8"))["endpoints"]
    verifiers = {name: _verifier(table) for name, table in endpoints.items()}
    records, now = queue.records, queue.now

    def work() -> int:
        verdicts = []
        find = verifiers.get
        for body, headers, endpoint, received_at in records:
            verify = find(endpoint) if endpoint else None
            if verify is None:
                verdicts.append(False)
                continue
            fields = headers if type(headers) is dict else _one_value_each(headers)
            at = now if received_at is None else received_at
            verdicts.append(fields is not None and verify(body, fields, at))
        return verdicts.count(True)

    return work


def hashed_bodies(queue: SampleQueue) -> list[tuple[int, bytes]]:
    """The bodies that no verifier can judge without a hash, with the lengths of their heads."""
    result = hookseal.Verifier(hookseal.Keyring.from_file(queue.keyring)).verify_batch(
        _messages(queue), now=queue.now, threads=1
    )
    endpoints = tomllib.loads(queue.keyring.read_text(encoding="utf-8"))["endpoints"]
    needed = (hookseal.Verdict.VALID, hookseal.Verdict.SIGNATURE_MISMATCH)
    bodies = []
    for (body, headers, endpoint, _), verdict in zip(queue.records, result, strict=True):
        if verdict not in needed:
            continue
        assert endpoint is not None
        scheme = endpoints[endpoint].get("scheme", DEFAULT_SCHEME)
        if scheme in _IDS:
            fields = headers if type(headers) is dict else dict(headers)
            head = max(_head_bytes(fields, family) for family in _IDS[scheme])
            bodies.append((head, body))
        elif scheme != "shared-token":
            bodies.append((0, body))
    return bodies


def _head_bytes(fields: Headers, family: str) -> int:
    """The length of `id.timestamp.`; 0 if the family is not there."""
    values = [
        _field(fields, name, name.title()) for name in (f"{family}-id", f"{family}-timestamp")
    ]
    return sum(len(value) + 1 for value in values if value is not None)


def _one_value_each(pairs: list[tuple[str, Any]]) -> dict[str, Any] | None:
    """Pairs as a mapping; where a name repeats, it must be with the same value."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        for name, value in pairs:
            if fields[name] != value:
                return None
    return fields


def _field(headers: Headers, lower: str, title: str) -> str | None:
    """The two usual spellings first; only then is every name folded."""
    value = headers.get(lower) or headers.get(title)
    if value is None:
        for name, found in headers.items():
            if name.lower() == lower:
                value = found
    return value if isinstance(value, str) else None


def _verifier(table: Mapping[str, Any]) -> Callable[[bytes, Headers, float], bool]:
    """The verifier of one endpoint."""
    scheme = table.get("scheme", DEFAULT_SCHEME)
    keys = [_key(secret, decoded=scheme in _IDS) for secret in table["secrets"]]
    if scheme in _IDS:
        return _with_id_and_time(_IDS[scheme], keys)
    if scheme == "shared-token":
        return _with_token(_ONE_HEADER[scheme], keys)
    encode = _hex_text if scheme == "uplift" else _base64_text
    return _with_body_alone(_ONE_HEADER[scheme], keys, encode)


def _key(secret: Mapping[str, Any], *, decoded: bool) -> Key:
    value = secret["value"]
    key = a2b_base64(value.removeprefix("whsec_")) if decoded else value.encode()
    end: datetime | None = secret.get("not_after")
    return key, None if end is None else end.timestamp()


def _with_id_and_time(
    families: tuple[str, ...], keys: list[Key]
) -> Callable[[bytes, Headers, float], bool]:
    digest, equal, encode = hmac.digest, hmac.compare_digest, b2a_base64
    names = [
        [(f"{family}-{part}", f"{family}-{part}".title()) for part in ("id", "timestamp")]
        + [(f"{family}-signature", f"{family}-signature".title())]
        for family in families
    ]

    def verify(body: bytes, headers: Headers, at: float) -> bool:
        for family in names:
            id, timestamp, signatures = (_field(headers, *name) for name in family)
            if id and timestamp and signatures:
                break
        else:
            return False
        if "." in id or len(id) > MAX_ID_BYTES or not id.isascii():
            return False
        if len(signatures) > MAX_HEADER_BYTES:
            return False
        if not (timestamp.isascii() and timestamp.isdigit()):
            return False
        if not -TOLERANCE_SECONDS <= int(timestamp) - int(at) <= TOLERANCE_SECONDS:
            return False
        candidates = signatures.encode().split(b" ")
        covered = f"{id}.{timestamp}.".encode() + body
        for key, end in keys:
            if end is None or at <= end:
                expected = b"v1," + encode(digest(key, covered, "sha256"), newline=False)
                for candidate in candidates:
                    if equal(candidate, expected):
                        return True
        return False

    return verify


def _with_body_alone(
    name: str, keys: list[Key], encode: Callable[[bytes], str]
) -> Callable[[bytes, Headers, float], bool]:
    digest, equal = hmac.digest, hmac.compare_digest
    spellings = (name, name.title())

    def verify(body: bytes, headers: Headers, at: float) -> bool:
        signature = _field(headers, *spellings)
        if not signature or not signature.isascii():
            return False
        for key, end in keys:
            if (end is None or at <= end) and equal(signature, encode(digest(key, body, "sha256"))):
                return True
        return False

    return verify


def _with_token(name: str, keys: list[Key]) -> Callable[[bytes, Headers, float], bool]:
    equal = hmac.compare_digest
    spellings = (name, name.title())

    def verify(body: bytes, headers: Headers, at: float) -> bool:
        token = _field(headers, *spellings)
        if not token:
            return False
        sent = token.strip(" \t").encode()
        return any((end is None or at <= end) and equal(sent, key) for key, end in keys)

    return verify


def _hex_text(mac: bytes) -> str:
    return "sha256=" + mac.hex()


def _base64_text(mac: bytes) -> str:
    return b2a_base64(mac, newline=False).decode()
