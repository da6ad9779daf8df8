"""Make the py3-none-any wheel: the Python files of a built wheel, without the binary.

    python tools/pure_wheel.py target/wheels

It is what runs where no wheel fits the platform: `hookseal.pure` works, and the names that need
the binary say so. _core.pyi stays, because the types are the same. The same input makes the
same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip file can state
BINARIES = (".so", ".pyd", ".dylib", ".dll")


def belongs(name: str) -> bool:
    """Whether a file of the built wheel goes into the pure one."""
    # The bills of materials list the crates inside the binary; RECORD is written anew.
    return not (name.endswith((*BINARIES, "/RECORD", "/")) or ".libs/" in name or "/sboms/" in name)


def wheel_file(text: str) -> str:
    """The WHEEL file for a wheel that fits everywhere."""
    kept = [
        line
        for line in text.splitlines()
        if line and not line.startswith(("Root-Is-Purelib:", "Tag:"))
    ]
    return "\n".join([*kept, "Root-Is-Purelib: true", "Tag: py3-none-any", ""])


def record_line(name: str, data: bytes) -> str:
    """One line of RECORD: path, digest, size."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}"


def make(built: Path) -> Path:
    """Write the pure wheel beside the built one; returns its path."""
    name, version = built.name.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    with ZipFile(built) as source:
        files = {n: source.read(n) for n in sorted(source.namelist()) if belongs(n)}
    files[f"{info}/WHEEL"] = wheel_file(files[f"{info}/WHEEL"].decode()).encode()
    lines = [record_line(path, data) for path, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
    pure = built.with_name(f"{name}-{version}-py3-none-any.whl")
    with ZipFile(pure, "w", ZIP_DEFLATED) as target:
        for path, data in files.items():
            entry = ZipInfo(path, EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            target.writestr(entry, data)
    return pure


if __name__ == "__main__":
    (built_wheel,) = Path(sys.argv[1]).glob("hookseal-*-abi3-*.whl")
    print(make(built_wheel))
