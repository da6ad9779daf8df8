"""Make the py3-none-any wheel: the Python files of a built wheel, without the binary.

    python -m tools.pure_wheel target/wheels

It is what runs where no wheel fits the platform: `hookseal.pure` works, and the names that need
the binary say so. _core.pyi stays, because the types are the same. The same input makes the
same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools import wheel_file


def belongs(name: str) -> bool:
    """Whether a file of the built wheel goes into the pure one."""
    # The bills of materials list the crates inside the binary.
    return not (name.endswith(wheel_file.BINARIES) or ".libs/" in name or "/sboms/" in name)


def any_platform(text: str) -> str:
    """The WHEEL file for a wheel that fits everywhere."""
    kept = [
        line
        for line in text.splitlines()
        if line and not line.startswith(("Root-Is-Purelib:", "Tag:"))
    ]
    return "\n".join([*kept, "Root-Is-Purelib: true", "Tag: py3-none-any", ""])


def make(built: Path) -> Path:
    """Write the pure wheel beside the built one; returns its path."""
    name, version = built.name.split("-")[:2]
    files = {path: data for path, data in wheel_file.read(built).items() if belongs(path)}
    tags = f"{name}-{version}.dist-info/WHEEL"
    files[tags] = any_platform(files[tags].decode()).encode()
    pure = built.with_name(f"{name}-{version}-py3-none-any.whl")
    wheel_file.write(pure, files)
    return pure


if __name__ == "__main__":
    (built_wheel,) = Path(sys.argv[1]).glob("hookseal-*-abi3-*.whl")
    print(make(built_wheel))
