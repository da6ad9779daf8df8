"""The calls that are awaited: guards of both kinds, small and large work, and who refuses what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hookseal import Message, Verdict
from tests.guards import DONE, IN_MEMORY, WON, memory
from tests.implementations import BODY, NOW, SECRET, signed
from tests.recorder import AsyncRecorder, Recorder


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


@pytest.fixture(params=["none", *IN_MEMORY, "sync", "async"])
def guard(request: pytest.FixtureRequest) -> Any:
    """No guard, and each kind of them."""
    if request.param in IN_MEMORY:
        return memory(request.param)
    return {"none": lambda: None, "sync": Recorder, "async": AsyncRecorder}[request.param]()


def test_what_is_awaited_says_the_same(hooks: Any, guard: Any) -> None:
    async def work() -> None:
        ours = hooks.Verifier(SECRET, replay=guard)
        again = Verdict.VALID if guard is None else Verdict.REPLAYED
        event = await ours.averify(BODY, signed(), now=NOW)
        assert type(event) is hooks.Verified
        assert (event.id, event.body, event.claimed) == ("msg_1", BODY, guard is not None)
        assert await ours.acheck(BODY, signed(), now=NOW) is again
        if guard is not None:
            with pytest.raises(hooks.ReplayedError, match="taken before"):
                await ours.averify(BODY, signed(), now=NOW)
        with pytest.raises(hooks.TooOldError):
            await ours.averify(BODY, signed(), now=NOW + 301)
        assert await ours.acheck(BODY, {}, now=NOW) is Verdict.MISSING_HEADER
        messages = [(BODY, signed(id=f"msg_{number}")) for number in (1, 2, 2, 3)]
        result = await ours.averify_batch(iter(messages), now=NOW, threads=1)
        assert type(result) is hooks.BatchResult
        assert list(result) == [again, Verdict.VALID, again, Verdict.VALID]
        bare = await ours.averify_batch(messages, now=NOW, keep=False)
        assert list(bare) == [again] * 4

    run(work())


def test_an_async_guard_refuses_calls_that_do_not_await(hooks: Any) -> None:
    guard = AsyncRecorder()
    ours = hooks.Verifier(SECRET, replay=guard)
    text = r"^the replay guard's methods are coroutines: await averify, acheck or averify_batch$"
    calls: list[Callable[[], Any]] = [
        lambda: ours.verify(BODY, signed(), now=NOW),
        lambda: ours.check(BODY, {}, now=NOW),
        lambda: ours.verify_batch([], now=NOW),
        lambda: ours.verify_columns(None, None, [], [], now=NOW),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=text):
            call()
    assert guard.inner.calls == []


def test_a_guard_that_hides_its_coroutines(hooks: Any) -> None:
    """What it answers is no claim, and nobody is let in."""

    class Hidden(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            return AsyncRecorder().claim(keys, lease=lease, ttl=ttl)

    class Promise:
        """It is awaited too, and cannot be closed."""

        def __await__(self) -> Any:
            raise AssertionError("nobody awaits it")

    class Promising(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            return Promise()

    for guard in (Hidden(), Promising()):
        ours = hooks.Verifier(SECRET, replay=guard, on_store_error="accept")
        with pytest.raises(TypeError, match=r"methods are coroutines: await averify"):
            ours.check(BODY, signed(), now=NOW)


def test_half_a_guard(hooks: Any) -> None:
    class Half(AsyncRecorder):
        def release(self, keys: Any) -> Any:
            return None

    with pytest.raises(TypeError, match=r"^of a replay guard's claim, commit and release all or"):
        hooks.Verifier(SECRET, replay=Half())


def test_processing_is_awaited(hooks: Any, guard: Any) -> None:
    if guard is None:
        pytest.skip("there is nothing to process")

    async def work() -> None:
        ours = hooks.Verifier(SECRET, replay=guard, lease=60)
        event = await ours.averify(BODY, signed(), now=NOW)
        with pytest.raises(OSError, match="disk"):
            async with event.processing():
                raise OSError("disk")
        event = await ours.averify(BODY, signed(), now=NOW)
        async with event.processing():
            assert await ours.acheck(BODY, signed(), now=NOW) is Verdict.REPLAYED
        with pytest.raises(hooks.ReplayedError, match="taken before"):
            await ours.averify(BODY, signed(), now=NOW)

    run(work())


def test_an_async_guard_is_not_processed_without_await(hooks: Any) -> None:
    async def work() -> None:
        guard = AsyncRecorder()
        ours = hooks.Verifier(SECRET, replay=guard, lease=60)
        event = await ours.averify(BODY, signed(), now=NOW)
        text = r"^the replay guard's methods are coroutines: write `async with`$"
        with pytest.raises(TypeError, match=text), event.processing():
            pass
        result = await ours.averify_batch([(BODY, signed(id="msg_2"))], now=NOW)
        for call in (result.commit, result.release):
            with pytest.raises(TypeError, match=r"coroutines: await acommit and arelease$"):
                call()
        assert {call[0] for call in guard.inner.calls} == {"claim"}

    run(work())


def test_a_batch_is_committed_and_released(hooks: Any, guard: Any) -> None:
    if guard is None:
        pytest.skip("there is nothing to commit")

    async def work() -> None:
        ours = hooks.Verifier(SECRET, replay=guard, lease=60)
        messages = [(BODY, signed(id=f"msg_{number}")) for number in range(100)]
        result = await ours.averify_batch(messages, now=NOW)
        await result.arelease([5, 50])
        await result.acommit([1])
        await result.acommit()
        again = await ours.averify_batch(messages, now=NOW)
        assert again.valid_indices() == [5, 50]
        await again.arelease()
        await again.acommit()
        assert (await ours.averify_batch(messages, now=NOW)).valid_indices() == [5, 50]

    run(work())


def test_what_was_given_back_alone_is_not_committed_with_the_rest(hooks: Any, guard: Any) -> None:
    if guard is None:
        pytest.skip("there is nothing to commit")

    async def work() -> None:
        ours = hooks.Verifier(SECRET, replay=guard, lease=60)
        messages = [(BODY, signed(id=f"msg_{number}")) for number in range(3)]
        result = await ours.averify_batch(messages, now=NOW)
        with pytest.raises(OSError, match="disk"):
            async with result.verified(1).processing():
                raise OSError("disk")
        async with result.verified(2).processing():
            pass
        await result.acommit()
        assert (await ours.averify_batch(messages, now=NOW)).valid_indices() == [1]

    run(work())


def test_a_commit_that_failed_can_be_tried_again(hooks: Any) -> None:
    class Flaky(AsyncRecorder):
        async def commit(self, keys: Any) -> None:
            if self.inner.error is not None:
                raise self.inner.error
            self.inner.commit(keys)

    async def work() -> None:
        guard = Flaky()
        ours = hooks.Verifier(SECRET, replay=guard, lease=60)
        result = await ours.averify_batch([(BODY, signed())], now=NOW)
        guard.inner.error = ConnectionError("gone")
        with pytest.raises(ConnectionError):
            await result.acommit()
        guard.inner.error = None
        for _ in range(2):
            await result.acommit()
        assert [call[0] for call in guard.inner.calls] == ["claim", "commit"]

    run(work())


def test_store_errors(hooks: Any) -> None:
    async def work() -> None:
        guard = AsyncRecorder()
        guard.inner.error = ConnectionError("gone")
        ours = hooks.Verifier(SECRET, replay=guard)
        with pytest.raises(ConnectionError):
            await ours.acheck(BODY, signed(), now=NOW)
        with pytest.raises(ConnectionError):
            await ours.averify_batch([(BODY, signed())] * 100, now=NOW)
        strict = hooks.Verifier(SECRET, replay=guard, on_store_error="reject")
        assert await strict.acheck(BODY, signed(), now=NOW) is Verdict.REPLAYED
        with pytest.raises(hooks.ReplayedError) as caught:
            await strict.averify(BODY, signed(), now=NOW)
        assert caught.value.status_hint == 503
        lenient = hooks.Verifier(SECRET, replay=guard, on_store_error="accept")
        result = await lenient.averify_batch([(BODY, signed())] * 3, now=NOW)
        assert list(result) == [Verdict.VALID, Verdict.REPLAYED, Verdict.REPLAYED]

        class Nonsense(AsyncRecorder):
            async def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
                return [WON, DONE]

        for mode in ("raise", "reject", "accept"):
            ours = hooks.Verifier(SECRET, replay=Nonsense(), on_store_error=mode)
            with pytest.raises(TypeError, match="must answer with 1 claims"):
                await ours.acheck(BODY, signed(), now=NOW)

    run(work())


def test_nothing_is_closed_that_nobody_claimed(hooks: Any) -> None:
    """The guard could not be asked, or keeps what it was given at once."""

    async def work() -> None:
        guard = AsyncRecorder()
        guard.inner.error = ConnectionError("gone")
        ours = hooks.Verifier(SECRET, replay=guard, lease=60, on_store_error="accept")
        event = await ours.averify(BODY, signed(), now=NOW)
        async with event.processing():
            pass
        with pytest.raises(OSError, match="disk"):
            async with event.processing():
                raise OSError("disk")
        guard.inner.error = None
        final = hooks.Verifier(SECRET, replay=guard)
        result = await final.averify_batch([(BODY, signed())], now=NOW)
        await result.acommit()
        assert {call[0] for call in guard.inner.calls} == {"claim"}

    run(work())


def test_memory_that_is_short_is_no_store_error(hooks: Any) -> None:
    async def work() -> None:
        guard = AsyncRecorder()
        guard.inner.error = MemoryError()
        ours = hooks.Verifier(SECRET, replay=guard, on_store_error="accept")
        with pytest.raises(MemoryError):
            await ours.acheck(BODY, signed(), now=NOW)

    run(work())


def test_small_batches_of_anything(hooks: Any) -> None:
    """How a batch is measured changes no verdict."""
    ours = hooks.Verifier(SECRET)
    wrong = Verdict.NOT_A_MESSAGE
    batches: list[tuple[list[Any], list[Verdict]]] = [
        ([5], [wrong]),
        ([()], [wrong]),
        ([(5, signed())], [wrong]),
        ([(memoryview(BODY), signed()), (bytearray(BODY), signed())], [Verdict.VALID] * 2),
    ]
    for messages, verdicts in batches:
        assert list(run(ours.averify_batch(messages, now=NOW))) == verdicts
        assert list(ours.verify_batch(messages, now=NOW)) == verdicts


def test_a_release_that_fails_hides_nothing(hooks: Any) -> None:
    class Broken(AsyncRecorder):
        async def release(self, keys: Any) -> None:
            raise ConnectionError("gone")

        async def commit(self, keys: Any) -> None:
            raise ConnectionError("gone")

    async def work() -> None:
        ours = hooks.Verifier(SECRET, replay=Broken(), lease=60)
        event = await ours.averify(BODY, signed(), now=NOW)
        with pytest.raises(OSError, match="disk") as caught:
            async with event.processing():
                raise OSError("disk")
        assert caught.value.__notes__ == [
            "nor could the replay guard take its claim back (ConnectionError)"
        ]
        event = await ours.averify(BODY, signed(id="msg_2"), now=NOW)
        with pytest.raises(ConnectionError):
            async with event.processing():
                pass

    run(work())


@pytest.mark.parametrize("kind", ["memory", "sync"])
def test_no_thread_is_asked_for_what_is_in_memory(
    hooks: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    calls = []

    async def spy(function: Any, *arguments: Any) -> Any:
        calls.append(function.__name__)
        return function(*arguments)

    monkeypatch.setattr("hookseal._awaiting.off_the_loop", spy)
    guard = Recorder() if kind == "sync" else hooks.MemoryReplayGuard()
    ours = hooks.Verifier(SECRET, replay=guard)
    assert run(ours.acheck(BODY, signed(), now=NOW)) is Verdict.VALID
    assert calls == (["claim"] if kind == "sync" else [])


@pytest.mark.parametrize("kind", ["sync", "async", "memory"])
def test_where_the_work_is_done(hooks: Any, kind: str) -> None:
    """Small work here, large work in a thread; a guard is awaited here, or blocks a thread."""
    seen: list[bool] = []
    here = threading.current_thread()

    class Spy(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            seen.append(threading.current_thread() is here)
            return super().claim(keys, lease=lease, ttl=ttl)

    class AsyncSpy(AsyncRecorder):
        async def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            seen.append(threading.current_thread() is here)
            return await super().claim(keys, lease=lease, ttl=ttl)

    guard: Any = Spy() if kind == "sync" else AsyncSpy() if kind == "async" else memory("memory")

    class Headers(dict[str, str]):
        def items(self) -> Any:
            seen.append(threading.current_thread() is here)
            return super().items()

    async def work() -> list[list[bool]]:
        ours = hooks.Verifier(SECRET, replay=guard)
        large = b"x" * 100_000
        calls: list[Any] = [
            ours.acheck(BODY, Headers(signed()), now=NOW),
            ours.acheck(large, Headers(signed(large, id="msg_2")), now=NOW),
            ours.averify_batch([(BODY, Headers(signed(id="msg_3")))], now=NOW),
            ours.averify_batch([Message(large, Headers(signed(large, id="msg_4")))], now=NOW),
            ours.averify_batch([(BODY, Headers(signed(id="msg_5")))] + [(BODY, {})] * 100, now=NOW),
        ]
        found = []
        for call in calls:
            seen.clear()
            await call
            found.append(list(seen))
        return found

    guarded = {"sync": [False], "async": [True], "memory": []}[kind]
    wanted = [[is_here, *guarded] for is_here in (True, False, True, False, False)]
    assert run(work()) == wanted
