"""Applications written against the originals, before and after changing the import alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import time_machine

from tests.implementations import NOW, SECRET
from tests.mirrors import TEXT_SECRET, headers, hex_mac, mac

FOLDER = Path(__file__).parent / "applications"
# What a reader of docs/compat.md does with an editor.
IMPORTS = {
    "from standardwebhooks": "from hookseal.compat.standardwebhooks",
    "from svix": "from hookseal.compat.svix",
    "from gidgethub import Validation": "from hookseal.compat.github import Validation",
    "from gidgethub import sansio as github": "from hookseal.compat import github",
}


class Request(NamedTuple):
    """A request as it comes over the wire."""

    path: str
    body: bytes
    headers: dict[str, str]


class Answer(NamedTuple):
    """What an application says."""

    status: int
    body: bytes


Ask = Callable[[Request], Answer]


def changed(source: str) -> str:
    """A source with its import lines changed, and nothing else."""
    for old, new in IMPORTS.items():
        source = source.replace(old, new)
    return source


def loaded(name: str, source: str) -> ModuleType:
    """A module of its own from a source."""
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, name, "exec"), vars(module))
    return module


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("INVOICES_SECRET", "ORDERS_SECRET", "PAYMENTS_SECRET"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("GITHUB_SECRET", TEXT_SECRET)
    with time_machine.travel(NOW + 0.5, tick=False):
        yield


def _fastapi(module: ModuleType) -> Ask:
    from fastapi.testclient import TestClient

    client = TestClient(module.application)

    def ask(request: Request) -> Answer:
        answer = client.post(request.path, content=request.body, headers=request.headers)
        return Answer(answer.status_code, answer.content)

    return ask


def _flask(module: ModuleType) -> Ask:
    client = module.application.test_client()

    def ask(request: Request) -> Answer:
        answer = client.post(request.path, data=request.body, headers=request.headers)
        return Answer(answer.status_code, answer.data)

    return ask


def _django(module: ModuleType) -> Ask:
    import django
    from django.test import Client
    from django.urls import clear_url_caches, set_urlconf

    django.setup()

    def ask(request: Request) -> Answer:
        clear_url_caches()
        set_urlconf(module.__name__)
        answer = Client().generic(
            "POST",
            f"/{request.path.strip('/')}",
            request.body,
            "application/json",
            headers=request.headers,
            SERVER_NAME="localhost",
        )
        return Answer(answer.status_code, answer.content)

    return ask


def _webhooks(path: str, family: str = "webhook") -> list[Request]:
    body = b'{"type": "invoice.paid", "data": {"id": "in_1", "amount": 1999}}'
    good = headers(body, family=family)
    title = {name.title(): value for name, value in good.items()}
    signature = f"{family}-signature"
    return [
        Request(path, body, good),
        Request(path, body, title),
        Request(path, body, good | {signature: f"{mac(b'x')} v2,AAAA {mac(body)}"}),
        Request(path, body + b" ", good),
        Request(path, body, {}),
        Request(path, body, good | {signature: ""}),
        Request(path, body, good | {signature: "v1,"}),
        Request(path, body, headers(body, stamp=str(NOW - 301), family=family)),
        Request(path, body, headers(body, stamp=str(NOW + 301), family=family)),
        Request(path, body, headers(body, stamp="soon", family=family)),
        Request(path, body, good | {f"{family}-id": "other"}),
    ]


def _pushes() -> list[Request]:
    body = b'{"ref": "refs/heads/main"}'

    def named(signature: str) -> dict[str, str]:
        return {"X-Hub-Signature-256": signature}

    return [
        Request("push", body, named(hex_mac(body))),
        Request("push", body, named(hex_mac(b""))),
        Request("push", body, named("md5=")),
        Request("push", body, {}),
    ]


APPLICATIONS: dict[str, tuple[Callable[[ModuleType], Ask], list[Request]]] = {
    "fastapi_invoices": (
        _fastapi,
        [*_webhooks("invoices"), Request("invoices", b"no JSON", headers(b"no JSON"))],
    ),
    "flask_orders": (_flask, [*_webhooks("orders", "svix"), *_webhooks("orders")]),
    "django_pushes": (_django, [*_pushes(), *_webhooks("payment")]),
}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_it_answers_the_same(name: str) -> None:
    make, requests = APPLICATIONS[name]
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    after = changed(source)
    different = [
        new for old, new in zip(source.split("\n"), after.split("\n"), strict=True) if old != new
    ]
    assert different
    assert all(line.startswith("from hookseal.compat") for line in different)
    answers: list[list[Answer]] = []
    for text in (source, after):
        ask = make(loaded(f"application_{name}_{len(answers)}", text))
        answers.append([ask(request) for request in requests])
    assert answers[0] == answers[1]
    statuses = [answer.status for answer in answers[0]]
    assert statuses.count(200) >= 2
    assert len(requests) - statuses.count(200) >= 8
    assert max(statuses) < 500


def _modules_of(module: ModuleType) -> set[Any]:
    return {getattr(value, "__module__", None) for value in vars(module).values()}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_nothing_of_the_original_is_left(name: str) -> None:
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    for text, originals in ((source, True), (changed(source), False)):
        roots = {str(one).split(".")[0] for one in _modules_of(loaded(f"look_{name}", text))}
        assert bool(roots & {"standardwebhooks", "svix", "gidgethub"}) is originals
