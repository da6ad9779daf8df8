"""The SDKs that depend on standardwebhooks, on their own samples, with the drop-in in its place.

They import ``standardwebhooks`` inside their methods, so that the module's name is enough.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import anthropic
import lithic
import pytest
import time_machine
from anthropic import Anthropic, AsyncAnthropic
from lithic import AsyncLithic, Lithic

from tests.mirrors import IMPLEMENTATIONS, modules

# tests/api_resources/test_webhooks.py of lithic 0.133.0, with the signature published there.
LITHIC_NOW = 1_676_312_382
LITHIC_SECRET = "whsec_zlFsbBZ8Xcodlpcu6NDTdSzZRLSdhkst"
LITHIC_SIGNATURE = "Dwa0AHInLL3XFo2sxcHamOQDrJNi7F654S3L6skMAOI="
LITHIC_HEADERS = {
    "webhook-id": "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj",
    "webhook-timestamp": str(LITHIC_NOW),
    "webhook-signature": f"v1,{LITHIC_SIGNATURE}",
}
LITHIC_PAYLOAD = (
    '{"card_token":"sit Lorem ipsum, accusantium repellendus possimus","created_at":"elit. placeat'
    ' libero architecto molestias, sit","account_token":"elit.","issuer_decision":"magnam, libero'
    ' esse Lorem ipsum magnam, magnam,","tokenization_attempt_id":"illum dolor repellendus libero'
    ' esse accusantium","wallet_decisioning_info":{"device_score":"placeat architecto"},'
    '"digital_wallet_token_metadata":{"status":"reprehenderit dolor","token_requestor_id":'
    '"possimus","payment_account_info":{"account_holder_data":{"phone_number":"libero",'
    '"email_address":"nobis molestias, veniam culpa! quas elit. quas libero esse architecto'
    ' placeat"},"pan_unique_reference":"adipisicing odit magnam, odit"}}}'
)
LITHIC_EVENT = (
    '{"event_type":"account_holder.created","token":"00000000-0000-0000-0000-000000000001",'
    '"account_token":"00000000-0000-0000-0000-000000000001","created":"2019-12-27T18:11:19.117Z",'
    '"status":"ACCEPTED"}'
)
# tests/api_resources/beta/test_webhooks.py of anthropic 2.12.0.
ANTHROPIC_KEYS: list[tuple[str | None, str | bytes | None]] = [
    ("whsec_c2VjcmV0Cg==", None),
    ("wrong", b"secret\n"),
    ("wrong", "whsec_c2VjcmV0Cg=="),
    (None, b"secret\n"),
    (None, "whsec_c2VjcmV0Cg=="),
]
ANTHROPIC_PAYLOAD = (
    '{"id":"wevt_011CZkZYZd9rLmz3ujAcsqEw","created_at":"2026-03-15T10:00:00Z","data":{"id":'
    '"sesn_011CZkZAtmR3yMPDzynEDxu7","organization_id":"org_011CZkZZAe0sMna4vkBdtrfx","type":'
    '"session.status_idled","workspace_id":"wrkspc_011CZkZaBF1tNoB5wlCeusgy"},"type":"event"}'
)


@pytest.fixture(params=["genuine", *IMPLEMENTATIONS])
def package(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What ``import standardwebhooks`` gives: the package, or the drop-in under its name."""
    if request.param == "genuine":
        import standardwebhooks

        yield standardwebhooks
        return
    webhooks = modules(request.param)["standardwebhooks.webhooks"]
    alias = ModuleType("standardwebhooks")
    vars(alias).update(
        Webhook=webhooks.Webhook, WebhookVerificationError=webhooks.WebhookVerificationError
    )
    monkeypatch.setitem(sys.modules, "standardwebhooks", alias)
    monkeypatch.setitem(sys.modules, "standardwebhooks.webhooks", webhooks)
    yield alias


@pytest.fixture(params=[Lithic, AsyncLithic])
def lithic_webhooks(request: pytest.FixtureRequest) -> Any:
    return request.param(api_key="not used").webhooks


@pytest.fixture(autouse=True)
def _moment() -> Iterator[None]:
    with time_machine.travel(LITHIC_NOW + 0.5, tick=False):
        yield


def test_versions() -> None:
    assert (lithic.__version__, anthropic.__version__) >= ("0.133.0", "2.12.0")


def test_lithic_unwraps_its_sample(package: Any, lithic_webhooks: Any) -> None:
    for payload in (LITHIC_PAYLOAD, LITHIC_PAYLOAD.encode()):
        event = lithic_webhooks.unwrap(payload, LITHIC_HEADERS, secret=LITHIC_SECRET)
        assert event == json.loads(LITHIC_PAYLOAD)


def test_lithic_verifies(package: Any, lithic_webhooks: Any) -> None:
    def verify(seconds: int = 0, secret: str = LITHIC_SECRET, **headers: str) -> Any:
        given = LITHIC_HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
        with time_machine.travel(LITHIC_NOW + seconds, tick=False):
            return lithic_webhooks.verify_signature(
                payload=LITHIC_PAYLOAD, headers=given, secret=secret
            )

    other = base64.b64encode(b"my_sig").decode()
    good = LITHIC_HEADERS["webhook-signature"]
    assert verify() is None
    assert verify(webhook_signature=f"v1,{other} {good}") is None
    assert verify(webhook_signature=f"v2,{LITHIC_SIGNATURE} {good}") is None
    refused: list[tuple[str, dict[str, Any]]] = [
        ("timestamp too old", {"seconds": 360}),
        ("timestamp too new", {"seconds": -360}),
        ("No matching signature", {"secret": "whsec_" + base64.b64encode(b"wrong").decode()}),
        ("No matching signature", {"webhook_signature": f"v2,{LITHIC_SIGNATURE}"}),
        ("No matching signature", {"webhook_id": "msg_1"}),
    ]
    for text, arguments in refused:
        with pytest.raises(package.WebhookVerificationError, match=text):
            verify(**arguments)


def test_lithic_parses(package: Any, lithic_webhooks: Any) -> None:
    signed = package.Webhook(LITHIC_SECRET).sign(
        msg_id="msg_test123", timestamp=datetime.fromtimestamp(LITHIC_NOW, UTC), data=LITHIC_EVENT
    )
    headers = LITHIC_HEADERS | {"webhook-id": "msg_test123", "webhook-signature": signed}
    for secret in (LITHIC_SECRET, LITHIC_SECRET.encode()):
        event = lithic_webhooks.parse(LITHIC_EVENT, headers=headers, secret=secret)
        assert event.event_type == "account_holder.created"
    with pytest.raises(package.WebhookVerificationError):
        lithic_webhooks.parse(LITHIC_EVENT + " ", headers=headers, secret=LITHIC_SECRET)


@pytest.mark.parametrize(("of_client", "of_call"), ANTHROPIC_KEYS)
@pytest.mark.parametrize("client_class", [Anthropic, AsyncAnthropic])
def test_anthropic_unwraps_its_sample(
    package: Any, client_class: Any, of_client: str | None, of_call: str | bytes | None
) -> None:
    client = client_class(api_key="not used", webhook_key=of_client)
    hook = package.Webhook(b"secret\n")
    moment = datetime.now(tz=UTC)
    headers = {
        "webhook-id": "1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": hook.sign(msg_id="1", timestamp=moment, data=ANTHROPIC_PAYLOAD),
    }
    event = client.beta.webhooks.unwrap(ANTHROPIC_PAYLOAD, headers=headers, key=of_call)
    assert event.data.type == "session.status_idled"
    for changed in (
        {"webhook-signature": hook.sign(msg_id="1", timestamp=moment, data="xxx")},
        {"webhook-id": "bad"},
        {"webhook-timestamp": "0"},
    ):
        with pytest.raises(package.WebhookVerificationError):
            client.beta.webhooks.unwrap(ANTHROPIC_PAYLOAD, headers=headers | changed, key=of_call)
