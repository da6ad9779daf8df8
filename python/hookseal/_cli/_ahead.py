"""Reading ahead: while one block is judged, the next ones are read."""

from __future__ import annotations

import os

from hookseal._cli._exit import io_fault
from hookseal._cli._say import named
from hookseal._cli._sources import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import FileIO
    from queue import SimpleQueue

    from hookseal._cli._sources import Source

    _Item = tuple[Source, bytes]

__all__ = ["BLOCK_BYTES", "Ahead"]

# Large enough for the batch behind it to fill its threads, small enough that three of them
# are no memory to speak of.
BLOCK_BYTES = 4 * 1024 * 1024
# How many blocks may wait for the one who judges them.
_DEPTH = 2


class Ahead:
    """The blocks of all sources, read by a thread of its own; one block in all is read here.

    Iterated, it gives each source with its blocks, and ``b""`` where one ends. It raises
    ``Fault`` where a file cannot be read on.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._ready: SimpleQueue[_Item | BaseException | None] | None = None
        self._is_over = False

    def __iter__(self) -> Iterator[_Item]:
        sizes = [source.size for source in self._sources]
        known = [size for size in sizes if size is not None]
        if len(known) == len(sizes) and sum(known) <= BLOCK_BYTES:
            return self._here()  # To make a thread would take longer.
        return self._in_thread()

    def stop(self) -> None:
        """Ends the iteration with its next step. A signal handler may call it."""
        self._is_over = True
        if self._ready is not None:
            self._ready.put(None)

    def _here(self) -> Iterator[_Item]:
        for item in self._blocks():
            if self._is_over:
                return
            yield item

    def _in_thread(self) -> Iterator[_Item]:
        from queue import SimpleQueue
        from threading import Semaphore, Thread

        # Its put() may be called by a signal handler while get() waits.
        ready: SimpleQueue[_Item | BaseException | None] = SimpleQueue()
        self._ready = ready
        # One more is being read, and one is with the judge.
        room = Semaphore(_DEPTH - 1)

        def read_all() -> None:
            try:
                for item in self._blocks():
                    ready.put(item)
                    # Waiting after and not before it lets a pipe's block be judged as soon as it
                    # is there.
                    room.acquire()
                    if self._is_over:
                        return
                ready.put(None)
            except BaseException as error:
                ready.put(error)

        # Reading may wait for ever, for a pipe that nobody writes to: nobody waits for it.
        Thread(target=read_all, name="hookseal-read", daemon=True).start()
        try:
            # A stop that came before there was a queue is in none.
            while not self._is_over and (item := ready.get()) is not None and not self._is_over:
                if isinstance(item, BaseException):
                    raise item
                room.release()
                yield item
        finally:
            self._is_over = True
            room.release()

    def _blocks(self) -> Iterator[_Item]:
        for source in self._sources:
            try:
                with source.opened() as stream:
                    is_file = source.size is not None
                    while block := self._block(stream, is_file):
                        yield source, block
            except OSError as error:
                raise io_fault(f"cannot read on in {named(source.name)}", error) from None
            yield source, b""

    def _block(self, stream: FileIO, is_file: bool) -> bytes:
        block = read(stream, BLOCK_BYTES)
        if is_file or not block or os.name != "posix":
            return block
        # A pipe gives little at a time. What is there already makes one block, and what is
        # not there yet is not waited for.
        from select import select

        pieces, missing = [block], BLOCK_BYTES - len(block)
        while missing and select([stream], [], [], 0)[0]:
            piece = read(stream, missing)
            if not piece:
                break  # The end: the next read says so again.
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)
