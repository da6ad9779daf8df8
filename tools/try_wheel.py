"""Install a wheel where there is no compiler, and verify the sample queue with it.

    python -m tools.try_wheel dist/hookseal-0.1.0-cp311-abi3-….whl

The environment is new and empty, nothing is fetched, and PATH leads to its programs alone. The
Python is the one that runs this file; the exit status is 1 if a count is not as expected.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tools.venv import python_of

ROOT: Final = Path(__file__).resolve().parent.parent
EXAMPLES: Final = ROOT / "examples"
COMPILERS: Final = ("cargo", "rustc", "cc", "gcc", "clang", "cl", "ld", "zig", "maturin")
# What would lead Python, pip or hookseal out of the environment.
LEADING: Final = ("PYTHON", "PIP_", "HOOKSEAL_", "VIRTUAL_ENV")


class Installed:
    """An environment with one wheel in it."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.has_core = not wheel.name.endswith("-none-any.whl")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self.python = python_of(folder)
        programs = str(self.python.parent)
        self.environ = {
            name: text for name, text in os.environ.items() if not name.startswith(LEADING)
        }
        # Windows finds its own libraries by this one, and there is no compiler in it.
        system = os.environ.get("SYSTEMROOT")
        self.environ["PATH"] = os.pathsep.join(
            [programs, str(Path(system, "System32"))] if system else [programs]
        )
        found = [name for name in COMPILERS if shutil.which(name, path=self.environ["PATH"])]
        assert not found, f"on PATH: {found}"
        pip = [sys.executable, "-m", "pip", "--python", str(self.python)]
        quiet = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
        subprocess.run([*pip, "install", *quiet, str(wheel)], env=self.environ, check=True)

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs the environment's Python, away from the source tree."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.python.parent,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def verify_queue(self) -> None:
        """Verifies the sample queue by the command that was installed, and by the classes.

        Raises:
            SystemExit: A count is not as expected.
        """
        expected: dict[str, Any] = json.loads((EXAMPLES / "queue.expected.json").read_bytes())
        done = self.run(EXAMPLES / "verify_queue.py", *([] if self.has_core else ["--pure"]))
        if done.returncode != 0:
            raise SystemExit(done.stdout + done.stderr)
        command = shutil.which("hookseal", path=self.environ["PATH"])
        assert command, "the command is not installed"
        queue, keyring = str(EXAMPLES / "queue.jsonl"), str(EXAMPLES / "keyring.toml")
        options = ["--keyring", keyring, "--now", str(expected["now"]), "--json"]
        told = subprocess.run(
            [command, "verify-batch", queue, *options],
            env=self.environ,
            stdout=subprocess.PIPE,
            check=False,
        )
        if told.returncode != 1 or json.loads(told.stdout)["verdicts"] != expected["verdicts"]:
            raise SystemExit(f"hookseal verify-batch: status {told.returncode}, {told.stdout!r}")


def main(wheel: Path) -> None:
    """Tries one wheel."""
    with tempfile.TemporaryDirectory() as folder:
        installed = Installed(wheel.resolve(), Path(folder, "empty"))
        installed.verify_queue()
        kernel = installed.run("-c", "import hookseal; print(hookseal.kernel())").stdout.strip()
    print(f"{wheel.name}: the sample queue is verified, kernel {kernel or 'none'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
