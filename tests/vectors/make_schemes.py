"""Writes schemes.json: every scheme that the rows name, compiled, for the Rust tests.

    python -m tests.vectors.make_schemes

The presets come from ``hookseal.schemes``, the others from test_schemes.py. In ``head``
and ``tail``, "{id}" and "{timestamp}" are placeholders; everything else is a literal.
"""

import json
from pathlib import Path
from typing import Any

from hookseal import Scheme, schemes
from tests.vectors.test_schemes import TEST_SCHEMES

FILE = Path(__file__).with_name("schemes.json")


def build() -> dict[str, dict[str, Any]]:
    """Scheme name to what the engine is told of it."""
    presets = [schemes.get(name) for name in schemes.names()]
    own = [Scheme(name, **arguments) for name, arguments in TEST_SCHEMES.items()]
    return {scheme.name: _row(scheme) for scheme in presets + own}


def text() -> str:
    """The content of the file."""
    return json.dumps(build(), indent=1, ensure_ascii=True) + "\n"


def _row(scheme: Scheme) -> dict[str, Any]:
    return {
        "families": [list(family) for family in scheme.families],
        "prefix": scheme.prefix,
        "encoding": scheme.encoding,
        "separator": scheme.separator,
        "head": list(scheme.head),
        "tail": list(scheme.tail),
        "id_forbidden": scheme.id_forbidden,
        "algorithm": scheme.algorithm,
        "unit": scheme.unit,
        "key": scheme.key,
        "key_prefix": scheme.key_prefix,
        "tolerance": None if scheme.tolerance is None else list(scheme.tolerance),
        "key_length": None if scheme.key_length is None else list(scheme.key_length),
        "secret_form": scheme.secret_form,
        "covers": sorted(scheme.covers),
    }


if __name__ == "__main__":
    FILE.write_text(text(), encoding="ascii")
