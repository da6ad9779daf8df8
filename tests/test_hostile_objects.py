"""Threat 39 of docs/threats.md: objects that raise wherever they are asked, lie, or call back."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from hookseal import Endpoint, Message, Verdict
from tests.children import run
from tests.hostile import GOOD, Abort, Boom, same, survived, ways
from tests.implementations import BODY, NOW, SECRET

V = Verdict


DUNDERS = "class iter len getitem contains bool index float int hash eq str repr bytes format"
ATTRIBUTES = "items keys body headers endpoint received_at get_secret_value timestamp utcoffset"
HOOKS = [
    *[f"__{name}__" for name in [*DUNDERS.split(), "length_hint", "getattr"]],
    *ATTRIBUTES.split(),
]


def raising(hook: str, error: BaseException) -> Any:
    """An object that raises when it is asked for one thing."""

    def ask(*_: Any) -> Any:
        raise error

    is_attribute = hook in ("__class__", "body", "headers", "endpoint", "received_at")
    return type("Raising", (), {hook: property(ask) if is_attribute else ask})()


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("error", [Boom("boom"), Abort("abort")], ids=["exception", "base"])
def test_threat_39_objects_that_raise(hooks: Any, hook: str, error: BaseException) -> None:
    """In the place of every argument: what they raise passes, or they are of a wrong type."""
    one = raising(hook, error)
    ring = hooks.Keyring({"a": SECRET})
    of_ring, verifier = hooks.Verifier(ring), hooks.Verifier(SECRET)
    result = verifier.verify_batch([GOOD, (b"", {})], now=NOW)
    for call in (
        lambda: verifier.check(one, GOOD[1], now=NOW),
        lambda: verifier.check(BODY, one, now=NOW),
        lambda: verifier.check(BODY, {**GOOD[1], "webhook-id": one}, now=NOW),
        lambda: verifier.check(BODY, {**GOOD[1], "webhook-id": [one]}, now=NOW),
        lambda: verifier.check(BODY, [*GOOD[1].items(), (one, "x")], now=NOW),
        lambda: verifier.check(BODY, [*GOOD[1].items(), one], now=NOW),
        lambda: verifier.check(*GOOD, now=one),
        lambda: verifier.check(*GOOD, received_at=one),
        lambda: of_ring.check(*GOOD, endpoint=one, now=NOW),
        lambda: verifier.verify_batch(one, now=NOW),
        lambda: verifier.verify_batch([GOOD, one, GOOD], now=NOW),
        lambda: verifier.verify_batch([GOOD] * 20 + [one], now=NOW, threads=2),
        lambda: verifier.verify_batch([GOOD], now=one),
        lambda: verifier.verify_batch([GOOD], received_at=one),
        lambda: verifier.verify_batch([GOOD], received_at=[one]),
        lambda: verifier.verify_batch([GOOD], threads=one),
        lambda: verifier.verify_batch([GOOD], keep=one),
        lambda: of_ring.verify_batch([GOOD], endpoint=one, now=NOW),
        lambda: of_ring.verify_batch([GOOD], endpoint=[one], now=NOW),
        lambda: verifier.verify_columns([one], None, None, [one], now=NOW),
        lambda: verifier.verify_columns(one, one, one, one, now=NOW),
        lambda: hooks.Verifier(one),
        lambda: hooks.Verifier([one]),
        lambda: hooks.Verifier(SECRET, scheme=one),
        lambda: hooks.Verifier(SECRET, tolerance=one),
        lambda: hooks.Verifier(SECRET, max_body_bytes=one),
        lambda: hooks.Keyring(one),
        lambda: hooks.Keyring({"a": one}),
        lambda: hooks.Keyring({one: SECRET}),
        lambda: hooks.Secret(one),
        lambda: hooks.Secret("k" * 20, label=one),
        lambda: hooks.Secret("k" * 20, not_before=one),
        lambda: hooks.Signer(SECRET).sign(one),
        lambda: hooks.Signer(SECRET).sign(BODY, id=one),
        lambda: hooks.Signer(SECRET).sign(BODY, timestamp=one),
        lambda: Endpoint(one, tolerance=one),
        lambda: Message(BODY, GOOD[1], received_at=one),
        lambda: ring.rotate("a", one),
        lambda: ring.rotate("a", b"k", overlap=one),
        lambda: ring.replace("a", one),
        lambda: ring.replace(one, SECRET),
        lambda: ring.remove("a", one),
        lambda: ring.labels(one),
        lambda: one in ring,
        lambda: result[one],
        lambda: result.verified(one),
        lambda: result.partition(one),
    ):
        answer = survived(hooks, call)
        if isinstance(answer, BaseException) and answer is not error:
            assert isinstance(answer, (TypeError, ValueError, LookupError)), answer


@pytest.mark.parametrize("liar", [Message, dict, tuple, str, bytes, list, memoryview, int])
def test_threat_39_objects_that_lie_about_their_class(hooks: Any, liar: type) -> None:
    class Liar:
        __class__ = property(lambda self: liar)

    class Full(Liar):
        body, headers, endpoint, received_at = BODY, dict(GOOD[1]), None, None

    for one in (Liar(), Full()):
        for call in ways(hooks, partial(same, one), partial(same, one)):
            survived(hooks, call)
        verifier = hooks.Verifier(SECRET)
        for call in (
            partial(verifier.verify_batch, [one, GOOD], now=NOW),
            partial(verifier.verify_batch, one, now=NOW),
            partial(hooks.Verifier, one),
            partial(verifier.check, *GOOD, now=one),
            partial(verifier.verify_batch, [GOOD], received_at=one, now=NOW),
        ):
            survived(hooks, call)


def test_threat_39_finalizers_that_call_back() -> None:
    """A ring forgets schemes when it knows too many: what is let go may change that ring."""
    said = run(
        """
        import faulthandler
        faulthandler.dump_traceback_later(20, exit=True)
        ring = Keyring({"a": KEY})
        replaced = []
        class Last(Scheme):
            def __del__(self):
                if len(replaced) < 40:
                    replaced.append(1)
                    own = Scheme(f"own{len(replaced)}", signature="x")
                    ring.replace("z", Endpoint(KEY, scheme=own))
        for number in range(300):
            ring.replace(f"e{number}", Endpoint(KEY, scheme=Last(f"s{number}", signature="x")))
        print(len(replaced), len(ring))
        """
    )
    assert said == "40 302\n"


def test_threat_39_references_that_call_back(hooks: Any) -> None:
    """Weak references tell of messages that are let go in the middle of a batch."""

    class Item:
        def __init__(self) -> None:
            self.body, self.headers = GOOD

    verifier = hooks.Verifier(SECRET)
    gone: list[Any] = []

    def made() -> Iterator[Item]:
        for _ in range(40):
            item = Item()
            weakref.finalize(item, lambda: gone.append(verifier.check(*GOOD, now=NOW)))
            yield item

    result = verifier.verify_batch(made(), now=NOW, keep=False, threads=2)
    gc.collect()
    assert result.valid == 40
    assert gone == [V.VALID] * 40
