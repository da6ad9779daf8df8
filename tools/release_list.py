"""The files of a release: that nothing is missing, and nothing else is uploaded.

    python -m tools.release_list dist

Says what is missing in the folder and what does not belong there; the exit status is 1 if there
is any. .github/workflows/release.yml builds them.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

# The Pythons, as tools/dist.py knows them: all with the global lock, and each alone; free-threaded;
# both.
ALONE: Final = tuple(f"cp3{minor}-cp3{minor}" for minor in range(11, 15))
PYTHONS: Final = ("cp311-abi3", *ALONE, "cp314-cp314t", "cp315-abi3.abi3t")
PLATFORMS: Final = (
    "manylinux2014_x86_64.manylinux_2_17_x86_64",
    "manylinux2014_aarch64.manylinux_2_17_aarch64",
    "musllinux_1_2_x86_64",
    "musllinux_1_2_aarch64",
    "macosx_10_12_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)


def version() -> str:
    """The one version, as Cargo.toml has it."""
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    found: str = manifest["workspace"]["package"]["version"]
    return found


def names(of: str) -> set[str]:
    """What a release of that version consists of."""
    wheels = {f"hookseal-{of}-{python}-{at}.whl" for python in PYTHONS for at in PLATFORMS}
    return wheels | {f"hookseal-{of}.tar.gz", f"hookseal-{of}-py3-none-any.whl"}


def problems(found: set[str], of: str) -> list[str]:
    """One sentence for each file that is missing or unknown."""
    wanted = names(of)
    missing = [f"{name}: missing" for name in sorted(wanted - found)]
    return missing + [f"{name}: not part of the release" for name in sorted(found - wanted)]


def main(folder: Path) -> int:
    """Returns the exit status."""
    found = problems({path.name for path in folder.iterdir()}, version())
    print("\n".join(found) or f"{len(names(version()))} files, as expected")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
