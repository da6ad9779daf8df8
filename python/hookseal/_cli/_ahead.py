"""Reading ahead: while one block is judged, the next ones are read."""

from __future__ import annotations

import os
import select
import threading
from queue import SimpleQueue

from hookseal._cli._exit import Fault, io_fault
from hookseal._cli._say import named
from hookseal._cli._sources import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import FileIO

    from hookseal._cli._sources import Source

__all__ = ["BLOCK_BYTES", "Ahead"]

# Large enough for the batch behind it to fill its threads, small enough that three of them
# are no memory to speak of.
BLOCK_BYTES = 4 * 1024 * 1024
# How many blocks may wait for the one who judges them.
_DEPTH = 2


class Ahead:
    """The blocks of all sources, read by a thread of its own.

    Iterated, it gives each source with its blocks, and ``b""`` where one ends. It raises
    ``Fault`` where a file cannot be read on.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        # Its put() may be called by a signal handler while get() waits.
        self._ready: SimpleQueue[tuple[Source, bytes] | BaseException | None] = SimpleQueue()
        # One more is being read, and one is with the judge.
        self._room = threading.Semaphore(_DEPTH - 1)
        self._is_over = False

    def __iter__(self) -> Iterator[tuple[Source, bytes]]:
        # Reading may wait for ever, for a pipe that nobody writes to: nobody waits for it.
        threading.Thread(target=self._read, name="hookseal-read", daemon=True).start()
        try:
            while (item := self._ready.get()) is not None and not self._is_over:
                if isinstance(item, BaseException):
                    raise item
                self._room.release()
                yield item
        finally:
            self._is_over = True
            self._room.release()

    def stop(self) -> None:
        """Ends the iteration with its next step. A signal handler may call it."""
        self._is_over = True
        self._ready.put(None)

    def _read(self) -> None:
        try:
            for source in self._sources:
                with source.opened() as stream:
                    is_file = source.size is not None
                    while block := self._block(stream, is_file):
                        self._give(source, block)
                        if self._is_over:
                            return
                self._give(source, b"")
            self._ready.put(None)
        except OSError as error:
            fault: Fault | BaseException = io_fault(
                f"cannot read on in {named(source.name)}", error
            )
            self._ready.put(fault)
        except BaseException as error:
            self._ready.put(error)

    def _give(self, source: Source, block: bytes) -> None:
        self._ready.put((source, block))
        # Waiting after and not before it lets a pipe's block be judged as soon as it is there.
        self._room.acquire()

    def _block(self, stream: FileIO, is_file: bool) -> bytes:
        block = read(stream, BLOCK_BYTES)
        if is_file or not block or os.name != "posix":
            return block
        # A pipe gives little at a time. What is there already makes one block, and what is
        # not there yet is not waited for.
        pieces, missing = [block], BLOCK_BYTES - len(block)
        while missing and select.select([stream], [], [], 0)[0]:
            piece = read(stream, missing)
            if not piece:
                break  # The end: the next read says so again.
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)
