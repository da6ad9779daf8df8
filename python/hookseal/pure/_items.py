"""The items of a batch: what is a message, and where its parts are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hookseal._arguments import wrong_type
from hookseal._instant import seconds
from hookseal._message import Message
from hookseal.pure._arguments import text_or_none

_ABSENT = object()


class Item(NamedTuple):
    """The parts of one message. Only a ``Message`` states an endpoint and an arrival."""

    body: object
    headers: object
    endpoint: str | None = None
    received_at: int | None = None


def read_item(item: object) -> Item:
    """The parts of an item.

    No field of a broker's record is taken for an endpoint or an arrival time: the
    sender could have written it.

    Raises:
        TypeError: It is none of the forms of a message.
        Exception: Whatever the user's own objects raise.
    """
    if isinstance(item, Message):
        arrival = item.received_at
        return Item(
            item.body,
            item.headers,
            text_or_none(item.endpoint, "endpoint"),
            None if arrival is None else seconds(arrival, "received_at"),
        )
    if type(item) is tuple:
        if len(item) != 2:
            raise wrong_type("item", item)
        return Item(*item)
    if isinstance(item, Mapping) and "body" in item and "headers" in item:
        return Item(item["body"], item["headers"])
    # Each attribute is asked for once: it may be a property.
    body = getattr(item, "body", _ABSENT)
    headers = getattr(item, "headers", _ABSENT)
    if body is _ABSENT or headers is _ABSENT:
        raise wrong_type("item", item)
    return Item(body, headers)
