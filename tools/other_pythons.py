"""Run the tests against a wheel on the supported Pythons that this one is not, side by side.

    python tools/other_pythons.py target/wheels --build
    python tools/other_pythons.py target/wheels [COMMAND...]

For each version: finds an interpreter, fills .venv-<version> with the dependency group "test",
installs a wheel (not the source tree) and runs pytest with the quick profile: the wheel that is for
this version alone, where --build made one, or else the one for all. A version that this machine
does not have is skipped, and said so. COMMAND runs beside them, and shows what it says as it comes;
what the others say follows when they have ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13")
# Tested with its own wheel. What runs the tests has a core of its own too; one is to test the wheel
# for all.
WITH_ITS_OWN = "3.13"
# What is built, and what contributors are told, is judged once, by the main run.
ONCE = ("test_packaging.py", "test_dist.py", "test_contributing.py")


def find(version: str) -> Path | None:
    """An interpreter of that version: pyenv's newest, else python<version> on PATH."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    releases = sorted(
        (p for p in pyenv.glob(f"versions/{version}.*") if p.name.split(".")[-1].isdigit()),
        key=lambda p: int(p.name.split(".")[-1]),
        reverse=True,
    )
    script = "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2], sep='\\n')"
    for python in [*(str(p / "bin/python") for p in releases), f"python{version}"]:
        try:
            run = subprocess.run(
                [python, "-c", script], capture_output=True, text=True, check=False
            )
        except OSError:
            continue
        if run.returncode == 0 and run.stdout.split("\n")[1] == version:
            return Path(run.stdout.split("\n")[0])
    return None


def build(wheels: Path) -> None:
    """Makes the wheel that is for one version alone, where another is left for the one for all."""
    python = find(WITH_ITS_OWN)
    others = [it for it in VERSIONS if it != WITH_ITS_OWN and not is_this(it) and find(it)]
    if python is None or is_this(WITH_ITS_OWN) or not others:
        return
    options = ["--release", "--locked", "--quiet", "--no-default-features"]
    # In a folder of its own: cargo keeps what it built against one Python.
    target = ROOT / f"target/{WITH_ITS_OWN}"
    subprocess.run(
        [
            *(sys.executable, "-m", "maturin", "build", *options),
            *("--interpreter", python, "--out", wheels, "--target-dir", target),
        ],
        env={**os.environ, "PYO3_PYTHON": str(python)},
        check=True,
    )


def wheel_for(version: str, wheels: Path) -> Path:
    """The wheel to test that version with."""
    tag = f"cp{version.replace('.', '')}"
    own = [*wheels.glob(f"hookseal-*-{tag}-{tag}-*.whl")]
    (wheel,) = own or wheels.glob("hookseal-*-abi3-*.whl")
    return wheel


def is_this(version: str) -> bool:
    """Whether the Python that runs this is of that version."""
    return version == f"{sys.version_info.major}.{sys.version_info.minor}"


def run_tests(python: Path, version: str, wheel: Path) -> tuple[int, str]:
    """Install the wheel into .venv-<version> and run the tests there; status, and what was said."""
    venv = ROOT / f".venv-{version}"
    inside = venv / "bin/python"
    pip: list[str | Path] = [inside, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    # Nor are the benches smoke-run again: they time, and what they time is tested.
    pytest: list[str | Path] = [inside, "-m", "pytest", "tests", "-q", "-r", "fE"]
    pytest += [f"--ignore=tests/{name}" for name in ONCE]
    environ = {**os.environ, "HOOKSEAL_TEST_PROFILE": "quick"}
    said = ""
    commands: list[list[str | Path]] = [
        [python, ROOT / "tools/venv.py", venv, "test"],
        [*pip, "--force-reinstall", wheel],
        [*pytest, "-o", f"cache_dir=target/pytest-{version}"],
    ]
    for command in commands:
        run = subprocess.run(
            command,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        said += run.stdout
        if run.returncode:
            return run.returncode, said
    return 0, said


def main(wheels: Path, beside: list[str]) -> int:
    """Returns the exit status: that of the command, or of the first version whose tests fail."""
    pythons = {version: find(version) for version in VERSIONS if not is_this(version)}
    with ThreadPoolExecutor(len(VERSIONS)) as pool:
        runs = {
            version: pool.submit(run_tests, python, version, wheel_for(version, wheels))
            for version, python in pythons.items()
            if python is not None
        }
        if not any("-abi3-" in wheel_for(version, wheels).name for version in runs):
            print("== no other Python: the wheel for all is installed, but not tested whole")
        status = subprocess.run(beside, check=False).returncode if beside else 0
        for version in pythons:
            if version not in runs:
                print(f"== Python {version}: SKIPPED, no interpreter on this machine", flush=True)
                continue
            failed, said = runs[version].result()
            name = wheel_for(version, wheels).name
            print(f"== Python {version}: {name}\n{said}", flush=True)
            if failed:
                print(f"== Python {version}: FAILED", flush=True)
            status = status or failed
    return status


if __name__ == "__main__":
    if sys.argv[2:] == ["--build"]:
        build(Path(sys.argv[1]))
    else:
        sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
