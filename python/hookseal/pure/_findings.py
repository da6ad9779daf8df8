"""The weaknesses of a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hookseal._common_words import WORDS
from hookseal._finding import Finding
from hookseal._scheme import Scheme
from hookseal.pure._decode import MISTAKEN, STANDARD_PREFIX, is_text_key
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
# Fewer letters in words than this come together by chance.
_FEWEST_LETTERS = 12
_WORD_START: Final = 4
_WORDS: dict[bytes, list[bytes]] = {}
for _word in WORDS.encode().split():
    _WORDS.setdefault(_word[:_WORD_START], []).append(_word)

# How the secrets begin that people have at hand beside the one that is wanted.
_OF_OTHERS = (
    # Standard Webhooks, Svix, Stripe.
    *("whsec_", "whsk_", "whpk_"),
    # Keys for an API.
    *("sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "pk_test_"),
    *("sk-proj-", "sk-ant-", "dop_v1_", "npm_", "AIza", "AKIA", "ASIA"),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
    *("xoxb-", "xoxp-", "xapp-", "shpss_", "shpat_"),
    # Tokens and keys of other kinds.
    *("eyJhbGci", "Bearer ", "Basic ", "-----BEGIN ", "ssh-rsa "),
)
_NOT_BASE64: Final = re.compile("[^A-Za-z0-9+/=]")
_NOT_HEX: Final = re.compile("[^0-9A-Fa-f]")
_NOT_PRINTABLE: Final = re.compile("[^ -~]")
# So many hexadecimal digits are no base64 by chance.
_FEWEST_HEX_DIGITS = 32


def findings(
    value: str | bytes,
    fixed: bool,
    key: bytes | None,
    scheme: Scheme,
    *,
    endpoint: str | None = None,
    label: str | None = None,
) -> list[Finding]:
    """What is weak about a secret in a scheme.

    Args:
        value: The secret as it was given.
        fixed: Whether the scheme has no say in how it is read.
        key: What the scheme makes of it; None if it is no key.
        scheme: The scheme.
        endpoint: The endpoint and the label of the secret, for the findings.
        label: The same.
    """
    if key is None:
        found = _unreadable(value, fixed, scheme)
    else:
        found = _weaknesses(value, fixed, key, scheme)
    return [
        Finding(code, number=number, limit=limit, endpoint=endpoint, label=label)
        for code, number, limit in (*found, *_of_others(value, scheme))
    ]


def _unreadable(value: str | bytes, fixed: bool, scheme: Scheme) -> Iterator[tuple[str, int, int]]:
    code = "wrong-encoding"
    if isinstance(value, str) and not fixed and not _is_mistaken(value, scheme):
        text = value.removeprefix(scheme.key_prefix or "")
        alphabet = _NOT_BASE64 if scheme.key == "base64" else _NOT_HEX
        if scheme.key != "utf8" and alphabet.search(text):
            code = "wrong-alphabet"
    yield code, 0, 0


def _is_mistaken(text: str, scheme: Scheme) -> bool:
    """Whether it is the secret with something more before it, or its asymmetric counterpart."""
    prefix = scheme.key_prefix
    if not prefix:
        return False
    starts = MISTAKEN if prefix == STANDARD_PREFIX else ()
    return text.startswith((prefix * 2, *starts))


def _weaknesses(
    value: str | bytes, fixed: bool, key: bytes, scheme: Scheme
) -> Iterator[tuple[str, int, int]]:
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
    letters = _letters_in_words(folded)
    if letters >= _FEWEST_LETTERS and 2 * letters >= len(key):
        yield "dictionary-words", letters, len(key)
    if is_text_key(value, fixed, scheme):
        text = key.strip(WHITE_SPACE)
        if key != text:
            yield "surrounding-space", 0, 0
        if _NOT_PRINTABLE.search(text.decode()):
            yield "wrong-alphabet", 0, 0
    elif isinstance(value, str) and not fixed and scheme.key == "base64":
        digits = value.removeprefix(scheme.key_prefix or "")
        if len(digits) >= _FEWEST_HEX_DIGITS and not _NOT_HEX.search(digits):
            yield "wrong-encoding", 0, 0


def _letters_in_words(folded: bytes) -> int:
    """How many bytes of a key belong to a word, of those that may overlap."""
    end = count = 0
    for start in range(len(folded)):
        for word in _WORDS.get(folded[start : start + _WORD_START], ()):
            if folded.startswith(word, start) and start + len(word) > end:
                count += start + len(word) - max(end, start)
                end = start + len(word)
    return count


def _of_others(value: str | bytes, scheme: Scheme) -> Iterator[tuple[str, int, int]]:
    if not isinstance(value, str):
        return
    is_own = scheme.key_prefix is not None and value.startswith(scheme.key_prefix)
    if value.startswith(_OF_OTHERS) and not is_own and not _is_mistaken(value, scheme):
        yield "other-provider", 0, 0
