"""Imports that ``hookseal migrate`` rewrites, and what they mean."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import time_machine
from standardwebhooks.webhooks import WebhookVerificationError

from hookseal._cli._migrate._mirrors import MIRRORS, PEERS
from tests.implementations import BODY, NOW, SECRET, signed
from tests.migrated import found, rewritten

# The text, what it becomes.
CERTAIN: dict[str, tuple[str, str]] = {
    "annotations": (
        "from __future__ import annotations\nfrom svix.webhooks import Webhook\n"
        "one: Webhook | None = None\nmany: dict[str, Webhook] = {}\n"
        "def made(wh: Webhook | None) -> list[Webhook]: ...\n"
        "async def later(*, wh: Webhook) -> Webhook: ...\n",
        "from __future__ import annotations\nfrom hookseal.compat.svix.webhooks import Webhook\n"
        "one: Webhook | None = None\nmany: dict[str, Webhook] = {}\n"
        "def made(wh: Webhook | None) -> list[Webhook]: ...\n"
        "async def later(*, wh: Webhook) -> Webhook: ...\n",
    ),
    "from": (
        "from standardwebhooks import Webhook\n",
        "from hookseal.compat.standardwebhooks import Webhook\n",
    ),
    "from a submodule": (
        "from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook as W, hmac_data\n",
        "from hookseal.compat.standardwebhooks.webhooks import"
        " EmptyWebhookSecretError, Webhook as W, hmac_data\n",
    ),
    "from the exceptions": (
        "from standardwebhooks.exceptions import WebhookVerificationError as E\n",
        "from hookseal.compat.standardwebhooks.exceptions import WebhookVerificationError as E\n",
    ),
    "in brackets with comments": (
        "from standardwebhooks import (  # why\n    Webhook,  # one\n    # two\n"
        "    WebhookVerificationError,\n)  # three\n",
        "from hookseal.compat.standardwebhooks import (  # why\n    Webhook,  # one\n    # two\n"
        "    WebhookVerificationError,\n)  # three\n",
    ),
    "everything": (
        "from standardwebhooks import *\nWebhook('AAAA')\n",
        "from hookseal.compat.standardwebhooks import *\nWebhook('AAAA')\n",
    ),
    "import": (
        "import standardwebhooks\nw = standardwebhooks.Webhook('AAAA')\n",
        "from hookseal.compat import standardwebhooks\nw = standardwebhooks.Webhook('AAAA')\n",
    ),
    "import, unused": (
        "import standardwebhooks  # noqa: F401\n",
        "from hookseal.compat import standardwebhooks  # noqa: F401\n",
    ),
    "import as": (
        "import standardwebhooks as sw\n"
        "w = sw.webhooks.Webhook('AAAA'), sw.WebhookVerificationError\n",
        "from hookseal.compat import standardwebhooks as sw\n"
        "w = sw.webhooks.Webhook('AAAA'), sw.WebhookVerificationError\n",
    ),
    "import a submodule as": (
        "import standardwebhooks.webhooks as w\nx = w.hmac_data\n",
        "from hookseal.compat.standardwebhooks import webhooks as w\nx = w.hmac_data\n",
    ),
    "import a submodule": (
        "import standardwebhooks.webhooks\nx = standardwebhooks.webhooks.Webhook('AAAA')\n",
        "from hookseal.compat import standardwebhooks\n"
        "x = standardwebhooks.webhooks.Webhook('AAAA')\n",
    ),
    "import among others": (
        "import os, standardwebhooks, json as j\nw = standardwebhooks.Webhook('AAAA')\n",
        "import os, hookseal.compat.standardwebhooks as standardwebhooks, json as j\n"
        "w = standardwebhooks.Webhook('AAAA')\n",
    ),
    "import among others, as": (
        "import os, standardwebhooks as s, json\nw = s.Webhook('AAAA')\n",
        "import os, hookseal.compat.standardwebhooks as s, json\nw = s.Webhook('AAAA')\n",
    ),
    "two statements in a line": (
        "é = 'é'; from standardwebhooks import Webhook; y = 1\n",
        "é = 'é'; from hookseal.compat.standardwebhooks import Webhook; y = 1\n",
    ),
    "in a function": (
        "def f():\n\tfrom standardwebhooks import Webhook\n\tWebhook('AAAA')\n",
        "def f():\n\tfrom hookseal.compat.standardwebhooks import Webhook\n\tWebhook('AAAA')\n",
    ),
    "behind a form feed": (
        "x = 1\n\x0c\nfrom standardwebhooks import Webhook\n",
        "x = 1\n\x0c\nfrom hookseal.compat.standardwebhooks import Webhook\n",
    ),
    "without a last newline": (
        "from standardwebhooks import Webhook",
        "from hookseal.compat.standardwebhooks import Webhook",
    ),
    "CRLF": (
        "x = 1\r\nfrom svix import AutoConfig, Webhook\r\ny = 2\r\n",
        "x = 1\r\nfrom svix import AutoConfig\r\n"
        "from hookseal.compat.svix import Webhook\r\ny = 2\r\n",
    ),
    "CR": (
        "x = 1\rfrom standardwebhooks import Webhook\ry = 2\r",
        "x = 1\rfrom hookseal.compat.standardwebhooks import Webhook\ry = 2\r",
    ),
    "svix": (
        "from svix.webhooks import Webhook, WebhookVerificationError\n"
        "def f(secret, body, headers):\n    Webhook(secret).verify(body, headers)\n",
        "from hookseal.compat.svix.webhooks import Webhook, WebhookVerificationError\n"
        "def f(secret, body, headers):\n    Webhook(secret).verify(body, headers)\n",
    ),
    "svix: some of it": (
        "from svix import Svix, Webhook as W, WebhookVerificationError, SvixAsync\n",
        "from svix import Svix, SvixAsync\n"
        "from hookseal.compat.svix import Webhook as W, WebhookVerificationError\n",
    ),
    "svix: much of it, in brackets": (
        "if True:\n    from svix import (\n        AutoConfig,\n        AutoConfigConsumer,\n"
        "        AutoConfigError,\n        Svix,\n        SvixAsync,\n        Webhook,\n    )\n",
        "if True:\n"
        "    from svix import AutoConfig, AutoConfigConsumer, AutoConfigError, Svix, SvixAsync\n"
        "    from hookseal.compat.svix import Webhook\n",
    ),
    "svix: too much for a line": (
        "if True:\n    from svix import AutoConfig, AutoConfigConsumer as The_Consumer,"
        " AutoConfigError as An_Error, Webhook\n",
        "if True:\n    from svix import (\n        AutoConfig,\n"
        "        AutoConfigConsumer as The_Consumer,\n        AutoConfigError as An_Error,\n"
        "    )\n    from hookseal.compat.svix import Webhook\n",
    ),
    "svix: its module": (
        "from svix import webhooks\nw = webhooks.Webhook('AAAA')\n",
        "from hookseal.compat.svix import webhooks\nw = webhooks.Webhook('AAAA')\n",
    ),
    "svix: its module as": (
        "import svix.webhooks as sw\nw = sw.Webhook('AAAA')\n",
        "from hookseal.compat.svix import webhooks as sw\nw = sw.Webhook('AAAA')\n",
    ),
    "gidgethub": (
        "from gidgethub.sansio import validate_event\n",
        "from hookseal.compat.github import validate_event\n",
    ),
    "gidgethub: some of it": (
        "from gidgethub.sansio import Event, validate_event as check  # both\n",
        "from gidgethub.sansio import Event\n"
        "from hookseal.compat.github import validate_event as check  # both\n",
    ),
    "gidgethub: its module": (
        "from gidgethub import ValidationFailure, sansio\n"
        "def f(b, s, k):\n    sansio.validate_event(b, signature=s, secret=k)\n",
        "from gidgethub import ValidationFailure\nfrom hookseal.compat import github as sansio\n"
        "def f(b, s, k):\n    sansio.validate_event(b, signature=s, secret=k)\n",
    ),
    "two at once": (
        "from standardwebhooks import Webhook\nfrom svix.webhooks import Webhook as S\n",
        "from hookseal.compat.standardwebhooks import Webhook\n"
        "from hookseal.compat.svix.webhooks import Webhook as S\n",
    ),
    "svix: the package, used for no more": (
        "import svix\nw = svix.Webhook('AAAA'), svix.webhooks.Webhook('AAAA')\n",
        "from hookseal.compat import svix\n"
        "w = svix.Webhook('AAAA'), svix.webhooks.Webhook('AAAA')\n",
    ),
}


class Stand:
    """What stands in the tests for a name of ``hookseal.compat``."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __call__(self, _: str) -> Stand:
        """An object of it stands for one of the original's."""
        return self


@pytest.fixture
def compat(monkeypatch: pytest.MonkeyPatch) -> None:
    """``hookseal.compat`` with nothing behind its names, so that a name shows where it is from."""
    import hookseal

    package = ModuleType("hookseal.compat")
    monkeypatch.setitem(sys.modules, "hookseal.compat", package)
    monkeypatch.setattr(hookseal, "compat", package, raising=False)
    for mirror in sorted(MIRRORS.values(), key=lambda mirror: mirror.path):
        for base in PEERS[mirror.peer].series.values():
            path = base + mirror.path
            module = sys.modules.get(path)
            if module is None or not hasattr(module, "__stand__"):
                module = ModuleType(path)
                module.__dict__["__stand__"] = True
                monkeypatch.setitem(sys.modules, path, module)
                parent, _, name = path.rpartition(".")
                setattr(sys.modules[parent], name, module)
            module.__dict__["__all__"] = sorted(mirror.names)
            for name in mirror.names:
                setattr(module, name, Stand(name))


def names_of(text: str) -> dict[str, Any]:
    """The names that a module binds when it runs."""
    bound: dict[str, Any] = {}
    exec(compile(text, "a.py", "exec"), bound)
    # A copy: functions among them need the builtins in theirs.
    return {name: value for name, value in bound.items() if name != "__builtins__"}


def same(before: Any, after: Any) -> bool:
    """Whether what a name stands for is the counterpart of what it stood for."""
    if isinstance(before, tuple):
        return all(same(*pair) for pair in zip(before, after, strict=True))
    if isinstance(after, Stand):
        name = before.__name__ if hasattr(before, "__name__") else type(before).__name__
        return bool(name == after.path)
    if isinstance(after, ModuleType) and after.__name__.startswith("hookseal.compat"):
        mine = {name: getattr(after, name) for name in vars(after) if not name.startswith("__")}
        return all(hasattr(before, name) for name in mine)
    return before is after or type(before) is type(after)


@pytest.mark.parametrize("case", CERTAIN)
def test_certain(case: str, compat: None) -> None:
    before, after = CERTAIN[case]
    assert rewritten(before) == after
    # It runs, and binds the same names to the counterparts of what they were.
    old, new = names_of(before), names_of(after)
    assert set(old) == set(new)
    assert {name for name in old if not same(old[name], new[name])} == set()
    # And it is done: nothing is found in it any more.
    assert found(after)[1] == []


def test_the_mirrors_are_those_of_the_packages() -> None:
    """Every name that is said to be theirs is theirs."""
    from importlib import import_module

    for module, mirror in MIRRORS.items():
        genuine = import_module(module)
        assert {name for name in mirror.names if not hasattr(genuine, name)} == set()
        if mirror.is_whole and module != "standardwebhooks.exceptions":
            assert set(genuine.__all__) == mirror.names


def test_every_counterpart_is_there() -> None:
    from importlib import import_module

    for mirror in MIRRORS.values():
        for base in PEERS[mirror.peer].series.values():
            counterpart = import_module(base + mirror.path)
            assert {name for name in mirror.names if not hasattr(counterpart, name)} == set()


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        (
            "from standardwebhooks.webhooks import Webhook\n"
            "def take(secret, body, headers):\n    return Webhook(secret).verify(body, headers)\n",
            {"type": "invoice.paid"},
        ),
        (
            "import svix\n"
            "def take(secret, body, headers):\n    svix.Webhook(secret).verify(body, headers)\n",
            None,
        ),
    ],
)
def test_it_verifies_as_before(text: str, gives: Any) -> None:
    """What was rewritten takes what the original takes, and refuses what it refuses."""
    freeze = time_machine.travel(NOW, tick=False)
    for source in (text, rewritten(text)):
        take = names_of(source)["take"]
        with freeze:
            assert take(SECRET, BODY, signed()) == gives
            with pytest.raises(WebhookVerificationError, match="No matching signature found"):
                take(SECRET, BODY + b" ", signed())
