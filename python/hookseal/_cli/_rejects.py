"""Where refused lines go: --rejects as they came, --reasons as one JSON object each."""

from __future__ import annotations

import os
import select
import stat
import sys
from contextlib import ExitStack, suppress
from io import FileIO

from hookseal._cli._exit import USAGE, Fault, io_fault
from hookseal._cli._say import named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookseal._cli._keys import Named
    from hookseal._cli._sources import Source

__all__ = ["Output", "outputs"]


class Output:
    """A file that receives lines. Nothing is kept back: what was put is with the system.

    An overlong line comes in pieces, and the run may end between two of them. A regular file
    is then cut back to the end of the last line that is whole.
    """

    def __init__(self, name: str, stream: FileIO) -> None:
        self._name = name
        self._stream = stream
        self._is_file = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
        # How much was written, and how much of that belongs to lines that have ended.
        self._written = 0
        self._whole = 0
        self._owes_newline = False

    def empty(self) -> None:
        """Takes away what is there."""
        if self._is_file:
            self._stream.truncate(0)

    def end_file(self) -> None:
        """Says that what comes now is of another input, and begins a line of its own."""
        self._owes_newline |= self._written > self._whole
        self._whole = self._written

    def put(self, lines: bytes) -> None:
        """Writes lines, or a piece of one.

        Raises:
            Fault: The disk is full, or the like. A regular file then ends with the last
                line that was written whole.
        """
        if not lines:
            return
        if self._owes_newline:
            # The last line of the input before had no newline.
            self._write(b"\n")
            self._owes_newline = False
        self._write(lines)

    def cut(self) -> None:
        """Takes away the beginning of a line that did not end, from a regular file."""
        if self._is_file and self._written > self._whole:
            try:
                self._stream.truncate(self._whole)
            except OSError:
                return  # The line stays torn; the first error says what is wrong.
            self._written = self._whole

    def close(self) -> None:
        """Closes the file, which ends with a whole line.

        Raises:
            Fault: The system only now says that it could not write, as network disks do.
        """
        self.cut()
        try:
            self._stream.close()
        except OSError as error:
            raise io_fault(f"cannot write to {named(self._name)}", error) from None

    def _write(self, data: bytes) -> None:
        begin, left = self._written, memoryview(data)
        try:
            while left:
                # None: a pipe that somebody has made one that does not wait.
                count = self._stream.write(left)
                if count is None:
                    select.select([], [self._stream], [])
                    continue
                self._written += count
                left = left[count:]
        except OSError as error:
            raise io_fault(f"cannot write to {named(self._name)}", error) from None
        finally:
            if end := data.rfind(b"\n", 0, self._written - begin) + 1:
                self._whole = begin + end


def outputs(
    names: Sequence[str | None], inputs: Sequence[Source], files: Sequence[Named]
) -> list[Output | None]:
    """Opens the files that were asked for, emptied.

    Args:
        names: The files; None for one that was not asked for.
        inputs: The files of messages.
        files: What else the run has read: a keyring, secrets.

    Raises:
        Fault: One cannot be written, or is stdout, something that is read, or the other
            one. Then no file has changed, and none is new.
    """
    taken = [(one.status, f"the input {named(one.name)}") for one in inputs]
    taken += _standard_output()
    for file, what in files:
        with suppress(OSError):  # It has gone since: nobody can lose it.
            taken.append((os.stat(file), what))
    with ExitStack() as opened:
        found: list[Output | None] = []
        for name in names:
            if name is None:
                found.append(None)
                continue
            stream = _opened(name, opened)
            status = os.fstat(stream.fileno())
            for other, what in taken:
                if _is_same(status, other):
                    raise Fault(f"{named(name)} is also {what}: nothing was written")
            taken.append((status, f"the output {named(name)}"))
            found.append(Output(name, stream))
        opened.pop_all()
    # When all of them are known to be right.
    for output in found:
        if output is not None:
            output.empty()
    return found


def _opened(name: str, undone: ExitStack) -> FileIO:
    if name == "-":
        raise Fault("--rejects and --reasons need the name of a file: - is none")
    # Without O_TRUNC: what is there stays until all is known to be right.
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        try:
            descriptor = os.open(name, flags | os.O_EXCL, 0o666)
            undone.callback(_remove, name)
        except FileExistsError:
            descriptor = os.open(name, flags, 0o666)
        return undone.enter_context(FileIO(descriptor, "w"))
    except OSError as error:
        raise io_fault(f"cannot write to {named(name)}", error, USAGE) from None
    except ValueError:  # a NUL in the name
        raise Fault(f"cannot write to {named(name)}: no file has such a name") from None


def _remove(name: str) -> None:
    with suppress(OSError):
        os.unlink(name)


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    # Pipes have no number on Windows, and whatever else /dev/null is, it holds nothing.
    if not one.st_ino or not os.path.samestat(one, other):
        return False
    return stat.S_ISREG(one.st_mode) or not os.path.samestat(one, os.stat(os.devnull))


def _standard_output() -> list[tuple[os.stat_result, str]]:
    try:
        return [(os.fstat(sys.stdout.fileno()), "standard output")]
    except (AttributeError, OSError, ValueError):
        return []  # It has no descriptor, or is closed.
