"""JSON Lines: a stream of bytes in, verdicts out. What the command judges files with."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, final

from hookseal._arguments import line_limit, mistake, thread_count, wrong_type
from hookseal._errors import line_fault
from hookseal._instant import seconds
from hookseal._verdict import Verdict
from hookseal.pure._arguments import flag
from hookseal.pure._call import Call
from hookseal.pure._line import Broken, Line, read_line
from hookseal.pure._line_tally import LineTally
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._text import own_bytes
from hookseal.pure._verifier import Verifier
from hookseal.types import Instant

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_WHITE_SPACE: Final = b" \t\r\n"  # RFC 8259 §2


class _Place(NamedTuple):
    """Where in a file the stream is."""

    line: int = 1
    # The line's beginning, as far as it came; empty if it is too long to be held.
    held: bytes = b""
    # How many bytes passed of a line that is too long; 0 for any other.
    passed: int = 0


class _Progress(NamedTuple):
    """All that a block changes, so that one assignment makes the change."""

    place: _Place
    tally: LineTally


@final
class LineReport(Sealed):
    """What became of the lines of a block."""

    __slots__ = ("_refusals", "_rejected")

    _refusals: list[tuple[int, Verdict | None, str, str | None]]
    _rejected: bytes

    @property
    def refusals(self) -> list[tuple[int, Verdict | None, str, str | None]]:
        """The lines that are no valid message: line, verdict, reason, endpoint."""
        return self._refusals.copy()

    @property
    def rejected(self) -> bytes:
        """Those lines byte for byte, if they are kept."""
        return self._rejected

    def __repr__(self) -> str:
        return f"LineReport(refusals={len(self._refusals)}, rejected={len(self._rejected)})"


@final
class LineJudge(Sealed):
    """Judges the messages of a JSON Lines stream, a block of bytes at a time.

    However a file is cut into blocks, the reports joined are the same. An exception in ``feed``
    or ``finish`` leaves it as it was before the call: that block was never fed.
    """

    __slots__ = ("_call", "_has_ring", "_keeps", "_limit", "_lock", "_now", "_progress")

    _call: Call
    _has_ring: bool
    _now: int
    _limit: int
    _keeps: bool
    _lock: threading.Lock
    _progress: _Progress

    def __new__(
        cls,
        verifier: Verifier,
        *,
        now: Instant | None = None,
        threads: int | None = None,
        max_line_bytes: int = 67108864,
        keep_rejects: bool = False,
    ) -> LineJudge:
        """Takes the verifier with its ring as it is now, and looks at the clock at most once."""
        if not isinstance(verifier, Verifier):
            raise wrong_type("verifier", verifier)
        if verifier._rules.replay is not None:
            raise mistake("lines-with-guard")
        thread_count(threads)  # Plain Python has no use for more than one.
        judge = object.__new__(cls)
        put(judge, "_limit", line_limit(max_line_bytes))
        put(judge, "_keeps", flag(keep_rejects, "keep_rejects"))
        at = seconds(time.time(), "time.time()") if now is None else seconds(now, "now")
        put(judge, "_now", at)
        put(judge, "_call", Call(verifier._rules))
        put(judge, "_has_ring", verifier._rules.ring is not None)
        put(judge, "_lock", threading.Lock())
        put(judge, "_progress", _Progress(_Place(), LineTally.of(verifier._rules)))
        return judge

    def feed(self, block: bytes) -> LineReport:
        """Judges every line that ends in the block; the unfinished rest is kept."""
        if not isinstance(block, bytes):
            raise wrong_type("block", block)
        block = own_bytes(block)
        with self._alone():
            step = _Step(self)
            start = 0
            while (end := block.find(b"\n", start) + 1) > 0:
                step.add(block[start:end])
                step.end()
                start = end
            step.add(block[start:])
            return step.commit()

    def finish(self) -> LineReport:
        """Ends a file: judges a last line without a line end. The next line is line 1 again."""
        with self._alone():
            step = _Step(self)
            step.end()
            step.place = _Place()
            return step.commit()

    @property
    def messages(self) -> int:
        """The lines judged so far: valid, refused and broken ones. Blank lines are none."""
        return self._progress.tally.messages

    @property
    def broken(self) -> int:
        """The lines that are no message."""
        return self._progress.tally.broken

    @property
    def bytes(self) -> int:
        """The bytes of the lines that have ended, with blank lines and line ends."""
        return self._progress.tally.bytes

    def counts(self) -> dict[Verdict, int]:
        """How many messages have each verdict, for the verdicts that occur."""
        return self._progress.tally.counts()

    def endpoints(self) -> list[tuple[str | None, int, int]]:
        """Each endpoint with its valid and its refused messages.

        None is the one endpoint where there is no ring, and with one all that it does not hold.
        """
        return self._progress.tally.endpoints()

    def secrets(self) -> list[tuple[str | None, str, int, int | None, int | None]]:
        """Endpoint, label, messages matched, first and last instant, of every live secret."""
        return self._progress.tally.secrets()

    def __repr__(self) -> str:
        return f"LineJudge(messages={self.messages}, broken={self.broken})"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        # Never waited for: who holds it may be below us on the stack, in a signal handler.
        if not self._lock.acquire(blocking=False):
            raise mistake("busy")
        try:
            yield
        finally:
            self._lock.release()


class _Step:
    """The work of one call, which takes effect when it is whole."""

    def __init__(self, judge: LineJudge) -> None:
        self._judge = judge
        self.place, tally = judge._progress
        self._tally = tally.copy()
        self._refusals: list[tuple[int, Verdict | None, str, str | None]] = []
        self._rejected = bytearray()

    def add(self, piece: bytes) -> None:
        """Takes more of the line, with its LF if that has come; what is too long passes."""
        line, held, passed = self.place
        held += piece
        if not passed and len(held.removesuffix(b"\n")) <= self._judge._limit:
            self.place = _Place(line, held)
            return
        self._reject(held)
        self.place = _Place(line, b"", passed + len(held))

    def end(self) -> None:
        """Judges the line, all of which has come."""
        number, line, passed = self.place
        self._tally.bytes += len(line) + passed
        self.place = _Place(number + 1)
        if passed:
            self._break(number, line_fault("too-long", self._judge._limit))
            return
        message = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        message = message.removesuffix(b"\n")
        if not message.strip(_WHITE_SPACE):
            return
        try:
            parts = read_line(message, has_ring=self._judge._has_ring)
        except Broken as broken:
            self._reject(line)
            self._break(number, str(broken))
        else:
            self._judge_message(number, line, parts)

    def _judge_message(self, number: int, line: bytes, parts: Line) -> None:
        call = self._judge._call
        at = self._judge._now if parts.received_at is None else parts.received_at
        reading = call.read(parts.body, parts.headers, parts.endpoint)
        judgement = call.judge(reading, at)
        self._tally.note(reading, at, judgement)
        if judgement.verdict is not Verdict.VALID:
            self._reject(line)
            reason = str(judgement.exception())
            self._refusals.append((number, judgement.verdict, reason, parts.endpoint))

    def _break(self, number: int, why: str) -> None:
        self._tally.broken += 1
        self._refusals.append((number, None, why, None))

    def _reject(self, line: bytes) -> None:
        if self._judge._keeps:
            self._rejected += line

    def commit(self) -> LineReport:
        """Lets the work take effect."""
        report = object.__new__(LineReport)
        put(report, "_refusals", self._refusals)
        put(report, "_rejected", bytes(self._rejected))
        put(self._judge, "_progress", _Progress(self.place, self._tally))
        return report
