"""Imports of verifiers that ``hookseal.compat`` stands in for, and what takes their place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from hookseal._cli._migrate._found import Found
from hookseal._cli._migrate._mirrors import MIRRORS, PEERS, Mirror, Versions
from hookseal._cli._migrate._names import (
    CHANGED,
    Names,
    aliases_of,
    is_guarded,
    parents_of,
    path_of,
)
from hookseal._cli._migrate._source import Edit, Source
from hookseal._cli._migrate._uses import last_name, named_as_text, unusual_uses

__all__ = ["imports"]

_CLASSES = frozenset().union(*(mirror.names for mirror in MIRRORS.values())) - {
    "hmac_data",
    "validate_event",
}

# A longer statement is broken, as formatters break it.
_LINE_LENGTH = 88

_FROM = re.compile(r"from[ \t]+([\w.]+)[ \t]+import\b")
# A comment that speaks of its own line alone.
_PRAGMA = re.compile(r"#.*\b(?:noqa|type:|pyright:|pylint:|nosec|pragma:|fmt:|isort:)")
_AS = re.compile(r"[\w.]+(?:[ \t]+as[ \t]+\w+)?")


def imports(source: Source, versions: Versions) -> Iterator[Found]:
    """The imports that can take another module, and the uses that stand against it."""
    reader = _Reader(source, versions)
    found = [one for node in ast.walk(source.tree) for one in reader.statement(node)]
    doubts = reader.doubts(found)
    for one in found:
        reasons = [*one.reasons, *(why for peer, why in doubts if peer == one.peer)]
        yield _told(source, one, reasons)
    yield from _in_strings(source)
    yield from _in_events(source)


class _Import(NamedTuple):
    """One statement that imports something mirrored."""

    node: ast.Import | ast.ImportFrom
    peer: str
    # What it says afterwards, for a suggestion.
    wanted: str
    # None where the statement is written in a way that is not rewritten.
    edit: Edit | None
    # Why it is not certain.
    reasons: list[str]


def _told(source: Source, one: _Import, reasons: list[str]) -> Found:
    node = one.node
    if one.edit is not None and not reasons:
        return Found(node.lineno, "import", f"`{one.wanted}`", (one.edit,))
    why = "; ".join(dict.fromkeys(reasons)) or "the statement is written in an unusual way"
    return Found(node.lineno, "import", f"could be `{one.wanted}`, but look first: {why}")


class _Reader:
    def __init__(self, source: Source, versions: Versions) -> None:
        self._source = source
        self._versions = versions
        self._names = Names(source.tree)
        self._parents = parents_of(source.tree)

    def statement(self, node: ast.AST) -> Iterator[_Import]:
        """What one statement imports that is mirrored."""
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from self._from(node, node.module or "")
        elif isinstance(node, ast.Import):
            yield from self._import(node)

    def doubts(self, found: list[_Import]) -> list[tuple[str, str]]:
        """Peers, and what in the whole file stands against a change of its imports."""
        doubts = []
        peers = {one.peer for one in found}
        for peer in peers:
            if (other := self._versions.vendored(peer, self._source.path)) is not None:
                doubts.append((peer, f"it may be {other} that is imported"))
        moved = {
            alias.asname or alias.name
            for one in found
            for alias in one.node.names
            if alias.name in _CLASSES
        }
        moved |= _CLASSES
        classes = {"Webhook"} | {
            alias.asname
            for one in found
            for alias in one.node.names
            if alias.name == "Webhook" and alias.asname is not None
        }
        webhooks = peers & {mirror.peer for mirror in MIRRORS.values() if "Webhook" in mirror.names}
        for why in unusual_uses(self._source.tree, self._parents, classes, self._names):
            doubts += [(peer, why) for peer in webhooks]
        for at, text, module in named_as_text(self._source.tree):
            doubts.append((MIRRORS[module].peer, f"line {at} names `{text}` as text"))
        for node in ast.walk(self._source.tree):
            name = last_name(node)
            for peer in peers:
                if name in PEERS[peer].private:
                    doubts.append((peer, f"line {_line(node)} reaches into it by `{name}`"))
                if isinstance(node, ast.ClassDef) and moved & set(map(last_name, node.bases)):
                    doubts.append((peer, f"line {node.lineno} derives a class from it"))
                if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                    path = path_of(node)
                    if path and moved & set(path[:-1]):
                        doubts.append((peer, f"line {node.lineno} changes `{'.'.join(path)}`"))
        if "svix" in peers and self._versions.module("svix") == PEERS["svix"].series["2"]:
            line = self._names.line_with_result()
            if line is not None:
                why = "svix 2 is installed, whose verify returns None"
                why += f", and line {line} uses the result: if that is of svix 1, say --svix 1"
                doubts.append(("svix", why))
        return doubts

    def _target(self, module: str, reasons: list[str]) -> str:
        """The counterpart of a module; why there is none to be sure of goes to ``reasons``."""
        mirror = MIRRORS[module]
        by = self._versions.module(mirror.peer)
        if by is None:
            reasons.append(self._versions.reason(mirror.peer))
            by = next(iter(PEERS[mirror.peer].series.values()))
        return by + mirror.path

    def _from(self, node: ast.ImportFrom, module: str) -> Iterator[_Import]:
        # A module that is imported by its name is one whose uses say what of it is wanted.
        within = {
            alias.name: f"{module}.{alias.name}"
            for alias in node.names
            if f"{module}.{alias.name}" in MIRRORS
        }
        mirror = MIRRORS.get(module)
        if mirror is None and not within:
            return
        peer = MIRRORS[next(iter(within.values()))].peer if mirror is None else mirror.peer
        reasons = self._reasons(node)
        stay: list[str] = []
        groups: dict[str, list[str]] = {}
        for alias in node.names:
            told = _alias(alias)
            if alias.name in within:
                inner = within[alias.name]
                if not self._is_used_of(alias.asname or alias.name, inner, reasons):
                    stay.append(told)
                    continue
                package, _, last = self._target(inner, reasons).rpartition(".")
                bound = alias.asname or alias.name
                named = last if last == bound else f"{last} as {bound}"
                groups.setdefault(package, []).append(named)
            elif mirror is not None and (alias.name in mirror.names or self._is_all(alias, mirror)):
                if alias.name == "*" and not mirror.is_whole:
                    reasons.append(f"`*` is more of {module} than there is a counterpart of")
                groups.setdefault(self._target(module, reasons), []).append(told)
            else:
                stay.append(told)
        if not groups:
            return
        parts = [(module, stay)] if stay else []
        parts += groups.items()
        yield _Import(node, peer, _flat(parts), self._rewritten(node, parts), reasons)

    def _is_all(self, alias: ast.alias, mirror: Mirror) -> bool:
        return alias.name == "*" and any(map(self._names.uses_of, mirror.names))

    def _import(self, node: ast.Import) -> Iterator[_Import]:
        for alias in node.names:
            module = alias.name
            package = module.partition(".")[0]
            if module not in MIRRORS and module not in PEERS:
                continue
            bound = alias.asname or package
            of = module if alias.asname else package
            reasons = self._reasons(node)
            if not self._is_used_of(bound, of, reasons):
                continue
            if alias.asname is None and (other := self._names.line_that_imports_below(package)):
                reasons.append(f"line {other} imports more of {package} under the same name")
            if of not in MIRRORS:
                # `import gidgethub.sansio` binds the package, which has no counterpart.
                yield self._by_hand(node, package, bound, of)
                continue
            by = self._target(of, reasons)
            new = f"{by} as {bound}"
            edit = None
            if _AS.fullmatch(self._source.segment(alias)):
                edit = Edit(self._source.start(alias), self._source.end(alias), new)
            wanted = f"import {new}"
            parent, _, last = by.rpartition(".")
            if len(node.names) == 1:
                named = last if last == bound else f"{last} as {bound}"
                wanted = f"from {parent} import {named}"
                edit = Edit(self._source.start(node), self._source.end(node), wanted)
            yield _Import(node, MIRRORS[of].peer, wanted, edit, reasons)

    def _by_hand(self, node: ast.Import, peer: str, bound: str, of: str) -> _Import:
        reasons: list[str] = []
        uses = sorted(
            {(line, path) for line, path, is_mirrored in self._uses(bound, of) if is_mirrored}
        )
        where = ", ".join(f"line {line}: `{path}`" for line, path in uses)
        module = next(iter(MIRRORS[one] for one in MIRRORS if MIRRORS[one].peer == peer))
        by = self._versions.module(peer) or next(iter(PEERS[peer].series.values()))
        name = sorted(module.names)[0]
        reasons.append(f"it would take the place of {where}")
        return _Import(node, peer, f"from {by} import {name}", None, reasons)

    def _reasons(self, node: ast.Import | ast.ImportFrom) -> list[str]:
        if is_guarded(node, self._parents):
            return ["another import takes its place where it fails"]
        return []

    def _is_used_of(self, bound: str, module: str, reasons: list[str]) -> bool:
        """Whether a name of a module is used for what is mirrored; doubts go to ``reasons``."""
        uses = list(self._uses(bound, module))
        is_whole = module in MIRRORS and PEERS[MIRRORS[module].peer].is_whole
        if not is_whole and not any(is_mirrored for _, _, is_mirrored in uses):
            return False
        others = [(line, path) for line, path, is_mirrored in uses if not is_mirrored]
        reasons += [f"line {line} uses `{path}`" for line, path in sorted(set(others))]
        if (line := self._names.line_that_binds_also(bound, module)) is not None:
            reasons.append(f"line {line} gives the name `{bound}` to something else")
        return True

    def _uses(self, bound: str, module: str) -> Iterator[tuple[int, str, bool]]:
        """Line and path of each use of a name that is a module's, and whether that is mirrored."""
        for line, path in self._names.uses_of(bound):
            at = module
            is_mirrored = False
            for attribute in path:
                inner = f"{at}.{attribute}"
                if inner in MIRRORS:
                    at = inner
                    continue
                is_mirrored = at in MIRRORS and attribute in MIRRORS[at].names
                break
            is_changed = path[-1:] == (CHANGED,)
            shown = ".".join([bound, *(path[:-1] if is_changed else path)])
            yield line, shown, is_mirrored and not is_changed

    def _rewritten(self, node: ast.ImportFrom, parts: list[tuple[str, list[str]]]) -> Edit | None:
        source = self._source
        segment, start = source.segment(node), source.start(node)
        match = _FROM.match(segment)
        if match is None:
            return None
        ((module, names), *more) = parts
        is_as_it_was = names == [_alias(alias) for alias in node.names]
        if not more and is_as_it_was:
            # All of it moves: the names stay as they are written.
            return Edit(start + match.start(1), start + match.end(1), module)
        before = source.text[:start].replace("\r", "\n").rpartition("\n")[2]
        after = source.line(node.end_lineno or 0).encode()[node.end_col_offset :].decode()
        if "#" in segment or before.strip() or after.strip()[:1] not in ("", "#"):
            return None
        is_continued = node.lineno > 1 and source.line(node.lineno - 1).endswith("\\")
        if is_continued or _PRAGMA.search(after):
            return None
        end = source.line_end(node.lineno)
        lines = [line for part in parts for line in _lines(*part, len(before))]
        return Edit(start, source.end(node), f"{end}{before}".join(lines))


def _lines(module: str, names: list[str], indented: int) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    if indented + len(line) <= _LINE_LENGTH:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]


def _flat(parts: list[tuple[str, list[str]]]) -> str:
    return "; ".join(f"from {module} import {', '.join(names)}" for module, names in parts)


def _alias(alias: ast.alias) -> str:
    return alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _in_strings(source: Source) -> Iterator[Found]:
    for line, text, _ in named_as_text(source.tree):
        words = f"`{text}` is named as text here, which stays what it is: look at it"
        yield Found(line, "import", words)


def _in_events(source: Source) -> Iterator[Found]:
    """Calls of gidgethub that verify and parse in one."""
    aliases = aliases_of(source.tree)
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not (path := path_of(node.func)):
            continue
        named = ".".join([aliases.get(path[0], path[0]), *path[1:]])
        has_secret = any(keyword.arg == "secret" for keyword in node.keywords)
        if named == "gidgethub.sansio.Event.from_http" and has_secret:
            words = "`from_http` verifies where it has a secret: `validate_event` of"
            words += " hookseal.compat.github can come before it, which then has none"
            yield Found(node.lineno, "import", words)
