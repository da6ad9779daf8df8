"""Rings from environment variables, and from objects that wrap a secret. Both implementations."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretBytes, SecretStr

from hookseal import Endpoint, SchemeError, SecretError
from tests.implementations import BODY, NOW, key, secret, signed

# As a text, a key of GitHub's.
SECRET_TEXT = "9f8c1e7ab2d4430f6655aa0c7d3e2b1908f7c6d5"


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets variables, and nothing else begins with ``HOOK_``."""

    def put(**named: str) -> None:
        for name, value in named.items():
            monkeypatch.setenv(name, value)

    return put


def test_endpoints_and_labels(hooks: Any, variables: Any) -> None:
    variables(
        HOOK_ACME__b=secret(2),
        HOOK_ACME=secret(0),
        HOOK_ACME__a=secret(1),
        HOOK_ACME_FORMS=secret(3),
        HOOK_globex__x__y=secret(4),
        HOOK_=secret(5),
        XHOOK_ACME=secret(6),
    )
    ring = hooks.Keyring.from_env("HOOK_")
    assert type(ring) is hooks.Keyring
    assert ring.endpoints() == ["ACME", "ACME_FORMS", "globex"]
    assert [ring.labels(name) for name in ring.endpoints()] == [["0", "a", "b"], ["0"], ["x__y"]]
    verifier = hooks.Verifier(ring)
    for number, label in enumerate(("0", "a", "b")):
        proof = verifier.verify(BODY, signed(key=key(number)), endpoint="ACME", now=NOW)
        assert proof.secret == label


def test_the_scheme_reads_the_secrets(hooks: Any, variables: Any) -> None:
    variables(HOOK_A=f"{SECRET_TEXT}:")
    assert hooks.Keyring.from_env("HOOK_", scheme="github").endpoints() == ["A"]
    with pytest.raises(SecretError, match=r"endpoints\['A'\]\[0\]"):
        hooks.Keyring.from_env("HOOK_")
    with pytest.raises(SchemeError):
        hooks.Keyring.from_env("HOOK_", scheme="no-such")


@pytest.mark.parametrize(
    ("variable", "value", "error", "text"),
    [
        ("HOOK_A", "", SecretError, "environment variable 'HOOK_A'"),
        ("HOOK_A__", secret(1), SecretError, "label"),
        ("HOOK_A__é", secret(1), SecretError, "label"),
        ("HOOK___a", secret(1), ValueError, "an endpoint's name must not be empty"),
        ("OTHER", secret(1), ValueError, "no environment variable begins with 'HOOK_'"),
    ],
)
def test_what_is_refused(
    hooks: Any, variables: Any, variable: str, value: str, error: type[Exception], text: str
) -> None:
    variables(**{variable: value})
    with pytest.raises(error, match=text) as caught:
        hooks.Keyring.from_env("HOOK_")
    assert secret(1) not in str(caught.value)


def test_the_same_key_twice(hooks: Any, variables: Any) -> None:
    variables(HOOK_A=secret(1), HOOK_A__old=secret(1))
    with pytest.raises(SecretError, match=r"endpoints\['A'\]\[1\]"):
        hooks.Keyring.from_env("HOOK_")


# What platforms and people put under a prefix beside the secrets.
SETTINGS = {
    "PORT": "tcp://10.0.0.12:8080",
    "SERVICE_HOST": "10.0.0.12",
    "SERVICE_PORT": "8080",
    "TIMEOUT": "30",
    "DEBUG": "false",
    "URL": "https://hooks.7tq.dev/in",
    "LEVEL": "aaaaaaaaaaaaaaaaaaaa",
    "NAMES": "monday tuesday wednesday thursday",
    "PASSWORD": "password-x7Qz9-vBn3-kLp2",
    "TWICE": "s3cr3tly" * 4,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_are_no_secrets(hooks: Any, variables: Any, name: str) -> None:
    """Whoever can guess one could sign with it, and name its endpoint."""
    value = SETTINGS[name]
    variables(HOOK_ACME=SECRET_TEXT, **{f"HOOK_{name}": value})
    with pytest.raises(SecretError) as caught:
        hooks.Keyring.from_env("HOOK_", scheme="github")
    assert str(caught.value) == (
        f"environment variable 'HOOK_{name}' can be guessed, like a setting: if it is a secret,"
        " name its endpoint in endpoints=; if it is none, choose a prefix of the secrets' own"
    )
    ring = hooks.Keyring.from_env("HOOK_", scheme="github", endpoints=["ACME"])
    assert ring.endpoints() == ["ACME"]
    # Who names it means it; the ring's own check still finds what is weak.
    ring = hooks.Keyring.from_env("HOOK_", scheme="github", endpoints=(name,))
    assert ring.endpoints() == [name]


def test_settings_that_are_base64_too(hooks: Any, variables: Any) -> None:
    variables(HOOK_ACME=secret(1), HOOK_SERVICE_PORT="8080")
    with pytest.raises(SecretError, match="'HOOK_SERVICE_PORT' can be guessed"):
        hooks.Keyring.from_env("HOOK_")
    assert hooks.Keyring.from_env("HOOK_", endpoints=["ACME"]).endpoints() == ["ACME"]


def test_named_endpoints(hooks: Any, variables: Any) -> None:
    variables(
        HOOK_A=secret(0),
        HOOK_A__old=secret(1),
        HOOK_B__only=secret(2),
        HOOK_C="no secret!",
        HOOK_A_B=secret(3),
    )
    ring = hooks.Keyring.from_env("HOOK_", endpoints=["B", "A"])
    assert [(name, ring.labels(name)) for name in ring.endpoints()] == [
        ("B", ["only"]),
        ("A", ["0", "old"]),
    ]
    wrong: list[tuple[Any, type[Exception], str]] = [
        (["A", "D"], SecretError, "^environment variable 'HOOK_D' is not set$"),
        (["C"], SecretError, "endpoints"),
        ([], ValueError, "^endpoints must name an endpoint; None reads all$"),
        ([""], ValueError, "^an endpoint's name must not be empty$"),
        (["A", "A"], ValueError, "^endpoints names 'A' twice$"),
        (["A__old"], ValueError, "^endpoints names 'A__old': what follows '__' is a label$"),
        ("A", TypeError, "^endpoints must be a list or tuple of names, or None, not str$"),
        ({"A"}, TypeError, "^endpoints must be a list or tuple of names, or None, not set$"),
        ([5], TypeError, r"^endpoints\[0\] must be a str, not int$"),
    ]
    for endpoints, error, text in wrong:
        with pytest.raises(error, match=text):
            hooks.Keyring.from_env("HOOK_", endpoints=endpoints)


def test_misuse(hooks: Any) -> None:
    with pytest.raises(ValueError, match="prefix must not be empty"):
        hooks.Keyring.from_env("")
    for wrong in (None, b"HOOK_", 5):
        with pytest.raises(TypeError, match="prefix must be a str"):
            hooks.Keyring.from_env(wrong)


def test_wrapped_secrets_wherever_a_ring_takes_one(hooks: Any) -> None:
    """Anything with ``get_secret_value()``: in the mapping, in lists, endpoints and changes."""
    ring = hooks.Keyring(
        {
            "one": SecretStr(secret(0)),
            "bytes": SecretBytes(key(1)),
            "list": [SecretStr(secret(2)), secret(3)],
            "own": Endpoint([SecretStr("k")], scheme="github"),
        },
        resolver=lambda names: {"asked": SecretStr(secret(6))},
    )
    ring.rotate("one", SecretStr(secret(4)))
    ring.replace("new", SecretBytes(key(5)))
    verifier = hooks.Verifier(ring)
    arrived = [("one", 0), ("one", 4), ("bytes", 1), ("list", 2), ("list", 3), ("new", 5)]
    for name, number in [*arrived, ("asked", 6)]:
        assert verifier.check(BODY, signed(key=key(number)), endpoint=name, now=NOW), name
