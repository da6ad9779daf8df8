"""What a run found, as tables for a person and as one JSON object for a program."""

from __future__ import annotations

from hookseal._cli import _implementation
from hookseal._cli._say import amount, printable
from hookseal._cli._tables import Table, rendered
from hookseal._verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Summary"]

# A service may have 20,000 tenants, and a person reads none of the rows after some dozens.
_ROWS_SHOWN = 40

_INCOMPLETE = "not everything was judged: these are the lines until then\n"


class Summary:
    """The counts of a run. docs/command-line.md describes each, under the same name."""

    def __init__(self, judge: Any, seconds: float, *, complete: bool) -> None:
        """Takes what the judge has counted."""
        self.verdicts: dict[Verdict, int] = judge.counts()
        self.messages: int = judge.messages
        self.valid = self.verdicts.get(Verdict.VALID, 0)
        self.broken: int = judge.broken
        self.refused = self.messages - self.valid - self.broken
        self.bytes: int = judge.bytes
        self.endpoints: list[tuple[str | None, int, int]] = judge.endpoints()
        self.secrets: list[tuple[str | None, str, int, int | None, int | None]] = judge.secrets()
        # A run too short to be measured is none of infinite speed.
        self.seconds = max(seconds, 1e-6)
        self.complete = complete

    def as_json(self) -> str:
        """One object on one line."""
        from json import dumps

        told = {
            **{name: getattr(self, name) for name in ("messages", "valid", "refused", "broken")},
            "bytes": self.bytes,
            "verdicts": {verdict.name: count for verdict, count in self.verdicts.items() if count},
            "endpoints": [
                dict(zip(("endpoint", "valid", "refused"), row, strict=True))
                for row in self.endpoints
            ],
            "secrets": [
                dict(zip(("endpoint", "label", "matched", "first", "last"), row, strict=True))
                for row in self.secrets
            ],
            "seconds": round(self.seconds, 6),
            "messages_per_second": round(self.messages / self.seconds, 1),
            "bytes_per_second": round(self.bytes / self.seconds, 1),
            "complete": self.complete,
            "implementation": "core" if _implementation.is_core() else "pure",
        }
        return dumps(told) + "\n"

    def as_text(self) -> str:
        """Tables, and a line with what there was in all."""
        if not self.messages:
            return "0 messages\n" + ("" if self.complete else _INCOMPLETE)
        tables = [self._verdicts(), self._endpoints(), self._secrets()]
        text = rendered([table for table in tables if table.rows])
        rates = f"{self.messages / self.seconds:,.0f} messages/s"
        rates += f", {amount(self.bytes / self.seconds)}/s"
        count = f"{self.messages:,} message{'' if self.messages == 1 else 's'}"
        text += f"{count}, {amount(self.bytes)} in {self.seconds:.3g} s: {rates}\n"
        if not self.complete:
            text += _INCOMPLETE
        return text

    def _verdicts(self) -> Table:
        counted = [
            (verdict.name, count) for verdict, count in sorted(self.verdicts.items()) if count
        ]
        if self.broken:
            counted.append(("broken lines", self.broken))
        rows = [(name, f"{count:,}", f"{count / self.messages:.1%}") for name, count in counted]
        return Table(("verdict", "messages", "share"), rows, "lrr")

    def _endpoints(self) -> Table:
        rows = [
            (_endpoint(name), f"{valid:,}", f"{refused:,}")
            for name, valid, refused in self.endpoints[:_ROWS_SHOWN]
        ]
        if len(self.endpoints) == 1 and self.endpoints[0][0] is None:
            rows = []  # Without a keyring there is nothing to tell apart.
        return Table(
            ("endpoint", "valid", "refused"), [*rows, *_more(len(self.endpoints), 3)], "lrr"
        )

    def _secrets(self) -> Table:
        shown = self.secrets[:_ROWS_SHOWN]
        rows = [
            (_endpoint(endpoint), printable(label), f"{matched:,}", _time(first), _time(last))
            for endpoint, label, matched, first, last in shown
        ]
        head, aligned = ("endpoint", "secret", "matched", "first", "last"), "llrll"
        rows += _more(len(self.secrets), 5)
        if all(endpoint is None for endpoint, *_ in self.secrets):
            return Table(head[1:], [row[1:] for row in rows], aligned[1:])
        return Table(head, rows, aligned)


def _more(count: int, columns: int) -> list[Any]:
    """A row for those that have no row."""
    if count <= _ROWS_SHOWN:
        return []
    return [(f"and {count - _ROWS_SHOWN:,} more (--json has all)", *[""] * (columns - 1))]


def _endpoint(name: str | None) -> str:
    return "(not in the keyring)" if name is None else printable(name)


def _time(second: int | None) -> str:
    if second is None:
        return "never"
    import time

    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(second))
