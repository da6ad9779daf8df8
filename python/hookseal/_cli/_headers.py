"""Headers as a person writes them: one ``Name: value`` each."""

from __future__ import annotations

import os

from hookseal._cli._exit import Fault
from hookseal._cli._sources import STDIN, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["headers"]


def headers(options: Namespace) -> list[tuple[bytes, bytes]]:
    """The headers of ``--header``, then those of ``--headers-file``.

    Raises:
        Fault: One is not of the form, or the file cannot be read. The text names its place
            and not the header, which may hold a token.
    """
    found = []
    for number, text in enumerate(options.headers, 1):
        found.append(_header(os.fsencode(text), f"--header {number}"))
    name = options.headers_file
    if name is not None:
        if name == STDIN and options.body == STDIN:
            raise Fault("standard input is either the body or the headers: name a file for one")
        lines = whole(name, "the headers").removeprefix(b"\xef\xbb\xbf").split(b"\n")
        for number, line in enumerate(lines, 1):
            if line.strip():
                found.append(_header(line.removesuffix(b"\r"), f"--headers-file: line {number}"))
    return found


def _header(line: bytes, place: str) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or len(name.split()) != 1 or name != name.strip():
        raise Fault(f"{place}: 'Name: value' was expected")
    return name, value.strip(b" \t")
