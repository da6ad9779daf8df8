"""A secret shows nowhere but in ``reveal()``."""

from __future__ import annotations

import base64
import copy
import gc
import logging
import pickle
import sys
import traceback
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from hookseal import Endpoint
from tests.implementations import BODY, NOW, signed

# Two keys that stand nowhere else. One is given as text, one as bytes.
CANARY = bytes(range(200, 232))
TEXT_CANARY = "canary-of-a-text-secret-4711"


def _forms(key: bytes) -> list[str]:
    bare = base64.b64encode(key).decode().rstrip("=")
    return [bare, bare[::-1], key.hex(), key.hex().upper(), repr(key)[2:-1], str(list(key))[1:-1]]


HIDDEN = [*_forms(CANARY), *_forms(TEXT_CANARY.encode()), TEXT_CANARY]
WHSEC = "whsec_" + base64.b64encode(CANARY).decode()


def shows(text: str) -> list[str]:
    return [form for form in HIDDEN if form in text]


def holders(hooks: Any) -> Iterator[tuple[str, Any]]:
    secret = hooks.Secret(WHSEC, label="x", not_before=1)
    yield "Secret", secret
    yield "Secret of bytes", hooks.Secret(CANARY)
    yield "Secret of text", hooks.Secret.from_text(TEXT_CANARY)
    yield "Endpoint", Endpoint([WHSEC, CANARY])
    ring = hooks.Keyring({"a": [WHSEC, hooks.Secret.from_text(TEXT_CANARY)]})
    yield "Keyring", ring
    verifier = hooks.Verifier(secret)
    yield "Verifier", verifier
    yield "Verifier of a ring", hooks.Verifier(ring)
    yield "Signer", hooks.Signer(WHSEC)
    yield "token Signer", hooks.Signer(TEXT_CANARY, scheme="shared-token")
    yield "token Verifier", hooks.Verifier(TEXT_CANARY, scheme="shared-token")
    headers = signed(key=CANARY)
    yield "Verified", verifier.verify(BODY, headers, now=NOW)
    yield "BatchResult", verifier.verify_batch([(BODY, headers)], now=NOW)
    yield "findings", hooks.Secret.from_text("password" + TEXT_CANARY).check("github")
    yield "findings of a ring", ring.check()


def test_what_an_object_shows(hooks: Any) -> None:
    for name, one in holders(hooks):
        shown = [repr(one), str(one), f"{one}", "%s %r" % (one, one), repr([one]), repr({1: one})]  # noqa: UP031
        shown += [str(dir(one)), str(one.__doc__), logging.makeLogRecord({"msg": one}).getMessage()]
        shown.append(ascii(one))
        assert shows(" ".join(shown)) == [], name


def test_attributes(hooks: Any) -> None:
    """Neither ``vars`` nor a public attribute holds it."""
    for name, one in holders(hooks):
        if isinstance(one, list):
            continue
        with pytest.raises(TypeError):
            vars(one)
        attributes = [attribute for attribute in dir(one) if not attribute.startswith("_")]
        kept = {attribute: getattr(one, attribute) for attribute in attributes}
        assert shows(repr(kept)) == [], name


def test_no_copy_holds_it(hooks: Any) -> None:
    for name, one in holders(hooks):
        if name.startswith(("Verified", "BatchResult", "findings")):
            continue
        for change in (copy.copy, copy.deepcopy, *_pickles()):
            with pytest.raises(TypeError) as caught:
                change(one)
            assert shows(str(caught.value)) == [], name
        for method in ("__reduce__", "__getstate__"):
            try:
                state = getattr(one, method)()
            except (TypeError, AttributeError):
                continue
            assert shows(repr(state)) == [], (name, method)


def _pickles() -> list[Any]:
    return [
        lambda one, protocol=protocol: pickle.dumps(one, protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]


def _failures(hooks: Any) -> list[Any]:
    """Calls that fail with a secret in hand."""
    good = hooks.Secret(WHSEC)
    ring = hooks.Keyring({"a": good})

    class Wrapped:
        def get_secret_value(self) -> Any:
            return bytearray(CANARY)

    return [
        lambda: hooks.Verifier(WHSEC + "!"),
        lambda: hooks.Verifier("v1," + WHSEC),
        lambda: hooks.Verifier("whsec_" + WHSEC),
        lambda: hooks.Verifier(WHSEC.encode()),
        lambda: hooks.Verifier(WHSEC + "\n"),
        lambda: hooks.Verifier(WHSEC + "\ud800"),
        lambda: hooks.Verifier(TEXT_CANARY),
        lambda: hooks.Verifier([WHSEC, CANARY]),
        lambda: hooks.Verifier([WHSEC, None]),
        lambda: hooks.Verifier(bytearray(CANARY)),
        lambda: hooks.Verifier(Wrapped()),
        lambda: hooks.Verifier({WHSEC: 1}),
        lambda: hooks.Verifier({WHSEC}),
        lambda: hooks.Verifier(WHSEC, scheme="no-such"),
        lambda: hooks.Verifier(WHSEC, tolerance=-1),
        lambda: hooks.Secret(WHSEC, label=""),
        lambda: hooks.Secret(WHSEC, not_after=-1),
        lambda: hooks.Secret(WHSEC, not_before=5, not_after=5),
        lambda: hooks.Secret.from_base64(WHSEC),
        lambda: hooks.Secret.from_hex(TEXT_CANARY),
        lambda: hooks.Secret(TEXT_CANARY).check("no-such"),
        lambda: hooks.Signer([WHSEC, "k"], scheme="github"),
        lambda: hooks.Signer(TEXT_CANARY + "\n", scheme="shared-token"),
        lambda: hooks.Signer(b"\xff" + CANARY, scheme="shared-token"),
        lambda: hooks.Keyring({"a": [WHSEC, WHSEC]}),
        lambda: hooks.Keyring({"a": Endpoint(TEXT_CANARY)}),
        lambda: ring.rotate("a", CANARY),
        lambda: ring.rotate("b", CANARY + b"\1"),
        lambda: ring.replace("a", [CANARY, CANARY]),
        lambda: ring.replace("", CANARY),
        lambda: hooks.Verifier(good).verify(BODY, signed(), now=NOW),
        lambda: hooks.Verifier(ring).verify(BODY, signed(), endpoint="a", now=NOW),
        lambda: hooks.Verifier(TEXT_CANARY, scheme="shared-token").verify(b"", {}),
        lambda: hooks.Verifier(good).verify(BODY, signed(), now=-1),
        lambda: hooks.Signer(good).sign(5),
        lambda: hooks.Signer(good).sign(b"", id="a.b"),
    ]


def test_errors(hooks: Any) -> None:
    """Not the text, the arguments, the notes, nor the exceptions behind it."""
    for number, call in enumerate(_failures(hooks)):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - every kind
            call()
        error: BaseException | None = caught.value
        while error is not None:
            kept = [repr(error), str(error), repr(error.args), repr(vars(error))]
            kept += getattr(error, "__notes__", [])
            assert shows(" ".join(kept)) == [], number
            error = error.__cause__ or error.__context__


def test_locals_of_a_traceback(hooks: Any) -> None:
    """As an error reporter takes them: the core has no frames, the twin's hold keyed states.

    In the twin the frames of constructors hold what they were given, as every Python function's
    do; the frames of verifying hold no secret.
    """
    headers = signed()
    verifiers: list[tuple[Any, dict[str, Any]]] = [
        (hooks.Verifier(hooks.Secret(WHSEC)), {"now": NOW}),
        (hooks.Verifier(hooks.Keyring({"a": WHSEC})), {"now": NOW, "endpoint": "a"}),
        (hooks.Verifier(TEXT_CANARY, scheme="shared-token"), {}),
    ]
    for verifier, named in verifiers:
        bad = {**headers, "x-webhook-secret": "x"}
        for call in (
            partial(verifier.verify, BODY, bad, **named),
            partial(verifier.verify, None, headers, **named),
            partial(verifier.verify, BODY, [("webhook-id",)], **named),
            partial(verifier.verify_batch, 5, **named),
        ):
            with pytest.raises(Exception) as caught:  # noqa: PT011 - every kind
                call()
            report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            assert shows("".join(report.format())) == []
            _walk_frames(caught.value)


def _walk_frames(error: BaseException) -> None:
    """Every object that a frame of hookseal holds, three references deep."""
    step = error.__traceback__
    while step is not None:
        if "hookseal" in step.tb_frame.f_code.co_filename.replace("tests", ""):
            level: list[Any] = list(step.tb_frame.f_locals.values())
            for _ in range(3):
                for one in level:
                    if isinstance(one, (str, bytes, int, float)):
                        shown = repr(one) + (one.hex() if isinstance(one, bytes) else "")
                        if isinstance(one, bytes):
                            shown += base64.b64encode(one).decode()
                        assert shows(shown) == []
                own = [o for o in level if type(o).__module__.partition(".")[0] in _OURS]
                level = gc.get_referents(*own)
        step = step.tb_next


_OURS = {"hookseal", "builtins"}


def test_the_key_is_not_kept(hooks: Any) -> None:
    """A verifier and a ring hold keyed states: no object that they reach is the secret."""
    if hooks.__name__ == "hookseal":
        pytest.skip("the core's memory is not Python's; tests of the engine look at it")
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
