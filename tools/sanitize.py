"""Run the tests under address sanitizer: those in Rust, and those that are hostile from Python.

    python tools/sanitize.py

The sanitizer comes with the toolchain and is not stable: RUSTC_BOOTSTRAP opens the flag, for
these tests alone. Inside of Python its runtime has to be there before anything else, so it is made
into a library of its own, and Python's objects are allocated by it: a read behind a `bytes` is
found. First a test that reads one byte too many must be found out, on either side.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = "x86_64-unknown-linux-gnu"
FOLDER: Final = ROOT / "target/sanitizer"
PACKAGES: Final = ("hookseal-lanes", "hookseal-harness", "hookseal-engine")
FOUND: Final = "AddressSanitizer: heap-buffer-overflow"

# What is hostile from Python.
HOSTILE: Final = (
    "tests/test_hostile_buffers.py",
    "tests/test_hostile_mappings.py",
    "tests/test_hostile_objects.py",
    "tests/test_hostile_sequences.py",
    "tests/test_hostile_subclasses.py",
    "tests/test_batch_items.py",
    "tests/test_columns.py",
    "tests/test_headers_and_bodies.py",
    "tests/test_lines_broken.py",
    "tests/test_python_traps.py",
    "tests/test_threats_comparison.py",
    "tests/test_threats_interface.py",
    "tests/test_threats_memory.py::test_threat_38_a_buffer_that_another_thread_changes",
    "tests/test_threats_signatures.py",
    "tests/test_threats_signed.py",
    "tests/test_threats_time.py",
    "tests/test_twin.py",
)

# One byte more than sixteen, which libc's memcpy is asked for.
CONTROL: Final = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
ctypes.string_at(libc.malloc(16), 17)
"""


def environment() -> dict[str, str]:
    """What cargo builds with; with the usual profile, since the sanitizer makes tests slow."""
    kept = {name: text for name, text in os.environ.items() if name != "HOOKSEAL_TEST_PROFILE"}
    return kept | {"RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": "-Zsanitizer=address"}


def cargo(command: str, *arguments: str) -> list[str]:
    """The command that builds or tests with the sanitizer, in a folder of its own."""
    folder = ["--target", TARGET, "--target-dir", str(FOLDER)]
    return ["cargo", command, "--locked", "--quiet", *folder, *arguments]


def in_rust() -> int:
    """Runs the Rust tests; returns the exit status."""
    control = subprocess.run(
        cargo("test", "-p", "hookseal-harness", "--test", "sanitizer", "--", "--ignored"),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if control.returncode == 0 or FOUND not in control.stdout + control.stderr:
        print("the sanitizer did not find what it must find", control.stdout, control.stderr)
        return 1
    packages = [argument for name in PACKAGES for argument in ("-p", name)]
    # Who looks at what is left on the stack reads where nothing may be read.
    command = cargo("test", *packages, "--", "--skip", "the_stack")
    return subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode


def runtime() -> Path | None:
    """The sanitizer's runtime as a library that can be loaded before all others; None if the
    toolchain has none. What it has is for programs, and one part of it for them alone."""
    root = subprocess.run(
        ["rustc", "--print", "sysroot"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    archives = list(Path(root, "lib/rustlib", TARGET, "lib").glob("librustc-*_rt.asan.a"))
    if not archives:
        return None
    # Not by its usual name: a program must not have both, and what is linked whole looks for it.
    archive, library = FOLDER / "runtime.a", FOLDER / "runtime.so"
    shutil.copy(archives[0], archive)
    subprocess.run(["ar", "d", str(archive), "asan_preinit.cpp.o"], check=True)
    whole = ["-Wl,--whole-archive", str(archive), "-Wl,--no-whole-archive"]
    libraries = ["-lpthread", "-ldl", "-lm", "-lrt"]
    subprocess.run(["cc", "-shared", "-o", str(library), *whole, *libraries], check=True)
    return library


def package() -> Path:
    """The folder of a package whose core is built with the sanitizer."""
    subprocess.run(
        cargo("build", "-p", "hookseal-binding", "--no-default-features"),
        cwd=ROOT,
        env=environment(),
        check=True,
    )
    folder = FOLDER / "python"
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(ROOT / "python/hookseal", folder / "hookseal", ignore=ignored)
    built = FOLDER / TARGET / "debug/lib_core.so"
    shutil.copy(built, folder / "hookseal/_core.so")
    return folder


def in_python() -> int:
    """Runs the hostile tests in CPython; returns the exit status."""
    library = runtime()
    if library is None:
        print("skipped in Python: this toolchain has no runtime of the sanitizer")
        return 0
    folder = package()
    plain = {**os.environ, "PYTHONPATH": str(folder), "HOOKSEAL_TEST_PROFILE": "quick"}
    checked = {
        **plain,
        "LD_PRELOAD": str(library),
        # Python itself leaves much behind, and a test asks for more than there is.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "PYTHONMALLOC": "malloc",
    }

    def run(
        environ: dict[str, str], *arguments: str, capture: bool = True
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environ, text=True, capture_output=capture, check=False
        )

    control = run(checked, "-c", CONTROL)
    woven = run(plain, "-c", "import hookseal._core")
    if FOUND not in control.stderr or "__asan" not in woven.stderr:
        print("the sanitizer is not where it must be", control.stderr, woven.stderr)
        return 1
    pytest = ["-m", "pytest", "-q", "-r", "fE", "-o", f"cache_dir={FOLDER}/pytest"]
    return run(checked, *pytest, *HOSTILE, capture=False).returncode


def main() -> int:
    """Returns the exit status."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print(f"skipped: this is not {TARGET}")
        return 0
    return in_rust() or in_python()


if __name__ == "__main__":
    sys.exit(main())
