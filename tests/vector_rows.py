"""Reads the rows of tests/vectors for pytest, and gives them to an implementation."""

from __future__ import annotations

import importlib
import importlib.util
import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hookseal import Endpoint, Message, Scheme
from tests.vectors.test_schemes import TEST_SCHEMES
from tests.vectors.texts import expand

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests/vectors"

Row = dict[str, Any]

_no_binary = importlib.util.find_spec("hookseal._core") is None

# The same names on both: `hookseal` is the core where the binary is there.
each_implementation = pytest.mark.parametrize(
    "implementation",
    [
        pytest.param(
            "hookseal",
            id="core",
            marks=pytest.mark.skipif(_no_binary, reason="hookseal._core is not built"),
        ),
        pytest.param("hookseal.pure", id="twin"),
    ],
)


def module(implementation: str) -> Any:
    """The module that holds ``Verifier``, ``Keyring`` and ``Secret``."""
    return importlib.import_module(implementation)


@cache
def load(name: str) -> list[Row]:
    """The rows of one file of tests/vectors."""
    rows: list[Row] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return rows


@cache
def scheme(name: str) -> Scheme | str:
    """A preset by its name, or the test scheme of that name."""
    if name in TEST_SCHEMES:
        return Scheme(name, **TEST_SCHEMES[name])
    return name


def verifier(implementation: str, given: Row) -> Any:
    """The verifier that a row describes."""
    hooks = module(implementation)
    if "unsigned" in given:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return hooks.Verifier.unsigned(
                reason=given["unsigned"], max_body_bytes=given["max_body_bytes"]
            )
    common = {
        "tolerance": _tolerance(given["tolerance"]),
        "max_body_bytes": given["max_body_bytes"],
    }
    if "ring" in given:
        endpoints = {
            name: Endpoint(
                [_secret(hooks, one) for one in endpoint["secrets"]],
                scheme=None if endpoint["scheme"] is None else scheme(endpoint["scheme"]),
                tolerance=_tolerance(endpoint["tolerance"]),
            )
            for name, endpoint in given["ring"]["endpoints"]
        }
        ring = hooks.Keyring(endpoints, scheme=scheme(given["ring"]["scheme"]))
        return hooks.Verifier(ring, **common)
    secrets = [_secret(hooks, one) for one in given["secrets"]]
    return hooks.Verifier(secrets, scheme=scheme(given["scheme"]), **common)


def body(row: Row) -> str | bytes:
    return expand(row["body"])


def headers(row: Row) -> list[tuple[str | bytes, Any]]:
    return [(expand(name), _value(value)) for name, value in row["headers"]]


def mapping(row: Row) -> dict[str | bytes, Any] | None:
    """The headers as a dict, or None where a name is there twice."""
    pairs = headers(row)
    return dict(pairs) if len(dict(pairs)) == len(pairs) else None


def times(row: Row) -> dict[str, Any]:
    """The arguments that say where and when a message arrived."""
    given = {"received_at": row["received_at"], "now": row["now"]}
    return given if row["endpoint"] is None else {**given, "endpoint": expand(row["endpoint"])}


def message(row: Row) -> Message:
    endpoint = None if row["endpoint"] is None else expand(row["endpoint"])
    assert endpoint is None or isinstance(endpoint, str)
    return Message(body(row), headers(row), endpoint=endpoint, received_at=row["received_at"])


def _value(value: Any) -> Any:
    if value is None:
        return None
    return [expand(one) for one in value] if isinstance(value, list) else expand(value)


def _secret(hooks: Any, given: Any) -> Any:
    if isinstance(given, dict) and "value" in given:
        return hooks.Secret(
            expand(given["value"]),
            **{name: value for name, value in given.items() if name != "value"},
        )
    return expand(given)


def _tolerance(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given
