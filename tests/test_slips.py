"""A secret given where a name belongs is not shown in the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

SLIPS: dict[str, Callable[[Any], object]] = {
    "the value for the variable's name": lambda hooks: hooks.Secret.from_env(SECRET),
    "a secret for a scheme": lambda hooks: hooks.Secret.generate(SECRET),
    "two secrets": lambda hooks: hooks.Verifier(SECRET, scheme=SECRET),
    "a secret for an endpoint": lambda hooks: hooks.Keyring({"a": SECRET}).labels(SECRET),
    "a secret for a label": lambda hooks: hooks.Keyring({"a": SECRET}).remove("a", SECRET),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_it_is_not_shown(hooks: Any, slip: Callable[[Any], object]) -> None:
    with pytest.raises((ValueError, KeyError)) as caught:
        slip(hooks)
    assert SECRET not in str(caught.value)
    assert SECRET.removeprefix("whsec_") not in repr(caught.value)


def test_other_names_are_shown_and_cut_short(hooks: Any) -> None:
    with pytest.raises(KeyError, match="acme"):
        hooks.Keyring({"a": SECRET}).labels("acme")
    with pytest.raises(KeyError) as caught:
        hooks.Keyring({"a": SECRET}).labels("x" * 10_000)
    assert len(str(caught.value)) < 200
