"""How many instructions calls take, by valgrind's callgrind: the same on a busy machine."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Final

import pytest

from tests.children import PRELUDE

# Asks callgrind to write down what it has counted, and to begin anew: valgrind/valgrind.h spells a
# request as rotations that come to nothing, and the number is callgrind's, from the letters CT.
_COUNT: Final = """
import ctypes, gc, mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes.fromhex("4889f8 31d2 48c1c703 48c1c70d 48c1c73d 48c1c733 4887db 4889d0 c3"))
request = (ctypes.c_uint64 * 6)(ord("C") << 24 | ord("T") << 16)
ask = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(
    ctypes.addressof(ctypes.c_char.from_buffer(code))
)
def mark():
    ask(ctypes.addressof(request))
gc.disable()
def count(call):
    # Twice before, so that what is made on first use is there.
    call(), call(), mark(), call(), call(), call(), mark()
"""


def instructions(text: str, module: str, folder: Path) -> list[int]:
    """How many each call takes that a script hands to ``count``, three times."""
    if platform.machine() != "x86_64" or shutil.which("valgrind") is None:
        pytest.skip("valgrind is not here, or this is not x86-64")
    script = PRELUDE.format(module=module) + _COUNT + textwrap.dedent(text)
    output = folder / "counted"
    command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={output}"]
    child = subprocess.run(
        [*command, sys.executable, "-c", script],
        # The same hashes, and so the same dicts, on every run.
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    parts = sorted(folder.glob("counted.*"), key=lambda part: int(part.suffix[1:]))
    costs = []
    for part in parts:
        found = re.search(r"^(?:summary|totals): (\d+)", part.read_text(), re.MULTILINE)
        assert found is not None
        costs.append(int(found[1]))
    # Before each count there is what came before it.
    return costs[1::2]
