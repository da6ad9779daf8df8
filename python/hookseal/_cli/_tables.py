"""Tables: drawn by rich on a terminal, where it is installed and they fit; else plain columns.

No name and no digit is ever cut: a line that is too long for a terminal goes on in the next one.
"""

from __future__ import annotations

import sys

from hookseal._cli import _say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Table", "rendered"]

# Columns of a terminal in which every table has its own width.
_BOUNDLESS = 1_000_000


class Table:
    """Cells of printable text.

    Attributes:
        head: The names of the columns.
        rows: The cells.
        aligned: One letter a column: "l" for text, "r" for numbers.
    """

    def __init__(self, head: Sequence[str], rows: Sequence[Sequence[str]], aligned: str) -> None:
        self.head = head
        self.rows = rows
        self.aligned = aligned


def rendered(tables: Sequence[Table]) -> str:
    """The tables as text for stdout."""
    if _say.is_terminal(sys.stdout):
        try:
            drawn = _drawn(tables)
        except ImportError:
            drawn = None
        if drawn is not None:
            return drawn
    return "".join(f"{_plain(table)}\n" for table in tables)


def _plain(table: Table) -> str:
    lines = [table.head, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ""
    for line in lines:
        cells = [
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(line, widths, table.aligned, strict=True)
        ]
        text += "  ".join(cells).rstrip() + "\n"
    return text


def _drawn(tables: Sequence[Table]) -> str | None:
    """None if one of them is wider than the terminal: rich would fold and cut its cells."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(color_system="auto" if _say.has_colour() else None, highlight=False)
    drawings = []
    columns, console.width = console.width, _BOUNDLESS
    with console.capture() as captured:
        for table in tables:
            drawing = RichTable(box=SIMPLE_HEAD, pad_edge=False)
            drawings.append(drawing)
            for name, side in zip(table.head, table.aligned, strict=True):
                drawing.add_column(name, justify="right" if side == "r" else "left")
            for row in table.rows:
                # Text: in a str rich would look for its own markup.
                drawing.add_row(*map(Text, row))
            console.print(drawing)
    if any(console.measure(drawing).maximum > columns for drawing in drawings):
        return None
    return captured.get()
