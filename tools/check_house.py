"""Rules of the house that no other tool knows.

- `unsafe` stands in rust/lanes and rust/harness alone; all other crates forbid it.
- The count of kernels' hits is turned on by rust/harness alone: no build that is used has it.
- No source file under rust/ or python/ is longer than 450 lines: split it by concept.
- No file names a path of one machine, or the host of a package registry.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 450
MAY_BE_UNSAFE = ("rust/lanes/", "rust/harness/")
FORBID_UNSAFE = (
    "rust/engine/src/lib.rs",
    "rust/fuzz/src/lib.rs",
    "rust/lines/src/lib.rs",
    "rust/replay/src/lib.rs",
    "rust/binding/src/lib.rs",
    "rust/binding/examples/floor.rs",
)

SOURCE = re.compile(r"(?:rust|python)/.*\.(?:rs|py|pyi)$")
FORBIDS = re.compile(r"^#!\[forbid\(\s*unsafe_code\b", re.MULTILINE)
COMMENT_OR_TEXT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])'|"(?:\\.|[^"\\])*\"""", re.DOTALL
)
HITS = re.compile(r"""(?:features|--features|-F)\b.*\bhits\b""")
MAY_COUNT_HITS = "rust/harness/"
UNSAFE = re.compile(r"\bunsafe\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|home|Users|work|workspace|opt)/\w")
REGISTRY = re.compile(r"\b(?:pypi|pythonhosted)\.org\b|\bcrates\.io\b|\bdeb\.debian\.")
# Cargo names its default registry in a lock file, and nowhere else is that needed.
MAY_NAME_REGISTRY = {"Cargo.lock", "rust/fuzz/libfuzzer/Cargo.lock"}


def files() -> dict[str, str]:
    """The text files that are tracked, or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    found = {}
    for name in sorted(set(output.decode().split("\0")) - {""}):
        path = ROOT / name
        if path.is_file():
            data = path.read_bytes()
            if b"\0" not in data:
                found[name] = data.decode(errors="replace")
    return found


def problems(found: dict[str, str]) -> Iterator[str]:
    """One sentence for each broken rule."""
    for name in FORBID_UNSAFE:
        if not FORBIDS.search(found.get(name, "")):
            yield f"{name}: lacks #![forbid(unsafe_code)]"
    for name, text in found.items():
        lines = text.splitlines()
        if SOURCE.match(name) and len(lines) > MAX_LINES:
            yield f"{name}: {len(lines)} lines, more than {MAX_LINES}"
        fenced = name.endswith(".rs") and not name.startswith(MAY_BE_UNSAFE)
        if fenced and UNSAFE.search(COMMENT_OR_TEXT.sub("", text)):
            yield f"{name}: unsafe outside {' and '.join(MAY_BE_UNSAFE)}"
        for number, line in enumerate(lines, 1):
            if HITS.search(line) and not name.startswith(MAY_COUNT_HITS):
                yield f"{name}:{number}: counts hits outside {MAY_COUNT_HITS}"
            if MACHINE_PATH.search(line):
                yield f"{name}:{number}: a path of one machine"
            if name not in MAY_NAME_REGISTRY and REGISTRY.search(line):
                yield f"{name}:{number}: the host of a package registry"


def main() -> int:
    """Returns the exit status."""
    found = list(problems(files()))
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
