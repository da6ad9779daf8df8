"""An endpoint of a keyring, with what it does differently."""

from __future__ import annotations

from hookseal._arguments import wrong_type
from hookseal._discreet import discreet
from hookseal._scheme import Scheme
from hookseal._tolerance import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn, Self

    from hookseal.types import Tolerance

__all__ = ["Endpoint"]


class Endpoint:
    """The secrets of one keyring endpoint, and its own scheme or tolerance.

    Args:
        secrets: One secret or a sequence of them, as a ``Keyring`` takes them.
        scheme: The scheme's name, or a ``Scheme``; None for the ring's.
        tolerance: The window for this endpoint; None for the verifier's.

    Raises:
        TypeError: ``scheme`` or ``tolerance`` has a wrong type.
        ValueError: ``tolerance`` is out of range.

    The secrets are judged when the endpoint enters a keyring. It does not show them,
    and refuses to be pickled.
    """

    __slots__ = ("_secrets", "scheme", "tolerance")

    _secrets: object
    scheme: Scheme | str | None
    tolerance: Tolerance

    # Without an __init__ there is none to call again.
    @discreet
    def __new__(
        cls,
        secrets: object | Sequence[object],
        *,
        scheme: Scheme | str | None = None,
        tolerance: Tolerance = None,
    ) -> Self:
        if scheme is not None and not isinstance(scheme, (str, Scheme)):
            raise wrong_type("scheme", scheme)
        window(tolerance)
        endpoint = object.__new__(cls)
        put = object.__setattr__
        put(endpoint, "_secrets", secrets)
        put(endpoint, "scheme", scheme)
        put(endpoint, "tolerance", tolerance)
        return endpoint

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("an Endpoint is frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("an Endpoint is frozen")

    def __repr__(self) -> str:
        count = len(self._secrets) if isinstance(self._secrets, (list, tuple)) else 1
        return f"Endpoint(secrets={count}, scheme={self.scheme!r}, tolerance={self.tolerance!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an Endpoint holds secrets and cannot be pickled or copied")

    # object's would hand out the secrets.
    def __getstate__(self) -> NoReturn:
        raise TypeError("an Endpoint holds secrets and cannot be pickled or copied")
