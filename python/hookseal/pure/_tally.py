"""How often each secret matched."""

from __future__ import annotations

from typing import Any

from hookseal._usage import Usage
from hookseal.pure._call import Reading
from hookseal.pure._entries import State


class Tally:
    """Counts for each endpoint that a message named, in the order of first appearance."""

    __slots__ = ("_matched", "_ringless", "_seen", "_states", "_usages")

    def __init__(self, only: State | None) -> None:
        self._states: dict[str | None, State] = {}
        self._matched: dict[str | None, list[int]] = {}
        # Which secrets with a window were live for a message.
        self._seen: dict[str | None, set[int]] = {}
        self._usages: dict[tuple[str | None, int], Usage] = {}
        self._ringless = only is not None
        if only is not None:
            self._enter(None, only)

    def note(self, reading: Reading, at: int | None) -> None:
        """Notes that a message arrived, and which secrets were live for it."""
        endpoint, state = reading.endpoint, reading.state
        if state is None:
            return
        if endpoint not in self._states:
            self._enter(endpoint, state)
        if at is not None and state.has_windows:
            live = (number for number, entry in enumerate(state.entries) if entry.live(at))
            self._seen[endpoint].update(live)

    def count(self, endpoint: str | None, at: int | None, position: int) -> None:
        """Counts the secret of a message that was let in.

        Not of one that a guard refused: who sends it again must keep no secret in use.
        """
        self._matched[endpoint][position] += 1
        if at is not None:
            usage = self._usages.get((endpoint, position), Usage(0))
            self._usages[endpoint, position] = usage.plus(Usage(1, at, at))

    def tell(self) -> None:
        """Adds what was counted to what the endpoints of a ring know of their secrets."""
        if not self._ringless:
            for (endpoint, position), usage in self._usages.items():
                self._states[endpoint].entries[position].counted.add(usage)

    def by_secret(self) -> dict[Any, int]:
        """The counts of the secrets that have no window or were live, zeros included."""
        counts = {
            (endpoint or "", entry.label): self._matched[endpoint][number]
            for endpoint, state in self._states.items()
            for number, entry in enumerate(state.entries)
            if not entry.has_window or number in self._seen[endpoint]
        }
        if self._ringless:
            return {label: count for (_, label), count in counts.items()}
        return counts

    def _enter(self, endpoint: str | None, state: State) -> None:
        self._states[endpoint] = state
        self._matched[endpoint] = [0] * len(state.entries)
        self._seen[endpoint] = set()
