"""The weaknesses of a key."""

from __future__ import annotations

from collections.abc import Iterator

from hookseal._finding import Finding
from hookseal._scheme import Scheme
from hookseal.pure._decode import STANDARD_PREFIX
from hookseal.pure._text import WHITE_SPACE

# RFC 2104 §3 strongly discourages keys shorter than the hash; half of that still cannot
# be searched, and is what a scheme that advises nothing is held to.
_SHORTEST_BYTES = 16
_FEWEST_DIFFERENT_BYTES = 8
_COMMON_WORDS = (
    b"secret",
    b"password",
    b"changeme",
    b"webhook",
    b"testing",
    b"sample",
    b"example",
    b"default",
    b"qwerty",
    b"123456",
    b"letmein",
)


def findings(
    key: bytes,
    scheme: Scheme,
    *,
    is_text: bool,
    endpoint: str | None = None,
    label: str | None = None,
) -> list[Finding]:
    """What is weak about a key in a scheme; ``is_text`` says that the key is text as given."""
    return [
        Finding(code, number=number, limit=limit, endpoint=endpoint, label=label)
        for code, number, limit in _weaknesses(key, scheme, is_text)
    ]


def _weaknesses(key: bytes, scheme: Scheme, is_text: bool) -> Iterator[tuple[str, int, int]]:
    shortest, longest = scheme.key_length or (_SHORTEST_BYTES, len(key))
    if len(key) < shortest:
        yield "short", len(key), shortest
    if len(key) > longest:
        yield "long", len(key), longest
    different = len(set(key))
    if different < _FEWEST_DIFFERENT_BYTES:
        yield "low-variety", different, _FEWEST_DIFFERENT_BYTES
    # A key that is one piece repeated is found in its own double before its end.
    piece = (key + key).find(key, 1)
    if piece < len(key):
        yield "repeated", piece, 0
    folded = key.lower()
    if any(word in folded for word in _COMMON_WORDS):
        yield "common-word", 0, 0
    if not is_text:
        return
    if key != key.strip(WHITE_SPACE):
        yield "surrounding-space", 0, 0
    if scheme.key == "utf8" and key.startswith(STANDARD_PREFIX.encode()):
        yield "wrong-encoding", 0, 0
