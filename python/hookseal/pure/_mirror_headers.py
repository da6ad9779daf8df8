"""The headers of a drop-in: a mapping of texts, as its original reads one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, cast

from hookseal._arguments import wrong_type
from hookseal._scheme import Family, Scheme
from hookseal._verdict import Verdict
from hookseal.pure._judgement import Refused
from hookseal.pure._text import header_bytes, trim
from hookseal.pure._timestamp import MAX_DIGITS, hold_against, read_timestamp

# A datetime ends with the year 9999.
_LAST_SECOND = 253_402_300_799


class MirroredHeaders(NamedTuple):
    """The headers of the one family that counts.

    Attributes:
        family: The names.
        values: By name, the values as they came; of what is no text, nothing.
        strange: The names whose values the originals read in another way than the strict
            reading.
    """

    family: Family
    values: dict[str, list[bytes]]
    strange: frozenset[str]

    @property
    def missing(self) -> str | None:
        """The first header without a value, in the order in which a refusal names them."""
        for name in _names(self.family):
            if not any(self.values.get(name, ())) and name not in self.strange:
                return name
        return None

    def pairs(self) -> list[tuple[str, bytes]]:
        """The values, as a ``Verifier`` takes them."""
        return [(name, value) for name, values in self.values.items() for value in values]

    def timestamp_text(self) -> str:
        """The timestamp, before anything is judged by it.

        Raises:
            Refused: A header is missing, or the time is a strange one.
        """
        name = self.family.timestamp or ""
        if self.missing is not None:
            raise Refused(Verdict.MISSING_HEADER, f"header '{self.missing}'")
        if name in self.strange:
            raise Refused(Verdict.MALFORMED_TIMESTAMP, f"header '{name}'")
        return self.values[name][0].decode("utf-8", "surrogatepass")

    def timestamp(self) -> int:
        """The second that the timestamp states.

        Raises:
            Refused: It states none.
        """
        text = trim(self.timestamp_text().encode("utf-8", "surrogatepass"))
        return read_timestamp(text, "s", f"header '{self.family.timestamp}'")

    def judge_time(self, window: tuple[int, int] | None, at: int) -> None:
        """Refuses a time, which the originals look at before the id and the signature.

        Raises:
            Refused: As it says.
        """
        timestamp = self.timestamp()
        if window is not None:
            hold_against(window, at, timestamp, f"header '{self.family.timestamp}'")

    def judge_strange(self) -> None:
        """Refuses a message that is good but for what is strange about it.

        Raises:
            Refused: As it says.
        """
        name = self.family.id or ""
        if name in self.strange:
            raise Refused(Verdict.MALFORMED_HEADER, f"header '{name}'")
        if self.strange:
            raise Refused(Verdict.MALFORMED_SIGNATURE, f"header '{self.family.signature}'")


def read_mirrored(headers: object, scheme: Scheme) -> MirroredHeaders:
    """Reads headers once, whole.

    Raises:
        TypeError: They are no mapping, or a name is no text.
    """
    wanted = {name for family in scheme.families for name in _names(family)}
    values: dict[str, list[bytes]] = {}
    odd: set[str] = set()
    for name, value in _items(headers):
        if isinstance(name, bytes):
            continue  # its lower() is no text either
        if not isinstance(name, str):
            raise wrong_type("str", name, "header name")
        folded = header_bytes(name).lower().decode("utf-8", "surrogatepass")
        if folded not in wanted:
            if not name.isascii() and name.lower() in wanted:
                odd.add(name.lower())
            continue
        found = values.setdefault(folded, [])
        if isinstance(value, str):
            found.append(header_bytes(value))
        else:
            # One that is false is as good as empty; another is rendered by the originals.
            found.append(b"")
            odd |= {folded} if value else set()
    there = values.keys() | odd
    # The originals choose for each header alone, so that one stray header decides.
    families = (family for family in scheme.families if there & set(_names(family)))
    family = next(families, scheme.families[0])
    own = {name: values[name] for name in _names(family) if name in values}
    strange = {name for name, several in own.items() if _is_strange(name, several, family)}
    return MirroredHeaders(family, own, frozenset(strange | (odd & set(_names(family)))))


def _is_strange(name: str, values: list[bytes], family: Family) -> bool:
    if name == family.id:
        return any(trim(value) != value for value in values)
    blank = any(value and not trim(value) for value in values)
    if name == family.timestamp:
        return blank or any(_is_strange_time(trim(value)) for value in values)
    # White space before a signature is part of it, and of two headers one counts.
    return blank or any(_begins_with_tab(value) or value != values[0] for value in values)


def _begins_with_tab(value: bytes) -> bool:
    before, prefix, _ = value.partition(b"v1,")
    return bool(prefix) and b"\t" in before and not trim(before)


def _is_strange_time(text: bytes) -> bool:
    if text.startswith(b"0") and text != b"0":
        return True
    return text.isdigit() and len(text) <= MAX_DIGITS and int(text) > _LAST_SECOND


def _names(family: Family) -> list[str]:
    return [name for name in family if name is not None]


def _items(headers: object) -> Iterable[tuple[object, object]]:
    items = getattr(headers, "items", None)
    if items is None:
        raise wrong_type("mapping", headers, "headers")
    for item in list(cast(Iterable[object], items())):
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise wrong_type("headers item", item)
        yield item[0], item[1]
