"""Imports that ``hookseal migrate`` rewrites, those it leaves to the user, and what they mean."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import time_machine
from standardwebhooks.webhooks import WebhookVerificationError

from hookseal._cli._migrate._found import Found
from hookseal._cli._migrate._imports import imports
from hookseal._cli._migrate._mirrors import MIRRORS, PEERS, Versions
from hookseal._cli._migrate._source import Source
from tests.implementations import BODY, NOW, SECRET, signed

TRY = """try:
    from standardwebhooks import Webhook
except {}:
    Webhook = None
"""

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

# The text, and why it is left as it is.
UNCERTAIN: dict[str, tuple[str, str]] = {
    "more than there is": (
        "from standardwebhooks.webhooks import *\nWebhook\n",
        "`*` is more of standardwebhooks.webhooks",
    ),
    "an attribute there is not": (
        "import standardwebhooks\nstandardwebhooks.__version__\n",
        "line 2 uses `standardwebhooks.__version__`",
    ),
    "the module itself": (
        "import standardwebhooks as sw\nprint(sw)\n",
        "line 2 uses `sw`",
    ),
    "a module in it": (
        "import standardwebhooks as sw\nf(sw.webhooks, 'datetime')\n",
        "line 2 uses `sw.webhooks`",
    ),
    "a patch of the module": (
        "import standardwebhooks as sw\nsw.webhooks.Webhook = 1\n",
        "line 2 uses `sw.webhooks.Webhook`",
    ),
    "a patch of the class": (
        "from standardwebhooks import Webhook\nWebhook.verify = None\n",
        "line 2 changes `Webhook.verify`",
    ),
    "a patch of the class under another name": (
        "from standardwebhooks import Webhook as W\ndel W.verify\n",
        "line 2 changes `W.verify`",
    ),
    "another meaning": (
        "import standardwebhooks as sw\ndef f(sw):\n    return sw.Webhook\n",
        "line 2 gives the name `sw` to something else",
    ),
    "another import": (
        "from svix import webhooks\nimport webhooks\nwebhooks.Webhook\n",
        "line 2 gives the name `webhooks` to something else",
    ),
    "a class derived": (
        "from standardwebhooks import Webhook\nclass Mine(Webhook):\n    pass\n",
        "line 2 derives a class",
    ),
    "a class derived under another name": (
        "from svix.webhooks import Webhook as W\nclass Mine(W):\n    pass\n",
        "line 2 derives a class",
    ),
    "a class derived by its path": (
        "import standardwebhooks as s\nclass Mine(s.Webhook):\n    pass\n",
        "line 2 derives a class",
    ),
    "a private name": (
        "from standardwebhooks import Webhook\nWebhook('x')._whsecret\n",
        "line 2 reaches into it by `_whsecret`",
    ),
    "a class under another name": (
        "from standardwebhooks import Webhook\nW = Webhook\nclass Mine(W): ...\n",
        "line 2 hands on `Webhook`",
    ),
    "a class derived is said once": (
        "from standardwebhooks import Webhook\nclass Mine(Webhook): ...\n",
        "but look first: line 2 derives a class from it",
    ),
    "a class as a metaclass": (
        "from standardwebhooks import Webhook\nclass Mine(metaclass=Webhook): ...\n",
        "line 2 hands on `Webhook`",
    ),
    "a class made by type": (
        "from standardwebhooks import Webhook\ntype('T', (Webhook,), {'sign': f})\n",
        "line 2 hands on `Webhook`",
    ),
    "a sign of its own": (
        "from standardwebhooks import Webhook\nw = Webhook('x')\nw.sign = f\n",
        "line 3 changes `w.sign`",
    ),
    "a patch of sign": (
        "from standardwebhooks import Webhook as W\nmock.patch.object(w, 'sign')\n",
        "line 2 replaces `sign`",
    ),
    "a patch of sign by its name": (
        "from standardwebhooks import Webhook as W\npatch.multiple(w, verify=f)\n",
        "line 2 replaces `verify`",
    ),
    "a class that is patched": (
        "from standardwebhooks import Webhook as W\nmonkeypatch.setattr(W, 'x', f)\n",
        "line 2 hands on `W`",
    ),
    "a method of the class": (
        "from standardwebhooks import Webhook\nf = Webhook.sign\n",
        "line 2 hands on `Webhook`",
    ),
    "a copy": (
        "from svix import Webhook\ncopy.deepcopy(Webhook('x'))\n",
        "line 2 copies or pickles a `Webhook`",
    ),
    "a pickle": (
        "from svix import Webhook as W\nself.w = W('x')\npickle.dumps(self.w)\n",
        "line 3 copies or pickles a `Webhook`",
    ),
    "a patch of a method as text": (
        "from svix.webhooks import Webhook\n@patch('svix.webhooks.Webhook.verify')\n"
        "def test(_): ...\n",
        "line 2 names `svix.webhooks.Webhook.verify` as text",
    ),
    "a patch of a method as a named text": (
        "from svix.webhooks import Webhook\npatch(target='svix.Webhook.verify')\n",
        "line 2 names `svix.Webhook.verify` as text",
    ),
    "a patch of hmac_data as text": (
        "from standardwebhooks import Webhook\npatch('standardwebhooks.webhooks.hmac_data')\n",
        "line 2 names `standardwebhooks.webhooks.hmac_data` as text",
    ),
    "a split behind a backslash": (
        "if x: \\\nfrom svix import Webhook, Svix\n",
        "an unusual way",
    ),
    "a split with a comment for its line": (
        "from svix import Webhook, Svix  # noqa: F401\n",
        "an unusual way",
    ),
    "more of the package under the same name": (
        "import svix.webhooks\nimport svix.api\nsvix.webhooks.Webhook('s')\n",
        "line 2 imports more of svix under the same name",
    ),
    "the tolerance": (
        "from standardwebhooks import Webhook as W\ndef _Webhook__verify_timestamp(self, x): ...\n",
        "line 2 reaches into it by `_Webhook__verify_timestamp`",
    ),
    "a private name as text": (
        "from svix.webhooks import Webhook\nsetattr(w, '_inner', 1)\n",
        "line 2 reaches into it by `_inner`",
    ),
    "a fallback": (TRY.format("ImportError"), "another import takes its place"),
    "a fallback for any error": (TRY.format("(OSError, Exception)"), "another import takes"),
    "a fallback in a group": (
        TRY.format("ImportError").replace("except", "except*"),
        "another import takes its place",
    ),
    "a suppressed import": (
        "from contextlib import suppress\nwith suppress(ImportError):\n"
        "    from standardwebhooks import Webhook\n",
        "another import takes its place",
    ),
    "a layout": (
        "from standardwebhooks \\\n import Webhook\n",
        "written in an unusual way",
    ),
    "a split with a comment": (
        "from svix import (\n    Svix,  # this stays\n    Webhook,\n)\n",
        "written in an unusual way",
    ),
    "a split in a line of two": (
        "x = 1; from svix import Svix, Webhook\n",
        "written in an unusual way",
    ),
    "a split before another": ("from svix import Svix, Webhook; x = 1\n", "an unusual way"),
    "a layout of import": (
        "import os, standardwebhooks . webhooks as w\nw.Webhook('s')\n",
        "unusual",
    ),
    "svix for more": (
        "import svix\nsvix.Svix('t')\nsvix.Webhook('s')\n",
        "line 2 uses `svix.Svix`",
    ),
    "svix with a result": (
        "from svix.webhooks import Webhook\nwh = Webhook('s')\nevent = wh.verify(b, h)\n",
        "whose verify returns None, and line 3 uses the result",
    ),
    "svix with a result in an attribute": (
        "from svix.webhooks import Webhook\nclass A:\n    def __init__(self):\n"
        "        self.wh = Webhook('s')\n    def f(self):\n        return self.wh.verify(b, h)\n",
        "line 6 uses the result",
    ),
    "gidgethub for more": (
        "from gidgethub import sansio\nsansio.Event\nsansio.validate_event(b)\n",
        "line 2 uses `sansio.Event`",
    ),
    "gidgethub by its path": (
        "import gidgethub.sansio\ngidgethub.sansio.validate_event(b)\n",
        "take the place of line 2: `gidgethub.sansio.validate_event`",
    ),
    "a patch by name": (
        "from unittest import mock\nmock.patch('standardwebhooks.webhooks.datetime')\n",
        "`standardwebhooks.webhooks.datetime` is named as text",
    ),
    "an import by name": (
        "import importlib\nimportlib.import_module('svix.webhooks')\n",
        "`svix.webhooks` is named as text",
    ),
    "a verification in from_http": (
        "from gidgethub import sansio\ne = sansio.Event.from_http(h, b, secret=s)\n",
        "`validate_event` of hookseal.compat.github can come before it",
    ),
}

NOTHING = [
    "import os\n",
    "from .standardwebhooks import Webhook\n",
    "from . import svix\n",
    "from hookseal.compat.standardwebhooks import Webhook\n",
    "from hookseal.compat import svix\nsvix.Webhook\n",
    "from svix import Svix\nSvix('t')\n",
    "import svix\nsvix.Svix('t')\n",
    "from svix.api import EventTypeIn\n",
    "from svix import *\nSvix\n",
    "from gidgethub.aiohttp import GitHubAPI\n",
    "from gidgethub import sansio\nsansio.Event.from_http(h, b)\n",
    "import gidgethub\ngidgethub.BadRequest\n",
    "from standardwebhooks2 import Webhook\n",
    "from standardwebhooks import nothing_of_ours\n",
    "install_requires = ['svix', 'standardwebhooks']\nheaders = {'svix.webhooks': 1}\n",
]


def found(text: str, svix: str | None = None) -> tuple[Source, list[Found]]:
    source = Source("a.py", text.encode())
    return source, list(imports(source, Versions(svix)))


def rewritten(text: str, svix: str | None = None) -> str:
    source, all_found = found(text, svix)
    assert all_found
    assert all(one.edits for one in all_found), [one.text for one in all_found]
    after = source.edited([edit for one in all_found for edit in one.edits])
    assert after is not None
    return after.decode()


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


@pytest.mark.parametrize("case", UNCERTAIN)
def test_uncertain(case: str) -> None:
    text, why = UNCERTAIN[case]
    _, all_found = found(text)
    assert [one for one in all_found if one.edits] == []
    assert any(why in one.text for one in all_found), [one.text for one in all_found]


@pytest.mark.parametrize("text", NOTHING)
def test_nothing(text: str) -> None:
    assert found(text)[1] == []


def test_a_doubt_of_one_package_is_none_of_another() -> None:
    text = "from standardwebhooks import Webhook\nfrom svix.webhooks import Webhook as S\n"
    _, all_found = found(text + "event = S('x').verify(b, h)\nx._inner\n")
    assert [bool(one.edits) for one in all_found] == [True, False]


def version(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """Other packages than those that are installed."""
    from importlib import metadata

    def told(name: str) -> str:
        if (found := versions.get(name)) is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(metadata, "version", told)


RESULT = "from svix.webhooks import Webhook\nevent = Webhook('s').verify(b, h)\n"
SVIX1, SVIX2 = (("svix.webhooks", f"hookseal.compat.{it}.webhooks") for it in ("svix1", "svix"))
NO_RESULT = "from svix.webhooks import Webhook\nWebhook('s').verify(b, h)\n"


def test_which_svix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ``verify`` returned the JSON until 2.0, and None since."""
    version(monkeypatch, svix="1.84.1")
    assert rewritten(RESULT) == RESULT.replace(*SVIX1)
    assert rewritten(NO_RESULT) == NO_RESULT.replace(*SVIX1)
    module = "from svix import webhooks as w\nw.Webhook('s')\n"
    assert rewritten(module).startswith("from hookseal.compat.svix1 import webhooks as w\n")
    version(monkeypatch, svix="2.0.0")
    assert rewritten(NO_RESULT) == NO_RESULT.replace(*SVIX2)
    assert not found(RESULT)[1][0].edits
    # Who names it knows.
    assert rewritten(RESULT, "1") == RESULT.replace(*SVIX1)
    assert rewritten(NO_RESULT, "2") == NO_RESULT.replace(*SVIX2)
    version(monkeypatch)
    for text in (RESULT, NO_RESULT):
        (one,) = found(text)[1]
        assert not one.edits
        assert "svix is not installed here" in one.text
        assert "say --svix 2 or --svix 1" in one.text
    # A version that nobody knows yet, and one that only begins alike.
    for unknown in ("3.0", "20.1"):
        version(monkeypatch, svix=unknown)
        (one,) = found(NO_RESULT)[1]
        assert not one.edits
        assert f"svix {unknown} is installed here, and 2.x and 1.x" in one.text


def test_a_version_that_is_not_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from standardwebhooks import Webhook\n"
    for other in ("1.0.1", "1.10.0", "2.0"):
        version(monkeypatch, standardwebhooks=other)
        (one,) = found(text)[1]
        assert not one.edits
        assert f"standardwebhooks {other} is installed here" in one.text
    version(monkeypatch, standardwebhooks="1.1.7")
    assert found(text)[1][0].edits
    # One counterpart is the one that is meant.
    version(monkeypatch)
    assert found(text)[1][0].edits


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


def test_a_package_of_that_name_beside_it(tmp_path: Path) -> None:
    """What is vendored may be another version, or changed."""
    text = "from standardwebhooks import Webhook\n"

    def is_certain() -> bool:
        path = tmp_path / "app" / "hooks" / "a.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        source = Source(str(path), text.encode())
        (one,) = imports(source, Versions(None))
        return bool(one.edits)

    assert is_certain()
    # A folder that is no package is a coincidence.
    (tmp_path / "standardwebhooks").mkdir()
    assert is_certain()
    (tmp_path / "standardwebhooks" / "__init__.py").touch()
    assert not is_certain()
    (tmp_path / "standardwebhooks" / "__init__.py").unlink()
    (tmp_path / "app" / "standardwebhooks.py").touch()
    assert not is_certain()
