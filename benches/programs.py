"""What benches need built: programs that time the lanes alone, and the module of the floor.

Two programs are in Rust, one in C around `intel-ipsec-mb`; the module is for `benches/floor.py`.
Built when they are wanted. What cannot be built here is left out, with a sentence that says why.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
IPSEC = "intel-ipsec-mb"


@dataclass(frozen=True)
class Programs:
    """What was built; None where it could not be, and then `missing` says why."""

    throughput: Path | None
    ceiling: Path | None
    ipsec: Path | None
    floor: Path | None
    missing: tuple[str, ...]


def build() -> Programs:
    """Builds all of them: about twenty seconds, or one when nothing changed."""
    missing = []
    rust = _build_rust()
    if rust is None:
        missing.append(
            "`cargo` is not on PATH, so neither the kernels alone nor the floor were timed."
        )
        rust = {}
    ipsec = None
    if rust:
        ipsec, why = _build_c()
        if why:
            missing.append(why)
        if "floor" not in rust:
            missing.append("On macOS the module of the floor is not built, so it was not measured.")
    throughput, ceiling, floor = map(rust.get, ("throughput", "ceiling", "floor"))
    return Programs(throughput, ceiling, ipsec, floor, tuple(missing))


def lines(command: list[str]) -> list[dict[str, Any]]:
    """Runs a program that prints one JSON object a line."""
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _build_rust() -> dict[str, Path] | None:
    if shutil.which("cargo") is None:
        return None
    lanes = ["-p", "hookseal-lanes", "--example", "throughput", "--example", "ceiling"]
    built = _build_examples(lanes)
    # There a module has to be linked in a way of its own, which maturin knows and cargo does not.
    if sys.platform != "darwin":
        # As the core that it is compared with.
        floor = ["-p", "hookseal-binding", "--no-default-features", "--features", "floor"]
        floor += ["--example", "floor"]
        built |= _build_examples(floor)
    return built


def _build_examples(which: list[str]) -> dict[str, Path]:
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--message-format=json"]
    # A module finds Python's functions in the process that loads it; it is not linked with them.
    env = {**os.environ, "PYO3_PYTHON": sys.executable, "PYO3_BUILD_EXTENSION_MODULE": "1"}
    done = subprocess.run([*command, *which], cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True)
    artifacts = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        artifact["target"]["name"]: Path(artifact["executable"] or artifact["filenames"][0])
        for artifact in artifacts
        if artifact.get("target", {}).get("kind") == ["example"]
    }


def _build_c() -> tuple[Path | None, str | None]:
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if shutil.which(compiler[0]) is None:
        return None, f"There is no C compiler, so `{IPSEC}` was not timed."
    with TemporaryDirectory(prefix="hookseal-bench-") as folder:
        source = Path(folder) / "there.c"
        source.write_text("#include <intel-ipsec-mb.h>\nint main(void) { return 0; }\n")
        probe = [*compiler, "-o", f"{folder}/there", str(source), "-lIPSec_MB"]
        if subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode != 0:
            return None, f"`{IPSEC}` is not here (Debian: libipsec-mb-dev), so it was not timed."
    program = ROOT / "target" / "benches" / "ipsec_mb"
    program.parent.mkdir(parents=True, exist_ok=True)
    source = ROOT / "benches" / "ipsec_mb.c"
    command = [*compiler, "-O3", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(source)]
    subprocess.run([*command, "-lIPSec_MB"], check=True)
    return program, None


if __name__ == "__main__":
    print(build(), file=sys.stderr)
