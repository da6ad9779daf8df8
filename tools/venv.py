"""Make a virtual environment hold one dependency group of pyproject.toml.

    python tools/venv.py .venv dev

Creates the environment with the Python that runs this script and installs the group, and the
group "svix1", whose package has another one's name, into a folder of its own. Does nothing when
that was done before with the same Python and the same group.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP = "pip>=25.1"  # the first that reads dependency groups
BESIDE = "svix1"


def python_of(venv: Path) -> Path:
    """The interpreter of a virtual environment."""
    return venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def digest(group: str) -> str:
    """What the environment depends on: the Python, the groups, and which of them."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        groups = tomllib.load(file)["dependency-groups"]
    return hashlib.sha256(f"{sys.version} {PIP} {groups} {group}".encode()).hexdigest()


def works(venv: Path) -> bool:
    """Whether the environment's Python starts; it does not if the one it links to has gone."""
    try:
        return subprocess.run([python_of(venv), "-c", ""], check=False).returncode == 0
    except OSError:
        return False


def ensure(venv: Path, group: str) -> Path:
    """Create and fill the environment where needed; returns its interpreter."""
    stamp = venv / ".group"
    python = python_of(venv)
    wanted = digest(group)
    if stamp.is_file() and stamp.read_text() == wanted and works(venv):
        return python
    print(f"{venv.name}: Python {sys.version.split()[0]}, dependency group {group!r}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--upgrade", PIP], check=True)
    subprocess.run([*install, "--group", f"{ROOT / 'pyproject.toml'}:{group}"], check=True)
    with (ROOT / "pyproject.toml").open("rb") as file:
        beside = tomllib.load(file)["dependency-groups"][BESIDE]
    subprocess.run([*install, "--no-deps", "--target", venv / BESIDE, *beside], check=True)
    stamp.write_text(wanted)
    return python


if __name__ == "__main__":
    ensure(Path(sys.argv[1]), sys.argv[2])
