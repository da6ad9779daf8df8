"""The drop-ins where something else is wrong than a message or a secret."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from hookseal.compat._errors import webhook_secret
from hookseal.compat.standardwebhooks import WebhookVerificationError
from tests import oracle
from tests.implementations import SECRET, signed

pytest.importorskip("hookseal._core")


@pytest.mark.parametrize("error", [MemoryError(), RecursionError("too deep")])
def test_what_is_no_fault_of_a_secret_is_not_called_one(error: Exception) -> None:
    assert webhook_secret("whsec_AAAA", error) is error


def test_a_core_that_does_not_load_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain Python does not take its place unasked: the installation is broken."""

    class Broken:
        @staticmethod
        def find_spec(name: str, *_: Any) -> None:
            if name == "hookseal._core":
                raise ModuleNotFoundError("no module 'other'", name="other")

    for name in ("hookseal._core", "hookseal.compat._implementation"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken, *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match="other"):
        importlib.import_module("hookseal.compat._implementation")


@pytest.mark.parametrize("module", ["hookseal._core", "hookseal.pure._mirror"])
def test_text_that_cannot_be_encoded_is_not_the_empty_body(module: str) -> None:
    """Even where a signature of that is sent with it."""
    own = importlib.import_module(module)
    webhook, headers = own.StandardWebhook(SECRET, tolerance="off"), signed(b"")
    assert webhook.verify(b"", headers, json_parse=False) is None
    with pytest.raises(WebhookVerificationError):
        webhook.verify("\ud800", headers)
    signature = "sha256=" + oracle.mac(b"a key", b"").hex()
    assert own.is_signed("github", b"", signature, "a key")
    assert not own.is_signed("github", "\ud800", signature, "a key")
