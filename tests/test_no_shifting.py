"""Rule 4: two different messages never give the same signed bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import Scheme, SchemeError

KEY = "a key of sufficient length"
_PARTS = ("{id}", "{timestamp}", "{body}", ".", "0", "0.", ".0", "ab", "-")
_HEADERS = {"id": "x-id", "timestamp": "x-time"}


def _scheme(signed: str) -> Scheme:
    named = {name: header for name, header in _HEADERS.items() if f"{{{name}}}" in signed}
    return Scheme("mine", signature="x-sig", format="{hex}", signed=signed, **named)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "signed",
    [
        "{body}{timestamp}",
        "{body}0{timestamp}",
        "{body}.0{timestamp}",
        "{timestamp}{body}",
        "{timestamp}0{body}",
        "{body}.{id}{timestamp}",
        "{body}{id}",
        "{id}{body}",
        "{timestamp}{id}.{body}",
        "{id}{timestamp}.{body}",
    ],
)
def test_what_could_shift_is_refused(signed: str) -> None:
    with pytest.raises(SchemeError, match="ambiguous=True"):
        _scheme(signed)
    named = {name: header for name, header in _HEADERS.items() if f"{{{name}}}" in signed}
    Scheme("mine", signature="x-sig", signed=signed, ambiguous=True, **named)  # type: ignore[arg-type]


def test_a_leading_zero_moves_no_byte_of_the_body(hooks: Any) -> None:
    """The forgery that a timestamp behind the body allowed: its zeros came from the body."""
    verifier = hooks.Verifier(KEY, scheme=_scheme("{body}.{timestamp}"))
    signer = hooks.Signer(KEY, scheme=_scheme("{body}.{timestamp}"))
    good = signer.sign(b"amount=1000", timestamp=1_700_000_000)
    for body, time in ((b"amount=100", "01700000000"), (b"amount=1", "0001700000000")):
        forged = {**good, "x-time": time}
        assert not verifier.check(body, forged, now=1_700_000_000)


_texts = st.text(alphabet="01.-ab", max_size=6)


@given(
    signed=st.lists(st.sampled_from(_PARTS), min_size=1, max_size=5).map("".join),
    one=st.tuples(_texts, st.text(alphabet="01", min_size=1, max_size=4), _texts),
    other=st.tuples(_texts, st.text(alphabet="01", min_size=1, max_size=4), _texts),
)
def test_signed_bytes_tell_messages_apart(
    signed: str, one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """Of any scheme that is not refused, and of any two messages that it would look at."""
    try:
        scheme = _scheme(signed)
    except SchemeError:
        return

    def told(message: tuple[str, str, str]) -> tuple[str, ...] | None:
        id, time, body = message
        if scheme.id is not None and (not id or set(id) & set(scheme.id_forbidden)):
            return None
        return tuple(
            text
            for name, text in zip(("id", "timestamp", "body"), (id, time, body), strict=True)
            if name in scheme.covers
        )

    def bytes_of(message: tuple[str, str, str]) -> str:
        id, time, body = message
        text = scheme.signed
        for mark, value in (("{id}", id), ("{timestamp}", time), ("{body}", body)):
            text = text.replace(mark, value)
        return text

    if None not in (told(one), told(other)) and bytes_of(one) == bytes_of(other):
        assert told(one) == told(other)
