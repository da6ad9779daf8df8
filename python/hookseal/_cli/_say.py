"""What the command says: results on stdout, lines on stderr, nothing that acts on a terminal."""

from __future__ import annotations

import os
import sys

from hookseal._cli._exit import IO_ERROR, Fault, io_fault
from hookseal._errors import looks_secret, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

__all__ = [
    "amount",
    "complain",
    "has_colour",
    "is_terminal",
    "named",
    "printable",
    "put",
    "put_bytes",
    "warn",
]

_SECRETS = r"(whsec_|whsk_)[0-9A-Za-z+/=_-]+"


def printable(text: str) -> str:
    """The text with every character that is not to be printed as an escape.

    Names of files and endpoints, ids, and what headers hold come from elsewhere: none may
    move a cursor, colour a line, or turn the direction of the text around it.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return repr(char)[1:-1] if char != "'" else char


def named(path: str) -> str:
    """A path for an error; not if it looks like a secret in the wrong place."""
    return shown(path) if looks_secret(path) else printable(path)


def amount(count: float) -> str:
    """A number of bytes, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def complain(text: str) -> None:
    """Says one line on stderr, if anybody can hear it."""
    from re import sub

    # The last defence against a secret in a wrong place.
    line = printable(sub(_SECRETS, r"\1…", text))
    try:
        _write(sys.stderr, f"hookseal: {line}\n")
    except OSError:
        return  # There is no other place to say it.


def warn(text: object) -> None:
    """Says a warning on stderr."""
    complain(f"warning: {text}")


def put(text: str) -> None:
    """Puts text on stdout; its lines are ``printable`` already.

    Raises:
        Fault: stdout is closed or full. It has no text where the reader went away, as
            ``head`` does: that is no news to anybody.
    """
    _put(lambda: _write(sys.stdout, text))


def put_bytes(data: bytes) -> None:
    """Puts bytes on stdout as they are, for programs.

    Raises:
        Fault: As ``put``.
    """

    def write() -> None:
        stream = getattr(sys.stdout, "buffer", None)
        if stream is None or stream.closed:
            _write(sys.stdout, data.decode("utf-8", "backslashreplace"))
            return
        sys.stdout.flush()
        stream.write(data)
        stream.flush()

    _put(write)


def _put(write: Callable[[], None]) -> None:
    try:
        write()
    except BrokenPipeError:
        _forget_stdout()
        raise Fault("", IO_ERROR) from None
    except OSError as error:
        _forget_stdout()
        raise io_fault("cannot write to standard output", error) from None


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at the stream who is not a dumb terminal."""
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # It is closed.
        return False


def has_colour() -> bool:
    """Whether the user lets us colour what a terminal shows: no-color.org."""
    return not os.environ.get("NO_COLOR")


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None or stream.closed:
        import errno

        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    encoding = stream.encoding or "utf-8"
    # A terminal of another encoding shows escapes for what it cannot show.
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _forget_stdout() -> None:
    """Lets the interpreter's last flush go nowhere: it would complain once more."""
    try:
        descriptor = sys.stdout.fileno()
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    except (AttributeError, OSError, ValueError):
        pass  # It has no descriptor, or is closed.
