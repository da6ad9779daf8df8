"""Resolvers and replay guards in the calls that are awaited, and in all others with a guard."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from hookseal import Endpoint, Message, Verdict
from tests.guards import IN_MEMORY, memory
from tests.implementations import BODY, NOW, SECRET, key, secret, signed
from tests.recorder import AsyncRecorder, Recorder
from tests.tenants import KNOWN, M, Tenants, U, V, message

R = Verdict.REPLAYED


class AsyncTenants(Tenants):
    """The same, and it can be made to wait before it answers."""

    def __init__(self, before: Callable[[], Awaitable[object]] | None = None) -> None:
        super().__init__()
        self.before = before or (lambda: asyncio.sleep(0))
        self.threads: list[threading.Thread] = []

    async def __call__(self, names: list[str]) -> dict[str, Any]:  # type: ignore[override]
        self.asked.append(names)
        self.threads.append(threading.current_thread())
        await self.before()
        return {name: secret(int(name[1:])) for name in names if name in KNOWN}


@pytest.fixture(params=[Tenants, AsyncTenants])
def asked(request: pytest.FixtureRequest) -> Any:
    """A resolver that is called, and one that is awaited."""
    return request.param()


def made(hooks: Any, resolver: Any, **named: Any) -> Any:
    return hooks.Verifier(hooks.Keyring({"own": SECRET}, resolver=resolver), **named)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def test_a_ring_without_a_resolver_asks_nobody(hooks: Any) -> None:
    async def work() -> None:
        verifier = hooks.Verifier(hooks.Keyring({"own": SECRET}))
        for name, verdict in [("own", V), ("other", U)]:
            assert await verifier.acheck(BODY, signed(), endpoint=name, now=NOW) is verdict
            result = await verifier.averify_batch([(BODY, signed())], endpoint=name, now=NOW)
            assert list(result) == [verdict]
        made = await verifier.averify(BODY, signed(), endpoint="own", now=NOW)
        assert made.endpoint == "own"
        alone = hooks.Verifier(SECRET)
        assert await alone.acheck(BODY, signed(), now=NOW)

    run(work())


@pytest.mark.parametrize("times", [1, 100])
def test_a_batch_asks_once_for_the_distinct_unknown_names(
    hooks: Any, asked: Any, times: int
) -> None:
    """A small batch is judged on the loop, a large one in a thread."""
    messages = [message(2), (BODY, signed()), message(1), Message(*message(3), endpoint="t3")]
    names = ["t2", "own", "t1", "t9"]
    messages, names = [*messages * times, message(1)], [*names * times, "x"]

    async def work() -> None:
        verifier = made(hooks, asked)
        for given in (messages, tuple(messages), iter(messages)):
            result = await verifier.averify_batch(given, endpoint=names, now=NOW)
            assert list(result) == [V] * (4 * times) + [U]
            assert result.verified(3).endpoint == "t3"
        assert asked.asked == [["t2", "t1", "t3", "x"]]

    run(work())


def test_one_message(hooks: Any, asked: Any) -> None:
    async def work() -> None:
        verifier = made(hooks, asked)
        for _ in range(2):
            assert await verifier.acheck(*message(5), endpoint="t5", now=NOW) is V
            assert (await verifier.averify(*message(6), endpoint="t6", now=NOW)).endpoint == "t6"
            # Another tenant's secret is never tried.
            assert await verifier.acheck(*message(6), endpoint="t5", now=NOW) is M
            assert await verifier.acheck(*message(6), endpoint="x", now=NOW) is U
            assert await verifier.acheck(BODY, signed(), endpoint="own", now=NOW) is V
            assert await verifier.acheck(BODY, signed(), now=NOW) is U
            with pytest.raises(hooks.UnknownEndpointError):
                await verifier.averify(*message(6), endpoint="x", now=NOW)
        assert asked.asked == [["t5"], ["t6"], ["x"]]

    run(work())


def test_who_asks_at_the_same_time_asks_too(hooks: Any) -> None:
    """Nobody waits for another call's answer, which may never come; the next call has both."""

    async def work() -> None:
        both = asyncio.Event()

        async def before() -> None:
            if len(tenants.asked) == 2:
                both.set()
            await asyncio.wait_for(both.wait(), 30)

        tenants = AsyncTenants(before)
        verifier = made(hooks, tenants)

        async def batch(numbers: list[int]) -> list[Verdict]:
            messages = [message(number) for number in numbers]
            names = [f"t{number}" for number in numbers]
            return list(await verifier.averify_batch(messages, endpoint=names, now=NOW))

        said = await asyncio.gather(batch([1, 2]), batch([2, 3]))
        assert list(said) == [[V, V], [V, V]]
        assert tenants.asked == [["t1", "t2"], ["t2", "t3"]]
        assert await batch([1, 2, 3]) == [V, V, V]
        assert len(tenants.asked) == 2

    run(work())


def test_an_answer_that_comes_after_forget_serves_its_own_call(hooks: Any) -> None:
    async def work() -> None:
        async def before() -> None:
            if len(tenants.asked) == 1:
                ring.forget("t1")

        tenants = AsyncTenants(before)
        ring = hooks.Keyring(resolver=tenants)
        verifier = hooks.Verifier(ring)
        for _ in range(3):
            assert await verifier.acheck(*message(1), endpoint="t1", now=NOW) is V
        assert tenants.asked == [["t1"], ["t1"]]

    run(work())


def test_what_enters_the_ring_while_the_resolver_is_asked(hooks: Any) -> None:
    """The ring comes first: its owner knows better than an answer that was under way."""

    async def work() -> None:
        async def before() -> None:
            ring.replace("t1", secret(7))

        ring = hooks.Keyring(resolver=AsyncTenants(before))
        verifier = hooks.Verifier(ring)
        messages = [message(1), message(7)] * 10
        result = await verifier.averify_batch(messages, endpoint="t1", now=NOW)
        assert list(result) == [M, V] * 10

    run(work())


class Broken(Exception):
    """What a database raises."""


@pytest.mark.parametrize("is_async", [False, True])
def test_what_the_resolver_raises_passes(hooks: Any, is_async: bool) -> None:
    guard = Recorder()

    def call(names: list[str]) -> Any:
        raise Broken

    async def wait(names: list[str]) -> Any:
        raise Broken

    async def work() -> None:
        verifier = made(hooks, wait if is_async else call, replay=guard)
        messages, names = [(BODY, signed()), message(1)], ["own", "t1"]
        for _ in range(2):
            with pytest.raises(Broken):
                await verifier.averify_batch(messages, endpoint=names, now=NOW)
            with pytest.raises(Broken):
                await verifier.averify(*message(1), endpoint="t1", now=NOW)
        # Nothing was claimed either: what is good is let in when it comes again.
        assert guard.calls == []
        assert await verifier.acheck(BODY, signed(), endpoint="own", now=NOW) is V

    run(work())


def test_a_call_that_is_cancelled(hooks: Any) -> None:
    async def work() -> None:
        tenants = AsyncTenants(lambda: asyncio.sleep(3600 if len(tenants.asked) == 1 else 0))
        verifier = made(hooks, tenants)
        call = asyncio.ensure_future(verifier.acheck(*message(1), endpoint="t1", now=NOW))
        while not tenants.asked:
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await verifier.acheck(*message(1), endpoint="t1", now=NOW) is V

    run(work())


def test_only_what_is_async_runs_on_the_loop(hooks: Any) -> None:
    """A function that waits for a database would hold up everybody else there."""
    threads: list[threading.Thread] = []

    def call(names: list[str]) -> dict[str, Any]:
        threads.append(threading.current_thread())
        return {}

    async def work() -> None:
        waiting = AsyncTenants()
        for resolver in (call, waiting):
            assert await made(hooks, resolver).acheck(*message(1), endpoint="x", now=NOW) is U
        assert threads != [threading.current_thread()]
        assert waiting.threads == [threading.current_thread()]

    run(work())


@pytest.mark.parametrize("times", [1, 100])
def test_lists_that_change_while_the_resolver_is_asked(hooks: Any, times: int) -> None:
    """What is judged is what the resolver was asked for: the batch as it was given."""
    messages, names = [message(1), message(2)] * times, ["t1", "t2"] * times

    async def before() -> None:
        messages.clear()
        names[:] = ["own"] * len(names)

    async def work() -> None:
        result = await made(hooks, AsyncTenants(before)).averify_batch(
            messages, endpoint=names, now=NOW
        )
        assert list(result) == [V, V] * times

    run(work())


def test_wrong_arguments(hooks: Any, asked: Any) -> None:
    """They are what they are in the calls that are not awaited."""

    async def work() -> None:
        verifier = made(hooks, asked)
        with pytest.raises(TypeError, match="messages"):
            await verifier.averify_batch(5, endpoint="t1", now=NOW)
        with pytest.raises(TypeError, match="endpoint"):
            await verifier.averify_batch([message(1)], endpoint=5, now=NOW)
        with pytest.raises(ValueError, match="endpoint"):
            await verifier.averify_batch([message(1)], endpoint=["t1", "t2"], now=NOW)
        with pytest.raises(TypeError, match="endpoint"):
            await verifier.averify(*message(1), endpoint=5, now=NOW)
        assert asked.asked == []

    run(work())


# With a guard.


@pytest.fixture(params=[*IN_MEMORY, "sync", "async"])
def guard(request: pytest.FixtureRequest) -> Any:
    if request.param in IN_MEMORY:
        return memory(request.param)
    return {"sync": Recorder, "async": AsyncRecorder}[request.param]()


@pytest.mark.parametrize("times", [1, 30])
def test_a_guard_knows_what_was_resolved(hooks: Any, asked: Any, guard: Any, times: int) -> None:
    """The verifier of an awaited call keeps the guard, and what it was told of it."""

    async def work() -> None:
        verifier = made(hooks, asked, replay=guard, lease=60)
        messages, names = [message(1), message(2)] * times, ["t1", "t2"] * times
        result = await verifier.averify_batch(messages, endpoint=names, now=NOW)
        # The same id at two tenants is two messages.
        assert list(result) == [V, V] + [R] * (2 * times - 2)
        assert await verifier.acheck(*message(2), endpoint="t2", now=NOW) is R
        await result.arelease([0])
        event = await verifier.averify(*message(1), endpoint="t1", now=NOW)
        assert event.claimed
        async with event.processing():
            pass
        with pytest.raises(hooks.ReplayedError):
            await verifier.averify(*message(1), endpoint="t1", now=NOW)
        assert asked.asked == [["t1", "t2"]]

    run(work())


@pytest.mark.parametrize("count", [1, 40])
def test_what_is_resolved_may_sign_no_id(hooks: Any, count: int) -> None:
    """Then its messages are told apart by what is signed, the time too, which has to be held."""
    scheme = hooks.Scheme(
        "timed", signature="x-signature", format="{hex}", signed="{timestamp}.{body}",
        timestamp="x-timestamp", tolerance=(300, 300),
    )  # fmt: skip
    told = {"timed": Endpoint("a key of some length", scheme=scheme)}
    verifier = hooks.Verifier(hooks.Keyring(resolver=lambda names: told), replay=memory("twin"))
    signer = hooks.Signer("a key of some length", scheme=scheme)
    messages = [(BODY, signer.sign(BODY, timestamp=NOW - at)) for at in range(count)]
    for verdict in (V, R):
        result = verifier.verify_batch(messages, endpoint="timed", now=NOW)
        assert list(result) == [verdict] * count


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        (Endpoint("k" * 20, scheme="gitlab-token"), "gitlab-token"),
        (Endpoint("k" * 20, scheme="github"), "github"),
        (Endpoint(secret(1), tolerance=1000), "standard-webhooks"),
    ],
)
def test_what_no_guard_can_protect(
    hooks: Any, endpoint: Any, why: str, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One tenant's scheme closes that tenant's endpoint; the others' messages are judged."""
    monkeypatch.setattr("time.monotonic", clock)
    told = {"odd": endpoint, "even": secret(2)}
    guard = Recorder()
    # No window says how long to remember, or it is longer than what was asked for.
    options = {} if why != "standard-webhooks" else {"replay_ttl": 700}

    def resolver(names: list[str]) -> dict[str, Any]:
        return {name: told[name] for name in names}

    verifier = made(hooks, resolver, replay=guard, **options)
    odd = (b"", {"x-gitlab-token": "k" * 20})
    with pytest.warns(RuntimeWarning, match=f"no message is valid for endpoint 'odd': .*{why}"):
        assert verifier.check(*odd, endpoint="odd", now=NOW) == U
    # It is said once for as long as it would be remembered that there is no such endpoint.
    for number in range(3):
        other = message(2, id=f"msg_{number}")
        result = verifier.verify_batch([odd, other], endpoint=["odd", "even"], now=NOW)
        assert list(result) == [U, V]
    clock.now += 31
    with pytest.warns(RuntimeWarning, match=f"'odd': .*{why}"):
        asyncio.run(verifier.averify_batch([odd], endpoint="odd", now=NOW))
    # A verifier without a guard has nothing to protect.
    assert made(hooks, resolver).check(*odd, endpoint="odd", now=NOW) != U


def test_what_was_said_of_too_many_is_said_again(hooks: Any, clock: Any) -> None:
    """Names that no guard can protect are remembered up to the bound of all others."""
    odd = Endpoint("k" * 20, scheme="gitlab-token")
    ring = hooks.Keyring(resolver=lambda names: dict.fromkeys(names, odd), resolver_size=2)
    verifier = hooks.Verifier(ring, replay=Recorder())

    def is_said_of(name: str) -> bool:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            headers = {"x-gitlab-token": "k" * 20}
            assert verifier.check(b"", headers, endpoint=name, now=NOW) == U
        return any(f"'{name}': " in str(warning.message) for warning in caught)

    assert [is_said_of(f"odd{number}") for number in range(3)] == [True] * 3
    # The third took the place of the first.
    assert [is_said_of(f"odd{number}") for number in (2, 1, 0)] == [False, False, True]


def test_a_guard_where_there_is_no_such_tenant(hooks: Any) -> None:
    told = {"even": secret(2), "gone": None}
    verifier = made(hooks, lambda names: told, replay=Recorder())
    items = [message(2, id="msg_1"), message(2, id="msg_2"), message(2, id="msg_3")]
    result = verifier.verify_batch(items, endpoint=["even", "gone", "nobody"], now=NOW)
    assert list(result) == [V, U, U]


def test_keys_of_tenants_are_their_own(hooks: Any) -> None:
    """One key at two endpoints: what is claimed of the one is not claimed of the other."""
    both = {"a": secret(1), "b": secret(1)}
    verifier = hooks.Verifier(
        hooks.Keyring(resolver=lambda names: {name: both[name] for name in names}),
        replay=memory("twin"),
    )
    item = (BODY, signed(key=key(1)))
    for name in ("a", "b"):
        assert [verifier.check(*item, endpoint=name, now=NOW) for _ in range(2)] == [V, R]
