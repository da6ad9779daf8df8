"""Run the tests against a wheel on the supported Pythons that this one is not.

    python tools/other_pythons.py target/wheels

For each version: finds an interpreter, fills .venv-<version> with the dependency group "test",
installs the abi3 wheel (not the source tree) and runs pytest with the quick profile. A version
that this machine does not have is skipped, and said so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13")
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


def run_tests(python: Path, version: str, wheel: Path) -> None:
    """Install the wheel into .venv-<version> and run the tests there."""
    venv = ROOT / f".venv-{version}"
    subprocess.run([python, ROOT / "tools/venv.py", venv, "test"], check=True)
    inside = venv / "bin/python"
    install = [str(inside), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*install, "--force-reinstall", str(wheel)], check=True)
    pytest = [str(inside), "-m", "pytest", "-q", "-r", "fE"]
    pytest += [f"--ignore=tests/{name}" for name in ONCE]
    environ = {**os.environ, "HOOKSEAL_TEST_PROFILE": "quick"}
    subprocess.run([*pytest, "-o", f"cache_dir=target/pytest-{version}"], env=environ, check=True)


def main(wheels: Path) -> int:
    """Returns the exit status: that of the first version whose tests fail."""
    (wheel,) = wheels.glob("hookseal-*-abi3-*.whl")
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    for version in VERSIONS:
        if version == here:
            continue
        python = find(version)
        if python is None:
            print(f"== Python {version}: SKIPPED, no interpreter on this machine", flush=True)
            continue
        print(f"== Python {version}: {wheel.name}", flush=True)
        try:
            run_tests(python, version, wheel)
        except subprocess.CalledProcessError as error:
            print(f"== Python {version}: FAILED", flush=True)
            return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
