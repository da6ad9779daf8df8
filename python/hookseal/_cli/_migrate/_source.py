"""A Python source as bytes, text and syntax tree, and edits of it that keep every other byte."""

from __future__ import annotations

import ast
import codecs
import re
import tokenize
import warnings
from io import BytesIO
from itertools import groupby
from typing import NamedTuple

__all__ = ["Edit", "Source", "Unreadable"]

# Where Python's tokenizer ends a line.
_LINE_END = re.compile("\r\n|\r|\n")


class Unreadable(Exception):
    """Why a source cannot be judged, and the line, if there is one."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.line = line


class Edit(NamedTuple):
    """A piece of the text, and what takes its place."""

    start: int
    end: int
    text: str


class Source:
    """One file.

    Attributes:
        path: As it is shown.
        data: Its bytes.
        text: What they say, without a byte order mark; its line ends are as they came.
        tree: Its syntax.
    """

    def __init__(self, path: str, data: bytes) -> None:
        """Reads the bytes as Python would.

        Raises:
            Unreadable: They are no Python, or not in the encoding that they name.
        """
        self.path = path
        self.data = data
        self._mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            self._encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
            if self._mark:
                self._encoding = "utf-8"
            self.text = data[len(self._mark) :].decode(self._encoding)
        except (SyntaxError, UnicodeDecodeError, LookupError):
            # The errors' own words show what stands there.
            raise Unreadable("its encoding is unknown, or not that of its bytes") from None
        self.tree = _parsed(self.text)
        ends = [match.end() for match in _LINE_END.finditer(self.text)]
        self._starts = [0, *ends]

    def start(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Where in the text a node begins."""
        return self._place(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Where in the text it ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._place(node.end_lineno, node.end_col_offset)

    def segment(self, node: ast.expr | ast.stmt | ast.alias) -> str:
        """The text of a node."""
        return self.text[self.start(node) : self.end(node)]

    def line(self, number: int) -> str:
        """The text of a line, from 1, without its end."""
        return self._whole_line(number).rstrip("\r\n")

    def line_end(self, number: int) -> str:
        """How a line ends; a last line as most do."""
        match = _LINE_END.search(self._whole_line(number))
        return "\n" if match is None else match.group()

    def edited(self, edits: list[Edit]) -> bytes | None:
        """The bytes after some edits; None if that cannot be done without a doubt.

        The result has the same encoding and byte order mark, is Python, and differs in nothing
        but its imports.
        """
        text, at = "", 0
        for edit in sorted(edits):
            assert edit.start >= at, "edits do not overlap"
            text += self.text[at : edit.start] + edit.text
            at = edit.end
        text += self.text[at:]
        if self._mark + self.text.encode(self._encoding) != self.data:
            return None  # An encoding with two spellings of one text.
        try:
            is_same = _without_imports(text) == _without_imports(self.text)
        except (Unreadable, RecursionError):
            return None
        if not is_same:
            return None
        return self._mark + text.encode(self._encoding)

    def _place(self, line: int, column: int) -> int:
        # Columns are counted in bytes of UTF-8, whatever the file's encoding.
        start = self._starts[line - 1]
        if column == 0:
            return start
        return start + len(self._whole_line(line).encode()[:column].decode())

    def _whole_line(self, number: int) -> str:
        # Python 3.11 counts lines within f-strings in its own way.
        number = min(max(number, 1), len(self._starts))
        ends = [*self._starts[number : number + 1], len(self.text)]
        return self.text[self._starts[number - 1] : ends[0]]


def _parsed(text: str) -> ast.Module:
    fault: SyntaxError | None = None
    try:
        with warnings.catch_warnings():
            # What the file's author should know of it is not ours to say.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        fault = error
    except (RecursionError, MemoryError):
        raise Unreadable("it is nested too deeply to be read") from None
    except ValueError:  # A NUL, an integer of thousands of digits, a lone surrogate.
        raise Unreadable("it is no Python source") from None
    raise Unreadable(f"syntax error: {fault.msg}", fault.lineno)


def _without_imports(text: str) -> str:
    # Parsed anew: what goes through a tree without its imports changes it.
    return ast.dump(_Blank().visit(_parsed(text)))


class _Blank(ast.NodeTransformer):
    """Has one mark in the place of each run of imports: what is an import stays where it is."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                kept: list[ast.AST] = []
                for is_import, run in groupby(statements, lambda one: isinstance(one, _Imports)):
                    # At once: groupby forgets a run when it goes on to the next.
                    several = list(run)
                    kept += several[:1] if is_import else several
                setattr(node, name, kept)
        return node

    def visit_Import(self, node: ast.Import) -> _Imports:
        return _Imports()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> _Imports:
        return _Imports()


class _Imports(ast.stmt):
    """The mark."""
