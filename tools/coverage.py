"""Count what the tests reach: Python by lines and branches, Rust by lines.

    python tools/coverage.py

Rust is counted with what pytest exercises: the module is built with counters into a folder of
its own, and put before the usual one for the run. rustc writes the counts, and llvm-profdata and
llvm-cov of the same LLVM read them: `rustc -vV` says which, LLVM_PROFDATA and LLVM_COV name them
where they are not on PATH. Without them Rust is not counted, and that is said.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "target/coverage"
PACKAGE: Final = ROOT / "python/hookseal"
# Of the lines, in per cent.
LEAST_RUST: Final = 97.0
# What is shipped. The harness and the fuzzer are tests.
COUNTED: Final = tuple(
    f"rust/{crate}/src" for crate in ("lanes", "engine", "lines", "replay", "binding")
)


def tools() -> tuple[str, str] | None:
    """llvm-profdata and llvm-cov of the toolchain's LLVM, if they are here."""
    about = subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, text=True, check=True).stdout
    version = re.search(r"LLVM version: (\d+)", about)
    assert version, about
    found = []
    for name in ("llvm-profdata", "llvm-cov"):
        named = os.environ.get(name.upper().replace("-", "_"))
        path = shutil.which(named or f"{name}-{version[1]}")
        if path is None:
            package = f"llvm-{version[1]}"
            print(f"Rust is not counted: no {name} of {package} is here (Debian: {package})")
            return None
        found.append(path)
    return found[0], found[1]


def counted_module() -> tuple[Path, list[str]]:
    """The module with counters, and the test programs; the Rust tests have run."""
    environment = os.environ | {
        "RUSTFLAGS": "-Cinstrument-coverage",
        "CARGO_TARGET_DIR": str(FOLDER / "rust"),
        "LLVM_PROFILE_FILE": str(FOLDER / "counts/cargo-%p-%m.profraw"),
    }
    subprocess.run(
        ["cargo", "test", "--workspace", "--locked", "--quiet"],
        cwd=ROOT,
        env=environment,
        check=True,
    )
    programs, module = [], None
    command = ["cargo", "test", "--workspace", "--locked", "--no-run", "--message-format=json"]
    # Without the stable ABI, as the core whose place it takes.
    build = ["cargo", "build", "--package", "hookseal-binding", "--no-default-features"]
    build += ["--locked", "--message-format=json"]
    for one in (command, build):
        output = subprocess.run(
            one, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True
        ).stdout
        for line in output.splitlines():
            message = json.loads(line)
            if message["reason"] != "compiler-artifact":
                continue
            if message["executable"] is not None and message["profile"]["test"]:
                programs.append(message["executable"])
            if message["target"]["name"] == "_core":
                module = next(Path(f) for f in message["filenames"] if f.endswith(".so"))
    assert module is not None, "cargo did not build the module"
    return module, programs


# Where a process counts that is not told where to: what a test gives a small environment.
DEFAULT_COUNTS: Final = b"default_%m_%p.profraw\0"
NOWHERE: Final = b"/dev/null\0"


def without_default(module: bytes) -> bytes:
    """The module with a name for its counts by which no file appears where a child happens to run.

    rustc has no option for that name; the one in its place is shorter, and ends at its NUL.
    """
    assert DEFAULT_COUNTS in module, "what counts has another name for its counts by now"
    return module.replace(DEFAULT_COUNTS, NOWHERE.ljust(len(DEFAULT_COUNTS), b"\0"))


# What measures time, and what the counters write where a disk is full, is not for this module.
NOT_FOR_COUNTED: Final = (
    "tests/test_process.py::test_ctrl_c",
    "tests/test_lines_process.py::test_ctrl_c",
    "tests/test_process.py::test_other_threads_run_while_a_batch_hashes",
    "tests/test_cli_process.py::test_a_disk_that_fills_up",
    "tests/test_cli_terminals.py::test_tables_lose_nothing",
    "tests/test_threats_process.py::test_threat_46_ctrl_c_in_a_long_batch",
    # What counts can be loaded once in a process.
    "tests/test_threats_process.py::test_threat_45_a_second_interpreter",
    # What counts has locks of its own, which a thread may hold while the process forks.
    "tests/test_guards_contended.py::test_fork_while_threads_claim",
    # What stops at each line takes the place of what counts them.
    "tests/test_reentry.py::test_a_guard_that_is_called",
    "tests/test_reentry.py::test_a_ring_that_changes",
    "tests/test_reentry.py::test_a_resolver_that_is_called",
    "tests/test_reentry.py::test_a_message_that_is_verified",
    # What counts needs memory too.
    "tests/test_no_memory.py::test_where_memory_fails",
    # What counts imports modules of its own.
    "tests/test_guard_redis.py::test_nothing_is_imported_before_it_is_used",
)


def run_pytest(module: Path | None) -> int:
    """Runs the tests with Python's lines counted, and Rust's where there is a module for it."""
    (built,) = PACKAGE.glob("_core.*.so")
    kept = FOLDER / "kept.so"
    # More examples reach no more lines, and counting makes each of them slow.
    environment = os.environ | {
        "HOOKSEAL_TEST_PROFILE": "quick",
        "LLVM_PROFILE_FILE": str(FOLDER / "counts/pytest-%p-%m.profraw"),
    }
    if module is not None:
        shutil.copy2(built, kept)
        built.unlink()
        built.write_bytes(without_default(module.read_bytes()))
    try:
        command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", "tests"]
        command += [f"--deselect={test}" for test in NOT_FOR_COUNTED]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    finally:
        if module is not None:
            built.unlink()
            shutil.move(kept, built)


def rust_per_cent(profdata: str, cov: str, module: Path, programs: list[str]) -> float:
    """The lines of Rust that something reached, in per cent; the report goes to stdout."""
    merged = FOLDER / "rust.profdata"
    counts = sorted(map(str, (FOLDER / "counts").glob("*.profraw")))
    subprocess.run([profdata, "merge", "-sparse", "-o", merged, *counts], check=True)
    objects = [argument for program in programs for argument in ("-object", program)]
    sources = [str(ROOT / folder) for folder in COUNTED]
    common = [str(module), *objects, f"-instr-profile={merged}"]
    subprocess.run([cov, "report", *common, *sources], cwd=ROOT, check=True)
    summary = subprocess.run(
        [cov, "export", "-summary-only", *common, *sources],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    per_cent: float = json.loads(summary)["data"][0]["totals"]["lines"]["percent"]
    return per_cent


def main() -> int:
    """Returns the exit status."""
    shutil.rmtree(FOLDER / "counts", ignore_errors=True)
    (FOLDER / "counts").mkdir(parents=True)
    for old in FOLDER.glob("python*"):
        old.unlink()
    llvm = tools()
    module, programs = counted_module() if llvm else (None, [])
    status = run_pytest(module)
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "--quiet"], cwd=ROOT, check=True)
    status = subprocess.run([*coverage, "report"], cwd=ROOT, check=False).returncode or status
    if llvm and module is not None:
        per_cent = rust_per_cent(*llvm, module, programs)
        print(f"Rust: {per_cent:.2f} % of the lines, at least {LEAST_RUST:.0f} % wanted")
        status = status or int(per_cent < LEAST_RUST)
    return status


if __name__ == "__main__":
    sys.exit(main())
