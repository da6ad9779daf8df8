"""Labels: every secret of an endpoint has one, and a number is never given twice."""

from __future__ import annotations

import re
from collections.abc import Container

# A given label that reads like one of ours.
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")


def next_label(given: str | None, counter: int, reserved: Container[object]) -> tuple[str, int]:
    """The label of a secret that enters an endpoint.

    Args:
        given: The label it asks for, or None.
        counter: The next number to give.
        reserved: The labels that other secrets have or ask for; no number is one of them.

    Returns:
        The label, and the counter as it stands then.
    """
    if given is None:
        while str(counter) in reserved:
            counter += 1
        return str(counter), counter + 1
    if _NUMBER.fullmatch(given):
        counter = max(counter, int(given) + 1)
    return given, counter
