"""Calls from inside of a call: a signal handler, or a finalizer, comes between any two lines.

It runs in the thread that has the lock of the object it calls. It must never wait for that thread,
which is itself, and must never see or leave a half of anything.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hookseal import SQLiteReplayGuard, Usage
from hookseal._sqlite_guard import _Transaction
from hookseal.pure import _usage
from tests.children import run
from tests.implementations import SECRET, twin

# Makes a call as often as it has lines in hookseal, and at another one of them each time the
# action. `said` gets what the two said; where the action was made it is a pair.
_AT_EACH_LINE = """
import faulthandler, linecache, os, sqlite3, sys, tempfile
faulthandler.dump_traceback_later(15, exit=True)
FOLDER = os.path.dirname(sys.modules["hookseal"].__file__)
def outcome(call):
    try:
        return call()
    except (RuntimeError, ValueError, sqlite3.Error) as error:
        return f"{type(error).__name__}: {error}"
# Nothing is called before it, so no signal is looked for.
SKIPPED = "self.usage = both"
def place(frame):
    return frame.f_code.co_filename, frame.f_lineno
def at_each_line(made):
    at = 0
    while True:
        at += 1
        call, action = made()
        left, done = at, []
        def trace(frame, event, _):
            nonlocal left
            if not frame.f_code.co_filename.startswith(FOLDER):
                return None
            if event == "line" and linecache.getline(*place(frame)).strip() != SKIPPED:
                left -= 1
                if left == 0:
                    sys.settrace(None)
                    done.append(outcome(action))
            return trace
        sys.settrace(trace)
        try:
            told = outcome(call)
        finally:
            sys.settrace(None)
        if not done:
            return
        yield told, done[0]
        assert at < 10_000
"""

each_module = pytest.mark.parametrize("module", ["hookseal", "hookseal.pure"])
OWN = "called in the middle of another call of its own thread"


@each_module
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("action", ["claim", "count", "close"])
def test_a_guard_that_is_called_while_it_claims(module: str, kind: str, action: str) -> None:
    """Of two that claim one key, one wins, and nobody waits for ever."""
    said = run(
        _AT_EACH_LINE
        + f"""
from hookseal import SQLiteReplayGuard
from itertools import count
number = count()
seen = set()
with tempfile.TemporaryDirectory() as folder:
    def made():
        if {kind!r} == "memory":
            guard = MemoryReplayGuard()
        else:
            guard = SQLiteReplayGuard(os.path.join(folder, str(next(number))))
        made.guard = guard
        claim = lambda: guard.claim([b"k" * 16], lease=None, ttl=60)
        return claim, getattr(guard, {action!r}) if {action!r} != "claim" else claim
    for told, done in at_each_line(made):
        seen |= {{one for one in (told, done) if isinstance(one, str)}}
        if {action!r} == "claim":
            wins = [one for one in (told, done) if isinstance(one, tuple) and one[0] == 1]
            assert len(wins) == 1, (told, done)
        made.guard.close()
    made.guard.close()
for text in sorted(seen):
    print(text)
""",
        module,
        timeout=120,
    ).splitlines()
    if action == "close":
        # The call that it came in the middle of has claimed nothing, or all.
        closed = {
            "ValueError: the replay guard was closed",
            "ProgrammingError: Cannot operate on a closed database.",
        }
        assert set(said) <= closed
    elif module == "hookseal" and kind == "memory":
        assert said == []  # in Rust nothing comes in between
    else:
        assert said == [f"RuntimeError: {OWN}"]


@each_module
def test_a_ring_that_changes_while_it_changes(module: str) -> None:
    """No change is lost: what was taken out does not come back."""
    said = run(
        _AT_EACH_LINE
        + """
def made():
    ring = Keyring({"a": KEY, "b": b"b" * 32})
    made.ring = ring
    return lambda: ring.rotate("a", b"c" * 32), lambda: ring.remove_endpoint("b")
refused = 0
for told, done in at_each_line(made):
    if done is not None:
        assert done.startswith("RuntimeError"), done
        refused += 1
    assert ("b" in made.ring) == (done is not None)
    assert made.ring.labels("a") == ["1", "0"]
print(refused)
""",
        module,
        timeout=120,
    )
    assert (said == "0\n") == (module == "hookseal")


@each_module
@pytest.mark.parametrize("action", ["ring.forget()", "ask()", "ring.forget('a')"])
def test_a_resolver_that_is_called_while_it_is_called(module: str, action: str) -> None:
    """Who reads secrets anew at a signal calls `forget` in its handler."""
    run(
        _AT_EACH_LINE
        + f"""
headers = signed(b"x")
def made():
    ring = Keyring(resolver=lambda names: dict.fromkeys(names, KEY), resolver_size=1)
    verifier = Verifier(ring)
    verifier.check(b"x", headers, endpoint="before", now=NOW)
    def ask():
        return verifier.check(b"x", headers, endpoint="a", now=NOW)
    return ask, lambda: {action}
for told, done in at_each_line(made):
    assert told is Verdict.VALID, told
    assert done in (None, Verdict.VALID), done
""",
        module,
        timeout=120,
    )


@each_module
def test_a_message_that_is_verified_while_one_is_counted(module: str) -> None:
    run(
        _AT_EACH_LINE
        + """
headers = signed(b"x")
def made():
    ring = made.ring = Keyring({"a": KEY})
    verifier = Verifier(ring)
    def ask():
        return verifier.check(b"x", headers, endpoint="a", now=NOW)
    return ask, ask
for told, done in at_each_line(made):
    assert (told, done) == (Verdict.VALID, Verdict.VALID)
    assert made.ring.usage()["a", "0"].count == 2
""",
        module,
        timeout=120,
    )


# The same at single places, since what counts lines is switched off by what stops at each.


def test_a_thread_that_has_the_lock_is_refused(tmp_path: Path) -> None:
    guards: list[Any] = [SQLiteReplayGuard(tmp_path / "claims.db"), twin().MemoryReplayGuard()]
    ring = twin().Keyring({"a": SECRET})
    calls: list[tuple[Any, Callable[[], object]]] = [
        (ring, lambda: ring.rotate("a", b"new")),
        (ring, lambda: ring.replace("a", b"new")),
        (ring, lambda: ring.remove("a", "0")),
        (ring, lambda: ring.remove_endpoint("a")),
    ]
    for guard in guards:
        calls += [
            (guard, partial(guard.claim, [b"k" * 16], lease=9, ttl=9)),
            (guard, partial(guard.commit, [b"k" * 16])),
            (guard, partial(guard.release, [b"k" * 16])),
            (guard, guard.count),
        ]
    for owner, call in calls:
        with owner._lock, pytest.raises(RuntimeError, match=f"^{OWN}$"):
            call()
    for guard in guards:
        assert guard.count() == 0
        with guard._lock:
            guard.close()


def test_a_file_that_is_closed_in_a_transaction(tmp_path: Path) -> None:
    guard = SQLiteReplayGuard(tmp_path / "claims.db")
    with pytest.raises(ValueError, match="closed"), guard._lock, _Transaction(guard):
        guard.close()


def test_a_file_that_is_closed_while_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = SQLiteReplayGuard._connect

    def closing(guard: SQLiteReplayGuard) -> Any:
        guard.close()
        return connect(guard)

    monkeypatch.setattr(SQLiteReplayGuard, "_connect", closing)
    guard = SQLiteReplayGuard(tmp_path / "claims.db")
    with pytest.raises(ValueError, match="closed"):
        guard.count()
    assert guard._connection is None


def test_a_count_that_is_counted_over() -> None:
    counted = _usage.Counted()

    class Late(Usage):
        @property
        def last_matched(self) -> Any:  # type: ignore[override]
            if counted.usage.count == 0:
                counted.add(Usage(1))
            return None

    late = object.__new__(Late)
    object.__setattr__(late, "count", 1)
    object.__setattr__(late, "first_matched", None)
    counted.add(late)
    assert counted.usage.count == 2
