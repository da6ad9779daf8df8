"""What is published, as it is published: `make package` runs this, and nothing else does.

It takes minutes, because everything is built anew: from the sdist, twice, for Pythons that are not
here, and by pip without a network. HOOKSEAL_DIST_DIR names the folder that `make wheel` filled.
What looks into a wheel for Linux is skipped elsewhere, and where a tool for it is absent.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tools import other_pythons, release_list, wheel_file
from tools.try_wheel import Installed

ROOT = Path(__file__).resolve().parent.parent
DIST = Path(os.environ["HOOKSEAL_DIST_DIR"])
# The environment of the dependency group "package".
TOOLS = Path(os.environ["HOOKSEAL_PACKAGE_PYTHON"])
CARGO_HOME = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
VERSION = release_list.version()
PURE = f"hookseal-{VERSION}-py3-none-any.whl"
SDIST = f"hookseal-{VERSION}.tar.gz"
(ABI3,) = (path.name for path in DIST.glob(f"hookseal-{VERSION}-cp311-abi3-*.whl"))
# For the Python alone that made them.
(OWN,) = {path.name for path in DIST.glob("*.whl")} - {ABI3, PURE}
FITS_OWN = f"-cp3{sys.version_info.minor}-" in OWN

IS_GLIBC = platform.system() == "Linux" and platform.libc_ver()[0] == "glibc"
on_glibc = pytest.mark.skipif(not IS_GLIBC, reason="the wheel is not one for Linux with glibc")
# The objects that manylinux_2_17 lets a wheel need of the system.
SYSTEM = {"libc.so.6", "libpthread.so.0", "libdl.so.2"}
SYSTEM |= {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def needs(tool: str) -> pytest.MarkDecorator:
    """Skips where a tool is absent."""
    return pytest.mark.skipif(
        not shutil.which(tool), reason=f"{tool} is not here (Debian: binutils)"
    )


def dist(*arguments: str | Path, root: Path = ROOT, **environ: str) -> None:
    """Make what is published."""
    command = [TOOLS, "-m", "tools.dist", *arguments]
    subprocess.run(command, cwd=root, env={**os.environ, **environ}, check=True)


def judge(folder: Path) -> subprocess.CompletedProcess[str]:
    """Let the tools of the field judge a folder."""
    return subprocess.run(
        [TOOLS, "-m", "tools.judge", folder], cwd=ROOT, capture_output=True, text=True, check=False
    )


def said(*command: str | Path) -> str:
    """What a command prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def has_pip(python: Path) -> bool:
    """Whether that Python can install a wheel."""
    command = [str(python), "-m", "pip", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module", params=[ABI3, OWN])
def binary(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module inside a wheel, as a file."""
    found = wheel_file.read(DIST / request.param)
    (name,) = (name for name in found if name.startswith("hookseal/_core.") and ".so" in name)
    path = tmp_path_factory.mktemp("binary") / Path(name).name
    path.write_bytes(found[name])
    return path


def test_these_are_the_files() -> None:
    assert {path.name for path in DIST.iterdir()} == {ABI3, OWN, PURE, SDIST}
    assert {ABI3, OWN, PURE, SDIST} < release_list.names(VERSION)


def test_nobody_objects() -> None:
    run = judge(DIST)
    assert (run.returncode, run.stdout) == (0, f"{DIST}: nobody objects\n"), run.stderr


@on_glibc
def test_a_tag_that_promises_too_much_is_found_out(tmp_path: Path) -> None:
    lie = re.sub(r"manylinux2014_\w+\.manylinux_2_17", "manylinux_2_5", ABI3)
    assert lie != ABI3
    shutil.copy(DIST / ABI3, tmp_path / lie)
    run = judge(tmp_path)
    assert run.returncode == 1
    assert f"manylinux_2_17_{platform.machine()}" in run.stdout


# What is in the wheel.


@on_glibc
@needs("readelf")
def test_the_wheel_needs_a_c_library_of_2012_and_nothing_else(binary: Path) -> None:
    text = said("readelf", "--dynamic", "--version-info", "--wide", binary)
    assert set(re.findall(r"\(NEEDED\).*\[(.*)\]", text)) <= SYSTEM
    versions = {tuple(map(int, it.split("."))) for it in re.findall(r"GLIBC_([\d.]+)", text)}
    assert max(versions) == (2, 17)
    assert not re.search(r"\((RPATH|RUNPATH)\)", text)


@on_glibc
@needs("readelf")
def test_the_wheel_cannot_be_written_or_run_where_it_should_not(binary: Path) -> None:
    segments = said("readelf", "--program-headers", "--wide", binary)
    (stack,) = re.findall(r"^ *GNU_STACK .* (\S+) +\S+$", segments, re.MULTILINE)
    assert stack == "RW"
    assert "GNU_RELRO" in segments
    assert "BIND_NOW" in said("readelf", "--dynamic", "--wide", binary)


@on_glibc
@needs("nm")
def test_the_wheel_exports_its_entry_alone(binary: Path) -> None:
    symbols = said("nm", "--dynamic", "--defined-only", binary).splitlines()
    assert [line.split()[-1] for line in symbols] == ["PyInit__core"]


@pytest.mark.parametrize("name", [ABI3, OWN, PURE, SDIST])
def test_no_path_of_this_machine_gets_out(name: str) -> None:
    path = DIST / name
    if path.suffix == ".whl":
        found = wheel_file.read(path)
    else:
        with tarfile.open(path) as archive:
            members = [member for member in archive if member.isfile()]
            found = {it.name: archive.extractfile(it).read() for it in members}  # type: ignore[union-attr]
            assert {(it.uid, it.gid, it.uname, it.gname) for it in members} == {(0, 0, "", "")}
    for secret in {ROOT, Path.home(), CARGO_HOME}:
        assert [name for name, data in found.items() if os.fsencode(secret) + b"/" in data] == []


# It is the same wherever it is made.


def test_another_folder_makes_the_same_bytes(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    names = said("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in names.split("\0"):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
            (copy / name).chmod(0o600)
    # Cargo's own folder elsewhere too: the sources of the crates then have other paths.
    home = tmp_path / "cargo"
    home.mkdir()
    (home / "registry").symlink_to(CARGO_HOME / "registry")
    epoch = said("git", "-C", ROOT, "log", "-1", "--format=%ct").strip()
    out = tmp_path / "out"
    environ = {"SOURCE_DATE_EPOCH": epoch, "CARGO_HOME": str(home), "CARGO_NET_OFFLINE": "true"}
    dist(out, "--work", tmp_path / "work", root=copy, **environ)
    for name in (SDIST, ABI3, OWN, PURE):
        assert (out / name).read_bytes() == (DIST / name).read_bytes(), name


# It works where it is installed.


@pytest.mark.parametrize("name", [ABI3, OWN, PURE])
def test_a_wheel_verifies_the_sample_queue_where_no_compiler_is(name: str, tmp_path: Path) -> None:
    if name == OWN and not FITS_OWN:
        pytest.skip("another Python made it")
    Installed(DIST / name, tmp_path / "empty").verify_queue()


def build_by_pip(sdist: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """What `pip install hookseal` does where no wheel fits, without a network."""
    pip = [
        str(TOOLS),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "wheel",
        "--no-index",
        "--no-deps",
    ]
    return subprocess.run(
        [*pip, "--no-build-isolation", "--wheel-dir", out, sdist],
        env={
            **os.environ,
            "CARGO_NET_OFFLINE": "true",
            # Where the build finds maturin.
            "PATH": os.pathsep.join([str(TOOLS.parent), os.environ["PATH"]]),
            "PYO3_PYTHON": str(TOOLS),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_sdist_builds_without_a_network(tmp_path: Path) -> None:
    run = build_by_pip(DIST / SDIST, tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    (wheel,) = tmp_path.glob("hookseal-*-cp311-abi3-*.whl")
    Installed(wheel, tmp_path / "empty").verify_queue()


def test_the_sdist_builds_with_the_versions_that_were_tested(tmp_path: Path) -> None:
    with tarfile.open(DIST / SDIST) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / SDIST.removesuffix(".tar.gz")
    lock = source / "Cargo.lock"
    text = lock.read_text()
    assert text == (ROOT / "Cargo.lock").read_text()
    lock.write_text(re.sub(r'(name = "subtle"\nversion = )"[^"]*"', r'\1"0.0.1"', text))
    assert lock.read_text() != text
    run = build_by_pip(source, tmp_path)
    assert run.returncode != 0
    assert "--locked" in run.stdout + run.stderr


@on_glibc
@pytest.mark.parametrize(
    ("abi", "python"),
    [
        ("3.11", "cp311-cp311"),
        ("3.12", "cp312-cp312"),
        ("3.13", "cp313-cp313"),
        ("3.14", "cp314-cp314"),
        ("3.14t", "cp314-cp314t"),
        ("abi3t", "cp315-abi3.abi3t"),
    ],
)
def test_other_pythons_get_a_wheel(abi: str, python: str, tmp_path: Path) -> None:
    """Used, too, where there is such a Python with the global lock."""
    if python in OWN:
        pytest.skip("that is the one that was made first")
    dist(tmp_path, "--from", DIST / SDIST, "--abi", abi)
    (wheel,) = tmp_path.iterdir()
    assert wheel.name == ABI3.replace("cp311-abi3", python)
    run = judge(tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    interpreter = other_pythons.find(abi)
    if interpreter and has_pip(interpreter):
        tried = said(interpreter, "-m", "tools.try_wheel", wheel)
        assert "the sample queue is verified, kernel" in tried
