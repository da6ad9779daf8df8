"""The report can be made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_quick_report(tmp_path: Path) -> None:
    """As `make bench` calls it, but into another file."""
    page = tmp_path / "benchmarks.md"
    command = [sys.executable, "benches/report.py", "target/x.json", "--quick"]

    subprocess.run([*command, "--output", str(page)], cwd=ROOT, check=True)

    text = page.read_text(encoding="utf-8")
    assert "mean nothing" in text
    assert "`target/x.json`" in text
    for title in (
        "Figures to judge",
        "Ratios",
        "Where hookseal does not win",
        "Memory and import",
        "A file of messages",
    ):
        assert f"\n## {title}\n" in text
    assert "| single, 1 KiB, H12 |" in text
    assert "bare `hmac.digest` of the same bytes | at most 0.6 × |" in text
    assert "| program, no JSON of bodies |" in text
    assert str(ROOT) not in text
