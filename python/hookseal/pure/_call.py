"""One call of a verifier: what it judges by, and the order in which it judges.

docs/strict-reading.md §1 numbers the rows; a Refused is one of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hookseal._arguments import mistake
from hookseal._errors import SchemeError
from hookseal._instant import seconds
from hookseal._verdict import Verdict
from hookseal.pure._arguments import text_or_none
from hookseal.pure._body import read_body
from hookseal.pure._entries import Entry, State, Window
from hookseal.pure._headers import Found, read_headers
from hookseal.pure._judgement import Accepted, Judgement, Refused
from hookseal.pure._key import matches
from hookseal.pure._keyring import Keyring
from hookseal.pure._plan import Plan, Stated
from hookseal.pure._replay import Replay
from hookseal.pure._signature import candidates
from hookseal.pure._text import utf8
from hookseal.pure._timestamp import hold_against, read_timestamp


class Rules(NamedTuple):
    """What a verifier was made with: one endpoint's state, a ring, or neither (unsigned)."""

    state: State | None
    ring: Keyring | None
    tolerance: Window
    max_body_bytes: int | None
    reason: str | None = None
    replay: Replay | None = None
    # What was found before the call of the names that the ring does not hold; None to ask.
    settled: Mapping[str, State | None] | None = None


class Reading(NamedTuple):
    """A message as bytes; no rule has looked at it yet."""

    endpoint: str | None
    state: State | None
    body: bytes | None
    found: Found


class Good(NamedTuple):
    """A message that was let in, and when it was signed and arrived, if that is known."""

    place: int
    state: State
    timestamp: int | None
    arrival: int | None


class Call:
    """One call: a snapshot of the ring, and at most one look at the clock before it is judged."""

    __slots__ = ("_is_stated", "_resolved", "_rules", "_snapshot", "now")

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._snapshot: Mapping[str, State] | None = (
            None if rules.ring is None else rules.ring._snapshot
        )
        self._resolved: Mapping[str, State | None] = rules.settled or {}
        self.now: int | None = None
        self._is_stated = False

    def begin(self, now: int | None) -> None:
        """Says what time it is; None for the clock.

        That is looked at where it is needed, after whatever may have waited: the iterable, and the
        resolver.
        """
        self.now = now
        self._is_stated = now is not None

    def admit_arrival(self, place: str) -> None:
        """Without ``replay_ttl`` a claim lasts as long as a copy is fresh, wherever that waits.

        Raises:
            TypeError: There is a guard, and no ``replay_ttl``.
        """
        if not self.admits_arrivals():
            raise mistake("arrival-needs-ttl", place)

    def admits_arrivals(self) -> bool:
        """Whether messages may state when they arrived."""
        replay = self._rules.replay
        return replay is None or replay.ttl is not None

    def unheld(self, names: Iterable[str | None]) -> list[str]:
        """The names that the ring does not hold, each once, in order of first appearance."""
        held = self._snapshot
        assert held is not None, "only a ring has a resolver"
        # What no endpoint can be called is not asked for.
        wanted = (name for name in names if name and name not in held and utf8(name) is not None)
        return list(dict.fromkeys(wanted))

    def resolve(self, names: Iterable[str | None]) -> None:
        """Asks the ring's resolver, if there is one, for the names that the ring does not hold.

        Raises:
            TypeError: The resolver is async.
            Exception: What the resolver raises, or its answer is refused with.
        """
        ring = self._rules.ring
        if ring is None or ring._resolver is None or self._rules.settled is not None:
            return
        self._resolved = protected(self._rules, ring._resolver.resolve(ring, self.unheld(names)))

    def read(self, body: object, headers: object, endpoint: object) -> Reading:
        """Turns a message into bytes: everything is read before anything is judged.

        Raises:
            TypeError: A part has a wrong type, or an endpoint is named without a ring.
            Exception: Whatever the user's own mapping raises.
        """
        name = self.endpoint(endpoint)
        state = self.state(name)
        wanted = state.plan.names if state is not None else frozenset[bytes]()
        data = read_body(body)
        return Reading(name, state, data, read_headers(headers, wanted))

    def state(self, name: str | None) -> State | None:
        """The secrets that a message at that endpoint is judged by; None if there are none."""
        if self._snapshot is not None and name is not None:
            return self._snapshot.get(name) or self._resolved.get(name)
        return self._rules.state

    def endpoint(self, endpoint: object, place: str = "endpoint") -> str | None:
        own = text_or_none(endpoint, place)
        if own is not None and self._snapshot is None:
            raise mistake("no-ring")
        return own

    def instant(self, reading: Reading, received_at: int | None) -> int | None:
        """Where freshness and the windows of secrets are judged; None if nothing depends on it.

        Never a time that the message states: else a leaked, retired secret would
        back-date its way in.
        """
        state = reading.state
        if state is None or reading.body is None:
            return None
        is_needed = state.window(self._rules.tolerance) is not None or state.has_windows
        # A ring notes when its secrets matched.
        if not is_needed and self._snapshot is None:
            return None
        has_guard = self._rules.replay is not None
        if received_at is not None and not has_guard:
            return received_at
        if self.now is None:
            self.now = _clock()
        if received_at is not None:
            # The claim of a message of tomorrow would end before a copy of it is too old.
            return min(received_at, self.now)
        return self.now

    def overtaken(self, good: Sequence[Good]) -> dict[int, Judgement]:
        """The good messages that are too old now that the guard has answered, by their place.

        Between judgement and claim a call may have waited for a lock, a disk or a server, and the
        claim of a copy may have ended meanwhile. What is fresh after its claim was fresh when that
        was made.
        """
        if self._is_stated or self.now is None or not good:
            return {}
        now = _clock()
        if now <= self.now:
            return {}
        late = {}
        for place, state, timestamp, arrival in good:
            window = state.window(self._rules.tolerance)
            if window is None:
                continue
            try:
                if arrival is not None:
                    self._hold_arrival(window, min(arrival, self.now), now)
                elif timestamp is not None and timestamp < now - window[0]:
                    what = "when the guard answered, the signed time"
                    raise Refused(Verdict.TOO_OLD, what, now - window[0] - timestamp)
            except Refused as refused:
                late[place] = Judgement(refused.verdict, refused.header, refused.number)
        return late

    def judge(self, reading: Reading, at: int | None) -> Judgement:
        try:
            return self._accept(reading, at)
        except Refused as refused:
            return Judgement(refused.verdict, refused.header, refused.number)

    def _accept(self, reading: Reading, at: int | None) -> Judgement:
        endpoint, state, body, found = reading
        if body is None:
            raise Refused(Verdict.NOT_A_MESSAGE)
        if state is None and self._rules.reason is None:
            raise Refused(Verdict.UNKNOWN_ENDPOINT)
        limit = self._rules.max_body_bytes
        if limit is not None and len(body) > limit:
            raise Refused(Verdict.TOO_LARGE, "the body", limit)
        if state is None:
            return Judgement(Verdict.VALID, accepted=Accepted(None, None, body))

        plan = state.plan
        stated = plan.stated(found)
        if stated.family.id is not None and not plan.takes_id(stated.id or b""):
            raise Refused(Verdict.MALFORMED_HEADER, stated.family.id.text)
        window = state.window(self._rules.tolerance)
        timestamp = self._timestamp(stated, plan, window, at)
        position, entry = _matching(state, stated, body, at)
        accepted = Accepted(
            plan.scheme,
            endpoint,
            body,
            stated.id,
            timestamp,
            fresh=window is not None,
            label=entry.label,
            stamp=stated.timestamp or b"",
        )
        return Judgement(Verdict.VALID, position=position, accepted=accepted)

    def _timestamp(
        self, stated: Stated, plan: Plan, window: tuple[int, int] | None, at: int | None
    ) -> int | None:
        header = stated.family.timestamp
        if header is None or stated.timestamp is None:
            return None
        timestamp = read_timestamp(stated.timestamp, plan.scheme.unit, header.text)
        if window is not None:
            assert at is not None, "Call.instant gives one wherever there is a window"
            try:
                hold_against(window, at, timestamp, header.text)
            except Refused as refused:
                if refused.verdict > Verdict.TOO_OLD:
                    # Of all that applies the first row counts.
                    self._hold_arrival(window, at, self.now)
                raise
            self._hold_arrival(window, at, self.now)
        return timestamp

    def _hold_arrival(self, window: tuple[int, int], at: int, now: int | None) -> None:
        """Refuses a message that waited so long that the claim of a copy could have ended.

        Two copies that are fresh on arrival arrive at most ``past + future`` apart. The claim of
        the first is made when it has arrived, or later; it must outlast the wait of the second.
        """
        replay = self._rules.replay
        if replay is None or replay.ttl is None or now is None:
            return
        earliest = now - max(0, replay.ttl - (sum(window) + 1))
        if at < earliest:
            raise Refused(Verdict.TOO_OLD, "the time of arrival", earliest - at)


def protected(rules: Rules, found: Mapping[str, State | None]) -> Mapping[str, State | None]:
    """What a resolver said, without the endpoints that the verifier's guard cannot protect."""
    if rules.replay is None or rules.ring is None or rules.ring._resolver is None:
        return found
    kept: dict[str, State | None] = {}
    for name, state in found.items():
        try:
            if state is not None:
                rules.replay.seconds(state, rules.tolerance)
                kept[name] = state
        except SchemeError as error:
            rules.ring._resolver.refuse(name, error)
    return kept


def _clock() -> int:
    # Looked up now, so that a clock frozen by the user's tests is the one read.
    return seconds(time.time(), "time.time()")


def _matching(state: State, stated: Stated, body: bytes, at: int | None) -> tuple[int, Entry]:
    header = stated.family.signature
    tags = candidates(stated.signatures, state.plan.scheme, header.text)
    signed = state.plan.signed(body, stated.id or b"", stated.timestamp or b"")
    live = 0
    for position, entry in enumerate(state.entries):
        if entry.live(at):
            live += 1
            # One MAC a secret, however many candidates.
            if matches(entry.key.tag(signed), tags):
                return position, entry
    raise Refused(Verdict.SIGNATURE_MISMATCH, header.text, live)
