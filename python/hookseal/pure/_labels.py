"""Labels: every secret of an endpoint has one, and a number is never given twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hookseal._errors import SecretError

# A given label that reads like one of ours.
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")


def assign(given: Sequence[str | None], kept: Iterable[str], counter: int) -> tuple[list[str], int]:
    """Gives each secret its label.

    Args:
        given: The labels of the secrets that enter, in order; None for those without.
        kept: The labels of the secrets that stay.
        counter: The next number to give.

    Returns:
        The labels, and the counter as it stands then.

    Raises:
        SecretError: A given label is in use.
    """
    in_use = set(kept)
    for label in given:
        if label in in_use:
            raise SecretError(f"the label {label!r} is given twice in one endpoint")
        if label is not None:
            in_use.add(label)
    labels = []
    for label in given:
        if label is None:
            while str(counter) in in_use:
                counter += 1
            labels.append(str(counter))
            counter += 1
        else:
            labels.append(label)
            if _NUMBER.fullmatch(label):
                counter = max(counter, int(label) + 1)
    return labels, counter
