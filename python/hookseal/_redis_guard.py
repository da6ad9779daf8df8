"""Claims in Redis or Valkey: for processes on many hosts."""

from __future__ import annotations

from hookseal._arguments import mistake, span, wrong_type
from hookseal._claim import Claim, Claims
from hookseal._guard import is_coroutine_function
from hookseal._guard_keys import Token, distinct, key_texts
from hookseal._store_errors import claim_lost, foreign_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from hookseal.types import SupportsPipeline

__all__ = ["AsyncRedisReplayGuard", "RedisReplayGuard"]

# What a key holds: whether its claim is final, whose it is, and the milliseconds for which it is to
# be kept once it is final.
_PENDING, _DONE = "p", "d"

# So many commands go out together: both sides hold a pipeline in memory until it is answered.
_TOGETHER = 10_000

# Another may have won the key since the lease lapsed; between a look and a change somebody else
# could come. Where no token is given, whoever won it is meant. A key whose lease lapsed and that
# nobody took is free.
_COMMIT = """
local held = redis.call('get', KEYS[1])
local name, ttl = ARGV[1], ARGV[2]
if name == '' then
    if not held then return 0 end
    if string.sub(held, 1, 1) == 'd' then return 1 end
    name, ttl = string.match(held, '^p:(%x+):(%d+)$')
    if not name then return 0 end
elseif held and string.match(held, '^[pd]:(%x+)') ~= name then
    return 0
end
redis.call('set', KEYS[1], 'd:' .. name .. ':' .. ttl, 'px', ttl)
return 1
"""

_RELEASE = """
local held = redis.call('get', KEYS[1])
if not held then return 0 end
local name = string.match(held, '^p:(%x+)')
if name and (ARGV[1] == '' or ARGV[1] == name) then return redis.call('del', KEYS[1]) end
return 0
"""

# What a call won, and cannot tell anybody: the value has its token, so it is no one else's.
_UNDO = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""


class _Commands:
    """What is asked of the server, and what its answers mean; sending is left to the two guards."""

    __slots__ = ("_client", "_closed", "_prefix")

    def __init__(self, client: SupportsPipeline, *, prefix: str = "hookseal:replay:") -> None:
        if not isinstance(prefix, str):
            raise wrong_type("str", prefix, "prefix")
        if not hasattr(client, "pipeline"):
            raise wrong_type("client", client)
        self._client = client
        self._prefix = prefix
        self._closed = False

    def _call(self, keys: Sequence[bytes]) -> list[str]:
        if self._closed:
            raise mistake("closed")
        return key_texts(keys)

    def _pipelines(self, texts: Sequence[str]) -> Iterator[tuple[Any, list[str]]]:
        for start in range(0, len(texts), _TOGETHER):
            names = [self._prefix + text for text in texts[start : start + _TOGETHER]]
            # Each key stands for itself: a transaction would hold up the server, and a cluster has
            # none.
            yield self._client.pipeline(transaction=False), names

    def _scripts(self, script: str, texts: Sequence[str], *arguments: str | int) -> Iterator[Any]:
        """Pipelines of one script a key: in a cluster each key has its own node."""
        for pipeline, names in self._pipelines(texts):
            for name in names:
                # `eval` itself is missing from the pipelines of clusters.
                pipeline.execute_command("EVAL", script, 1, name, *arguments)
            yield pipeline

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._prefix!r})"


class _Claiming:
    """One call of ``claim``: the commands, and what is known of each key."""

    __slots__ = ("_lease", "_ttl", "known", "lasts", "texts", "token", "value")

    def __init__(self, texts: list[str], lease: int | None, ttl: int) -> None:
        self._lease = None if lease is None else span(lease, "lease")
        # The server rounds by its own clock, and drops a key in the middle of a second.
        self._ttl = span(ttl, "ttl") + 1
        self.texts = texts
        self.known: dict[str, Claim] = {}
        self.token = Token(self._ttl)
        state = _DONE if lease is None else _PENDING
        self.value = f"{state}:{self.token.name}:{self._ttl * 1000}"
        self.lasts = (self._ttl if self._lease is None else self._lease) * 1000

    @property
    def is_final(self) -> bool:
        return self._lease is None

    def set_on(self, pipeline: Any, names: Sequence[str]) -> None:
        for name in names:
            pipeline.set(name, self.value, nx=True, px=self.lasts)

    def note_set(self, names: Sequence[str], answers: Sequence[Any]) -> list[str]:
        """Notes who was won; returns who was not."""
        lost = []
        for name, answer in zip(names, answers, strict=True):
            if answer:
                self.known[name] = Claim.WON
            else:
                lost.append(name)
        return lost

    def look_on(self, pipeline: Any, names: Sequence[str]) -> Any:
        for name in names:
            pipeline.get(name)
        return pipeline

    def note_held(self, names: Sequence[str], answers: Sequence[Any]) -> None:
        for name, answer in zip(names, answers, strict=True):
            held = answer.decode("latin-1") if isinstance(answer, bytes) else answer
            if held == self.value:
                # The client sent the command twice: the first answer did not arrive.
                self.known[name] = Claim.WON
            elif held is None or held.startswith(f"{_PENDING}:"):
                # What lapsed between the two looks was another's a moment ago.
                self.known[name] = Claim.PENDING
            elif held.startswith(f"{_DONE}:"):
                self.known[name] = Claim.DONE
            else:
                raise foreign_value(name)

    def claims(self, prefix: str) -> Claims:
        found = []
        for text in self.texts:
            claim = self.known[prefix + text]
            found.append(claim)
            if claim is Claim.WON:  # and whoever is named again comes second
                self.known[prefix + text] = Claim.DONE if self.is_final else Claim.PENDING
        return Claims(found, None if self.is_final else self.token)


def _checked(answers: Sequence[Any]) -> Sequence[Any]:
    """The answers of a pipeline, none of which may be an error.

    Each command has its own answer, so that what was won before an error can be given back.
    """
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def _require_kept(answers: Sequence[Any]) -> None:
    lost = sum(not answer for answer in answers)
    if lost:
        raise claim_lost(lost, len(answers))


class RedisReplayGuard(_Commands):
    """Remembers claims in Redis or Valkey: for processes on many hosts.

    Args:
        client: A client of the package ``redis`` or ``valkey``, for one server, a sentinel's or a
            cluster. It stays yours: ``close`` does not close it.
        prefix: What the keys begin with. Behind it come 32 hexadecimal digits.

    Raises:
        TypeError: A wrong type; a client whose methods are coroutines.

    Time is the server's: it drops a key when its time has passed by its own clock. Each call sends
    its commands together; what is won is won by ``SET NX PX``. What the client raises passes as it
    is. The server must keep what it
    was given: ``maxmemory-policy noeviction``, and for restarts ``appendonly yes``
    (docs/replay.md).
    """

    __slots__ = ()

    def __init__(self, client: SupportsPipeline, *, prefix: str = "hookseal:replay:") -> None:
        super().__init__(client, prefix=prefix)
        if is_coroutine_function(getattr(client, "execute_command", None)):
            raise mistake("async-client")

    def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> Claims:
        """Claims each key that nobody holds: see ``ReplayGuard.claim``."""
        claiming = _Claiming(self._call(keys), lease, ttl)
        try:
            for pipeline, names in self._pipelines(distinct(claiming.texts)):
                claiming.set_on(pipeline, names)
                answers = pipeline.execute(raise_on_error=False)
                lost = claiming.note_set(names, _checked(answers))
                if lost:
                    looks = claiming.look_on(self._client.pipeline(transaction=False), lost)
                    claiming.note_held(lost, looks.execute())
        except Exception:
            self._undo(claiming)
            raise
        return claiming.claims(self._prefix)

    def commit(self, keys: Sequence[bytes], *, token: object = None) -> None:
        """Makes claims final.

        Raises:
            ClaimLostError: A lease had lapsed, and somebody else has won the key since; the others
            are final.
        """
        own = Token.of(token)
        name, ttl = ("", 0) if own is None else (own.name, own.ttl * 1000)
        answers: list[Any] = []
        for pipeline in self._scripts(_COMMIT, self._call(keys), name, ttl):
            answers += pipeline.execute()
        _require_kept(answers)

    def release(self, keys: Sequence[bytes], *, token: object = None) -> None:
        """Gives back claims that are not final, so that another copy may be taken."""
        own = Token.of(token)
        for pipeline in self._scripts(_RELEASE, self._call(keys), "" if own is None else own.name):
            pipeline.execute()

    def close(self) -> None:
        """From now on every call raises ``ValueError``; the client stays open."""
        self._closed = True

    def _undo(self, claiming: _Claiming) -> None:
        try:
            for pipeline in self._scripts(_UNDO, distinct(claiming.texts), claiming.value):
                pipeline.execute(raise_on_error=False)
        except Exception:
            return  # The error that led here says more.


class AsyncRedisReplayGuard(_Commands):
    """``RedisReplayGuard`` for asyncio: its methods are coroutines.

    Args:
        client: A client of ``redis.asyncio`` or ``valkey.asyncio``. It stays yours.
        prefix: As there, and the same by default: both see the same claims.

    Raises:
        TypeError: A wrong type; a client whose methods are not coroutines.
    """

    __slots__ = ()

    def __init__(self, client: SupportsPipeline, *, prefix: str = "hookseal:replay:") -> None:
        super().__init__(client, prefix=prefix)
        if not is_coroutine_function(getattr(client, "execute_command", None)):
            raise mistake("sync-client")

    async def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> Claims:
        """As ``RedisReplayGuard.claim``."""
        claiming = _Claiming(self._call(keys), lease, ttl)
        try:
            for pipeline, names in self._pipelines(distinct(claiming.texts)):
                claiming.set_on(pipeline, names)
                answers = await pipeline.execute(raise_on_error=False)
                lost = claiming.note_set(names, _checked(answers))
                if lost:
                    looks = claiming.look_on(self._client.pipeline(transaction=False), lost)
                    claiming.note_held(lost, await looks.execute())
        except BaseException as error:
            # A task that is cancelled tells nobody what it won either. One that is closed cannot
            # wait.
            if not isinstance(error, GeneratorExit):
                await self._undo(claiming)
            raise
        return claiming.claims(self._prefix)

    async def commit(self, keys: Sequence[bytes], *, token: object = None) -> None:
        """As ``RedisReplayGuard.commit``."""
        own = Token.of(token)
        name, ttl = ("", 0) if own is None else (own.name, own.ttl * 1000)
        answers: list[Any] = []
        for pipeline in self._scripts(_COMMIT, self._call(keys), name, ttl):
            answers += await pipeline.execute()
        _require_kept(answers)

    async def release(self, keys: Sequence[bytes], *, token: object = None) -> None:
        """As ``RedisReplayGuard.release``."""
        own = Token.of(token)
        for pipeline in self._scripts(_RELEASE, self._call(keys), "" if own is None else own.name):
            await pipeline.execute()

    async def close(self) -> None:
        """From now on every call raises ``ValueError``; the client stays open."""
        self._closed = True

    async def _undo(self, claiming: _Claiming) -> None:
        try:
            for pipeline in self._scripts(_UNDO, distinct(claiming.texts), claiming.value):
                await pipeline.execute(raise_on_error=False)
        except Exception:
            return
