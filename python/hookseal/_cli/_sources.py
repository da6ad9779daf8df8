"""The files of messages, found before the first of them is read."""

from __future__ import annotations

import os
import stat
import sys
from io import FileIO

from hookseal._cli._exit import USAGE, Fault, io_fault
from hookseal._cli._say import named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["STDIN", "Source", "read", "sources", "whole"]

STDIN = "-"


class Source:
    """One input.

    Attributes:
        name: As it was given.
        status: What the system says of the file; None for a stdin that is no file.
        stream: The open file. None for a regular one, which is opened when its turn
            comes: a run may have more of them than a process may open.
    """

    def __init__(self, name: str, status: os.stat_result, stream: FileIO | None) -> None:
        self.name = name
        self.status = status
        self.stream = stream

    @property
    def size(self) -> int | None:
        """Its bytes, if they are known before they are read."""
        return self.status.st_size if stat.S_ISREG(self.status.st_mode) else None

    def opened(self) -> FileIO:
        """The file, open to be read, without a buffer between."""
        return FileIO(self.name) if self.stream is None else self.stream


def sources(names: Sequence[str]) -> list[Source]:
    """Finds every file.

    Raises:
        Fault: One of them cannot be read.
    """
    if names.count(STDIN) > 1:
        raise Fault("standard input (-) can be read once")
    return [_source(name) for name in names]


def whole(name: str, what: str, limit: int | None = None) -> bytes:
    """The bytes of one file: a body, headers.

    Raises:
        Fault: It cannot be read, or holds more than ``limit`` bytes.
    """
    (source,) = sources([name])
    pieces, size = [], 0
    try:
        with source.opened() as stream:
            while piece := read(stream, _PIECE_BYTES):
                pieces.append(piece)
                size += len(piece)
                if limit is not None and size > limit:
                    raise Fault(f"{what} of {named(name)} is longer than {limit} bytes")
    except OSError as error:
        raise io_fault(f"cannot read {what} from {named(name)}", error, USAGE) from None
    return b"".join(pieces)


def read(stream: FileIO, most: int) -> bytes:
    """Some bytes; none at the end."""
    # None is no end: somebody who shares the pipe has made it one that does not wait.
    while (data := stream.read(most)) is None:
        from select import select

        select([stream], [], [])
    return data


_PIECE_BYTES = 1024 * 1024


def _source(name: str) -> Source:
    try:
        stream = _standard_input() if name == STDIN else FileIO(name)
        status = os.fstat(stream.fileno())
    except OSError as error:
        raise io_fault(f"cannot read {named(name)}", error, USAGE) from None
    except ValueError:  # a NUL in the name
        raise Fault(f"cannot read {named(name)}: no file has such a name") from None
    # A pipe can be opened once: to close it would be the end of it.
    if name != STDIN and stat.S_ISREG(status.st_mode):
        stream.close()
        return Source(name, status, None)
    return Source(name, status, stream)


def _standard_input() -> FileIO:
    if sys.stdin is None:
        import errno

        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return FileIO(sys.stdin.fileno(), closefd=False)
