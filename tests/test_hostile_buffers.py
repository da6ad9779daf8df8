"""Threat 39 of docs/threats.md: buffers that change or go away during the call."""

from __future__ import annotations

import array
import gc
import mmap
import sys
from collections import UserDict
from functools import partial
from typing import Any

import pytest

from hookseal import Verdict
from tests.hostile import GOOD, Abort, Boom, survived
from tests.implementations import BODY, NOW, SECRET

V = Verdict


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
