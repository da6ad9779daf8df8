"""The items of a batch: what is a message, and where its parts are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hookseal._instant import seconds
from hookseal._message import Message


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
            item.endpoint,
            None if arrival is None else seconds(arrival, "received_at"),
        )
    if type(item) is tuple and len(item) == 2:
        return Item(*item)
    if isinstance(item, Mapping) and "body" in item and "headers" in item:
        return Item(item["body"], item["headers"])
    if hasattr(item, "body") and hasattr(item, "headers"):
        return Item(item.body, item.headers)
    raise TypeError(
        "a message is a Message, a (body, headers) tuple, a mapping with body and headers"
        f" or an object with those attributes, not {type(item).__name__}"
    )
