"""Plots as SVG, written in plain Python: bars side by side, and lines over a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH = 860
LINE_HEIGHT = 22
FONT = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
INK, PALE = "#24292f", "#d0d7de"
# Told apart by readers who see no red or no green (Okabe and Ito).
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#000000", "#56b4e9")


@dataclass
class Drawing:
    """Shapes, in pixels from the upper left corner."""

    height: float
    shapes: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, words: str, *, anchor: str = "start", **more: str) -> None:
        """One line; `anchor` says which end of it is at the place."""
        self.add("text", words, x=x, y=y, text_anchor=anchor, **more)

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str) -> None:
        """A thin one."""
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour)

    def add(self, shape: str, words: str = "", **attributes: float | str) -> None:
        """Any shape; underscores in names stand for hyphens."""
        parts = [f"<{shape}"]
        for name, value in attributes.items():
            written = value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
            parts.append(f'{name.replace("_", "-")}="{escape(written)}"')
        self.shapes.append(" ".join(parts) + (f">{escape(words)}</{shape}>" if words else "/>"))

    def __str__(self) -> str:
        size = f'width="{WIDTH}" height="{self.height:g}" viewBox="0 0 {WIDTH} {self.height:g}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}"'
                f' font-size="13" fill="{INK}">',
                f'<rect width="{WIDTH}" height="{self.height:g}" fill="#ffffff"/>',
                *self.shapes,
                "</svg>\n",
            ]
        )


def bars(title: str, note: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Horizontal bars: for each row one of each kind, with its value behind it."""
    kinds = list(dict.fromkeys(kind for row in rows.values() for kind in row))
    top, left, right = 84.0, 215.0, 90.0
    thick = 15.0
    row_height = thick * len(kinds) + 12
    drawing = Drawing(top + row_height * len(rows) + 8)
    _head(drawing, title, note)
    x = 20.0
    for kind, colour in zip(kinds, COLOURS, strict=False):
        drawing.add("rect", x=x, y=60, width=12, height=12, fill=colour)
        drawing.text(x + 18, 71, kind)
        x += 40 + 7 * len(kind)
    most = max(value for row in rows.values() for value in row.values())
    scale = (WIDTH - left - right) / most
    y = top
    for name, row in rows.items():
        middle = y + thick * len(kinds) / 2 + 4
        drawing.text(left - 10, middle, name, anchor="end")
        for at, (kind, colour) in enumerate(zip(kinds, COLOURS, strict=False)):
            if kind in row:
                long, up = row[kind] * scale, y + at * thick
                drawing.add("rect", x=left, y=up, width=long, height=thick - 2, fill=colour)
                drawing.text(left + long + 6, up + 11, f"{row[kind]:,.0f}")
        y += row_height
    return str(drawing)


@dataclass(frozen=True)
class Curve:
    """Values by size; a bound is drawn dashed, in the colour of what it bounds."""

    name: str
    points: Sequence[tuple[float, float]]
    bounds: str | None = None


def curves(title: str, note: str, names: Mapping[float, str], drawn: Sequence[Curve]) -> str:
    """Lines over sizes, each double the last; `names` are what is written below the axis."""
    top, left, right, below = 66.0, 60.0, 210.0, 44.0
    drawing = Drawing(440)
    _head(drawing, title, note)
    low, high = math.log2(min(names)), math.log2(max(names))
    most = math.ceil(max(y for curve in drawn for _, y in curve.points) * 2) / 2
    floor = drawing.height - below

    def across(size: float) -> float:
        return left + (math.log2(size) - low) / ((high - low) or 1) * (WIDTH - left - right)

    def up(value: float) -> float:
        return floor - value / most * (floor - top)

    for step in range(int(most * 2) + 1):
        drawing.line(left, up(step / 2), WIDTH - right, up(step / 2), PALE)
        drawing.text(left - 8, up(step / 2) + 4, f"{step / 2:g}", anchor="end")
    for size, name in names.items():
        drawing.text(across(size), floor + 20, name, anchor="middle", font_size="11")
    solid = [curve.name for curve in drawn if curve.bounds is None]
    labels = []
    for curve in drawn:
        colour = COLOURS[solid.index(curve.bounds or curve.name) % len(COLOURS)]
        points = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in curve.points)
        dashes = {"stroke_dasharray": "6 4"} if curve.bounds else {}
        style = {"fill": "none", "stroke": colour, "stroke_width": "1.5" if curve.bounds else "2.5"}
        drawing.add("polyline", points=points, **style, **dashes)
        labels.append((up(curve.points[-1][1]) + 4, curve.name, colour))
    # Labels that would lie on each other move down.
    last = -math.inf
    for y, name, colour in sorted(labels):
        last = max(y, last + 15)
        drawing.text(WIDTH - right + 8, last, name, fill=colour)
    return str(drawing)


def _head(drawing: Drawing, title: str, note: str) -> None:
    drawing.text(20, 26, title, font_size="17", font_weight="600")
    drawing.text(20, 46, note, fill="#57606a")
