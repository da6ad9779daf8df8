"""Each row of docs/compat.md, against the genuine package and against the drop-in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hookseal
import hookseal.pure
from tests.compat_rows import ANSWERED, REFUSED, VERIFY_ROWS, Row
from tests.compat_rows_functions import GITHUB_ROWS, UPLIFT_ROWS, ZOHO_ROWS
from tests.compat_rows_objects import ADDITIONS, CONSTRUCTOR_ROWS, SIGN_ROWS
from tests.mirrors import DOCUMENTED, IMPLEMENTATIONS, Call, Outcome, at, dropins, genuine, same

ROWS = [*VERIFY_ROWS, *CONSTRUCTOR_ROWS, *SIGN_ROWS, *GITHUB_ROWS, *UPLIFT_ROWS, *ZOHO_ROWS]
EXAMPLES = [
    pytest.param(row, example, id=f"{row.name}-{example.function}-{index}")
    for row in ROWS
    for index, example in enumerate(row.examples)
]


def may_differ(row: Row, call: Call, theirs: Outcome, ours: Outcome) -> bool:
    """Whether a difference is one that the row describes."""
    if call.function not in row.functions or not row.applies(call.arguments):
        return False
    if theirs.accepted:
        return row.kind == REFUSED and not ours.accepted
    if theirs.raised is None or isinstance(theirs.raised, DOCUMENTED):
        # Both refuse; the original for what it read, we for how it is written.
        return row.kind == REFUSED and not ours.accepted
    return row.kind == ANSWERED


def is_answer(call: Call, ours: Outcome) -> bool:
    """Whether it is one that docs/compat.md knows: a value, the original's, or the caller's."""
    if ours.raised is None:
        return True
    return isinstance(ours.raised, (*DOCUMENTED, TypeError, ValueError))


@pytest.mark.parametrize("which", IMPLEMENTATIONS)
@pytest.mark.parametrize(("row", "example"), EXAMPLES)
def test_row(which: str, row: Row, example: Call) -> None:
    with at(example.fraction):
        theirs, ours = example.made(genuine()), example.made(dropins(which))
    if row.kind == REFUSED:
        assert theirs.accepted, f"the original refuses it: {theirs}"
        assert not ours.accepted
    else:
        assert theirs.raised is not None, f"the original takes it: {theirs}"
        assert not isinstance(theirs.raised, DOCUMENTED)
        assert not same(theirs, ours)
    assert is_answer(example, ours), ours
    assert may_differ(row, example, theirs, ours)


@pytest.mark.parametrize("which", IMPLEMENTATIONS)
@pytest.mark.parametrize("addition", ADDITIONS)
def test_the_original_refuses_what_is_new(which: str, addition: Call) -> None:
    if which == "core" and isinstance(addition.arguments["whsecret"], hookseal.pure.Secret):
        own = hookseal.Secret(addition.arguments["whsecret"].reveal())
        addition = addition._replace(arguments={"whsecret": own})
    theirs, ours = addition.made(genuine()), addition.made(dropins(which))
    assert isinstance(theirs.raised, (RuntimeError, TypeError))
    assert ours == Outcome("Webhook")
    for side in (genuine().standard, genuine().svix, genuine().svix1):
        assert not hasattr(side, "verify_batch")


def test_the_page_has_these_rows_and_no_other() -> None:
    page = (Path(__file__).parent.parent / "docs" / "compat.md").read_text(encoding="utf-8")
    rows: dict[str, list[str]] = {REFUSED: [], ANSWERED: []}
    kind = None
    for line in page.splitlines():
        if line.startswith("| row |"):
            kind = REFUSED if "lets through" in line else ANSWERED
        elif not line.startswith("|"):
            kind = None
        elif kind and (found := re.match(r"\| `([a-z0-9-]+)` \|", line)):
            rows[kind].append(found[1])
    for name in (REFUSED, ANSWERED):
        assert rows[name] == [row.name for row in ROWS if row.kind == name], name


def test_names_are_unique() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert all(row.examples for row in ROWS)
