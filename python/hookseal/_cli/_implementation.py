"""Which implementation the command works with: the core, or plain Python where it is absent."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["hooks", "is_core", "line_judge"]


def is_core() -> bool:
    """Whether the compiled module is there."""
    try:
        import hookseal._core  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "hookseal._core":
            raise
        return False
    return True


def hooks() -> Any:
    """The module with the classes: ``hookseal`` or ``hookseal.pure``."""
    if is_core():
        import hookseal

        return hookseal
    import hookseal.pure

    return hookseal.pure


def line_judge() -> Any:
    """The class that judges the lines of a queue."""
    if is_core():
        from hookseal._core import LineJudge

        return LineJudge
    from hookseal.pure._lines import LineJudge as PureLineJudge

    return PureLineJudge
