"""What it takes to build for aarch64 on x86-64, and to run what was built.

Taken from the system where it is installed: Rust's std for the target (`rustup target add
aarch64-unknown-linux-gnu`), the linker and the C library (Debian: gcc-aarch64-linux-gnu). Else
Debian's packages of the same, with a Rust of their own, are downloaded by apt-get (200 MB) and
unpacked into target/aarch64; nothing is installed, and apt's lists of the system stay as they are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = "aarch64-unknown-linux-gnu"
FOLDER: Final = ROOT / "target/aarch64"
LINKER: Final = "aarch64-linux-gnu-gcc"
LIBRARIES: Final = "usr/aarch64-linux-gnu"

WANTED: Final = [
    "rustc-web",  # the newest Rust that Debian has, for its browsers
    "libstd-rust-web-dev:amd64",  # for build scripts and macros
    "libstd-rust-web-dev:arm64",
    "gcc-aarch64-linux-gnu",
    "libc6-dev-arm64-cross",
]
# Of all that these depend on, what the system may lack.
NEEDED: Final = re.compile(
    r"rustc-web|libstd-rust-web-[\d.]+|libstd-rust-web-dev(:arm64)?|libllvm\d+|libz3-4"
    r"|libedit2|libbsd0|libmd0|libxml2|libicu\d+|binutils-aarch64-linux-gnu|libbinutils|libctf.*"
    r"|libjansson4|(gcc|cpp)-\d+-aarch64-linux-gnu|libgcc-.*-arm64-cross|libc6.*-arm64-cross"
    r"|linux-libc-dev-arm64-cross|libisl23|libmpc3|libmpfr6|libgmp10"
)


class Missing(Exception):
    """What is not to be had here, and why."""


@dataclass(frozen=True)
class Cross:
    """A way to build for aarch64."""

    libraries: Path  # where the emulator finds the C library
    environ: dict[str, str]  # what cargo is told


def installed() -> Cross | None:
    """The system's own pieces, if all are there."""
    command = ["rustc", f"--target={TARGET}", "--print=target-libdir"]
    library = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(library).is_dir() or not shutil.which(LINKER) or not Path("/", LIBRARIES).is_dir():
        return None
    return Cross(Path("/", LIBRARIES), {"CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER": LINKER})


def unpacked() -> Cross:
    """Debian's pieces, downloaded and unpacked at the first time.

    Raises:
        Missing: They cannot be had.
    """
    root = FOLDER / "root"
    stamp = FOLDER / "unpacked"
    if not stamp.is_file():
        shutil.rmtree(FOLDER, ignore_errors=True)
        for package in downloaded():
            subprocess.run(["dpkg", "--extract", package, root], check=True)
        for folder in ("packages", "lists", "cache"):
            shutil.rmtree(FOLDER / folder)
        stamp.touch()
    (linker,) = root.glob(f"usr/bin/{LINKER}-[0-9]*")
    prefix = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU"
    environ = {
        "RUSTC": str(root / "usr/bin/rustc"),
        "LD_LIBRARY_PATH": f"{root}/usr/lib/x86_64-linux-gnu:{root}/usr/lib",
        f"{prefix}_LINKER": str(linker),
        f"{prefix}_RUSTFLAGS": f"-Clink-arg=--sysroot={root}",
    }
    return Cross(root / LIBRARIES, environ)


def downloaded() -> list[Path]:
    """The packages, as files."""
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise Missing("neither Rust's std for aarch64 with a linker, nor apt-get")
    packages = FOLDER / "packages"
    for folder in (packages, FOLDER / "lists/partial", FOLDER / "cache/archives/partial"):
        folder.mkdir(parents=True)
    # As if nothing were installed and both processors were this machine's: the resolver then
    # names all there is to fetch.
    status = FOLDER / "status"
    status.touch()
    options = [f"Dir::State::Lists={FOLDER}/lists", f"Dir::State::status={status}"]
    options += [f"Dir::Cache={FOLDER}/cache", "APT::Architectures::=amd64"]
    options += [
        "APT::Architectures::=arm64",
        f"APT::Sandbox::User={os.environ.get('USER', 'root')}",
    ]
    apt = ["apt-get", "--quiet", *(part for option in options for part in ("-o", option))]

    def said(*arguments: str) -> str:
        run = subprocess.run(
            [*apt, *arguments], cwd=packages, capture_output=True, text=True, check=False
        )
        if run.returncode != 0:
            raise Missing(f"apt-get {arguments[0]}: {run.stderr.strip()}")
        return run.stdout

    said("update")
    plan = said("--simulate", "install", "--yes", "--no-install-recommends", *WANTED)
    names = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    said("download", *(name for name in names if NEEDED.fullmatch(name)))
    return sorted(packages.glob("*.deb"))


def cross() -> Cross:
    """A way to build for aarch64.

    Raises:
        Missing: There is none here.
    """
    return installed() or unpacked()
