"""The drop-ins as a program meets them: imports, signatures, objects, clocks, what is new."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import re
import subprocess
import sys
import weakref
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import freezegun
import pytest
import standardwebhooks
import standardwebhooks.webhooks
import svix
import svix.webhooks
import time_machine
from pydantic import SecretStr

from hookseal import Verdict
from tests.implementations import BODY, KEY, NOW, SECRET
from tests.implementations import secret as other_secret
from tests.mirrors import (
    FUNCTIONS,
    MODULES,
    TEXT_SECRET,
    WEBHOOKS,
    at,
    dropins,
    genuine,
    headers,
    hex_mac,
    utc,
    webhook_class,
    which,
)

__all__ = ["webhook_class", "which"]

MIRRORED = {"standardwebhooks": "1.1.0", "svix": "2.9.1", "gidgethub": "6.0.0"}


# Imports.


@pytest.mark.parametrize("package", MIRRORED)
def test_the_installed_original_is_the_one_mirrored(package: str) -> None:
    """Whoever raises the original's version reads what changed, and raises this one."""

    def parts(text: str) -> list[int]:
        return [int(number) for number in re.findall("[0-9]+", text)]

    assert parts(version(package)) <= parts(MIRRORED[package])


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("standardwebhooks", "standardwebhooks"),
        ("standardwebhooks.webhooks", "standardwebhooks"),
        ("standardwebhooks.exceptions", "standardwebhooks"),
        ("svix", "svix"),
        ("svix.webhooks", "svix"),
        ("github", "gidgethub"),
    ],
)
def test_docstrings_name_the_version(name: str, package: str) -> None:
    module = importlib.import_module(f"hookseal.compat.{name}")
    assert MIRRORED[package] in (module.__doc__ or "")
    assert module.__all__ == sorted(module.__all__)
    assert all(hasattr(module, exported) for exported in module.__all__)


@pytest.mark.parametrize("name", [*MODULES, *FUNCTIONS, "standardwebhooks", "svix", "svix1"])
def test_docstrings(name: str) -> None:
    module = importlib.import_module(f"hookseal.compat.{name}")
    assert module.__doc__
    for exported in module.__all__:
        thing = getattr(module, exported)
        methods = [
            getattr(thing, method)
            for method in ("verify", "sign", "verify_batch")
            if hasattr(thing, method)
        ]
        for one in (thing, *methods):
            assert (inspect.getdoc(one) or "").partition("\n")[0].strip(), one


def test_svix1_names_its_version() -> None:
    genuine()
    (info,) = Path(sys.prefix, "svix1").glob("svix-*.dist-info")
    assert info.name == "svix-1.84.1.dist-info"
    for name in ("svix1", "svix1.webhooks"):
        module = importlib.import_module(f"hookseal.compat.{name}")
        assert "1.84.1" in (module.__doc__ or "")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("standardwebhooks", standardwebhooks),
        ("standardwebhooks.webhooks", standardwebhooks.webhooks),
        ("standardwebhooks.exceptions", importlib.import_module("standardwebhooks.exceptions")),
        ("svix.webhooks", svix.webhooks),
    ],
)
def test_the_same_names(ours: str, theirs: ModuleType) -> None:
    module = importlib.import_module(f"hookseal.compat.{ours}")
    own = {
        name
        for name, value in vars(theirs).items()
        if getattr(value, "__module__", "").startswith("standardwebhooks")
        or getattr(value, "__module__", "") == theirs.__name__
    }
    assert own - {"StdWh"} <= {name for name in module.__all__ if hasattr(theirs, name)}
    assert {"Webhook", "WebhookVerificationError"} <= set(dir(svix)) & set(dir(standardwebhooks))


def test_nothing_is_imported_that_is_not_asked_for() -> None:
    """Neither the drop-ins by the package, nor an original by a drop-in."""
    script = (
        "import sys, hookseal, hookseal.pure\n"
        "print(any(n.startswith('hookseal.compat') and n != 'hookseal.compat._errors'"
        " for n in sys.modules))\n"
        "import hookseal.compat.standardwebhooks, hookseal.compat.svix, hookseal.compat.svix1\n"
        "import hookseal.compat.github, hookseal.compat.uplift, hookseal.compat.zoho\n"
        "w = hookseal.compat.standardwebhooks.Webhook('AAAA')\n"
        "try: w.verify(b'', {})\n"
        "except hookseal.compat.standardwebhooks.WebhookVerificationError as e:\n"
        "    print(type(e).__mro__[1])\n"
        "print({'standardwebhooks', 'svix', 'gidgethub', 'httpx'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        "False",
        "<class 'hookseal.compat._errors.Mirrored'>",
        "set()",
    ]


def test_without_the_binary_it_works_and_says_so() -> None:
    script = (
        "import sys, warnings; sys.modules['hookseal._core'] = None\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    import hookseal.compat.standardwebhooks, hookseal.compat.github\n"
        "print([w.category.__name__ for w in caught], 'hookseal.pure' in str(caught[0].message))\n"
        "print(hookseal.compat.standardwebhooks.Webhook.__mro__[1].__module__)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["['RuntimeWarning'] True", "hookseal.pure._mirror"]


# Signatures.


@pytest.mark.parametrize("function", WEBHOOKS)
@pytest.mark.parametrize("method", ["verify", "sign"])
def test_methods_take_what_the_originals_take(which: str, function: str, method: str) -> None:
    ours = inspect.signature(getattr(getattr(dropins(which), function), method))
    theirs = inspect.signature(getattr(getattr(genuine(), function), method))

    def shape(signature: inspect.Signature) -> list[Any]:
        several = signature.parameters.values()
        return [
            (one.name, one.kind is inspect.Parameter.KEYWORD_ONLY, one.default)
            for one in several
            if one.name != "self"
        ]

    assert shape(ours) == shape(theirs)


@pytest.mark.parametrize("name", ["hmac_data", "validate_event", "uplift", "zoho"])
def test_functions_take_what_the_originals_take(which: str, name: str) -> None:
    ours, theirs = (inspect.signature(getattr(side, name)) for side in (dropins(which), genuine()))
    assert [*ours.parameters] == [*theirs.parameters]
    assert [one.kind for one in ours.parameters.values()] == [
        one.kind for one in theirs.parameters.values()
    ]


def test_the_constructor(which: str) -> None:
    for function in WEBHOOKS:
        names = [*inspect.signature(getattr(dropins(which), function)).parameters]
        assert names == ["whsecret", "tolerance"]
    cls = dropins(which).standard
    with at(0):
        assert cls(whsecret=SECRET).verify(data=BODY, headers=headers(BODY)) == {
            "type": "invoice.paid"
        }
    with pytest.raises(TypeError):
        cls()
    with pytest.raises(TypeError):
        cls(SECRET, 5)
    for function in ("svix", "svix1"):
        with pytest.raises(TypeError), at(0):
            getattr(dropins(which), function)(SECRET).verify(BODY, headers(BODY), json_parse=True)


# Objects.


def test_an_object_keeps_no_secret(which: str, webhook_class: Any) -> None:
    webhook = webhook_class(SECRET)
    assert vars(webhook) == {}
    for name in ("_whsecret", "_inner"):
        assert not hasattr(webhook, name)
    assert SECRET[6:] not in repr(webhook)
    for change in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            change(webhook)
    assert weakref.ref(webhook)() is webhook
    assert webhook == webhook  # noqa: PLR0124
    assert webhook != webhook_class(SECRET)


def test_initialised_again(webhook_class: Any) -> None:
    webhook = webhook_class(other_secret(1))
    webhook.__init__(SECRET)
    with at(0):
        webhook.verify(BODY, headers(BODY))
    with pytest.raises(TypeError):
        webhook.__init__()


def test_never_initialised(webhook_class: Any) -> None:
    webhook = webhook_class.__new__(webhook_class)
    with pytest.raises((RuntimeError, AttributeError)):
        webhook.verify(BODY, headers(BODY))


def test_a_subclass_with_a_constructor_of_its_own(webhook_class: Any) -> None:
    class Mine(webhook_class):  # type: ignore[misc]
        def __init__(self, *, config: dict[str, str]) -> None:
            super().__init__(config["secret"])
            self.name = config["name"]

        def verify(self, data: Any, headers: Any) -> tuple[str, Any]:
            return self.name, super().verify(data, headers)

    mine = Mine(config={"secret": SECRET, "name": "acme"})
    with at(0):
        assert mine.verify(BODY, headers(BODY))[0] == "acme"
        assert isinstance(mine.sign("msg_1", utc(NOW), "{}"), str)


def test_attributes_and_mocks_on_an_object(webhook_class: Any) -> None:
    webhook = webhook_class(SECRET)
    webhook.tenant = "acme"
    with mock.patch.object(webhook, "verify", return_value="mocked"):
        assert webhook.verify(b"", {}) == "mocked"
    with mock.patch.object(webhook_class, "verify", return_value="mocked"):
        assert webhook.verify(b"", {}) == "mocked"
    with pytest.raises(Exception, match=r"^Missing required headers$"):
        webhook.verify(b"", {})


# The clock.


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("past", [299, 300, 301, -299, -300, -301])
def test_the_edges_of_the_window(which: str, past: int, fraction: float) -> None:
    """To the fraction of a second, as the original."""
    for function in WEBHOOKS:
        sides = (getattr(genuine(), function)(SECRET), getattr(dropins(which), function)(SECRET))
        found = []
        for webhook in sides:
            with at(past + fraction):
                try:
                    found.append(webhook.verify(BODY, headers(BODY)))
                except standardwebhooks.WebhookVerificationError as error:
                    found.append(str(error))
        assert found[0] == found[1]


def test_frozen_clocks(webhook_class: Any) -> None:
    webhook = webhook_class(SECRET)
    with freezegun.freeze_time(utc(NOW)):
        webhook.verify(BODY, headers(BODY))
    with time_machine.travel(NOW, tick=False):
        webhook.verify(BODY, headers(BODY))
    with mock.patch("time.time", return_value=NOW):
        webhook.verify(BODY, headers(BODY))
    for clock in (freezegun.freeze_time(utc(NOW + 301)), time_machine.travel(NOW + 301)):
        with clock, pytest.raises(Exception, match=r"^Message timestamp too old$"):
            webhook.verify(BODY, headers(BODY))


# What is new.


def test_several_secrets(which: str, webhook_class: Any) -> None:
    webhook = webhook_class([other_secret(1), SECRET, SecretStr(other_secret(2))])
    with at(0):
        webhook.verify(BODY, headers(BODY))
        signed = webhook.sign("msg_1", utc(NOW), BODY.decode())
        assert len(signed.split(" ")) == 3
        webhook_class(SECRET).verify(BODY, headers(BODY, signature=signed))
        with pytest.raises(Exception, match=r"^No matching signature found$"):
            webhook_class(other_secret(3)).verify(BODY, headers(BODY))
    with pytest.raises(RuntimeError, match=r"secrets\[8\] is one too many"):
        webhook_class([other_secret(number) for number in range(9)])


def test_tolerance(webhook_class: Any) -> None:
    webhook = webhook_class(SECRET, tolerance=(10, 0))
    with at(10):
        webhook.verify(BODY, headers(BODY))
    with at(11), pytest.raises(Exception, match=r"^Message timestamp too old$"):
        webhook.verify(BODY, headers(BODY))
    with at(-1), pytest.raises(Exception, match=r"^Message timestamp too new$"):
        webhook.verify(BODY, headers(BODY))
    with at(10**6):
        webhook_class(SECRET, tolerance="off").verify(BODY, headers(BODY))
    for wrong in (-1, True, 5.0, "on"):
        with pytest.raises((TypeError, ValueError)):
            webhook_class(SECRET, tolerance=wrong)


def test_a_batch(webhook_class: Any) -> None:
    webhook = webhook_class([SECRET, other_secret(1)], tolerance=5)
    messages = [
        (BODY, headers(BODY)),
        (BODY + b" ", headers(BODY)),
        (BODY, headers(BODY, stamp=str(NOW - 6))),
        (b"\xff", headers(b"\xff")),
    ]
    wanted = [Verdict.VALID, Verdict.SIGNATURE_MISMATCH, Verdict.TOO_OLD, Verdict.VALID]
    assert list(webhook.verify_batch(messages, now=NOW)) == wanted
    with at(0):
        result = webhook.verify_batch(iter(messages), threads=1, keep=True)
        assert list(result) == wanted
        assert result.by_secret() == {"0": 2, "1": 0}
    assert (
        webhook.verify_batch(messages, received_at=[NOW, NOW, NOW - 6, NOW], keep=False).valid == 3
    )
    for wrong in ({"endpoint": "x"}, {"other": 1}, {"threads": 0}):
        with pytest.raises((TypeError, ValueError)):
            webhook.verify_batch(messages, **wrong)


def test_large_bodies(which: str, webhook_class: Any) -> None:
    """From 8 KiB on the interpreter is let go while they are hashed."""
    body = b'"' + b"x" * 100_000 + b'"'
    with at(0):
        webhook_class(SECRET).verify(body, headers(body))
        with pytest.raises(Exception, match=r"^No matching signature found$"):
            webhook_class(SECRET).verify(body[:-1] + b"y", headers(body))
    dropins(which).validate_event(body, signature=hex_mac(body), secret=TEXT_SECRET)


def test_a_key_of_bytes(which: str) -> None:
    with at(0):
        assert dropins(which).standard(KEY).verify(BODY, headers(BODY)) == {"type": "invoice.paid"}


def test_a_mapping_that_raises(webhook_class: Any) -> None:
    class Broken:
        def items(self) -> Any:
            yield "webhook-id", "x"
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        webhook_class(SECRET).verify(BODY, Broken())
    for wrong in ([5], [("a",)], [("a", "b", "c")], ["ab"]):
        with pytest.raises(TypeError):
            webhook_class(SECRET).verify(BODY, mock.Mock(items=lambda wrong=wrong: wrong))
