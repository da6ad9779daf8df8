"""How long messages are remembered, and how long they may have waited: with a simulated clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import Claim, Message, Verdict
from tests.conftest import Clock
from tests.guards import CLOCKED, DONE, WON, claim, clocked, keys
from tests.implementations import BODY, NOW, SECRET, core, secret, signed, twin
from tests.implementations import key as secret_key
from tests.profiles import fewer

MINUTES = 60
GITHUB = {"x-hub-signature-256": "sha256=" + "0" * 64}


@pytest.fixture(params=CLOCKED)
def guard(request: pytest.FixtureRequest, steady: Clock, tmp_path: Path) -> Iterator[Any]:
    """The guards whose clock can be simulated."""
    yield from clocked(request.param, tmp_path)


@pytest.mark.parametrize("backlog", [0, 20 * MINUTES])
@pytest.mark.parametrize("order", ["as they came", "the other way round"])
@pytest.mark.parametrize("call", ["check", "verify_batch", "one batch"])
def test_two_copies_290_s_apart(
    hooks: Any, guard: Any, steady: Clock, backlog: int, order: str, call: str
) -> None:
    """Each fresh when it arrived, each looked at after the same wait: one of them is let in."""
    # As far apart as they arrive, so much longer may the first one have waited.
    ours = hooks.Verifier(SECRET, replay=guard, replay_ttl=601 + 290 + backlog)
    arrivals = [NOW + 5, NOW + 295]
    if order == "the other way round":
        arrivals.reverse()
    if call == "one batch":
        steady.now = NOW + 295 + backlog
        messages = [Message(BODY, signed(), received_at=arrival) for arrival in arrivals]
        assert list(ours.verify_batch(messages)) == [Verdict.VALID, Verdict.REPLAYED]
        return
    verdicts = []
    for arrival in arrivals:
        steady.now = max(steady.now, arrival + backlog)
        if call == "check":
            verdicts.append(ours.check(BODY, signed(), received_at=arrival))
        else:
            verdicts += ours.verify_batch([Message(BODY, signed(), received_at=arrival)])
    assert verdicts == [Verdict.VALID, Verdict.REPLAYED]


def test_a_wait_that_outlasts_the_memory_is_too_old(hooks: Any, guard: Any, steady: Clock) -> None:
    """A copy could have been taken, and be forgotten by now."""
    ours = hooks.Verifier(SECRET, replay=guard, replay_ttl=1000)
    steady.now = NOW + 5000
    for waited, verdict in [(399, Verdict.VALID), (400, Verdict.TOO_OLD)]:
        stamp = NOW + 5000 - waited
        message = (BODY, signed(id=f"waited_{waited}", timestamp=stamp))
        assert ours.check(*message, received_at=stamp) is verdict
        message = (BODY, signed(id=f"batch_{waited}", timestamp=stamp))
        assert ours.verify_batch([message] * 3, received_at=stamp)[0] is verdict
        message = (BODY, signed(id=f"later_{waited}", timestamp=stamp))
        assert ours.check(*message, received_at=stamp + 1)
    with pytest.raises(hooks.TooOldError) as caught:
        ours.verify(BODY, signed(timestamp=NOW + 3000), received_at=NOW + 3000)
    assert str(caught.value) == "the time of arrival lies 1601 s before the window"


def test_the_first_row_that_applies_decides(hooks: Any, guard: Any, steady: Clock) -> None:
    ours = hooks.Verifier(SECRET, replay=guard, replay_ttl=601, max_body_bytes=100)
    late = NOW - 10
    cases: list[tuple[Any, dict[str, str], Verdict]] = [
        (BODY, signed(), Verdict.TOO_OLD),
        (bytes(101), signed(), Verdict.TOO_LARGE),
        (BODY, {**signed(), "webhook-timestamp": "x"}, Verdict.MALFORMED_TIMESTAMP),
        (BODY, signed(timestamp=NOW + 10_000), Verdict.TOO_OLD),
        (BODY, signed(timestamp=NOW - 10_000), Verdict.TOO_OLD),
        (BODY, {**signed(), "webhook-signature": "x"}, Verdict.TOO_OLD),
        (b"other", signed(), Verdict.TOO_OLD),
    ]
    for body, headers, verdict in cases:
        assert ours.check(body, headers, received_at=late) is verdict
        assert set(ours.verify_batch([(body, headers)] * 20, received_at=late)) == {verdict}
    with pytest.raises(hooks.TooOldError, match=r"^header 'webhook-timestamp' lies 9690 s before"):
        ours.verify(BODY, signed(timestamp=NOW - 10_000), received_at=late)
    assert ours.check(BODY, signed(timestamp=NOW + 301), received_at=NOW) is Verdict.TOO_NEW


def test_without_replay_ttl_no_arrival_may_be_passed(hooks: Any, guard: Any) -> None:
    ours = hooks.Verifier(SECRET, replay=guard)
    text = r"received_at: with a replay guard, messages that waited need replay_ttl=, the seconds"
    message = Message(BODY, signed(), received_at=NOW)
    calls: list[Callable[[], Any]] = [
        lambda: ours.check(BODY, signed(), received_at=NOW),
        lambda: ours.verify(BODY, signed(), received_at=datetime.fromtimestamp(NOW, UTC)),
        lambda: ours.verify_batch([(BODY, signed())], received_at=NOW),
        lambda: ours.verify_batch([(BODY, signed())], received_at=[None]),
        lambda: ours.verify_columns(["a"], ["1"], ["b"], [b""], received_at=[NOW]),
        lambda: ours.verify_batch([(BODY, signed()), message], now=NOW),
        lambda: ours.verify_batch([Message(BODY, signed())] * 20 + [message], now=NOW),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=text):
            call()
    with pytest.raises(TypeError, match=r"^messages\[1\]\.received_at: with a replay guard"):
        ours.verify_batch([(BODY, signed()), message], now=NOW)
    assert guard.count() == 0
    # Without an arrival of its own a Message is as welcome as any.
    assert ours.verify_batch([Message(BODY, signed())], now=NOW).valid == 1


def test_how_long_claims_are_remembered(hooks: Any, steady: Clock) -> None:
    class Told:
        def __init__(self) -> None:
            self.ttl = 0

        def claim(self, keys: Any, *, lease: Any, ttl: int) -> Any:
            self.ttl = ttl
            return [Claim.WON] * len(keys)

        commit = release = lambda self, keys: None

    told = Told()
    cases: list[tuple[dict[str, Any], int]] = [
        ({}, 601),
        ({"tolerance": 0}, 1),
        ({"tolerance": (3600, 60)}, 3661),
        ({"replay_ttl": 10_000}, 10_000),
        ({"replay_ttl": 10, "tolerance": "off"}, 10),
    ]
    for options, ttl in cases:
        hooks.Verifier(SECRET, replay=told, **options).check(BODY, signed(), now=NOW)
        assert told.ttl == ttl
    # Of several endpoints, the one that needs it longest.
    ring = hooks.Keyring({"a": SECRET, "b": hooks.Endpoint(secret(2), tolerance=7), "c": secret(3)})
    ours = hooks.Verifier(ring, replay=told)
    batch = [(BODY, signed(key=secret_key(2)))] * 20
    ours.verify_batch(batch, endpoint="b", now=NOW)
    assert told.ttl == 15
    ours.verify_batch([*batch, (BODY, signed())], endpoint=["b"] * 20 + ["a"], now=NOW)
    assert told.ttl == 601


def test_the_edge_of_the_window(hooks: Any, guard: Any, steady: Clock) -> None:
    """The first second at which a copy may come in is one at which it is too old."""
    ours = hooks.Verifier(SECRET, replay=guard)
    # It comes as early as it may be: its sender's clock is ahead.
    headers = signed(timestamp=NOW + 300)
    assert ours.check(BODY, headers)
    for passed in (1, 300, 600):
        steady.now = NOW + passed
        assert ours.check(BODY, headers) is Verdict.REPLAYED
    steady.now = NOW + 601
    assert ours.check(BODY, headers) is Verdict.TOO_OLD


def test_a_second_that_had_begun_counts_for_nothing(guard: Any, steady: Clock) -> None:
    """Stores count whole seconds: what is claimed late in one is not forgotten early in another."""
    steady.now = NOW + 0.9
    claim(guard, [1], ttl=60)
    token = claim(guard, [2], lease=60, ttl=60).token
    guard.commit(keys(2), token=token)
    steady.now = NOW + 60.8
    assert claim(guard, [1, 2]) == (DONE, DONE)
    steady.now = NOW + 62
    assert claim(guard, [1, 2]) == (WON, WON)


def test_a_clock_set_back_makes_nothing_new(hooks: Any, guard: Any, steady: Clock) -> None:
    ours = hooks.Verifier(SECRET, replay=guard)
    assert ours.check(BODY, signed())
    steady.now = NOW + 200
    with pytest.MonkeyPatch.context() as patch:
        # An hour later by the steady clock, and the same time again by that on the wall.
        patch.setattr("time.monotonic", lambda: NOW + 3800.0)
        assert ours.check(BODY, signed()) is Verdict.REPLAYED


@pytest.mark.parametrize("passed", [0, 600, 601, 4200, 4201, 90_000])
def test_replay_ttl_covers_a_clock_that_is_set_back_at_any_moment(
    hooks: Any, guard: Any, steady: Clock, monkeypatch: pytest.MonkeyPatch, passed: int
) -> None:
    """Longer by an hour, it has no copy let in by a step of an hour, though claims have ended."""
    wall = Clock()
    monkeypatch.setattr("time.time", wall)
    ours = hooks.Verifier(SECRET, replay=guard, replay_ttl=601 + 3600)
    headers = signed(timestamp=NOW + 300)
    assert ours.check(BODY, headers)
    steady.now = wall.now = NOW + passed
    # What else is claimed makes room of what has ended.
    assert ours.check(BODY, signed(id="other", timestamp=NOW + passed))
    assert not ours.check(BODY, headers)
    wall.now -= 3600
    for later in (1, 300, 600):
        assert not ours.check(BODY, headers)
        assert ours.check(BODY, signed(id=str(later), timestamp=int(wall.now)))
        steady.now += later
        wall.now += later


@pytest.mark.parametrize("waited", [0, 1800, 3600])
def test_for_queues_and_steps_replay_ttl_is_the_sum(
    hooks: Any, guard: Any, steady: Clock, monkeypatch: pytest.MonkeyPatch, waited: int
) -> None:
    """Where no message waits longer than an hour, another hour covers a step of that length."""
    wall = Clock()
    monkeypatch.setattr("time.time", wall)
    ours = hooks.Verifier(SECRET, replay=guard, replay_ttl=601 + 3600 + 3600)
    headers = signed(timestamp=NOW + 300)
    assert ours.check(BODY, headers)
    # A copy arrives in the last second of the window, and waits. For a while the clock is ahead:
    # what has ended by it makes room.
    steady.now += 600 + waited
    wall.now = steady.now + 3600
    assert ours.check(BODY, signed(id="other", timestamp=int(wall.now)))
    wall.now = steady.now
    assert ours.check(BODY, headers, received_at=NOW + 600) is Verdict.REPLAYED


def test_an_arrival_of_tomorrow_is_one_of_now(hooks: Any, guard: Any, steady: Clock) -> None:
    """A broker's clock may be ahead; a claim that began now would end before the copy is old."""
    ours = hooks.Verifier(SECRET, replay=guard, replay_ttl=601)
    tomorrow = NOW + 86_400
    message = (BODY, signed(timestamp=tomorrow))
    assert ours.check(*message, received_at=tomorrow) is Verdict.TOO_NEW
    assert set(ours.verify_batch([message] * 20, received_at=tomorrow)) == {Verdict.TOO_NEW}
    assert ours.check(BODY, signed(), received_at=tomorrow)


def test_no_window_no_wait(hooks: Any, guard: Any, steady: Clock) -> None:
    """Where nothing is fresh or stale, a wait makes nothing too old."""
    from tests import oracle

    ours = hooks.Verifier("key", scheme="github", replay=guard, replay_ttl=60)
    headers = {"x-hub-signature-256": oracle.sha256(b"key", BODY)}
    steady.now = NOW + 10_000
    assert ours.check(BODY, headers, received_at=NOW)
    assert ours.check(BODY, headers, received_at=NOW) is Verdict.REPLAYED
    steady.now += 62
    assert ours.check(BODY, headers, received_at=NOW)


_copies = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-40, 40), st.integers(0, 200)), max_size=12
)


@fewer()
@given(copies=_copies, backlog=st.integers(0, 100), is_batch=st.booleans(), is_core=st.booleans())
def test_a_message_is_let_in_at_most_once(
    copies: list[tuple[int, int, int]], backlog: int, is_batch: bool, is_core: bool
) -> None:
    """Over its whole life, whenever its copies arrive, however long each of them waits."""
    hooks = core() if is_core else twin()
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr("time.time", clock)
        patch.setattr("time.monotonic", clock)
        guard = hooks.MemoryReplayGuard()
        ours = hooks.Verifier(SECRET, replay=guard, tolerance=(20, 10), replay_ttl=31 + backlog)
        # By the time at which they are looked at.
        events = sorted((NOW + offset + wait, NOW + offset, id) for id, offset, wait in copies)
        taken = []
        for seen, arrival, id in events:
            clock.now = seen
            message = Message(BODY, signed(id=f"msg_{id}"), received_at=arrival)
            if is_batch:
                verdict = ours.verify_batch([message])[0]
            else:
                verdict = ours.check(message.body, message.headers, received_at=arrival)
            fresh = -10 <= arrival - NOW <= 20
            if not fresh or seen - arrival > backlog:
                assert not verdict
            if fresh and seen - arrival <= backlog and id not in taken:
                assert verdict is Verdict.VALID
            if verdict:
                taken.append(id)
        assert len(taken) == len(set(taken))
