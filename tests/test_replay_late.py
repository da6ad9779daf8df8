"""A clock that goes on while a call waits: for its messages, its resolver, its guard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hookseal import Message, Verdict
from tests.conftest import Clock
from tests.guards import CLOCKED, clocked
from tests.implementations import BODY, NOW, SECRET, signed

CALLS = [
    "verify",
    "check",
    "verify_batch",
    "verify_columns",
    "many",
    "averify",
    "acheck",
    "averify_batch",
]


@pytest.fixture(params=CLOCKED)
def guard(request: pytest.FixtureRequest, steady: Clock, tmp_path: Path) -> Iterator[Any]:
    """The guards whose clock can be simulated."""
    yield from clocked(request.param, tmp_path)


class Slow:
    """A guard that is asked after a while: a writer was before it, or the server far away."""

    def __init__(self, guard: Any, clock: Clock) -> None:
        self.guard = guard
        self.clock = clock
        self.before = self.behind = 0.0

    def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> Any:
        self.clock.now += self.before
        found = self.guard.claim(keys, lease=lease, ttl=ttl)
        self.clock.now += self.behind
        return found

    def commit(self, keys: Sequence[bytes], **told: Any) -> None:
        self.guard.commit(keys, **told)

    def release(self, keys: Sequence[bytes], **told: Any) -> None:
        self.guard.release(keys, **told)

    def close(self) -> None:
        """It stays open."""


def asked(
    hooks: Any, ours: Any, call: str, headers: dict[str, str], **options: Any
) -> list[Verdict]:
    """The verdicts of one call over one message, or a few."""
    if call in ("verify", "averify"):
        try:
            made = getattr(ours, call)(BODY, headers, **options)
            if call == "averify":
                made = asyncio.run(made)
        except hooks.VerificationError as error:
            return [error.verdict]
        return [Verdict.VALID] if made.body == BODY else []
    if call == "check":
        return [ours.check(BODY, headers, **options)]
    if call == "acheck":
        return [asyncio.run(ours.acheck(BODY, headers, **options))]
    if call == "averify_batch":
        return list(asyncio.run(ours.averify_batch([(BODY, headers)], **options)))
    if call == "verify_columns":
        columns = [[headers[f"webhook-{name}"]] for name in ("id", "timestamp", "signature")]
        return list(ours.verify_columns(*columns, [BODY], **options))
    messages = [(BODY, headers)]
    if call == "many":
        messages = [*messages, *[(b"forged", headers)] * 40]
    return list(ours.verify_batch(messages, **options))[:1]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("when", ["before", "behind"])
def test_a_copy_does_not_outwait_the_claim(
    hooks: Any, guard: Any, steady: Clock, call: str, when: str
) -> None:
    """Judged in its last second, and claimed in one in which nobody knows the first copy."""
    slow = Slow(guard, steady)
    ours = hooks.Verifier(SECRET, replay=slow, tolerance=(300, 0))
    headers = signed()
    assert asked(hooks, ours, call, headers) == [Verdict.VALID]
    steady.now = NOW + 300
    setattr(slow, when, 2.0)
    expected = {"before": Verdict.TOO_OLD, "behind": Verdict.REPLAYED}[when]
    assert asked(hooks, ours, call, headers) == [expected]
    # Nobody had claimed this one, and it is too old all the same.
    steady.now = NOW + 300
    assert asked(hooks, ours, call, signed(id="another")) == [Verdict.TOO_OLD]


@pytest.mark.parametrize("call", CALLS)
def test_what_is_fresh_when_the_guard_answers_is_let_in(
    hooks: Any, guard: Any, steady: Clock, call: str
) -> None:
    slow = Slow(guard, steady)
    slow.before, slow.behind = 100, 200
    ours = hooks.Verifier(SECRET, replay=slow, tolerance=(300, 0))
    assert asked(hooks, ours, call, signed()) == [Verdict.VALID]
    # A clock that is set back meanwhile makes it no more than that.
    slow.before = -500
    headers = signed(id="back", timestamp=int(steady.now))
    assert asked(hooks, ours, call, headers) == [Verdict.VALID]


@pytest.mark.parametrize("call", CALLS)
def test_who_says_what_time_it_is_is_believed_to_the_end(
    hooks: Any, guard: Any, steady: Clock, call: str
) -> None:
    slow = Slow(guard, steady)
    slow.before = 10_000
    ours = hooks.Verifier(SECRET, replay=slow)
    assert asked(hooks, ours, call, signed(), now=NOW) == [Verdict.VALID]


def test_a_copy_that_waited_in_a_queue_does_not_outwait_the_claim(
    hooks: Any, guard: Any, steady: Clock
) -> None:
    """What ``replay_ttl`` allows is measured when the guard has answered."""
    slow = Slow(guard, steady)
    ours = hooks.Verifier(SECRET, replay=slow, replay_ttl=601 + 100)
    for call in CALLS:
        for passed, verdict in [(2, Verdict.VALID), (3, Verdict.TOO_OLD)]:
            steady.now = NOW + 98
            slow.before = passed
            headers = signed(id=f"{call}_{passed}")
            assert asked(hooks, ours, call, headers, received_at=NOW) == [verdict]
    # Each message of a batch has its own.
    for own in (False, True):
        steady.now = NOW + 98
        slow.before = 3
        arrivals = [NOW, NOW + 1, None, NOW + 900]
        pairs = [(BODY, signed(id=f"own_{own}_{number}")) for number in range(4)]
        if own:
            messages: list[Any] = [
                Message(*pair, received_at=arrival)
                for pair, arrival in zip(pairs, arrivals, strict=True)
            ]
            result = ours.verify_batch(messages)
        else:
            result = ours.verify_batch(pairs, received_at=arrivals)
        assert list(result) == [Verdict.TOO_OLD, *[Verdict.VALID] * 3]
        with pytest.raises(hooks.TooOldError, match=r"^the time of arrival lies 1 s before"):
            result.verified(0)


def test_the_window_is_the_one_that_the_message_was_judged_by(
    hooks: Any, guard: Any, steady: Clock
) -> None:
    """The verifier's own, to the second, and of its two sides the past."""
    slow = Slow(guard, steady)
    ours = hooks.Verifier(SECRET, replay=slow, tolerance=(400, 60))
    for call in CALLS:
        for passed, verdict in [(400, Verdict.VALID), (401, Verdict.TOO_OLD)]:
            steady.now = NOW
            slow.before = passed
            headers = signed(id=f"{call}_{passed}")
            assert asked(hooks, ours, call, headers) == [verdict]
    steady.now = NOW
    with pytest.raises(hooks.TooOldError, match=r"the signed time lies 1 s before the window$"):
        ours.verify(BODY, signed(id="told"))


def test_what_has_no_window_hides_nothing_behind_it(hooks: Any, guard: Any, steady: Clock) -> None:
    """In a batch, the message that nobody dates is not the last one that is looked at."""
    slow = Slow(guard, steady)
    slow.before = 301
    ring = hooks.Keyring({"undated": hooks.Endpoint(SECRET, scheme="github"), "dated": SECRET})
    ours = hooks.Verifier(ring, replay=slow, replay_ttl=1000)
    undated = hooks.Signer(SECRET, scheme="github").sign(BODY)
    messages = [(BODY, undated), (BODY, signed())]
    result = ours.verify_batch(messages, endpoint=["undated", "dated"])
    assert list(result) == [Verdict.VALID, Verdict.TOO_OLD]


def test_it_says_so(hooks: Any, guard: Any, steady: Clock) -> None:
    slow = Slow(guard, steady)
    slow.before = 305
    ours = hooks.Verifier(SECRET, replay=slow)
    text = "^when the guard answered, the signed time lies 5 s before the window$"
    with pytest.raises(hooks.TooOldError, match=text):
        ours.verify(BODY, signed())
    steady.now = NOW
    with pytest.raises(hooks.TooOldError, match=text):
        ours.verify_batch([(BODY, signed(id="other"))]).verified(0)


def test_it_counts_for_nothing(hooks: Any, guard: Any, steady: Clock) -> None:
    """No secret is in use by it, nobody can commit it, and of the rest nothing is lost."""
    slow = Slow(guard, steady)
    ring = hooks.Keyring({"a": SECRET})
    ours = hooks.Verifier(ring, replay=slow, lease=1000)
    slow.before = 100
    old = (BODY, signed(id="old", timestamp=NOW - 250))
    assert ours.check(*old, endpoint="a") is Verdict.TOO_OLD
    assert not any(usage.count for usage in ring.usage().values())
    steady.now = NOW
    old = (BODY, signed(id="old_too", timestamp=NOW - 250))
    messages = [(BODY, signed(id="1")), old, (BODY, signed(id="2"))]
    result = ours.verify_batch(messages, endpoint="a")
    assert list(result) == [Verdict.VALID, Verdict.TOO_OLD, Verdict.VALID]
    assert list(result.by_secret().values()) == [2]
    (usage,) = ring.usage().values()
    assert usage.count == 2
    assert [index for index, _ in result.accepted()] == [0, 2]
    with pytest.raises(ValueError, match="1"):
        result.commit([1])
    result.commit()
    steady.now = NOW
    slow.before = 0
    # Those that were committed are final; the other one's lease runs out.
    for message, number in zip(messages, [200, 409, 200], strict=True):
        with pytest.raises(hooks.ReplayedError) as caught:
            ours.verify(*message, endpoint="a")
        assert caught.value.status_hint == number


def test_what_is_accepted_unasked_must_be_fresh_too(hooks: Any, steady: Clock) -> None:
    class Down:
        def claim(self, keys: Any, *, lease: Any, ttl: int) -> Any:
            steady.now += 400
            raise OSError("it did not answer")

        commit = release = lambda self, keys: None

    ours = hooks.Verifier(SECRET, replay=Down(), on_store_error="accept")
    for call in CALLS:
        headers = signed(timestamp=int(steady.now))
        assert asked(hooks, ours, call, headers) == [Verdict.TOO_OLD]


@pytest.mark.parametrize("has_guard", [False, True])
@pytest.mark.parametrize("is_awaited", [False, True])
def test_the_clock_is_read_when_the_messages_are_there(
    hooks: Any, steady: Clock, has_guard: bool, is_awaited: bool
) -> None:
    """An iterable that takes its time is a queue that is waited for."""
    own = hooks.MemoryReplayGuard() if has_guard else None
    ours = hooks.Verifier(SECRET, replay=own)
    seen = signed(id="seen")
    assert ours.check(BODY, seen)

    def arriving() -> Iterator[Any]:
        yield BODY, seen
        steady.now += 602
        yield BODY, signed(id="late", timestamp=int(steady.now))

    if is_awaited:
        result = asyncio.run(ours.averify_batch(arriving()))
    else:
        result = ours.verify_batch(arriving())
    assert list(result) == [Verdict.TOO_OLD, Verdict.VALID]
    if not is_awaited:
        columns: list[Any] = [[], [], []]
        for _ in range(2):
            headers = signed(id="column", timestamp=int(steady.now))
            for column, name in zip(columns, ("id", "timestamp", "signature"), strict=True):
                column.append(headers[f"webhook-{name}"])

        def bodies() -> Iterator[bytes]:
            yield BODY
            steady.now += 602
            yield BODY

        assert set(ours.verify_columns(*columns, bodies())) == {Verdict.TOO_OLD}


@pytest.mark.parametrize("has_guard", [False, True])
@pytest.mark.parametrize("is_awaited", [False, True])
def test_the_clock_is_read_when_the_resolver_has_answered(
    hooks: Any, steady: Clock, has_guard: bool, is_awaited: bool
) -> None:
    takes = 0

    def resolver(names: Sequence[str]) -> dict[str, Any]:
        steady.now += takes
        return dict.fromkeys(names, SECRET)

    async def awaited(names: Sequence[str]) -> dict[str, Any]:
        return resolver(names)

    own = hooks.MemoryReplayGuard() if has_guard else None
    ring = hooks.Keyring(resolver=awaited if is_awaited else resolver, resolver_ttl=0)
    ours = hooks.Verifier(ring, replay=own, tolerance=(300, 0))
    calls: list[Callable[..., Any]] = [
        lambda headers: ours.check(BODY, headers, endpoint="a"),
        lambda headers: ours.verify_batch([(BODY, headers)], endpoint="a")[0],
    ]
    if is_awaited:
        calls = [
            lambda headers: asyncio.run(ours.acheck(BODY, headers, endpoint="a")),
            lambda headers: asyncio.run(ours.averify_batch([(BODY, headers)], endpoint="a"))[0],
        ]
    for number, call in enumerate(calls):
        stamp = int(steady.now)
        headers = signed(id=f"call_{number}", timestamp=stamp)
        takes = 0
        assert call(headers)
        steady.now = stamp + 300
        takes = 2
        assert call(headers) is Verdict.TOO_OLD


def test_arrivals_are_those_of_the_call(hooks: Any, steady: Clock) -> None:
    """Whatever becomes of the caller's lists while a resolver is awaited."""
    from array import array

    import numpy as np

    numbers: Any = None

    async def resolver(names: Sequence[str]) -> dict[str, Any]:
        numbers[0] = NOW + 5000
        return dict.fromkeys(names, SECRET)

    ours = hooks.Verifier(hooks.Keyring(resolver=resolver, resolver_ttl=0))
    kinds: list[Callable[[], Any]] = [
        lambda: [NOW],
        lambda: array("q", [NOW]),
        lambda: memoryview(array("d", [NOW])),
        lambda: np.array([NOW], dtype="float64"),
    ]
    for kind in kinds:
        numbers = kind()
        result = asyncio.run(
            ours.averify_batch([(BODY, signed())], endpoint="a", received_at=numbers)
        )
        assert list(result) == [Verdict.VALID]


def test_a_batch_and_single_calls_say_the_same_of_use(hooks: Any, steady: Clock) -> None:
    """When a secret matched is when what was let in was judged, not its copies."""
    uses = []
    for is_batch in (False, True):
        ring = hooks.Keyring({"a": SECRET})
        options = {"replay": hooks.MemoryReplayGuard(), "replay_ttl": 86_400 + 601}
        ours = hooks.Verifier(ring, **options)
        messages = [
            Message(BODY, signed(), endpoint="a", received_at=NOW + offset)
            for offset in (-100, 200, -200)
        ]
        steady.now = NOW + 300
        if is_batch:
            verdicts = list(ours.verify_batch(messages))
        else:
            verdicts = [
                ours.check(BODY, one.headers, endpoint="a", received_at=one.received_at)
                for one in messages
            ]
        assert verdicts == [Verdict.VALID, Verdict.REPLAYED, Verdict.REPLAYED]
        uses.append(ring.usage())
    assert uses[0] == uses[1]
    (usage,) = uses[1].values()
    assert (usage.count, usage.first_matched, usage.last_matched) == (1, NOW - 100, NOW - 100)
