"""Make what is published: the source distribution, and wheels that are built from it.

    python -m tools.dist dist                                    # all that this machine can make
    python -m tools.dist dist --sdist                            # the source distribution alone
    python -m tools.dist dist --from dist/hookseal-0.1.0.tar.gz  # one wheel from it
                         [--target x86_64-unknown-linux-musl] [--abi 3.14t]

Needs the dependency group "package". For Linux, zig links against the oldest C library that Rust
supports, whatever the machine has. The same source makes the same bytes: times are those of the
commit, and no path of the machine gets in. What a wheel holds follows from the sdist alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import Final

from tools import pure_wheel, wheel_file

ROOT: Final = Path(__file__).resolve().parent.parent

# For one Python alone: without the stable ABI.
OWN: Final = ("--no-default-features",)
# The Pythons that a wheel can be for, and what maturin is told of them.
ABIS: Final = {
    "abi3": [],  # 3.11 and later, with the global lock
    # One alone: a batch takes up to a tenth less time (docs/decisions/abi3.md).
    **{f"3.{minor}": [*OWN, "--interpreter", f"python3.{minor}"] for minor in range(11, 15)},
    "3.14t": [*OWN, "--interpreter", "python3.14t"],  # free-threaded Pythons had no stable ABI
    "abi3t": ["--interpreter", "python3.15t", "--features", "abi3t"],  # 3.15 and later, both kinds
}
# glibc 2.17 is of 2012, and musl 1.2 of 2020; Rust's own targets ask for no less.
LINUX: Final = {"gnu": "manylinux_2_17", "musl": "musllinux_1_2"}

# What cargo-cyclonedx writes of a crate that lies in a folder.
IN_FOLDER: Final = re.compile(rb'path\+file://[^"#]*/(?=rust/)')


def said(*command: str | Path, folder: Path = ROOT) -> str:
    """What a command prints."""
    return subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def maturin(*arguments: str | Path, folder: Path, **environ: str) -> None:
    """Run maturin, with the zig of the same environment; what it says is shown where it fails."""
    here = str(Path(sys.executable).parent)
    environ = {**os.environ, "PATH": os.pathsep.join([here, os.environ["PATH"]]), **environ}
    # What it builds against is said by the options.
    environ.pop("PYO3_PYTHON", None)
    run = subprocess.run(
        [sys.executable, "-m", "maturin", *arguments],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise SystemExit(run.stdout)


def make_sdist(out: Path) -> Path:
    """Make the source distribution; returns its path."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or said("git", "log", "-1", "--format=%ct")
    maturin("sdist", "--out", out, folder=ROOT, SOURCE_DATE_EPOCH=epoch)
    (sdist,) = out.glob("hookseal-*.tar.gz")
    return sdist


def unpacked(sdist: Path, work: Path) -> tuple[Path, str]:
    """The folder of the sources in an sdist, unpacked, and their time."""
    # A folder for each content: the files are as old as the commit, and cargo would take what it
    # built of another one for fresh.
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()[:16]
    for old in work.glob("*"):
        if old.name != digest:
            shutil.rmtree(old)
    with tarfile.open(sdist) as archive:
        archive.extractall(work / digest, filter="data")
        epoch = str(int(max(member.mtime for member in archive)))
    (source,) = (path.parent for path in (work / digest).glob("*/pyproject.toml"))
    return source, epoch


def without_paths(source: Path) -> str:
    """The flags that keep the paths of this machine out of a binary."""
    command = ["cargo", "metadata", "--locked", "--format-version=1"]
    packages = json.loads(said(*command, folder=source))["packages"]
    crates = {Path(it["manifest_path"]).parent.parent for it in packages if it["source"]}
    flags = [f"--remap-path-prefix={path}=crates" for path in sorted(crates)]
    return "\x1f".join([*flags, f"--remap-path-prefix={source}=hookseal"])


def tidy(wheel: Path) -> None:
    """Write a wheel anew: without the paths that its bill of materials gives for our crates."""
    files = wheel_file.read(wheel)
    for name in files:
        if "/sboms/" in name:
            files[name] = IN_FOLDER.sub(b"path+file:///", files[name])
    wheel_file.write(wheel, files)


def make_wheel(sdist: Path, out: Path, work: Path, target: str = "", abi: str = "abi3") -> Path:
    """Build a wheel from an sdist; returns its path."""
    target = target or said("rustc", "--print", "host-tuple")
    source, epoch = unpacked(sdist, work)
    built = source.parent / "wheel"
    shutil.rmtree(built, ignore_errors=True)
    options = ["--release", "--locked", "--target", target, "--out", str(built), *ABIS[abi]]
    libc = target.partition("-linux-")[2]
    if libc:
        options += ["--zig", "--compatibility", LINUX[libc]]
    else:
        options += ["--compatibility", "pypi"]
    maturin(
        "build",
        *options,
        folder=source,
        SOURCE_DATE_EPOCH=epoch,
        CARGO_TARGET_DIR=str(source.parent / "target"),
        CARGO_ENCODED_RUSTFLAGS=without_paths(source),
    )
    (wheel,) = built.glob("*.whl")
    tidy(wheel)
    return Path(shutil.move(wheel, out / wheel.name))


def main() -> None:
    """Makes what the command line asks for."""
    parser = argparse.ArgumentParser(description="Make what is published.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--sdist", action="store_true", help="the source distribution alone")
    parser.add_argument("--from", dest="source", type=Path, metavar="SDIST", help="one wheel alone")
    parser.add_argument("--target", default="", help="of that wheel, as Rust names it")
    parser.add_argument("--abi", choices=ABIS, default="abi3", help="of that wheel")
    parser.add_argument("--work", type=Path, default=ROOT / "target/dist", help="where it is built")
    options = parser.parse_args()
    out, work = options.out.resolve(), options.work.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if options.source:
        print(make_wheel(options.source, out, work, options.target, options.abi))
        return
    sdist = make_sdist(out)
    print(sdist)
    if not options.sdist:
        wheel = make_wheel(sdist, out, work)
        print(wheel)
        print(pure_wheel.make(wheel))
        own = f"3.{sys.version_info.minor}"
        if own in ABIS and not sysconfig.get_config_var("Py_GIL_DISABLED"):
            print(make_wheel(sdist, out, work, abi=own))


if __name__ == "__main__":
    main()
