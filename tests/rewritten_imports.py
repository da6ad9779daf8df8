"""What ``hookseal migrate`` finds in the imports of a text, and what it makes of them."""

from __future__ import annotations

from hookseal._cli._migrate._found import Found
from hookseal._cli._migrate._imports import imports
from hookseal._cli._migrate._mirrors import Versions
from hookseal._cli._migrate._source import Source


def found(text: str, svix: str | None = None) -> tuple[Source, list[Found]]:
    """A text as the source of a file, and what is found in it."""
    source = Source("a.py", text.encode())
    return source, list(imports(source, Versions(svix)))


def rewritten(text: str, svix: str | None = None) -> str:
    """A text with everything that is found in it rewritten, of which nothing may be left over."""
    source, all_found = found(text, svix)
    assert all_found
    assert all(one.edits for one in all_found), [one.text for one in all_found]
    after = source.edited([edit for one in all_found for edit in one.edits])
    assert after is not None
    return after.decode()
