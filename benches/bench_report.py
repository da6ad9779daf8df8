"""The report can be made."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent


def test_quick_report(tmp_path: Path) -> None:
    """As `make bench` calls it, but into another file."""
    page = tmp_path / "benchmarks.md"
    shown = tmp_path / "README.md"
    shown.write_bytes((ROOT / "README.md").read_bytes())
    command = [sys.executable, "benches/report.py", "target/x.json", "--quick"]
    files = ["--output", str(page), "--readme", str(shown)]

    subprocess.run([*command, *files], cwd=ROOT, check=True)

    text = page.read_text(encoding="utf-8")
    assert "mean nothing" in text
    assert "`target/x.json`" in text
    for title in (
        "Figures to judge",
        "One message at a time",
        "Batches",
        "The kernels alone",
        "What a batch costs besides hashing",
        "What stops the batch",
        "Where hookseal does not win",
        "Many tenants",
        "Memory",
        "Start-up",
        "A file of messages",
    ):
        assert f"\n## {title}\n" in text
    assert "| single, 1 KiB, H12 |" in text
    assert "bare `hmac.digest` of the same bytes | at most 0.6 × |" in text
    assert "| `hookseal verify-batch`, no message over `python -c pass` | at most 40 ms |" in text
    assert "| program, no JSON of bodies |" in text
    for kernel in ("`avx512`", "`shani2`"):
        if kernel.strip("`") in text:
            assert f"| {kernel}, HMAC of 1 KiB: faster than one `sha2` stream |" in text
    assert "| the sample queue (all systems, mixed sizes), one thread: faster than" in text
    assert "among 4,096 of 1 KiB" in text
    if "The floor was not measured" not in text:
        assert "| 10,000, 1 KiB, H5 |" in text
        assert "| H12: faster than the bare `hmac.digest` calls alone | at least 3.4 × |" in text
    assert str(ROOT) not in text
    before, after = ((path / "README.md").read_text(encoding="utf-8") for path in (ROOT, tmp_path))
    assert before != after
    assert re.sub(r"[\d.]", "", before) == re.sub(r"[\d.]", "", after)
    plots = [tmp_path / "benchmarks" / name for name in re.findall(r"\(benchmarks/(.*?)\)", text)]
    assert plots
    for plot in plots:
        shapes = ElementTree.parse(plot).getroot()
        assert len(shapes.findall("{http://www.w3.org/2000/svg}text")) > 10


def test_one_case_lists_the_cases() -> None:
    """Where none has the name."""
    command = [sys.executable, "-m", "benches.one_case", "no such case"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "batch of 10,000, 1 KiB, H5" in done.stderr.splitlines()
