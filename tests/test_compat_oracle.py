"""The genuine packages as oracle: 5,000 calls of every function, drawn at random.

Each disagreement falls under a row of docs/compat.md. How many there were is printed.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from tests.compat_calls import CALLS
from tests.compat_choices import Choice
from tests.mirrors import DOCUMENTED, IMPLEMENTATIONS, Call, Outcome, at, dropins, genuine, same
from tests.test_compat_rows import ROWS, is_answer, may_differ

COUNT = 5_000
# The rows that any call fell under.
MET: set[str] = set()


@cache
def asked(function: str) -> list[tuple[Call, Outcome]]:
    """The calls, each with what the original says."""
    choice = Choice(function)
    calls = [CALLS[function](choice) for _ in range(COUNT)]
    # Calls of one instant together: to set the clock takes longer than to verify.
    calls.sort(key=lambda call: call.fraction)
    found = []
    for fraction in sorted({call.fraction for call in calls}):
        with at(fraction):
            found += [(call, call.made(genuine())) for call in calls if call.fraction == fraction]
    return found


@pytest.mark.parametrize("function", CALLS)
def test_the_core_and_the_twin_say_the_same(function: str) -> None:
    core, twin = dropins("core"), dropins("twin")
    for fraction in sorted({call.fraction for call, _ in asked(function)}):
        with at(fraction):
            for call, _ in asked(function):
                if call.fraction == fraction:
                    ours, other = call.made(core), call.made(twin)
                    assert same(ours, other), (call, str(ours), str(other))
                    assert type(ours.raised) is type(other.raised), (call, str(ours), str(other))


@pytest.mark.parametrize("which", IMPLEMENTATIONS)
@pytest.mark.parametrize("function", CALLS)
def test_every_disagreement_is_a_row(
    which: str, function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    side = dropins(which)
    counted: Counter[str] = Counter()
    accepted = 0
    for fraction in sorted({call.fraction for call, _ in asked(function)}):
        with at(fraction):
            for call, theirs in asked(function):
                if call.fraction != fraction:
                    continue
                ours = call.made(side)
                accepted += theirs.accepted
                # What the original refuses with an exception of its own, no drop-in takes.
                refused = theirs.returned is False or isinstance(theirs.raised, DOCUMENTED)
                assert not (refused and ours.accepted), (call, str(theirs), str(ours))
                if same(theirs, ours):
                    continue
                assert is_answer(call, ours), (call, str(theirs), str(ours))
                rows = [row.name for row in ROWS if may_differ(row, call, theirs, ours)]
                assert rows, (call, str(theirs), str(ours))
                counted.update(rows[:1])
                MET.update(rows)
    # Else the damages would test the rows, and not the originals.
    assert accepted > COUNT // 10
    assert counted.total() < COUNT * 6 // 10
    if which == "core":
        shown = ", ".join(f"{name} {count}" for name, count in counted.most_common())
        with capsys.disabled():
            print(f"\n{function}: {counted.total()} of {COUNT} calls differ: {shown or 'none'}")


def test_every_row_is_met() -> None:
    """A row that no call falls under is one that the calls do not ask about."""
    assert {row.name for row in ROWS} == MET
