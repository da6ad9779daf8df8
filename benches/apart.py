"""Each part of the report in a process of its own.

What a process has allocated and let go before decides where its next objects lie: after the cases
with long bodies the same warm batch took a sixth longer than in a process that had just begun.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

Asked = ParamSpec("Asked")
Found = TypeVar("Found")


def apart(measure: Callable[Asked, Found], *arguments: Asked.args, **named: Asked.kwargs) -> Found:
    """What ``measure`` returns; it and all that it takes and gives can be pickled."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, *arguments, **named).result()
