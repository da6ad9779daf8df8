"""``hookseal verify-batch``: files of messages in, verdicts out."""

from __future__ import annotations

import signal
import sys
import time

from hookseal._cli import _exit, _implementation, _say
from hookseal._cli._ahead import Ahead
from hookseal._cli._exit import Fault
from hookseal._cli._keys import verifier
from hookseal._cli._sources import STDIN, Source, sources
from hookseal._cli._summary import Summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from hookseal._cli._progress import Progress
    from hookseal._cli._rejects import Output

__all__ = ["verify_batch"]

# How many broken lines are named on stderr; --reasons names all.
_BROKEN_LINES_NAMED = 20


def verify_batch(options: Namespace) -> int:
    """Runs the command; returns its exit status.

    Raises:
        Fault: Something is wrong before the first line is judged.
    """
    files: list[tuple[str, str]] = []
    judged_by = verifier(options, files)
    inputs = sources(options.files)
    rejects = reasons = None
    if options.usage is not None:
        if options.keyring is None:
            raise Fault("--usage needs --keyring: the file names secrets by endpoint and label")
        from hookseal._cli._evidence import require_usage_file

        require_usage_file(options.usage)
        files.append((options.usage, f"the usage file {_say.named(options.usage)}"))
    if options.rejects is not None or options.reasons is not None:
        from hookseal._cli._rejects import outputs

        rejects, reasons = outputs([options.rejects, options.reasons], inputs, files)
    if not _implementation.is_core():
        _say.warn("no compiled module in this installation: plain Python does the work, slowly")
    judge = _implementation.line_judge()(
        judged_by, now=options.now, threads=options.threads, keep_rejects=rejects is not None
    )
    run = _Run(judge, rejects, reasons)
    status = run.through(inputs)
    is_complete = status is None
    run.name_broken_lines(complete=is_complete)
    if options.usage is not None and (failed := _save(options.usage, judge)) and status is None:
        status = failed
    summary = Summary(judge, run.seconds, complete=is_complete)
    try:
        _say.put(summary.as_json() if options.json else summary.as_text())
    except Fault as fault:
        if run.signal is None:
            raise
        # Ctrl-C ends a whole pipeline: the reader of stdout may have gone for the same reason.
        if text := str(fault):
            _say.complain(text)
    if status is not None:
        return status
    return _exit.REFUSED if summary.refused or summary.broken else _exit.FINE


def _save(path: str, judge: Any) -> int | None:
    """Adds what was seen to the usage file; the exit status if that fails."""
    from hookseal._cli._evidence import save

    try:
        save(path, judge)
    except Fault as fault:
        _say.complain(str(fault))
        return fault.status
    return None


class _Run:
    """One pass through all inputs.

    Attributes:
        signal: The number of the signal that ended it early, or None.
        seconds: How long it took.
    """

    def __init__(self, judge: Any, rejects: Output | None, reasons: Output | None) -> None:
        self.signal: int | None = None
        self.seconds = 0.0
        self._judge = judge
        self._rejects = rejects
        self._reasons = reasons
        self._broken: list[str] = []

    def through(self, inputs: list[Source]) -> int | None:
        """Judges every line; returns the exit status if something ended it before the end."""
        ahead = Ahead(inputs)
        progress = _progress(inputs)
        begin = time.monotonic()
        status = None
        restore = self._on_signals(ahead)
        try:
            for source, block in ahead:
                report = self._judge.feed(block) if block else self._judge.finish()
                self._take(source, report, is_end=not block)
                if progress is not None:
                    progress.show(len(block), self._judge.messages)
        except Fault as fault:
            if progress is not None:
                progress.clear()
            _say.complain(str(fault))
            status = fault.status
        finally:
            restore()
            if progress is not None:
                progress.clear()
            self.seconds = time.monotonic() - begin
            # Whatever ends the run: a second Ctrl-C leaves no torn line behind either.
            for output in self._outputs():
                output.cut()
        closing = self._close()
        if self.signal is not None:
            return _exit.of_a_signal(self.signal)
        return closing if status is None else status

    def name_broken_lines(self, *, complete: bool) -> None:
        """Says on stderr which lines were no messages."""
        for line in self._broken:
            _say.complain(line)
        more = self._judge.broken - len(self._broken)
        if more > 0:
            told = f"and {more:,} more broken line{'s' * (more > 1)}"
            if self._reasons is None:
                told += "; --reasons FILE would name all"
            elif complete:
                told += "; --reasons names all"
            _say.complain(told)

    def _take(self, source: Source, report: Any, *, is_end: bool) -> None:
        # Asked for once, and only if there is a use: the words are made when it is.
        is_wanted = len(self._broken) < min(self._judge.broken, _BROKEN_LINES_NAMED)
        refusals = report.refusals if is_wanted or self._reasons is not None else []
        if is_wanted:
            name = "standard input" if source.name == STDIN else _say.named(source.name)
            self._broken += [
                f"{name}, line {line}: {error}"
                for line, verdict, error, _ in refusals
                if verdict is None
            ][: _BROKEN_LINES_NAMED - len(self._broken)]
        lines = [(self._rejects, report.rejected)]
        if self._reasons is not None:
            lines.append((self._reasons, _reasons(source.name, refusals)))
        faults = []
        for output, text in lines:
            try:
                if output is not None:
                    output.put(text)
                    if is_end:
                        output.end_file()
            except Fault as fault:  # The other output gets what was judged all the same.
                faults.append(fault)
        if faults:
            raise faults[0]

    def _outputs(self) -> list[Output]:
        return [one for one in (self._rejects, self._reasons) if one is not None]

    def _close(self) -> int | None:
        status = None
        for output in self._outputs():
            try:
                output.close()
            except Fault as fault:
                _say.complain(str(fault))
                status = fault.status
        return status

    def _on_signals(self, ahead: Ahead) -> Callable[[], None]:
        """Lets Ctrl-C and SIGTERM end the run after the block under way; gives the way back."""

        def stop(number: int, _: FrameType | None) -> None:
            if self.signal is not None:
                # Asked twice: an output that nobody reads may hold up the first time for ever.
                raise _exit.EndedAtOnce(_exit.of_a_signal(self.signal))
            self.signal = number
            ahead.stop()

        before = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            # Who ignores a signal, as nohup and a shell's & do, goes on doing so.
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                try:
                    before[number] = signal.signal(number, stop)
                except ValueError:  # No signal comes to a thread that is not the main one.
                    break

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        return restore


def _progress(inputs: list[Source]) -> Progress | None:
    """A bar for a person; None where no terminal is."""
    if not _say.is_terminal(sys.stderr):
        return None
    from hookseal._cli._progress import Progress

    return Progress(inputs)


def _reasons(file: str, refusals: list[Any]) -> bytes:
    from json import dumps

    lines = [
        dumps(
            {
                "file": file,
                "line": line,
                "verdict": None if verdict is None else verdict.name,
                "error": error,
                "endpoint": endpoint,
            }
        )
        for line, verdict, error, endpoint in refusals
    ]
    return "".join(f"{line}\n" for line in lines).encode()
