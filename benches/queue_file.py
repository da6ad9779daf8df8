"""Times `hookseal verify-batch` on a file, beside a program with `standardwebhooks`.

    python benches/queue_file.py [--quick]

prints the section of docs/benchmarks.md; benches/report.py takes it from here too. The file is
made by examples/make_queue.py: genuine messages of Standard Webhooks, signed to be current for
the minutes that the rounds take, because the package judges by the clock alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

# Run as a script, Python looks beside this file, not above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benches import machine, paired
from benches.messages import TOLERANCE_SECONDS
from benches.paired import Rounds

ROOT = Path(__file__).resolve().parent.parent
COUNTS = (50_000, 500_000)
QUICK_COUNTS = (100, 1_000)
# A round of the large file takes half a minute; there are fewer where the time is up.
ROUNDS = 9
LEAST_ROUNDS = 3
BUDGET_SECONDS = 120

COMMAND = "hookseal verify-batch"
ONE_THREAD = "hookseal verify-batch --threads 1"
PROGRAM = "program, no JSON of bodies"
PROGRAM_JSON = "program"

# The messages arrive in a minute that lies a little ahead, so that they are current from now
# until the rounds are over.
_AHEAD_SECONDS = TOLERANCE_SECONDS - 30
_SPAN_SECONDS = 60

# Runs a command and prints the most memory that it held, in KiB (man 2 getrusage). A child counts
# the pages of whoever started it, so this is a process of its own, and a small one.
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@dataclass(frozen=True)
class QueueFile:
    """A file of messages with its keyring, and how often each secret is to match."""

    folder: Path
    count: int
    matched: Mapping[tuple[str, str], int]

    @classmethod
    def make(cls, folder: Path, count: int) -> QueueFile:
        """Takes about 150 µs a message."""
        now = int(time.time()) + _AHEAD_SECONDS
        script = [sys.executable, "examples/make_queue.py", str(folder), "--genuine"]
        options = ["--scheme", "standard-webhooks", "--count", str(count)]
        times = ["--now", str(now), "--span", str(_SPAN_SECONDS)]
        subprocess.run([*script, *options, *times], cwd=ROOT, check=True)
        keyring = folder / "keyring.toml"
        keyring.write_bytes((ROOT / "examples" / "keyring.toml").read_bytes())
        keyring.chmod(0o600)
        expected = json.loads((folder / "queue.expected.json").read_bytes())["secrets"]
        matched = {
            (endpoint, label): secret["matched"]
            for endpoint, secrets in expected.items()
            for label, secret in secrets.items()
            if secret["matched"]
        }
        return cls(folder, count, matched)

    @property
    def bytes(self) -> int:
        """The length of the file."""
        return (self.folder / "queue.jsonl").stat().st_size

    def command(self, name: str) -> list[str]:
        """What to start for a contender."""
        file, keyring = str(self.folder / "queue.jsonl"), str(self.folder / "keyring.toml")
        if name in {PROGRAM, PROGRAM_JSON}:
            script = [sys.executable, "benches/queue_program.py", keyring, file]
            return [*script, "--json"] if name == PROGRAM_JSON else script
        command = [sys.executable, "-m", "hookseal", "verify-batch", file, "--keyring", keyring]
        return [*command, "--json", *(["--threads", "1"] if name == ONE_THREAD else [])]

    def work(self, name: str) -> Callable[[], int]:
        """A whole run, from the start of the interpreter to its end; the tally is asserted."""
        command = self.command(name)

        def run() -> int:
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
            matched = _matched(json.loads(done.stdout))
            assert matched == self.matched, f"{name} does not find what was put in"
            return sum(matched.values())

        return run

    def peak_bytes(self, name: str) -> int | None:
        """The most memory that a run holds, or None where it cannot be read."""
        if sys.platform != "linux":
            return None
        command = [sys.executable, "-c", _PEAK, *self.command(name)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        return int(done.stdout) * 1024


@dataclass(frozen=True)
class QueueFindings:
    """What was measured."""

    rounds: Rounds
    count: int
    bytes: int
    # By contender, then by how many messages the file has.
    peaks: Mapping[str, Mapping[int, int]]


def measure(*, quick: bool) -> QueueFindings:
    """Both files, one after the other: the memory for each, the rounds on the larger one."""
    names = (COMMAND, ONE_THREAD, PROGRAM, PROGRAM_JSON)
    peaks: dict[str, dict[int, int]] = {name: {} for name in (COMMAND, PROGRAM)}
    counts = QUICK_COUNTS if quick else COUNTS
    for count in counts:
        with TemporaryDirectory(prefix="hookseal-bench-") as folder:
            file = QueueFile.make(Path(folder), count)
            for name, found in peaks.items():
                peak = file.peak_bytes(name)
                if peak is not None:
                    found[count] = peak
            if count == counts[-1]:
                works = {name: file.work(name) for name in names}
                shape = (count, count, 2 if quick else ROUNDS, time.monotonic() + BUDGET_SECONDS)
                rounds = paired.run(works, *shape, least=LEAST_ROUNDS)
                return QueueFindings(rounds, count, file.bytes, peaks)
    raise AssertionError("no file is the last one")


def _matched(report: dict[str, object]) -> dict[tuple[str, str], int]:
    """Which secrets matched how often; nothing may be refused."""
    assert report["refused"] == 0
    if "matched" in report:
        rows = report["matched"]
        assert isinstance(rows, list)
        return {(endpoint, label): count for endpoint, label, count in rows}
    rows = report["secrets"]
    assert isinstance(rows, list)
    return {(row["endpoint"], row["label"]): row["matched"] for row in rows if row["matched"]}


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    from benches import document
    from benches.figures import short

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="small files, to try it out")
    options = parser.parse_args(arguments)
    busy = [machine.bare_digest_micros()]
    section = document.queue_section(measure(quick=options.quick))
    busy.append(machine.bare_digest_micros())
    print(section)
    print("A run of `python benches/queue_file.py` alone, on this machine:\n")
    print(*(f"- {fact}" for fact in machine.facts()), sep="\n")
    before, after = map(short, busy)
    print(f"- a bare `hmac.digest` of 1 KiB took {before} µs before and {after} µs after")
    print(f"- load averages {machine.load()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
