"""docs/threats.md: every threat has its tests, and every such test stands there."""

from __future__ import annotations

import re
from collections import defaultdict

from tests.vector_rows import ROOT
from tools import sanitize

PAGE = (ROOT / "docs/threats.md").read_text(encoding="utf-8")
# So many variants that they have files of their own, which `make sanitize` runs too.
WITH_FILES = {39: "tests/test_hostile_*.py"}


def rows() -> dict[int, str]:
    """The last cell of each row, by number."""
    found = re.findall(r"^\| (\d+) \|.*\|.*\| (.*) \|$", PAGE, re.MULTILINE)
    assert len(found) == len(dict(found))
    return {int(number): tests for number, tests in found}


def found_tests() -> dict[int, set[str]]:
    """What the tests of each threat are called, without the beginning."""
    found = defaultdict(set)
    files = [*ROOT.glob("tests/test_*.py"), *ROOT.glob("rust/harness/tests/*.rs")]
    for file in files:
        text = file.read_text(encoding="utf-8")
        for number, name in re.findall(
            r"^(?:def|fn) test_threat_(\d\d)_(\w+)\(", text, re.MULTILINE
        ):
            found[int(number)].add(name)
    return found


def test_the_catalogue_is_complete() -> None:
    assert list(rows()) == list(range(1, 55))


def test_each_row_names_its_tests() -> None:
    known = found_tests()
    for number, cell in rows().items():
        named = set(re.findall(r"`(\w+)`", cell))
        if number in WITH_FILES:
            files = {path.name for path in ROOT.glob(WITH_FILES[number])}
            assert set(re.findall(r"`(\w+\.py)`", cell)) == files
            assert {f"tests/{name}" for name in files} <= set(sanitize.HOSTILE)
            assert len(known[number]) > 15
        else:
            assert named == known[number], number
    assert set(known) <= set(rows())
