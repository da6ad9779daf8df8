"""What the tests of threat 39 of docs/threats.md share: errors, ways in, and what holds after each.

Whatever objects do, a call gives a verdict or raises: what the object raised, or the error that is
documented for what it is. A bug would be a RuntimeError, and a crash the end of the run; `make
sanitize` runs those tests where one byte too many is the end as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hookseal import Message, Verdict
from tests.implementations import BODY, NOW, SECRET, signed

V = Verdict
GOOD = (BODY, signed())


class Boom(Exception):
    """What a program would raise, and no handler here expects."""


class Abort(BaseException):
    """What ``except Exception`` lets through."""


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


def same(one: Any) -> Any:
    """The object itself: with ``partial``, a way to have the same one each time."""
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
