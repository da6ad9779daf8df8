"""What was decided about one message, and how a rule refuses one."""

from __future__ import annotations

from typing import NamedTuple

from hookseal._errors import VerificationError, refusal
from hookseal._scheme import Scheme
from hookseal._verdict import Verdict


class Refused(Exception):
    """Raised by the rule that a message breaks; it does not leave this package."""

    def __init__(
        self, verdict: Verdict, header: str | None = None, number: int | None = None
    ) -> None:
        self.verdict = verdict
        self.header = header
        self.number = number


class Accepted(NamedTuple):
    """What the message said, now that it is known to be true."""

    scheme: Scheme | None
    endpoint: str | None
    body: bytes
    id: bytes | None = None
    timestamp: int | None = None
    fresh: bool = False
    label: str | None = None
    stamp: bytes = b""


class Judgement(NamedTuple):
    """One message's verdict, with what its exception or its ``Verified`` is made of."""

    verdict: Verdict
    header: str | None = None
    number: int | None = None
    position: int = -1
    accepted: Accepted | None = None

    def exception(self, cause: Exception | None = None) -> VerificationError:
        return refusal(self.verdict, self.header, self.number, cause)
