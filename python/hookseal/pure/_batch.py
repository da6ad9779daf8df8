"""Batches: many messages judged one by one, and what can be asked of the result."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn, TypeVar, final, overload

from hookseal._arguments import mistake, thread_count, wrong_length
from hookseal._arguments import position as index_in
from hookseal._errors import VerificationError, refusal, with_count
from hookseal._instant import seconds
from hookseal._message import Message
from hookseal._replay import aclose, commit, release
from hookseal._verdict import Verdict
from hookseal.pure._arguments import drained, each, flag, instants
from hookseal.pure._body import encodable
from hookseal.pure._call import Call, Good, Reading, Rules
from hookseal.pure._columns import Row, rows
from hookseal.pure._entries import State
from hookseal.pure._items import read_item
from hookseal.pure._judgement import Judgement
from hookseal.pure._replay import Replay
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._tally import Tally
from hookseal.pure._text import own_str
from hookseal.pure._unclaimed import Claimed, Settled, Unclaimed
from hookseal.pure._verified import Verified, verified
from hookseal.types import Instant

_T = TypeVar("_T")


@final
class BatchResult(Sealed):
    """The verdicts of a batch, in the order of its messages."""

    __slots__ = (
        "_by_secret",
        "_claimed",
        "_closed",
        "_codes",
        "_errors",
        "_judgements",
        "_secrets",
        "_unsigned",
    )

    _codes: bytes
    _secrets: bytes
    _errors: dict[int, Exception]
    _by_secret: dict[Any, int]
    _judgements: list[Judgement] | None
    _unsigned: bool
    _claimed: Claimed | None
    _closed: set[int]

    @property
    def codes(self) -> memoryview:
        """The numbers of the verdicts."""
        return memoryview(self._codes).cast("b")

    @property
    def secrets(self) -> memoryview:
        """The position of the secret that matched each message, -1 where none did."""
        return memoryview(self._secrets).cast("b")

    @property
    def valid(self) -> int:
        """How many messages are valid."""
        return self._codes.count(Verdict.VALID)

    @property
    def invalid(self) -> int:
        """How many messages were refused."""
        return len(self._codes) - self.valid

    @property
    def errors(self) -> dict[int, Exception]:
        """Why the items that are not messages could not be read, by index."""
        return dict(self._errors)

    def counts(self) -> dict[Verdict, int]:
        """How often each verdict occurs; only those that do."""
        return {Verdict(code): many for code, many in sorted(Counter(self._codes).items())}

    def by_secret(self) -> dict[Any, int]:
        """How many messages each secret matched. A zero is the evidence that one is unused."""
        return self._by_secret.copy()

    def valid_indices(self) -> list[int]:
        """The indices of the valid messages."""
        return [index for index, code in enumerate(self._codes) if code == Verdict.VALID]

    def invalid_indices(self) -> list[int]:
        """The indices of the refused messages."""
        return [index for index, code in enumerate(self._codes) if code != Verdict.VALID]

    def verified(self, index: int) -> Verified:
        """The verified message of that index, or raises the item's exception."""
        position = index_in(index, len(self._codes))
        verdict = Verdict(self._codes[position])
        if self._judgements is None:
            if verdict is Verdict.VALID:
                raise mistake("not-kept")
            raise refusal(verdict, cause=self._cause(position))
        judgement = self._judgements[position]
        if judgement.accepted is None:
            raise judgement.exception(self._cause(position))
        return verified(judgement.accepted, self._claim_of(position))

    def accepted(self) -> Iterator[tuple[int, Verified]]:
        """The valid messages with their indices."""
        if self._judgements is None:
            raise mistake("not-kept")
        return ((index, self.verified(index)) for index in self.valid_indices())

    def partition(self, messages: Sequence[_T]) -> tuple[list[_T], list[_T]]:
        """Splits the messages, or anything as long, into valid and refused."""
        items: Sequence[_T] = drained(messages, "messages")
        if len(items) != len(self._codes):
            raise wrong_length("messages", len(items), len(self._codes))
        good: list[_T] = []
        bad: list[_T] = []
        for code, message in zip(self._codes, items, strict=True):
            (good if code == Verdict.VALID else bad).append(message)
        return good, bad

    def raise_for_invalid(self) -> None:
        """Raises the exception of the first refused message, if there is one."""
        for index, code in enumerate(self._codes):
            if code != Verdict.VALID:
                try:
                    self.verified(index)
                except VerificationError as error:
                    with_count(error, index, self.invalid, len(self._codes))
                    raise

    def commit(self, indices: Iterable[int] | None = None) -> None:
        """Makes claims final: those of the indices, else all that are open."""
        self._close("commit", indices)

    def release(self, indices: Iterable[int] | None = None) -> None:
        """Gives claims back: those of the indices, else all that are open."""
        self._close("release", indices)

    def acommit(self, indices: Iterable[int] | None = None) -> Coroutine[Any, Any, None]:
        """``commit`` as a coroutine."""
        return self._close_later("commit", indices)

    def arelease(self, indices: Iterable[int] | None = None) -> Coroutine[Any, Any, None]:
        """``release`` as a coroutine."""
        return self._close_later("release", indices)

    def _cause(self, position: int) -> Exception | None:
        if self._claimed is not None and self._codes[position] == Verdict.REPLAYED:
            return self._claimed.failed
        return self._errors.get(position)

    def _claim_of(self, position: int) -> Claimed | None:
        if self._claimed is None:
            return None
        keys = self._claimed.keys
        own = {position: keys[position]} if position in keys else {}
        return self._claimed._replace(keys=own, closed=self._closed)

    def _close(self, what: str, indices: Iterable[int] | None) -> None:
        replay, chosen, token = self._chosen(what, indices)
        if chosen:
            close = commit if what == "commit" else release
            close(replay.guard, list(chosen.values()), token)
            self._closed.update(chosen)

    def _close_later(self, what: str, indices: Iterable[int] | None) -> Coroutine[Any, Any, None]:
        replay, chosen, token = self._chosen(what, indices, is_awaited=True)
        named = list(chosen.values())
        return aclose(what, replay.guard, replay.is_async, named, token, self._closed, list(chosen))

    def _chosen(
        self, what: str, indices: Iterable[int] | None, *, is_awaited: bool = False
    ) -> tuple[Replay, dict[int, bytes], object]:
        """The keys of messages; none where there is nothing to do."""
        if self._claimed is None:
            raise mistake("no-guard")
        replay, keys, token, is_asked = self._claimed[:4]
        positions = sorted(keys.keys() - self._closed)
        if indices is not None:
            length = len(self._codes)
            positions = [index_in(index, length) for index in drained(indices, "indices")]
            for position in positions:
                if self._codes[position] != Verdict.VALID:
                    raise mistake("not-valid", str(position))
        if replay.is_async and not is_awaited:
            raise mistake("async-claims")
        if what == "release" and replay.lease is None:
            raise mistake("final")
        if not is_asked:
            return replay, {}, token
        chosen = {position: keys[position] for position in positions}
        return replay, {} if replay.lease is None else chosen, token

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, index: int, /) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Verdict]: ...
    def __getitem__(self, index: int | slice, /) -> Verdict | list[Verdict]:
        if isinstance(index, slice):
            return [Verdict(code) for code in self._codes[index]]
        return Verdict(self._codes[index_in(index, len(self._codes))])

    def __iter__(self) -> Iterator[Verdict]:
        return map(Verdict, self._codes)

    def __reversed__(self) -> Iterator[Verdict]:
        return map(Verdict, reversed(self._codes))

    def __bool__(self) -> NoReturn:
        raise mistake("truth")

    def __repr__(self) -> str:
        unsigned = "UNSIGNED, " if self._unsigned else ""
        return f"BatchResult({unsigned}valid={self.valid}, invalid={self.invalid})"


def verify_batch(
    rules: Rules,
    messages: object,
    endpoint: object,
    received_at: object,
    now: Instant | None,
    threads: object,
    keep: object,
) -> Unclaimed:
    """Judges every message as ``check`` would; the arguments are those of ``Verifier``."""

    def items() -> Sequence[object]:
        return drained(messages, "messages")

    return _judged(rules, items, endpoint, received_at, now, threads, keep)


def verify_columns(
    rules: Rules,
    columns: tuple[object, object, object],
    bodies: object,
    endpoint: object,
    received_at: object,
    now: Instant | None,
    threads: object,
    keep: object,
) -> Unclaimed:
    """As ``verify_batch``, of messages as columns: signatures, ids and timestamps."""

    def items() -> Sequence[object]:
        return rows(columns, drained(bodies, "bodies"))

    return _judged(rules, items, endpoint, received_at, now, threads, keep)


def _judged(
    rules: Rules,
    read: Callable[[], Sequence[object]],
    endpoint: object,
    received_at: object,
    now: Instant | None,
    threads: object,
    keep: object,
) -> Unclaimed:
    call = Call(rules)
    # What can be judged without the messages comes first: a queue that was drained for a
    # wrong argument is lost.
    thread_count(threads)  # Plain Python has no use for more than one.
    keep = flag(keep, "keep")
    stated = None if now is None else seconds(now, "now")
    if received_at is not None:
        call.admit_arrival("received_at")
    call.begin(stated)
    if endpoint is not None and rules.ring is None:
        raise mistake("no-ring")
    items = read()
    endpoints = endpoints_of(call, endpoint, len(items))
    arrivals = instants(received_at, "received_at", len(items))
    if not call.admits_arrivals():
        for index, item in enumerate(items):
            if _stated(item, "received_at") is not None:
                call.admit_arrival(f"messages[{index}].received_at")
    call.resolve(names_of(items, endpoints))

    tally = Tally(rules.state)
    errors: dict[int, Exception] = {}
    judgements: list[Judgement] = []
    places: list[_Place] = []
    for index, item in enumerate(items):
        try:
            reading, arrival = _read(call, item, endpoints[index], arrivals[index])
        except MemoryError:
            raise
        except Exception as error:
            # This frame holds the whole batch; the traceback goes on below it.
            beneath = error.__traceback__.tb_next if error.__traceback__ else None
            errors[index] = error.with_traceback(beneath)
            judgement = Judgement(Verdict.NOT_A_MESSAGE)
            places.append(_Place())
        else:
            at = call.instant(reading, arrival)
            judgement = call.judge(reading, at)
            tally.note(reading, at)
            places.append(_Place(reading.endpoint, reading.state, arrival, at))
        if not keep and rules.replay is None:
            judgement = judgement._replace(accepted=None)
        judgements.append(judgement)

    def seconds_of(index: int) -> int:
        state = places[index].state
        assert rules.replay is not None, "only a guard is told for how long"
        assert state is not None, "what is unsigned has no guard"
        return rules.replay.seconds(state, rules.tolerance)

    def overtaken(indices: Sequence[int]) -> dict[int, Judgement]:
        good = []
        for index in indices:
            accepted, place = judgements[index].accepted, places[index]
            assert accepted is not None, "only what is good is claimed"
            assert place.state is not None, "what is unsigned has no guard"
            good.append(Good(index, place.state, accepted.timestamp, place.arrival))
        return call.overtaken(good)

    def finish(settled: Settled) -> BatchResult:
        for judgement, place in zip(settled.judgements, places, strict=True):
            if judgement.position >= 0:
                tally.count(place.endpoint, place.at, judgement.position)
        claimed = settled.claimed
        result = object.__new__(BatchResult)
        put(result, "_codes", bytes(judgement.verdict for judgement in settled.judgements))
        positions = array("b", (judgement.position for judgement in settled.judgements))
        put(result, "_secrets", positions.tobytes())
        put(result, "_errors", errors)
        put(result, "_by_secret", tally.by_secret())
        tally.tell()
        put(result, "_judgements", settled.judgements if keep else None)
        put(result, "_unsigned", rules.reason is not None)
        put(result, "_claimed", claimed)
        put(result, "_closed", set())
        return result

    return Unclaimed(rules.replay, judgements, seconds_of, overtaken, finish)


class _Place(NamedTuple):
    """Where and when a message arrived, if it says so or the call does, and when it was judged."""

    endpoint: str | None = None
    state: State | None = None
    arrival: int | None = None
    at: int | None = None


def _read(
    call: Call, item: object, endpoint: str | None, arrival: int | None
) -> tuple[Reading, int | None]:
    if isinstance(item, Row):
        reading = call.read(item.body, item.headers(call.state(endpoint)), endpoint)
        encodable(reading.body)
        return reading, arrival
    body, headers, own_endpoint, own_arrival = read_item(item)
    if own_arrival is not None:
        # Of a class that did not say so when all were asked.
        call.admit_arrival("received_at")
    if own_endpoint is not None:
        endpoint = own_endpoint
    reading = call.read(body, headers, endpoint)
    encodable(reading.body)
    return reading, arrival if own_arrival is None else own_arrival


def names_of(items: Sequence[object], endpoints: Sequence[str | None]) -> Iterator[str | None]:
    """The endpoint that each message names, its own before the call's."""
    for item, endpoint in zip(items, endpoints, strict=True):
        own = _stated(item, "endpoint")
        yield own_str(own) if isinstance(own, str) else endpoint


def _stated(item: object, part: str) -> object:
    """What an item states of itself, before it is read; None of what is no ``Message``."""
    try:
        return getattr(item, part) if isinstance(item, Message) else None
    except MemoryError:
        raise
    except Exception:  # Said when the message is read.
        return None


def endpoints_of(call: Call, endpoint: object, count: int) -> list[str | None]:
    if endpoint is None or isinstance(endpoint, str):
        return [call.endpoint(endpoint)] * count
    return each(endpoint, "endpoint", count, call.endpoint)
