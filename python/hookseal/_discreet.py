"""Calls that are given secrets, and leave none behind in what they raise."""

from __future__ import annotations

from functools import wraps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

__all__ = ["discreet"]


def discreet(call: Callable[P, T]) -> Callable[P, T]:
    """The same call, whose exceptions lead to no frame of this package.

    Reporters of errors save the locals of every frame of a traceback, and those of a
    constructor hold the secret it was given. The frames of the caller are the caller's, and
    those of an object that was asked for its secret are that object's.
    """

    @wraps(call)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except BaseException as error:
            fault = error
        # This frame is the one that stays.
        del args, kwargs
        try:
            raise fault.with_traceback(_beyond(fault.__traceback__))
        finally:
            del fault  # it leads to this frame: no cycle

    return called


def _beyond(step: TracebackType | None) -> TracebackType | None:
    """What of a traceback lies below this package."""
    while step is not None:
        if step.tb_frame.f_globals.get("__name__", "").partition(".")[0] != "hookseal":
            return step
        step = step.tb_next
    return None
