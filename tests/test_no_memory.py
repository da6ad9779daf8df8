"""Memory fails at one allocation after the other: a call raises `MemoryError`, or does its work.

CPython's own tests have a switch for that. PyO3 panics where an object that it makes is not there,
and where it makes one behind a call, an exception as well, that ends the process.
"""

from __future__ import annotations

import sys

import pytest

from tests.children import run

pytest.importorskip("hookseal._core")
pytest.importorskip("_testcapi", reason="this CPython was installed without its own tests")
if sys.platform == "win32":
    pytest.skip("fork is POSIX", allow_module_level=True)

from tests.starving import CALLS  # makes what needs the core


@pytest.mark.parametrize("name", CALLS)
def test_where_memory_fails_a_call_says_so(name: str) -> None:
    said = run(f"from tests.starving import starve; starve({name!r})").splitlines()
    assert len(said) == 2, said
    alone, with_the_rest = map(int, said)
    assert alone > 0
    assert with_the_rest > 0
