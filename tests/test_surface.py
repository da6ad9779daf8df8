"""The public surface: names, signatures, docstrings, and what the twin and the binary share."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hookseal
import hookseal.pure
from hookseal import Verdict
from tests.implementations import BODY, NOW, SECRET, signed

PACKAGE = Path(hookseal.__file__).parent
STUB = PACKAGE / "_core.pyi"

HOT = ["BatchResult", "Keyring", "MemoryReplayGuard", "Secret", "Signer", "Verified", "Verifier"]
# In the core, and where that is absent in a file of its own: one class for both implementations.
MESSAGE = "Message"
# What the command alone uses: in the core and the twin, and exported by neither package.
LINES = ["LineJudge", "LineReport"]
# The classes behind hookseal.compat: in the core and the twin, and made to be subclassed.
MIRRORED = ["MirroredWebhook", "StandardWebhook", "Svix1Webhook", "SvixWebhook"]


def test_all() -> None:
    assert hookseal.__all__ == sorted(hookseal.__all__)
    assert len(set(hookseal.__all__)) == len(hookseal.__all__)
    for name in hookseal.__all__:
        assert hasattr(hookseal, name)
    public = {name for name in vars(hookseal) if not name.startswith("_")}
    # Submodules that were imported, and the two names of type checking.
    allowed = {"annotations", "TYPE_CHECKING", "compat", "pure", "types", "schemes"}
    assert public - allowed == set(hookseal.__all__) - {"__version__", "schemes"}


def test_every_scheme_has_a_name_that_type_checkers_know() -> None:
    names = [name.upper().replace("-", "_") for name in hookseal.schemes.names()]
    assert hookseal.schemes.__all__ == [*names, "get", "names"]
    tree = ast.parse((PACKAGE / "schemes.py").read_text(encoding="utf-8"))
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    annotated = [node.target for node in block.body if isinstance(node, ast.AnnAssign)]
    assert [node.id for node in annotated if isinstance(node, ast.Name)] == names


def test_the_lines_are_not_exported() -> None:
    for module in (hookseal, hookseal.pure):
        assert not {name for name in LINES if hasattr(module, name)}


def test_the_twin_has_the_same_names() -> None:
    assert hookseal.pure.__all__ == hookseal.__all__
    for name in hookseal.pure.__all__:
        ours, theirs = getattr(hookseal, name), getattr(hookseal.pure, name)
        assert (ours == theirs) is (name not in [*HOT, "kernel"]), name


def test_submodules_say_what_they_export() -> None:
    import hookseal.types

    for module in (hookseal.schemes, hookseal.types, hookseal._errors):
        assert module.__all__ == sorted(module.__all__)
        for name in module.__all__:
            assert hasattr(module, name), name


def test_version() -> None:
    from importlib.metadata import version

    assert hookseal.__version__ == version("hookseal")
    assert (PACKAGE / "py.typed").exists()


def test_an_unknown_name() -> None:
    unknown = [(hookseal, "Webhook"), (hookseal, "verifier"), (hookseal.pure, "Webhook")]
    unknown += [(hookseal.schemes, name) for name in ("NO_SUCH", "uplift", "Uplift", "")]
    for module, name in unknown:
        with pytest.raises(AttributeError):
            getattr(module, name)


@pytest.mark.parametrize("name", ["hookseal", "hookseal.pure"])
def test_import_is_light(name: str) -> None:
    """A fresh interpreter, without site: only what the package itself asks for."""
    heavy = ["argparse", "asyncio", "dataclasses", "hashlib", "hmac", "inspect", "json", "secrets"]
    # Plain Python has to hash with something; typing's and threading's own imports are theirs.
    allowed = {"hashlib", "hmac"} if name == "hookseal.pure" else set()
    script = (
        f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); before = set(sys.modules)\n"
        f"import {name}\n"
        f"print(*sorted(set({heavy!r}) & (set(sys.modules) - before)))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert set(run.stdout.split()) - allowed == set()


def test_verifying_imports_nothing_heavy() -> None:
    """Neither does the core's work."""
    script = (
        f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
        "import hookseal; v = hookseal.Verifier('k', scheme='github')\n"
        "v.check(b'', {}); v.verify_batch([(b'', {})]); hookseal.Signer('k', scheme='github')\n"
        "heavy = {'argparse', 'asyncio', 'dataclasses', 'hashlib', 'hmac', 'inspect', 'json',"
        " 'secrets'}\nprint(*heavy & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == []


# The stub, the twin, the binary.


def _classes(file: Path) -> dict[str, ast.ClassDef]:
    # A TypeVar in the form of Python 3.12 stands for one of Python 3.11, which cannot parse it.
    source = re.sub(r"(def \w+)\[T\]", r"\1", file.read_text(encoding="utf-8"))
    body = ast.parse(source).body
    return {node.name: node for node in body if isinstance(node, ast.ClassDef)}


def _functions(cls: ast.ClassDef) -> dict[str, list[ast.FunctionDef]]:
    found: dict[str, list[ast.FunctionDef]] = {}
    for node in cls.body:
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, []).append(node)
    return found


def _signature(function: ast.FunctionDef) -> Any:
    """Decorators, parameters with their kinds, defaults and types, and what is returned."""

    def text(node: ast.AST | None) -> str | None:
        return None if node is None else ast.unparse(node).replace('"', "")

    def named(arguments: list[ast.arg]) -> list[Any]:
        return [
            (one.arg, None if one.arg in {"self", "cls"} else text(one.annotation))
            for one in arguments
        ]

    a = function.args
    return {
        # What a call leaves in its traceback is no part of what it takes.
        "decorators": [text(node) for node in function.decorator_list if text(node) != "discreet"],
        "positional-only": named(a.posonlyargs),
        "positional": named(a.args),
        "keyword-only": named(a.kwonlyargs),
        "star": [named([one]) for one in (a.vararg, a.kwarg) if one],
        "defaults": [text(node) for node in a.defaults],
        "keyword-defaults": [text(node) for node in a.kw_defaults],
        "returns": text(function.returns),
    }


def _public(name: str) -> bool:
    return not name.startswith("_") or name in {
        "__new__",
        "__init__",
        "__len__",
        "__getitem__",
        "__iter__",
        "__reversed__",
        "__contains__",
        "__bool__",
    }


def _twin_classes() -> dict[str, ast.ClassDef]:
    found = {}
    for name in HOT:
        file = Path(inspect.getfile(getattr(hookseal.pure, name)))
        found[name] = _classes(file)[name]
    others = _classes(PACKAGE / "pure" / "_lines.py") | _classes(PACKAGE / "pure" / "_mirror.py")
    found[MESSAGE] = _classes(PACKAGE / "_message_twin.py")[MESSAGE]
    return found | {name: others[name] for name in LINES + MIRRORED}


@pytest.mark.parametrize("name", [*HOT, MESSAGE, *LINES, *MIRRORED])
def test_the_stub_is_the_twin(name: str) -> None:
    stub = _functions(_classes(STUB)[name])
    twin = {
        method: functions
        for method, functions in _functions(_twin_classes()[name]).items()
        if _public(method)
    }
    assert list(stub) == list(twin)
    for method, functions in stub.items():
        theirs = twin[method]
        if len(functions) > 1:  # the implementation behind the overloads
            theirs = theirs[:-1]
        wanted = [_signature(function) for function in functions]
        assert [_signature(function) for function in theirs] == wanted, method


def test_the_stub_has_the_hot_classes() -> None:
    stub = _classes(STUB)
    assert sorted(stub) == sorted([*HOT, MESSAGE, *LINES, *MIRRORED])
    for name, cls in stub.items():
        decorators = [ast.unparse(node) for node in cls.decorator_list]
        wanted = ["final"]
        if name in {MESSAGE, "MirroredWebhook"}:
            wanted = ["disjoint_base"]
        elif name in MIRRORED:
            wanted = []
        assert decorators == wanted, name


needs_core = pytest.mark.skipif(
    importlib.util.find_spec("hookseal._core") is None, reason="hookseal._core is not built"
)


@needs_core
@pytest.mark.parametrize("name", [*HOT, MESSAGE, *LINES, *MIRRORED])
def test_the_binary_is_the_stub(name: str) -> None:
    """Names, kinds and defaults, as ``inspect`` and ``help`` see them."""
    import hookseal._core

    cls = getattr(hookseal._core, name)
    functions = _functions(_classes(STUB)[name])
    public = {method for method in vars(cls) if not method.startswith("_")}
    assert public == {method for method in functions if not method.startswith("_")}
    for method, (function, *_) in functions.items():
        if name in MIRRORED and method == "__new__":
            continue  # it takes whatever an ``__init__`` takes
        if method == "__new__":
            signature = inspect.signature(cls)
        elif any(ast.unparse(node) == "property" for node in function.decorator_list):
            assert inspect.isgetsetdescriptor(vars(cls)[method])
            continue
        elif method.startswith("__"):
            assert hasattr(cls, method)
            continue
        else:
            signature = inspect.signature(getattr(cls, method))
        assert _shape(signature) == _stub_shape(function), method


def _shape(signature: inspect.Signature) -> list[tuple[str, bool, Any]]:
    return [
        (one.name, one.kind is inspect.Parameter.KEYWORD_ONLY, one.default)
        for one in signature.parameters.values()
        if one.name != "self"
    ]


def _stub_shape(function: ast.FunctionDef) -> list[tuple[str, bool, Any]]:
    a = function.args
    empty = inspect.Parameter.empty
    positional: list[Any] = [empty] * (len(a.args) - len(a.defaults))
    positional += [ast.literal_eval(node) for node in a.defaults]
    shape = [(arg.arg, False, value) for arg, value in zip(a.args, positional, strict=True)]
    shape += [
        (arg.arg, True, empty if node is None else ast.literal_eval(node))
        for arg, node in zip(a.kwonlyargs, a.kw_defaults, strict=True)
    ]
    return [one for one in shape if one[0] not in {"self", "cls"}]


@needs_core
def test_the_binary_holds_nothing_else() -> None:
    import hookseal._core

    public = {name for name in vars(hookseal._core) if not name.startswith("_")}
    assert public == {*HOT, MESSAGE, *LINES, *MIRRORED, "is_signed", "kernel"}


@needs_core
def test_verdict_names() -> None:
    import hookseal._core

    names = hookseal._core._verdict_names()
    assert names == [verdict.name for verdict in Verdict]
    assert [verdict.value for verdict in Verdict] == list(range(14))


@needs_core
def test_a_panic_is_a_runtime_error() -> None:
    """Not pyo3's PanicException, which ``except Exception`` does not catch."""
    import hookseal._core

    verifier = hookseal.Verifier(SECRET)
    for _ in range(3):
        with pytest.raises(RuntimeError, match=r"^bug in hookseal: ") as caught:
            hookseal._core._panic_for_test()
        assert type(caught.value) is RuntimeError
        assert verifier.check(BODY, signed(), now=NOW)
        assert hookseal.Verifier(SECRET).verify_batch([(BODY, signed())] * 40, now=NOW).valid == 40


# Docstrings.


def _documented() -> list[Any]:
    found: list[tuple[str, Any]] = []
    for module in (hookseal, hookseal.pure):
        found.append((module.__name__, module))
        for name in module.__all__:
            thing = getattr(module, name)
            found.append((f"{module.__name__}.{name}", thing))
            if isinstance(thing, type):
                found += [
                    (f"{module.__name__}.{name}.{method}", value)
                    for method, value in vars(thing).items()
                    if not method.startswith("_")
                    and (callable(value) or isinstance(value, (property, staticmethod)))
                ]
    found += [(f"schemes.{name}", getattr(hookseal.schemes, name)) for name in ("get", "names")]
    return [pytest.param(value, id=name) for name, value in found if name[-9:] != "__version__"]


@pytest.mark.parametrize("thing", _documented())
def test_docstring(thing: Any) -> None:
    text = inspect.getdoc(thing)
    assert text is not None
    assert text.partition("\n")[0].strip()
