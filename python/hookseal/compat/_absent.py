"""Private names of the originals that mean nothing here, and are not passed over for that."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["INNER", "SECRET_PREFIX", "WHSECRET", "refuse_overrides"]


def _absent(name: str) -> property:
    text = (
        f"this Webhook has no {name}: it keeps no secret, only what it computes with; make"
        " another one for another secret"
    )

    def missing(_: object, *__: object) -> NoReturn:
        raise AttributeError(text)

    return property(missing, missing, missing)


INNER = _absent("_inner")
SECRET_PREFIX = _absent("_SECRET_PREFIX")
WHSECRET = _absent("_whsecret")


def refuse_overrides(cls: type[Any], names: dict[str, property]) -> None:
    """Refuses a subclass that has one of the names, for which its original would ask.

    Args:
        cls: The subclass.
        names: What it is to have under each name.

    Raises:
        TypeError: It has something else.
    """
    for name, absent in names.items():
        if getattr(cls, name) is not absent:
            raise TypeError(f"{cls.__name__} has a {name} of its own, which Webhook does not ask")
