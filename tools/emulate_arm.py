"""Run the Rust tests on processors of ARM, emulated.

    python -m tools.emulate_arm

qemu-aarch64 (Debian: qemu-user) emulates each of `MODELS`; tools/cross.py says what builds for it.
The tests of all crates but the binding run, and the list of kernels is what it must be. Where the
emulator or what builds is absent nothing is run, and that is said.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from tools.cross import TARGET, Cross, Missing, cross
from tools.emulate import CRATES, LISTER, SKIPPED, built

ROOT: Final = Path(__file__).resolve().parent.parent
QEMU: Final = "qemu-aarch64"
MODELS: Final = ("cortex-a53", "max")
# The same on all: the vector kernels are those of x86-64. `single` is the sha2 crate, which uses
# the instructions for SHA-256 that both models have.
KERNELS: Final = "portable\nsingle\nsingle\n"

# A test that starts its own program again, which only the emulator can do, and what it would run.
STARTS_ITSELF: Final = "who_goes_past_a_wall_dies"
DYING: Final = ("reads_behind", "reads_before", "writes_behind", "writes_before")


def emulate(
    model: str, pieces: Cross, program: Path, crate: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Runs a program on a model, where cargo would run it."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("HOOKSEAL_")}
    return subprocess.run(
        [QEMU, "-cpu", model, "-L", pieces.libraries, program, *arguments],
        cwd=crate,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def problems(model: str, pieces: Cross, programs: dict[str, tuple[Path, Path]]) -> list[str]:
    """What went wrong on a model."""
    skip = ["--skip", SKIPPED, "--skip", STARTS_ITSELF]
    found = []
    for name, (program, crate) in programs.items():
        if name == LISTER:
            run = emulate(model, pieces, program, crate)
            good = (run.returncode, run.stdout) == (0, KERNELS)
        else:
            run = emulate(model, pieces, program, crate, "--quiet", *skip)
            good = run.returncode == 0
        if not good:
            found.append(f"{name}: status {run.returncode}\n{run.stdout}{run.stderr}")
    for name in DYING:
        run = emulate(model, pieces, *programs["harness: walls"], "--ignored", "--exact", name)
        if run.returncode not in {-signal.SIGSEGV, 128 + signal.SIGSEGV}:
            found.append(f"harness: {name} survives\n{run.stdout}{run.stderr}")
    return found


def main() -> int:
    """Returns the exit status."""
    if platform.system() != "Linux" or platform.machine() != "x86_64" or not shutil.which(QEMU):
        print(f"skipped: {QEMU} is not here (Debian: qemu-user)")
        return 0
    try:
        pieces = cross()
    except Missing as reason:
        print(f"skipped: nothing builds for {TARGET} here: {reason}")
        return 0
    options = ["--target", TARGET, "--target-dir", "target/aarch64/build"]
    options += [f"--package=hookseal-{name}" for name in CRATES]
    programs = built(*options, environ=pieces.environ)
    count = 0
    for model in MODELS:
        found = problems(model, pieces, programs)
        passed = "FAILED" if found else "passed"
        print(f"{model} runs single; {len(programs) - 1} test binaries: {passed}", flush=True)
        for problem in found:
            print(problem)
        count += len(found)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
