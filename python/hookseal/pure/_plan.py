"""A scheme made ready for bytes."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hookseal._scheme import Scheme
from hookseal._verdict import Verdict
from hookseal.pure._headers import Found
from hookseal.pure._judgement import Refused
from hookseal.pure._text import trim

# What Node and h11 allow the whole head of a request; a scheme's own headers need far less.
MAX_HEADER_BYTES = 16_384
# The ids in use have some thirty bytes. Replay stores and logs want a bound.
MAX_ID_BYTES = 256

_VISIBLE_AND_SPACE = bytes(range(0x20, 0x7F))


class Header(NamedTuple):
    """A header of the scheme, and what a refusal calls it."""

    name: bytes
    text: str


class Family(NamedTuple):
    """The headers that belong together, in the order in which a refusal names them."""

    signature: Header
    id: Header | None
    timestamp: Header | None


class Stated(NamedTuple):
    """What a message's headers say: trimmed, not yet believed."""

    family: Family
    signatures: list[bytes]
    id: bytes | None
    timestamp: bytes | None


class Plan:
    """One scheme's families, template and id alphabet as bytes."""

    __slots__ = ("_families", "_head", "_id_alphabet", "_signatures", "_tail", "names", "scheme")

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self._families = tuple(
            Family(_named(family.signature), _header(family.id), _header(family.timestamp))
            for family in scheme.families
        )
        self._signatures = tuple(family.signature.name for family in self._families)
        self.names = frozenset(
            header.name for family in self._families for header in family if header is not None
        )
        self._head = tuple(part.encode() for part in scheme.head)
        self._tail = tuple(part.encode() for part in scheme.tail)
        self._id_alphabet = _VISIBLE_AND_SPACE.translate(None, scheme.id_forbidden.encode())

    @property
    def first(self) -> Family:
        """The family that is looked for first."""
        return self._families[0]

    def stated(self, found: Found) -> Stated:
        """What the scheme's headers say.

        Raises:
            Refused: They are too large, missing or ambiguous.
        """
        signatures = [value for name in self._signatures for value in found.get(name, ())]
        if sum(map(len, signatures)) > MAX_HEADER_BYTES:
            raise Refused(Verdict.TOO_LARGE, "the signature headers", MAX_HEADER_BYTES)
        family, (signature, ids, timestamps) = self._family(found)
        if self.scheme.algorithm == "token":
            signature = [_only(signature, family.signature)]
        return Stated(
            family,
            signature,
            _only(ids, family.id) if family.id else None,
            _only(timestamps, family.timestamp) if family.timestamp else None,
        )

    def takes_id(self, id: bytes) -> bool:
        """Whether these bytes can be an id: visible ASCII and spaces, without what ends it."""
        return 1 <= len(id) <= MAX_ID_BYTES and not id.translate(None, self._id_alphabet)

    def signed(self, body: bytes, id: bytes, timestamp: bytes) -> tuple[bytes, bytes, bytes]:
        """The signed bytes in three pieces, so that the body is not copied.

        Id and timestamp are the header's bytes: rendered again, "017" would be "17".
        """
        values = {b"{id}": id, b"{timestamp}": timestamp}
        head = b"".join(values.get(part, part) for part in self._head)
        return head, body, b"".join(values.get(part, part) for part in self._tail)

    def _family(self, found: Found) -> tuple[Family, list[list[bytes]]]:
        missing = None
        for family in self._families:
            values = [_trimmed(found, header) for header in family]
            for header, some in zip(family, values, strict=True):
                if header is not None and not any(some):
                    missing = missing or header.text
                    break
            else:
                return family, values
        raise Refused(Verdict.MISSING_HEADER, missing)


plan_of = lru_cache(maxsize=64)(Plan)


def _named(name: str) -> Header:
    return Header(name.encode(), f"header '{name}'")


def _header(name: str | None) -> Header | None:
    return None if name is None else _named(name)


def _trimmed(found: Found, header: Header | None) -> list[bytes]:
    return [] if header is None else [trim(value) for value in found.get(header.name, ())]


def _only(values: list[bytes], header: Header) -> bytes:
    # Equal values are one. An empty one beside another differs from it.
    if values.count(values[0]) != len(values):
        raise Refused(Verdict.AMBIGUOUS_HEADER, header.text)
    return values[0]
