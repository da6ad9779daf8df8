"""Signatures that are checked by hand: a MAC of ``hmac``, compared with what was sent."""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hookseal._cli._migrate._names import aliases_of, each_function, path_of

__all__ = ["Check", "checks"]

_MACS = frozenset({"hmac.new", "hmac.digest", "hmac.HMAC"})
_COMPARES = frozenset(
    {
        "hmac.compare_digest",
        "secrets.compare_digest",
        "django.utils.crypto.constant_time_compare",
        "werkzeug.security.safe_str_cmp",
    }
)
# How deep a MAC may be wrapped in functions of the same file.
_DEPTH = 6

# What MACs in other trades are about; their checks are none of webhooks.
_ELSEWHERE = re.compile("cookie|csrf|jwt|password|passwd|session|totp|unsign", re.IGNORECASE)
_WEBHOOK = re.compile("webhook|signature|x_hub|hub_sig", re.IGNORECASE)
_HEADER = re.compile(r"(?:http[-_])?[a-z][a-z0-9]*(?:[-_][a-z0-9]+)+", re.IGNORECASE)
_SIGNS = re.compile("signature|hmac|token|digest|[-_]sig(?:[-_]|$)", re.IGNORECASE)
# "sha256=", "v1,", "sha256={}" of a signature's text.
_PREFIX = re.compile(r"([A-Za-z0-9-]{1,16}[=,])(?:\{.*\}|%s)?")


class Check(NamedTuple):
    """One check.

    Attributes:
        line: Where it compares.
        function: The function that it is in, or "".
        parameters: Those of the function.
        algorithm: "hmac-sha256", or "hmac-" and whatever it is; None if it cannot be seen.
            "token" where the secret itself is compared.
        encoding: "hex", "base64", or None.
        prefix: What stands before the encoded MAC, or "".
        headers: Names of headers that it could be about, as they are written.
        joins: How many pieces are signed together; 1 for the body alone.
        texts: The other strings of the function.
        is_equality: Whether ``==`` compares.
        dumps: Whether JSON is written anew for the MAC.
    """

    line: int
    function: str
    parameters: tuple[str, ...]
    algorithm: str | None
    encoding: str | None
    prefix: str
    headers: tuple[str, ...]
    joins: int
    texts: frozenset[str]
    is_equality: bool
    dumps: bool


def checks(tree: ast.Module) -> Iterator[Check]:
    """The checks of a module, one a function at most."""
    yield from _Module(tree).checks()


class _Scope(NamedTuple):
    """A function, or what of a module is in none."""

    name: str
    parameters: tuple[str, ...]
    nodes: list[ast.AST]
    values: dict[str, list[ast.expr]]


class _Module:
    def __init__(self, tree: ast.Module) -> None:
        self._aliases = aliases_of(tree)
        functions = [
            _scope(one.name, _parameters(one), [*one.body, *one.decorator_list, one.args])
            for one in each_function(tree)
        ]
        self._top = _scope("", (), tree.body)
        self._scopes = [*functions, self._top]
        # The functions that return a MAC, by name.
        self._made_by: dict[str, list[_Mac]] = {}

    def checks(self) -> Iterator[Check]:
        self._learn()
        for scope in self._scopes:
            for node in scope.nodes:
                check = self._check(scope, node)
                if check is not None:
                    yield check
                    break

    def _check(self, scope: _Scope, node: ast.AST) -> Check | None:
        sides = self._sides(node)
        if sides is None:
            return None
        macs = [mac for side in sides for mac in self._macs(side, scope)]
        if macs:
            return self._of_mac(scope, node, macs)
        return self._of_token(scope, node, sides)

    def _of_mac(self, scope: _Scope, node: ast.AST, macs: list[_Mac]) -> Check | None:
        near = self._near(scope, macs)
        texts = {text for one in near for text in self._texts(one)}
        headers = tuple(sorted(filter(_looks_like_header, texts)))
        names = {name for one in near for name in _names(one)}
        is_elsewhere = any(map(_ELSEWHERE.search, names | texts))
        if is_elsewhere or not (headers or any(map(_WEBHOOK.search, names | texts))):
            return None
        (call, within) = macs[0]
        prefixes = [match.group(1) for text in sorted(texts) if (match := _PREFIX.fullmatch(text))]
        message = self._message(call, within)
        attributes = {
            path[-1]
            for one in near
            for inner in one.nodes
            if isinstance(inner, ast.Attribute) and (path := path_of(inner) or (inner.attr,))
        }
        called = {name.rpartition(".")[2] for one in near for name in self._called(one)}
        encoding = "hex" if attributes & {"hexdigest", "hex", "hexlify"} else None
        if (attributes | called) & {"b64encode", "b2a_base64", "standard_b64encode", "encodebytes"}:
            encoding = "base64"
        return Check(
            line=int(getattr(node, "lineno", 0)),
            function=scope.name,
            parameters=scope.parameters,
            algorithm=self._algorithm(call),
            encoding=encoding,
            prefix=prefixes[0] if prefixes else "",
            headers=headers,
            joins=max(map(_joins, message), default=1),
            texts=frozenset(texts),
            is_equality=isinstance(node, ast.Compare),
            dumps="dumps" in attributes | called,
        )

    def _of_token(self, scope: _Scope, node: ast.AST, sides: list[ast.expr]) -> Check | None:
        behind = [value for side in sides for value in self._behind(side, scope)]
        # The name of a header on its own is compared with a name, not with a token.
        seen = [one for one in [*sides, *behind] if not isinstance(one, (ast.Constant, ast.Name))]
        texts = {text for side in seen for text in self._texts_of(ast.walk(side))}
        headers = tuple(sorted(filter(_looks_like_header, texts)))
        if not headers:
            return None
        return Check(
            line=int(getattr(node, "lineno", 0)),
            function=scope.name,
            parameters=scope.parameters,
            algorithm="token",
            encoding=None,
            prefix="",
            headers=headers,
            joins=0,
            texts=frozenset(texts),
            is_equality=isinstance(node, ast.Compare),
            dumps=False,
        )

    def _sides(self, node: ast.AST) -> list[ast.expr] | None:
        """What a comparison compares."""
        if isinstance(node, ast.Call) and len(node.args) == 2:
            return node.args if self._dotted(node.func) in _COMPARES else None
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            is_equality = isinstance(node.ops[0], (ast.Eq, ast.NotEq))
            return [node.left, *node.comparators] if is_equality else None
        return None

    def _macs(self, expression: ast.expr, scope: _Scope) -> list[_Mac]:
        """The calls that make a MAC of which the expression is made."""
        found: dict[int, _Mac] = {}
        seen: set[str] = set()
        waiting = deque(ast.walk(expression))
        while waiting:
            node = waiting.popleft()
            if isinstance(node, ast.Call):
                if self._dotted(node.func) in _MACS:
                    found[id(node)] = _Mac(node, scope)
                for mac in self._made_by.get(_called_name(node), []):
                    found[id(mac.call)] = mac
            elif isinstance(node, ast.Name) and node.id not in seen:
                seen.add(node.id)
                for value in self._behind(node, scope):
                    waiting += ast.walk(value)
        return list(found.values())

    def _learn(self) -> None:
        """Finds the functions that return a MAC, and those that return what these do."""
        for _ in range(_DEPTH):
            count = len(self._made_by)
            for scope in self._scopes:
                if scope.name and scope.name not in self._made_by:
                    made = [mac for value in _returned(scope) for mac in self._macs(value, scope)]
                    if made:
                        self._made_by[scope.name] = made
            if len(self._made_by) == count:
                return

    def _behind(self, expression: ast.expr, scope: _Scope) -> list[ast.expr]:
        """What the names of an expression were given."""
        names = [node.id for node in ast.walk(expression) if isinstance(node, ast.Name)]
        return [
            value
            for name in names
            for one in ([scope] if scope is self._top else [scope, self._top])
            for value in one.values.get(name, [])
        ]

    def _near(self, scope: _Scope, macs: list[_Mac]) -> list[_Scope]:
        """The functions that tell what a check is about: it, its helpers, and who calls it."""
        near = [scope, *(mac.scope for mac in macs)]
        if scope.name:
            near += [
                one
                for one in self._scopes
                if any(
                    isinstance(node, ast.Call) and _called_name(node) == scope.name
                    for node in one.nodes
                )
            ]
        unique = {id(one): one for one in near}
        # What stands outside of all functions is about everything.
        if scope is not self._top:
            unique.pop(id(self._top), None)
        return list(unique.values())

    def _texts(self, scope: _Scope) -> set[str]:
        return self._texts_of(scope.nodes) | ({scope.name} if scope.name else set())

    def _texts_of(self, nodes: Iterable[ast.AST]) -> set[str]:
        """The strings among nodes, and those that names of the module stand for."""
        texts = set()
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
                texts.add(_text(node.value))
            elif isinstance(node, ast.Name):
                for value in self._top.values.get(node.id, []):
                    if isinstance(value, ast.Constant) and isinstance(value.value, (str, bytes)):
                        texts.add(_text(value.value))
        return texts

    def _message(self, call: ast.Call, scope: _Scope) -> list[ast.expr]:
        """The expressions that a MAC is made over."""
        given = [*call.args[1:2], *(one.value for one in call.keywords if one.arg == "msg")]
        # new(key, digestmod=…) and update(…), as often as there are pieces.
        updates = [
            node.args[0]
            for node in scope.nodes
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "update"
            and node.args
        ]
        behind = [value for one in (given or updates) for value in self._behind(one, scope)]
        return [*given, *updates, *behind]

    def _algorithm(self, call: ast.Call) -> str | None:
        named = [one.value for one in call.keywords if one.arg in ("digestmod", "digest")]
        for value in [*named, *call.args[2:3]]:
            library, _, told = self._dotted(value).rpartition(".")
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                library, told = "hashlib", value.value
            if library == "hashlib":
                return f"hmac-{told.lower().replace('-', '')}"
        return None

    def _called(self, scope: _Scope) -> Iterator[str]:
        for node in scope.nodes:
            if isinstance(node, ast.Call):
                yield self._dotted(node.func)

    def _dotted(self, node: ast.AST) -> str:
        """The full name of what an expression names, by the module's imports."""
        path = path_of(node)
        if not path:
            return ""
        return ".".join([self._aliases.get(path[0], path[0]), *path[1:]])


class _Mac(NamedTuple):
    call: ast.Call
    scope: _Scope


def _scope(name: str, parameters: tuple[str, ...], body: list[ast.AST] | list[ast.stmt]) -> _Scope:
    """What is in a body, but not in the functions within it."""
    nodes: list[ast.AST] = []
    waiting = deque[ast.AST](body)
    while waiting:
        node = waiting.popleft()
        nodes.append(node)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
    values: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and node.value is not None:
                    values.setdefault(target.id, []).append(node.value)
    return _Scope(name, parameters, nodes, values)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    given = function.args
    return tuple(one.arg for one in [*given.posonlyargs, *given.args, *given.kwonlyargs])


def _returned(scope: _Scope) -> list[ast.expr]:
    return [one.value for one in scope.nodes if isinstance(one, ast.Return) and one.value]


def _called_name(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _names(scope: _Scope) -> set[str]:
    """The names that are written in a function, its own among them."""
    found = {scope.name, *scope.parameters}
    for node in scope.nodes:
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _looks_like_header(text: str) -> bool:
    is_name = len(text) <= 64 and _HEADER.fullmatch(text) is not None
    # A name with an underscore is one of Python, but for those of WSGI.
    is_header = "-" in text or text.upper().startswith("HTTP_")
    return is_name and is_header and _SIGNS.search(text) is not None


def _joins(expression: ast.expr) -> int:
    """How many pieces an expression puts together."""
    most = 1
    for node in ast.walk(expression):
        if isinstance(node, ast.JoinedStr):
            most = max(most, sum(isinstance(one, ast.FormattedValue) for one in node.values))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            most = max(most, len(_summands(node)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "format":
                most = max(most, len(node.args) + len(node.keywords))
            elif node.func.attr == "join" and node.args:
                inner = node.args[0]
                if isinstance(inner, (ast.List, ast.Tuple)):
                    most = max(most, len(inner.elts))
    return most


def _summands(node: ast.expr) -> list[ast.expr]:
    """The pieces of a sum that are not written in it."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _summands(node.left) + _summands(node.right)
    return [] if isinstance(node, ast.Constant) else [node]
