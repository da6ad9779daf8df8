"""Claims in the memory of one process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import RLock
from typing import Any, Final, NamedTuple, final

from hookseal._arguments import claim_limit, mistake, span, wrong_type
from hookseal._at_fork import renew
from hookseal._claim import Claim, Claims
from hookseal._reentry import refuse_reentry
from hookseal._store_errors import claim_lost, store_full
from hookseal.pure._arguments import drained
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._text import own_bytes

_KEY_BYTES: Final = 16


@final
class MemoryReplayGuard(Sealed):
    """Remembers claims in this process's memory: for one process, or for tests."""

    __slots__ = ("__weakref__", "_claims", "_lock", "_max_claims")

    _claims: _Claims | None
    _lock: Any
    _max_claims: int

    def __new__(cls, *, max_claims: int = 1000000) -> MemoryReplayGuard:
        """Takes the most claims that are held at a time; what lives is never forgotten for room."""
        made = object.__new__(cls)
        put(made, "_max_claims", claim_limit(max_claims))
        put(made, "_claims", _Claims(made._max_claims))
        put(made, "_lock", RLock())
        renew(made)
        return made

    def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> Claims:
        """Claims each key that nobody holds, or none."""
        named = _keys(keys)
        leased = None if lease is None else span(lease, "lease")
        kept = span(ttl, "ttl")
        refuse_reentry(self._lock)
        with self._lock:
            return self._open().claim(named, leased, kept)

    def commit(self, keys: Sequence[bytes], *, token: object = None) -> None:
        """Makes claims final."""
        named, own = _keys(keys), _token(token)
        refuse_reentry(self._lock)
        with self._lock:
            lost = self._open().commit(named, own)
        if lost:
            raise claim_lost(lost, len(named))

    def release(self, keys: Sequence[bytes], *, token: object = None) -> None:
        """Gives back claims that are not final, so that another copy may be taken."""
        named, own = _keys(keys), _token(token)
        refuse_reentry(self._lock)
        with self._lock:
            self._open().release(named, own)

    def close(self) -> None:
        """Forgets everything; from now on every call raises ``ValueError``."""
        with self._lock:
            put(self, "_claims", None)

    def count(self) -> int:
        """How many claims are held: final ones that are remembered, and leases that run."""
        refuse_reentry(self._lock)
        with self._lock:
            return self._open().held()

    def _open(self) -> _Claims:
        claims = self._claims
        if claims is None:
            raise mistake("closed")
        return claims

    def __repr__(self) -> str:
        return f"MemoryReplayGuard(max_claims={self._max_claims})"


class _Token(NamedTuple):
    """Which call won its keys for a lease, and what they are kept for once they are final."""

    number: int
    ttl: int


class _Instant(NamedTuple):
    """Milliseconds since the claims were made, and how far the wall clock is ahead of that."""

    elapsed: int
    ahead: int

    def ends(self, seconds: int) -> int:
        """The whole second at which a span that begins now has ended."""
        return -(-self.elapsed // 1000) + seconds


class _Held(NamedTuple):
    """A claim: the second at which it ends, whose it is, and whether it is final."""

    ends: int
    number: int
    final: bool


class _Generation:
    """Claims that end at about the same time, and go together."""

    __slots__ = ("ahead", "closes", "held")

    def __init__(self, closes: int) -> None:
        self.closes = closes
        self.ahead: float = float("-inf")
        self.held: dict[bytes, _Held] = {}

    def holds(self, claim: _Held, now: _Instant) -> bool:
        """Whether a claim holds: a lease by the steady clock, what is final by both.

        A wall clock that was set back makes old messages fresh again.
        """
        return self._before(claim.ends, now) if claim.final else now.elapsed < claim.ends * 1000

    def is_open(self, now: _Instant) -> bool:
        """Whether one of its claims can still matter."""
        return self._before(self.closes, now)

    def _before(self, second: int, now: _Instant) -> bool:
        set_back = max(0, self.ahead - now.ahead)
        return now.elapsed < second * 1000 + set_back


class _Claims:
    """The claims. A key is in one generation at most."""

    __slots__ = (
        "_calls",
        "_elapsed",
        "_generations",
        "_longest",
        "_max_claims",
        "_start",
        "_swept",
    )

    def __init__(self, max_claims: int) -> None:
        self._generations: list[_Generation] = []
        self._max_claims = max_claims
        self._start = _milliseconds(time.monotonic())
        self._elapsed = 0
        self._calls = 0
        self._longest = 0
        # The second in which claims that had ended were looked for.
        self._swept: int | None = None

    def claim(self, keys: Sequence[bytes], lease: int | None, ttl: int) -> Claims:
        now = self._tick()
        self._admit(keys, now)
        lasts = ttl if lease is None else lease
        target = self._generation(lasts, now)
        self._longest = max(self._longest, ttl)
        number = 0
        if lease is not None:
            self._calls = number = self._calls + 1
        won = _Held(now.ends(lasts), number, lease is None)
        claims = [self._claim_one(key, won, target, now) for key in keys]
        return Claims(claims, None if lease is None else _Token(number, ttl))

    def commit(self, keys: Sequence[bytes], token: _Token | None) -> int:
        now = self._tick()
        lasts = self._longest if token is None else token.ttl
        target = self._generation(lasts, now)
        lost = 0
        for key in keys:
            of = self._find(key)
            if of is not None:
                claim = of.held[key]
                own = token is None or claim.number == token.number
                if (claim.final or not own) and of.holds(claim, now):
                    lost += not own
                    continue
                number = claim.number if token is None else token.number
                del of.held[key]
            elif token is None:
                lost += 1
                continue
            elif self._len() < self._max_claims:
                number = token.number
            else:
                raise store_full(self._max_claims)
            target.held[key] = _Held(now.ends(lasts), number, True)
        return lost

    def release(self, keys: Sequence[bytes], token: _Token | None) -> None:
        for key in keys:
            of = self._find(key)
            if of is None or of.held[key].final:
                continue
            if token is None or of.held[key].number == token.number:
                del of.held[key]

    def held(self) -> int:
        self._sweep(self._tick())
        return self._len()

    def _tick(self) -> _Instant:
        wall = _milliseconds(time.time())
        elapsed = max(0, _milliseconds(time.monotonic()) - self._start, self._elapsed)
        self._elapsed = elapsed
        now = _Instant(elapsed, wall - elapsed)
        self._generations = [of for of in self._generations if of.is_open(now)]
        return now

    def _admit(self, keys: Sequence[bytes], now: _Instant) -> None:
        if self._len() + len(keys) <= self._max_claims:
            return
        self._sweep(now)
        new = {key for key in keys if self._find(key) is None}
        if self._len() + len(new) > self._max_claims:
            raise store_full(self._max_claims)

    def _sweep(self, now: _Instant) -> None:
        # Claims end at whole seconds: to look once in each is enough.
        second = now.elapsed // 1000
        if self._swept == second:
            return
        self._swept = second
        for of in self._generations:
            of.held = {key: claim for key, claim in of.held.items() if of.holds(claim, now)}
        self._generations = [of for of in self._generations if of.held]

    def _generation(self, lasts: int, now: _Instant) -> _Generation:
        """The generation of claims that begin now and last so long."""
        ends = now.ends(lasts)
        closes = ends + max(1, lasts // 4)
        for of in reversed(self._generations):
            if ends <= of.closes <= closes:
                break
        else:
            of = _Generation(closes)
            self._generations.append(of)
        of.ahead = max(of.ahead, now.ahead)
        return of

    def _claim_one(self, key: bytes, won: _Held, target: _Generation, now: _Instant) -> Claim:
        of = self._find(key)
        if of is not None:
            claim = of.held[key]
            if of.holds(claim, now):
                return Claim.DONE if claim.final else Claim.PENDING
            del of.held[key]
        target.held[key] = won
        return Claim.WON

    def _find(self, key: bytes) -> _Generation | None:
        for of in reversed(self._generations):
            if key in of.held:
                return of
        return None

    def _len(self) -> int:
        return sum(len(of.held) for of in self._generations)


def _milliseconds(seconds: float) -> int:
    return max(0, int(seconds * 1000))


def _keys(keys: object) -> list[bytes]:
    named = []
    for index, key in enumerate(drained(keys, "keys")):
        if not isinstance(key, bytes):
            raise wrong_type("key", key, f"keys[{index}]")
        own = own_bytes(key)
        if len(own) != _KEY_BYTES:
            raise mistake("key-length", f"keys[{index}]", str(len(own)))
        named.append(own)
    return named


def _token(token: object) -> _Token | None:
    if token is not None and not isinstance(token, _Token):
        raise mistake("token")
    return token
