"""A secret shows nowhere but in ``reveal()``: what test_threats_secrets.py does not say of it."""

from __future__ import annotations

import base64
import copy
import gc
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest

from hookseal import Endpoint
from tests.canaries import CANARY, EXPECTED, TEXT_CANARY, WHSEC, holders, shows
from tests.implementations import BODY


def test_the_search_finds_every_form() -> None:
    """The control of all that is found nowhere."""
    for key in (CANARY, TEXT_CANARY.encode(), EXPECTED):
        for way in (key, key[::-1]):
            forms: list[str | bytes] = [way, way.hex(), way.hex().upper(), repr(way)]
            forms += [base64.b64encode(way), base64.urlsafe_b64encode(way).decode(), str([*way])]
            for form in forms:
                assert shows(form)
                assert shows(form[3:-3])
                assert shows(form[::-1])
    assert shows(f"Verifier({WHSEC!r})")
    assert not shows(repr(BODY) + str(range(9_999)) + "whsec_" + "A" * 44)


def test_no_attributes(hooks: Any) -> None:
    for name, one in holders(hooks):
        if not isinstance(one, list):
            with pytest.raises(TypeError):
                vars(one)
            assert not hasattr(one, "__dict__"), name


def test_no_copies(hooks: Any) -> None:
    for name, one in holders(hooks):
        if name.startswith(("Verified", "BatchResult", "findings")):
            continue
        for change in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                change(one)


def test_reveal_is_the_way(hooks: Any) -> None:
    assert hooks.Secret(WHSEC).reveal() == WHSEC
    assert hooks.Secret(CANARY).reveal() == CANARY


def test_the_tracebacks_of_others_stay(hooks: Any) -> None:
    """Who asks a vault for its secret wants to see where that failed."""

    class Vault:
        def get_secret_value(self) -> str:
            raise ConnectionError("sealed")

    calls: list[Callable[[], object]] = [
        lambda: hooks.Verifier(Vault()),
        lambda: hooks.Signer([b"k", Vault()]),
        lambda: hooks.Keyring({"a": Endpoint(Vault())}),
        lambda: hooks.Keyring({"a": b"k"}).rotate("a", Vault()),
    ]
    for call in calls:
        with pytest.raises(ConnectionError) as caught:
            call()
        step = caught.value.__traceback__
        while step is not None and step.tb_next is not None:
            step = step.tb_next
        assert step is not None
        assert step.tb_frame.f_code.co_name == "get_secret_value"


def test_the_key_is_not_kept(hooks: Any) -> None:
    """A verifier and a ring hold keyed states: no object that they reach is the secret."""
    if hooks.__name__ == "hookseal":
        pytest.skip("the core's memory is not Python's: rust/harness/tests/freed.rs looks at it")
    secret = base64.b64encode(bytes(range(100, 132))).decode()
    verifier = hooks.Verifier("whsec_" + secret)
    ring = hooks.Keyring({"a": "whsec_" + secret})
    seen: set[int] = set()
    stack: list[Any] = [verifier, ring]
    while stack:
        one = stack.pop()
        if id(one) in seen or isinstance(one, type(sys)) or type(one).__name__ == "function":
            continue
        seen.add(id(one))
        assert not (isinstance(one, str) and secret in one)
        assert not (isinstance(one, bytes) and bytes(range(100, 132)) in one)
        if type(one).__module__.startswith("hookseal") or isinstance(one, (tuple, list, dict)):
            stack += gc.get_referents(one)
    assert len(seen) > 10
