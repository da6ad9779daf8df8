"""The tools of `make lint` and `make coverage` that are our own: each rule must be able to fail."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tools import check_deny, check_house, coverage

ALLOWED = {"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"}


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "MIT OR GPL-3.0-only",
        "GPL-3.0-only OR MIT AND Apache-2.0",
        "MIT/GPL-3.0-only",
        "(MIT OR GPL-3.0-only) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ],
)
def test_a_licence_that_can_be_met_passes(expression: str) -> None:
    assert check_deny.allowed_by(expression, ALLOWED)


@pytest.mark.parametrize(
    "expression",
    [
        None,
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "GPL-3.0-only OR MIT AND ISC",
        "(MIT OR ISC) AND GPL-3.0-only",
        "MIT WITH Some-exception",
        "MIT)",
        "(MIT",
        "MIT MIT",
    ],
)
def test_a_licence_that_cannot_be_met_or_read_is_refused(expression: str | None) -> None:
    assert not check_deny.allowed_by(expression, ALLOWED)


DENY: dict[str, Any] = {
    "licenses": {"allow": ["MIT"]},
    "bans": {"allow": [{"crate": "ours"}, {"crate": "sha2"}], "skip": []},
}
LOCK: dict[str, Any] = {
    "package": [
        {"name": "ours"},
        {"name": "sha2", "source": "registry+here", "checksum": "00"},
    ]
}
PACKAGES: list[dict[str, Any]] = [
    {
        "name": "ours",
        "source": None,
        "license": "MIT",
        "dependencies": [{"name": "sha2", "registry": None}],
    },
    {"name": "sha2", "source": "registry+here", "license": "MIT", "dependencies": []},
]


def test_what_is_listed_and_used_passes() -> None:
    assert check_deny.problems(DENY, LOCK, PACKAGES) == []


def test_a_crate_must_be_listed_and_a_listed_one_used() -> None:
    deny = deepcopy(DENY)
    deny["bans"]["allow"][1]["crate"] = "sha3"
    assert check_deny.problems(deny, LOCK, PACKAGES) == [
        "crate sha2 is not listed in deny.toml",
        "deny.toml lists sha3, which is not used",
    ]


def test_two_versions_of_a_crate_need_a_skip_and_a_skip_needs_them() -> None:
    lock = {"package": [*LOCK["package"], LOCK["package"][1]]}
    assert check_deny.problems(DENY, lock, PACKAGES) == ["crate sha2 comes in several versions"]
    deny = deepcopy(DENY)
    deny["bans"]["skip"] = [{"crate": "sha2"}]
    assert check_deny.problems(deny, lock, PACKAGES) == []
    assert check_deny.problems(deny, LOCK, PACKAGES) == ["deny.toml skips sha2, which comes once"]


def test_only_the_default_registry_is_a_source() -> None:
    lock = deepcopy(LOCK)
    lock["package"].append({"name": "ours", "source": "git+there"})
    found = check_deny.problems(DENY, lock, PACKAGES)
    assert "source git+there is not a registry" in found
    assert "Cargo.lock has more than one source" in found
    assert "crate ours has no checksum" in found
    packages = deepcopy(PACKAGES)
    packages[0]["dependencies"][0]["registry"] = "elsewhere"
    assert check_deny.problems(DENY, LOCK, packages) == ["ours takes sha2 from another registry"]


def test_the_licence_of_each_crate_counts() -> None:
    packages = deepcopy(PACKAGES)
    packages[1]["license"] = "GPL-3.0-only"
    assert check_deny.problems(DENY, LOCK, packages) == [
        "crate sha2: licence 'GPL-3.0-only' is not allowed"
    ]


HOUSE = dict.fromkeys(check_house.FORBID_UNSAFE, "#![forbid(unsafe_code)]\n")


def house(**more: str) -> list[str]:
    """What the house says of one more file."""
    return list(check_house.problems(HOUSE | {more["name"]: more["text"]}))


def test_a_tidy_house_passes() -> None:
    text = '//! Not `unsafe`.\nlet text = "unsafe"; let quote = \'"\';\nlet unsafe_code = 1;\n'
    assert house(name="rust/engine/src/tidy.rs", text=text) == []
    assert house(name="rust/lanes/src/avx2.rs", text="unsafe { f() }\n") == []


def test_the_engine_and_the_binding_forbid_unsafe() -> None:
    assert list(check_house.problems({})) == [
        f"{name}: lacks #![forbid(unsafe_code)]" for name in check_house.FORBID_UNSAFE
    ]
    line = '#![forbid(\n    unsafe_code, reason = "…")]'
    reason = dict.fromkeys(check_house.FORBID_UNSAFE, line)
    assert list(check_house.problems(reason)) == []


def test_unsafe_stays_in_its_rooms() -> None:
    (problem,) = house(name="rust/engine/src/x.rs", text="let q = '\"'; unsafe { f() }\n")
    assert problem.startswith("rust/engine/src/x.rs: unsafe outside")


def test_only_the_harness_counts_hits() -> None:
    name = "hits"
    line = f'hookseal-lanes = {{ workspace = true, features = ["{name}"] }}\n'
    assert house(name="rust/harness/Cargo.toml", text=line) == []
    (problem,) = house(name="rust/binding/Cargo.toml", text=line)
    assert problem == "rust/binding/Cargo.toml:1: counts hits outside rust/harness/"


def test_long_files_are_split() -> None:
    line = "x = 1\n"
    assert house(name="python/hookseal/long.py", text=line * check_house.MAX_LINES) == []
    assert house(name="python/hookseal/long.py", text=line * (check_house.MAX_LINES + 1))
    assert house(name="tests/test_long.py", text=line * (check_house.MAX_LINES + 1)) == []


def test_no_file_names_one_machine_or_a_registry_host() -> None:
    assert house(name="a.md", text="at /" + "home/me/x\n") == ["a.md:1: a path of one machine"]
    assert house(name="a.md", text="https://py" + "pi.org/x\n") == [
        "a.md:1: the host of a package registry"
    ]
    assert house(name="a.md", text="/run/secrets, ../home/x, /dev/null, /homepage\n") == []


def test_a_counted_module_makes_no_file_where_nobody_said_its_name() -> None:
    module = b"\x7fELF" + coverage.DEFAULT_COUNTS + b"%s\0"
    patched = coverage.without_default(module)
    assert len(patched) == len(module), "what lies behind it must stay where it is"
    assert patched.startswith(b"\x7fELF/dev/null\0")
    assert patched.endswith(b"\0%s\0")
    assert b"profraw" not in patched
    with pytest.raises(AssertionError, match="another name"):
        coverage.without_default(patched)
