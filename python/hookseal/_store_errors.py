"""What can go wrong with a replay guard: nobody's fault in the message, nor in the program."""

from __future__ import annotations

__all__ = ["ClaimLostError", "ReplayStoreError", "ReplayStoreFullError"]


class ReplayStoreError(Exception):
    """A replay guard could not do what it was asked.

    What its database or client raises passes as it is, and is none of these.
    """


class ReplayStoreFullError(ReplayStoreError):
    """A guard holds as many claims as it may, all alive. It has claimed none of the call's keys."""


class ClaimLostError(ReplayStoreError):
    """The lease of a claim lapsed before its commit, and somebody else has claimed the message.

    The work may be done twice: roll it back if it can be, and ask for a longer lease.
    """


def store_full(limit: int) -> ReplayStoreFullError:
    """Makes the exception for a guard that holds as many claims as it may."""
    return ReplayStoreFullError(
        f"the replay guard holds {limit} claims, as many as it may, and forgets none that is alive:"
        " raise max_claims, or wait until some have ended"
    )


def claim_lost(lost: int, keys: int) -> ClaimLostError:
    """Makes the exception for claims that could not be committed."""
    return ClaimLostError(
        f"{lost} of {keys} claims were no longer there to commit: the lease lapsed, and others have"
        " claimed the messages since"
    )


def foreign_value(name: str) -> ReplayStoreError:
    """Makes the exception for a key of the store that holds what no guard writes."""
    return ReplayStoreError(
        f"key {name!r} holds something that is no claim: give the replay guard a prefix of its own"
    )


def no_wal(mode: object) -> ReplayStoreError:
    """Makes the exception for a database that cannot have a write-ahead log."""
    return ReplayStoreError(
        f"the database's journal is {mode!r}, and cannot be made a write-ahead log: put the"
        " file on a local disk of this host"
    )
