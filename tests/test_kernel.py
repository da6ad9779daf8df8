"""Which code hashes: the fastest there is, or the one that the environment names."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import hookseal
import hookseal.pure

KERNELS = ("avx2", "avx512", "portable", "shani2", "single")

PROGRAM = """
import hookseal, hookseal.pure
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
messages = []
for size in [*range(70), 500, 1000, 5000]:
    body = bytes(size)
    headers = hookseal.pure.Signer(secret).sign(body, id=f"msg_{size}", timestamp=10**9)
    messages += [(body, headers), (body + b"x", headers)]
verifier = hookseal.Verifier(secret)
result = verifier.verify_batch(messages, now=10**9, threads=1)
assert result.valid_indices() == list(range(0, len(messages), 2))
for message, verdict in zip(messages, result):
    assert verifier.check(*message, now=10**9) is verdict
print(hookseal.kernel(), repr(verifier))
"""


def _run(kernel: str | None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "HOOKSEAL_KERNEL"}
    if kernel is not None:
        environment["HOOKSEAL_KERNEL"] = kernel
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def available() -> list[str]:
    """The kernels of this processor, which the error for an unknown one names."""
    error = _run("no kernel").stderr.splitlines()[-1]
    return error.partition("there are ")[2].split(", ")


@pytest.mark.parametrize("asked", [None, ""])
def test_the_fastest_is_chosen(asked: str | None) -> None:
    run = _run(asked)
    assert run.returncode == 0, run.stderr
    name, _, shown = run.stdout.strip().partition(" ")
    assert name == available()[-1] == hookseal.kernel() or "HOOKSEAL_KERNEL" in os.environ
    assert shown == "Verifier(scheme='standard-webhooks', secrets=1)"


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_by_name(kernel: str) -> None:
    run = _run(kernel)
    if kernel in available():
        assert run.returncode == 0, run.stderr
        assert run.stdout.split()[0] == kernel
    else:
        assert run.returncode == 1
        assert f"HOOKSEAL_KERNEL is {kernel!r}" in run.stderr


def test_a_kernel_that_there_is_not() -> None:
    for name in ("AVX512", "avx512 ", "auto", "none"):
        run = _run(name)
        assert run.returncode == 1
        expected = f"ValueError: HOOKSEAL_KERNEL is {name!r}; on this processor there are "
        assert run.stderr.splitlines()[-1].startswith(expected)
    assert set(available()) <= set(KERNELS)
    assert {"portable", "single"} <= set(available())


def test_the_twin_hashes_with_hashlib() -> None:
    assert hookseal.pure.kernel() == "hashlib"
