"""The drop-ins as their users write them. mypy reads this file; nobody runs it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_type

import httpx
from pydantic import SecretStr

from hookseal import BatchResult, Secret
from hookseal.compat import github, standardwebhooks, svix, svix1, uplift, zoho
from hookseal.compat.standardwebhooks.webhooks import EmptyWebhookSecretError, hmac_data


def webhooks(body: bytes, headers: dict[str, str], now: datetime, secret: Secret) -> None:
    webhook = standardwebhooks.Webhook("whsec_x")
    assert_type(webhook.verify(body, headers), Any)
    assert_type(webhook.verify("{}", httpx.Headers(headers), json_parse=False), Any)
    assert_type(webhook.sign("msg_1", now, "{}"), str)
    svix.Webhook(b"key").verify(body, headers)
    assert_type(svix1.Webhook("whsec_x").verify(body, headers), Any)
    assert_type(hmac_data(b"key", body), bytes)

    standardwebhooks.Webhook()  # type: ignore[call-arg]
    standardwebhooks.Webhook(5)  # type: ignore[arg-type]
    standardwebhooks.Webhook("x", 5)  # type: ignore[call-arg]
    webhook.verify(body)  # type: ignore[call-arg]
    webhook.verify({}, headers)  # type: ignore[arg-type]
    webhook.sign("msg_1", 5, "{}")  # type: ignore[arg-type]
    svix.Webhook("x").verify(body, headers, json_parse=True)  # type: ignore[call-arg]


def additions(messages: list[tuple[bytes, dict[str, str]]], secret: Secret) -> None:
    webhook = standardwebhooks.Webhook(["whsec_x", secret, SecretStr("y")], tolerance=(60, 5))
    assert_type(webhook.verify_batch(messages, received_at=5, threads=1, keep=False), BatchResult)
    svix.Webhook("x", tolerance="off")

    svix.Webhook("x", tolerance="on")  # type: ignore[arg-type]
    webhook.verify_batch(messages, endpoint="x")  # type: ignore[call-arg]


def exceptions() -> None:
    try:
        standardwebhooks.Webhook("")
    except (EmptyWebhookSecretError, RuntimeError):
        pass
    except standardwebhooks.WebhookVerificationError as error:
        assert_type(error, standardwebhooks.WebhookVerificationError)


class Mine(standardwebhooks.Webhook):
    """A subclass with a constructor of its own."""

    def __init__(self, config: Mapping[str, str]) -> None:
        super().__init__(config["secret"])


def subclasses() -> None:
    Mine({"secret": "x"})

    Mine("x")  # type: ignore[arg-type]


def functions(body: bytes, signature: str | None) -> None:
    github.validate_event(body, signature="sha256=", secret="x")
    assert_type(uplift.verify_signature(body, signature), bool)
    assert_type(uplift.verify_signature("{}", signature), bool)
    assert_type(zoho.verify_signature(body, signature, "x"), bool)

    github.validate_event(body, "sha256=", "x")  # type: ignore[call-arg]
    github.validate_event("{}", signature="sha256=", secret="x")  # type: ignore[arg-type]
    uplift.verify_signature(body)  # type: ignore[call-arg]
    zoho.verify_signature(body, signature, None)  # type: ignore[arg-type]
