"""Threats 44 to 50 of docs/threats.md: threads and the process."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import hookseal
from hookseal import Verdict
from tests.children import run
from tests.implementations import BODY, NOW, SECRET, signed
from tests.processes import (
    ENDED_WORKS,
    LONG_WORKS,
    exit_with_threads,
    first_calls_at_once,
    fork_around_batches,
    fork_before_any_batch,
    grown_by_verifying,
    other_interpreters,
    pool,
    seconds_to_interrupt,
)
from tests.profiles import IS_FULL, IS_QUICK
from tests.test_kernel import KERNELS, available
from tests.vector_rows import ROOT

V = Verdict

pytest.importorskip("hookseal._core")
each_module = pytest.mark.parametrize("name", ["hookseal", "hookseal.pure"])
posix = pytest.mark.skipif(sys.platform == "win32", reason="fork and signals are POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and limits addresses")

# What Ctrl-C may take. The claim is 0.2 s; the margin is for machines that do other things.
MOST_SECONDS_TO_INTERRUPT = 1.0


# 44: fork.


@posix
@each_module
def test_threat_44_fork_after_a_batch(name: str) -> None:
    """rayon #708: a thread pool that was there before the fork hangs the child's first batch."""
    assert fork_around_batches(name) == "7\n"


@posix
@each_module
def test_threat_44_fork_before_any_batch(name: str) -> None:
    assert fork_before_any_batch(name) == "[100, 100, 100]\n"


@posix
@pytest.mark.skipif(IS_QUICK, reason="starts many interpreters")
@pytest.mark.parametrize(
    ("method", "said"), [("fork", "forked"), ("spawn", "refused"), ("forkserver", "refused")]
)
def test_threat_44_multiprocessing(tmp_path: Path, method: str, said: str) -> None:
    assert pool(tmp_path, method, "hookseal").endswith(f"{said}\n")


# 45: races.


@each_module
def test_threat_45_sixty_four_first_calls_at_once(name: str) -> None:
    """Whatever is built on first use is built once, and nobody waits for ever."""
    assert first_calls_at_once(name) == "{'signature_mismatch'}\n"


def test_threat_45_all_classes_are_frozen() -> None:
    """RUSTSEC-2026-0177: what is shared cannot change, but for a ring, which swaps snapshots. The
    core asks an interpreter without a lock for one."""
    binding = ROOT / "rust/binding/src"
    declared = [
        found
        for file in sorted(binding.rglob("*.rs"))
        for found in re.findall(r"^#\[pyclass\((.*?)\)\]$", file.read_text(), re.M | re.S)
    ]
    assert len(declared) >= 8
    assert all(re.search(r"\bfrozen\b", one) for one in declared)
    assert "#[pymodule(gil_used = true)]" in (binding / "lib.rs").read_text()


def test_threat_45_one_result_among_threads(hooks: Any) -> None:
    """Every thread that asks one result, verifier and ring gets the same answers."""
    ring = hooks.Keyring({"a": SECRET})
    verifier = hooks.Verifier(ring)
    result = verifier.verify_batch([(BODY, signed()), (b"", signed())] * 50, endpoint="a", now=NOW)
    gate = threading.Barrier(16)
    seen: list[Any] = []

    def ask() -> None:
        gate.wait()
        for _ in range(20):
            proofs = [(index, proof.body, proof.id) for index, proof in result.accepted()]
            seen.append((result.codes.tolist(), result.by_secret(), proofs))
            seen.append(verifier.check(BODY, signed(), endpoint="a", now=NOW))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    proofs = [(index, BODY, "msg_1") for index in range(0, 100, 2)]
    assert len(seen) == 16 * 20 * 2
    assert seen.count(([1, 12] * 50, {("a", "0"): 50}, proofs)) == 16 * 20
    assert seen.count(V.VALID) == 16 * 20


def test_threat_45_a_second_interpreter() -> None:
    """What the core keeps belongs to the interpreter that made it: another one, of whatever kind,
    is refused, and nothing breaks."""
    assert other_interpreters().split() == ["ImportError"] * 2


# 46: Ctrl-C.


@posix
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("work", LONG_WORKS)
def test_threat_46_ctrl_c_in_a_long_batch(
    work: str,
    threads: int,
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    seconds = seconds_to_interrupt(work, threads)
    record_property("seconds_to_interrupt", seconds)
    with capsys.disabled():
        print(f" [{seconds * 1000:.0f} ms]", end="")
    assert seconds < MOST_SECONDS_TO_INTERRUPT


# 47: the end.


@pytest.mark.parametrize("work", ENDED_WORKS)
def test_threat_47_exit_with_threads_that_verify(work: str, tmp_path: Path) -> None:
    """PyO3 #6085: daemon threads are cut off wherever they are, hashing included. Several processes
    at a time: where they wait for each other, more threads are in the middle of something."""
    numbers = range(300 if IS_FULL else 6 if IS_QUICK else 18)
    with ThreadPoolExecutor(6) as pool:
        said = pool.map(
            lambda number: exit_with_threads(number, work, tmp_path / str(number)), numbers
        )
        assert set(said) == {""}


# 48: leaks.


@linux
@each_module
def test_threat_48_memory_that_grows(name: str) -> None:
    """The second half of many calls adds nothing to what the first half took."""
    times = 100_000 if name == "hookseal" else 20_000
    times *= 10 if IS_FULL else 1
    assert grown_by_verifying(times, name) < 1 << 20


# 49: an illegal instruction.


def test_threat_49_an_instruction_that_the_processor_lacks() -> None:
    """Of the kernels, those are offered that the processor and the system have; tools/emulate.py
    sees that on processors with less, and an unknown name is an error."""
    assert {"portable", "single"} <= set(available()) <= set(KERNELS)
    assert hookseal.kernel() in available()
    assert "emulate.py --quick" in (ROOT / "Makefile").read_text()


# 50: a backend that computes wrong.

_EVERY_KERNEL = """
import hashlib, hmac
lengths = [*range(300), 511, 512, 513, 4095, 4096, 4097, 65536]
judged = []
for number, length in enumerate(lengths):
    body = hashlib.shake_128(b"%d" % number).digest(length)
    mac = hmac.new(b"k" * 40, body, "sha256").hexdigest()
    judged.append(((body, {"x-hub-signature-256": "sha256=" + mac}), 1))
    judged.append(((body + b"x", {"x-hub-signature-256": "sha256=" + mac}), 12))
verifier = Verifier(b"k" * 40, scheme="github")
for threads in (1, 2):
    for order in (judged, judged[::-1], judged[::3] + judged[1::3]):
        for size in (len(order), 1, 2, 7, 8, 9, 15, 16, 17, 33):
            for start in range(0, len(order), size * (1 if size > 16 else 11)):
                some = order[start:start + size]
                result = verifier.verify_batch([message for message, _ in some], threads=threads)
                assert result.codes.tolist() == [code for _, code in some]
import hookseal
print(hookseal.kernel())
"""


@pytest.mark.parametrize("kernel", KERNELS)
def test_threat_50_a_kernel_that_computes_wrong(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RUSTSEC-2021-0100: every kernel against the standard library, every length and neighbour."""
    if kernel not in available():
        pytest.skip(f"this processor has no {kernel}")
    monkeypatch.setenv("HOOKSEAL_KERNEL", kernel)
    assert run(_EVERY_KERNEL, timeout=120) == f"{kernel}\n"
