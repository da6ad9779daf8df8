"""A message, as it is handed to ``verify_batch``: one class for both implementations.

So what was made for one of them is never a stranger to the other, whose endpoint and arrival
would go unheard.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hookseal.types import Body, Headers

__all__ = ["Message"]

try:
    from hookseal._core import Message
except ModuleNotFoundError as error:
    # As in __init__.py: a binary that is there and does not load must say so.
    if error.name != "hookseal._core":
        raise

    if not TYPE_CHECKING:  # one class for a type checker, too
        from hookseal._message_twin import Message


def _message(body: Body, headers: Headers, named: dict[str, object]) -> Message:
    """What a pickle of a message calls."""
    return Message(body, headers, **named)  # type: ignore[arg-type]
