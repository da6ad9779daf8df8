"""CONTRIBUTING.md: its example is followed, step by step, in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hookseal._core
from tests.profiles import IS_FULL

ROOT = Path(__file__).resolve().parent.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# The tests that a provider concerns; `make test` runs all.
CONCERNED = (
    "tests/test_vectors_published.py",
    "tests/test_surface.py",
    "tests/test_readme.py::test_the_table_of_schemes_is_complete",
    "tests/test_vectors_verdicts.py::test_schemes_json_is_not_stale",
    "tests/test_fuzzed.py::test_the_record_of_the_twin_is_fresh",
)

# A file, the lines that are there, and what they become.
Step = tuple[str, str, str]


def steps() -> list[Step]:
    """The diffs of the page, in order."""
    found = []
    for name, lines in re.findall(r"^```diff\n--- (\S+)\n(.*?)^```$", CONTRIBUTING, re.S | re.M):
        marked = lines.splitlines(keepends=True)
        assert {line[0] for line in marked} == {" ", "+"}
        before = "".join(line[1:] for line in marked if line[0] == " ")
        found.append((name, before, "".join(line[1:] for line in marked)))
    return found


STEPS = steps()


def copy_tree(folder: Path) -> None:
    """What the tests read, with the compiled module that is in use."""
    for part in ("python", "tests", "examples", "docs", "rust/fuzz"):
        ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "queue.jsonl")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "Cargo.toml"):
        shutil.copy(ROOT / name, folder / name)
    assert hookseal._core.__file__ is not None
    shutil.copy(hookseal._core.__file__, folder / "python/hookseal")


def follow(folder: Path, taken: list[Step]) -> None:
    """Take these steps."""
    for name, before, after in taken:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{name} has {text.count(before)} times: {before}"
        path.write_text(text.replace(before, after), encoding="utf-8")


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the page in the copy."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "python"), "HOOKSEAL_TEST_PROFILE": "quick"},
        capture_output=True,
        text=True,
        check=False,
    )


def judged(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests that a provider concerns."""
    return run(folder, "-m", "pytest", "-q", "-x", *CONCERNED)


def write_schemes(folder: Path) -> None:
    """The command of the last step."""
    assert "-m tests.vectors.make_schemes\n" in CONTRIBUTING
    done = run(folder, "-m", "tests.vectors.make_schemes")
    assert done.returncode == 0, done.stderr


def test_the_example_adds_a_provider(tmp_path: Path) -> None:
    copy_tree(tmp_path)
    follow(tmp_path, STEPS)
    write_schemes(tmp_path)
    done = judged(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acme-pay" in (tmp_path / "tests/vectors/schemes.json").read_text()
    script = "import hookseal; print(hookseal.__file__, hookseal.schemes.ACME_PAY.covers)"
    said = run(tmp_path, "-c", script).stdout
    assert said.startswith(str(tmp_path))
    assert "timestamp" in said
    changed = {name for name, _, _ in STEPS if name.endswith(".py")}
    for tool in ("check", "format --check"):
        linted = run(tmp_path, "-m", "ruff", *tool.split(), "--no-cache", *changed)
        assert linted.returncode == 0, linted.stdout


@pytest.mark.skipif(not IS_FULL, reason="takes a minute: make test-full")
@pytest.mark.parametrize("left_out", range(len(STEPS) + 1))
def test_a_step_that_is_left_out_is_missed(left_out: int, tmp_path: Path) -> None:
    copy_tree(tmp_path)
    follow(tmp_path, STEPS[:left_out] + STEPS[left_out + 1 :])
    if left_out < len(STEPS):
        write_schemes(tmp_path)
    done = judged(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
