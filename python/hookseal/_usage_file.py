"""Usage files: which secrets have matched, added up over processes and runs, as JSON.

::

    {
        "format": "hookseal-usage-1",
        "endpoints": {
            "acme/billing": {
                "2026-11": {"count": 324, "first_matched": 1795154400, "last_matched": 1795176000},
                "2026-05": {"count": 0, "first_matched": null, "last_matched": null}
            }
        }
    }

Both implementations and the command read and write them through this module.
docs/usage-file.md describes them.
"""

from __future__ import annotations

import os

from hookseal._atomic_file import locked, replace
from hookseal._secret_file import content
from hookseal._usage import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    Key: TypeAlias = "tuple[str, str]"

__all__ = ["MAX_USAGE_FILE_BYTES", "merge", "read", "save", "told_of"]

# Some hundred thousand secrets; a device that never ends is no usage file.
MAX_USAGE_FILE_BYTES = 64 * 1024 * 1024

_FORMAT = "hookseal-usage-1"
_FIELDS = ("count", "first_matched", "last_matched")


def read(path: str) -> dict[Key, Usage]:
    """What a usage file says, by endpoint and label.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no usage file; the text names the file and says why.
    """
    data, _ = content(path, MAX_USAGE_FILE_BYTES)
    try:
        return _records(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def merge(path: str, more: Mapping[Key, Usage]) -> None:
    """Adds to a usage file, which is made if it is not there.

    Other processes may do so at the same time: each addition is there afterwards, whole. A file
    that is no usage file is left as it is.

    Raises:
        OSError: It cannot be read or written; then nothing has changed.
        TimeoutError: Another process kept it locked.
        ValueError: It is there, and no usage file.
    """
    with locked(path):
        _add(path, more)


def save(
    path: object,
    rows: Iterable[tuple[str, str, int, int, int | None, int | None]],
    saved: dict[str, dict[int, int]],
) -> None:
    """Adds to a usage file what a ring has counted since it was last saved there.

    Args:
        path: The file: ``str``, ``bytes`` or ``os.PathLike``.
        rows: Endpoint, label, the number of the counts, the count, last and first instant.
        saved: What the ring has saved, by file and number of the counts. It is brought up to
            date.

    Raises:
        OSError, ValueError: As ``merge``.
        TypeError: ``path`` is no path.
    """
    file = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]  # it judges that
    with locked(file):
        # A file that was taken away begins anew, with all that is known.
        before = saved.get(file, {}) if os.path.exists(file) else {}
        more, known = {}, {}
        for endpoint, label, number, count, last, first in rows:
            # Another thread may have looked later and been here sooner.
            known[number] = max(count, before.get(number, 0))
            new = known[number] - before.get(number, 0)
            more[endpoint, label] = Usage(new, last, first) if new else Usage(0)
        _add(file, more)
        saved[file] = known


def _add(path: str, more: Mapping[Key, Usage]) -> None:
    """Adds to a file that is locked."""
    try:
        records = read(path)
    except FileNotFoundError:
        records = {}
    for key, record in more.items():
        known = records.get(key)
        records[key] = record if known is None else known.plus(record)
    replace(path, _written(records))


def _records(data: bytes) -> dict[Key, Usage]:
    from json import JSONDecodeError, loads

    try:
        document = loads(data.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise ValueError("values are nested too deeply") from None
    endpoints = _members(document, "a usage file", ("format", "endpoints"))["endpoints"]
    if document["format"] != _FORMAT:
        raise ValueError(f"its format is not {_FORMAT!r}: a later version may have written it")
    records = {}
    for endpoint, labels in _members(endpoints, "endpoints").items():
        place = f"endpoints[{endpoint!r}]"
        for label, told in _members(labels, place).items():
            records[endpoint, label] = _record(told, f"{place}[{label!r}]")
    return records


def _record(told: object, place: str) -> Usage:
    members = _members(told, place, _FIELDS)
    for name in _FIELDS:
        value = members[name]
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not is_number and (value is not None or name == "count"):
            raise ValueError(f"{place}: {name} must be a whole number that is not negative")
    first, last = members["first_matched"], members["last_matched"]
    is_matched = members["count"] > 0
    has_times = first is not None and last is not None and first <= last
    if has_times != is_matched or (not is_matched and (first, last) != (None, None)):
        raise ValueError(f"{place}: the count and the times contradict each other")
    return Usage(**members)


def told_of(usage: Usage) -> dict[str, int | None]:
    """A record as JSON has it."""
    return {name: getattr(usage, name) for name in _FIELDS}


def _members(value: object, place: str, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{place} must be an object")
    if names is not None and set(value) != set(names):
        raise ValueError(f"{place} must have exactly the keys {', '.join(names)}")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return made


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _written(records: Mapping[Key, Usage]) -> bytes:
    from json import dumps

    endpoints: dict[str, dict[str, dict[str, int | None]]] = {}
    for (endpoint, label), record in sorted(records.items()):
        endpoints.setdefault(endpoint, {})[label] = told_of(record)
    return dumps({"format": _FORMAT, "endpoints": endpoints}, indent=1).encode() + b"\n"
