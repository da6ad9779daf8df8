"""Exit statuses, and the errors that end a command with one of them."""

from __future__ import annotations

import sys

__all__ = [
    "BUG",
    "FINE",
    "INTERRUPTED",
    "IO_ERROR",
    "REFUSED",
    "USAGE",
    "EndedAtOnce",
    "Fault",
    "io_fault",
    "of_a_bug",
    "of_a_signal",
]

FINE = 0
REFUSED = 1
USAGE = 2
# EX_SOFTWARE and EX_IOERR of sysexits.h.
BUG = 70
IO_ERROR = 74
# Of a SIGINT that no command has seen.
INTERRUPTED = 130


def of_a_signal(number: int) -> int:
    """The status after a signal: 128 and its number, as shells have it."""
    return 128 + number


class EndedAtOnce(KeyboardInterrupt):
    """A second signal, in a run that the first one did not end yet.

    Attributes:
        status: The exit status, that of the first.
    """

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Fault(Exception):
    """What ends a command: one line for stderr, and the exit status.

    The text of a wrong call (status 2) says what was expected and shows no secret.
    """

    def __init__(self, text: str, status: int = USAGE) -> None:
        super().__init__(text)
        self.status = status


def io_fault(what: str, error: OSError, status: int = IO_ERROR) -> Fault:
    """The fault of an input or output: ``what`` failed, and what the system says of it."""
    return Fault(f"{what}: {error.strerror or type(error).__name__}", status)


def of_a_bug(error: BaseException) -> int:
    """Says one line about an error that nobody expected.

    It tells the error's type and where it was raised. Its text is not told: it could hold a
    body or a secret.
    """
    from hookseal._cli._say import complain

    if isinstance(error, MemoryError):
        complain("out of memory")
        return BUG
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = ""
    if place is not None:
        file = place.tb_frame.f_code.co_filename.replace("\\", "/")
        where = f" at {'/'.join(file.split('/')[-2:])}:{place.tb_lineno}"
    python = ".".join(map(str, sys.version_info[:3]))
    complain(f"bug in hookseal: {type(error).__name__}{where} (Python {python}); please report it")
    return BUG
