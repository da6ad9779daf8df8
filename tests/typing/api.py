"""The public API as its users write it. mypy reads this file; nobody runs it.

Every ``type: ignore`` is a misuse that the types must catch: mypy's ``warn_unused_ignores``
fails where one of them is accepted. Each function stands twice, for the core and for its twin.
"""

from __future__ import annotations

from collections import UserDict, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import Message as EmailMessage
from typing import Any, assert_type

import httpx
import numpy as np
from pydantic import SecretStr

import hookseal
import hookseal.pure
from hookseal import Endpoint, Finding, Message, Scheme, Verdict, VerificationError, schemes
from hookseal.types import Body, Headers, Instant, MessageLike, SecretLike, Tolerance


def constructors(ring: hookseal.Keyring, secret: hookseal.Secret) -> None:
    hookseal.Verifier("whsec_x")
    hookseal.Verifier(b"key", scheme="github")
    hookseal.Verifier(secret, scheme=schemes.UPLIFT, tolerance=300)
    hookseal.Verifier(SecretStr("x"), tolerance=(600, 30), max_body_bytes=1 << 20)
    hookseal.Verifier(["a", b"b", secret, SecretStr("c")], tolerance="off")
    hookseal.Verifier(("a", "b"))
    hookseal.Verifier(deque(["a"]))
    hookseal.Verifier(ring, tolerance=None)
    assert_type(hookseal.Verifier.unsigned(reason="behind a VPN"), hookseal.Verifier)

    hookseal.Verifier()  # type: ignore[call-arg]
    hookseal.Verifier(None)  # type: ignore[arg-type]
    hookseal.Verifier(5)  # type: ignore[arg-type]
    hookseal.Verifier({"a", "b"})  # type: ignore[arg-type]
    hookseal.Verifier("a", "github")  # type: ignore[call-arg]
    hookseal.Verifier("a", scheme=5)  # type: ignore[arg-type]
    hookseal.Verifier("a", tolerance=1.5)  # type: ignore[arg-type]
    hookseal.Verifier("a", tolerance="on")  # type: ignore[arg-type]
    hookseal.Verifier("a", tolerance=timedelta(1))  # type: ignore[arg-type]
    hookseal.Verifier("a", max_body_bytes="1")  # type: ignore[arg-type]
    hookseal.Verifier.unsigned()  # type: ignore[call-arg]
    hookseal.Verifier.unsigned("reason")  # type: ignore[call-arg]


def verify(verifier: hookseal.Verifier, body: Body, headers: Headers, at: Instant) -> None:
    proof = verifier.verify(body, headers)
    assert_type(proof, hookseal.Verified)
    assert_type(proof.id, str | None)
    assert_type(proof.timestamp, int | None)
    assert_type(proof.secret, str | None)
    assert_type(proof.endpoint, str | None)
    assert_type(proof.scheme, str)
    assert_type(proof.body, bytes)
    assert_type(proof.covers, frozenset[str])
    assert_type(proof.fresh, bool)
    assert_type(verifier.check(body, headers, endpoint="a", received_at=at, now=at), Verdict)
    verifier.check("text", {"a": "b"})
    verifier.check(bytearray(), {b"a": b"b"}, received_at=1.5)
    verifier.check(memoryview(b""), [("a", "b"), ("a", None)], now=datetime.now(UTC))
    verifier.check(b"", [(b"a", b"b")])
    verifier.check(b"", {"a": ["b", "c"], "d": None})
    verifier.check(b"", httpx.Headers())
    verifier.check(b"", UserDict({"a": "b"}))
    verifier.check(b"", EmailMessage().items())

    proof.id = "x"  # type: ignore[misc]
    proof.body = b""  # type: ignore[misc]
    _ = proof.valid  # type: ignore[attr-defined]
    verifier.check(b"")  # type: ignore[call-arg]
    verifier.check({"json": 1}, {})  # type: ignore[arg-type]
    verifier.check(None, {})  # type: ignore[arg-type]
    verifier.check(b"", None)  # type: ignore[arg-type]
    verifier.check(b"", {}, "endpoint")  # type: ignore[call-arg]
    verifier.check(b"", {}, endpoint=b"a")  # type: ignore[arg-type]
    verifier.check(b"", {}, now="now")  # type: ignore[arg-type]
    verifier.check(b"", {}, timestamp=5)  # type: ignore[call-arg]


class Record:
    body: bytes
    headers: Mapping[str, str]


def batch(
    verifier: hookseal.Verifier, messages: Sequence[MessageLike], records: list[Record]
) -> Iterator[bytes]:
    result = verifier.verify_batch(messages)
    assert_type(result, hookseal.BatchResult)
    assert_type(result.codes, memoryview)
    assert_type(result.secrets, memoryview)
    assert_type(result.valid, int)
    assert_type(result.invalid, int)
    assert_type(result.errors, dict[int, Exception])
    assert_type(result.counts(), dict[Verdict, int])
    assert_type(result.by_secret(), dict[Any, int])
    assert_type(result.valid_indices(), list[int])
    assert_type(result[0], Verdict)
    assert_type(result[1:], list[Verdict])
    assert_type(list(result), list[Verdict])
    assert_type(len(result), int)
    assert_type(result.verified(0), hookseal.Verified)
    assert_type(result.partition(records), tuple[list[Record], list[Record]])
    for index, proof in result.accepted():
        assert_type(index, int)
        yield proof.body
    verifier.verify_batch(records, threads=2, keep=False)
    verifier.verify_batch(iter(records), received_at=[1, None, 1.5])
    # NumPy's stubs show its buffers from Python 3.12 on; we are checked as 3.11.
    verifier.verify_batch([(b"", {"a": "b"})], received_at=np.array([1]))  # type: ignore[arg-type]
    verifier.verify_batch([(b"", {"a": "b"})], received_at=np.array([1]).data)
    verifier.verify_batch([{"body": b"", "headers": {}}], endpoint=["a", None])
    verifier.verify_batch([Message(b"", {}, endpoint="a", received_at=5)], endpoint="a", now=5)

    verifier.verify_batch(None)  # type: ignore[arg-type]
    verifier.verify_batch([1, 2])  # type: ignore[list-item]
    verifier.verify_batch(messages, "endpoint")  # type: ignore[call-arg]
    verifier.verify_batch(messages, endpoint=[b"a"])  # type: ignore[list-item]
    verifier.verify_batch(messages, received_at=["1"])  # type: ignore[list-item]
    verifier.verify_batch(messages, threads="2")  # type: ignore[arg-type]
    verifier.verify_batch(messages, keep=None)  # type: ignore[arg-type]
    result[0] = Verdict.VALID  # type: ignore[index]
    result["0"]  # type: ignore[call-overload]
    result.partition(iter(records))  # type: ignore[arg-type]


def rings() -> None:
    ring = hookseal.Keyring(
        {
            "a": "whsec_x",
            "b": ["x", b"y", hookseal.Secret("z", label="old")],
            "c": Endpoint("z", scheme="github", tolerance="off"),
        },
        scheme="standard-webhooks",
    )
    assert_type(ring.rotate("a", "new", overlap=timedelta(hours=1), now=5), str)
    assert_type(ring.endpoints(), list[str])
    assert_type(ring.labels("a"), list[str])
    assert_type(ring.check(), list[Finding])
    assert_type("a" in ring, bool)
    assert_type(len(ring), int)
    ring.replace("a", Endpoint(["x"], tolerance=(1, 2)))
    ring.replace("a", SecretStr("x"))
    ring.remove("b", "old")
    ring.remove_endpoint("b")

    assert_type(hookseal.Keyring.from_env("X_", endpoints=("a", "b")), hookseal.Keyring)

    hookseal.Keyring([("a", "x")])  # type: ignore[arg-type]
    hookseal.Keyring({5: "x"})  # type: ignore[dict-item]
    hookseal.Keyring({}, "github")  # type: ignore[call-arg]
    ring.rotate("a")  # type: ignore[call-arg]
    ring.rotate("a", "x", timedelta(1))  # type: ignore[call-arg]
    ring.rotate("a", "x", overlap=3600)  # type: ignore[arg-type]
    ring.remove("b", 0)  # type: ignore[arg-type]
    ring["a"]  # type: ignore[index]


def secrets(value: SecretLike) -> None:
    secret = hookseal.Secret(value, label="x", not_before=5, not_after=datetime.now(UTC))
    assert_type(secret, hookseal.Secret)
    assert_type(hookseal.Secret.from_text("x"), hookseal.Secret)
    assert_type(hookseal.Secret.from_base64("x", label="y"), hookseal.Secret)
    assert_type(hookseal.Secret.from_hex("x", not_before=1.5), hookseal.Secret)
    assert_type(hookseal.Secret.from_env("X"), hookseal.Secret)
    assert_type(hookseal.Secret.generate(), hookseal.Secret)
    assert_type(hookseal.Secret.generate("zoho-projects", label="x"), hookseal.Secret)
    assert_type(secret.check("github"), list[Finding])
    assert_type(secret.check(schemes.get("github")), list[Finding])
    assert_type(secret.reveal(), str | bytes)
    assert_type(secret.label, str | None)
    assert_type(secret.not_after, int | None)

    hookseal.Secret(None)  # type: ignore[arg-type]
    hookseal.Secret("x", "label")  # type: ignore[call-arg]
    hookseal.Secret.from_text(b"x")  # type: ignore[arg-type]
    hookseal.Secret.generate(label=5)  # type: ignore[arg-type]
    secret.label = "y"  # type: ignore[misc]
    _ = secret.value  # type: ignore[attr-defined]


def signers() -> None:
    signer = hookseal.Signer(["a", "b"], scheme="svix")
    assert_type(signer.sign(b"", id="x", timestamp=5), dict[str, str])
    assert_type(signer.sign_batch([b"", "x"], ids=["a", None], timestamps=5), list[dict[str, str]])
    signer.sign_batch(iter([b""]), timestamps=np.array([1.5]).data)

    signer.sign(b"", "id")  # type: ignore[call-arg]
    signer.sign({"json": 1})  # type: ignore[arg-type]
    signer.sign(b"", id=5)  # type: ignore[arg-type]
    signer.sign_batch(b"", ids=5)  # type: ignore[arg-type]


def errors(error: VerificationError) -> None:
    assert_type(error.code, str)
    assert_type(error.verdict, Verdict)
    assert_type(error.status_hint, int)
    assert_type(error.public_message, str)
    assert_type(bool(Verdict.VALID), bool)


def names() -> None:
    _ = hookseal.Verifer  # type: ignore[attr-defined]
    _ = schemes.UPLIFTED  # type: ignore[attr-defined]


def scheme(tolerance: Tolerance) -> Scheme:
    mine = schemes.SHARED_TOKEN.replace(name="my-token", signature="x-my-token")
    assert_type(mine, Scheme)
    assert_type(schemes.names(), tuple[str, ...])
    Scheme("mine", signature=("x-a", "x-b"), format="v1={hex}", separator=",", key_length=(16, 64))
    Scheme("mine")  # type: ignore[call-arg]
    Scheme("mine", signature="x", tolerance="off")  # type: ignore[arg-type]
    _ = mine.frozen  # type: ignore[attr-defined]
    Endpoint("x", tolerance=tolerance)
    return mine


class MineCore(hookseal.Verifier):  # type: ignore[misc]
    pass


class MineTwin(hookseal.pure.Verifier):  # type: ignore[misc]
    pass


def one_is_not_the_other(core: hookseal.Secret, twin: hookseal.pure.Secret) -> None:
    hookseal.Verifier(core)
    hookseal.pure.Verifier(twin)
    hookseal.Verifier(twin)  # type: ignore[arg-type]
    hookseal.pure.Verifier(core)  # type: ignore[arg-type]
    hookseal.Verifier(hookseal.pure.Keyring())  # type: ignore[arg-type]
    hookseal.pure.Verifier(hookseal.Keyring())  # type: ignore[arg-type]


# The twin.


def pure_constructors(ring: hookseal.pure.Keyring, secret: hookseal.pure.Secret) -> None:
    hookseal.pure.Verifier("whsec_x")
    hookseal.pure.Verifier(["a", b"b", secret, SecretStr("c")], scheme="svix", tolerance="off")
    hookseal.pure.Verifier(ring, tolerance=(1, 2), max_body_bytes=5)
    assert_type(hookseal.pure.Verifier.unsigned(reason="x"), hookseal.pure.Verifier)
    hookseal.pure.Verifier(None)  # type: ignore[arg-type]
    hookseal.pure.Verifier("a", "github")  # type: ignore[call-arg]
    hookseal.pure.Verifier("a", tolerance=1.5)  # type: ignore[arg-type]
    hookseal.pure.Secret("x", label="y", not_before=5)
    assert_type(hookseal.pure.Secret.generate("github"), hookseal.pure.Secret)
    assert_type(secret.reveal(), str | bytes)
    secret.label = "y"  # type: ignore[misc]


def pure_verify(
    verifier: hookseal.pure.Verifier, body: Body, headers: Headers, messages: list[MessageLike]
) -> None:
    proof = verifier.verify(body, headers, received_at=5, now=datetime.now(UTC))
    assert_type(proof, hookseal.pure.Verified)
    assert_type(proof.id, str | None)
    assert_type(proof.body, bytes)
    assert_type(verifier.check(body, headers, endpoint="a"), Verdict)
    result = verifier.verify_batch(messages, received_at=np.array([1]).data, threads=1, keep=False)
    assert_type(result, hookseal.pure.BatchResult)
    assert_type(result[0], Verdict)
    assert_type(result[1:], list[Verdict])
    assert_type(result.partition([1, 2]), tuple[list[int], list[int]])
    assert_type(list(result.accepted()), list[tuple[int, hookseal.pure.Verified]])
    assert_type(result.by_secret(), dict[Any, int])
    verifier.check(None, {})  # type: ignore[arg-type]
    verifier.verify_batch([1])  # type: ignore[list-item]
    result[0] = Verdict.VALID  # type: ignore[index]


def pure_rings() -> None:
    ring = hookseal.pure.Keyring({"a": "x", "b": Endpoint("z", scheme="github")}, scheme="svix")
    assert_type(ring.rotate("a", "new", overlap=timedelta(1)), str)
    assert_type(ring.check(), list[Finding])
    ring.replace("a", ["x", b"y"])
    ring.rotate("a", "x", overlap=3600)  # type: ignore[arg-type]
    signer = hookseal.pure.Signer("a", scheme=schemes.GITHUB)
    assert_type(signer.sign(b""), dict[str, str])
    assert_type(signer.sign_batch([b""]), list[dict[str, str]])
    signer.sign(b"", id=5)  # type: ignore[arg-type]
