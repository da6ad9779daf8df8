"""Files that change as a whole: who reads one finds the old content or the new, never a piece."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from contextlib import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PATIENCE_SECONDS", "locked", "replace"]

# How long a writer waits for another one. A change takes milliseconds; one that takes longer
# hangs, and nobody is helped by waiting for it.
PATIENCE_SECONDS = 10.0
_AGAIN_AFTER_SECONDS = 0.01

# Of files beside the one that changes, which are its next content.
_SUFFIX = ".new"


def replace(path: str, data: bytes, *, mode: int | None = None) -> None:
    """Gives a file a new content, which is on the disk when this returns.

    The content goes into a file beside it, which then takes its place in one step. Whatever
    ends the process before, the old file is there untouched. A symbolic link stays one: what it
    names is replaced. The owner stays the same.

    Args:
        path: The file. It need not be there yet.
        data: All that it will hold.
        mode: Its permissions; None for those it has, or, if it is new, what the umask leaves.

    Raises:
        OSError: It cannot be written; then nothing has changed.
    """
    path = os.path.realpath(path)
    try:
        before = os.stat(path)
    except FileNotFoundError:
        before = None
    beside = os.path.join(_folder(path), f"{_stem(path)}{os.urandom(8).hex()}{_SUFFIX}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(beside, flags, 0o666 if mode is None and before is None else 0o600)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            _dress(descriptor, before, mode)
            os.fsync(descriptor)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(_folder(path))


@contextmanager
def locked(path: str, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Keeps every other writer of a file away, in this process and in others.

    The lock is on a file PATH.lock, which stays: to remove it would let two writers lock two
    files of one name. The lock itself goes with the process that holds it, however that ends; if
    that process has forked meanwhile and was killed, with the last of the two.

    Raises:
        OSError: The lock file cannot be made.
        TimeoutError: Somebody else had the lock all the time.
    """
    path = os.path.realpath(path)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(f"{path}.lock", flags, 0o666)
    try:
        end = time.monotonic() + patience_seconds
        while not _lock(descriptor):
            if time.monotonic() >= end:
                raise TimeoutError(errno.ETIMEDOUT, "another process is changing it", path)
            time.sleep(_AGAIN_AFTER_SECONDS)
        holder = os.getpid()
        try:
            _tidy(path)
            yield
        finally:
            # Closed here it may still be open in a process that another thread forked. But one
            # that was forked in here itself does not hold it.
            if os.getpid() == holder:
                _unlock(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":

    def _lock(descriptor: int) -> bool:
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _lock(descriptor: int) -> bool:
        import fcntl

        try:
            # Of the open file, not of the process: it keeps this process's threads apart too.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _folder(path: str) -> str:
    return os.path.dirname(path)


def _stem(path: str) -> str:
    return f".{os.path.basename(path)}."


def _dress(descriptor: int, before: os.stat_result | None, mode: int | None) -> None:
    """Gives the new file the owner and the mode that it is to have."""
    if before is not None and hasattr(os, "fchown"):
        now = os.fstat(descriptor)
        if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
            os.fchown(descriptor, before.st_uid, before.st_gid)
    if mode is None and before is not None:
        mode = stat.S_IMODE(before.st_mode)
    if mode is not None and hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)


def _sync_folder(folder: str) -> None:
    """Puts the new name on the disk; where folders cannot be opened, the system does so itself."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _tidy(path: str) -> None:
    """Removes what writers that were killed have left. Only for who holds the lock."""
    stem = _stem(path)
    with os.scandir(_folder(path)) as entries:
        left = [entry for entry in entries if _is_left(entry.name, stem)]
    for entry in left:
        with suppress(OSError):
            os.unlink(entry.path)


def _is_left(name: str, stem: str) -> bool:
    digits = name[len(stem) : -len(_SUFFIX)]
    is_ours = name.startswith(stem) and name.endswith(_SUFFIX) and len(digits) == 16
    return is_ours and not digits.strip("0123456789abcdef")
