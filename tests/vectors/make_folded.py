"""Writes folded.json: HMACs by the standard library, many of them folded into one digest.

    python -m tests.vectors.make_folded

The kernels of rust/lanes compute the same; tests/vectors/PROVENANCE.md says what each row is.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

FILE = Path(__file__).with_name("folded.json")

# No two blocks of it are equal: what reads one in place of another does not go unseen.
_STREAM: Final = b"".join(hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(256))
_KEY: Final = _STREAM[:32]

# With the block of the key, one byte less than 2^29 bytes, as many, and one more: there the
# length in bits takes a 33rd bit.
_BORDER: Final = tuple(2**29 - 64 + more for more in (-1, 0, 1))


def build() -> dict[str, str | dict[str, str]]:
    """Name to digest or MAC, in hexadecimal."""
    pattern = bytes((7 * j + 3) % 256 for j in range(512))
    return {
        "lengths 0 to 4096": _fold((_KEY, _STREAM[:length]) for length in range(4097)),
        "keys 0 to 292": {
            str(length): _fold((_STREAM[:size], _STREAM[:length]) for size in range(293))
            for length in (0, 1, 55, 56, 64, 1000)
        },
        "known answer": _fold(
            (b"known answer", pattern[: i % 70] + pattern[: i * 37 % 300] + pattern[: i % 3])
            for i in range(40)
        ),
        "zeros": _zeros(_BORDER),
    }


def text() -> str:
    """The content of the file."""
    return json.dumps(build(), indent=1) + "\n"


def _fold(messages: Iterable[tuple[bytes, bytes]]) -> str:
    macs = (hmac.digest(key, message, "sha256") for key, message in messages)
    return hashlib.sha256(b"".join(macs)).hexdigest()


def _zeros(lengths: tuple[int, ...]) -> dict[str, str]:
    """MACs of that many zero bytes, without a body that long."""
    so_far, done, macs = hmac.new(_KEY, digestmod="sha256"), 0, {}
    step = bytes(2**20)
    for length in sorted(lengths):
        while done < length:
            some = step[: length - done]
            so_far.update(some)
            done += len(some)
        macs[str(length)] = so_far.hexdigest()
    return macs


if __name__ == "__main__":
    FILE.write_text(text(), encoding="ascii")
