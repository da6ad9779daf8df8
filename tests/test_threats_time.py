"""Threats 28 to 34 of docs/threats.md: time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from hookseal import Endpoint, Message, Scheme, SchemeError, TooNewError, Verdict
from tests import oracle
from tests.conftest import Clock
from tests.implementations import BODY, KEY, NOW, SECRET, signed
from tests.judges import Judge, changed, only

V = Verdict


def stamped(text: str) -> Any:
    """A message whose time is written so, and signed so."""
    signature = oracle.v1(KEY, b"msg_1", text.strip(" \t").encode("utf-8", "replace"), BODY)
    return changed(webhook_timestamp=text, webhook_signature=signature)


BAD_TIMES = [
    ".9",
    "1.",
    f"{NOW}.0",
    f"{NOW}.5",
    "1_700_000_000",
    "1,700,000,000",
    "1.7e9",
    "17e8",
    "17E8",
    "+1700000000",
    "-1700000000",
    "--1",
    "0x6553f100",
    "0o14524770400",
    "0b1",
    "1700000000L",
    "1700000000s",
    "17000 00000",
    "1700000000 1700000000",
    "1700000000\n",
    "1700000000\r",
    "\v1700000000",
    "1700000000\x00",
    "\x001700000000",
    "1700000000\u00a0",
    "\ufeff1700000000",
    "\u20281700000000",
    "١٧٠٠٠٠٠٠٠٠",
    "１７００００００００",
    "𝟏𝟕𝟎𝟎𝟎𝟎𝟎𝟎𝟎𝟎",
    "²",
    "½",
    "Ⅳ",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "Infinity",
    "None",
    "null",
    "true",
    "now",
    "2023-11-14T22:13:20Z",
    "Tue, 14 Nov 2023 22:13:20 GMT",
    "1" * 16,
    "0" * 16,
    "1" * 4_301,
    "1" * 10_000,
    "é",
    '"1700000000"',
    "[1700000000]",
    "t=1700000000",
    "1700000000;",
]


def test_threat_28_a_lenient_timestamp(judge: Judge) -> None:
    assert len(BAD_TIMES) > 40
    verdicts = judge([stamped(text) for text in BAD_TIMES])
    assert only(verdicts) == {V.MALFORMED_TIMESTAMP}
    # Judged before its age is, and where its age is not.
    verdicts = judge([stamped(text) for text in BAD_TIMES], tolerance="off")
    assert only(verdicts) == {V.MALFORMED_TIMESTAMP}
    good = [str(NOW), f"0{NOW}", f"00000{NOW}", f" {NOW}\t"]
    assert only(judge([stamped(text) for text in good])) == {V.VALID}


WRONG_TOLERANCES: list[Any] = [
    -1,
    (-1, 0),
    (0, -1),
    2_678_401,
    (300, 2_678_401),
    10**30,
    float("nan"),
    float("inf"),
    -float("inf"),
    300.0,
    True,
    False,
    "",
    "0",
    "none",
    "OFF",
    b"off",
    (),
    (300,),
    (1, 2, 3),
    (None, 300),
    (True, 300),
    ("off", 300),
    [300, 300],
    {},
    object(),
]


@pytest.mark.parametrize("tolerance", WRONG_TOLERANCES, ids=repr)
def test_threat_29_a_tolerance_that_turns_the_check_off(hooks: Any, tolerance: Any) -> None:
    """In others `0`, `None` and NaN did."""
    with pytest.raises((TypeError, ValueError)):
        hooks.Verifier(SECRET, tolerance=tolerance)
    with pytest.raises((TypeError, ValueError)):
        Endpoint(SECRET, tolerance=tolerance)


def test_threat_29_none_is_the_schemes_window(hooks: Any) -> None:
    for verifier in (hooks.Verifier(SECRET), hooks.Verifier(SECRET, tolerance=None)):
        assert verifier.check(BODY, signed(), now=NOW + 300)
        assert verifier.check(BODY, signed(), now=NOW + 301) is V.TOO_OLD
        assert verifier.check(BODY, signed(), now=NOW - 301) is V.TOO_NEW
    nothing = hooks.Verifier(SECRET, tolerance=0)
    assert nothing.check(BODY, signed(), now=NOW)
    assert nothing.check(BODY, signed(), now=NOW + 1) is V.TOO_OLD
    assert nothing.check(BODY, signed(), now=NOW - 1) is V.TOO_NEW
    off = hooks.Verifier(SECRET, tolerance="off")
    assert "tolerance='off'" in repr(off)
    assert off.verify(BODY, signed(), now=0).fresh is False
    with pytest.raises(SchemeError):
        hooks.Verifier("k" * 20, scheme="github", tolerance=300)


@pytest.mark.parametrize(
    ("tolerance", "past", "future"),
    [(None, 300, 300), (0, 0, 0), (7, 7, 7), ((3600, 60), 3600, 60)],
)
def test_threat_30_a_check_of_one_side(
    judge: Judge, tolerance: Any, past: int, future: int
) -> None:
    """A time one year ahead was fresh for a year."""
    seconds = {
        NOW - past: V.VALID,
        NOW - past - 1: V.TOO_OLD,
        NOW + future: V.VALID,
        NOW + future + 1: V.TOO_NEW,
        NOW + 365 * 86_400: V.TOO_NEW,
        NOW - 365 * 86_400: V.TOO_OLD,
        0: V.TOO_OLD,
        10**15 - 1: V.TOO_NEW,
    }
    messages = [stamped(str(second)) for second in seconds]
    assert judge(messages, tolerance=tolerance) == list(seconds.values())


def test_threat_31_twice_the_window(judge: Judge) -> None:
    """A message is good from `past` before its time to `future` behind it, and not a second more.

    That it is accepted at most once meanwhile is for a replay guard to see to.
    """
    message = changed()
    for now in [*range(NOW - 400, NOW + 401, 50), *range(NOW - 303, NOW - 297), NOW + 301]:
        expected = V.TOO_NEW if now < NOW - 300 else V.TOO_OLD if now > NOW + 300 else V.VALID
        assert judge([message], now=now) == [expected]
    assert judge([message], tolerance=(300, 0), now=NOW - 1) == [V.TOO_NEW]
    assert judge([message], tolerance=(0, 300), now=NOW + 1) == [V.TOO_OLD]


def test_threat_32_milliseconds_for_seconds(hooks: Any, judge: Judge) -> None:
    """Thirteen digits are a time far ahead, and the text says what they look like."""
    assert judge([stamped(f"{NOW}000"), stamped(f"{NOW}999")]) == [V.TOO_NEW, V.TOO_NEW]
    with pytest.raises(TooNewError, match="milliseconds"):
        hooks.Verifier(SECRET).verify(*stamped(f"{NOW}000"), now=NOW)
    for named in ({"now": NOW * 1000}, {"received_at": NOW * 1000}):
        with pytest.raises(ValueError, match="milliseconds"):
            hooks.Verifier(SECRET).check(BODY, signed(), **named)
    # And the reverse: seconds where a scheme counts milliseconds are a time in 1970.
    scheme = Scheme("ms", signature="s", signed="{timestamp}.{body}", timestamp="t", unit="ms")
    verifier = hooks.Verifier("k" * 20, scheme=scheme)
    for text, verdict in ((f"{NOW}000", V.VALID), (f"{NOW}999", V.VALID), (str(NOW), V.TOO_OLD)):
        mac = oracle.mac(b"k" * 20, text.encode(), b".", BODY)
        assert verifier.check(BODY, {"s": oracle.b64(mac), "t": text}, now=NOW) is verdict


EDGES = [2**n + d for n in (15, 16, 31, 32, 40, 49) for d in (-1, 0, 1)]
BEYOND = [10**15, 2**53, 2**63 - 1, 2**63, 2**64, 2**64 + NOW, 10**4_300, 10**9_999]


def test_threat_33_integers_that_overflow(judge: Judge) -> None:
    sys.set_int_max_str_digits(0)
    try:
        texts = [str(number) for number in BEYOND]
    finally:
        sys.set_int_max_str_digits(4_300)
    assert only(judge([stamped(text) for text in texts])) == {V.MALFORMED_TIMESTAMP}
    verdicts = judge([stamped(str(number)) for number in EDGES])
    assert verdicts == [V.TOO_OLD if number < NOW else V.TOO_NEW for number in EDGES]
    # At the ends of what can be stated.
    assert judge([stamped("0")], now=0) == [V.VALID]
    assert judge([stamped(str(10**11))], now=10**11) == [V.VALID]
    assert judge([stamped("9" * 15)], now=10**11, tolerance=2_678_400) == [V.TOO_NEW]
    assert judge([stamped("0")], now=10**11, tolerance=2_678_400) == [V.TOO_OLD]


@pytest.mark.parametrize("instant", [2**63, -(2**63), 10**400, -1, 10**11 + 1, 1e300])
def test_threat_33_instants_that_overflow(hooks: Any, instant: Any) -> None:
    verifier = hooks.Verifier(SECRET)
    for named in ({"now": instant}, {"received_at": instant}):
        with pytest.raises(ValueError, match="must be Unix seconds"):
            verifier.check(BODY, signed(), **named)
        with pytest.raises(ValueError, match="must be Unix seconds"):
            verifier.verify_batch([(BODY, signed())], **named)


def test_threat_34_the_clock_read_before_the_body_is_there(hooks: Any, clock: Clock) -> None:
    """Who sends slowly gained the time that it took."""
    verifier = hooks.Verifier(SECRET)

    def arriving() -> Iterator[Message]:
        yield Message(BODY, signed())
        clock.now = NOW + 301

    assert list(verifier.verify_batch(arriving())) == [V.TOO_OLD]
    clock.now = NOW

    class Slow(dict[str, str]):
        def items(self) -> Any:
            clock.now = NOW + 301
            return super().items()

    assert verifier.check(BODY, Slow(signed())) is V.TOO_OLD
    clock.now = NOW
    assert verifier.check(BODY, signed()) is V.VALID
    # What arrived is judged as of its arrival, which our side wrote down.
    clock.now = NOW + 86_400
    late = Message(BODY, signed(), received_at=NOW + 1)
    assert list(verifier.verify_batch([late, (BODY, signed())])) == [V.VALID, V.TOO_OLD]
