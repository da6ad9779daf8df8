"""What a batch adds to the process, measured in a child that does nothing else (Linux).

python -m benches.memory COUNT keep|drop
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import hookseal
from benches.messages import KIB, SECRET, make

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Growth:
    """Bytes a message."""

    peak: float
    retained: float


def measure(count: int, *, keep: bool) -> Growth | None:
    """The growth by one ``verify_batch`` in a fresh process, or None where it cannot be read."""
    if not Path("/proc/self/clear_refs").exists():
        return None
    command = [sys.executable, "-m", "benches.memory", str(count), "keep" if keep else "drop"]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return Growth(**json.loads(run.stdout))


def _resident_bytes() -> tuple[int, int]:
    """Now, and at the highest since the mark was reset."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    now, highest = (int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, highest


def _child(count: int, *, keep: bool) -> Growth:
    verifier = hookseal.Verifier(SECRET)
    # Bodies and headers are shared by reference to make the test affordable; the tuples, which
    # are the messages, are a million objects.
    distinct = make("H5", KIB, min(count, 1000)).messages
    messages = []
    for number in range(count):
        body, headers = distinct[number % len(distinct)]
        messages.append((body, headers))
    warm = verifier.verify_batch(messages[:1000], keep=keep)
    assert warm.valid == len(warm)
    del warm
    gc.collect()
    # 5 resets the peak (man 5 proc).
    Path("/proc/self/clear_refs").write_text("5")
    before, _ = _resident_bytes()
    result = verifier.verify_batch(messages, keep=keep)
    after, highest = _resident_bytes()
    assert result.valid == count
    return Growth(peak=(highest - before) / count, retained=(after - before) / count)


if __name__ == "__main__":
    growth = _child(int(sys.argv[1]), keep=sys.argv[2] == "keep")
    print(json.dumps({"peak": growth.peak, "retained": growth.retained}))
