"""Fuzz the targets of rust/fuzz by libFuzzer, under address sanitizer.

    python tools/fuzz.py [--time SECONDS] [--merge] [TARGET ...]

Each target runs so many seconds (20 if nothing is said), beginning with its corpus in
rust/fuzz/corpus; what it adds stays in target/fuzz/corpus, and --merge moves the smallest part
of it that reaches as much into the repository. After `messages` the twin and the core judge
every input too (tests/fuzzed.py). A finding is written to target/fuzz/findings, and ends the run.

libFuzzer is built from the crate libfuzzer-sys by the C++ compiler. The sanitizer comes with the
toolchain, and the flags are not stable: RUSTC_BOOTSTRAP opens them, for these programs alone.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
MANIFEST: Final = ROOT / "rust/fuzz/libfuzzer/Cargo.toml"
# Of each target one file: a line is a name and the input in base64.
CORPUS: Final = ROOT / "rust/fuzz/corpus"
BUILD: Final = ROOT / "target/fuzz"
TRIPLE: Final = "x86_64-unknown-linux-gnu"
FLAGS: Final = [
    "-Zsanitizer=address",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=3",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
]

# The targets, with the most bytes of an input. The order is of rust/fuzz/src/lib.rs.
TARGETS: Final = {
    "timestamps": 40,
    "headers": 600,
    "secrets": 200,
    "templates": 800,
    "messages": 1_000,
    "batches": 4_000,
    "lines": 2_000,
}
# More than this for one input is a finding too.
TIMEOUT_SECONDS: Final = 10
RSS_MIB: Final = 2_048

# What has another name was put there by hand, and stays.
FOUND: Final = re.compile("[0-9a-f]{12}")
EXECUTED: Final = re.compile(r"stat::number_of_executed_units:\s+(\d+)")


def build() -> Path:
    """The folder of the programs that drive the targets."""
    command = ["cargo", "build", "--release", "--locked", "--quiet"]
    command += ["--manifest-path", str(MANIFEST), "--target", TRIPLE, "--target-dir", str(BUILD)]
    # With an explicit target the flags are not for build scripts.
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": " ".join(FLAGS)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return BUILD / TRIPLE / "release"


def run(programs: Path, target: str, *arguments: str | Path) -> tuple[int, str]:
    """Runs a target; its exit status, and what libFuzzer said."""
    # What is kept for the whole run is no leak.
    environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}
    child = subprocess.run(
        [programs / target, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return child.returncode, child.stdout + child.stderr


def kept(target: str) -> dict[str, bytes]:
    """The inputs that are in the repository, by name."""
    file = CORPUS / f"{target}.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    pairs = (line.partition(" ") for line in lines)
    return {name: base64.b64decode(text, validate=True) for name, _, text in pairs}


def unpacked(target: str) -> Path:
    """A new folder with the inputs of the repository, each in a file of its own."""
    folder = BUILD / "seeds" / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in kept(target).items():
        (folder / name).write_bytes(data)
    return folder


def fuzz(programs: Path, target: str, seconds: int) -> bool:
    """Fuzzes a target; whether nothing was found."""
    grown, findings = BUILD / "corpus" / target, BUILD / "findings" / target
    for folder in (grown, findings):
        folder.mkdir(parents=True, exist_ok=True)
    status, said = run(
        programs,
        target,
        f"-max_total_time={seconds}",
        f"-max_len={TARGETS[target]}",
        f"-timeout={TIMEOUT_SECONDS}",
        f"-rss_limit_mb={RSS_MIB}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
        grown,
        unpacked(target),
    )
    executed = EXECUTED.search(said)
    count = int(executed[1]) if executed else 0
    print(f"{target}: {count} executions, {len(list(grown.iterdir()))} inputs", flush=True)
    if status != 0 or count == 0:
        print(said[-6_000:])
        print(f"{target}: FAILED (status {status}); the input is in {findings}")
        return False
    if target == "messages":
        # In a Python of its own, so that the two implementations are the built ones.
        twin = [sys.executable, "-m", "tests.fuzzed", str(grown)]
        return subprocess.run(twin, cwd=ROOT, check=False).returncode == 0
    return True


def merge(programs: Path, target: str) -> bool:
    """Leaves in the repository the fewest inputs that reach all that the grown corpus does."""
    new = BUILD / "merged" / target
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    limit = f"-max_len={TARGETS[target]}"
    folders = (new, unpacked(target), BUILD / "corpus" / target)
    status, said = run(programs, target, "-set_cover_merge=1", limit, *folders)
    if status != 0:
        print(said[-6_000:])
        return False
    inputs = {name: data for name, data in kept(target).items() if not FOUND.fullmatch(name)}
    for file in new.iterdir():
        data = file.read_bytes()
        if data not in inputs.values():
            inputs[hashlib.sha256(data).hexdigest()[:12]] = data
    lines = [f"{name} {base64.b64encode(inputs[name]).decode()}\n" for name in sorted(inputs)]
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{target}.txt").write_text("".join(lines))
    print(f"{target}: {len(inputs)} inputs in the repository")
    return True


def main() -> int:
    """Returns the exit status."""
    form = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--time", type=int, default=20, metavar="SECONDS", help="for each target")
    parser.add_argument("--merge", action="store_true", help="move what was found into the corpus")
    parser.add_argument("target", nargs="*", default=list(TARGETS), help=", ".join(TARGETS))
    arguments = parser.parse_args()
    if unknown := set(arguments.target) - TARGETS.keys():
        parser.error(f"unknown target: {', '.join(sorted(unknown))}")
    if arguments.time < 1:
        parser.error("--time must be at least 1 (0 would never end)")
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print(f"skipped: this is not {TRIPLE}")
        return 0
    if shutil.which("c++") is None:
        print("skipped: no C++ compiler is here to build libFuzzer (Debian: g++)")
        return 0
    programs = build()
    good = [fuzz(programs, target, arguments.time) for target in arguments.target]
    if arguments.merge and all(good):
        good += [merge(programs, target) for target in arguments.target]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
