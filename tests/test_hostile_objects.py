"""Threat 39 of docs/threats.md: objects that raise, call back, lie, and change while they are read.

Whatever they do, a call gives a verdict or raises: what the object raised, or the error that is
documented for what it is. A bug would be a RuntimeError, and a crash the end of the run; `make
sanitize` runs this file where one byte too many is the end as well.
"""

from __future__ import annotations

import array
import gc
import mmap
import sys
import threading
import weakref
from collections import UserDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any

import pytest

from hookseal import Endpoint, Message, NotAMessageError, Verdict
from tests.children import run
from tests.implementations import BODY, KEY, NOW, SECRET, key, signed
from tests.profiles import IS_QUICK

V = Verdict
GOOD = (BODY, signed())


class Boom(Exception):
    pass


class Abort(BaseException):
    pass


RAISED: list[BaseException] = [
    Boom("boom"),
    Abort("abort"),
    KeyboardInterrupt(),
    SystemExit(3),
    MemoryError(),
    GeneratorExit(),
    StopIteration(7),
    RecursionError(),
    RuntimeError("generator raised StopIteration"),
]


def ways(hooks: Any, headers: Callable[[], Any], body: Callable[[], Any] = lambda: BODY) -> Any:
    """All ways to have one message judged, each with objects of its own."""
    verifier = hooks.Verifier(SECRET)
    few = [GOOD, None, GOOD]
    many = [GOOD] * 20
    return [
        lambda: verifier.check(body(), headers(), now=NOW),
        lambda: verifier.verify(body(), headers(), now=NOW),
        lambda: verifier.verify_batch([(body(), headers())], now=NOW),
        lambda: verifier.verify_batch([*few, (body(), headers()), *few], now=NOW),
        lambda: verifier.verify_batch([*many, (body(), headers()), *many], now=NOW, threads=2),
        lambda: verifier.verify_batch([{"body": body(), "headers": headers()}], now=NOW),
        lambda: verifier.verify_batch([Message(body(), headers())] * 2, now=NOW, keep=False),
    ]


def _same(one: Any) -> Any:
    return one


def fine(hooks: Any) -> bool:
    """Whether all is as it was: nothing hostile has left anything behind."""
    verifier = hooks.Verifier(SECRET)
    assert verifier.check(*GOOD, now=NOW) is V.VALID
    assert verifier.verify_batch([GOOD, (b"", GOOD[1])] * 20, now=NOW).valid == 20
    return True


def survived(hooks: Any, call: Callable[[], Any]) -> Any:
    """What a call gave, or the exception that it raised, which is no bug's."""
    try:
        answer: Any = call()
    except BaseException as error:
        answer = error
    if isinstance(answer, BaseException) and type(answer).__name__ != "Silent":
        assert not str(answer).startswith("bug in hookseal"), answer
        assert type(answer).__name__ != "PanicException"
    assert fine(hooks)
    return answer


class RaisesIn(Mapping[str, Any]):
    """A mapping that raises in one method, and is good in all others."""

    def __init__(self, method: str, error: BaseException) -> None:
        self._method, self._error, self._good = method, error, signed()

    def _do(self, method: str) -> dict[str, str]:
        if method == self._method:
            raise self._error
        return self._good

    def __getitem__(self, name: str) -> str:
        return self._do("__getitem__")[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._do("__iter__"))

    def __len__(self) -> int:
        return len(self._do("__len__"))

    def items(self) -> Any:
        pairs = iter(self._do("items").items())
        yield next(pairs)
        self._do("in items")
        yield from pairs


@pytest.mark.parametrize("method", ["items", "in items", "__len__", "__getitem__", "__iter__"])
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_threat_39_a_mapping_that_raises(hooks: Any, method: str, error: BaseException) -> None:
    """What it raises passes; of an item of a batch, an Exception is the item's own."""
    passes = not isinstance(error, Exception) or isinstance(error, MemoryError)
    # A generator that raises StopIteration raises RuntimeError: that is Python's rule.
    is_stop = isinstance(error, StopIteration)
    for number, call in enumerate(ways(hooks, lambda: RaisesIn(method, error))):
        answer = survived(hooks, call)
        if "items" not in method:
            assert not isinstance(answer, BaseException)  # nothing but items() is asked
        elif number < 2 or passes:
            assert answer is error or (is_stop and isinstance(answer, RuntimeError))
        else:
            own = [each for each in answer.errors.values() if not isinstance(each, TypeError)]
            assert own
            assert all(each is error or is_stop for each in own)


def test_threat_39_a_mapping_that_calls_back(hooks: Any) -> None:
    """Verifying, changing the ring and collecting garbage, from inside of a call."""
    ring = hooks.Keyring({"a": SECRET})
    verifier = hooks.Verifier(ring)
    seen: list[Any] = []

    class Calling(UserDict[str, str]):
        def items(self) -> Any:
            if len(seen) < 60:
                seen.append(verifier.check(*GOOD, endpoint="a", now=NOW))
                seen.append(verifier.verify_batch([GOOD] * 13, endpoint="a", now=NOW).valid)
                ring.rotate("a", key(len(seen) + 50), now=NOW)
                ring.remove("a", ring.labels("a")[0])
                gc.collect(1)
            return super().items()

    calling = Calling(GOOD[1])
    result = verifier.verify_batch([(BODY, calling)] * 30, endpoint="a", now=NOW, threads=2)
    assert result.valid == 30
    assert verifier.check(BODY, calling, endpoint="a", now=NOW)
    assert set(seen) == {V.VALID, 13}


class Changing(dict[str, str]):
    """A mapping that changes its size whenever it is looked at."""

    def items(self) -> Any:
        for number, pair in enumerate(list(super().items())):
            self[f"x-{number}"] = "x"
            yield pair
            self.pop("webhook-id", None)


class Lying(UserDict[str, str]):
    """A mapping that says it has another length."""

    length: Any = 0

    def __len__(self) -> int:
        if isinstance(self.length, Exception):
            raise self.length
        return int(self.length)

    def items(self) -> Any:
        return LyingItems(self.data.items(), self.length)


class LyingItems:
    def __init__(self, pairs: Any, length: Any) -> None:
        self._pairs, self._length = pairs, length

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pairs)

    def __len__(self) -> int:
        if isinstance(self._length, Exception):
            raise self._length
        return int(self._length)

    def __length_hint__(self) -> int:
        return 2**40


def test_threat_39_a_mapping_that_changes_size(hooks: Any) -> None:
    for call in ways(hooks, lambda: Changing(GOOD[1])):
        answer = survived(hooks, call)
        assert not isinstance(answer, BaseException)


@pytest.mark.parametrize("length", [0, 1, 2, 99, 10**6, sys.maxsize])
def test_threat_39_a_mapping_that_lies_about_its_length(hooks: Any, length: int) -> None:
    def lying() -> Any:
        made = Lying(GOOD[1])
        made.length = length
        return made

    for call in ways(hooks, lying):
        answer = survived(hooks, call)
        # Python itself may believe the length, and say that there is no such memory.
        assert isinstance(answer, MemoryError) or not isinstance(answer, BaseException)


def test_threat_39_a_length_that_raises(hooks: Any) -> None:
    def lying() -> Any:
        made = Lying(GOOD[1])
        made.length = Boom()
        return made

    for call in ways(hooks, lying):
        answer = survived(hooks, call)
        assert isinstance(answer, Boom) or not isinstance(answer, BaseException)


def test_threat_39_a_dict_that_garbage_collection_changes(hooks: Any) -> None:
    """A text that is not UTF-8 is an exception first, whose memory may be the one that sets the
    collector off: finalizers run, and the dict under our hands is another one."""
    odd: dict[Any, Any] = {"webhook-signature": ["\ud800"] * 5, "webhook-id": "\ud800"}
    odd |= {f"x{number}\ud800": "y" for number in range(50)}
    calls = 0
    for threshold in range(1, 30):
        given = dict(odd)

        def change(*_: Any, given: dict[Any, Any] = given) -> None:
            nonlocal calls
            calls += 1
            given[f"new{calls}"] = "z"
            if calls % 3 == 0:
                given.clear()

        verifier = hooks.Verifier(SECRET)
        before = gc.get_threshold()
        gc.callbacks.append(change)
        gc.set_threshold(threshold, 1, 1)
        try:
            verdict = verifier.check(BODY, given, now=NOW)
            result = verifier.verify_batch([(BODY, given)] * 14, now=NOW)
        finally:
            gc.callbacks.remove(change)
            gc.set_threshold(*before)
        assert verdict is not V.VALID
        assert V.VALID not in list(result)
        assert {type(error) for error in result.errors.values()} <= {TypeError}
    assert calls > 0


def test_threat_39_a_dict_that_another_thread_changes(hooks: Any) -> None:
    """What is read of it is whole: the dict at one moment."""
    given = dict(GOOD[1])
    verifier = hooks.Verifier(SECRET)
    stop = threading.Event()

    def change() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            given[f"x-{number % 50}"] = "x"
            given.pop(f"x-{(number + 25) % 50}", None)

    other = threading.Thread(target=change)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    other.start()
    try:
        for _ in range(500 if IS_QUICK else 3_000):
            assert verifier.check(BODY, given, now=NOW) is V.VALID
        for _ in range(50):
            assert verifier.verify_batch([(BODY, given)] * 40, now=NOW).valid == 40
    finally:
        stop.set()
        other.join()
        sys.setswitchinterval(before)


# Subclasses of what is exact elsewhere.


def _never(*_: Any, **__: Any) -> Any:
    raise Boom("an overridden method was called")


def overriding(base: type, *kept: str) -> Any:
    """A subclass whose every method raises, but for those that Python needs to make one."""
    spared = {"__new__", "__init__", "__class__", "__getattribute__", "__del__", *kept}
    spared |= {"__init_subclass__", "__subclasshook__", "__setattr__", "__delattr__", "__doc__"}
    methods = {name: _never for name in dir(base) if name not in spared}
    return type(f"Hostile{base.__name__.title()}", (base,), methods)


Str = overriding(str, "__hash__", "__eq__")
Bytes = overriding(bytes, "__hash__", "__eq__")
Bytearray = overriding(bytearray)
Int = overriding(int, "__index__", "__int__", "__le__", "__lt__", "__ge__", "__gt__", "__bool__")
Tuple = overriding(tuple)
List = overriding(list)


@pytest.mark.parametrize("text", [Str, Bytes], ids=["str", "bytes"])
def test_threat_39_subclasses_of_text(hooks: Any, text: Any) -> None:
    """They are read by the types' own methods: no override is called."""

    def made(value: str) -> Any:
        return Str(value) if text is Str else Bytes(value.encode())

    headers = [(made(name), made(value)) for name, value in GOOD[1].items()]
    listed = [Tuple(pair) for pair in headers]
    nested = [List([name, List([value])]) for name, value in headers]
    for given in (headers, listed, nested, dict(headers)):
        for body in (BODY, Bytes(BODY), Bytearray(BODY), Str(BODY.decode())):
            for call in ways(hooks, partial(_same, given), partial(_same, body)):
                answer = survived(hooks, call)
                assert not isinstance(answer, BaseException), answer
                if isinstance(answer, hooks.BatchResult):
                    assert V.VALID in set(answer)
                    continue
                assert answer is V.VALID or (answer.body, type(answer.body)) == (BODY, bytes)


def test_threat_39_subclasses_in_every_argument(hooks: Any) -> None:
    """An int is an instant, a limit, a count; a str a name; whatever their methods say."""
    ring = hooks.Keyring({Str("a"): [Str(SECRET), Bytes(key(1))]})
    verifier = hooks.Verifier(ring, tolerance=(300, 300), max_body_bytes=1000)
    named = {"endpoint": Str("a"), "now": Int(NOW), "received_at": Int(NOW)}
    for call in (
        lambda: verifier.check(*GOOD, **named),
        lambda: verifier.verify(*GOOD, **named).body,
        lambda: verifier.verify_batch([GOOD] * 14, threads=Int(2), **named).valid,
        lambda: verifier.verify_batch([GOOD], endpoint=List([Str("a")]), now=NOW).valid,
        lambda: verifier.verify_batch([GOOD], endpoint="a", received_at=List([Int(NOW)])).valid,
        lambda: verifier.verify_batch(List([GOOD] * 3), endpoint="a", now=NOW).valid,
        lambda: verifier.verify_batch(Tuple([GOOD] * 3), endpoint="a", now=NOW).valid,
        lambda: hooks.Signer(Bytes(KEY)).sign(Bytes(BODY), id=Str("x"), timestamp=Int(NOW)),
        lambda: hooks.Secret(Str("k" * 20), label=Str("x"), not_before=Int(5)).label,
        lambda: hooks.Verifier(SECRET, tolerance=Tuple((1, 1))),
        lambda: hooks.Verifier(SECRET, max_body_bytes=Int(5)),
        lambda: ring.rotate(Str("a"), Bytes(key(3)), now=Int(NOW)),
        lambda: ring.replace(Str("a"), List([Str(SECRET)])),
        lambda: ring.labels(Str("a")),
        lambda: verifier.verify_batch([GOOD], endpoint="a", now=NOW)[Int(0)],
    ):
        answer = survived(hooks, call)
        # Either it is read by its type, or its own method was asked, and said no.
        assert isinstance(answer, (Boom, TypeError)) or not isinstance(answer, BaseException)


# Buffers.


def test_threat_39_a_buffer_that_is_released_during_the_call(hooks: Any) -> None:
    """A body is copied before the headers are asked; that of a later message is gone."""
    views = [memoryview(bytearray(BODY)) for _ in range(4)]

    class Releasing(UserDict[str, str]):
        def items(self) -> Any:
            for view in views:
                view.release()
            return super().items()

    verifier = hooks.Verifier(SECRET)
    items = [(views[0], Releasing(GOOD[1])), *[(view, GOOD[1]) for view in views[1:]]]
    result = verifier.verify_batch(items, now=NOW)
    assert list(result) == [V.VALID, *[V.NOT_A_MESSAGE] * 3]
    assert result.verified(0).body == BODY
    assert {type(error) for error in result.errors.values()} == {ValueError}
    view = memoryview(bytearray(BODY))
    views.append(view)
    assert verifier.verify(view, Releasing(GOOD[1]), now=NOW).body == BODY


def test_threat_39_a_buffer_that_is_resized_during_the_call(hooks: Any) -> None:
    owners = [bytearray(BODY) for _ in range(4)]

    class Resizing(UserDict[str, str]):
        def items(self) -> Any:
            for owner in owners:
                owner.clear()
                owner.extend(b"x" * 100_000)
            return super().items()

    verifier = hooks.Verifier(SECRET)
    items = [(owners[0], Resizing(GOOD[1])), *[(owner, GOOD[1]) for owner in owners[1:]]]
    result = verifier.verify_batch(items, now=NOW)
    assert list(result) == [V.VALID, *[V.SIGNATURE_MISMATCH] * 3]
    assert result.verified(0).body == BODY
    owners.append(bytearray(BODY))
    assert verifier.verify(owners[-1], Resizing(GOOD[1]), now=NOW).body == BODY


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python's own buffers are from 3.12 on")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_threat_39_a_buffer_with_side_effects(hooks: Any) -> None:
    """`__buffer__` of a subclass is not asked for a body, and may do what it likes elsewhere."""
    asked: list[str] = []

    class Own(bytearray):
        def __buffer__(self, flags: int, /) -> memoryview:
            asked.append("body")
            return memoryview(b"forged")

    verifier = hooks.Verifier(SECRET)
    assert verifier.verify(Own(BODY), GOOD[1], now=NOW).body == BODY
    assert asked == []

    class Instants:
        def __init__(self, answer: Any) -> None:
            self.answer = answer

        def __buffer__(self, flags: int, /) -> memoryview:
            if isinstance(self.answer, BaseException):
                raise self.answer
            return memoryview(self.answer)

        def __release_buffer__(self, view: memoryview, /) -> None:
            asked.append("released")

    for answer in (
        array.array("q", [NOW]),
        b"",
        array.array("d", [1.0]),
        Boom(),
        Abort(),
        bytearray(7),
    ):
        given = Instants(answer)
        survived(hooks, partial(verifier.verify_batch, [GOOD], received_at=given))
    # The class is let go here: a view of it that was kept by an error has no release by then,
    # which Python 3.12 and 3.13 complain of, to whoever collects it.
    del Instants, given
    gc.collect()


def test_threat_39_memory_that_is_unmapped(hooks: Any) -> None:
    memory = mmap.mmap(-1, len(BODY))
    memory[:] = BODY
    view = memoryview(memory)
    proof = hooks.Verifier(SECRET).verify(view, GOOD[1], now=NOW)
    view.release()
    memory.close()
    assert proof.body == BODY


# Sequences and generators.


def test_threat_39_lists_that_shrink_while_they_are_read(hooks: Any) -> None:
    messages: list[Any] = []
    values: list[Any] = ["v1,x"] * 50 + [GOOD[1]["webhook-signature"]]
    pairs: list[Any] = []

    class Shrinking(UserDict[str, str]):
        def items(self) -> Any:
            messages.clear()
            values.clear()
            pairs.clear()
            gc.collect()
            return super().items()

    class Name(str):
        """A name that empties the list it stands in when it is let go."""

        def __del__(self) -> None:
            pairs.clear()

    others = {name: value for name, value in GOOD[1].items() if name != "webhook-signature"}
    pairs += [(Name("x"), "x"), *others.items(), ("webhook-signature", values)]
    messages += [(BODY, pairs), (BODY, Shrinking(GOOD[1])), (BODY, pairs), *[GOOD] * 30]
    result = hooks.Verifier(SECRET).verify_batch(messages, now=NOW)
    assert messages == []
    expected = [V.VALID, V.VALID, V.MISSING_HEADER, *[V.VALID] * 30]
    assert list(result) == expected


def test_threat_39_a_list_that_empties_itself(hooks: Any) -> None:
    """By the values that it holds, as they are let go."""

    class Fragile:
        def __init__(self, held: list[Any]) -> None:
            self.held = held

        def __del__(self) -> None:
            self.held.clear()

    for _ in range(20):
        headers: list[Any] = []
        headers += [("x-first", Fragile(headers)), *GOOD[1].items()]
        for call in ways(hooks, partial(_same, headers)):
            survived(hooks, call)


class Lengthy(Sequence[Any]):
    """A sequence that says it has another length than it has, or another one each time."""

    def __init__(self, elements: list[Any], lengths: list[int]) -> None:
        self.elements, self.lengths = elements, lengths

    def __len__(self) -> int:
        return self.lengths.pop(0) if len(self.lengths) > 1 else self.lengths[0]

    def __getitem__(self, index: Any) -> Any:
        return self.elements[index]


@pytest.mark.parametrize("lengths", [[0], [3], [1, 9], [9, 1], [10**6], [5, 4, 3, 2, 1, 0]])
def test_threat_39_sequences_that_lie_about_their_length(hooks: Any, lengths: list[int]) -> None:
    verifier = hooks.Verifier(hooks.Keyring({"a": SECRET}))
    good = hooks.Verifier(SECRET)
    for call in (
        lambda: verifier.verify_batch([GOOD] * 5, endpoint=Lengthy(["a"] * 5, [*lengths]), now=NOW),
        lambda: good.verify_batch([GOOD] * 5, received_at=Lengthy([NOW] * 5, [*lengths])),
        lambda: good.verify_batch(Lengthy([GOOD] * 5, [*lengths]), now=NOW),
        lambda: good.verify_columns(
            Lengthy(["msg_1"] * 5, [*lengths]),
            Lengthy([str(NOW)] * 5, [*lengths]),
            Lengthy([GOOD[1]["webhook-signature"]] * 5, [*lengths]),
            Lengthy([BODY] * 5, [*lengths]),
            now=NOW,
        ),
        lambda: good.verify_batch([GOOD] * 5, now=NOW).partition(Lengthy([1] * 5, [*lengths])),
        lambda: hooks.Verifier(Lengthy([SECRET], [*lengths])),
        lambda: hooks.Signer(SECRET).sign_batch(Lengthy([BODY] * 5, [*lengths]), timestamps=NOW),
    ):
        answer = survived(hooks, call)
        wrong = (ValueError, MemoryError)
        assert isinstance(answer, wrong) or not isinstance(answer, BaseException), answer


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_threat_39_generators_that_raise(hooks: Any, error: BaseException) -> None:
    """An iterable of messages is an argument: what it raises passes."""

    def broken(items: list[Any]) -> Iterator[Any]:
        yield from items
        raise error

    verifier = hooks.Verifier(SECRET)
    for call in (
        lambda: verifier.verify_batch(broken([GOOD] * 20), now=NOW),
        lambda: verifier.check(BODY, broken([*GOOD[1].items()]), now=NOW),
        lambda: verifier.verify_columns(None, None, None, broken([BODY]), now=NOW),
        lambda: hooks.Signer(SECRET).sign_batch(broken([BODY]), timestamps=NOW),
    ):
        answer = survived(hooks, call)
        assert answer is error or isinstance(answer, RuntimeError)


# Objects that raise wherever they are asked.

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
        for call in ways(hooks, partial(_same, one), partial(_same, one)):
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


def test_threat_39_values_that_hold_themselves(hooks: Any) -> None:
    value: list[Any] = []
    value.append(value)
    headers: dict[str, Any] = {**GOOD[1], "webhook-id": value}
    headers["headers"] = headers
    verifier = hooks.Verifier(SECRET)
    with pytest.raises(TypeError, match="webhook-id"):
        verifier.check(BODY, headers, now=NOW)
    pair: list[Any] = ["webhook-id"]
    pair.append(pair)
    assert list(verifier.verify_batch([(BODY, [pair])], now=NOW)) == [V.NOT_A_MESSAGE]
    secrets: list[Any] = []
    secrets.append(secrets)
    with pytest.raises(TypeError):
        hooks.Verifier(secrets)


def test_threat_39_very_many_headers(hooks: Any) -> None:
    verifier = hooks.Verifier(SECRET)
    others = [(f"x-{number}", "x") for number in range(100_000)]
    assert verifier.check(BODY, [*others, *GOOD[1].items()], now=NOW)
    for name in GOOD[1]:
        empty = [(name, value) for value in ("", None, " ", [], [""] * 9)] * 20_000
        assert not verifier.check(BODY, [*empty, (name, "x")], now=NOW)
    same = [pair for pair in GOOD[1].items() if pair[0] != "webhook-signature"] * 50_000
    signature = ("webhook-signature", GOOD[1]["webhook-signature"])
    assert verifier.check(BODY, [*same, signature], now=NOW)


def test_threat_39_secrets_that_are_asked(hooks: Any) -> None:
    """`get_secret_value()` is the user's: it may call back, and return anything."""

    class Asked:
        def __init__(self, answer: Any) -> None:
            self.answer = answer

        def get_secret_value(self) -> Any:
            hooks.Verifier(SECRET).check(*GOOD, now=NOW)
            gc.collect(1)
            return self.answer(self) if callable(self.answer) else self.answer

    for answer in (
        None,
        5,
        bytearray(b"k"),
        lambda own: own,
        Str("k" * 20),
        Bytes(b"k" * 20),
        [SECRET],
    ):
        for enter in (hooks.Secret, hooks.Signer, hooks.Verifier):
            survived(hooks, partial(enter, Asked(answer)))
    assert hooks.Verifier(Asked(SECRET)).check(*GOOD, now=NOW)


class Zone(tzinfo):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def utcoffset(self, _: datetime | None) -> timedelta | None:
        if isinstance(self.answer, BaseException):
            raise self.answer
        offset: timedelta | None = self.answer
        return offset

    def dst(self, _: datetime | None) -> timedelta | None:
        return self.utcoffset(_)

    def tzname(self, _: datetime | None) -> str:
        return "own"


def test_threat_39_datetimes_with_their_own_mind(hooks: Any) -> None:
    class Own(datetime):
        def timestamp(self) -> Any:
            return "now"

    verifier = hooks.Verifier(SECRET)
    at = datetime.fromtimestamp(NOW, UTC)
    zones = [
        None,
        timedelta(0),
        timedelta(hours=99),
        Boom(),
        Abort(),
        "x",
        timedelta(microseconds=1),
    ]
    for given in [Own.fromtimestamp(NOW, UTC), *[at.replace(tzinfo=Zone(z)) for z in zones]]:
        survived(hooks, partial(verifier.check, *GOOD, now=given))
        survived(hooks, partial(verifier.verify_batch, [GOOD], received_at=[given]))
        survived(hooks, partial(hooks.Secret, "k" * 20, not_after=given))


def test_threat_39_names_that_compare_as_they_like(hooks: Any) -> None:
    """An endpoint is looked up by its text: a name that equals everything finds nothing."""

    class Equal(str):
        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return hash("a")

    ring = hooks.Keyring({"a": SECRET})
    verifier = hooks.Verifier(ring)
    assert verifier.check(*GOOD, endpoint=Equal("b"), now=NOW) is V.UNKNOWN_ENDPOINT
    assert verifier.check(*GOOD, endpoint=Equal("a"), now=NOW) is V.VALID
    assert Equal("b") not in ring
    headers: dict[str, str] = {Equal(f"x{number}"): "x" for number in range(3)}
    assert (
        verifier.check(BODY, {**headers, **GOOD[1]}, endpoint="a", now=NOW) is not V.NOT_A_MESSAGE
    )


def test_threat_39_exceptions_that_cannot_be_shown(hooks: Any) -> None:
    """An item's exception is kept as it is, and its text is not asked for."""

    class Silent(Exception):
        def __str__(self) -> str:
            raise Boom

        __repr__ = __str__

    result = hooks.Verifier(SECRET).verify_batch([(BODY, RaisesIn("items", Silent()))], now=NOW)
    with pytest.raises(NotAMessageError) as caught:
        result.verified(0)
    assert type(caught.value.__cause__) is Silent
    assert "Silent" in str(caught.value)


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
