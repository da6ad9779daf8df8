"""Answers of a resolver that come late, in another order, or in a process that was forked."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from hookseal import Verdict
from tests.children import run
from tests.implementations import NOW, SECRET, secret
from tests.tenants import M, U, V, check, clock, message

__all__ = ["clock"]


class Stalled:
    """A store whose first answer is read at once, and comes after what ``meanwhile`` does."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.secrets: dict[str, Any] = {"t1": secret(1)}
        self.meanwhile = meanwhile
        self.asked: list[list[str]] = []

    def __call__(self, names: list[str]) -> dict[str, Any]:
        self.asked.append(names)
        read = {name: self.secrets.get(name) for name in names}
        if len(self.asked) == 1:
            self.meanwhile()
        return read


def rotated(
    hooks: Any, new: Any, verdict: Verdict, clock: list[float], **named: Any
) -> tuple[Any, Any]:
    """A resolver and a verifier, after a stalled answer and a change of the secret meanwhile."""

    def meanwhile() -> None:
        store.secrets["t1"] = new
        clock[0] += 10
        assert check(verifier, "t1", 2) is verdict

    store = Stalled(meanwhile)
    verifier = hooks.Verifier(hooks.Keyring(resolver=store, **named))
    # What was read before the change serves the call that asked for it, and no other.
    assert check(verifier, "t1", 1) is V
    return store, verifier


def test_a_late_answer_is_no_newer_one(hooks: Any, clock: list[float]) -> None:
    """A retired secret must not come back, nor the new one be refused."""
    store, verifier = rotated(hooks, secret(2), V, clock)
    assert (check(verifier, "t1", 2), check(verifier, "t1", 1)) == (V, M)
    assert len(store.asked) == 2


@pytest.mark.parametrize("negative_ttl", [0, 30])
def test_a_late_answer_brings_no_endpoint_back(
    hooks: Any, clock: list[float], negative_ttl: int
) -> None:
    """That it has gone counts, whether it is remembered or not."""
    store, verifier = rotated(hooks, None, U, clock, resolver_negative_ttl=negative_ttl)
    assert check(verifier, "t1", 1) is U
    assert len(store.asked) == (2 if negative_ttl else 3)


def test_a_late_answer_brings_nothing_back_that_was_pushed_out(
    hooks: Any, clock: list[float]
) -> None:
    def meanwhile() -> None:
        store.secrets.update(t1=secret(2), t3=secret(3))
        assert check(verifier, "t1", 2) is V
        assert check(verifier, "t3", 3) is V

    store = Stalled(meanwhile)
    verifier = hooks.Verifier(hooks.Keyring(resolver=store, resolver_size=1))
    assert check(verifier, "t1", 1) is V
    assert check(verifier, "t1", 1) is M


def test_a_late_answer_counts_for_the_names_nobody_asked_for_since(
    hooks: Any, clock: list[float]
) -> None:
    def meanwhile() -> None:
        store.secrets["t1"] = secret(3)
        assert check(verifier, "t1", 3) is V

    store = Stalled(meanwhile)
    store.secrets["t2"] = secret(2)
    verifier = hooks.Verifier(hooks.Keyring(resolver=store))
    messages = [message(1), message(2)]
    assert verifier.verify_batch(messages, endpoint=["t1", "t2"], now=NOW).valid == 2
    assert (check(verifier, "t1", 3), check(verifier, "t2", 2)) == (V, V)
    assert store.asked == [["t1", "t2"], ["t1"]]


def test_an_earlier_answer_makes_room_for_a_later_one(hooks: Any, clock: list[float]) -> None:
    said: list[Any] = [secret(1), secret(2)]
    verifier = hooks.Verifier(
        hooks.Keyring(resolver=lambda names: {"t1": said.pop(0)}, resolver_ttl=5)
    )
    assert check(verifier, "t1", 1) is V
    clock[0] += 5
    assert check(verifier, "t1", 2) is V
    assert check(verifier, "t1", 2) is V


@pytest.mark.parametrize(("number", "name"), [(1, "t1"), (2, "x")])
def test_times_count_from_the_question(
    hooks: Any, clock: list[float], number: int, name: str
) -> None:
    """What a slow store says was true when it read, and maybe not when it is heard."""

    def meanwhile() -> None:
        clock[0] += 20

    store = Stalled(meanwhile)
    ring = hooks.Keyring(resolver=store, resolver_ttl=30, resolver_negative_ttl=30)
    verifier = hooks.Verifier(ring)
    for at, count in [(0, 1), (9.9, 1), (0.1, 2)]:
        clock[0] += at
        check(verifier, name, number)
        assert len(store.asked) == count


@pytest.mark.parametrize("is_async", [False, True])
def test_awaited(hooks: Any, is_async: bool) -> None:
    async def work() -> None:
        asked: list[list[str]] = []
        late, loop = asyncio.Event(), asyncio.get_running_loop()
        store = {"t1": secret(1)}

        def call(names: list[str]) -> Any:
            asked.append(names)
            read = {name: store[name] for name in names}
            if len(asked) == 1:
                asyncio.run_coroutine_threadsafe(late.wait(), loop).result(30)
            return read

        async def wait(names: list[str]) -> Any:
            asked.append(names)
            read = {name: store[name] for name in names}
            if len(asked) == 1:
                await late.wait()
            return read

        verifier = hooks.Verifier(hooks.Keyring(resolver=wait if is_async else call))

        async def judged(number: int) -> Verdict:
            body, headers = message(number)
            verdict: Verdict = await verifier.acheck(body, headers, endpoint="t1", now=NOW)
            return verdict

        first = asyncio.ensure_future(judged(1))
        while not asked:
            await asyncio.sleep(0.001)
        store["t1"] = secret(2)
        assert await judged(2) is V
        late.set()
        assert await first is V
        assert (await judged(2), await judged(1)) == (V, M)
        assert len(asked) == 2

    asyncio.run(work())


def test_a_question_that_fails_leaves_nothing_behind(hooks: Any) -> None:
    def resolver(names: list[str]) -> Any:
        raise OSError("no store")

    ring = hooks.Keyring(resolver=resolver)
    verifier = hooks.Verifier(ring)
    for _ in range(5):
        with pytest.raises(OSError, match="no store"):
            check(verifier, "t1", 1)
    assert len(ring._resolver._asks) == 0


def test_long_names_are_not_remembered(hooks: Any) -> None:
    """What senders make up is bounded in bytes, not in names alone; endpoints are remembered."""
    known = "k" * 300
    asked: list[list[str]] = []

    def resolver(names: list[str]) -> dict[str, Any]:
        asked.append(names)
        return {name: secret(1) for name in names if name == known}

    verifier = hooks.Verifier(hooks.Keyring({"own": SECRET}, resolver=resolver))
    for name, verdict, count in [("x" * 256, U, 1), ("x" * 257, U, 3), (known, V, 4)]:
        for _ in range(2):
            assert check(verifier, name, 1) is verdict
        assert len(asked) == count


def test_a_long_name_that_is_no_endpoint_any_more(hooks: Any, clock: list[float]) -> None:
    name = "k" * 300
    told: list[Any] = [secret(1), None]
    verifier = hooks.Verifier(
        hooks.Keyring(resolver=lambda names: {name: told.pop(0)}, resolver_ttl=5)
    )
    assert check(verifier, name, 1) is V
    clock[0] += 5
    assert check(verifier, name, 1) is U
    assert not told


# Where a thread holds a lock for the whole of a fork.
HELD = {
    "resolver": "ring._resolver._lock",
    "keyring": "ring._lock",
    "usage": "_usage._lock",
    "memory": "guard._lock",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")
@pytest.mark.parametrize(
    ("module", "lock"),
    [("hookseal", "resolver"), *(("hookseal.pure", lock) for lock in HELD)],
)
def test_fork_while_another_thread_is_inside(module: str, lock: str) -> None:
    """The thread that would open the lock is not there in the child."""
    said = run(
        f"""
        import os, signal, threading
        from hookseal.pure import _usage
        ring = Keyring({{"own": KEY}}, resolver=lambda names: dict.fromkeys(names, KEY))
        guard = MemoryReplayGuard()
        verifier = Verifier(ring, replay=guard)
        inside, go = threading.Event(), threading.Event()
        def hold():
            with {HELD[lock]}:
                inside.set()
                go.wait()
        thread = threading.Thread(target=hold)
        thread.start()
        inside.wait()
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads and forks, from 3.12 on
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            assert verifier.check(b"x", signed(b"x"), endpoint="own", now=NOW)
            assert verifier.check(b"x", signed(b"x"), endpoint="t1", now=NOW)
            ring.rotate("own", Secret.generate())
            ring.forget()
            os._exit(7)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        # Here it is still held, and opens as always.
        assert not {HELD[lock]}.acquire(blocking=False)
        go.set()
        thread.join()
        assert verifier.check(b"y", signed(b"y", id="msg_2"), endpoint="t1", now=NOW)
        print(status)
        """,
        module,
    )
    assert said == "7\n"
