"""The drop-ins and their originals, side by side: how they are called, and what came of it.

A call is data, so that the same one can be made of the genuine package, of the drop-in on the core,
and of the drop-in on its twin.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import gidgethub
import gidgethub.sansio
import pytest
import standardwebhooks.webhooks
import svix.webhooks
import time_machine

import hookseal.compat
import hookseal.pure
from tests.implementations import KEY, NOW, SECRET

MODULES: Final = ("standardwebhooks.webhooks", "svix.webhooks", "svix1.webhooks", "github")
FUNCTIONS: Final = ("uplift", "zoho")
WEBHOOKS: Final = ("standard", "svix", "svix1")
# Shared by both implementations: their exceptions are the same classes.
SHARED: Final = {
    f"hookseal.compat.{name}" for name in ("_absent", "_errors", "_signing", "_timestamp")
}
TEXT_SECRET: Final = "It's a secret of sixteen bytes"


@cache
def genuine_svix1() -> ModuleType:
    """``svix.webhooks`` of svix 1, which tools/venv.py puts beside the environment's svix 2."""
    folder = Path(sys.prefix) / "svix1"
    if not folder.is_dir():
        pytest.skip("svix 1 is not there; tools/venv.py installs it")
    spec = importlib.util.spec_from_file_location(
        "genuine_svix1_webhooks", folder / "svix" / "webhooks.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def uplift_page(request_body: Any, signature_from_request_header: Any) -> bool:
    """What Uplift's page prints."""
    key = bytes(os.environ["SECRET_TOKEN"], encoding="utf-8")
    digest = hmac.new(key, request_body.encode("utf-8"), hashlib.sha256).hexdigest()
    return hmac.compare_digest("sha256=" + digest, signature_from_request_header)


def zoho_page(payload: Any, signature: Any, secret: Any) -> bool:
    """What Zoho's page describes, as its readers write it in Python."""
    digest = hmac.new(secret.encode("utf-8"), payload.encode("utf-8"), hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(digest).decode(), signature)


@cache
def modules(which: str) -> dict[str, ModuleType]:
    """The drop-ins on "core" or "twin", by name."""
    names = [f"hookseal.compat.{name}" for name in (*MODULES, *FUNCTIONS)]
    if which == "core":
        if importlib.util.find_spec("hookseal._core") is None:
            pytest.skip("hookseal._core is not built")
        found = [importlib.import_module(name) for name in names]
    else:
        found = _without_core(names)
    return dict(zip((*MODULES, *FUNCTIONS), found, strict=True))


def _without_core(names: list[str]) -> list[ModuleType]:
    """Imports the modules anew as where there is no binary, and leaves no trace of it."""
    kept = {name: module for name, module in sys.modules.items() if _is_dropin(name)}
    attributes = dict(vars(hookseal.compat))
    binary = sys.modules.get("hookseal._core")
    try:
        for name in kept:
            del sys.modules[name]
        sys.modules["hookseal._core"] = None  # type: ignore[assignment]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return [importlib.import_module(name) for name in names]
    finally:
        for name in [name for name in sys.modules if _is_dropin(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
        vars(hookseal.compat).update(attributes)
        del sys.modules["hookseal._core"]
        if binary is not None:
            sys.modules["hookseal._core"] = binary


def _is_dropin(name: str) -> bool:
    return name.startswith("hookseal.compat.") and name not in SHARED


class Outcome(NamedTuple):
    """What came of a call."""

    returned: Any = None
    raised: Exception | None = None

    @property
    def accepted(self) -> bool:
        """Whether the message passed: functions say so with True, and a body that is no JSON is
        one whose signature was good.
        """
        if isinstance(self.raised, (json.JSONDecodeError, RecursionError)):
            return True
        return self.raised is None and self.returned is not False

    def __str__(self) -> str:
        return repr(self.returned) if self.raised is None else repr(self.raised)


def outcome(call: Callable[[], Any]) -> Outcome:
    """Makes a call."""
    try:
        return Outcome(call())
    except Exception as error:
        return Outcome(raised=error)


def same(theirs: Outcome, ours: Outcome) -> bool:
    """Whether a program could tell them apart: by a value, an ``except`` or a text."""
    if theirs.raised is None or ours.raised is None:
        # repr tells NaN from nothing and True from 1.
        return theirs.raised is ours.raised and repr(theirs.returned) == repr(ours.returned)
    if not isinstance(ours.raised, type(theirs.raised)):
        return False
    # A text of Python's own, about a type or its stack, is not the original's to give.
    if isinstance(theirs.raised, (TypeError, RecursionError)):
        return True
    return str(theirs.raised) == str(ours.raised)


class Side(NamedTuple):
    """One side: the genuine packages, or the drop-ins on one implementation."""

    standard: Any
    svix: Any
    svix1: Any
    hmac_data: Any
    validate_event: Any
    uplift: Any
    zoho: Any


@cache
def genuine() -> Side:
    """The originals."""
    return Side(
        standardwebhooks.webhooks.Webhook,
        svix.webhooks.Webhook,
        genuine_svix1().Webhook,
        standardwebhooks.webhooks.hmac_data,
        gidgethub.sansio.validate_event,
        uplift_page,
        zoho_page,
    )


@cache
def dropins(which: str) -> Side:
    """The drop-ins on "core" or "twin"."""
    found = modules(which)
    return Side(
        found["standardwebhooks.webhooks"].Webhook,
        found["svix.webhooks"].Webhook,
        found["svix1.webhooks"].Webhook,
        found["standardwebhooks.webhooks"].hmac_data,
        found["github"].validate_event,
        found["uplift"].verify_signature,
        found["zoho"].verify_signature,
    )


IMPLEMENTATIONS: Final = ("core", "twin")


@pytest.fixture(params=IMPLEMENTATIONS)
def which(request: pytest.FixtureRequest) -> str:
    """The drop-ins on the core, and on its twin."""
    return str(request.param)


@pytest.fixture(params=WEBHOOKS)
def webhook_class(which: str, request: pytest.FixtureRequest) -> Any:
    """Each ``Webhook``."""
    return getattr(dropins(which), request.param)


class Call(NamedTuple):
    """A call that both sides can be asked for.

    Attributes:
        function: Which: "standard", "svix", "svix1" (their ``verify``), "constructor", "sign",
            "hmac_data", "github", "uplift" or "zoho".
        arguments: What it is given; "secret" too, where it is not the tests'.
        fraction: Of a second, behind NOW, when it is made.
    """

    function: str
    arguments: dict[str, Any]
    fraction: float = 0.5

    def made(self, side: Side) -> Outcome:
        """Makes it of one side."""
        arguments = dict(self.arguments)
        match self.function:
            case "constructor":
                return outcome(lambda: type(side.standard(**arguments)).__name__)
            case "sign":
                return outcome(lambda: side.standard(SECRET).sign(**arguments))
            case "hmac_data":
                return outcome(lambda: side.hmac_data(**arguments))
            case "github":
                return outcome(lambda: side.validate_event(**arguments))
            case "uplift":
                secret = arguments.pop("secret", TEXT_SECRET)
                with pytest.MonkeyPatch.context() as patch:
                    if secret is None:
                        patch.delenv("SECRET_TOKEN", raising=False)
                    else:
                        patch.setenv("SECRET_TOKEN", secret)
                    return outcome(lambda: side.uplift(**arguments))
            case "zoho":
                return outcome(lambda: side.zoho(**arguments))
            case _:
                secret = arguments.pop("secret", SECRET)
                webhook = getattr(side, self.function)(secret)
                return outcome(lambda: webhook.verify(**arguments))


def at(fraction: float) -> Any:
    """A clock that stands still there."""
    return time_machine.travel(NOW + fraction, tick=False)


def mac(body: bytes, id: str = "msg_1", stamp: str = str(NOW), key: bytes = KEY) -> str:
    """A signature of Standard Webhooks over these very parts."""
    covered = b"%b.%b.%b" % (id.encode("utf-8", "surrogatepass"), stamp.encode(), body)
    return "v1," + base64.b64encode(hmac.digest(key, covered, "sha256")).decode()


def headers(
    body: bytes, id: str = "msg_1", stamp: str = str(NOW), family: str = "webhook", **changed: Any
) -> dict[Any, Any]:
    """Good headers, and over them what a test changes: ``id=``'s value is ``id_``."""
    good: dict[Any, Any] = {
        f"{family}-id": id,
        f"{family}-timestamp": stamp,
        f"{family}-signature": mac(body, id, stamp),
    }
    return good | {f"{family}-{part.strip('_')}": value for part, value in changed.items()}


def utc(second: float) -> datetime:
    """A moment as ``sign`` takes it."""
    return datetime.fromtimestamp(second, UTC)


def hex_mac(body: bytes, secret: str = TEXT_SECRET, algorithm: str = "sha256") -> str:
    """A signature in GitHub's form."""
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


def base64_mac(body: bytes, secret: str = TEXT_SECRET) -> str:
    """A signature in Zoho's form."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


DOCUMENTED: Final = (
    standardwebhooks.webhooks.WebhookVerificationError,
    standardwebhooks.webhooks.EmptyWebhookSecretError,
    gidgethub.ValidationFailure,
    RuntimeError,
)
"""What the originals say that they raise."""
