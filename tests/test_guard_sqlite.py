"""The guard in a file: its clock, its size, its durability, and what SQLite says."""

from __future__ import annotations

import os
import pickle
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hookseal import ReplayStoreError, SQLiteReplayGuard, _sqlite_guard
from tests.conftest import Clock
from tests.guards import DONE, PENDING, WON, claim, keys
from tests.implementations import NOW


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "claims.db"


def rows(file: Path) -> int:
    """How many claims are in the file, ended or not."""
    database = sqlite3.connect(file)
    try:
        (count,) = database.execute("SELECT count(*) FROM hookseal_claims").fetchone()
        return int(count)
    finally:
        database.close()


def test_claims_outlive_the_process(file: Path) -> None:
    first = SQLiteReplayGuard(file)
    token = claim(first, [1, 2], lease=60).token
    first.commit(keys(1), token=token)
    first.close()
    second = SQLiteReplayGuard(str(file))
    assert claim(second, [1, 2, 3]) == (DONE, PENDING, WON)
    second.commit(keys(2), token=token)
    assert second.count() == 3
    second.close()


def test_a_clock_that_is_set_back_frees_nothing(file: Path, clock: Clock) -> None:
    guard = SQLiteReplayGuard(file)
    claim(guard, [1], ttl=601)
    claim(guard, [2], lease=60, ttl=601)
    for back in (1, 3600, NOW - 1):
        clock.now = NOW - back
        assert claim(guard, [1, 2]) == (DONE, PENDING)
        assert guard.count() == 2
    clock.now = NOW + 601
    assert claim(guard, [1, 2]) == (WON, WON)
    guard.close()


def test_what_has_ended_is_removed(file: Path, clock: Clock) -> None:
    guard = SQLiteReplayGuard(file)
    claim(guard, range(500), ttl=60)
    for _ in range(100):
        clock.now += 61
        claim(guard, range(1000, 1100), ttl=60)
    assert rows(file) == 100
    assert guard.count() == 100
    guard.close()


@pytest.mark.parametrize(("synchronous", "number"), [("FULL", 2), ("NORMAL", 1)])
def test_how_claims_reach_the_disk(file: Path, synchronous: Any, number: int) -> None:
    guard = SQLiteReplayGuard(file, synchronous=synchronous)
    claim(guard, [1])
    assert guard._connection is not None
    for pragma, wanted in [("synchronous", number), ("journal_mode", "wal")]:
        assert guard._connection.execute(f"PRAGMA {pragma}").fetchone() == (wanted,)
    assert repr(guard) == f"SQLiteReplayGuard({str(file)!r}, synchronous={synchronous!r})"
    guard.close()


def test_full_is_the_default(file: Path) -> None:
    guard = SQLiteReplayGuard(file)
    assert "synchronous='FULL'" in repr(guard)
    guard.close()


def test_a_writer_that_does_not_end(file: Path) -> None:
    """The guard waits as long as it was told, then says so, and has claimed nothing."""
    guard = SQLiteReplayGuard(file, timeout=0.05)
    claim(guard, [1])
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for call in (
        lambda: claim(guard, [1, 2]),
        lambda: guard.commit(keys(1)),
        lambda: guard.release(keys(1)),
    ):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            call()
    other.execute("COMMIT")
    other.close()
    assert claim(guard, [1, 2]) == (DONE, WON)
    guard.close()


def test_a_writer_that_ends_in_time(file: Path, clock: Clock) -> None:
    """What is claimed after a wait is remembered from its end on."""
    guard = SQLiteReplayGuard(file, timeout=60)
    claim(guard, [1])
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    def ends() -> None:
        clock.now += 50
        other.execute("COMMIT")

    timer = threading.Timer(0.2, ends)
    timer.start()
    assert claim(guard, [1, 2]) == (DONE, WON)
    timer.join()
    clock.now += 59
    assert claim(guard, [1, 2]) == (WON, DONE)
    other.close()
    guard.close()


def test_all_or_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails after the keys were written has written none of them."""
    guard = SQLiteReplayGuard(file)
    claim(guard, [1])
    with monkeypatch.context() as patch:
        patch.setattr(_sqlite_guard, "_SWEEP", "SELECT no_such_function()")
        with pytest.raises(sqlite3.OperationalError):
            claim(guard, [1, 2, 3])
    assert rows(file) == 1
    assert claim(guard, [1, 2, 3]) == (DONE, WON, WON)
    guard.close()


def test_a_commit_that_fails(file: Path) -> None:
    """Nothing of it stays, and the guard goes on."""

    class Failing:
        def __init__(self, inner: sqlite3.Connection) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def execute(self, text: str, *values: Any) -> Any:
            if text == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return self.inner.execute(text, *values)

    guard = SQLiteReplayGuard(file)
    claim(guard, [1])
    assert guard._connection is not None
    guard._connection = Failing(guard._connection)  # type: ignore[assignment]
    with pytest.raises(sqlite3.OperationalError, match="disk I/O"):
        claim(guard, [2, 3])
    assert rows(file) == 1
    assert claim(guard, [1, 2]) == (DONE, WON)
    guard.close()


def test_a_full_disk(file: Path) -> None:
    guard = SQLiteReplayGuard(file)
    claim(guard, [1])
    assert guard._connection is not None
    (pages,) = guard._connection.execute("PRAGMA page_count").fetchone()
    guard._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        claim(guard, range(10_000))
    # The connection is a new one by now, and has room.
    assert claim(guard, [1, 2]) == (DONE, WON)
    guard.close()


def test_no_database(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"this is no database at all" * 100)
    for file, error in [
        (garbage, sqlite3.DatabaseError),
        (tmp_path / "nowhere/claims.db", sqlite3.OperationalError),
        (tmp_path, sqlite3.OperationalError),
    ]:
        guard = SQLiteReplayGuard(file)
        for _ in range(2):
            with pytest.raises(error):
                claim(guard, [1])
        guard.close()


class Obstructed(sqlite3.Connection):
    """Cannot keep a log in its file, or is told of errors before it is let do anything."""

    errors: ClassVar[list[int]] = []

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        if self.errors:
            error = sqlite3.OperationalError("something")
            error.sqlite_errorcode = self.errors.pop(0)
            raise error
        return super().execute(sql.replace("= WAL", "= MEMORY"), parameters)


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the next calls of SQLite fail with."""
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", partial(connect, factory=Obstructed))
    monkeypatch.setattr(Obstructed, "errors", [])
    return Obstructed.errors


def test_a_file_that_cannot_have_a_log(file: Path, errors: list[int]) -> None:
    assert errors == []
    with pytest.raises(ReplayStoreError, match=r"^the database's journal is 'memory', and cannot"):
        SQLiteReplayGuard(file).count()


def test_what_is_in_the_way_for_a_while(file: Path, errors: list[int]) -> None:
    """Another process is waited for, on each occasion; what else goes wrong is told at once."""
    busy = [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY_RECOVERY]
    errors += busy
    with pytest.raises(ReplayStoreError):  # it came to its answer
        SQLiteReplayGuard(file).count()
    assert errors == []
    for timeout, failures, left in [
        (60, [*busy, sqlite3.SQLITE_IOERR_READ, *busy], 3),
        (60, [sqlite3.SQLITE_LOCKED, *busy], 3),
        (0, busy, 2),
    ]:
        errors[:] = failures
        with pytest.raises(sqlite3.OperationalError, match="something"):
            SQLiteReplayGuard(file, timeout=timeout).count()
        assert len(errors) == left


def test_eight_that_begin_at_once(file: Path) -> None:
    """To turn the log on, SQLite waits for nobody."""
    guards = [SQLiteReplayGuard(file, timeout=60) for _ in range(8)]
    begin = threading.Barrier(8)
    won: list[Any] = []

    def work(guard: SQLiteReplayGuard) -> None:
        begin.wait()
        try:
            won.extend(claim(guard, [1]))
        except Exception as error:
            won.append(error)

    threads = [threading.Thread(target=work, args=(guard,)) for guard in guards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(repr, won)) == sorted(map(repr, [WON, *[DONE] * 7]))
    for guard in guards:
        guard.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_connection_crosses_a_fork(file: Path) -> None:
    """SQLite forbids it: neither process could use or close it without harm to the other."""
    guard = SQLiteReplayGuard(file)
    claim(guard, [1])
    child = os.fork()
    if child == 0:
        os._exit(0 if guard._connection is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert claim(guard, [1, 2]) == (DONE, WON)
    guard.close()


def test_a_fork_that_python_did_not_see(file: Path) -> None:
    """The connection is left alone, neither used nor closed."""
    guard = SQLiteReplayGuard(file)
    claim(guard, [1])
    before = guard._connection
    guard._pid = -1
    assert claim(guard, [1, 2]) == (DONE, WON)
    assert guard._connection is not before
    assert before is not None
    assert before.execute("SELECT 1").fetchone() == (1,)
    before.close()
    guard.close()


def test_wrong_arguments(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = SQLiteReplayGuard
    for path in ("", ":memory:"):
        with pytest.raises(ValueError, match=r"^path must name a file: for claims in memory"):
            made(path)
    others: list[Any] = [None, b"claims.db", 5]
    for path in others:
        with pytest.raises(TypeError, match=r"^path must be a str or an os.PathLike of one, not "):
            made(path)
    for synchronous in ("OFF", "full", None):
        with pytest.raises(ValueError, match=r'^synchronous must be "FULL" or "NORMAL"$'):
            made(file, synchronous=synchronous)
    for timeout in (-1, float("nan"), 10**6):
        with pytest.raises(ValueError, match=r"^timeout must lie between 0 and 86400 seconds$"):
            made(file, timeout=timeout)
    for wrong in (None, True, "5"):
        with pytest.raises(TypeError, match=r"^timeout must be a number of seconds, not "):
            made(file, timeout=wrong)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    with pytest.raises(RuntimeError, match=r"^SQLiteReplayGuard needs SQLite 3.38 or later"):
        made(file)
    assert not file.exists()


def test_it_is_not_pickled(file: Path) -> None:
    guard = SQLiteReplayGuard(os.fspath(file))
    with pytest.raises(TypeError):
        pickle.dumps(guard)
    guard.close()
