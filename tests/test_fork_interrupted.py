"""Ctrl-C at any step of a guard, and while a process forks: no lock stays taken."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from hookseal import SQLiteReplayGuard, _at_fork, _sqlite_guard
from tests.guards import DONE, claim, is_held, keys

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


class Interrupt:
    """Raises KeyboardInterrupt at one line of a module, counted as they are run."""

    def __init__(self, module: Any, at: int) -> None:
        self.file = module.__file__
        self.left = at

    def __call__(self, frame: Any, event: str, _: object) -> Any:
        if frame.f_code.co_filename != self.file:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self

    def runs(self, call: Any) -> bool:
        """Whether it came before the call had ended."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            call()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False


@pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="there a line is shown where a `with` is left, and Ctrl-C is not looked for",
)
@pytest.mark.parametrize("method", ["claim", "commit", "release", "count"])
def test_every_line_of_a_guard(method: str, tmp_path: Path) -> None:
    """Whatever it ends, the next call finds the guard open, and the file too."""
    calls: dict[str, Any] = {
        "claim": lambda guard: guard.claim(keys(2), lease=None, ttl=600),
        "commit": lambda guard: guard.commit(keys(1)),
        "release": lambda guard: guard.release(keys(1)),
        "count": lambda guard: guard.count(),
    }
    other = SQLiteReplayGuard(tmp_path / "f", timeout=0)
    assert other.count() == 0
    at = 1
    while True:
        guard = SQLiteReplayGuard(tmp_path / "f", timeout=0)
        claim(guard, [1])
        if not Interrupt(_sqlite_guard, at).runs(lambda held=guard: calls[method](held)):
            break
        assert not is_held(guard._lock), at
        assert claim(guard, [1]) == (DONE,), at
        assert claim(other, [1]) == (DONE,), at
        guard.close()
        at += 1
    assert at > 3


@pytest.fixture
def guards(tmp_path: Path) -> Any:
    """Three guards in the order in which a fork locks them."""
    # One that another test left locked would be waited for without an end.
    assert not any(is_held(guard._lock) for guard in _at_fork._alive(_at_fork._watched))
    made = [SQLiteReplayGuard(tmp_path / f"{number}") for number in range(3)]
    made.sort(key=id)
    for guard in made:
        claim(guard, [1])
    yield made
    for guard in made:
        guard.close()


def fork(guards: Any) -> int:
    """Forks, and gives the status of a child that uses every guard."""
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(7 if all(claim(guard, [1, 2])[0] is DONE for guard in guards) else 8)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_while_a_fork_waits_for_a_guard(guards: Any) -> None:
    """The locks that were taken before are opened; the child waits for no lock at all."""
    opened, go, ended = threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        with guards[1]._lock:
            opened.set()
            go.wait()
        ended.set()

    thread = threading.Thread(target=hold)
    thread.start()
    opened.wait()
    # It reaches the main thread where that waits for the lock; Python goes on with the fork.
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    status = fork(guards)
    timer.join()
    assert status == 7
    assert [is_held(guard._lock) for guard in guards] == [False, True, False]
    go.set()
    thread.join()
    assert [claim(guard, [1, 2]) for guard in guards] == [(DONE, DONE)] * 3


@pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="there a line is shown where a `with` is left, and Ctrl-C is not looked for",
)
def test_ctrl_c_at_any_line_of_a_fork(guards: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hooks are called as a fork calls them, with what they raise ignored."""
    at = 1
    while True:
        interrupt = Interrupt(_at_fork, at)
        came = [
            interrupt.runs(hook)
            for hook in (_at_fork._before, _at_fork._after_in_parent, _at_fork._after_in_parent)
        ]
        assert not any(is_held(guard._lock) for guard in guards), at
        assert [claim(guard, [1]) for guard in guards] == [(DONE,)] * 3
        if not any(came):
            break
        at += 1
    assert at > 5


def test_two_threads_fork_at_once(guards: Any) -> None:
    """Each opens the locks that it has taken itself."""
    statuses: list[int] = []

    def work() -> None:
        statuses.extend(fork(guards) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [7] * 15
    assert not any(is_held(guard._lock) for guard in guards)


def test_a_connection_that_crossed_a_fork_is_not_closed(guards: Any) -> None:
    """Not by going out of use either: what nobody holds is closed by Python."""
    guard = guards[0]
    connection = guard._connection
    guard._pid = -1
    guard._disconnect()
    assert connection in _sqlite_guard._foreign
    _sqlite_guard._foreign.remove(connection)
    assert isinstance(connection, sqlite3.Connection)
    connection.close()
