"""Claims in a file: for the processes of one host."""

from __future__ import annotations

import os
import time

from hookseal._arguments import mistake, span, wrong_type
from hookseal._claim import Claim, Claims
from hookseal._guard_keys import Token, key_texts
from hookseal._reentry import refuse_reentry
from hookseal._store_errors import claim_lost, no_wal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Connection, Cursor
    from typing import Literal

__all__ = ["SQLiteReplayGuard"]

_SCHEMA = (
    # `expires` is when the key can be won again: when the lease of a claim lapses, or what is done
    # is forgotten. `ttl` is what a claim is to be kept once it is done.
    """
    CREATE TABLE IF NOT EXISTS hookseal_claims (
        key TEXT PRIMARY KEY, expires INTEGER NOT NULL,
        token TEXT NOT NULL, ttl INTEGER NOT NULL, done INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS hookseal_claims_expires ON hookseal_claims (expires)",
)

# A key whose time has passed is won in the same statement. "WHERE true" is there because SQLite
# would read "ON" as the condition of a join.
_CLAIM = """
    INSERT INTO hookseal_claims (key, expires, token, ttl, done)
    SELECT value, :expires, :token, :ttl, :done FROM json_each(:keys) WHERE true
    ON CONFLICT (key) DO UPDATE
    SET expires = excluded.expires, token = excluded.token, ttl = excluded.ttl, done = excluded.done
    WHERE hookseal_claims.expires <= :now
    RETURNING key
"""
_HELD = """
    SELECT key, done FROM hookseal_claims WHERE key IN (SELECT value FROM json_each(:keys))
"""
_SWEEP = """
    DELETE FROM hookseal_claims WHERE key IN
    (SELECT key FROM hookseal_claims WHERE expires <= :now LIMIT :most)
"""
# A lease that lapsed may still be committed, as long as nobody else has won the key.
_COMMIT = """
    INSERT INTO hookseal_claims (key, expires, token, ttl, done)
    SELECT value, :expires, :token, :ttl, 1 FROM json_each(:keys) WHERE true
    ON CONFLICT (key) DO UPDATE
    SET expires = excluded.expires, token = excluded.token, ttl = excluded.ttl, done = 1
    WHERE hookseal_claims.token = excluded.token OR hookseal_claims.expires <= :now
    RETURNING key
"""
_COMMIT_ANY = """
    UPDATE hookseal_claims SET done = 1, expires = :begins + ttl
    WHERE done = 0 AND key IN (SELECT value FROM json_each(:keys))
"""
_RELEASE = """
    DELETE FROM hookseal_claims
    WHERE done = 0 AND key IN (SELECT value FROM json_each(:keys))
    AND (:token IS NULL OR token = :token)
"""

# What a claim removes of what has ended: more than it adds, so that the file does not grow for
# ever, and not much more, so that no claim waits for a night's rest of them.
_SWEPT_PER_KEY, _SWEPT_AT_LEAST = 2, 64

# How often is tried whether another process still writes. SQLite's own waiting slows down to ten
# times a second, and misses the gaps between the claims of a busy process for whole timeouts.
_RETRY_SECONDS = 0.001
# SQLite counts milliseconds in 32 bits; a day is more than any request waits.
_MAX_TIMEOUT_SECONDS = 86_400


class SQLiteReplayGuard:
    """Remembers claims in a file of SQLite: for several processes of one host, and across restarts.

    Args:
        path: The file; it is made if it is not there. It must be on a local disk.
        synchronous: ``"FULL"`` waits for the disk at each claim, so that no claim is lost with the
        power;
            ``"NORMAL"`` does not, and a power cut may forget the last ones. A process that
            dies loses none in either.
        timeout: Seconds to wait while another process writes.

    Raises:
        TypeError: A wrong type.
        ValueError: No file, another ``synchronous``, or a negative timeout.
        RuntimeError: This Python's SQLite is older than 3.38.

    Time is ``time.time``: a clock that is set back frees nothing, one that is set ahead forgets
    what has ended by it. What SQLite raises passes as it is. Threads share one connection; after a
    fork each process opens its own.
    """

    __slots__ = (
        "__weakref__",
        "_closed",
        "_connection",
        "_lock",
        "_path",
        "_pid",
        "_synchronous",
        "_timeout",
    )

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        timeout: float = 5.0,
    ) -> None:
        # What is heavy is imported where it is used first.
        from sqlite3 import sqlite_version, sqlite_version_info
        from threading import RLock

        from hookseal._at_fork import watch

        if not isinstance(path, (str, os.PathLike)):
            raise wrong_type("path", path)
        name = os.fspath(path)
        if name in {"", ":memory:"}:
            raise mistake("no-file")
        if synchronous not in {"FULL", "NORMAL"}:
            raise mistake("synchronous")
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
            raise wrong_type("timeout", timeout)
        if not 0 <= timeout <= _MAX_TIMEOUT_SECONDS:
            raise ValueError(f"timeout must lie between 0 and {_MAX_TIMEOUT_SECONDS} seconds")
        if sqlite_version_info < (3, 38):
            raise mistake("old-sqlite", sqlite_version)
        self._path = os.path.abspath(name)
        self._synchronous = synchronous
        self._timeout = float(timeout)
        self._lock = RLock()
        self._connection: Connection | None = None
        self._pid = 0
        self._closed = False
        watch(self)

    def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> Claims:
        """Claims each key that nobody holds: see ``ReplayGuard.claim``. It is one transaction."""
        texts = key_texts(keys)
        lasts = span(ttl, "ttl") if lease is None else span(lease, "lease")
        token = Token(span(ttl, "ttl"))
        named = _json(texts)
        refuse_reentry(self._lock)
        with self._lock, _Transaction(self) as connection:
            now, ends = _now(lasts)
            claim = {"keys": named, "now": now, "expires": ends}
            claim |= {"token": token.name, "ttl": token.ttl, "done": lease is None}
            won = {key for (key,) in connection.execute(_CLAIM, claim)}
            held: dict[str, int] = {}
            if len(won) < len(texts):
                held = dict(connection.execute(_HELD, {"keys": named}))
            most = max(_SWEPT_AT_LEAST, _SWEPT_PER_KEY * len(texts))
            connection.execute(_SWEEP, {"now": now, "most": most})
        found = []
        for text in texts:
            if text in won:
                won.remove(text)  # whoever is named again comes second
                found.append(Claim.WON)
            else:
                found.append(Claim.DONE if held[text] else Claim.PENDING)
        return Claims(found, None if lease is None else token)

    def commit(self, keys: Sequence[bytes], *, token: object = None) -> None:
        """Makes claims final.

        Raises:
            ClaimLostError: A lease had lapsed, and somebody else has won the key since; the others
            are final.
        """
        own = Token.of(token)
        texts = set(key_texts(keys))
        named = _json(texts)
        refuse_reentry(self._lock)
        with self._lock, _Transaction(self) as connection:
            if own is None:
                connection.execute(_COMMIT_ANY, {"keys": named, "begins": _now(0)[1]})
                kept = [key for key, done in connection.execute(_HELD, {"keys": named}) if done]
            else:
                now, ends = _now(own.ttl)
                claim = {"keys": named, "now": now, "expires": ends}
                claim |= {"token": own.name, "ttl": own.ttl}
                kept = connection.execute(_COMMIT, claim).fetchall()
        if len(kept) < len(texts):
            raise claim_lost(len(texts) - len(kept), len(texts))

    def release(self, keys: Sequence[bytes], *, token: object = None) -> None:
        """Gives back claims that are not final, so that another copy may be taken."""
        own = Token.of(token)
        named = _json(key_texts(keys))
        refuse_reentry(self._lock)
        with self._lock, _Transaction(self) as connection:
            connection.execute(
                _RELEASE, {"keys": named, "token": None if own is None else own.name}
            )

    def close(self) -> None:
        """Closes the file, which stays; from now on every call raises ``ValueError``."""
        with self._lock:
            self._closed = True
            self._disconnect()

    def count(self) -> int:
        """How many claims are held: final ones that are remembered, and leases that run."""
        query = "SELECT count(*) FROM hookseal_claims WHERE expires > ?"
        refuse_reentry(self._lock)
        with self._lock, _Transaction(self) as connection:
            (count,) = connection.execute(query, (_now(0)[0],)).fetchone()
            return int(count)

    def _connected(self) -> Connection:
        if self._connection is not None and self._pid != os.getpid():
            # Forked where Python did not see it: the other process's connection must not be closed
            # here.
            _foreign.append(self._connection)
            self._connection = None
        if self._connection is not None and self._connection.in_transaction:
            # Ctrl-C came between two steps of this module, and ended neither.
            self._disconnect()
        connection = self._connection
        if connection is None:
            # Before there is a connection: whose it is must be known to who closes it.
            self._pid = os.getpid()
            connection = self._connection = self._connect()
            if self._closed:  # by a signal handler, before there was anything to close
                raise mistake("closed")
        return connection

    def _connect(self) -> Connection:
        import sqlite3

        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            (mode,) = self._execute(connection, "PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise no_wal(mode)
            for statement in (
                f"PRAGMA synchronous = {self._synchronous}",
                # Where fsync does not reach the platter (macOS), this does; elsewhere nothing.
                f"PRAGMA fullfsync = {self._synchronous == 'FULL'}",
                *_SCHEMA,
            ):
                self._execute(connection, statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def _execute(self, connection: Connection, statement: str) -> Cursor:
        """Executes a statement that may have to wait for another process."""
        from sqlite3 import SQLITE_BUSY, OperationalError

        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return connection.execute(statement)
            except OperationalError as error:
                # The lowest byte is the kind of error, those above it the occasion.
                busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == SQLITE_BUSY
                if not busy or time.monotonic() >= deadline:
                    raise
            time.sleep(_RETRY_SECONDS)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._pid == os.getpid():
            connection.close()
        else:
            _foreign.append(connection)

    def __repr__(self) -> str:
        return f"SQLiteReplayGuard({self._path!r}, synchronous={self._synchronous!r})"


class _Transaction:
    """One transaction, for who holds the guard's lock; whatever is raised, nothing of it was done.

    The lock is not taken in here: between two of Python's steps Ctrl-C would leave it taken.
    """

    __slots__ = ("_guard",)

    def __init__(self, guard: SQLiteReplayGuard) -> None:
        self._guard = guard

    def __enter__(self) -> Connection:
        guard = self._guard
        try:
            if guard._closed:
                raise mistake("closed")
            connection = guard._connected()
            # It waits for the writers before it; the clock is read after them.
            guard._execute(connection, "BEGIN IMMEDIATE")
        except BaseException:
            self._undo()
            raise
        return connection

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if kind is not None:
            self._undo()
            return
        try:
            connection = self._guard._connection
            if connection is None:  # close() in a signal handler, which rolled back
                raise mistake("closed")
            connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        # To close it rolls back, and the next call begins on a connection that nothing happened to.
        self._guard._disconnect()


def _now(lasts: int) -> tuple[int, int]:
    """The clock in whole seconds, and the second at which a span that begins now has ended."""
    now = time.time()
    return int(now // 1), lasts - int(-now // 1)


def _json(texts: Sequence[str] | set[str]) -> str:
    # Hexadecimal digits need no escapes, and json is heavy.
    return "[" + ",".join(f'"{text}"' for text in texts) + "]"


# Connections of the process that this one was forked from; to close them is not ours.
_foreign: list[Connection] = []
