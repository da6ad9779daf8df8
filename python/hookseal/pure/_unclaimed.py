"""Calls whose messages were judged: what is to be claimed, and what comes of the claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hookseal._claim import Claim
from hookseal._replay import claim
from hookseal._verdict import Verdict
from hookseal.pure._judgement import Judgement
from hookseal.pure._replay import Replay, key_of


class Claimed(NamedTuple):
    """The claims of a result; ``keys`` are those of the messages that were won, by index."""

    replay: Replay
    keys: dict[int, bytes]
    token: object = None
    # Whether the guard could be asked; if not, and nobody was let in, why.
    is_asked: bool = True
    failed: Exception | None = None
    # Of a batch, the messages that were committed or released.
    closed: set[int] | None = None


class Settled(NamedTuple):
    """What the guard's answer made of the judgements; without a guard they are as they were."""

    judgements: list[Judgement]
    claimed: Claimed | None


class Unclaimed:
    """A call whose messages were judged, and not claimed yet."""

    def __init__(
        self,
        replay: Replay | None,
        judgements: list[Judgement],
        seconds: Callable[[int], int],
        overtaken: Callable[[Sequence[int]], dict[int, Judgement]],
        finish: Callable[[Settled], Any],
        *,
        is_final: bool = False,
    ) -> None:
        """Takes the judgements, and what is to be asked of them.

        That is how long each is to be remembered, which of those that were let in are too old when
        the guard has answered, and what comes of them.
        """
        self._replay = replay
        self._judgements = judgements
        self._overtaken = overtaken
        self._finish = finish
        # The first message of each key; copies of it in the same call find it taken.
        self._first: dict[bytes, int] = {}
        self._copies: list[tuple[int, bytes]] = []
        self.guard = None if replay is None else replay.guard
        self.is_async = replay is not None and replay.is_async
        self.is_near = replay is not None and replay.is_near
        # Nobody could commit what a verdict has claimed.
        self.lease = None if replay is None or is_final else replay.lease
        self.ttl = 1
        if replay is not None:
            for index, judgement in enumerate(judgements):
                if judgement.accepted is not None:
                    self.ttl = max(self.ttl, seconds(index))
                    key = key_of(judgement.accepted)
                    if self._first.setdefault(key, index) != index:
                        self._copies.append((index, key))

    @property
    def keys(self) -> list[bytes]:
        """What is asked of the guard."""
        return list(self._first)

    def settle(self, answer: tuple[Sequence[Claim] | None, Any] | None) -> Any:
        """Makes the result of the guard's answer; None where it was not asked."""
        if self._replay is None:
            return self._finish(Settled(self._judgements, None))
        found: dict[bytes, int] = dict.fromkeys(self._first, Claim.WON)
        token: object = None
        failed: Exception | None = None
        if answer is not None and answer[0] is not None:
            found = dict(zip(self._first, answer[0], strict=True))
            token = answer[1]
        elif answer is not None:
            failed = answer[1]
            if self._replay.mode == "raise":
                raise answer[1]
            if self._replay.mode == "reject":
                found = dict.fromkeys(self._first, 0)
        return self._finish(self._settled(self._replay, found, token, failed))

    def _settled(
        self, replay: Replay, found: dict[bytes, int], token: object, failed: Exception | None
    ) -> Settled:
        judgements = self._judgements.copy()
        for key, index in self._first.items():
            if found[key] != Claim.WON:
                judgements[index] = Judgement(Verdict.REPLAYED, number=int(found[key]))
        taken = Claim.DONE if self.lease is None else Claim.PENDING
        for index, key in self._copies:
            number = taken if found[key] == Claim.WON else found[key]
            judgements[index] = Judgement(Verdict.REPLAYED, number=int(number))
        won = {index: key for key, index in self._first.items() if found[key] == Claim.WON}
        # The claims of these stay: they are of no use to copies, which are no fresher.
        for index, late in self._overtaken(list(won)).items():
            judgements[index] = late
            del won[index]
        why = failed if replay.mode == "reject" else None
        if failed is not None:
            won = {}
        return Settled(judgements, Claimed(replay, won, token, failed is None, why))


def asked(unclaimed: Unclaimed) -> Any:
    """The result of a call that awaits nothing."""
    keys = unclaimed.keys
    if not keys:
        return unclaimed.settle(None)
    return unclaimed.settle(claim(unclaimed.guard, keys, unclaimed.lease, unclaimed.ttl))
