"""What is timed: hookseal and its rivals, all with one secret and the same checks.

Each contender offers its work in two shapes, ``singly`` and ``batch``. Both take a set of
messages and return a thunk without arguments; what the thunk does is what is timed, and it
returns how many messages it accepted. Loops are spelled out, so that no contender pays
for a wrapper that another one does not have.
"""

from __future__ import annotations

import hmac
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import standardwebhooks
import svix.webhooks

import hookseal
import hookseal.pure
from benches.messages import KEY, SECRET, TOLERANCE_SECONDS, MessageSet, bad_ones

Work = Callable[[], int]
Verify = Callable[[bytes, dict[str, str]], object]


@dataclass(frozen=True)
class Contender:
    """One way to verify messages."""

    name: str
    singly: Callable[[MessageSet], Work]
    batch: Callable[[MessageSet, int], Work]
    # None where nothing is judged: the bare digest.
    verify: Verify | None
    refusal: type[Exception] = Exception


def assert_honest(contender: Contender, good: MessageSet, headers: str, size: int) -> None:
    """Fails unless the contender accepts good messages and refuses bad ones.

    Every good message is judged again by the thunks that are timed, whose counts are
    asserted; here a few are enough.
    """
    if contender.verify is None:
        for (_, fields), covered in islice(zip(good.messages, good.signed, strict=True), 100):
            (sent,) = (v for name, v in fields.items() if name.lower() == "webhook-signature")
            assert hmac.digest(KEY, covered, "sha256") == a2b_base64(sent.removeprefix("v1,"))
        return
    for body, fields in good.messages[:100]:
        contender.verify(body, fields)
    for index, (body, fields) in enumerate(bad_ones(headers, size)):
        try:
            contender.verify(body, fields)
        except contender.refusal:
            continue
        raise AssertionError(f"{contender.name} accepts bad message {index}")


class StdlibError(Exception):
    """The message is refused."""


def stdlib_verifier(secret: str) -> Verify:
    """The standard library written as well as it can be.

    The usual spellings are found without folding every name, a digest is one call into
    OpenSSL, its base64 is compared with the candidates (so nothing of theirs is decoded), and
    time is an integer.
    """
    key = a2b_base64(secret.removeprefix("whsec_"))
    digest, equal, encode, clock = hmac.digest, hmac.compare_digest, b2a_base64, time.time
    tolerance = TOLERANCE_SECONDS

    def verify(body: bytes, headers: dict[str, str]) -> None:
        id = headers.get("webhook-id") or headers.get("Webhook-Id")
        timestamp = headers.get("webhook-timestamp") or headers.get("Webhook-Timestamp")
        signatures = headers.get("webhook-signature") or headers.get("Webhook-Signature")
        if not (id and timestamp and signatures):
            folded = {name.lower(): value for name, value in headers.items()}
            id = folded.get("webhook-id")
            timestamp = folded.get("webhook-timestamp")
            signatures = folded.get("webhook-signature")
            if not (id and timestamp and signatures):
                raise StdlibError("missing header")
        # int() alone would read "+17", " 17" and "1_7".
        if not (timestamp.isascii() and timestamp.isdigit()):
            raise StdlibError("malformed timestamp")
        if not -tolerance <= int(timestamp) - int(clock()) <= tolerance:
            raise StdlibError("not fresh")
        mac = digest(key, f"{id}.{timestamp}.".encode() + body, "sha256")
        expected = b"v1," + encode(mac, newline=False)
        for candidate in signatures.encode().split(b" "):
            if equal(candidate, expected):
                return
        raise StdlibError("no signature matches")

    return verify


def _loops(name: str, verify: Verify, refusal: type[Exception]) -> Contender:
    """A contender that knows one message at a time; its batch is the loop people write."""

    def singly(chosen: MessageSet) -> Work:
        messages = chosen.messages

        def work() -> int:
            for body, headers in messages:
                verify(body, headers)
            return len(messages)

        return work

    def batch(chosen: MessageSet, count: int) -> Work:
        batches = chosen.batches(count)

        def work() -> int:
            accepted = 0
            for messages in batches:
                verdicts = []
                for body, headers in messages:
                    try:
                        verify(body, headers)
                    except refusal:
                        verdicts.append(False)
                    else:
                        verdicts.append(True)
                accepted += verdicts.count(True)
            return accepted

        return work

    return Contender(name, singly, batch, verify, refusal)


def _without_json(webhook: standardwebhooks.Webhook, refusal: type[Exception]) -> Contender:
    """The same loops with one argument more: a wrapper would cost the rival a call."""
    verify = webhook.verify

    def singly(chosen: MessageSet) -> Work:
        messages = chosen.messages

        def work() -> int:
            for body, headers in messages:
                verify(body, headers, json_parse=False)
            return len(messages)

        return work

    def batch(chosen: MessageSet, count: int) -> Work:
        batches = chosen.batches(count)

        def work() -> int:
            accepted = 0
            for messages in batches:
                verdicts = []
                for body, headers in messages:
                    try:
                        verify(body, headers, json_parse=False)
                    except refusal:
                        verdicts.append(False)
                    else:
                        verdicts.append(True)
                accepted += verdicts.count(True)
            return accepted

        return work

    def judge(body: bytes, headers: dict[str, str]) -> None:
        verify(body, headers, json_parse=False)

    return Contender("standardwebhooks, no JSON", singly, batch, judge, refusal)


def _bare() -> Contender:
    """One ``hmac.digest`` over the signed bytes, which lie there joined: no verifier at all."""
    digest = hmac.digest

    def singly(chosen: MessageSet) -> Work:
        signed = chosen.signed

        def work() -> int:
            for covered in signed:
                digest(KEY, covered, "sha256")
            return len(signed)

        return work

    def batch(chosen: MessageSet, count: int) -> Work:
        # It judges nothing, so it is said to accept what it should.
        work, valid = singly(chosen), chosen.valid

        def work_and_nod() -> int:
            work()
            return valid

        return work_and_nod

    return Contender("hmac.digest", singly, batch, None)


def _own_batch(name: str, verifier: Any, **arguments: Any) -> Contender:
    """hookseal's or the twin's ``verify_batch``."""
    one_by_one = _loops(name, verifier.verify, hookseal.VerificationError)

    def batch(chosen: MessageSet, count: int) -> Work:
        batches = chosen.batches(count)
        verify_batch = verifier.verify_batch

        def work() -> int:
            accepted = 0
            for messages in batches:
                # The result is dropped inside the timing: what it costs to free belongs to it.
                accepted += verify_batch(messages, **arguments).valid
            return accepted

        return work

    return Contender(name, one_by_one.singly, batch, verifier.verify, hookseal.VerificationError)


def _make() -> Iterable[Contender]:
    reference = standardwebhooks.Webhook(SECRET)
    refused = standardwebhooks.WebhookVerificationError
    yield _loops("standardwebhooks", reference.verify, refused)
    yield _without_json(reference, refused)
    yield _loops(
        "svix", svix.webhooks.Webhook(SECRET).verify, svix.webhooks.WebhookVerificationError
    )
    yield _loops("stdlib", stdlib_verifier(SECRET), StdlibError)
    yield _bare()
    yield _own_batch("hookseal.pure", hookseal.pure.Verifier(SECRET))
    core = hookseal.Verifier(SECRET)
    yield _own_batch("hookseal", core, threads=1)
    yield _own_batch(TWO_THREADS, core, threads=2)
    yield _own_batch("hookseal, 4 threads", core, threads=4)
    yield _own_batch("hookseal, threads=None", core)
    yield _loops(ONE_BY_ONE, core.verify, hookseal.VerificationError)


HOOKSEAL = "hookseal"
STANDARD = "standardwebhooks, no JSON"
STANDARD_JSON = "standardwebhooks"
STDLIB = "stdlib"
BARE = "hmac.digest"
TWIN = "hookseal.pure"
TWO_THREADS = "hookseal, 2 threads"
THREADED = [TWO_THREADS, "hookseal, 4 threads", "hookseal, threads=None"]
ONE_BY_ONE = "hookseal, one by one"
BY_NAME = {contender.name: contender for contender in _make()}
PEERS = [STANDARD_JSON, STANDARD, "svix", STDLIB, BARE]
RIVALS = [*PEERS, TWIN]
# hookseal's other ways through a batch, held against verify_batch(threads=1).
OWN_WAYS = [*THREADED, ONE_BY_ONE]
