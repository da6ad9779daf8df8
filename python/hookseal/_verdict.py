"""The verdicts: one small number for each thing that can be said of a message."""

from enum import IntEnum


class Verdict(IntEnum):
    """What was decided about one message; true for ``VALID`` alone.

    The numbers are for ever: they are stored in databases and read from
    ``BatchResult.codes``. They also give the order of judgement: of all the
    reasons that apply to a message, the one with the lowest number is reported.
    """

    UNVERIFIED = 0
    """Nobody judged this slot. It never leaves the library; it exists so that a
    slot that was forgotten cannot read as good."""
    VALID = 1
    NOT_A_MESSAGE = 2
    UNKNOWN_ENDPOINT = 3
    TOO_LARGE = 4
    MISSING_HEADER = 5
    AMBIGUOUS_HEADER = 6
    MALFORMED_HEADER = 7
    MALFORMED_TIMESTAMP = 8
    TOO_OLD = 9
    TOO_NEW = 10
    MALFORMED_SIGNATURE = 11
    SIGNATURE_MISMATCH = 12
    REPLAYED = 13

    def __bool__(self) -> bool:
        return self is Verdict.VALID
