"""Run what was built on processors that this machine is not.

    python tools/emulate.py [--quick]

qemu-x86_64 (Debian: qemu-user) emulates each of `MODELS`. There the built module says which kernel
it chose and verifies the sample queue, and the Rust tests of all crates but the binding pass; an
instruction that the model lacks ends either. With --quick, of the tests only the one that counts
which kernel ran. A program of such instructions shows first that the emulator refuses them.
Where qemu-x86_64 is absent nothing is run, and that is said.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
QEMU: Final = "qemu-x86_64"

# What each model can run; the last one is chosen. qemu has neither SHA-NI nor AVX-512: a model
# that is named for AVX-512 says that it has none, and must be believed.
MODELS: Final = {
    "Opteron_G1": ["portable", "single"],  # SSE2
    "Nehalem": ["portable", "single"],  # SSE4.1
    "Haswell": ["portable", "single", "avx2"],
    "Icelake-Server": ["portable", "single", "avx2"],
}

# The binding is tested by Python's tests alone.
CRATES: Final = ("lanes", "engine", "lines", "harness")
LISTER: Final = "lanes: kernels"
QUICK: Final = "harness: hits"
# It hashes 512 MiB, which takes an emulator a minute, and no instruction that the others do not.
SKIPPED: Final = "the_length_in_bits_has_64_bits"

# Compiled for AVX2, whether the processor has it or not.
CONTROL: Final = """
fn main() {
    let n = std::env::args().count() as u32;
    let words: Vec<u32> = (0..4096).map(|at| at * n).collect();
    println!("{}", words.iter().fold(0_u32, |sum, word| sum.wrapping_add(word ^ n)));
}
"""


def emulate(
    model: str, *command: str | Path, folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Runs a program on a model; the profile of the tests is the usual one."""
    dropped = {"HOOKSEAL_TEST_PROFILE", "HOOKSEAL_KERNEL"}
    environment = {name: text for name, text in os.environ.items() if name not in dropped}
    environment["PYTHONPATH"] = str(ROOT / "python")
    return subprocess.run(
        [QEMU, "-cpu", model, *map(str, command)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def refuses(model: str, control: Path) -> bool:
    """Whether the model ends a program at an instruction that it lacks."""
    return emulate(model, control).returncode in {-signal.SIGILL, 128 + signal.SIGILL}


def built(*options: str, environ: dict[str, str] | None = None) -> dict[str, tuple[Path, Path]]:
    """The test binaries and the example that lists the kernels: name to program and crate."""
    command = ["cargo", "test", "--locked", "--quiet", "--no-run", "--message-format=json"]
    output = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    found = {}
    for line in output.splitlines():
        message = json.loads(line)
        if message["reason"] != "compiler-artifact" or message["executable"] is None:
            continue
        target, crate = message["target"], Path(message["manifest_path"]).parent
        name = f"{crate.name}: {target['name']}"
        if crate.name in CRATES and (message["profile"]["test"] or name == LISTER):
            found[name] = Path(message["executable"]), crate
    missing = {LISTER, QUICK, "harness: walls", "engine: batch", "lines: streams"} - found.keys()
    assert not missing, f"cargo did not build {missing}"
    return found


def problems(model: str, programs: dict[str, tuple[Path, Path]]) -> list[str]:
    """What went wrong on a model."""
    available = MODELS[model]
    commands: dict[str, tuple[list[str | Path], str | None]] = {
        "the module": (
            [sys.executable, "-c", "import hookseal; print(hookseal.kernel())"],
            available[-1],
        ),
        "the sample queue": ([sys.executable, "examples/verify_queue.py"], None),
    }
    for name, (program, _) in programs.items():
        if name == LISTER:
            commands[name] = ([program], "\n".join([*available, available[-1]]))
        else:
            commands[name] = ([program, "--quiet", "--skip", SKIPPED], None)
    found = []
    for name, (command, expected) in commands.items():
        # Where cargo would run it.
        folder = programs[name][1] if name in programs else ROOT
        run = emulate(model, *command, folder=folder)
        if run.returncode != 0:
            found.append(f"{name}: status {run.returncode}\n{run.stdout}{run.stderr}")
        elif expected is not None and run.stdout.strip() != expected:
            found.append(f"{name}: {run.stdout.split()}, expected {expected.split()}")
    return found


def main() -> int:
    """Returns the exit status."""
    if platform.machine() != "x86_64" or shutil.which(QEMU) is None:
        print(f"skipped: {QEMU} is not here (Debian: qemu-user)")
        return 0
    programs = built("--workspace")
    if "--quick" in sys.argv[1:]:
        programs = {name: programs[name] for name in (LISTER, QUICK)}
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder, "control")
        source = control.with_suffix(".rs")
        source.write_text(CONTROL)
        command = ["rustc", "-O", "-C", "target-cpu=haswell", "-o", str(control), str(source)]
        subprocess.run(command, check=True)
        for model, available in MODELS.items():
            found = problems(model, programs)
            if refuses(model, control) == ("avx2" in available):
                found.append("the control: the emulator does not know which instructions it lacks")
            passed = "FAILED" if found else "passed"
            ran = f"{model} runs {available[-1]}; {len(programs) - 1} test binaries"
            print(f"{ran}: {passed}", flush=True)
            for problem in found:
                print(problem)
            count += len(found)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
