"""The command: every file is judged, and what is certain is shown or written."""

from __future__ import annotations

import os
import re
import sys
from argparse import Namespace
from collections.abc import Iterator

from hookseal import _atomic_file
from hookseal._cli import _exit, _say
from hookseal._cli._exit import io_fault
from hookseal._cli._migrate._advice import advice, token_headers
from hookseal._cli._migrate._checks import checks
from hookseal._cli._migrate._files import files, read
from hookseal._cli._migrate._found import Found
from hookseal._cli._migrate._imports import imports
from hookseal._cli._migrate._mirrors import PEERS, Versions
from hookseal._cli._migrate._report import Judged, diff, suggestions, told
from hookseal._cli._migrate._source import Source, Unreadable

__all__ = ["migrate"]

# A file without any of these words has nothing that is looked for, and is not parsed.
_WORDS = re.compile("|".join([*PEERS, "hmac", *token_headers()]).encode(), re.IGNORECASE)
# Said behind a line that is to stay as it is.
_KEEP = re.compile(r"#\s*hookseal:\s*keep\b")


def migrate(options: Namespace) -> int:
    """Runs the command; returns its exit status.

    Raises:
        Fault: A path is not there, or stdout fails.
    """
    unreadable: list[tuple[str, str]] = []
    versions = Versions(options.svix)
    rows: list[dict[str, object]] = []
    is_found, failed, shown = False, False, []
    for path in files(options.files, unreadable):
        judged = _judged(path, versions, unreadable)
        if judged is None:
            continue
        is_found = True
        is_written = options.write and judged.after != judged.before
        if is_written and not _write(judged):
            failed, is_written = True, False
        if options.json:
            rows += told(judged, written=is_written)
            continue
        if is_written:
            shown += [f"{_say.printable(path)}: rewritten"]
        elif not options.write and (change := diff(judged)):
            _put_diff(change)
        shown += suggestions(judged)
    if options.json:
        from json import dumps

        left = [{"path": path, "error": why} for path, why in unreadable]
        _say.put(dumps({"found": rows, "unreadable": left}) + "\n")
    elif shown:
        _say.put("".join(f"{line}\n" for line in shown))
    for path, why in unreadable:
        _say.complain(f"{_say.named(path)}: {why}")
    if failed:
        return _exit.IO_ERROR
    if unreadable:
        return _exit.USAGE
    return _exit.REFUSED if is_found else _exit.FINE


def _judged(path: str, versions: Versions, unreadable: list[tuple[str, str]]) -> Judged | None:
    """What is in a file; None if that is nothing, or it cannot be read."""
    try:
        data = read(path)
        if _WORDS.search(data) is None:
            return None
        source = Source(path, data)
        found = sorted(_found(source, versions), key=lambda one: one.line)
    except Unreadable as error:
        line = "" if error.line is None else f"line {error.line}: "
        unreadable.append((path, f"{line}{error}"))
        return None
    except RecursionError:
        unreadable.append((path, "it is nested too deeply to be read"))
        return None
    edits = [edit for one in found for edit in one.edits]
    after = source.edited(edits) if edits else data
    if after is None:
        why = "; but look first: the file cannot be written back as it was"
        found = [one._replace(edits=(), text=one.text + why * bool(one.edits)) for one in found]
        after = data
    return Judged(path, data, after, found) if found else None


def _found(source: Source, versions: Versions) -> Iterator[Found]:
    wanted = (found for check in checks(source.tree) if (found := advice(check)))
    for one in [*imports(source, versions), *wanted]:
        if not _KEEP.search(source.line(one.line)):
            yield one


def _write(judged: Judged) -> bool:
    try:
        if not os.access(judged.path, os.W_OK):
            import errno

            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        if os.stat(judged.path).st_nlink > 1:
            why = "it has another name, a hard link, which would stay as it is: it was left"
            _say.complain(f"{_say.named(judged.path)}: {why}")
            return False
        if read(judged.path) != judged.before:
            _say.complain(f"{_say.named(judged.path)}: it has changed meanwhile, and was left")
            return False
        _atomic_file.replace(judged.path, judged.after)
    except Unreadable as error:
        _say.complain(f"{_say.named(judged.path)}: {error}")
        return False
    except OSError as error:
        _say.complain(str(io_fault(f"cannot write to {_say.named(judged.path)}", error)))
        return False
    return True


def _put_diff(change: bytes) -> None:
    """A terminal gets what it can show, a program the bytes of the files."""
    if _say.is_terminal(sys.stdout):
        lines = change.decode("utf-8", "backslashreplace").splitlines()
        shown = ("\t".join(map(_say.printable, line.split("\t"))) for line in lines)
        _say.put("".join(f"{line}\n" for line in shown))
    else:
        _say.put_bytes(change)
