"""What the classes of this package have in common: they are frozen, final and stay here."""

from __future__ import annotations

from typing import NoReturn, Self

from hookseal._arguments import mistake


class Sealed:
    """A frozen, final object that cannot be copied or pickled.

    A class without a ``__new__`` of its own cannot be made by its users either.
    """

    __slots__ = ()

    def __new__(cls, *args: object, **kwargs: object) -> Self:
        raise TypeError(f"a {cls.__name__} cannot be made by hand")

    def __init_subclass__(cls) -> None:
        base = cls.__mro__[1]
        if base is not Sealed:
            raise TypeError(f"{base.__name__} is final and cannot be subclassed")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} is frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} is frozen")

    # pickle, copy and deepcopy all end here.
    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise mistake("copy", type(self).__name__)

    # object's would hand out every slot.
    def __getstate__(self) -> NoReturn:
        raise mistake("copy", type(self).__name__)


# For the constructors of frozen classes.
put = object.__setattr__
