"""The exceptions of the drop-ins: caught by either name, and silent about secrets."""

from __future__ import annotations

import copy
import importlib
import pickle
import sys
from types import ModuleType
from typing import Any
from unittest import mock

import gidgethub
import gidgethub.sansio
import pytest
import standardwebhooks
import standardwebhooks.webhooks
import svix
import svix.webhooks

import hookseal
from hookseal import SecretError
from hookseal.compat import _errors
from tests.implementations import BODY, SECRET
from tests.mirrors import TEXT_SECRET, at, dropins, headers, mac, modules, which

__all__ = ["which"]


def test_except_works_with_either_name(which: str) -> None:
    ours = modules(which)
    webhook = dropins(which).standard(SECRET)
    for name, theirs in (("standardwebhooks.webhooks", standardwebhooks), ("svix.webhooks", svix)):
        for cls in (ours[name].WebhookVerificationError, theirs.WebhookVerificationError):
            with pytest.raises(cls, match=r"^Missing required headers$") as caught:
                webhook.verify(BODY, {})
            assert isinstance(caught.value.__cause__, hookseal.MissingHeaderError)
            assert type(caught.value).__name__ == "WebhookVerificationError"
    for cls in (
        ours["standardwebhooks.webhooks"].EmptyWebhookSecretError,
        standardwebhooks.webhooks.EmptyWebhookSecretError,
    ):
        with pytest.raises(cls, match=r"^webhook secret may not be empty$"):
            dropins(which).standard("")
    for cls in (
        ours["github"].ValidationFailure,
        gidgethub.ValidationFailure,
        gidgethub.GitHubException,
        ours["github"].GitHubException,
    ):
        with pytest.raises(cls):
            dropins(which).validate_event(BODY, signature="sha256=", secret=TEXT_SECRET)


def test_without_the_original_it_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    cls = _errors.WebhookVerificationError
    for name in ("standardwebhooks.webhooks", "svix.webhooks", "standardwebhooks"):
        monkeypatch.delitem(sys.modules, name)
    error = _errors.mirrored(cls, "text")
    assert type(error) is cls
    assert not isinstance(error, ValueError)


class _NoSubclass(Exception):
    def __init_subclass__(cls) -> None:
        raise RuntimeError


class _OtherArguments(Exception):
    def __new__(cls, *, text: str) -> Any:
        return super().__new__(cls)


_STANDS = [None, "text", int, BaseException, mock.Mock(), mock.Mock(spec=type), _NoSubclass]


@pytest.mark.parametrize("stands", [*_STANDS, _OtherArguments])
def test_whatever_stands_in_the_originals_place(
    stands: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mock, a module that is half loaded, or ours under its name."""
    fake = ModuleType("standardwebhooks.webhooks")
    vars(fake)["WebhookVerificationError"] = stands
    for module in (fake, ModuleType("empty"), mock.Mock(), None, object()):
        monkeypatch.setitem(sys.modules, "standardwebhooks.webhooks", module)
        monkeypatch.setitem(sys.modules, "svix.webhooks", module)
        error = _errors.mirrored(_errors.WebhookVerificationError, "text")
        assert type(error) is _errors.WebhookVerificationError


def test_under_its_own_name_it_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = importlib.import_module("hookseal.compat.standardwebhooks.webhooks")
    for name in ("standardwebhooks.webhooks", "svix.webhooks"):
        monkeypatch.setitem(sys.modules, name, ours)
    error = _errors.mirrored(_errors.WebhookVerificationError, "text")
    assert type(error) is ours.WebhookVerificationError


def test_errors_travel(which: str) -> None:
    with pytest.raises(standardwebhooks.WebhookVerificationError) as caught, at(0):
        dropins(which).standard(SECRET).verify(BODY, headers(BODY, id_="other"))
    for again in (
        copy.copy(caught.value),
        *(pickle.loads(pickle.dumps(caught.value, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
    ):
        assert type(again) is type(caught.value)
        assert str(again) == str(caught.value) == "No matching signature found"


@pytest.mark.parametrize("secret", ["my secret", 5, b"whsec_AAAA", "whsec_A", [SECRET, "?"]])
def test_a_wrong_secret_is_all_three(which: str, secret: Any) -> None:
    for cls in (RuntimeError, SecretError, ValueError):
        with pytest.raises(cls, match=r"^Invalid webhook secret") as caught:
            dropins(which).standard(secret)
        assert "my secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_secret_and_no_signature_in_an_error(which: str) -> None:
    import traceback

    with pytest.raises(standardwebhooks.WebhookVerificationError) as caught, at(0):
        dropins(which).standard(SECRET).verify(b"canary", headers(BODY))
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert mac(b"canary")[3:] not in shown
    assert SECRET[6:] not in shown
