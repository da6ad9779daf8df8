"""What is shipped: the build profile, the version, and the wheels as users install them.

`make test` builds the wheels and names their folder in HOOKSEAL_WHEEL_DIR; without it the
tests of the wheels are skipped.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

from tools import wheel_file
from tools.pure_wheel import make
from tools.try_wheel import Installed

ROOT = Path(__file__).resolve().parent.parent
CARGO = tomllib.loads((ROOT / "Cargo.toml").read_text())
VERSION = CARGO["workspace"]["package"]["version"]
HOT = {"BatchResult", "Keyring", "Secret", "Signer", "Verified", "Verifier"}

# The example of the Standard Webhooks reference libraries.
VERIFY = """
verifier = module.Verifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
headers = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
body = b'{"test": 2432232314}'
print(verifier.check(body, headers, now=1614265330).name)
print(verifier.check(body + b" ", headers, now=1614265330).name)
print(verifier.check(body, headers, now=1614265631).name)
"""
VERDICTS = ["VALID", "SIGNATURE_MISMATCH", "TOO_OLD"]


@pytest.fixture(scope="module")
def wheels() -> Path:
    """The folder of the built wheels."""
    folder = os.environ.get("HOOKSEAL_WHEEL_DIR")
    if not folder:
        pytest.skip("HOOKSEAL_WHEEL_DIR names no folder; `make test` sets it")
    return Path(folder)


@pytest.fixture(scope="module")
def abi3(wheels: Path) -> Path:
    """The wheel with the binary."""
    (wheel,) = wheels.glob("hookseal-*-abi3-*.whl")
    return wheel


@pytest.fixture(scope="module")
def pure(wheels: Path) -> Path:
    """The wheel without it."""
    (wheel,) = wheels.glob("hookseal-*-none-any.whl")
    return wheel


def source_files() -> dict[str, bytes]:
    """What of python/hookseal belongs in a wheel."""
    base = ROOT / "python"
    return {
        path.relative_to(base).as_posix(): path.read_bytes()
        for path in base.glob("hookseal/**/*")
        if path.suffix in {".py", ".pyi"} or path.name == "py.typed"
    }


def run_installed(wheel: Path, folder: Path, script: str) -> list[str]:
    """Run a script where the wheel is installed; returns its lines."""
    run = Installed(wheel, folder).run("-c", script)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


# The profile and the version.


def test_a_panic_unwinds_so_that_it_can_become_an_exception() -> None:
    assert CARGO["profile"]["release"]["panic"] == "unwind"


def test_overflow_checks_stay_on_in_the_release_profile() -> None:
    assert CARGO["profile"]["release"]["overflow-checks"] is True


def test_the_version_is_written_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    assert project["dynamic"] == ["version"]
    for manifest in ROOT.glob("rust/*/Cargo.toml"):
        package = tomllib.loads(manifest.read_text())["package"]
        assert package["version"] == {"workspace": True}, manifest


def test_the_package_says_the_version_of_the_workspace() -> None:
    import hookseal

    assert hookseal.__version__ == VERSION


def test_nothing_is_installed_along() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"] == []


# Both wheels.


@pytest.mark.parametrize("kind", ["abi3", "pure"])
def test_a_wheel_holds_the_python_files_as_they_are(
    kind: str, request: pytest.FixtureRequest
) -> None:
    found = wheel_file.read(request.getfixturevalue(kind))
    package = {n: data for n, data in found.items() if n.startswith("hookseal/")}
    binaries = {n for n in package if n.startswith("hookseal/_core.abi3.")}
    assert len(binaries) == (1 if kind == "abi3" else 0)
    assert {n: data for n, data in package.items() if n not in binaries} == source_files()
    assert {"hookseal/py.typed", "hookseal/_core.pyi", "hookseal/pure/__init__.py"} <= set(package)
    info = f"hookseal-{VERSION}.dist-info"
    assert {n.split("/")[0] for n in found} == {"hookseal", info}
    for licence in ("LICENSE-MIT", "LICENSE-APACHE"):
        assert found[f"{info}/licenses/{licence}"] == (ROOT / licence).read_bytes()
    assert b"License-Expression: MIT OR Apache-2.0\n" in found[f"{info}/METADATA"]


@pytest.mark.parametrize("kind", ["abi3", "pure"])
def test_a_wheel_records_each_of_its_files(kind: str, request: pytest.FixtureRequest) -> None:
    found = wheel_file.read(request.getfixturevalue(kind))
    record = f"hookseal-{VERSION}.dist-info/RECORD"
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(found[record].decode()))}
    assert rows.pop(record) == ["", ""]
    assert rows == {
        name: [
            "sha256="
            + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode(),
            str(len(data)),
        ]
        for name, data in found.items()
        if name != record
    }


@pytest.mark.parametrize("kind", ["abi3", "pure"])
def test_a_wheel_verifies_the_sample_queue_where_no_compiler_is(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    Installed(request.getfixturevalue(kind), tmp_path / "empty").verify_queue()


def test_a_wheel_that_lost_its_binary_is_found_out(abi3: Path, tmp_path: Path) -> None:
    """The twin would give the same verdicts."""
    kept = {n: data for n, data in wheel_file.read(abi3).items() if "/_core.abi3." not in n}
    wheel_file.write(tmp_path / abi3.name, kept)
    with pytest.raises(SystemExit, match="hookseal"):
        Installed(tmp_path / abi3.name, tmp_path / "empty").verify_queue()


# The wheel with the binary, and the one that is for one Python alone.


def test_what_is_tested_here_is_the_core_for_this_python_alone() -> None:
    """As it is measured, and as most users get it; other Pythons test the one for all."""
    import hookseal._core as core

    name = Path(core.__file__).name
    if Path(core.__file__).parent.parent != ROOT / "python":
        pytest.skip("this is a wheel that was installed")
    assert name == f"_core{sysconfig.get_config_var('EXT_SUFFIX')}"
    # A build by another command would lie beside it, and never be loaded.
    assert [
        path.name for path in Path(core.__file__).parent.glob("_core.*") if path.suffix != ".pyi"
    ] == [name]


def test_one_binary_wheel_serves_every_python_from_3_11(abi3: Path) -> None:
    assert re.match(rf"hookseal-{re.escape(VERSION)}-cp311-abi3-", abi3.name)


def built_in() -> set[tuple[str, str]]:
    """Name and version of each crate that the binding needs, tests left out."""
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version=1"]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    metadata = json.loads(output)
    needs = {
        node["id"]: {
            need["pkg"]
            for need in node["deps"]
            if {None, "build"} & {kind["kind"] for kind in need["dep_kinds"]}
        }
        for node in metadata["resolve"]["nodes"]
    }
    known = {it["id"]: (it["name"], it["version"]) for it in metadata["packages"]}
    todo, found = [key for key in known if known[key][0] == "hookseal-binding"], set[str]()
    while todo:
        key = todo.pop()
        if key not in found:
            found.add(key)
            todo += needs[key]
    return {known[key] for key in found}


def test_the_binary_wheel_lists_its_crates(abi3: Path) -> None:
    (bill,) = (
        json.loads(data) for name, data in wheel_file.read(abi3).items() if "/sboms/" in name
    )
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    listed = [bill["metadata"]["component"], *bill["components"]]
    assert {(it["name"], it["version"]) for it in listed} == built_in()
    sums = {
        (it["name"], it["version"]): it["checksum"]
        for it in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
        if "checksum" in it
    }
    foreign = [it for it in listed if not it["name"].startswith("hookseal-")]
    assert len(foreign) > 20
    for it in foreign:
        (digest,) = it["hashes"]
        assert digest == {"alg": "SHA-256", "content": sums[it["name"], it["version"]]}


def test_the_binary_wheel_works_where_it_is_installed(abi3: Path, tmp_path: Path) -> None:
    script = "import hookseal, hookseal.pure\nprint(*sorted(hookseal.__all__))\n"
    script += "print(*sorted(n for n in hookseal.__all__ if not hasattr(hookseal, n)))\n"
    script += "module = hookseal" + VERIFY + "module = hookseal.pure" + VERIFY
    names, absent, *verdicts = run_installed(abi3, tmp_path / "venv", script)
    assert absent == ""
    assert HOT | {"Endpoint", "Finding", "Message", "Scheme", "Verdict", "schemes"} <= {
        *names.split()
    }
    assert verdicts == VERDICTS * 2


# The wheel without it.


def test_the_pure_wheel_fits_everywhere(pure: Path) -> None:
    assert pure.name == f"hookseal-{VERSION}-py3-none-any.whl"
    lines = wheel_file.read(pure)[f"hookseal-{VERSION}.dist-info/WHEEL"].decode().splitlines()
    assert "Root-Is-Purelib: true" in lines
    assert [line for line in lines if line.startswith("Tag:")] == ["Tag: py3-none-any"]


def test_the_pure_wheel_lists_no_crates(pure: Path) -> None:
    assert not [name for name in wheel_file.read(pure) if "/sboms/" in name]


def test_the_same_wheel_makes_the_same_pure_wheel(abi3: Path, pure: Path, tmp_path: Path) -> None:
    copy = tmp_path / abi3.name
    copy.write_bytes(abi3.read_bytes())
    assert make(copy).read_bytes() == pure.read_bytes()


def test_the_pure_wheel_verifies_and_names_the_way(pure: Path, tmp_path: Path) -> None:
    script = f"""
import hookseal
for name in {sorted(HOT)}:
    try:
        getattr(hookseal, name)
    except ImportError as error:
        print("import hookseal.pure" in str(error))
try:
    from hookseal import Verifier
except ImportError as error:
    print("import hookseal.pure" in str(error))
print(hookseal.__version__)
import hookseal.pure
module = hookseal.pure
"""
    script += (
        VERIFY
        + """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from hookseal.compat.standardwebhooks import Webhook
print([warning.category.__name__ for warning in caught])
webhook = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", tolerance="off")
print(webhook.verify(body, headers))
"""
    )
    lines = run_installed(pure, tmp_path / "venv", script)
    compat = ["['RuntimeWarning']", "{'test': 2432232314}"]
    assert lines == ["True"] * (len(HOT) + 1) + [VERSION] + VERDICTS + compat
