"""The Python sources below the paths of a call."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from hookseal._cli._exit import Fault, io_fault
from hookseal._cli._migrate._source import Unreadable
from hookseal._cli._say import named
from hookseal._secret_file import content

__all__ = ["files", "read"]

# The longest source of Python's own library has a fiftieth of it.
MAX_SOURCE_BYTES = 16 * 1024 * 1024

# Folders of code that is not the user's own, and what marks a virtual environment.
_FOREIGN = frozenset({"__pycache__", "node_modules", "site-packages", "__pypackages__"})
_MARKS = ("pyvenv.cfg", "conda-meta")


def files(paths: list[str], unreadable: list[tuple[str, str]]) -> Iterator[str]:
    """The files that are named, and those below the folders that are; each once.

    Folders are searched for ``*.py``, in order of name. What begins with a dot is skipped, and
    so are virtual environments and installed packages. Symbolic links below a folder are not
    followed: they lead out of it, or back.

    Args:
        paths: Files and folders.
        unreadable: Receives folders that cannot be read, and why.

    Raises:
        Fault: A path is not there.
    """
    for path in paths:
        try:
            os.stat(path)
        except OSError as error:
            raise io_fault(f"cannot read {named(path)}", error, 2) from None
        except ValueError:  # a NUL in the name
            raise Fault(f"cannot read {named(path)}: no file has such a name") from None
    seen: set[tuple[int, int]] = set()
    for path in paths:
        found = _below(path, unreadable) if os.path.isdir(path) else iter([path])
        for file in found:
            try:
                status = os.stat(file)
            except OSError as error:
                unreadable.append((file, error.strerror or type(error).__name__))
                continue
            key = status.st_dev, status.st_ino
            # Where there are no such numbers, all have the same.
            if key not in seen or not status.st_ino:
                seen.add(key)
                yield file


def read(path: str) -> bytes:
    """The bytes of a source.

    Raises:
        Unreadable: There is none that can be read.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Unreadable("it is no file")
        data, _ = content(path, MAX_SOURCE_BYTES)
    except OSError as error:
        raise Unreadable(error.strerror or type(error).__name__) from None
    except ValueError:
        raise Unreadable(f"it has more than {MAX_SOURCE_BYTES} bytes") from None
    return data


def _below(folder: str, unreadable: list[tuple[str, str]]) -> Iterator[str]:
    def failed(error: OSError) -> None:
        unreadable.append((error.filename, error.strerror or type(error).__name__))

    for here, folders, names in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if _is_own(here, name))
        for name in sorted(names):
            path = os.path.join(here, name)
            if name.endswith(".py") and not name.startswith(".") and not os.path.islink(path):
                yield path


def _is_own(here: str, name: str) -> bool:
    if name.startswith(".") or name in _FOREIGN:
        return False
    return not any(os.path.exists(os.path.join(here, name, mark)) for mark in _MARKS)
