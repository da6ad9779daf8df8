"""Let the tools of the field judge what is to be published.

    python -m tools.judge dist

Needs the dependency group "package". All files: twine, strictly. All wheels: check-wheel-contents.
Those for glibc: auditwheel, which must find that the oldest system they run on is the one in
their name. Those of the stable ABI: abi3audit, strictly. The exit status is 1 if one objects.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# How a module says that it is one since CPython 3.15 (PEP 793). abi3audit does not know it yet.
ABI3T_ENTRY: Final = "PyModExport__core"


def run(tool: str, *arguments: str | Path) -> tuple[bool, str]:
    """Whether a tool of this environment agrees, and what it says."""
    command = [Path(sys.executable).parent / tool, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0, f"{tool}: {done.stdout}{done.stderr}".strip()


def oldest_system(wheel: Path) -> Iterator[str]:
    """What is wrong with the tag of a wheel for glibc."""
    agrees, text = run("auditwheel", "show", wheel)
    found = re.search(r'consistent\s+with\s+the\s+following\s+platform\s+tag:\s+"(\w+)"', text)
    if not agrees or not found or not wheel.stem.endswith(found[1]):
        yield text


def stable_abi(wheel: Path) -> Iterator[str]:
    """What is wrong with a wheel that promises to fit later Pythons too."""
    agrees, text = run("abi3audit", "--strict", "--report", wheel)
    if not agrees and "abi3t" in wheel.name:
        report = json.loads(text.partition(": ")[2].splitlines()[0])
        (spec,) = report["specs"].values()
        agrees = bool(spec["wheel"]) and all(
            found["result"]["non_abi3_symbols"] == [ABI3T_ENTRY]
            and found["result"]["is_abi3_baseline_compatible"]
            for found in spec["wheel"]
        )
    if not agrees:
        yield text


def problems(folder: Path) -> Iterator[str]:
    """What the tools object to."""
    files = sorted(folder.iterdir())
    agrees, text = run("twine", "check", "--strict", *files)
    if not agrees:
        yield text
    for wheel in files:
        if wheel.suffix != ".whl":
            continue
        agrees, text = run("check-wheel-contents", wheel)
        if not agrees:
            yield text
        if "-manylinux" in wheel.name:
            yield from oldest_system(wheel)
        if "abi3" in wheel.name:
            yield from stable_abi(wheel)


def main(folder: Path) -> int:
    """Returns the exit status."""
    found = list(problems(folder))
    print("\n".join(found) or f"{folder}: nobody objects")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
