"""What the figures were taken on, and how busy it was."""

from __future__ import annotations

import hmac
import importlib.metadata
import os
import platform
import ssl
import statistics
from pathlib import Path
from time import perf_counter_ns

from benches.messages import KEY, KIB

# What the bare digest of 1 KiB takes on the target machine when nobody else uses it.
QUIET_MICROS = 2.3

# The instructions that the choice of a hash kernel depends on, as Linux names them.
_FLAGS = ("avx2", "avx512f", "avx512bw", "sha_ni")


def facts() -> list[str]:
    """The machine and the versions, one line each. No name of the host, no paths."""
    model, flags = _processor()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("hookseal", "standardwebhooks", "svix")
    )
    return [
        f"CPU: {model}, {cores} cores ({', '.join(flags) or 'instructions unknown'})",
        f"{platform.system()} {platform.release()}, {platform.machine()}",
        f"{platform.python_implementation()} {platform.python_version()}, {ssl.OPENSSL_VERSION}",
        packages,
    ]


def bare_digest_micros() -> float:
    """The bare ``hmac.digest`` of one buffer of 1 KiB: how fast the machine is at this moment."""
    body, digest, calls = bytes(KIB), hmac.digest, 2_000
    taken = []
    for _ in range(9):
        start = perf_counter_ns()
        for _ in range(calls):
            digest(KEY, body, "sha256")
        taken.append((perf_counter_ns() - start) / 1000 / calls)
    return statistics.median(taken)


def load() -> str:
    """The load averages, of 1, 5 and 15 minutes."""
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def _processor() -> tuple[str, list[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown", []
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = fields.get("flags", "").split()
    return fields.get("model name", "unknown"), [flag for flag in _FLAGS if flag in flags]
