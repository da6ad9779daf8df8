"""Run the Rust tests under address sanitizer.

    python tools/sanitize.py

The sanitizer comes with the toolchain and is not stable: RUSTC_BOOTSTRAP opens the flag, for
these tests alone. First a test that reads one byte too many must be found out.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = "x86_64-unknown-linux-gnu"
PACKAGES: Final = ("hookseal-lanes", "hookseal-harness", "hookseal-engine")
FOUND: Final = "AddressSanitizer: heap-buffer-overflow"


def test(*arguments: str) -> list[str]:
    """The command that tests with the sanitizer, in a folder of its own."""
    folder = ["--target", TARGET, "--target-dir", "target/sanitizer"]
    return ["cargo", "test", "--locked", "--quiet", *folder, *arguments]


def main() -> int:
    """Returns the exit status."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print(f"skipped: this is not {TARGET}")
        return 0
    # With the usual profile: the sanitizer makes the tests ten times slower.
    environment = {
        name: text for name, text in os.environ.items() if name != "HOOKSEAL_TEST_PROFILE"
    }
    environment |= {"RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": "-Zsanitizer=address"}
    control = subprocess.run(
        test("-p", "hookseal-harness", "--test", "sanitizer", "--", "--ignored"),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if control.returncode == 0 or FOUND not in control.stdout + control.stderr:
        print("the sanitizer did not find what it must find", control.stdout, control.stderr)
        return 1
    packages = [argument for name in PACKAGES for argument in ("-p", name)]
    return subprocess.run(test(*packages), cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
