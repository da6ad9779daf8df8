"""What programs put in the place of the originals' methods: asked as there, or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
import time_machine

from hookseal import Verdict
from tests.compat_calls import CALLS
from tests.compat_choices import Choice
from tests.implementations import BODY, NOW, SECRET
from tests.mirrors import (
    DOCUMENTED,
    IMPLEMENTATIONS,
    Call,
    at,
    dropins,
    genuine,
    headers,
    modules,
    same,
    utc,
    which,
)

__all__ = ["which"]

COUNT = 2_000


# The private method.


def _lenient(*arguments: Any) -> datetime:
    return datetime.fromtimestamp(float(arguments[-1]), UTC)


def _overridden(cls: Any, way: str) -> tuple[Any, Any]:
    """A webhook whose times are judged by ``_lenient``, and what to undo."""
    if way == "subclass":
        return type("Mine", (cls,), {"_Webhook__verify_timestamp": _lenient})(SECRET), None
    webhook = cls(SECRET)
    place = cls if way == "class" else webhook
    patch = mock.patch.object(place, "_Webhook__verify_timestamp", _lenient)
    patch.start()
    return webhook, patch


@pytest.mark.parametrize("way", ["subclass", "class", "object"])
def test_an_override_judges_the_time(which: str, way: str) -> None:
    for cls in (genuine().standard, dropins(which).standard):
        webhook, patch = _overridden(cls, way)
        try:
            with time_machine.travel(NOW + 10**6, tick=False):
                assert webhook.verify(BODY, headers(BODY), json_parse=False) is None
                with pytest.raises(Exception, match=r"^No matching signature found$"):
                    webhook.verify(BODY + b" ", headers(BODY))
                with pytest.raises(Exception, match=r"^Missing required headers$"):
                    webhook.verify(BODY, headers(BODY, id_=""))
        finally:
            if patch:
                patch.stop()
        with time_machine.travel(NOW + 10**6, tick=False):
            fresh = cls(SECRET)
            with pytest.raises(Exception, match=r"^Message timestamp too old$"):
                fresh.verify(BODY, headers(BODY))


def test_an_override_that_refuses(which: str) -> None:
    class Strict(dropins(which).standard):  # type: ignore[misc]
        def _Webhook__verify_timestamp(self, text: str) -> Any:
            if text != str(NOW):
                raise LookupError(text)
            return super()._Webhook__verify_timestamp(text)

    webhook = Strict(SECRET)
    with at(0):
        assert webhook.verify(BODY, headers(BODY)) == {"type": "invoice.paid"}
        with pytest.raises(LookupError):
            webhook.verify(BODY, headers(BODY, stamp=str(NOW - 1)))
    for past, text in ((301, "old"), (-301, "new")):
        with at(past), pytest.raises(Exception, match=rf"^Message timestamp too {text}$"):
            webhook.verify(BODY, headers(BODY))
    with pytest.raises(TypeError, match="tolerance="):
        webhook.verify_batch([])


@pytest.mark.parametrize("text", ["+1", "01", "x", "", "1.5", "9" * 15, "9" * 16, "253402300800"])
def test_the_method_itself(which: str, text: str) -> None:
    webhook = dropins(which).standard(SECRET)
    with at(0):
        stated = webhook._Webhook__verify_timestamp(str(NOW))
        assert stated == utc(NOW)
        assert stated.tzinfo is UTC
        assert type(webhook)._Webhook__verify_timestamp(webhook, str(NOW)) == stated
        with pytest.raises(Exception, match=r"^Invalid Signature Headers$"):
            webhook._Webhook__verify_timestamp(text)


def test_svix_never_asked_it(which: str) -> None:
    for side in (genuine(), dropins(which)):
        for cls in (side.svix, side.svix1):
            mine = type("Mine", (cls,), {"_Webhook__verify_timestamp": _lenient})(SECRET)
            with at(301), pytest.raises(Exception, match=r"^Message timestamp too old$"):
                mine.verify(BODY, headers(BODY))


def _naive(*arguments: Any) -> datetime:
    return _lenient(*arguments).replace(tzinfo=None)


def _later(*arguments: Any) -> datetime:
    return _lenient(*arguments) + timedelta(seconds=1)


def _fraction(*arguments: Any) -> datetime:
    return _lenient(*arguments) + timedelta(seconds=0.9)


def _nothing(*_: Any) -> None:
    return None


def _number(*arguments: Any) -> float:
    return float(arguments[-1])


def _always(*_: Any) -> datetime:
    return utc(NOW)


JUDGES = [_lenient, _naive, _later, _fraction, _nothing, _number, _always]


@pytest.mark.parametrize("judge", JUDGES)
def test_no_override_takes_what_the_originals_refuses(judge: Callable[..., object]) -> None:
    """Of calls drawn at random, and core and twin say the same of each."""
    named = {"_Webhook__verify_timestamp": judge}
    sides = [
        side._replace(standard=type("Mine", (side.standard,), named))
        for side in (genuine(), dropins("core"), dropins("twin"))
    ]
    choice = Choice(f"overrides {judge.__name__}")
    accepted = 0
    with at(0.5):
        for _ in range(COUNT):
            call: Call = CALLS["standard"](choice)
            theirs, core, twin = (call.made(side) for side in sides)
            accepted += core.accepted
            assert same(core, twin), (call, str(core), str(twin))
            assert type(core.raised) is type(twin.raised), (call, str(core), str(twin))
            if core.accepted:
                # Of what it does not document it may answer more than the original.
                assert not isinstance(theirs.raised, DOCUMENTED), (call, str(theirs), str(core))
            raised = (*DOCUMENTED, TypeError, ValueError, OverflowError)
            assert core.raised is None or isinstance(core.raised, raised), (call, str(core))
    assert (accepted > COUNT // 20) is (judge in (_lenient, _naive, _fraction, _always)), accepted


@pytest.mark.parametrize("given", [None, False, float(NOW), str(NOW)])
def test_an_override_that_returns_no_time(which: str, given: object) -> None:
    """One that says yes or no: the original fails, and does not take the message either."""
    named = {"_Webhook__verify_timestamp": lambda *_: given}
    for cls, raised in ((genuine().standard, Exception), (dropins(which).standard, TypeError)):
        with at(0), pytest.raises(raised):
            type("Mine", (cls,), named)(SECRET).verify(BODY, headers(BODY))


def test_an_override_that_returns_another_time(which: str) -> None:
    for cls in (genuine().standard, dropins(which).standard):
        mine = type("Mine", (cls,), {"_Webhook__verify_timestamp": _later})(SECRET)
        with at(0), pytest.raises(Exception, match=r"^No matching signature found$"):
            mine.verify(BODY, headers(BODY))


def test_an_override_and_a_time_that_is_none(which: str) -> None:
    mine = type("Mine", (dropins(which).standard,), {"_Webhook__verify_timestamp": _always})
    for text in ("abc", "-1", "9" * 16, "é"):
        with at(0), pytest.raises(Exception, match=r"^Invalid Signature Headers$"):
            mine(SECRET).verify(BODY, headers(BODY, timestamp=text))


@pytest.mark.parametrize("override", [None, 5, "text"])
def test_an_override_that_is_no_function(which: str, override: object) -> None:
    for cls in (genuine().standard, dropins(which).standard):
        mine = type("Mine", (cls,), {"_Webhook__verify_timestamp": override})(SECRET)
        with at(0), pytest.raises(TypeError):
            mine.verify(BODY, headers(BODY))


@pytest.mark.parametrize("tolerance", [60, "off", (1, 2)])
def test_an_override_beside_a_tolerance(which: str, tolerance: Any) -> None:
    cls = type("Mine", (dropins(which).standard,), {"_Webhook__verify_timestamp": _lenient})
    with at(0), pytest.raises(TypeError, match=r"and a tolerance= that it would not ask"):
        cls(SECRET, tolerance=tolerance).verify(BODY, headers(BODY))


# sign and hmac_data.


def _calls(webhook: Any) -> list[Callable[[], Any]]:
    return [lambda: webhook.verify(BODY, headers(BODY)), lambda: webhook.verify_batch([])]


def _other_sign(*_: Any, **__: Any) -> str:
    return str(headers(BODY + b" ")["webhook-signature"])


@pytest.mark.parametrize("way", ["subclass", "class", "object", "attribute"])
def test_another_sign_is_not_passed_over(which: str, way: str) -> None:
    """The original compares with what it returns: here that is refused, and never ignored."""
    cls = dropins(which).standard
    webhook = (type("Mine", (cls,), {"sign": _other_sign}) if way == "subclass" else cls)(SECRET)
    patch = mock.patch.object(cls if way == "class" else webhook, "sign", _other_sign)
    if way == "attribute":
        webhook.sign = _other_sign
    elif way != "subclass":
        patch.start()
    try:
        with at(0):
            for call in _calls(webhook):
                with pytest.raises(TypeError, match=r"^this Webhook has a sign of its own"):
                    call()
    finally:
        if way in ("class", "object"):
            patch.stop()
    with at(0):
        assert cls(SECRET).verify(BODY, headers(BODY)) == {"type": "invoice.paid"}


def test_another_hmac_data_is_not_passed_over(which: str) -> None:
    module: Any = modules(which)["standardwebhooks.webhooks"]
    webhook = module.Webhook(SECRET)
    with mock.patch.object(module, "hmac_data", return_value=b""), at(0):
        for call in _calls(webhook):
            with pytest.raises(TypeError, match=r"^this Webhook has a hmac_data of its own"):
                call()
        # As in the original, which asks another package's.
        modules(which)["svix.webhooks"].Webhook(SECRET).verify(BODY, headers(BODY))
    with at(0):
        webhook.verify(BODY, headers(BODY))


def test_svix_never_asked_its_own_sign(which: str) -> None:
    for side in (genuine(), dropins(which)):
        for cls in (side.svix, side.svix1):
            with at(0):
                type("Mine", (cls,), {"sign": _other_sign})(SECRET).verify(BODY, headers(BODY))


class _Absent:
    """An attribute whose lookup fails within."""

    def __get__(self, *_: object) -> object:
        raise AttributeError("policy")


def test_an_override_that_cannot_be_looked_up(which: str) -> None:
    for cls in (genuine().standard, dropins(which).standard):
        mine = type("Mine", (cls,), {"_Webhook__verify_timestamp": property(_Absent().__get__)})
        with at(0), pytest.raises(AttributeError, match="policy"):
            mine(SECRET).verify(BODY, headers(BODY))


def test_the_method_by_the_name_of_its_argument(which: str) -> None:
    for cls in (genuine().standard, dropins(which).standard):

        class Mine(cls):  # type: ignore[misc,valid-type]
            def _Webhook__verify_timestamp(self, timestamp_header: str) -> Any:
                method = super()._Webhook__verify_timestamp
                return method(timestamp_header=timestamp_header)

        with at(0):
            assert Mine(SECRET).verify(BODY, headers(BODY)) == {"type": "invoice.paid"}
    for wrong in ((), (NOW,), (None,)):
        with pytest.raises(TypeError, match=r"^timestamp_header must be a str, not"):
            dropins(which).standard(SECRET)._Webhook__verify_timestamp(*wrong)


def _said(side: Any, name: str, named: dict[str, Any], tolerance: Any, method: str) -> str:
    try:
        webhook = type("Mine", (getattr(side, name),), named)(SECRET, tolerance=tolerance)
        arguments: tuple[Any, ...] = ([],) if method == "verify_batch" else (BODY, headers(BODY))
        return str(getattr(webhook, method)(*arguments))
    except Exception as error:
        return repr(error)


@pytest.mark.parametrize("method", ["verify", "verify_batch"])
@pytest.mark.parametrize("tolerance", [None, 60])
@pytest.mark.parametrize("name", ["standard", "svix", "svix1"])
def test_core_and_twin_refuse_the_same(name: str, tolerance: Any, method: str) -> None:
    """Of each two overrides together."""
    judges: list[dict[str, Any]] = [{}]
    judges += [{"_Webhook__verify_timestamp": one} for one in (_lenient, _always, None, 5)]
    methods: list[dict[str, Any]] = [{}, {"sign": _other_sign}, {"verify_batch": _nothing}]
    methods += [{"verify": lambda *_: 1}]
    with at(0):
        for judge in judges:
            for other in methods:
                core, twin = (
                    _said(dropins(which), name, judge | other, tolerance, method)
                    for which in IMPLEMENTATIONS
                )
                assert core == twin, (judge, other)


def test_a_batch_asks_no_verify_of_its_own(which: str) -> None:
    for name in ("standard", "svix", "svix1"):
        cls = getattr(dropins(which), name)
        mine = type("Mine", (cls,), {"verify": _nothing})(SECRET)
        with pytest.raises(TypeError, match=r"a verify of its own, which a batch does not ask"):
            mine.verify_batch([])
        other = cls(SECRET)
        other.verify = _nothing
        with pytest.raises(TypeError, match=r"a verify of its own, which a batch does not ask"):
            other.verify_batch([])
        assert len(cls(SECRET).verify_batch([])) == 0


def test_a_batch_of_svix_asks_what_its_original_asks(which: str) -> None:
    named = {"sign": _other_sign, "_Webhook__verify_timestamp": _lenient}
    for name in ("svix", "svix1"):
        mine = type("Mine", (getattr(dropins(which), name),), named)(SECRET)
        with at(0):
            assert mine.verify_batch([(BODY, headers(BODY))])[0] == Verdict.VALID
        with at(301):
            assert mine.verify_batch([(BODY, headers(BODY))])[0] == Verdict.TOO_OLD


@pytest.mark.parametrize("name", ["standard", "svix", "svix1"])
def test_a_constructor_that_was_not_called(which: str, name: str) -> None:
    mine = type("Mine", (getattr(dropins(which), name),), {"__init__": lambda _: None})()
    calls: list[Callable[[], Any]] = [*_calls(mine), lambda: mine.sign("a", utc(NOW), "")]
    for call in calls:
        with pytest.raises(RuntimeError, match=r"^Webhook\.__init__ was not called$"):
            call()


@pytest.mark.parametrize("now", [True, "1", None, float("nan"), float("inf"), -1.0, 10**12])
def test_a_clock_that_says_nonsense(which: str, now: Any) -> None:
    for name in ("standard", "svix", "svix1"):
        webhook = getattr(dropins(which), name)(SECRET)
        with mock.patch("time.time", return_value=now), pytest.raises((TypeError, ValueError)):
            webhook.verify(BODY, headers(BODY))
