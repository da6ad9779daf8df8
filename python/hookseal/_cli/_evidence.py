"""``--usage`` of ``verify-batch``: what a run saw, added to a usage file."""

from __future__ import annotations

from hookseal._cli._exit import IO_ERROR, USAGE, Fault, io_fault
from hookseal._cli._say import named
from hookseal._usage import Usage
from hookseal._usage_file import merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["require_usage_file", "save"]


def require_usage_file(path: str) -> None:
    """Sees to it that what is found can be added to the file, before an hour's work for nothing.

    Raises:
        Fault: It is no usage file, or cannot be written.
    """
    _merge(path, {}, USAGE)


def save(path: str, judge: Any) -> None:
    """Adds what a judge has counted.

    Raises:
        Fault: The file cannot be written any more.
    """
    rows = judge.secrets()
    seen = {
        (endpoint, label): Usage(matched, last, first)
        for endpoint, label, matched, first, last in rows
        if endpoint is not None
    }
    _merge(path, seen, IO_ERROR)


def _merge(path: str, seen: dict[tuple[str, str], Usage], status: int) -> None:
    try:
        merge(path, seen)
    except OSError as error:
        raise io_fault(f"cannot write the usage file {named(path)}", error, status) from None
    except ValueError as error:
        raise Fault(str(error), status) from None
