"""Names in a module, without a thought of scopes: whoever asks wants to hear of every doubt."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hookseal._cli._migrate._mirrors import MIRRORS

__all__ = [
    "CHANGED",
    "Names",
    "aliases_of",
    "each_function",
    "is_guarded",
    "parents_of",
    "path_of",
]


class Names:
    """Where each name is bound and used."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        # The line, and the module or the member of one, where it is an import.
        self._bound: dict[str, list[tuple[int, str | None]]] = {}
        self._used: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        for node in ast.walk(tree):
            self._bind(node)
        self._use(tree)

    def uses_of(self, name: str) -> list[tuple[int, tuple[str, ...]]]:
        """Line and attributes of each use: ``a.b.c`` is a use of ``a`` with ``("b", "c")``."""
        return self._used.get(name, [])

    def line_that_binds_also(self, name: str, module: str) -> int | None:
        """A line that gives the name another meaning than a module, if there is one."""
        lines = [line for line, what in self._bound.get(name, []) if what != module]
        return min(lines, default=None)

    def line_with_result(self) -> int | None:
        """A line that uses what ``verify`` of a ``Webhook`` returns, if there is one."""
        made = {"Webhook"} | self.made_of({"Webhook"})
        ignored = {
            id(node.value.value if isinstance(node.value, ast.Await) else node.value)
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Expr)
        }
        for node in ast.walk(self._tree):
            if not isinstance(node, ast.Call) or id(node) in ignored:
                continue
            func = node.func
            if isinstance(func, ast.Attribute) and func.attr == "verify":
                path = path_of(func.value)
                if _makes(func.value, {"Webhook"}) or (path and path[-1] in made):
                    return node.lineno
        return None

    def made_of(self, classes: set[str]) -> set[str]:
        """The names, without what they are attributes of, that are given an object of a class."""
        made: set[str] = set()
        for node in ast.walk(self._tree):
            if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
                continue
            if _makes(node.value, classes):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                made |= {path[-1] for path in map(path_of, targets) if path}
        return made

    def line_that_imports_below(self, package: str) -> int | None:
        """A line that binds a package by the import of a module in it that is not mirrored."""
        lines = [
            node.lineno
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.asname is None
            and alias.name.startswith(f"{package}.")
            and alias.name not in MIRRORS
        ]
        return min(lines, default=None)

    def _bind(self, node: ast.AST) -> None:
        name: str | None = None
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, _NAMED):
            name = node.name
        elif isinstance(node, ast.MatchMapping):
            name = node.rest
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for bound, what in _imported(node):
                self._bound.setdefault(bound, []).append((node.lineno, what))
        if name is not None:
            self._bound.setdefault(name, []).append((getattr(node, "lineno", 0), None))

    def _use(self, tree: ast.Module) -> None:
        inner: set[int] = set()
        for node in ast.walk(tree):
            if id(node) in inner or not isinstance(node, (ast.Attribute, ast.Name)):
                continue
            (name, *attributes) = path_of(node) or ("",)
            below: ast.expr = node
            while isinstance(below, ast.Attribute):
                below = below.value
                inner.add(id(below))
            if not isinstance(node.ctx, ast.Load):
                if not attributes:
                    continue  # That is no use of what it was.
                attributes.append(CHANGED)
            self._used.setdefault(name, []).append((node.lineno, tuple(attributes)))


_NAMED = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
)

# The last of the attributes where one of them is given another value, or deleted.
CHANGED = "="


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The names that an import binds, and what each is a name of."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield alias.asname or alias.name, f"{module}.{alias.name}"
        elif alias.asname is not None:
            yield alias.asname, alias.name
        else:
            package = alias.name.partition(".")[0]
            yield package, package


def path_of(node: ast.AST) -> tuple[str, ...]:
    """``a.b.c`` as its parts; empty for what is no such path."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ()
    return (node.id, *reversed(parts))


def aliases_of(tree: ast.Module) -> dict[str, str]:
    """The full names of what imports bind under another one."""
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {one.asname: one.name for one in node.names if one.asname}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            aliases |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return aliases


def parents_of(tree: ast.Module) -> dict[ast.AST, ast.AST]:
    """The node that each node stands in."""
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def is_guarded(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether it is said what to do where an import fails: in a ``try``, or with ``suppress``."""
    while node in parents:
        node = parents[node]
        if isinstance(node, (ast.Try, ast.TryStar)) and any(map(_catches_imports, node.handlers)):
            return True
        if isinstance(node, ast.With) and any(_suppresses(item) for item in node.items):
            return True
    return False


def _suppresses(item: ast.withitem) -> bool:
    called = item.context_expr
    return isinstance(called, ast.Call) and path_of(called.func)[-1:] == ("suppress",)


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    names = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    if handler.type is None:
        return True
    return any(isinstance(one, ast.Name) and one.id in names for one in ast.walk(handler.type))


def _makes(node: ast.expr | None, classes: set[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    path = path_of(node.func)
    return bool(path) and path[-1] in classes


def each_function(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, methods too."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
