"""`Message`: one class for both implementations, in the binary or in plain Python."""

from __future__ import annotations

import asyncio
import copy
import gc
import importlib.util
import inspect
import pickle
import subprocess
import sys
import weakref
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

import hookseal
import hookseal.pure
from hookseal import Verdict
from hookseal._message_twin import Message as TwinMessage
from tests.implementations import BODY, NOW, SECRET, signed

PARTS = {"endpoint": "a", "received_at": NOW + 0.5, "url": "https://x.test/", "method": "POST"}


class Text(str):
    """Equal to its text, but not exact."""


needs_core = pytest.mark.skipif(
    importlib.util.find_spec("hookseal._core") is None, reason="hookseal._core is not built"
)


class Instant(datetime):
    """One that other objects can be hung on, as on ``Text``."""


@pytest.fixture(params=[hookseal.Message, TwinMessage], ids=["in use", "in Python"])
def cls(request: pytest.FixtureRequest) -> Any:
    return request.param


@needs_core
def test_there_is_one() -> None:
    """What was made for one implementation states its endpoint to the other."""
    assert hookseal.Message is hookseal.pure.Message
    messages = [hookseal.Message(BODY, signed(), endpoint="a")] * 40
    for hooks in (hookseal, hookseal.pure):
        verifier = hooks.Verifier(hooks.Keyring({"a": SECRET}))
        assert verifier.verify_batch(messages, now=NOW).valid == 40


@needs_core
def test_both_take_the_same() -> None:
    for part in ("__doc__", *PARTS, "body", "headers"):
        ours, theirs = getattr(hookseal.Message, part), getattr(TwinMessage, part)
        assert inspect.getdoc(ours) == inspect.getdoc(theirs), part
    ours, theirs = (
        [(one.name, one.kind, one.default) for one in inspect.signature(it).parameters.values()]
        for it in (hookseal.Message, TwinMessage)
    )
    assert ours == theirs


@pytest.mark.parametrize("name", ["a", Text("a"), ""])
@pytest.mark.parametrize("at", [0, NOW, NOW + 0.9, datetime.fromtimestamp(NOW, UTC)])
def test_parts_are_as_they_were_given(cls: Any, name: str, at: Any) -> None:
    body, headers = bytearray(b"x"), {"a": ["b"]}
    message = cls(body, headers, endpoint=name, received_at=at, url=name, method=name)
    for part, given in [("body", body), ("headers", headers), ("received_at", at)]:
        assert getattr(message, part) is given
    for part in ("endpoint", "url", "method"):
        assert getattr(message, part) is name


def test_what_is_not_stated_is_none(cls: Any) -> None:
    for message in (cls(None, None), cls(headers=None, body=None, **dict.fromkeys(PARTS))):
        assert [getattr(message, part) for part in ("body", "headers", *PARTS)] == [None] * 6


NO_INSTANTS = ["now", True, -1, 10**12, 10**400, float("nan"), float("inf"), datetime(2024, 1, 1)]
WRONG: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((BODY,), {}),
    ((BODY, {}, "a"), {}),
    ((BODY, {}), {"endpoints": "a"}),
    *(((BODY, {}), {part: wrong}) for part in ("endpoint", "url", "method") for wrong in (5, b"a")),
    *(((BODY, {}), {"received_at": wrong}) for wrong in NO_INSTANTS),
    ((BODY, {}), {"method": 5, "url": 5, "endpoint": 5, "received_at": -1}),
]


@needs_core
@pytest.mark.parametrize(("given", "named"), WRONG)
def test_wrong_arguments(given: Any, named: Any) -> None:
    """Both say the same of what they judge; of how many there are Python and PyO3 say it each."""
    said = []
    for cls in (hookseal.Message, TwinMessage):
        with pytest.raises((TypeError, ValueError)) as caught:
            cls(*given, **named)
        said.append((caught.type, str(caught.value)))
    judged = len(given) == 2 and "endpoints" not in named
    assert said[0] == said[1] if judged else {kind for kind, _ in said} == {TypeError}


def test_it_is_frozen(cls: Any) -> None:
    message = cls(BODY, {}, endpoint="a")
    for part in ("body", "headers", *PARTS, "other", "_parts"):
        with pytest.raises(AttributeError):
            setattr(message, part, b"forged")
        with pytest.raises(AttributeError):
            delattr(message, part)
    message.__init__(b"forged", {}, endpoint="b")
    assert (message.body, message.headers, message.endpoint) == (BODY, {}, "a")


@needs_core
def test_force_changes_no_message_of_the_binary() -> None:
    message = hookseal.Message(BODY, {}, endpoint="a")
    for part in ("body", "headers", *PARTS, "_parts"):
        with pytest.raises(AttributeError):
            object.__setattr__(message, part, b"forged")
    with pytest.raises(TypeError):
        object.__new__(hookseal.Message)


def test_a_log_shows_neither_body_nor_headers(cls: Any) -> None:
    message = cls(b"canary", {"canary": "canary"}, url="canary", method="canary", endpoint="it's")
    assert repr(message) == str(message) == 'Message(endpoint="it\'s", received_at=None)'
    at = datetime.fromtimestamp(NOW, UTC)
    assert repr(cls(b"", {}, received_at=at)) == f"Message(endpoint=None, received_at={at!r})"


def test_it_travels(cls: Any) -> None:
    """As the class in use, whichever made the pickle."""
    message = cls(BODY, {"a": ["b"]}, **PARTS)
    for again in (pickle.loads(pickle.dumps(message)), copy.copy(message), copy.deepcopy(message)):
        assert type(again) is hookseal.Message
        for part in ("body", "headers", *PARTS):
            assert getattr(again, part) == getattr(message, part)
    assert copy.copy(message).headers is message.headers
    assert copy.deepcopy(message).headers is not message.headers


def test_a_copy_of_a_subclass_states_what_that_says_of_itself(cls: Any) -> None:
    class Routed(cls):  # type: ignore[misc]
        endpoint, received_at = property(lambda self: "b"), property(lambda self: NOW)

    routed = Routed(BODY, {}, endpoint="a")
    again = copy.copy(routed)
    assert (type(again), again.endpoint, again.received_at) == (hookseal.Message, "b", NOW)
    assert repr(again) == repr(routed) == f"Message(endpoint='b', received_at={NOW})"


def test_messages_are_told_apart_by_what_they_are(cls: Any) -> None:
    one, other = cls(BODY, {}), cls(BODY, {})
    assert one == one  # noqa: PLR0124
    assert one != other
    assert len({one, other}) == 2


def test_a_subclass(cls: Any) -> None:
    """It may have attributes of its own, and what is Message's stays as it is."""

    class Tagged(cls):  # type: ignore[misc]
        def __init__(self, body: Any, headers: Any, *, endpoint: Any) -> None:
            super().__init__()
            self.tag = endpoint.upper()
            object.__setattr__(self, "other", self.tag)

    tagged = Tagged(BODY, {}, endpoint="a")
    assert (tagged.body, tagged.endpoint, tagged.tag, tagged.other) == (BODY, "a", "A", "A")
    for part in ("body", "endpoint", "url"):
        with pytest.raises(AttributeError):
            setattr(tagged, part, b"forged")
    assert isinstance(tagged, cls)


def test_a_message_that_holds_itself_is_collected(cls: Any) -> None:
    class Held:
        """Something that a weak reference can be made to."""

    held = Held()
    gone = weakref.ref(held)
    for part in ("body", "headers", *PARTS):
        holder: Any = Instant.fromtimestamp(NOW, UTC) if part == "received_at" else Text("a")
        holder.held = held
        holder.message = cls(**{"body": None, "headers": None} | {part: holder})
    del held, holder
    gc.collect()
    assert gone() is None


def asked(raised: BaseException, part: str) -> Any:
    """A message of a class that raises where it is asked for that."""

    class Broken(hookseal.Message):
        def __getattribute__(self, name: str) -> Any:
            if name == part:
                raise raised
            return super().__getattribute__(name)

    class Nameless:
        """It has a body and headers, and is none by its type."""

        body, headers = BODY, signed(id="msg_2")

        def __getattribute__(self, name: str) -> Any:
            if name == part:
                raise raised
            return super().__getattribute__(name)

    return Nameless() if part == "__class__" else Broken(BODY, signed(id="msg_2"))


@pytest.mark.parametrize("part", ["__class__", "body", "headers", "endpoint", "received_at"])
@pytest.mark.parametrize("is_guarded", [False, True])
@pytest.mark.parametrize("count", [1, 40])
def test_one_that_cannot_be_asked_sinks_no_batch(
    hooks: Any, part: str, is_guarded: bool, count: int
) -> None:
    replay = hooks.MemoryReplayGuard() if is_guarded else None
    verifier = hooks.Verifier(hooks.Keyring({"a": SECRET}), replay=replay)
    raised = RuntimeError("no such part")
    broken = [asked(raised, part)] * count
    items = [*broken, hookseal.Message(BODY, signed(), endpoint="a"), *broken]
    nothing = [Verdict.NOT_A_MESSAGE] * count
    for judge in (verifier.verify_batch, partial(waited_for, verifier)):
        result = judge(items, endpoint="a", now=NOW)
        last = Verdict.VALID
        if is_guarded and judge != verifier.verify_batch:
            last = Verdict.REPLAYED
        assert list(result) == [*nothing, last, *nothing]
        assert {*result.errors.values()} == {raised}


def waited_for(verifier: Any, items: Any, **named: Any) -> Any:
    return asyncio.run(verifier.averify_batch(items, **named))


@pytest.mark.parametrize("count", [1, 40])
def test_an_arrival_that_is_stated_late_needs_a_time_to_live(hooks: Any, count: int) -> None:
    """It is asked for before anything is judged, and what it said then is what counts."""

    class Late(hookseal.Message):
        asked = 0

        @property
        def received_at(self) -> Any:
            type(self).asked += 1
            if type(self).asked <= count:
                raise RuntimeError("not yet")
            return NOW - 5_000

    old = signed(timestamp=NOW - 5_000)
    verifier = hooks.Verifier(SECRET, replay=hooks.MemoryReplayGuard())
    result = verifier.verify_batch([Late(BODY, old)] * count, now=NOW)
    assert list(result) == [Verdict.NOT_A_MESSAGE] * count
    assert {type(error) for error in result.errors.values()} == {TypeError}
    # Where claims last for as long as one may wait, it is as good as any.
    verifier = hooks.Verifier(SECRET, replay=hooks.MemoryReplayGuard(), replay_ttl=9_000)
    assert verifier.verify_batch([Late(BODY, old)] * count, now=NOW)[0] is Verdict.VALID


@pytest.mark.parametrize("part", ["endpoint", "received_at"])
@pytest.mark.parametrize("raised", [MemoryError(), KeyboardInterrupt()])
def test_what_is_no_fault_of_a_message_passes(hooks: Any, part: str, raised: BaseException) -> None:
    for replay in (None, hooks.MemoryReplayGuard()):
        verifier = hooks.Verifier(hooks.Keyring({"a": SECRET}), replay=replay)
        with pytest.raises(type(raised)):
            verifier.verify_batch([asked(raised, part)], endpoint="a", now=NOW)


WITHOUT_THE_BINARY = f"""
import sys
sys.modules["hookseal._core"] = None
import hookseal, hookseal.pure, hookseal._message_twin
from hookseal import Message, Verdict
assert Message is hookseal.pure.Message is hookseal._message_twin.Message
body, headers = {BODY!r}, {signed()!r}
verifier = hookseal.pure.Verifier(hookseal.pure.Keyring({{"a": {SECRET!r}}}))
made = [Message(body, headers, endpoint=name) for name in ("a", "b", "a")]
for parts in (None, (), (body, headers)):
    forced = Message(body, headers, endpoint="a")
    object.__setattr__(forced, "_parts", parts)
    made.append(forced)
made.append(object.__new__(Message))
print([verdict.name for verdict in verifier.verify_batch(made, now={NOW})])
"""


def test_without_the_binary() -> None:
    """Who changes a message in plain Python by force may spoil it, and nothing else."""
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_BINARY], capture_output=True, text=True, check=True
    )
    spoilt = [Verdict.NOT_A_MESSAGE.name] * 4
    assert run.stdout == f"{['VALID', 'UNKNOWN_ENDPOINT', 'VALID', *spoilt]}\n"
