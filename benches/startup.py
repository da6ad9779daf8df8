"""What the start of hookseal adds to that of an interpreter: as a module, and as the command.

python benches/startup.py [RUNS]
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import Final

# Run as a script, Python looks beside this file, not above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benches.figures import Figure, ratio
from benches.markdown import table
from benches.paired import Spread

ROOT = Path(__file__).resolve().parent.parent
# Read as a file of messages it has none.
NO_MESSAGES: Final = os.devnull
KEYRING: Final = str(ROOT / "examples" / "keyring.toml")
BATCH: Final = ("-m", "hookseal", "verify-batch", NO_MESSAGES)

IMPORT: Final = "`import hookseal`"
VERIFY_BATCH: Final = "`hookseal verify-batch`, no message"
STARTS: Final[Mapping[str, tuple[str, ...]]] = {
    IMPORT: ("-c", "import hookseal"),
    "`hookseal --version`": ("-m", "hookseal", "--version"),
    VERIFY_BATCH: (*BATCH, "--secret-env", "HOOKSEAL_SAMPLE"),
    "the same, with the keyring of the sample queue": (*BATCH, "--keyring", KEYRING),
}
# What was promised, in milliseconds over `python -c pass`.
LIMITS: Final[Mapping[str, int]] = {IMPORT: 15, VERIFY_BATCH: 40}


@dataclass(frozen=True)
class StartFindings:
    """Milliseconds over ``python -c pass``, for each of ``STARTS``."""

    millis: Mapping[str, Spread]
    runs: int

    def figures(self) -> Iterator[Figure]:
        """Promises and whether they are kept."""
        for name, limit in LIMITS.items():
            taken = self.millis[name]
            yield Figure(
                f"{name} over `python -c pass`",
                f"at most {limit} ms",
                f"{ratio(taken)} ms",
                taken.median <= limit,
            )

    def section(self) -> str:
        """A part of the report."""
        rows = ((name, ratio(taken)) for name, taken in self.millis.items())
        return (
            "## Start-up\n\nMilliseconds over `python -c pass`: medians of"
            f" {self.runs} alternating runs of all, and quartiles. The command is called as"
            " `python -m hookseal`.\n\n" + table(("", "ms"), rows)
        )


def measure(runs: int) -> StartFindings:
    """Starts everything in turn, that many times."""
    taken: dict[str, list[float]] = {name: [] for name in STARTS}
    for arguments in STARTS.values():
        _millis(arguments)  # compiles what is not compiled yet
    for _ in range(runs):
        bare = _millis(("-c", "pass"))
        for name, arguments in STARTS.items():
            taken[name].append(_millis(arguments) - bare)
    return StartFindings({name: Spread.of(millis) for name, millis in taken.items()}, runs)


def _millis(arguments: tuple[str, ...]) -> float:
    environ = {**os.environ, "HOOKSEAL_SAMPLE": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    start = perf_counter_ns()
    # The sample keyring may be read by all, and the command says so.
    subprocess.run(
        [sys.executable, *arguments], env=environ, check=True, capture_output=True, cwd=ROOT
    )
    return (perf_counter_ns() - start) / 1e6


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 30).section())
