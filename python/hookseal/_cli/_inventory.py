"""``hookseal secret list`` and ``hookseal secret compare``: what keyring files hold."""

from __future__ import annotations

import os

from hookseal._cli import _exit, _say
from hookseal._cli._exit import USAGE, Fault, io_fault
from hookseal._cli._say import named, printable
from hookseal._cli._tables import Table, rendered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from hookseal._keyring_outline import Listed, Outline
    from hookseal._usage import Usage
    from hookseal._usage_file import Key

__all__ = ["compare", "list_secrets", "rows_of", "usage_of"]


def list_secrets(options: Namespace) -> int:
    """Prints the secrets of a keyring file, and what is known of their use."""
    from hookseal._cli._editor import Editor

    editor = Editor(options.keyring)
    endpoints = editor.endpoints
    if options.endpoint is not None:
        endpoints = {options.endpoint: editor.outline(options.endpoint)}
    usage = None if options.usage is None else usage_of(options.usage)
    if options.json:
        from json import dumps

        _say.put(dumps(_told(endpoints, usage)) + "\n")
    else:
        _say.put(rendered([rows_of(endpoints, usage)]))
    return _exit.FINE


def compare(options: Namespace) -> int:
    """Says which secrets two keyring files have in common; the exit status, whether all."""
    one, other = (_keys(file) for file in options.files)
    rows = [
        (endpoint, label, *_compared(one.get((endpoint, label)), other.get((endpoint, label))))
        for endpoint, label in dict.fromkeys([*one, *other])
    ]
    if options.json:
        from json import dumps

        names = ("endpoint", "label", "state", "detail")
        _say.put(dumps([dict(zip(names, row, strict=True)) for row in rows]) + "\n")
    else:
        cells = [tuple(map(printable, row)) for row in rows]
        _say.put(rendered([Table(("endpoint", "secret", "state", ""), cells, "llll")]))
    is_same = all(state == "same" and not detail for *_, state, detail in rows)
    return _exit.FINE if is_same else _exit.REFUSED


def usage_of(path: str) -> dict[Key, Usage]:
    """What a usage file says.

    Raises:
        Fault: It cannot be read, or is none.
    """
    from hookseal._usage_file import read

    try:
        return read(path)
    except OSError as error:
        raise io_fault(f"cannot read the usage file {named(path)}", error, USAGE) from None
    except ValueError as error:
        raise Fault(str(error)) from None


def rows_of(
    endpoints: dict[str, Outline],
    usage: dict[Key, Usage] | None = None,
    before: dict[str, Listed] | None = None,
) -> Table:
    """A table of the secrets.

    Args:
        endpoints: The endpoints by name.
        usage: What is known of their use, if anybody asks.
        before: The secrets of the one endpoint before a change, by label: the table then says
            what is new of them.
    """
    head, aligned = ["endpoint", "secret", "from", "begins", "ends"], "lllll"
    if usage is not None:
        head, aligned = [*head, "matched", "last"], "lllllrl"
    if before is not None:
        head, aligned = ["", *head], f"l{aligned}"
    rows = []
    for endpoint, outline in endpoints.items():
        for one in outline.secrets:
            row = [endpoint, one.label, _source(one), _time(one.not_before), _time(one.not_after)]
            if usage is not None:
                record = usage.get((endpoint, one.label))
                row.append("unknown" if record is None else f"{record.count:,}")
                row.append("" if record is None else _time(record.last_matched) or "never")
            if before is not None:
                row.insert(0, _change(before.get(one.label), one))
            rows.append(tuple(map(printable, row)))
    if before is not None:
        (outline,) = endpoints.values()
        left = {one.label for one in outline.secrets}
        for label, one in before.items():
            if label not in left:
                rows.append(("gone", "", printable(label), printable(_source(one)), "", ""))
    return Table(tuple(head), rows, aligned)


def _change(before: Listed | None, after: Listed) -> str:
    if before is None:
        return "new"
    return "" if before._replace(is_counted=False) == after else "changed"


def _source(one: Listed) -> str:
    return "the file itself" if one.name is None else f"{one.source} {one.name}"


def _time(second: int | None) -> str:
    if second is None:
        return ""
    import time

    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(second))


def _told(endpoints: dict[str, Outline], usage: dict[Key, Usage] | None) -> list[dict[str, Any]]:
    from hookseal._usage_file import told_of

    told = []
    for endpoint, outline in endpoints.items():
        for one in outline.secrets:
            row: dict[str, object] = {
                "endpoint": endpoint,
                "label": one.label,
                "scheme": outline.scheme,
                "source": one.source,
                "name": one.name,
                "not_before": one.not_before,
                "not_after": one.not_after,
            }
            if usage is not None:
                record = usage.get((endpoint, one.label))
                row["usage"] = None if record is None else told_of(record)
            told.append(row)
    return told


class _Key:
    """One secret for a comparison: a digest of its key that means nothing in another run."""

    __slots__ = ("digest", "rest")

    def __init__(self, key: bytes, rest: dict[str, object]) -> None:
        from hashlib import sha256
        from hmac import digest

        self.digest = digest(_SALT, key, sha256)
        self.rest = rest


# Whoever sees two digests of one run learns that two secrets are the same, and of several runs
# nothing.
_SALT = os.urandom(32)


def _keys(file: str) -> dict[Key, _Key]:
    """The secrets that a keyring file names, read where they are, by endpoint and label."""
    from hookseal._cli._editor import Editor
    from hookseal._errors import without_calls
    from hookseal._keyring_file import keyring_of
    from hookseal.pure._keyring import Keyring
    from hookseal.pure._secret import Secret

    outlines = Editor(file).endpoints
    found: dict[Key, _Key] = {}

    def collect(endpoints: dict[str, Any], *, scheme: str) -> None:
        Keyring(endpoints, scheme=scheme)  # It refuses what no ring could hold.
        for name, endpoint in endpoints.items():
            outline = outlines[name]
            for listed, secret in zip(outline.secrets, endpoint._secrets, strict=True):
                rest: dict[str, object] = {
                    "scheme": outline.scheme,
                    "tolerance": outline.tolerance,
                    "not_before": listed.not_before,
                    "not_after": listed.not_after,
                }
                found[name, listed.label] = _Key(_bytes_of(secret, outline.scheme), rest)

    try:
        keyring_of(file, collect, Secret)  # type: ignore[arg-type]  # called as a Keyring is
    except OSError as error:
        if error.filename != file:
            raise Fault(f"{error.strerror}: {named(error.filename)}") from None
        raise io_fault(f"cannot read the keyring {named(file)}", error, USAGE) from None
    except ValueError as error:
        raise Fault(without_calls(str(error))) from None
    return found


def _bytes_of(secret: Any, scheme: str) -> bytes:
    from hookseal import schemes

    key: bytes = secret._key(schemes.get(scheme), "the secret")
    return key


def _compared(one: _Key | None, other: _Key | None) -> tuple[str, str]:
    """The state of one secret in two files, and what of its terms differs."""
    from hmac import compare_digest

    if one is None or other is None:
        return "missing", f"in the {'first' if one is None else 'second'} file"
    if not compare_digest(one.digest, other.digest):
        return "different", ""
    return "same", ", ".join(
        f"another {name}" for name in one.rest if one.rest[name] != other.rest[name]
    )
