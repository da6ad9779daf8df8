"""Hold the Rust dependencies to deny.toml.

cargo-deny reads the same file, and takes minutes to build; this needs cargo alone. It fails on
a crate that is not listed, a listed crate that is not used, two versions of one crate, a licence
that is not allowed, and a source that is not the default registry.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Each has a lock file.
WORKSPACES = (ROOT, ROOT / "rust/fuzz/libfuzzer")


def allowed_by(expression: str | None, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met with allowed licences.

    One term of an OR is enough, every term of an AND is needed, AND binds tighter:

        either = both *( "OR" both );  both = term *( "AND" term );  term = id / "(" either ")"
    """
    # "A/B" is how crates wrote OR before SPDX expressions.
    text = (expression or "").replace("/", " OR ")
    tokens = re.findall(r"[()]|[\w.+-]+(?: WITH [\w.+-]+)?", text)[::-1]

    def term() -> bool:
        token = tokens.pop() if tokens else ""
        if token != "(":
            return token in allowed
        value = either()
        return bool(tokens) and tokens.pop() == ")" and value

    def both() -> bool:
        value = term()
        while tokens and tokens[-1] == "AND":
            tokens.pop()
            value = term() and value
        return value

    def either() -> bool:
        value = both()
        while tokens and tokens[-1] == "OR":
            tokens.pop()
            value = both() or value
        return value

    return either() and not tokens


def problems(
    deny: dict[str, Any], lock: dict[str, Any], packages: list[dict[str, Any]]
) -> list[str]:
    """One sentence for each thing that deny.toml does not allow."""
    locked = [p for p in lock["package"] if "source" in p]
    names = {p["name"] for p in locked}
    listed = {entry["crate"] for entry in deny["bans"]["allow"]}
    own = {p["name"] for p in packages if p["source"] is None}
    found = [f"crate {n} is not listed in deny.toml" for n in sorted(names - listed)]
    found += [f"deny.toml lists {n}, which is not used" for n in sorted(listed - names - own)]
    counts = Counter(p["name"] for p in locked)
    twice = {name for name, count in counts.items() if count > 1}
    skipped = {entry["crate"] for entry in deny["bans"].get("skip", [])}
    found += [f"crate {n} comes in several versions" for n in sorted(twice - skipped)]
    found += [f"deny.toml skips {n}, which comes once" for n in sorted(skipped - twice)]
    sources = {p["source"] for p in locked}
    found += [f"source {s} is not a registry" for s in sources if not s.startswith("registry+")]
    if len(sources) > 1:
        found.append("Cargo.lock has more than one source")
    found += [f"crate {p['name']} has no checksum" for p in locked if "checksum" not in p]
    licences = set(deny["licenses"]["allow"])
    for package in packages:
        if not allowed_by(package["license"], licences):
            found.append(f"crate {package['name']}: licence {package['license']!r} is not allowed")
        if package["source"] is None:
            # Null stands for the default registry; an own path is a member of the workspace.
            found += [
                f"{package['name']} takes {d['name']} from another registry"
                for d in package["dependencies"]
                if d.get("registry") is not None
            ]
    return found


def main() -> int:
    """Returns the exit status."""
    deny = tomllib.loads((ROOT / "deny.toml").read_text())
    # What both have counts once, unless their versions differ.
    locked: dict[tuple[str, str], dict[str, Any]] = {}
    packages: dict[str, dict[str, Any]] = {}
    for workspace in WORKSPACES:
        lock = tomllib.loads((workspace / "Cargo.lock").read_text())
        locked |= {(p["name"], p["version"]): p for p in lock["package"]}
        command = ["cargo", "metadata", "--locked", "--format-version", "1"]
        output = subprocess.run(command, cwd=workspace, stdout=subprocess.PIPE, check=True).stdout
        packages |= {p["id"]: p for p in json.loads(output)["packages"]}
    found = problems(deny, {"package": list(locked.values())}, list(packages.values()))
    for problem in found:
        print(f"deny.toml: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
