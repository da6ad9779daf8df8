"""`verify_batch` with each kernel: a kernel is chosen at import, so each has a process.

python -m benches.kernels HEADERS SIZE COUNT TOTAL ORDER

makes the messages, and verifies them whenever a line comes in; it answers how many were accepted
and how many nanoseconds that took.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from benches import messages, paired
from benches.contenders import BY_NAME, HOOKSEAL
from benches.lanes import KERNELS
from benches.paired import Measure

ROOT = Path(__file__).resolve().parent.parent


def name_of(kernel: str) -> str:
    """The contender that forces the kernel."""
    return f"{HOOKSEAL}, {kernel}"


@cache
def others() -> list[str]:
    """The kernels of this processor but for the one in use."""
    import hookseal

    command = [sys.executable, "-c", "import hookseal"]
    found = []
    for kernel in KERNELS:
        run = subprocess.run(command, env=_forcing(kernel), stderr=subprocess.DEVNULL, check=False)
        if run.returncode == 0 and kernel != hookseal.kernel():
            found.append(kernel)
    return found


@contextmanager
def processes(
    kernels: Sequence[str], headers: str, size: int, count: int, total: int, order: str
) -> Iterator[dict[str, Measure]]:
    """A process for each kernel, to be asked in turns; all make their messages at once."""
    command = [sys.executable, "-m", "benches.kernels", headers, str(size), str(count)]
    command += [str(total), order]
    with ExitStack() as stack:
        started = {
            kernel: stack.enter_context(
                subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=_forcing(kernel),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for kernel in kernels
        }
        for kernel, process in started.items():
            assert _answer(process) == [kernel], f"the process does not run {kernel}"
        yield {name_of(kernel): _asking(process) for kernel, process in started.items()}


def _asking(process: subprocess.Popen[str]) -> Measure:
    def measure() -> tuple[int, int]:
        assert process.stdin is not None
        process.stdin.write("once more\n")
        process.stdin.flush()
        accepted, nanos = _answer(process)
        return int(accepted), int(nanos)

    return measure


def _answer(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    answer = process.stdout.readline().split()
    assert answer, "the process has ended; what it said is above"
    return answer


def _forcing(kernel: str) -> dict[str, str]:
    return {**os.environ, "HOOKSEAL_KERNEL": kernel}


def _serve(headers: str, size: int, count: int, total: int, order: str) -> None:
    import hookseal

    made = messages.make(headers, size, total)
    if order == "shuffled":
        made = made.shuffled()
    # What the rivals hash is not wanted here.
    made.signed.clear()
    measure = paired.clocked(BY_NAME[HOOKSEAL].batch(made, count))
    print(hookseal.kernel(), flush=True)
    with paired.collector_off():
        for _ in sys.stdin:
            print(*measure(), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
