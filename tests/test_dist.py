"""How what is published is made, without making it: tests/dist_checks.py does that."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from ruamel.yaml import YAML

from tools import cross, dist, release_list, wheel_file

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = ROOT / ".github/workflows"
RELEASE: dict[str, Any] = YAML(typ="safe").load((WORKFLOWS / "release.yml").read_text())
INFO = "hookseal-1.dist-info"


# Wheels.


def test_the_same_files_make_the_same_wheel(tmp_path: Path) -> None:
    files = {f"{INFO}/WHEEL": b"w", "hookseal/_core.abi3.so": b"s", "hookseal/a.py": b"a"}
    for name, order in (("one.whl", list(files)), ("two.whl", list(files)[::-1])):
        wheel_file.write(tmp_path / name, {key: files[key] for key in order})
    assert (tmp_path / "one.whl").read_bytes() == (tmp_path / "two.whl").read_bytes()
    found = wheel_file.read(tmp_path / "one.whl")
    record = found.pop(f"{INFO}/RECORD").decode().splitlines()
    assert found == files
    order = ["hookseal/_core.abi3.so", "hookseal/a.py", f"{INFO}/WHEEL", f"{INFO}/RECORD"]
    assert [line.split(",")[0] for line in record] == order


def test_a_wheel_that_is_written_anew_gets_a_new_record(tmp_path: Path) -> None:
    wheel = tmp_path / "x.whl"
    wheel_file.write(wheel, {f"{INFO}/WHEEL": b"w", f"{INFO}/RECORD": b"old\n"})
    assert b"old" not in wheel_file.read(wheel)[f"{INFO}/RECORD"]


def test_a_module_may_be_run_and_nothing_else(tmp_path: Path) -> None:
    wheel_file.write(tmp_path / "x.whl", {f"{INFO}/WHEEL": b"", "a.so": b"", "b.py": b""})
    with ZipFile(tmp_path / "x.whl") as archive:
        modes = {it.filename: oct(it.external_attr >> 16) for it in archive.infolist()}
    assert modes.pop("a.so") == "0o100755"
    assert set(modes.values()) == {"0o100644"}


@pytest.mark.parametrize(
    "folder", ["/build/hookseal-1", "/C:/build/hookseal-1", "/with%20space/rust/hookseal-1"]
)
def test_a_bill_of_materials_names_no_folder(folder: str, tmp_path: Path) -> None:
    name = f"{INFO}/sboms/hookseal-binding.cyclonedx.json"
    text = f'"bom-ref": "path+file://{folder}/rust/binding#hookseal-binding@1 bin-target-0"'
    wheel_file.write(tmp_path / "x.whl", {f"{INFO}/WHEEL": b"", name: text.encode()})
    dist.tidy(tmp_path / "x.whl")
    tidied = b'"bom-ref": "path+file:///rust/binding#hookseal-binding@1 bin-target-0"'
    assert wheel_file.read(tmp_path / "x.whl")[name] == tidied


# What builds them.


def test_the_release_is_built_by_what_was_tested() -> None:
    """Every program by its digest, and none that the group does not name."""
    lock = (ROOT / "tools/build.lock").read_text()
    assert "\n--require-hashes\n--only-binary=:all:\n" in lock
    locked = dict(re.findall(r"^(\w+)==([\d.]+) \\$", lock, re.MULTILINE))
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    wanted = dict(re.findall(r"^(\w+)~=([\d.]+)$", "\n".join(groups["build"]), re.MULTILINE))
    assert len(wanted) == len(groups["build"])
    assert locked.keys() == wanted.keys()
    for name, version in wanted.items():
        series = version.rpartition(".")[0]
        assert locked[name].startswith(f"{series}."), name
    assert len(re.findall(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$", lock, re.MULTILINE)) > 20


def test_debian_packages_are_chosen_by_their_whole_name() -> None:
    wanted = ["rustc-web", "libstd-rust-web-dev", "libstd-rust-web-dev:arm64", "libllvm22"]
    wanted += ["libstd-rust-web-1.96", "gcc-12-aarch64-linux-gnu", "libc6-dev-arm64-cross"]
    assert all(map(cross.NEEDED.fullmatch, wanted))
    others = ["libc6", "libc6:arm64", "libstd-rust-web-1.96:arm64", "gcc-12", "libllvm22:arm64"]
    assert not any(map(cross.NEEDED.fullmatch, others))


# The release.


def test_a_release_is_these_files() -> None:
    names = release_list.names("1")
    assert len(names) == 7 * 7 + 2
    assert release_list.problems(names, "1") == []
    assert release_list.problems(names - {"hookseal-1.tar.gz"}, "1") == [
        "hookseal-1.tar.gz: missing"
    ]
    assert release_list.problems(names | {"x"}, "1") == ["x: not part of the release"]


def test_the_workflow_builds_what_the_list_names() -> None:
    matrix = RELEASE["jobs"]["wheel"]["strategy"]["matrix"]
    assert [abi["name"] for abi in matrix["abi"]] == list(dist.ABIS)
    targets = [platform["target"] for platform in matrix["platform"]]
    assert len(set(targets)) == len(targets) == len(release_list.PLATFORMS)
    tags = {
        "unknown-linux-gnu": r"manylinux2014_{0}\.manylinux_2_17_{0}",
        "unknown-linux-musl": r"musllinux_1_2_{0}",
        "apple-darwin": r"macosx_\d\d_\d+_{0}",
        "pc-windows-msvc": r"win_amd64",
    }
    for target, tag in zip(targets, release_list.PLATFORMS, strict=True):
        processor, _, system = target.partition("-")
        if system == "apple-darwin":
            processor = processor.replace("aarch64", "arm64")
        assert re.fullmatch(tags[system].format(processor), tag), target


def test_one_job_alone_may_publish_and_it_runs_none_of_our_code() -> None:
    rights = {name: job["permissions"] for name, job in RELEASE["jobs"].items()}
    assert rights.pop("publish") == {"id-token": "write"}
    assert all(right == {"contents": "read"} for right in rights.values())
    assert RELEASE["permissions"] == {}
    steps = RELEASE["jobs"]["publish"]["steps"]
    assert [step["uses"].partition("@")[0] for step in steps] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    # Its defaults are trusted publishing and attestations. A tag alone publishes.
    assert "with" not in steps[-1]
    assert RELEASE["jobs"]["publish"]["if"] == "github.ref_type == 'tag'"
    assert RELEASE["jobs"]["publish"]["needs"] == "check"
    assert set(RELEASE["jobs"]["check"]["needs"]) == set(RELEASE["jobs"]) - {"check", "publish"}


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_a_workflow_says_that_it_never_ran(name: str) -> None:
    head = (WORKFLOWS / name).read_text().partition("\nname:")[0]
    assert "# Never run so far" in head


def test_each_action_is_pinned_once() -> None:
    """By the same hash wherever it is used, with the version that it is of."""
    text = "".join(path.read_text() for path in sorted(WORKFLOWS.iterdir()))
    uses = re.findall(r"uses: (\S+)", text)
    pinned = re.findall(r"uses: (\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$", text, re.MULTILINE)
    assert len(uses) == len(pinned) > 10
    assert len(set(pinned)) == len({it.partition("@")[0] for it in pinned})
