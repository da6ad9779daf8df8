"""Uses of a class of the originals that a drop-in may not bear."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hookseal._cli._migrate._mirrors import MIRRORS
from hookseal._cli._migrate._names import CHANGED, Names, path_of

__all__ = ["last_name", "named_as_text", "unusual_uses"]

# What of a Webhook is looked at by the originals, and replaced in programs.
_METHODS = frozenset({"sign", "verify", "hmac_data"})
_REPLACE = frozenset({"setattr", "delattr", "patch", "object", "multiple", "setitem"})
_COPY = frozenset({"copy", "deepcopy", "dumps", "dump"})
# Calls that ask of what class something is.
_ASK = frozenset({"isinstance", "issubclass"})
# Calls that take the name of a module, or of something in it, as text.
_BY_NAME = frozenset({"import_module", "__import__", "importorskip", "patch", "setattr", "setitem"})


def unusual_uses(
    tree: ast.Module, parents: dict[ast.AST, ast.AST], classes: set[str], names: Names
) -> Iterator[str]:
    """What a file does with a class beyond making objects of it and calling them.

    Args:
        tree: The file.
        parents: The node that each node stands in.
        classes: The names that the class has here.
        names: The names of the file.

    Returns:
        Why the class may not be replaced without a look, with lines.
    """
    made = names.made_of(classes)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and last_name(node) in classes:
            if isinstance(node.ctx, ast.Load) and not _is_usual(node, parents):
                yield f"line {node.lineno} hands on `{'.'.join(path_of(node)) or last_name(node)}`"
        elif isinstance(node, ast.Attribute) and node.attr in _METHODS:
            if not isinstance(node.ctx, ast.Load):
                yield f"line {node.lineno} changes `{'.'.join(path_of(node)) or node.attr}`"
        elif isinstance(node, ast.Call):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            called = last_name(node.func)
            texts = {last_name(one) for one in values if isinstance(one, ast.Constant)}
            texts |= {keyword.arg for keyword in node.keywords}
            if called in _REPLACE and (replaced := sorted(_METHODS & texts, key=str)):
                yield f"line {node.lineno} replaces `{replaced[0]}`"
            if called in _COPY and any(_is_made(one, classes, made) for one in values):
                yield f"line {node.lineno} copies or pickles a `Webhook`"


def named_as_text(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Calls that name a mirrored module, or something in it, as text: ``mock.patch`` and others.

    Returns:
        Line, text, and the module.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or last_name(node.func) not in _BY_NAME:
            continue
        values = [*node.args[:2], *(keyword.value for keyword in node.keywords)]
        for value in values:
            text = last_name(value) if isinstance(value, ast.Constant) else None
            if text is not None and (module := _module_of(text)) is not None:
                yield node.lineno, text, module


def last_name(node: ast.AST) -> str | None:
    """What a node is called, or says where it is a text."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return node.name
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _module_of(text: str) -> str | None:
    """The mirrored module that a dotted name is, or is directly in, or goes through."""
    if text in MIRRORS:
        return text
    parts = text.split(".")
    for count in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:count])
        if module in MIRRORS and (count == len(parts) - 1 or parts[count] in MIRRORS[module].names):
            return module
    return None


def _is_usual(node: ast.expr, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a class is called, asked for, derived, or named in an annotation."""
    child: ast.AST = node
    while not isinstance(child, ast.stmt):
        parent = parents[child]
        if isinstance(parent, ast.Call) and child is node:
            return parent.func is node or last_name(parent.func) in _ASK
        if isinstance(parent, ast.arg) or _annotates(parent, child):
            return True
        if isinstance(parent, ast.ClassDef):
            # A class that is derived is a doubt of its own.
            return child in parent.bases
        child = parent
    return False


def _annotates(parent: ast.AST, child: ast.AST) -> bool:
    if isinstance(parent, ast.AnnAssign):
        return child is parent.annotation
    if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return child is parent.returns
    return isinstance(parent, ast.Subscript) and child is parent.slice


def _is_made(node: ast.expr, classes: set[str], made: set[str]) -> bool:
    if isinstance(node, ast.Call):
        return last_name(node.func) in classes
    path = path_of(node)
    return bool(path) and path[-1] != CHANGED and path[-1] in made
