"""What was counted in a stream of lines: verdicts, endpoints, and which secrets matched when."""

from __future__ import annotations

from collections import Counter

from hookseal._verdict import Verdict
from hookseal.pure._call import Reading, Rules
from hookseal.pure._entries import State
from hookseal.pure._judgement import Judgement


class _Endpoint:
    """The counts of one endpoint; of those that a ring does not hold, together."""

    __slots__ = ("live", "matched", "refused", "state", "times", "valid")

    def __init__(self, state: State | None) -> None:
        self.state = state
        self.valid = 0
        self.refused = 0
        entries = () if state is None else state.entries
        self.matched = [0] * len(entries)
        # The first and the last instant of each.
        self.times: list[tuple[int, int] | None] = [None] * len(entries)
        # The secrets that were tried, or would have been.
        self.live = {number for number, entry in enumerate(entries) if not entry.has_window}

    def copy(self) -> _Endpoint:
        other = _Endpoint(self.state)
        other.valid, other.refused = self.valid, self.refused
        other.matched, other.times = self.matched.copy(), self.times.copy()
        other.live = self.live.copy()
        return other


class LineTally:
    """Counts of lines. It has one entry for each endpoint of a ring at most."""

    __slots__ = ("_endpoints", "_verdicts", "broken", "bytes")

    def __init__(self) -> None:
        self.broken = 0
        self.bytes = 0
        self._verdicts: Counter[Verdict] = Counter()
        self._endpoints: dict[str | None, _Endpoint] = {}

    @staticmethod
    def of(rules: Rules) -> LineTally:
        """Nothing counted. Without a ring there is one endpoint, and it is there from the start."""
        tally = LineTally()
        if rules.ring is None:
            tally._endpoints[None] = _Endpoint(rules.state)
        return tally

    def copy(self) -> LineTally:
        other = LineTally()
        other.broken, other.bytes = self.broken, self.bytes
        other._verdicts = self._verdicts.copy()
        other._endpoints = {name: one.copy() for name, one in self._endpoints.items()}
        return other

    def note(self, reading: Reading, at: int, judgement: Judgement) -> None:
        """Counts a message that was judged at that instant."""
        self._verdicts[judgement.verdict] += 1
        state = reading.state
        # A name that the ring does not hold is the sender's, and not kept.
        name = None if state is None else reading.endpoint
        one = self._endpoints.setdefault(name, _Endpoint(state))
        if state is not None:
            one.live |= {number for number, entry in enumerate(state.entries) if entry.live(at)}
        if judgement.verdict is not Verdict.VALID:
            one.refused += 1
            return
        one.valid += 1
        if judgement.position >= 0:
            first, last = one.times[judgement.position] or (at, at)
            one.times[judgement.position] = min(first, at), max(last, at)
            one.matched[judgement.position] += 1

    @property
    def messages(self) -> int:
        return self._verdicts.total() + self.broken

    def counts(self) -> dict[Verdict, int]:
        return dict(sorted(self._verdicts.items()))

    def endpoints(self) -> list[tuple[str | None, int, int]]:
        return [(name, one.valid, one.refused) for name, one in self._endpoints.items()]

    def secrets(self) -> list[tuple[str | None, str, int, int | None, int | None]]:
        rows: list[tuple[str | None, str, int, int | None, int | None]] = []
        for name, one in self._endpoints.items():
            entries = () if one.state is None else one.state.entries
            for number, entry in enumerate(entries):
                if number in one.live:
                    first, last = one.times[number] or (None, None)
                    rows.append((name, entry.label, one.matched[number], first, last))
        return rows
