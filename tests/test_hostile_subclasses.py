"""Threat 39 of docs/threats.md: subclasses, secrets, datetimes and names with their own mind."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any

import pytest

from hookseal import Verdict
from tests.hostile import GOOD, Abort, Boom, same, survived, ways
from tests.implementations import BODY, KEY, NOW, SECRET, key

V = Verdict


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
            for call in ways(hooks, partial(same, given), partial(same, body)):
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
