"""Imports that ``hookseal migrate`` leaves to the user, and those that are none of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hookseal._cli._migrate._imports import imports
from hookseal._cli._migrate._mirrors import Versions
from hookseal._cli._migrate._source import Source
from tests.migrated import found, rewritten

TRY = """try:
    from standardwebhooks import Webhook
except {}:
    Webhook = None
"""

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


@pytest.mark.parametrize("case", UNCERTAIN)
def test_uncertain(case: str) -> None:
    text, why = UNCERTAIN[case]
    _, all_found = found(text)
    assert [one for one in all_found if one.edits] == []
    assert any(why in one.text for one in all_found), [one.text for one in all_found]


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
