"""Read and write wheels. The same files make the same bytes."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip file can state
BINARIES = (".so", ".pyd", ".dylib", ".dll")


def read(wheel: Path) -> dict[str, bytes]:
    """Every file in a wheel, by its path."""
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}


def write(wheel: Path, files: dict[str, bytes]) -> None:
    """Write a wheel that holds these files; its RECORD is made anew.

    The folder of metadata comes last, as the format recommends, and RECORD at its end.
    """
    record = record_of(files)
    names = sorted(files.keys() - {record}, key=lambda name: (".dist-info/" in name, name))
    lines = [record_line(name, files[name]) for name in names]
    entries = {name: files[name] for name in names}
    entries[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    with ZipFile(wheel, "w", ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            entry = ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, whatever system writes it: it is in the bytes
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = (0o100755 if name.endswith(BINARIES) else 0o100644) << 16
            archive.writestr(entry, data)


def record_of(files: dict[str, bytes]) -> str:
    """The path of RECORD, which may not be there yet."""
    (wheel_file,) = (name for name in files if name.endswith(".dist-info/WHEEL"))
    return wheel_file.removesuffix("WHEEL") + "RECORD"


def record_line(name: str, data: bytes) -> str:
    """One line of RECORD: path, digest, size."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}"
