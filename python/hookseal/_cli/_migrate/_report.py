"""What was found, as a unified diff with suggestions behind it, or as one JSON object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import diff_bytes, unified_diff
from typing import Any, NamedTuple

from hookseal._cli._migrate._found import Found
from hookseal._cli._say import printable

__all__ = ["Judged", "diff", "suggestions", "told"]

_NO_NEWLINE = b"\\ No newline at end of file\n"


class Judged(NamedTuple):
    """A file in which something was found.

    Attributes:
        path: As it was found.
        before: Its bytes.
        after: Its bytes with all that is certain; as before where nothing is.
        found: What was found, in order of lines.
    """

    path: str
    before: bytes
    after: bytes
    found: list[Found]


def diff(one: Judged) -> bytes:
    """The change as ``git apply`` and ``patch -p1`` take it, in the encoding of the file."""
    if one.before == one.after:
        return b""
    before, after = _lines(one.before), _lines(one.after)
    name = printable(_from_here(one.path)).encode("utf-8", "backslashreplace")
    text = b""
    for line in diff_bytes(unified_diff, before, after, b"a/" + name, b"b/" + name):
        text += line if line.endswith(b"\n") else line + b"\n" + _NO_NEWLINE
    return text


def suggestions(one: Judged) -> Iterator[str]:
    """Lines that say what is not certain."""
    for found in one.found:
        if not found.edits:
            yield f"{printable(one.path)}:{found.line}: {printable(found.text)}"
            yield from (f"    {printable(line)}" for line in found.lines)


def told(one: Judged, *, written: bool) -> list[dict[str, Any]]:
    """What was found in a file, for programs."""
    return [
        {
            "path": one.path,
            "line": found.line,
            "kind": found.code,
            "certain": bool(found.edits),
            "written": written and bool(found.edits),
            "text": found.text,
            "lines": list(found.lines),
        }
        for found in one.found
    ]


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _from_here(path: str) -> str:
    """A path as seen from the working directory, if it is below it."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive of Windows
        relative = path
    if relative.startswith(os.pardir):
        relative = os.path.abspath(path).lstrip(os.sep)
    return relative.replace(os.sep, "/")
