"""Runs scripts in a Python of their own: for what a process does once."""

from __future__ import annotations

import subprocess
import sys
import textwrap

# What every script begins with. `signed` makes the headers of Standard Webhooks.
PRELUDE = """
import sys
from {module} import *
NOW = 1_700_000_000
KEY = bytes(range(1, 33))
def signed(body, id="msg_1", timestamp=NOW):
    return Signer(KEY).sign(body, id=id, timestamp=timestamp)
"""


def script(text: str, module: str = "hookseal") -> list[str]:
    """The command that runs a script; a warning in it is an error."""
    whole = PRELUDE.format(module=module) + textwrap.dedent(text)
    return [sys.executable, "-W", "error", "-c", whole]


def ran(command: list[str], timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """What became of a command."""
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def run(text: str, module: str = "hookseal", timeout: float = 300) -> str:
    """What a script prints. It fails if the script does, or if it says anything on stderr."""
    child = ran(script(text, module), timeout)
    assert (child.returncode, child.stderr) == (0, ""), child
    return child.stdout
